//! How a program did on another machine, from what ssh and our script said.
//!
//! That the machine was not reached is an error, each kind of it by its own words; what the program
//! or its loader did there is an answer. *Source*: ssh(1), exit status 255; OpenSSH's messages.

use serde_json::Value as Json;
use verify_model::{finding::FindingCode, observation::AttemptError};

use crate::{
    parse::{script::signal_name, ssh},
    probe::{code_of, failed},
};

const REMOTE: &str = "verify-remote ";
const OUT: &str = "verify-out ";
const ERR: &str = "verify-err ";
/// What our program prints first. *Source*: instruments, compile/program.cpp.
const RIGHT: &str = "verify-program 169 ";

/// Words of the loader. *Source*: ld.so(8), messages of glibc and of the shell.
const LOADER: &[&str] =
    &["not found (required by", "error while loading shared libraries", "CPU ISA level"];

/// Holds how the program did there: a word, and the line that says it.
pub(super) type Did = (&'static str, String);

/// Reads what ssh and the script said; `ours` tells whether it was our own program.
///
/// *Errors*: the other machine was not reached, or does not say how the program did.
pub(super) fn did(remote: &Json, ours: bool) -> Result<Did, AttemptError> {
    let text = |key: &str| remote.get(key).and_then(Json::as_str).unwrap_or_default();
    if remote.get("missing").is_some() {
        return Err(failed(FindingCode::ToolMissing, "ssh was not found"));
    }
    for key in ["unread", "unstarted"] {
        if let Some(why) = remote.get(key).and_then(Json::as_str) {
            return Err(failed(FindingCode::GatherFailed, why));
        }
    }
    let (stdout, stderr) = (text("stdout"), text("stderr"));
    let lines = |mark: &'static str| stdout.lines().filter_map(move |line| line.strip_prefix(mark));
    let Some(said) = lines(REMOTE).next() else { return Err(unreached(remote, stderr)) };
    let first = |mark| lines(mark).map(str::trim).find(|line| !line.is_empty());
    let complaint = first(ERR).unwrap_or("without a word").to_owned();
    let broken = |why: &str| Err(failed(FindingCode::GatherFailed, why));
    match said.split_once(' ').unwrap_or((said, "")) {
        ("exit", number) => match number.trim().parse::<i32>() {
            Ok(126) if complaint.contains("Permission denied") => {
                broken("no program may be started there in TMPDIR or /var/tmp: mounted noexec?")
            }
            Ok(number) => Ok(ended(number, complaint, first(OUT), ours)),
            Err(_) => Err(failed(FindingCode::OutputUnreadable, format!("no exit status: {said}"))),
        },
        ("folder", _) => broken("no private folder can be made there: no room, or no right"),
        ("size", _) => broken(
            "the program did not arrive whole there: the connection was cut, or the disk is full",
        ),
        ("digest", _) => broken("another program arrived there than was sent"),
        ("no-timeout", _) => {
            broken("the program `timeout` is not installed there, so nothing is started")
        }
        _ => Err(failed(FindingCode::OutputUnreadable, format!("not understood: {said}"))),
    }
}

fn ended(exit: i32, complaint: String, out: Option<&str>, ours: bool) -> Did {
    match exit {
        0 if ours && !out.is_some_and(|line| line.starts_with(RIGHT)) => (
            "wrong-output",
            format!("it printed `{}`, expected `{RIGHT}`", out.unwrap_or_default()),
        ),
        0 => ("ok", "none".to_owned()),
        _ if LOADER.iter().any(|words| complaint.contains(words)) => ("loader", complaint),
        // The shell and `timeout`: found and not started, not found.
        126 | 127 => ("not-started", format!("exit status {exit}: {complaint}")),
        137 => ("timed-out", "it did not end in time, or was killed there".to_owned()),
        129..=192 => {
            let hint = if exit == 132 { "; that CPU lacks what it was compiled for" } else { "" };
            ("crashed", format!("ended by {}{hint}", signal_name(exit - 128)))
        }
        _ => ("exit-status", format!("exit status {exit}: {complaint}")),
    }
}

fn unreached(remote: &Json, stderr: &str) -> AttemptError {
    let line = stderr.lines().map(str::trim).rfind(|line| !line.is_empty());
    if let Some(trouble) = ssh::trouble(stderr) {
        let line = trouble.message.strip_prefix("ssh: ").unwrap_or(&trouble.message);
        return failed(code_of(trouble.kind, false), format!("ssh: {line}"));
    }
    let exit = remote.get("exit").and_then(Json::as_i64);
    // The script itself never ends so: ssh lost its connection while it sent, and has no word for it.
    if (exit, line) == (Some(255), None) {
        return failed(
            FindingCode::ConnectionLost,
            "the connection was cut, without a word of ssh",
        );
    }
    let how =
        exit.map_or_else(|| "ended by a signal".to_owned(), |exit| format!("exit status {exit}"));
    failed(FindingCode::ProgramFailed, format!("ssh: {how}: {}", line.unwrap_or("without a word")))
}
