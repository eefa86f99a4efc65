//! The instruments beside their peers, by the benches of the instruments, which print what they see: here
//! their lines become rows.
//!
//! Jitter has a truth: what a real-time task takes of the cpu, by its burst and period. STREAM has none
//! but its peer. Both benches say themselves what they need.

use std::process::{Command, Stdio};

use crate::pair::Row;

/// Size of each array. *Source*: STREAM, three arrays of at least four times the cache. *Units*: MiB.
const MIB: &str = "48";

/// Runs a bench of the instruments, and returns what it printed.
fn bench(name: &str, words: &[&str]) -> Result<String, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let profile = if cfg!(debug_assertions) { "dev" } else { "bench" };
    let output = Command::new(cargo)
        .args([
            "bench",
            "-q",
            "--profile",
            profile,
            "-p",
            "verify-instruments",
            "--bench",
            name,
            "--",
        ])
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("\n{name}:\n{said}");
    match said.lines().find_map(|line| line.strip_prefix("skipped: needs ")) {
        Some(why) => Err(why.to_owned()),
        None => Ok(said),
    }
}

/// One line of the table of jitter: burst, period, tool, share of the time that was taken, longest gap.
struct Seen<'l> {
    shape: &'l str,
    tool: &'l str,
    stolen: &'l str,
    longest: &'l str,
}

fn seen(line: &str) -> Option<Seen<'_>> {
    let (shape, rest) = line.trim_start().split_once(" us  ")?;
    let tool = rest.split_whitespace().next()?;
    let (before, after) = rest.split_once(" %").unwrap_or((rest, rest));
    let stolen = before.split_whitespace().next_back()?;
    let longest = match tool {
        // It has no share: a dash stands there.
        "cyclictest" => rest.split_whitespace().rev().nth(1)?,
        _ => after.split_whitespace().next()?,
    };
    Some(Seen { shape, tool, stolen, longest })
}

pub(crate) fn jitter() -> Result<Vec<Row>, String> {
    let said = bench("tsc", &["table"])?;
    let all: Vec<Seen<'_>> = said.lines().filter_map(seen).collect();
    let of = |shape: &str, tool: &str| all.iter().find(|s| s.shape == shape && s.tool == tool);
    let own = all.iter().filter(|seen| seen.tool == "tsc");
    let rows = own.filter_map(|own| {
        let (burst, period) = own.shape.split_once('/')?;
        let truth = burst.trim().parse::<f64>().ok()? / period.trim().parse::<f64>().ok()? * 100.0;
        let oslat = of(own.shape, "oslat")?;
        let late = of(own.shape, "cyclictest").map_or("?", |seen| seen.longest);
        let what = format!(
            "a task takes {} us every {} us, {truth:.3} %: share, longest",
            burst.trim(),
            period.trim()
        );
        let figures = [own, oslat].map(|seen| format!("{} %, {} us", seen.stolen, seen.longest));
        Some(Row::shown(
            "jitter",
            &what,
            figures,
            &format!("oslat; cyclictest woke up to {late} us late"),
        ))
    });
    Ok(rows.collect())
}

pub(crate) fn memory() -> Result<Vec<Row>, String> {
    let said = bench("stream", &[MIB])?;
    let rows = said.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kernel @ ("copy" | "triad"), before, hpcc, after, first, second] = words[..] else {
            return None;
        };
        let what =
            format!("STREAM {kernel}, one thread, arrays of {MIB} MiB, before and after hpcc");
        let figures = [format!("{before} and {after} GB/s"), format!("{hpcc} GB/s")];
        Some(Row::shown("memory", &what, figures, &format!("ratio {first} and {second}")))
    });
    Ok(rows.collect())
}
