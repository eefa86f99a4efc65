//! Does `verify` measure what the tools measure that everybody knows? Both, in turns, in one table.
//!
//! iperf3 through `verify` beside iperf3 typed by hand, on a cable between two network namespaces whose
//! rate is known; fio likewise, on one drive; the TSC loop beside oslat and cyclictest under a known
//! disturbance, and STREAM beside that of HPC Challenge, by the benches of the instruments. Series are
//! compared by the rule of this project: its word, its interval, and the smallest difference that it
//! could have seen. `just bench-beside` measures all, `just bench-beside link disk` some. What is missing
//! is named and left out aloud; nothing is asserted.
#![allow(clippy::print_stdout, reason = "the table is what this program is for")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and starts processes")]
#![allow(clippy::unwrap_used, reason = "a bench that does not work ends")]

mod disk;
mod gpu;
mod instrument;
#[path = "../../tests/link/lab.rs"]
#[allow(dead_code, reason = "what the tests of links need, and more")]
#[allow(clippy::explicit_write, reason = "as the tests say what they skip")]
mod lab;
mod link;
mod pair;

use std::fs;

use pair::Row;

/// One part of the table: its name, and how it is measured; an error says what is missing.
type Part = (&'static str, fn() -> Result<Vec<Row>, String>);

const PARTS: [Part; 5] = [
    ("link", link::rows),
    ("disk", disk::rows),
    ("jitter", instrument::jitter),
    ("memory", instrument::memory),
    ("gpu", gpu::rows),
];

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `--bench`: use `just bench-beside`");
        return;
    }
    let names: Vec<String> = std::env::args().skip(1).filter(|name| name != "--bench").collect();
    let wanted = |part: &str| names.is_empty() || names.iter().any(|name| name == part);
    println!("{}", machine());
    let mut rows = Vec::new();
    for (name, measure) in PARTS.iter().filter(|(name, _)| wanted(name)) {
        match measure() {
            Ok(found) => rows.extend(found),
            Err(why) => rows.push(Row::left_out(name, &why)),
        }
    }
    println!();
    pair::print(&rows);
    println!("\n{}", machine());
}

/// Says on what this is measured, and how busy it is.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name\t: ")).unwrap_or("?");
    let cpus = cpu.matches("processor\t:").count();
    let load = read("/proc/loadavg").split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{model}, {cpus} cpus, Linux {}, load {load}", kernel.trim())
}
