//! Whether the TSC instrument tells the truth: against a known disturbance, and beside other tools.
//!
//! `hog` must find every burst of a task that logs them; it ends with 1 where it does not. `table`
//! prints the same cpu under the same disturbance as `oslat` and `cyclictest` see it. Both need root
//! and switch RT throttling off; it is switched on again whatever happens. The file is also the
//! children that it starts: the disturbance, the instrument, and who restores the throttling.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench drives processes and prints"
)]

#[cfg(target_arch = "x86_64")]
mod burst;
#[cfg(target_arch = "x86_64")]
mod hog;
#[cfg(target_arch = "x86_64")]
mod table;
#[cfg(target_arch = "x86_64")]
mod throttling;

use std::process::ExitCode;

#[cfg(target_arch = "x86_64")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["burst", rest @ ..] => burst::main(rest),
        ["restore", value] => throttling::restore(value),
        ["instrument", rest @ ..] => instrument(rest),
        [] | ["hog"] => hog::main(),
        ["table"] => table::main(),
        _ => {
            eprintln!("expected `hog` or `table`");
            ExitCode::from(2)
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn instrument(words: &[&str]) -> ExitCode {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let found = verify_instruments::find("tsc").expect("it is in the table");
    println!("{}", found.document(&words).expect("the arguments are ours"));
    ExitCode::SUCCESS
}

#[cfg(not(target_arch = "x86_64"))]
fn main() -> ExitCode {
    println!("skipped: needs an x86-64 machine");
    ExitCode::SUCCESS
}
