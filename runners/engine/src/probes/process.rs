//! Answers which processes run, by name or by command line.
//!
//! A process that ends while `/proc` is read is left out, and so is one that has ended and waits
//! for its parent. Where processes are hidden there is no answer: a count of the others would be
//! wrong. `verify` itself has the expression in its command line and never matches it.

use std::collections::BTreeMap;

use regex::Regex;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence, Failure, FailureKind, Stream},
    field::{FieldKind, FieldSpec},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, gather_error};

pub(super) struct Process;

static SPEC: ProbeSpec = ProbeSpec {
    name: "process",
    summary: "Which processes run, by name or by command line.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "name",
            kind: ParamKind::Text,
            required: false,
            doc: "Name as the kernel keeps it, its first 15 bytes.",
        },
        ParamSpec {
            name: "match",
            kind: ParamKind::Regex,
            required: false,
            doc: "Regular expression found in the command line; programs named `verify` or `verify-*` never match.",
        },
    ],
    fields: &[
        FieldSpec {
            path: "count",
            kind: || FieldKind::Integer,
            doc: "Number of processes.",
            source: "/proc/PID/stat",
        },
        FieldSpec {
            path: "pids",
            kind: || FieldKind::List(Box::new(FieldKind::Integer)),
            doc: "Their ids, rising.",
            source: "/proc/PID/stat",
        },
        FieldSpec {
            path: "commands",
            kind: || FieldKind::List(Box::new(FieldKind::Text)),
            doc: "Their command lines.",
            source: "/proc/PID/cmdline",
        },
        FieldSpec {
            path: "threads",
            kind: || FieldKind::Integer,
            doc: "Threads of all of them together.",
            source: "/proc/PID/stat, field 20",
        },
    ],
    example: r#"with = { name = "chronyd" }
expect = { count = { at-least = 1 } }"#,
};

struct Found<'a> {
    pid: i64,
    name: &'a str,
    threads: i64,
    command: String,
    /// Bytes of the command line that were left out. *Units*: B.
    truncated: u64,
}

impl Probe for Process {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        if with.text("name").is_none() && with.text("match").is_none() {
            return Err("one of `name` and `match` must say which processes are meant".to_owned());
        }
        Ok(vec![Ask::files("/proc/*/stat"), Ask::files("/proc/*/cmdline")])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [status, commands] = evidence else {
            return Err(failed(FindingCode::GatherFailed, "not everything was gathered"));
        };
        let commands = by_pid(commands)?;
        let wanted = matcher(with)?;
        let mut found: Vec<Found<'_>> = Vec::new();
        for (pid, stat) in all(status)? {
            let whole = Some(&stat.text).filter(|_| stat.truncated == 0);
            let Some((name, state, threads)) = whole.and_then(|text| parse_stat(text)) else {
                return Err(failed(
                    FindingCode::OutputUnreadable,
                    format!("/proc/{pid}/stat: not a process status: {}", stat.text.trim()),
                ));
            };
            let Some(command) = commands.get(&pid).filter(|_| !has_ended(state)) else { continue };
            let text = command.text.trim_end_matches('\0').replace('\0', " ");
            let process = Found { pid, name, threads, command: text, truncated: command.truncated };
            if wanted(&process)? {
                found.push(process);
            }
        }
        let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
        Ok(Observation::default()
            .fact("count", Value::Integer(count))
            .fact("threads", Value::Integer(found.iter().map(|p| p.threads).sum()))
            .fact("pids", Value::List(found.iter().map(|p| Value::Integer(p.pid)).collect()))
            .fact(
                "commands",
                Value::List(found.into_iter().map(|p| shown(p.command, p.truncated)).collect()),
            ))
    }
}

fn shown(command: String, truncated: u64) -> Value {
    if truncated > 0 {
        return Value::Unreadable(format!("{truncated} bytes of a command line were left out"));
    }
    Value::Text(command)
}

