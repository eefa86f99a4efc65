//! The marked line of one of our own Python programs.
//!
//! An interpreter that dies is an answer about what it was asked to load, and is told apart from
//! one that is not there or that nobody heard: see [`Ending`].

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    evidence::{Captured, Evidence, Stream},
    finding::FindingCode,
    observation::AttemptError,
};

use crate::{
    probe::{failed, gather_error},
    script::MARK,
};

/// Says how a program ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Ending {
    /// It gave its answer.
    Said(Json),
    /// A signal ended the interpreter: its number, and the last line that it wrote.
    Killed(i32, String),
}

/// Finds a program among what was gathered and reads how it ended.
///
/// *Errors*: it was not asked for, could not be run, or did not say one whole answer.
pub(crate) fn gathered(evidence: &[&Evidence], name: &str) -> Result<Ending, AttemptError> {
    let wanted = |ask: &Ask| matches!(ask, Ask::Script { name: asked, .. } if asked == name);
    match evidence.iter().find(|piece| wanted(&piece.ask)) {
        Some(piece) => ending(piece),
        None => Err(failed(FindingCode::NotRecorded, format!("{name} was not gathered"))),
    }
}

/// Reads how a program ended.
///
/// *Errors*: as [`gathered`].
pub(crate) fn ending(piece: &Evidence) -> Result<Ending, AttemptError> {
    let (exit, signal, stdout, stderr) = match &piece.captured {
        Captured::Exec { exit, signal, stdout, stderr } => (*exit, *signal, stdout, stderr),
        Captured::Failed(failure) => return Err(gather_error(piece, failure)),
        _ => {
            let why = format!("{}: not a program's output", piece.ask);
            return Err(failed(FindingCode::OutputUnreadable, why));
        }
    };
    let said: Vec<&str> = stdout.text.lines().filter_map(|line| line.strip_prefix(MARK)).collect();
    match (said.as_slice(), exit, signal) {
        // An interpreter that gave its answer and broke while it ended is a broken one all the same.
        (_, None, Some(signal)) => Ok(Ending::Killed(signal, last(stderr, stdout))),
        ([line], Some(0), _) => serde_json::from_str(line).map(Ending::Said).map_err(|error| {
            let why = format!("{}: not JSON: {error}", piece.ask);
            failed(FindingCode::OutputUnreadable, why)
        }),
        (lines, Some(0), _) => {
            let why = format!("{}: {} answers, expected one", piece.ask, lines.len());
            Err(failed(FindingCode::OutputUnreadable, why))
        }
        (_, exit, _) => {
            let how =
                exit.map_or("no exit status".to_owned(), |code| format!("exit status {code}"));
            let why = format!("{}: {how}: {}", piece.ask, last(stderr, stdout));
            Err(failed(FindingCode::ProgramFailed, why))
        }
    }
}

/// Returns the last line that is not empty, of complaints first.
fn last(stderr: &Stream, stdout: &Stream) -> String {
    let of = |stream: &Stream| {
        let mut lines = stream.text.lines().rev().map(str::trim);
        lines.find(|line| !line.is_empty()).map(str::to_owned)
    };
    of(stderr).or_else(|| of(stdout)).unwrap_or_else(|| "no message".to_owned())
}

/// Says what an exception ended, where a part of an answer is that.
pub(crate) fn trouble(part: &Json) -> Option<String> {
    let text = |key: &str| part.get(key).and_then(Json::as_str);
    let (stage, error) = (text("stage")?, text("error")?);
    Some(format!("{stage}: {error}: {}", text("message").unwrap_or_default()))
}

/// Names a signal. *Source*: signal(7); the numbers that every Unix shares, and 7 as Linux has it.
pub(crate) fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        // Nobody hears from the kernel that it was short of memory.
        9 => "SIGKILL, as where memory runs out",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {number}"),
    };
    format!("signal {number} ({name})")
}
