//! Which facts are learned: closed kinds, the same in every run, and no name of what changes by itself.

use verify_model::{field::FieldKind, observation::Observation, value::Value};

use super::text::is_plain;

/// Fewest runs that can show that a fact stays.
const FEWEST_RUNS: usize = 2;
/// Longest text that is learned. *Units*: characters.
const LONGEST: usize = 200;
/// Words in the names of fields that change by themselves, whatever their kind. *Source*: the fields of
/// the catalogue of probes, looked through for what a healthy machine moves.
const VOLATILE: &[&str] = &[
    "age",
    "available",
    "boot-time",
    "clients",
    "count-since",
    "elapsed",
    "errors",
    "events",
    "free",
    "frequency",
    "idle",
    "last",
    "load",
    "messages",
    "now",
    "offset",
    "pid",
    "pids",
    "power",
    "processes",
    "restarts",
    "retransmits",
    "seconds",
    "since",
    "synchronised",
    "temperature",
    "throttle",
    "time",
    "uptime",
    "usage",
    "used",
    "utilization",
    "wear",
    "written",
];

/// Words in the names of metrics that say how the surroundings are, not how good the machine is.
const AMBIENT: &[&str] = &[
    "age",
    "available",
    "free",
    "idle",
    "load",
    "offset",
    "power",
    "temperature",
    "uptime",
    "usage",
    "used",
    "utilization",
    "wear",
];

/// Says why a metric gets no limit, whatever its spread.
pub(super) fn ambient(path: &str) -> Option<String> {
    let word = word_of(path, AMBIENT)?;
    Some(format!("`{word}` is how the surroundings are"))
}

/// Finds the value of a fact that may be expected, as a suite writes it.
///
/// *Errors*: why it is left out, in one phrase.
pub(super) fn stable(
    path: &str,
    kind: Option<&FieldKind>,
    seen: &[Vec<&Observation>],
) -> Result<toml_edit::Value, String> {
    let kind = kind.ok_or("not a field of its own")?;
    let closed = matches!(
        kind,
        FieldKind::Bool
            | FieldKind::Integer
            | FieldKind::Text
            | FieldKind::Version
            | FieldKind::Cpus
    );
    if !closed {
        return Err(format!("a {} is not learned", kind.name()));
    }
    if let Some(word) = volatile(path) {
        return Err(format!("`{word}` changes by itself"));
    }
    if seen.len() < FEWEST_RUNS {
        return Err(format!("one run does not show that it stays; {FEWEST_RUNS} do"));
    }
    let mut values = seen.iter().flatten().map(|observation| observation.resolve(path));
    let first = values.next().ok_or("no answer")?;
    if values.any(|value| value != first) {
        return Err("not the same in every run".to_owned());
    }
    written(&first)
}

fn volatile(path: &str) -> Option<&'static str> {
    word_of(path, VOLATILE)
}

fn word_of(path: &str, words: &[&'static str]) -> Option<&'static str> {
    words.iter().find(|word| path.split(['.', '-']).any(|part| part == **word)).copied()
}

fn written(value: &Value) -> Result<toml_edit::Value, String> {
    match value {
        Value::Bool(flag) => Ok((*flag).into()),
        Value::Integer(number) => Ok((*number).into()),
        Value::Cpus(cpus) if cpus.is_empty() => Ok("".into()),
        Value::Cpus(cpus) => Ok(cpus.to_string().into()),
        Value::Text(text) if text.trim().is_empty() => Err("empty".to_owned()),
        // A suite would read `${` as a variable; a text that a node chose must not be a line of its own.
        Value::Text(text) if text.contains("${") || !text.chars().all(is_plain) => {
            Err("a text that a suite cannot hold as it is".to_owned())
        }
        Value::Text(text) if text.chars().count() > LONGEST => Err("too long a text".to_owned()),
        Value::Text(text) => Ok(text.as_str().into()),
        Value::Absent(_) => Err("absent".to_owned()),
        Value::Unreadable(_) => Err("not readable".to_owned()),
        Value::Quantity(_) | Value::List(_) | Value::Record(_) => {
            Err("not a single value".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_what_changes_by_itself_are_known_as_words_and_not_as_parts_of_words() {
        for path in ["uptime", "gpus.temperature", "memory-free", "last-seen", "main-pid"] {
            assert!(volatile(path).is_some(), "{path}");
        }
        for path in ["model", "threads", "rapid", "payload-kind", "storage", "clocksource"] {
            assert_eq!(volatile(path), None, "{path}");
        }
    }
}
