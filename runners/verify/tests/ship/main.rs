//! Whether what goes out beside the command works: the action's script, and what a runner is set up with.
//!
//! The script runs as the action runs it, with the files that GitHub would give; the units and the
//! rights are looked over by their own checkers. What is built by `.ci/dist` is tried there, since it
//! needs a release build.
#![allow(clippy::disallowed_methods, reason = "drives programs and writes files for them")]
#![allow(clippy::explicit_write, reason = "what a passing test prints with a macro is swallowed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod action;
mod runner;
mod step;
mod stopped;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns a path below the root of the checkout.
fn checkout(below: &str) -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap().join(below)
}

/// Tells whether a program can be started; says aloud that a test is skipped where it cannot.
fn is_there(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).output().is_ok_and(|o| o.status.success());
    if !there {
        writeln!(std::io::stderr(), "skipped: needs {program}").unwrap();
    }
    there
}
