//! Answers what a program says: exit status, output, a value in it, and how long it took.
//!
//! The program is started from its argv, never through a shell. Its exit status and what it says on
//! standard error are answers whatever they are; output and time count only with the status that
//! `exits` names, for a program that failed may have said too little. A cut stream is never judged.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence, Stream},
    field::{FieldKind, FieldSpec},
    finding::FindingCode,
    fingerprint::Depends,
    metric::{Direction, Metric},
    node::Facts,
    observation::{AttemptError, Observation},
    unit::Unit,
    value::Value,
};

use crate::{
    parse::{script::signal_name, version},
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, gather_error},
    scalar,
};

pub(super) struct Command;

static SPEC: ProbeSpec = ProbeSpec {
    name: "command",
    summary: "What a program says, how it ends and how long it takes.",
    effect: Effect::Reads,
    depends: &[
        Depends::cause("cpu"),
        Depends::cause("memory"),
        Depends::cause("bios"),
        Depends::cause("kernel"),
    ],
    params: &[
        ParamSpec {
            name: "argv",
            kind: ParamKind::Texts,
            required: true,
            doc: "Program and arguments; no shell is involved.",
        },
        ParamSpec {
            name: "effect",
            kind: ParamKind::Choice(&["reads", "loads", "mutates"]),
            required: false,
            doc: "What the program does to the node; `reads` unless given.",
        },
        ParamSpec {
            name: "stream",
            kind: ParamKind::Choice(&["stdout", "stderr", "both"]),
            required: false,
            doc: "Where `value` is looked for; `stdout` unless given.",
        },
        ParamSpec {
            name: "exits",
            kind: ParamKind::Integer,
            required: false,
            doc: "Exit status with which the output counts as an answer; 0 unless given.",
        },
        ParamSpec {
            name: "json",
            kind: ParamKind::Text,
            required: false,
            doc: "JSON pointer of `value`, such as `/end/sum_received/bits_per_second`.",
        },
        ParamSpec {
            name: "match",
            kind: ParamKind::Regex,
            required: false,
            doc: "Regular expression whose first group is `value`.",
        },
        ParamSpec {
            name: "version",
            kind: ParamKind::Bool,
            required: false,
            doc: "Takes the first version number as `value`.",
        },
        scalar::AS,
        scalar::UNIT,
    ],
    fields: &[
        FieldSpec {
            path: "exit-code",
            kind: || FieldKind::Integer,
            doc: "Exit status.",
            source: "waitpid(2)",
        },
        FieldSpec {
            path: "stdout",
            kind: || FieldKind::Text,
            doc: "Standard output without its last line end.",
            source: "the program",
        },
        FieldSpec {
            path: "stderr",
            kind: || FieldKind::Text,
            doc: "Standard error without its last line end.",
            source: "the program",
        },
        FieldSpec {
            path: "lines",
            kind: || FieldKind::List(Box::new(FieldKind::Text)),
            doc: "Lines of standard output.",
            source: "the program",
        },
        FieldSpec {
            path: "value",
            kind: || FieldKind::Any,
            doc: "What `json`, `match` or `version` finds, else the whole output; its kind follows `as` and `unit`.",
            source: "the program",
        },
        FieldSpec {
            path: "elapsed",
            kind: || FieldKind::Metric("ms", Direction::LowerIsBetter),
            doc: "Time from start to end of the program.",
            source: "CLOCK_MONOTONIC of the machine that asks",
        },
    ],
    example: r#"with = { argv = ["gcc", "-dumpfullversion"], version = true }
expect = { value = { version = ">= 14" } }"#,
};

