//! How large and how fast is the index of runs? A hundred thousand runs of fifty metrics.
//!
//! The runs are put in by the code that a run uses, one transaction each; then a metric's last thousand
//! values are read again and again, and a thousand records are written and read as a rebuild does.
//! Targets are printed, never asserted. `just bench-history 1000` takes fewer runs.
#![allow(clippy::print_stdout, reason = "the figures are what this program is for")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![allow(clippy::unwrap_used, reason = "a bench that does not work ends")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

#[path = "../tests/baseline/run.rs"]
#[allow(dead_code, reason = "the tests of baselines use all of it")]
mod sample;

use std::{path::Path, time::Instant};

use verify_engine::{
    history::{Entry, FILE, Flags, Index, Part, Value, Wanted},
    record::Store,
};
use verify_model::{
    event::Event, metric::Direction, outcome::Outcome, quantity::Quantity, verdict::Answer,
};

const RUNS: usize = 100_000;
const METRICS: usize = 50;
/// Values that are read of a metric.
const LAST: usize = 1000;
/// Readings of which the middle is printed.
const READINGS: usize = 51;
/// Records of a rebuild.
const RECORDS: u32 = 1000;

fn main() {
    // `cargo test --all-targets` starts benches too, without this argument.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `--bench`: use `just bench-history`");
        return;
    }
    let runs = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(RUNS);
    let dir = tempfile::tempdir().unwrap();
    let store = Store { dir: dir.path().join("runs") };
    let index = Index::open(&store).unwrap().index;
    fill(&index, runs);
    drop(index);
    let index = Index::open(&store).unwrap().index;
    let size = size(dir.path());
    let target = format!("target under 1000 for {RUNS} runs x {METRICS}");
    println!("size               {:>10.1} MB, {target}", size / 1e6);
    println!("  per value        {:>10.1} bytes", size / (runs * METRICS) as f64);
    read(&index);
    one_more(&store, runs);
    drop(index);
    rebuild();
}

fn fill(index: &Index, runs: usize) {
    let mut inserter = index.inserter().unwrap();
    let started = Instant::now();
    for number in 0..runs {
        inserter.put(&entry(number), 1).unwrap();
    }
    let took = started.elapsed().as_secs_f64();
    println!("inserted           {runs:>10} runs of {METRICS} metrics in {took:.1} s");
    println!("  per run          {:>10.3} ms", took * 1e3 / runs as f64);
}

fn read(index: &Index) {
    let series = index.series().unwrap();
    let wanted = Wanted { last: Some(LAST), ..Wanted::default() };
    let times = (0..READINGS).map(|at| {
        let started = Instant::now();
        let known = index.points(&series[at % series.len()], &wanted).unwrap();
        assert!(!known.points.is_empty());
        started.elapsed().as_secs_f64() * 1e3
    });
    let (middle, most) = spread(times);
    println!("last {LAST} values   {middle:>10.2} ms, at most {most:.2}, target under 50");
}

/// Times what a run pays at its end: to open the index and to put itself in.
fn one_more(store: &Store, runs: usize) {
    let times = (0..READINGS).map(|at| {
        let entry = entry(runs + at);
        let started = Instant::now();
        let index = Index::open(store).unwrap().index;
        index.inserter().unwrap().put(&entry, 1).unwrap();
        drop(index);
        started.elapsed().as_secs_f64() * 1e3
    });
    let (middle, most) = spread(times);
    println!("open and put one   {middle:>10.2} ms, at most {most:.2}");
}

fn spread(times: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() - 1])
}

fn rebuild() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store { dir: dir.path().join("runs") };
    (0..RECORDS).for_each(|number| record(&store, number));
    let index = Index::open(&store).unwrap().index;
    let started = Instant::now();
    let filled = index.rebuild(&store, &mut |_| {}).unwrap();
    assert_eq!(filled.read, RECORDS as usize);
    let took = started.elapsed().as_secs_f64();
    println!("rebuild            {took:>10.2} s per {RECORDS} records of {METRICS} metrics");
}

/// Records a run of checks that measure two metrics each.
fn record(store: &Store, number: u32) {
    let run = sample::at(number, 2.0);
    let mut writer = store.create(&run.header.id).unwrap();
    let mut events = vec![Event::Started(run.header.clone())];
    events.extend(run.nodes.iter().cloned().map(Event::Node));
    let planned: Vec<_> = (0..METRICS / 2)
        .map(|at| {
            let mut planned = run.checks[0].planned.clone();
            planned.check.id = format!("disk/read-{at}");
            planned
        })
        .collect();
    events.extend(planned.iter().cloned().map(Event::Planned));
    events.push(Event::PlanReady { checks: planned.len() });
    for planned in &planned {
        let Answer::Attempted(attempts) = &run.checks[0].answer else { continue };
        let key = planned.key();
        events.push(Event::Attempted { key: key.clone(), attempt: attempts[0].clone() });
        events.push(Event::Answered { key, answer: None });
    }
    events.push(Event::Finished { elapsed_ms: 1, interrupted: false, exit: 0 });
    for event in &events {
        writer.append(event).unwrap();
    }
}

fn size(folder: &Path) -> f64 {
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let own = files.filter(|file| file.file_name().to_string_lossy().starts_with(FILE));
    own.map(|file| file.metadata().unwrap().len() as f64).sum()
}

fn entry(number: usize) -> Entry {
    let value = |at: usize| {
        let noise = (number * 7919 + at * 104_729) % 1000;
        Value {
            check: format!("group-{}/check-{}", at / 10, at / 2),
            field: if at.is_multiple_of(2) { "rate".to_owned() } else { "latency.p99".to_owned() },
            quantity: Quantity::of(50.0 + noise as f64 / 997.0, "GB/s").unwrap(),
            direction: Direction::HigherIsBetter,
            definition: format!("{:064x}", at / 2),
            tolerance: Some(0.02),
            outcome: Outcome::Pass,
            flags: Flags::default(),
        }
    };
    let part = Part {
        node: "box".to_owned(),
        machine: "tower".to_owned(),
        boot: format!("boot-{}", number / 20),
        via: "local".to_owned(),
        digest: format!("{:064x}", number / 500),
        fields: format!("{{\"kernel\":\"6.{}\"}}", number / 500),
        values: (0..METRICS).map(value).collect(),
    };
    Entry {
        ulid: format!("01K{number:023}"),
        started_ms: 1_700_000_000_000 + i64::try_from(number).unwrap() * 60_000,
        version: "0.1.0".to_owned(),
        interrupted: false,
        complete: true,
        parts: vec![part],
    }
}
