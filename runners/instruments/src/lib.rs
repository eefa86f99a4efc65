//! Our own measuring code: what no tool says and no file shows, asked of the kernel directly.
//!
//! Each instrument runs in a process of its own (`verify instrument NAME`), started through the
//! transport like any program, and prints one JSON document. What it takes (a priority, locked
//! memory, a ring) ends with the process. `unsafe` lives here. It knows nothing of suites.

#[cfg(target_os = "linux")]
mod affinity;
#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod counter_table;
#[cfg(target_os = "linux")]
mod cpu_list;
#[cfg(target_os = "linux")]
mod fio;
#[cfg(target_os = "linux")]
mod huge_page;
#[cfg(target_os = "linux")]
mod io_ring;
#[cfg(target_os = "linux")]
mod isolation;
#[cfg(target_os = "linux")]
mod kernel_file;
#[cfg(target_os = "linux")]
mod mapping;
#[cfg(target_os = "linux")]
mod netdev;
mod refusal;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(target_os = "linux")]
mod scheduling;
#[cfg(target_os = "linux")]
mod scratch;
#[cfg(target_os = "linux")]
mod smart;
#[cfg(target_os = "linux")]
mod stream;
#[cfg(target_os = "linux")]
mod task;
#[cfg(target_os = "linux")]
mod tool;
#[cfg(target_os = "linux")]
mod tsc;
#[cfg(target_os = "linux")]
mod xdp_socket;

use serde_json::{Value, json};

pub use refusal::Refusal;

/// Names the form of the document; a reader refuses what it does not know.
pub const PROTOCOL: &str = "verify-instrument/1";

/// Describes one instrument.
pub struct Instrument {
    /// Name, kebab-case.
    pub name: &'static str,
    /// One sentence: what it measures.
    pub summary: &'static str,
    /// Arguments that it takes, one a line with their defaults.
    pub arguments: &'static str,
    /// Measures; the arguments come without the name.
    ///
    /// *Errors*: arguments that it does not take, in one sentence.
    pub run: fn(&[String]) -> Result<Value, String>,
}

/// Holds every instrument of this build, sorted by name.
pub static INSTRUMENTS: &[Instrument] = &[
    #[cfg(target_os = "linux")]
    xdp_socket::INSTRUMENT,
    #[cfg(target_os = "linux")]
    fio::INSTRUMENT,
    #[cfg(target_os = "linux")]
    huge_page::INSTRUMENT,
    #[cfg(target_os = "linux")]
    io_ring::INSTRUMENT,
    #[cfg(target_os = "linux")]
    isolation::INSTRUMENT,
    #[cfg(target_os = "linux")]
    sandbox::INSTRUMENT,
    #[cfg(target_os = "linux")]
    scheduling::INSTRUMENT,
    #[cfg(target_os = "linux")]
    smart::INSTRUMENT,
    #[cfg(target_os = "linux")]
    stream::INSTRUMENT,
    #[cfg(target_os = "linux")]
    tsc::INSTRUMENT,
];

/// Finds an instrument by name.
pub fn find(name: &str) -> Option<&'static Instrument> {
    INSTRUMENTS.iter().find(|instrument| instrument.name == name)
}

impl Instrument {
    /// Measures and returns the document.
    ///
    /// *Shape*: `protocol`, `instrument`, `result`.
    ///
    /// *Errors*: arguments that it does not take, in one sentence.
    pub fn document(&self, args: &[String]) -> Result<Value, String> {
        let result = (self.run)(args)?;
        Ok(json!({ "protocol": PROTOCOL, "instrument": self.name, "result": result }))
    }
}
