//! Known truth: every burst of a task that logs them must be found, and their sum must be right.
//!
//! A burst is found when one gap covers it wholly. A gap is longer than its burst by the cost of
//! being preempted; the median excess is that cost. Only the longest bursts are held to their sum,
//! without those gaps in which the trace saw an ordinary task run (the fair server of the kernel).

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, ExitCode, Stdio},
};

use serde_json::Value;

use crate::{
    burst::{Burst, Shape, Task},
    throttling,
};

/// Window of the instrument. *Units*: ms.
pub(crate) const WINDOW_MS: u64 = 3_000;
/// What the instrument does before and after the window, generously. *Units*: ms.
pub(crate) const AROUND_MS: u64 = 2_500;
const RUNS: usize = 3;
/// Largest error of the sum for the longest bursts. *Source*: field reference, hog test.
const SUM_ERROR: f64 = 0.05;
/// Bursts from which on the sum is held to that. *Units*: us.
const SUM_FROM_US: u64 = 500;

pub(crate) const SHAPES: [Shape; 4] = [
    Shape { burst_us: 500, period_us: 10_000 },
    Shape { burst_us: 50, period_us: 10_000 },
    Shape { burst_us: 20, period_us: 1_000 },
    Shape { burst_us: 2, period_us: 1_000 },
];

/// Holds one gap that the instrument saw.
struct Gap {
    start: u64,
    end: u64,
    /// An ordinary task ran in it, by the trace.
    others: bool,
}

impl Gap {
    fn read(gap: &Value) -> Self {
        let start = gap["tsc"].as_u64().unwrap();
        let end = start + gap["cycles"].as_u64().unwrap();
        Self { start, end, others: gap["class"] == "rt-throttling" }
    }
}

/// Holds one run of the instrument beside the task.
pub(crate) struct Seen {
    pub(crate) bursts: usize,
    pub(crate) found: usize,
    /// Gaps with bursts in which an ordinary task ran, too: their length is no truth.
    pub(crate) others: usize,
    /// Median of what a gap is longer than its burst. *Units*: us.
    pub(crate) cost_us: f64,
    /// Sum of the gaps less that, against the sum of the bursts.
    pub(crate) sum_error: f64,
    pub(crate) result: Value,
}

pub(crate) fn main() -> ExitCode {
    let _off = match throttling::Off::hold() {
        Ok(off) => off,
        Err(why) => {
            println!("skipped: needs {why}");
            return ExitCode::SUCCESS;
        }
    };
    let Some(cpu) = last_cpu() else {
        println!("skipped: needs a second cpu");
        return ExitCode::SUCCESS;
    };
    let mut right = true;
    println!("cpu {cpu}, load {}", load());
    for shape in SHAPES {
        for run in 1..=RUNS {
            let seen = look(cpu, shape);
            let held = holds(shape, &seen);
            right &= held;
            println!(
                "{:>4} us / {:>5} us  run {run}  {}/{} found  excess {:.1} us a burst  sum {:+.2} %  {} with others  {:.1} ms stolen unexplained  {}",
                shape.burst_us,
                shape.period_us,
                seen.found,
                seen.bursts,
                seen.cost_us,
                seen.sum_error * 100.0,
                seen.others,
                seen.result["attribution"]["unexplained-share"].as_f64().unwrap_or(f64::NAN)
                    * WINDOW_MS as f64,
                if held { "ok" } else { "WRONG" },
            );
        }
    }
    if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn holds(shape: Shape, seen: &Seen) -> bool {
    let expected = usize::try_from(WINDOW_MS * 1_000 / shape.period_us).unwrap();
    // One at each end may lie across the edge of the window.
    let whole = seen.bursts + 2 >= expected && seen.found == seen.bursts;
    let sum = shape.burst_us < SUM_FROM_US || seen.sum_error.abs() <= SUM_ERROR;
    whole && sum && seen.result["jitter"]["lost"] == 0
}

/// Runs the instrument while the task takes the cpu.
pub(crate) fn look(cpu: usize, shape: Shape) -> Seen {
    let task = Task::start(cpu, shape, WINDOW_MS + AROUND_MS);
    let result = instrument(cpu);
    let bursts = task.bursts();
    join(&bursts, result)
}

pub(crate) fn instrument(cpu: usize) -> Value {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["instrument", "--cpu", &cpu.to_string(), "--for", &format!("{WINDOW_MS}ms")])
        .args(["--warm-up", "500ms", "--ring", "1000000", "--gaps", "1000000", "--trace", "auto"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).expect("it prints a document");
    document["result"].clone()
}

fn join(bursts: &[Burst], result: Value) -> Seen {
    let jitter = &result["jitter"];
    let edge = |key: &str| jitter[key].as_u64().expect("the window has edges");
    let (start, end) = (edge("start-tsc"), edge("end-tsc"));
    let per_us = result["calibration"]["hz"].as_f64().unwrap() / 1e6;
    let gaps: Vec<Gap> = result["gaps"].as_array().unwrap().iter().map(Gap::read).collect();
    let inside: Vec<&Burst> = bursts.iter().filter(|(s, e)| *s > start && *e < end).collect();
    // One gap may cover several bursts: those that were late because the cpu was given to others.
    let mut covered: BTreeMap<usize, f64> = BTreeMap::new();
    let mut found = 0;
    for (from, to) in &inside {
        let at = gaps.partition_point(|gap| gap.end < *to);
        if gaps.get(at).is_some_and(|gap| gap.start <= *from) {
            *covered.entry(at).or_default() += (to - from) as f64 / per_us;
            found += 1;
        }
    }
    let others = covered.keys().filter(|at| gaps[**at].others).count();
    let pairs = covered.iter().filter(|(at, _)| !gaps[**at].others);
    let pairs: Vec<(f64, f64)> = pairs
        .map(|(at, burst)| ((gaps[*at].end - gaps[*at].start) as f64 / per_us, *burst))
        .collect();
    let mut excess: Vec<f64> = pairs.iter().map(|(gap, burst)| gap - burst).collect();
    excess.sort_by(f64::total_cmp);
    let cost_us = excess.get(excess.len() / 2).copied().unwrap_or(0.0);
    let sum: f64 = pairs.iter().map(|(gap, _)| gap - cost_us).sum();
    let truth: f64 = pairs.iter().map(|(_, burst)| burst).sum();
    Seen { bursts: inside.len(), found, others, cost_us, sum_error: sum / truth - 1.0, result }
}

/// Returns the last online cpu; none where there is only one.
pub(crate) fn last_cpu() -> Option<usize> {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").ok()?;
    let last = online.trim().rsplit([',', '-']).next()?.parse().ok()?;
    (last > 0).then_some(last)
}

pub(crate) fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}
