//! Answers what one or many files below `/sys` or `/proc` hold.

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

use crate::{
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, gather_error},
    scalar,
};

pub(super) struct Sysfs;

static SPEC: ProbeSpec = ProbeSpec {
    name: "sysfs",
    summary: "What one or many files below /sys or /proc hold.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "path",
            kind: ParamKind::Text,
            required: true,
            doc: "Path below /sys or /proc; `*` stands for any part of one name.",
        },
        ParamSpec {
            name: "selected",
            kind: ParamKind::Bool,
            required: false,
            doc: "Takes the word in brackets, as in `always [madvise] never`.",
        },
        scalar::AS,
        scalar::UNIT,
    ],
    fields: &[
        FieldSpec {
            path: "value",
            kind: || FieldKind::Any,
            doc: "Value of the only file; its kind follows `as` and `unit`. Of several files, expect `values`.",
            source: "the file",
        },
        FieldSpec {
            path: "values",
            kind: || FieldKind::List(Box::new(FieldKind::Any)),
            doc: "Values of all files, sorted by path.",
            source: "the files",
        },
        FieldSpec {
            path: "files",
            kind: || FieldKind::List(Box::new(FieldKind::Text)),
            doc: "Paths of all files, sorted.",
            source: "the folders",
        },
    ],
    example: r#"with = { path = "/sys/kernel/mm/transparent_hugepage/enabled", selected = true }
expect = { value = "madvise" }"#,
};

impl Probe for Sysfs {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        scalar::usable(with)?;
        let path = with.required("path")?;
        let below = path.starts_with("/sys/") || path.starts_with("/proc/");
        if !below || path.split('/').any(|part| part == "..") {
            return Err(format!("`{path}` is not a path below /sys or /proc"));
        }
        kept(path)?;
        Ok(vec![if path.contains('*') { Ask::files(path) } else { Ask::file(path) }])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let Some(piece) = evidence.first() else {
            return Err(failed(FindingCode::GatherFailed, "nothing was gathered"));
        };
        let path = with.text("path").unwrap_or_default();
        let found = match &piece.captured {
            Captured::File(stream) => vec![(path.to_owned(), parse(with, stream))],
            Captured::Files(files) => files
                .iter()
                .map(|(path, content)| {
                    let value = content
                        .as_ref()
                        .map_or_else(|f| missing(path, f), |stream| parse(with, stream));
                    (path.clone(), value)
                })
                .collect(),
            Captured::Failed(failure) if failure.kind == FailureKind::NotFound => Vec::new(),
            Captured::Failed(failure) => return Err(gather_error(piece, failure)),
            _ => {
                return Err(failed(
                    FindingCode::OutputUnreadable,
                    format!("{}: not a file", piece.ask),
                ));
            }
        };
        let absent = || Value::Absent(format!("there is no {path}"));
        if found.is_empty() {
            return Ok(["value", "values", "files"]
                .into_iter()
                .fold(Observation::default(), |o, field| o.fact(field, absent())));
        }
        // The first of many would pass for all of them.
        let value = match found.as_slice() {
            [(_, value)] => value.clone(),
            several => {
                Value::Unreadable(format!("{path} names {} files: expect `values`", several.len()))
            }
        };
        let files = found.iter().map(|(path, _)| Value::text(path.clone())).collect();
        let values = found.into_iter().map(|(_, value)| value).collect();
        Ok(Observation::default()
            .fact("value", value)
            .fact("values", Value::List(values))
            .fact("files", Value::List(files)))
    }

    fn kind(&self, field: &FieldSpec, with: With<'_>) -> FieldKind {
        match field.path {
            "value" => scalar::kind(with),
            "values" => FieldKind::List(Box::new(scalar::kind(with))),
            _ => (field.kind)(),
        }
    }
}

/// Refuses files that are used up by reading: their next reader would miss what we took.
///
/// *Errors*: the path is such a file, or may name one.
pub(super) fn kept(path: &str) -> Result<(), String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let starred = name.contains('*') && (folder == "/proc" || folder.contains("/tracing"));
    if starred || path == "/proc/kmsg" || name == "trace_pipe" {
        return Err(format!("`{path}` names a file that is used up by reading it"));
    }
    Ok(())
}

fn missing(path: &str, failure: &Failure) -> Value {
    let why = format!("{path}: {}", failure.message);
    if failure.kind == FailureKind::NotFound { Value::Absent(why) } else { Value::Unreadable(why) }
}

fn parse(with: With<'_>, stream: &Stream) -> Value {
    if stream.truncated > 0 {
        return Value::Unreadable(format!("{} bytes were left out", stream.truncated));
    }
    let text = stream.text.trim();
    if !with.flag("selected") {
        return scalar::parse(with, text).unwrap_or_else(Value::Unreadable);
    }
    match text.split_once('[').and_then(|(_, rest)| rest.split_once(']')) {
        Some((word, _)) => scalar::parse(with, word).unwrap_or_else(Value::Unreadable),
        None => Value::Unreadable(format!("no word of `{text}` is in brackets")),
    }
}

#[cfg(test)]
mod tests {
    use verify_model::{check::Params, matcher::Literal};

    use super::*;

    #[test]
    fn only_files_that_can_be_read_again_are_asked_for() {
        let asked = |path: &str| {
            let params = Params::from([("path".to_owned(), Literal::Text(path.to_owned()))]);
            Sysfs.asks(With(&params), &Facts::default())
        };
        assert_eq!(asked("/proc/loadavg"), Ok(vec![Ask::file("/proc/loadavg")]));
        assert_eq!(asked("/sys/block/*/ro"), Ok(vec![Ask::files("/sys/block/*/ro")]));
        for bad in [
            "/etc/passwd",
            "/sys/../etc/passwd",
            "sys/x",
            "/proc/kmsg",
            "/proc/k*",
            "/sys/kernel/tracing/trace_pipe",
            "/sys/kernel/debug/tracing/*",
        ] {
            assert!(asked(bad).is_err(), "{bad}");
        }
    }
}
