//! Whether the instrument `model-server` finds out what a server does, and leaves nothing behind.
//!
//! This program starts itself: as the instrument, which must be a process of one thread, and as the
//! server that the instrument starts. Servers that are only attached to are threads of the test.
//! Every server listens on loopback, and says over a connection to the test when it has ended.

#![allow(clippy::disallowed_methods, reason = "the test starts itself and listens")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test")]

mod attach;
mod begin;
mod notice;
mod stub;
mod way;

use std::{
    env,
    process::{Command, ExitCode},
};

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["instrument", rest @ ..] => {
            let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
            let found = verify_instruments::find("model-server").unwrap();
            match found.document(&rest) {
                Ok(document) => println!("{document}"),
                Err(why) => println!("refused: {why}"),
            }
            return ExitCode::SUCCESS;
        }
        ["server", way, port, notice] => begin::serve(way, port, notice),
        _ => {}
    }
    let trials = attach::TESTS.iter().chain(begin::TESTS).map(|(name, test)| {
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// Prepares the instrument, with little load.
pub(crate) fn instrument(args: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("instrument").args(args).args(["--nvml", "/nowhere/libnvidia-ml.so.1"]);
    for (name, value) in [
        ("--ready", "20s"),
        ("--limit", "5s"),
        ("--grace", "10s"),
        ("--concurrency", "1,3"),
        ("--requests", "4"),
        ("--words", "6"),
        ("--tokens", "8"),
    ] {
        if !args.contains(&name) {
            command.args([name, value]);
        }
    }
    command
}

/// Runs the instrument and returns what it found.
pub(crate) fn measured(args: &[&str]) -> Value {
    let output = instrument(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    });
    document["result"].clone()
}
