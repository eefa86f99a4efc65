//! How often does the rule cry wolf, and what does it find? Simulated, beside what others do.
//!
//! Every draw follows from the seeds below, so two runs print the same. `just bench-rule` takes minutes
//! on two cores; `just bench-rule quick` a tenth of that, with wider intervals, and demands nothing. It ends
//! with 1 where a goal is missed. What is drawn stands in [`scenario`]; the tables stand in
//! `runners/model/STATISTICS.md`. It measures nothing: no figure here is of a real machine.
#![allow(clippy::print_stdout, reason = "the tables are what this program is for")]
#![allow(clippy::cast_precision_loss, reason = "counts of a simulation are small")]

mod creep;
mod drift;
mod goal;
mod play;
mod random;
mod rival;
mod scenario;
mod sweep;
mod table;

use std::process::ExitCode;

use play::Effort;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` starts benches too, without this argument.
    if !words.iter().any(|word| word == "--bench") {
        println!("nothing is simulated without `--bench`: use `just bench-rule`");
        return ExitCode::SUCCESS;
    }
    let quick = words.iter().any(|word| word == "quick");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let goals = goal::all(effort);
    table::goals(&goals);
    goal::suites(effort);
    sweep::units(effort);
    rival::suites(effort);
    rival::scenarios(effort);
    drift::consecutive(effort);
    let missed = goals.iter().filter(|goal| !goal.met).count();
    println!("\n{missed} of {} goals missed", goals.len());
    if missed == 0 || quick { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
