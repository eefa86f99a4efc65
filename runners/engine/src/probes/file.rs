//! Answers what stands at a path: whether it exists, its mode, its content, a value in it.
//!
//! A missing file is an answer (`exists` is false); one that may not be read is not.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence, FailureKind},
    field::{FieldKind, FieldSpec},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    parse::key_value,
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, gather_error, value_of},
    scalar,
};

pub(super) struct File;

static SPEC: ProbeSpec = ProbeSpec {
    name: "file",
    summary: "What stands at a path: whether it exists, its mode, its content, a value in it.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "path",
            kind: ParamKind::Text,
            required: true,
            doc: "Absolute path; links are followed.",
        },
        ParamSpec {
            name: "key",
            kind: ParamKind::Text,
            required: false,
            doc: "Key whose value is looked for, one key a line; repeated after `=` the last counts, as in a shell, else repeats must agree.",
        },
        ParamSpec {
            name: "separator",
            kind: ParamKind::Choice(&["=", ":", " "]),
            required: false,
            doc: "What stands between key and value; `=` unless given.",
        },
        scalar::AS,
        scalar::UNIT,
    ],
    fields: &[
        FieldSpec {
            path: "exists",
            kind: || FieldKind::Bool,
            doc: "Whether something stands there.",
            source: "stat(2)",
        },
        FieldSpec {
            path: "kind",
            kind: || FieldKind::Text,
            doc: "`file`, `folder` or `other`.",
            source: "stat(2)",
        },
        FieldSpec {
            path: "mode",
            kind: || FieldKind::Text,
            doc: "Permission bits, four octal digits.",
            source: "stat(2)",
        },
        FieldSpec {
            path: "owner",
            kind: || FieldKind::Integer,
            doc: "User id of the owner.",
            source: "stat(2)",
        },
        FieldSpec {
            path: "size",
            kind: || FieldKind::Quantity("B"),
            doc: "Size as the file system states it.",
            source: "stat(2)",
        },
        FieldSpec {
            path: "content",
            kind: || FieldKind::Text,
            doc: "Whole content without its last line end.",
            source: "the file",
        },
        FieldSpec {
            path: "lines",
            kind: || FieldKind::List(Box::new(FieldKind::Text)),
            doc: "Lines of the content.",
            source: "the file",
        },
        FieldSpec {
            path: "value",
            kind: || FieldKind::Any,
            doc: "Value of `key`, else the whole content; its kind follows `as` and `unit`.",
            source: "the file",
        },
    ],
    example: r#"with = { path = "/etc/ssh/sshd_config", key = "PermitRootLogin", separator = " " }
expect = { value = "no", mode = "0644" }"#,
};

impl Probe for File {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        scalar::usable(with)?;
        let path = with.required("path")?;
        if !path.starts_with('/') || path.contains('\0') {
            return Err(format!("`{path}` is not an absolute path"));
        }
        if with.text("key").is_some_and(|key| key.trim().is_empty()) {
            return Err("`key` is empty".to_owned());
        }
        super::sysfs::kept(path)?;
        Ok(vec![Ask::Stat { path: path.to_owned() }, Ask::file(path)])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [stat, content] = evidence else {
            return Err(failed(FindingCode::GatherFailed, "not everything was gathered"));
        };
        let observation = match &stat.captured {
            Captured::Stat { kind, mode, uid, size } => {
                #[expect(clippy::cast_precision_loss, reason = "no file has 2^53 bytes")]
                let size = Quantity::of(*size as f64, "B");
                Observation::default()
                    .fact("exists", Value::Bool(true))
                    .fact("kind", Value::text(kind.clone()))
                    .fact("mode", Value::text(format!("{mode:04o}")))
                    .fact("owner", Value::Integer(i64::from(*uid)))
                    .fact(
                        "size",
                        size.map_or_else(|e| Value::Unreadable(e.to_string()), Value::Quantity),
                    )
            }
            Captured::Failed(failure) if failure.kind == FailureKind::NotFound => {
                let absent = || Value::Absent(failure.message.clone());
                let observation = Observation::default().fact("exists", Value::Bool(false));
                return Ok(["kind", "mode", "owner", "size", "content", "lines", "value"]
                    .into_iter()
                    .fold(observation, |observation, field| observation.fact(field, absent())));
            }
            Captured::Failed(failure) => return Err(gather_error(stat, failure)),
            _ => {
                return Err(failed(
                    FindingCode::OutputUnreadable,
                    format!("{}: not an answer to stat", stat.ask),
                ));
            }
        };
        Ok(observation
            .fact("content", value_of(content, |text| Ok(Value::text(text))))
            .fact(
                "lines",
                value_of(content, |text| Ok(Value::List(text.lines().map(Value::text).collect()))),
            )
            .fact("value", value_of(content, |text| value(with, text))))
    }

    fn kind(&self, field: &FieldSpec, with: With<'_>) -> FieldKind {
        if field.path == "value" { scalar::kind(with) } else { (field.kind)() }
    }
}

fn value(with: With<'_>, text: &str) -> Result<Value, String> {
    let Some(key) = with.text("key") else {
        return scalar::parse(with, text);
    };
    let separator = with.text("separator").unwrap_or("=");
    match key_value::find(text, key, separator)? {
        Some(found) => scalar::parse(with, &found),
        None => Ok(Value::Absent(format!("the file has no key `{key}`"))),
    }
}
