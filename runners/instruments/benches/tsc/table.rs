//! The same cpu under the same disturbance, as the instrument, `oslat` and `cyclictest` see it.
//!
//! One after the other, the order turned from run to run. They measure different things: the
//! instrument and `oslat` what is taken from a running loop, `cyclictest` how late a sleeping task
//! wakes. So only stolen share and maximum of the first two are for comparing.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use serde_json::Value;

use crate::{
    burst::{Shape, Task},
    hog::{AROUND_MS, SHAPES, WINDOW_MS, last_cpu, load, look},
    throttling,
};

/// Buckets of `oslat`, which counts whole microseconds.
const BUCKETS: &str = "1024";

pub(crate) fn main() -> ExitCode {
    let missing: Vec<&str> = ["oslat", "cyclictest"].into_iter().filter(|t| !found(t)).collect();
    if !missing.is_empty() {
        println!("skipped: needs {} (Debian: rt-tests)", missing.join(" and "));
        return ExitCode::SUCCESS;
    }
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
    println!("cpu {cpu}, load {}", load());
    println!(
        "burst/period  tool        seen                              stolen      max us   loop ns"
    );
    let tools: [fn(usize, Shape) -> String; 3] = [own, oslat, cyclictest];
    for (turn, shape) in SHAPES.into_iter().enumerate() {
        for at in 0..tools.len() {
            let line = tools[(turn + at) % tools.len()](cpu, shape);
            println!("{:>4}/{:<5} us  {line}", shape.burst_us, shape.period_us);
        }
    }
    println!("load {}", load());
    ExitCode::SUCCESS
}

fn found(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

fn own(cpu: usize, shape: Shape) -> String {
    let seen = look(cpu, shape);
    let (jitter, cost) = (&seen.result["jitter"], &seen.result["loop"]);
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let found = format!("{}/{} bursts", seen.found, seen.bursts);
    let all = format!("{found}, {:.0} gaps/s", number(&jitter["gaps-per-second"]));
    format!(
        "tsc         {all:<32}  {:>6.3} %  {:>8.1}  {:.2} (bare {:.2}, x{:.3})",
        number(&jitter["stolen-share"]) * 100.0,
        number(&jitter["max-ns"]) / 1e3,
        number(&cost["min-ns"]),
        number(&cost["bare-min-ns"]),
        number(&cost["ratio"]),
    )
}

fn oslat(cpu: usize, shape: Shape) -> String {
    let file = std::env::temp_dir().join(format!("tsc-oslat-{}.json", std::process::id()));
    let seconds = (WINDOW_MS / 1_000).to_string();
    let task = Task::start(cpu, shape, WINDOW_MS + AROUND_MS);
    let status = Command::new("oslat")
        .args(["--duration", &seconds, "--rtprio", "80", "-b", BUCKETS, "-z", "--json"])
        .arg(&file)
        .args(["--cpu-list", &cpu.to_string(), "--cpu-main-thread", "0"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    drop(task.bursts());
    let read = read_oslat(&file);
    let _ = std::fs::remove_file(&file);
    match read.filter(|_| status.success()) {
        Some(line) => line,
        None => "oslat       gave no answer".to_owned(),
    }
}

fn read_oslat(file: &Path) -> Option<String> {
    let document: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    let thread = &document["thread"]["0"];
    let counts: BTreeMap<u64, u64> = thread["histogram"]
        .as_object()?
        .iter()
        .filter_map(|(us, count)| Some((us.parse().ok()?, count.as_u64()?)))
        .collect();
    let whole_us = thread["duration"].as_f64()? * 1e6;
    // Its first bucket holds the loop itself.
    let long = || counts.iter().filter(|(us, _)| **us > 1);
    let stolen: u64 = long().map(|(us, count)| us * count).sum();
    let gaps: u64 = long().map(|(_, count)| count).sum();
    let loops: u64 = counts.values().sum();
    let net_us = whole_us - stolen as f64;
    Some(format!(
        "oslat       {:<32}  {:>6.3} %  {:>8.1}  {:.2} net",
        format!("{gaps} over 1 us"),
        stolen as f64 / whole_us * 100.0,
        thread["max"].as_f64()?,
        net_us * 1e3 / loops as f64,
    ))
}

fn cyclictest(cpu: usize, shape: Shape) -> String {
    let seconds = (WINDOW_MS / 1_000).to_string();
    let task = Task::start(cpu, shape, WINDOW_MS + AROUND_MS);
    let output = Command::new("cyclictest")
        .args([
            &format!("-a{cpu}"),
            "-t1",
            "-m",
            "-p80",
            "-i",
            "993",
            "-D",
            &seconds,
            "-h",
            "1200",
            "-q",
        ])
        .stderr(Stdio::null())
        .output()
        .unwrap();
    drop(task.bursts());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let max = text.lines().find_map(|line| line.strip_prefix("# Max Latencies: "));
    let max: f64 = max.and_then(|max| max.trim().parse().ok()).unwrap_or(f64::NAN);
    // Late by half a burst: it was woken into one.
    let late: u64 = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .filter(|(us, _)| us.parse::<u64>().is_ok_and(|us| us * 2 >= shape.burst_us))
        .filter_map(|(_, count)| count.trim().parse::<u64>().ok())
        .sum();
    let late = format!("{late} wake-ups late by half a burst");
    format!("cyclictest  {late:<32}  {:>8}  {max:>8.1}  -", "-")
}
