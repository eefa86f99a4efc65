//! Tries the AI stack against the real thing: packages and servers of gigabytes.
//!
//! `just test-heavy` runs them with the interpreter that `VERIFY_HEAVY_PYTHON` names. Elsewhere
//! each is shown as ignored; what it needs and lacks is said aloud. What CI can have, stubs and
//! recorded answers, is tested beside the code.

#![allow(clippy::disallowed_methods, reason = "lays out folders and starts programs")]

mod interpreter;
mod mlx;
mod server;
mod signal_model;
mod torch;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// Holds one test of a real thing.
pub(crate) struct Heavy {
    /// What holds, as a sentence.
    pub(crate) name: &'static str,
    /// Python distributions that it needs.
    pub(crate) needs: &'static [&'static str],
    /// Tries it with that interpreter; the error says what was not as demanded.
    pub(crate) run: fn(&str) -> Result<(), String>,
}

/// Holds every test, by the part of the stack that it tries.
const TESTS: &[&[Heavy]] =
    &[interpreter::TESTS, signal_model::TESTS, mlx::TESTS, torch::TESTS, server::TESTS];

fn main() -> ExitCode {
    let trials = TESTS.iter().copied().flatten().map(|heavy| {
        let run = move || match interpreter::ready(heavy.needs) {
            Err(lacking) => Ok(Completion::ignored_with(format!("skipped: needs {lacking}"))),
            Ok(python) => {
                (heavy.run)(&python).map(|()| Completion::Completed).map_err(Failed::from)
            }
        };
        Trial::ignorable_test(heavy.name, run).with_ignored_flag(true)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
