//! What a stand-in library answers for a node beside its cards: files and commands.
//!
//! Asked once by who stands in for the node. A library of the driver has no such function, which is
//! said and is no crash.

use std::ffi::{c_char, c_uint};

use libloading::Library;
use serde_json::{Value, json};

use crate::{Arguments, Instrument};

/// Longest scenario that is taken. *Units*: B.
const LONGEST: usize = 1024 * 1024;

pub(crate) const INSTRUMENT: Instrument = Instrument {
    name: "scenario",
    summary: "Says which files and commands a stand-in library simulates.",
    arguments: "--library PATH    the stand-in library; its scenario is in VERIFY_SIM_SCENARIO",
    run,
};

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let path = given.text("--library").ok_or("--library names the stand-in library")?;
    Ok(asked(path).unwrap_or_else(|why| json!({ "trouble": why })))
}

fn asked(path: &str) -> Result<Value, String> {
    type Scenario = unsafe extern "C" fn(*mut c_char, c_uint) -> c_uint;
    // SAFETY: loading runs the library's own start code, which is why this is a process of its own.
    let library = unsafe { Library::new(path) };
    let library = library.map_err(|error| format!("{path} cannot be loaded: {error}"))?;
    // SAFETY: a function of this name exists in our stand-in only, and has this form there.
    let function = unsafe { library.get::<Scenario>(b"verify_simulated_scenario\0") };
    let function = function.map_err(|_| format!("{path} is not the simulator of this version"))?;
    let mut text = vec![0_u8; LONGEST];
    let length = c_uint::try_from(LONGEST).unwrap_or(c_uint::MAX);
    // SAFETY: the buffer is as long as is said.
    let code = unsafe { function(text.as_mut_ptr().cast(), length) };
    if code != 0 {
        return Err(format!("the scenario cannot be taken: error {code} of the stand-in"));
    }
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(0);
    serde_json::from_slice(&text[..end]).map_err(|error| format!("{path}: {error}"))
}
