//! What the instruments for GPUs answer in each scenario of the simulator.
//!
//! This program starts itself as the instrument: the scenario is the environment of a process, and
//! the instrument forks, which a program of many threads had better not. The stand-in libraries are
//! built once, by the cargo that runs the tests.

#![allow(clippy::disallowed_methods, reason = "the test starts cargo and itself")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test")]

mod cuda;
mod nvml;
mod stand_in;
mod wedge;

use std::{env, process::ExitCode};

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    if let [first, name, rest @ ..] = words.as_slice()
        && first == "instrument"
    {
        let document = verify_instruments::find(name).unwrap().document(rest).unwrap();
        println!("{document}");
        return ExitCode::SUCCESS;
    }
    let all = nvml::TESTS.iter().chain(wedge::TESTS).chain(cuda::TESTS);
    let trials = all.map(|(name, test)| {
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
