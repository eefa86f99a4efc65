//! How long taking stock of two cards lasts on the simulator, beyond the start of a process.
//!
//! Starts itself in turn as the instrument and as a program that ends at once. The difference of
//! the least times is judged, for what others take of a busy machine only ever adds; the medians
//! are printed beside it. Target: 5 ms.

#![allow(clippy::disallowed_methods, reason = "the bench starts cargo and itself, and takes time")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use serde_json::Value;

const RUNS: usize = 101;
/// *Units*: ms.
const TARGET_MS: f64 = 5.0;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        Some(("nothing", _)) => return ExitCode::SUCCESS,
        Some(("instrument", rest)) => {
            println!("{}", verify_instruments::find("nvml").unwrap().document(rest).unwrap());
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let library = library().display().to_string();
    let (mut start, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        start.push(timed(&["nothing"]).0);
        let (elapsed_ms, said) = timed(&["instrument", "--library", &library]);
        let document: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(document["result"]["cards"].as_array().unwrap().len(), 2);
        whole.push(elapsed_ms);
    }
    start.sort_by(f64::total_cmp);
    whole.sort_by(f64::total_cmp);
    let beyond = whole[0] - start[0];
    println!("{RUNS} runs                least     median");
    println!("start of a process  {:7.3} ms {:7.3} ms", start[0], start[RUNS / 2]);
    println!("taking stock        {:7.3} ms {:7.3} ms", whole[0], whole[RUNS / 2]);
    println!("beyond the start    {beyond:7.3} ms, target {TARGET_MS} ms");
    if beyond < TARGET_MS { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Builds the stand-in and returns where it is.
fn library() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../simulator/Cargo.toml");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--lib", "--message-format", "json"])
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .unwrap();
    let text = String::from_utf8(built.stdout).unwrap();
    let said = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let files = said.filter_map(|line| Some(line["filenames"][0].as_str()?.to_owned()));
    files.map(PathBuf::from).find(|file| file.ends_with("libverify_simulator.so")).unwrap()
}

/// Runs this program once; returns how long it took and what it said.
fn timed(words: &[&str]) -> (f64, String) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(words).env("VERIFY_SIM_SCENARIO", "pair");
    let begin = Instant::now();
    let run = command.output().unwrap();
    let elapsed_ms = begin.elapsed().as_secs_f64() * 1e3;
    (elapsed_ms, String::from_utf8(run.stdout).unwrap())
}
