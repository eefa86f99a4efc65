//! How fast is `verify` beside goss, pytest-testinfra and `ReFrame`, given the same checks?
//!
//! All tools are run in turns, on one machine, as their users run them, and each must say itself that it
//! made every test and passed. What is missing is named. Goals are printed, never asserted.
//! `just bench-peers` measures all groups, `just bench-peers local` one: `start`, `local`, `ssh`,
//! `checks` or `nodes`; `--quick` takes a quarter of the time. See [`table`] for the columns.
#![allow(clippy::print_stdout, reason = "the table is what this program is for")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and starts processes")]
#![allow(clippy::unwrap_used, reason = "a bench that does not work ends")]

#[path = "../nodes/checks.rs"]
#[allow(dead_code, reason = "what the bench of nodes needs, and more")]
mod checks;
mod dialects;
#[path = "../nodes/lab.rs"]
#[allow(dead_code, reason = "what the bench of nodes needs, and more")]
mod lab;
mod measure;
mod remote;
mod scale;
#[path = "../../../engine/tests/ssh/server.rs"]
#[allow(dead_code, reason = "what the tests of the transport need, and more")]
mod server;
mod table;
#[path = "../speed/table.rs"]
#[allow(dead_code, reason = "what the bench of the harness needs, and more")]
mod times;
mod tools;
mod world;

use std::{fs, path::Path, process::Command};

use lab::Lab;
use measure::in_turns;
use tools::{Tools, said};
use world::World;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("nothing is measured without `--bench`: use `just bench-peers`");
        return;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let names: Vec<&String> = arguments.iter().filter(|name| !name.starts_with("--")).collect();
    let wanted = |group: &str| names.is_empty() || names.iter().any(|name| *name == group);
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let (tools, notes) = Tools::find(scratch);
    println!("{}\n{}", machine(), notes.join("\n"));
    let world = World::new(scratch);
    if wanted("start") {
        start(scratch, &world, &tools, if quick { 10 } else { 40 });
    }
    if wanted("local") {
        local(scratch, &world, &tools, quick);
    }
    if wanted("checks") {
        scale::checks(scratch, &world, &tools, if quick { 1000 } else { 10_000 });
    }
    if !wanted("ssh") && !wanted("nodes") {
        return;
    }
    // It says itself what it lacks.
    let Some(lab) = Lab::new() else { return };
    if wanted("ssh") {
        remote::print(scratch, &world, &tools, &lab, if quick { 3 } else { 9 });
    }
    if wanted("nodes") {
        scale::nodes(scratch, &lab, if quick { 10 } else { 100 });
    }
    println!("\nload at the end: {}", load());
}

/// Says what the figures are of.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let own = said(Path::new(env!("CARGO_BIN_EXE_verify")), &["--version"]).unwrap_or_default();
    format!(
        "{}, {cpus} cpus, Linux {}; {}; load {}\n{own}",
        model.map_or("unknown cpu", |(_, model)| model),
        kernel.trim(),
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
        load()
    )
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// Measures the start of each program, and of a run with hardly a check.
fn start(scratch: &Path, world: &World, tools: &Tools, turns: usize) {
    let few = world.many(5);
    let version = |program: &Path| {
        let program = program.to_owned();
        move || {
            let mut command = Command::new(&program);
            command.arg("--version");
            command
        }
    };
    let lines: measure::Count = |output| Some(output.lines().count().min(1));
    let own = Path::new(env!("CARGO_BIN_EXE_verify"));
    let mut subjects = vec![tools::subject("verify --version", version(own), lines, 1)];
    let programs = [("goss --version", tools.goss_binary()), ("python --version", tools.python())];
    for (name, program) in programs {
        subjects.extend(program.map(|path| tools::subject(name, version(path), lines, 1)));
    }
    for (name, subject) in [
        ("verify, five checks", Some(tools.verify("five", &few))),
        ("goss, five checks", tools.goss("five", &few)),
    ] {
        subjects
            .extend(subject.map(|subject| measure::Subject { name: name.to_owned(), ..subject }));
    }
    let costs = in_turns(turns, scratch, &subjects);
    table::print("start (goal: verify --version under 5 ms)", &subjects, &costs, &[]);
}

/// Measures a hundred checks on this machine.
fn local(scratch: &Path, world: &World, tools: &Tools, quick: bool) {
    let checks = world.mixed();
    let mut subjects = vec![tools.verify("mixed", &checks)];
    subjects.extend(tools.goss("mixed", &checks));
    subjects.push(tools.script("mixed", &checks));
    let turns = if quick { 6 } else { 30 };
    if let Some(testinfra) = tools.testinfra(("testinfra", "mixed"), &checks, &[]) {
        subjects.push(measure::Subject { every: 3, ..testinfra });
    }
    if let Some(reframe) = tools.reframe("mixed", &checks) {
        subjects.push(measure::Subject { every: turns / if quick { 1 } else { 5 }, ..reframe });
    }
    let costs = in_turns(turns, scratch, &subjects);
    let title = format!("local: {} mixed checks", checks.count());
    let goals = [("goss", 1.0), ("testinfra", 20.0), ("ReFrame", 300.0)];
    table::print(&title, &subjects, &costs, &goals);
}
