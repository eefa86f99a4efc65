//! The front of libFuzzer: one binary for all targets, so that one link serves them all.
//!
//! `VERIFY_FUZZ` names the target, `VERIFY_FUZZ_SEEDS` a folder that its seeds are written into before
//! libFuzzer reads it. `.ci/fuzz` builds this with coverage; nothing else builds it.
#![no_main]
#![allow(clippy::panic, reason = "without a target there is nothing to do")]
#![allow(clippy::disallowed_methods, reason = "seeds are rewritten whenever they are missing")]

use std::{env, fs, path::Path, sync::OnceLock};

use libfuzzer_sys::fuzz_target;
use verify_fuzz::{TARGETS, Target, find};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fn chosen() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = env::var("VERIFY_FUZZ").unwrap_or_default();
        find(&name).unwrap_or_else(|| {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            panic!("VERIFY_FUZZ names no target; there are: {}", names.join(" "))
        })
    })
}

fn write_seeds() {
    let Some(folder) = env::var_os("VERIFY_FUZZ_SEEDS") else { return };
    for (number, seed) in (chosen().seeds)().into_iter().enumerate() {
        let path = Path::new(&folder).join(format!("seed-{number:04}"));
        if let Err(error) = fs::write(&path, seed) {
            panic!("{}: {error}", path.display());
        }
    }
}

fuzz_target!(
    init: write_seeds(),
    |bytes: &[u8]| {
        (chosen().run)(bytes);
    }
);
