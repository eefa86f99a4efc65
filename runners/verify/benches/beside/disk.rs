//! fio through `verify` beside fio typed by hand: the same words, on files of the same size in one folder.
//!
//! Reads are direct and the file holds noise, so neither cache nor compression answers; what the drive of a
//! virtual machine answers from is its host's affair, and the same for both.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::pair::{Row, in_turns};

const TURNS: usize = 6;
/// Size of the file. *Units*: MiB.
const MIB: u64 = 256;
const SECONDS: u64 = 1;
const FOLDER: &str = "/var/tmp";

pub(crate) fn rows() -> Result<Vec<Row>, String> {
    let known = Command::new("fio").arg("--version").stdout(Stdio::null()).status();
    if !known.is_ok_and(|status| status.success()) {
        return Err("fio".to_owned());
    }
    let ground = tempfile::tempdir_in(FOLDER).map_err(|error| format!("{FOLDER}: {error}"))?;
    lay_out(ground.path());
    let engine = through_verify(ground.path())["facts"].clone();
    let engine = engine["engine"]["text"].as_str().unwrap_or("io_uring").to_owned();
    let own = || {
        let seen = through_verify(ground.path());
        seen["metrics"]["sequential"]["samples"][0].as_f64().unwrap_or_else(|| panic!("{seen}"))
    };
    let (own, theirs) = in_turns(TURNS, own, || by_hand(ground.path(), &engine));
    let shown = |rate: f64| format!("{:.2} GB/s", rate / 1e9);
    let what = format!(
        "fio, {MIB} MiB read in sequence, 1 MiB blocks, 32 in flight, {engine}, {SECONDS} s"
    );
    Ok(vec![Row::compared("disk", &what, "storage-throughput", (&own, &theirs), shown)])
}

fn lay_out(ground: &Path) {
    fs::create_dir_all(ground.join("suites")).unwrap();
    fs::create_dir_all(ground.join("runners/nodes")).unwrap();
    fs::write(ground.join("runners/nodes/box.toml"), "title = \"b\"\nbusy = true\n").unwrap();
    let suite = format!(
        "[suite]\ntitle = \"s\"\nnodes = [\"box\"]\n[[check]]\nid = \"a/disk\"\ntitle = \"t\"\nwhy = \"w\"\nsource = \"s\"\n\
         fix = \"f\"\nprobe = \"storage-throughput\"\nlimit = \"60 s\"\n\
         with = {{ path = \"{FOLDER}\", size = \"{MIB} MiB\", seconds = {SECONDS} }}\nrecord = [\"sequential\", \"engine\"]\n"
    );
    fs::write(ground.join("suites/s.toml"), suite).unwrap();
    let mut noise = vec![0; 1 << 20];
    let mut file = File::create(ground.join("noise")).unwrap();
    let mut random = File::open("/dev/urandom").unwrap();
    for _ in 0..MIB {
        random.read_exact(&mut noise).unwrap();
        file.write_all(&noise).unwrap();
    }
    file.sync_all().unwrap();
}

/// Runs the check, and returns what its attempt observed.
fn through_verify(ground: &Path) -> Value {
    let state = ground.join("state");
    let _ = fs::remove_dir_all(&state);
    let output = Command::new(env!("CARGO_BIN_EXE_verify"))
        .args(["--node", "box", "--root"])
        .arg(ground)
        .env("VERIFY_STATE", &state)
        .env("VERIFY_LOCKS", &state)
        .output()
        .unwrap();
    let runs = fs::read_dir(state.join("runs")).unwrap();
    let record = runs.flatten().next().unwrap().path().join("run.jsonl");
    let lines = fs::read_to_string(record).unwrap();
    let mut lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let attempt = lines.rfind(|line| line["event"] == "attempted");
    let seen = attempt.unwrap_or_default()["attempt"]["result"]["Ok"].clone();
    assert!(seen.is_object(), "{}", String::from_utf8_lossy(&output.stdout));
    seen
}

fn by_hand(ground: &Path, engine: &str) -> f64 {
    let output = Command::new("fio")
        .args(["--readonly", "--thread", "--name=alone", "--rw=read", "--bs=1M", "--iodepth=32"])
        .args(["--direct=1", "--time_based", "--output-format=json"])
        .arg(format!("--ioengine={engine}"))
        .arg(format!("--size={MIB}M"))
        .arg(format!("--runtime={SECONDS}"))
        .arg(format!("--filename={}", ground.join("noise").display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["jobs"][0]["read"]["bw_bytes"].as_f64().unwrap()
}