/// Tells whether a process is a zombie or dead: it runs nothing any more.
fn has_ended(state: &str) -> bool {
    matches!(state, "Z" | "X" | "x")
}

fn is_verify(command: &str) -> bool {
    let program = command.split(' ').next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    name == "verify" || name.starts_with("verify-")
}

type Wanted = Box<dyn Fn(&Found<'_>) -> Result<bool, AttemptError>>;

fn matcher(with: With<'_>) -> Result<Wanted, AttemptError> {
    // The kernel keeps 15 bytes of a name: TASK_COMM_LEN is 16 with the final NUL.
    let name = with.text("name").map(|name| name.bytes().take(15).collect::<Vec<u8>>());
    let pattern = with.text("match").map(Regex::new).transpose();
    let pattern = pattern.map_err(|e| failed(FindingCode::BadParameter, e.to_string()))?;
    Ok(Box::new(move |process| {
        if name.as_ref().is_some_and(|name| process.name.as_bytes() != name.as_slice()) {
            return Ok(false);
        }
        let Some(regex) = &pattern else { return Ok(true) };
        if is_verify(&process.command) {
            return Ok(false);
        }
        let matches = regex.is_match(&process.command);
        if !matches && process.truncated > 0 {
            let (pid, bytes) = (process.pid, process.truncated);
            let message = format!("/proc/{pid}/cmdline: {bytes} bytes were left out");
            return Err(failed(FindingCode::OutputUnreadable, message));
        }
        Ok(matches)
    }))
}

/// Returns the status of every process.
///
/// *Errors*: processes are hidden. The first one never ends, so it is missing only then.
fn all(stats: &Evidence) -> Result<BTreeMap<i64, &Stream>, AttemptError> {
    let stats = by_pid(stats)?;
    if !stats.contains_key(&1) {
        let message = "/proc shows only some processes: mounted with hidepid, see proc(5)";
        return Err(failed(FindingCode::PermissionDenied, message));
    }
    Ok(stats)
}

/// Tells whether the failure says that the process has ended meanwhile.
fn has_vanished(failure: &Failure) -> bool {
    // ESRCH, which no kind of failure stands for.
    failure.kind == FailureKind::NotFound || failure.message.contains("No such process")
}

/// Returns the files of a pattern by process id; `/proc/self` and vanished processes are left out.
fn by_pid<'a>(evidence: &'a Evidence) -> Result<BTreeMap<i64, &'a Stream>, AttemptError> {
    let files: &'a Vec<(String, Result<Stream, Failure>)> = match &evidence.captured {
        Captured::Files(files) => files,
        Captured::Failed(failure) => return Err(gather_error(evidence, failure)),
        _ => {
            return Err(failed(
                FindingCode::OutputUnreadable,
                format!("{}: not a set of files", evidence.ask),
            ));
        }
    };
    let mut by_pid = BTreeMap::new();
    for (path, content) in files {
        let pid = path.split('/').nth(2).and_then(|name| name.parse::<i64>().ok());
        let Some(pid) = pid else { continue };
        match content {
            Ok(stream) => {
                by_pid.insert(pid, stream);
            }
            Err(failure) if has_vanished(failure) => {}
            Err(failure) => return Err(gather_error(evidence, failure)),
        }
    }
    if by_pid.is_empty() {
        // Whoever reads this is a process, so none at all means that /proc was not read.
        return Err(failed(
            FindingCode::OutputUnreadable,
            format!("{}: no process at all", evidence.ask),
        ));
    }
    Ok(by_pid)
}

/// Reads name, state and number of threads; a name may hold spaces and parentheses.
fn parse_stat(text: &str) -> Option<(&str, &str, i64)> {
    let (_, rest) = text.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    // Field 20 of proc(5), after the state, which is field 3.
    let threads: u32 = fields.nth(16)?.parse().ok()?;
    Some((name, state, i64::from(threads)))
}
