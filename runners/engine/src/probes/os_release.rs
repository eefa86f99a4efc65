//! Answers which distribution and which kernel the node runs.
//!
//! Distribution and kernel are two files: a container has its own distribution and the host's
//! kernel. Defaults of os-release(5), such as `ID=linux`, are not filled in: what the file does not
//! say is absent.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Text},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
    version::Version,
};

use crate::{
    gathered::Gathered,
    parse::os_release::{PATHS, parse},
    probe::{Probe, ProbeSpec, With, field, text_of},
};

pub(super) struct OsRelease;

const KERNEL: &str = "/proc/sys/kernel/osrelease";
const ARCH: &str = "/proc/sys/kernel/arch";

static SPEC: ProbeSpec = ProbeSpec {
    name: "os-release",
    summary: "Which distribution and which kernel the node runs.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("id", || Text, "ID in /etc/os-release", "Short name, such as `ubuntu`."),
        field(
            "id-like",
            || FieldKind::List(Box::new(Text)),
            "ID_LIKE in /etc/os-release",
            "Short names of the distributions that it follows, nearest first.",
        ),
        field("name", || Text, "NAME in /etc/os-release", "Name without version."),
        field("version-id", || FieldKind::Version, "VERSION_ID in /etc/os-release", "Version."),
        field("pretty-name", || Text, "PRETTY_NAME in /etc/os-release", "Name with version."),
        field("kernel", || Text, KERNEL, "Release of the kernel, as `uname -r` writes it."),
        field("kernel-version", || FieldKind::Version, KERNEL, "Release of the kernel."),
        field("arch", || Text, ARCH, "Architecture, as `uname -m` writes it; from Linux 6.1 on."),
    ],
    example: r#"expect = { id = "ubuntu", version-id = { version = "= 24.04" } }"#,
};

impl Probe for OsRelease {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok([PATHS[0], PATHS[1], KERNEL, ARCH].map(Ask::file).to_vec())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let source = distribution(gathered);
        let one = |key: &str| source.as_ref().map_or_else(Clone::clone, |text| assigned(text, key));
        Ok(Observation::default()
            .fact("id", one("ID"))
            .fact("id-like", split(one("ID_LIKE")))
            .fact("name", one("NAME"))
            .fact("version-id", versioned(one("VERSION_ID")))
            .fact("pretty-name", one("PRETTY_NAME"))
            .fact("kernel", gathered.value(KERNEL, word))
            .fact("kernel-version", versioned(gathered.value(KERNEL, word)))
            .fact("arch", gathered.value(ARCH, word)))
    }
}

/// Returns the file's text; the second place counts only where the first does not exist.
fn distribution(gathered: Gathered<'_>) -> Result<&str, Value> {
    let mut why = Value::Unreadable("no os-release file was asked for".to_owned());
    for path in PATHS {
        let evidence = gathered.file(path).map_err(|error| Value::Unreadable(error.message))?;
        why = match text_of(evidence) {
            Ok(text) => return Ok(text),
            Err(_) => gathered.value(path, |text| Ok(Value::text(text))),
        };
        if !matches!(why, Value::Absent(_)) {
            break;
        }
    }
    Err(why)
}

fn assigned(text: &str, key: &str) -> Value {
    let found = match parse(text) {
        Ok(found) => found,
        Err(why) => return Value::Unreadable(format!("os-release: {why}")),
    };
    match found.get(key) {
        Some(Ok(value)) => Value::text(value),
        Some(Err(why)) => Value::Unreadable(format!("{key} in os-release: {why}")),
        None => Value::Absent(format!("os-release does not set {key}")),
    }
}

fn split(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::List(text.split_whitespace().map(Value::text).collect()),
        other => other,
    }
}

/// Refuses a text that no version requirement could be compared with.
fn versioned(value: Value) -> Value {
    match value {
        Value::Text(text) if Version::parse(&text).is_none() => {
            Value::Unreadable(format!("expected a version, found `{text}`"))
        }
        other => other,
    }
}

fn word(text: &str) -> Result<Value, String> {
    let text = text.trim();
    let one = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    one.then(|| Value::text(text)).ok_or_else(|| format!("expected one word, found `{text}`"))
}