impl Probe for Command {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let argv = with.texts("argv");
        if argv.first().is_none_or(|program| program.is_empty()) {
            return Err("`argv` names no program".to_owned());
        }
        let ways =
            ["json", "match", "version"].iter().filter(|name| with.0.contains_key(**name)).count();
        if ways > 1 {
            return Err(
                "only one of `json`, `match` and `version` can say where the value is".to_owned()
            );
        }
        if argv.iter().any(|word| word.contains('\0')) {
            return Err("`argv` holds a NUL, which no program can be given".to_owned());
        }
        if with.text("json").is_some_and(|at| !at.is_empty() && !at.starts_with('/')) {
            return Err("`json` is not a JSON pointer: write it as `/a/b/0`".to_owned());
        }
        scalar::usable(with)?;
        Ok(vec![Ask::exec(argv)])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let Some(piece) = evidence.first() else {
            return Err(failed(FindingCode::GatherFailed, "nothing was gathered"));
        };
        let (exit, stdout, stderr) = match &piece.captured {
            Captured::Exec { exit: Some(exit), stdout, stderr, .. } => (*exit, stdout, stderr),
            Captured::Exec { signal, stdout, stderr, .. } => {
                let how = signal.map_or_else(|| "an unknown signal".to_owned(), signal_name);
                let last = last_line(stderr, stdout);
                return Err(failed(
                    FindingCode::ProgramFailed,
                    format!("{}: ended by {how}: {last}", piece.ask),
                ));
            }
            Captured::Failed(failure) => return Err(gather_error(piece, failure)),
            _ => {
                return Err(failed(
                    FindingCode::OutputUnreadable,
                    format!("{}: not a program's output", piece.ask),
                ));
            }
        };
        let observation = Observation::default()
            .fact("exit-code", Value::Integer(i64::from(exit)))
            .fact("stderr", text(stderr, "standard error"));
        if let Some(why) = no_answer(with, exit, stdout, stderr) {
            let unread = |o: Observation, field| o.fact(field, Value::Unreadable(why.clone()));
            return Ok(["stdout", "lines", "value", "elapsed"]
                .into_iter()
                .fold(observation, unread));
        }
        let observation = observation
            .fact("stdout", text(stdout, "standard output"))
            .fact("lines", lines(stdout))
            .fact("value", value(with, stdout, stderr));
        Ok(with_elapsed(observation, piece.elapsed_us))
    }

    fn kind(&self, field: &FieldSpec, with: With<'_>) -> FieldKind {
        match field.path {
            "value" if with.flag("version") => FieldKind::Version,
            "value" => scalar::kind(with),
            _ => (field.kind)(),
        }
    }

    fn effect(&self, with: With<'_>) -> Effect {
        match with.text("effect") {
            Some("loads") => Effect::Loads,
            Some("mutates") => Effect::Mutates,
            _ => Effect::Reads,
        }
    }
}

fn with_elapsed(observation: Observation, elapsed_us: u64) -> Observation {
    #[expect(clippy::cast_precision_loss, reason = "a day has 8.64e10 us")]
    let time_ms = elapsed_us as f64 / 1e3;
    let unit = Unit::parse("ms");
    let metric =
        unit.and_then(|unit| Metric::new(unit, Direction::LowerIsBetter, vec![time_ms]).ok());
    match metric {
        Some(metric) => observation.metric("elapsed", metric),
        None => {
            observation.fact("elapsed", Value::Unreadable("the time is not a number".to_owned()))
        }
    }
}

fn whole<'a>(stream: &'a Stream, name: &str) -> Result<&'a str, String> {
    if stream.truncated > 0 {
        return Err(format!("{} bytes of {name} were left out", stream.truncated));
    }
    Ok(stream.text.strip_suffix('\n').unwrap_or(&stream.text))
}

/// Returns where programs say why they failed: the last line of standard error, else of output.
fn last_line<'a>(stderr: &'a Stream, stdout: &'a Stream) -> &'a str {
    let last = |stream: &'a Stream| stream.text.lines().map(str::trim).rfind(|l| !l.is_empty());
    last(stderr).or_else(|| last(stdout)).unwrap_or("no message")
}

fn text(stream: &Stream, name: &str) -> Value {
    whole(stream, name).map_or_else(Value::Unreadable, Value::text)
}

fn lines(stdout: &Stream) -> Value {
    match whole(stdout, "standard output") {
        Ok(text) => Value::List(text.lines().map(Value::text).collect()),
        Err(why) => Value::Unreadable(why),
    }
}

/// Says why the output counts for nothing: a program that failed may have said too little.
fn no_answer(with: With<'_>, exit: i32, stdout: &Stream, stderr: &Stream) -> Option<String> {
    if i64::from(exit) == with.integer("exits").unwrap_or(0) {
        return None;
    }
    Some(format!("exit status {exit}: {}", last_line(stderr, stdout)))
}

/// Finds the value in the stream that the parameters name.
fn value(with: With<'_>, stdout: &Stream, stderr: &Stream) -> Value {
    let (out, err) = (whole(stdout, "standard output"), whole(stderr, "standard error"));
    let text = match with.text("stream") {
        Some("stderr") => err.map(str::to_owned),
        Some("both") => out.and_then(|out| err.map(|err| format!("{out}\n{err}"))),
        _ => out.map(str::to_owned),
    };
    match text {
        Ok(text) => find(with, &text),
        Err(why) => Value::Unreadable(why),
    }
}

fn find(with: With<'_>, text: &str) -> Value {
    if let Some(pointer) = with.text("json") {
        return scalar::at_pointer(with, text, pointer);
    }
    if let Some(pattern) = with.text("match") {
        return scalar::at_match(with, text, pattern, "the output");
    }
    if with.flag("version") {
        return version::first(text).map_or_else(
            || Value::Absent("the output has no version number".to_owned()),
            Value::text,
        );
    }
    scalar::parse(with, text).unwrap_or_else(Value::Unreadable)
}
