//! Programs of other people that read reports: whether they are here, and how they are started.
//!
//! All files go to one process, for starting an interpreter takes longer than reading. Scripts are ours:
//! they call the library as a known consumer does, and print what it sees as JSON, one entry a file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "starts readers and writes temporary files")]
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{env, ffi::OsString, io::Write as _, path::PathBuf, process::Command};

use serde_json::Value;
use verify_model::run::Run;
use verify_reports::find;

/// Writes a run in a format to a temporary file.
pub(crate) fn written(reader: &str, name: &str, run: &Run, format: &str) -> PathBuf {
    let format = find(format).unwrap();
    let spec = format.spec();
    let file = format!("{reader}-{name}.{}.{}", spec.name, spec.extension);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
    std::fs::write(&path, format.render(run).unwrap()).unwrap();
    path
}

/// Runs a Python script over files; it prints a JSON list, one entry a file.
pub(crate) fn python(script: &str, paths: &[PathBuf]) -> Vec<Value> {
    answer(Command::new("python3").args(["-c", script]).args(paths))
}

/// Runs a script of Node.js over files; it prints a JSON list, one entry a file.
pub(crate) fn node(script: &str, paths: &[PathBuf]) -> Vec<Value> {
    let path = node_path();
    answer(Command::new("node").env("NODE_PATH", path).args(["-e", script, "--"]).args(paths))
}

/// Tells whether Python has a module; says so where it has not.
pub(crate) fn has_python(module: &str) -> bool {
    let here = is_there(Command::new("python3").args(["-c", &format!("import {module}")]));
    here || skipped(&format!("{module} (pip install {module})"))
}

/// Tells whether Node.js has a package; says so where it has not.
pub(crate) fn has_node(package: &str) -> bool {
    let script = format!("require('{package}')");
    let here = is_there(Command::new("node").env("NODE_PATH", node_path()).args(["-e", &script]));
    here || skipped(&format!("{package} (npm install --global {package})"))
}

/// Tells whether a program answers; says so where it does not.
pub(crate) fn has_program(program: &str, args: &[&str], needs: &str) -> bool {
    is_there(Command::new(program).args(args)) || skipped(needs)
}

/// Says aloud that a test did nothing; always false.
pub(crate) fn skipped(needs: &str) -> bool {
    // Not `println!`: what a passing test prints is swallowed.
    let mut terminal = std::io::stderr();
    writeln!(terminal, "skipped: needs {needs}").unwrap();
    false
}

fn is_there(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn answer(command: &mut Command) -> Vec<Value> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Finds the packages of Node.js beside the programs on the path: `require` looks there not by itself.
fn node_path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let beside = |bin: PathBuf| {
        let above = bin.parent()?;
        let global = !bin.ends_with("node_modules/.bin");
        Some(if global { above.join("lib/node_modules") } else { above.to_path_buf() })
    };
    let folders = env::split_paths(&path).filter_map(beside).filter(|folder| folder.is_dir());
    env::join_paths(folders).unwrap()
}
