//! How to get one kind of answer: what a probe declares, asks and reads.
//!
//! A probe is two pure halves: `asks` turns parameters into data, `read` turns evidence into an
//! observation. Between them the engine gathers. A probe never judges, never prints, never touches
//! the node. Its spec is the single source for the loader's checks, the schema and the catalogue.

use verify_model::{
    ask::Ask,
    check::Params,
    cpu_set::CpuSet,
    effect::Effect,
    evidence::{Captured, Evidence, Failure, FailureKind, Stream},
    field::{FieldKind, FieldSpec},
    finding::FindingCode,
    fingerprint::Depends,
    link::Link,
    matcher::Literal,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

/// Describes a probe.
#[derive(Debug)]
pub struct ProbeSpec {
    /// Name in suites, kebab-case.
    pub name: &'static str,
    /// One sentence: what it answers.
    pub summary: &'static str,
    /// What asking does to the node.
    pub effect: Effect,
    /// What its metrics depend on; empty where it measures nothing.
    pub depends: &'static [Depends],
    /// Parameters under `with`.
    pub params: &'static [ParamSpec],
    /// Fields of the answer.
    pub fields: &'static [FieldSpec],
    /// A `with` and an `expect` line that work, for the catalogue; TOML.
    pub example: &'static str,
}

/// Describes one parameter.
#[derive(Debug)]
pub struct ParamSpec {
    /// Name, kebab-case.
    pub name: &'static str,
    /// Kind of value.
    pub kind: ParamKind,
    /// Whether it must be given.
    pub required: bool,
    /// One sentence: what it is, and its default.
    pub doc: &'static str,
}

/// Names the kinds of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A text.
    Text,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A whole number.
    Integer,
    /// A yes or no.
    Bool,
    /// A quantity that fits this unit.
    Quantity(&'static str),
    /// A cpu list.
    Cpus,
    /// A regular expression.
    Regex,
    /// The name of a link of the node; the loader puts in what the node files say of it.
    Link,
    /// A pattern for names of links of any node; the loader puts in what the node files say of them.
    Links,
}

/// Knows how to get one kind of answer.
pub trait Probe: Sync {
    /// Returns what the probe declares.
    fn spec(&self) -> &'static ProbeSpec;

    /// Returns what to gather. Pure.
    ///
    /// *Errors*: a parameter cannot be used, in one sentence.
    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String>;

    /// Reads the evidence, one piece for each ask in the same order. Pure; never panics.
    ///
    /// *Errors*: the whole answer is missing. A single missing value is `Absent` or `Unreadable`.
    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError>;

    /// Returns the kind of a field under these parameters.
    fn kind(&self, field: &FieldSpec, _with: With<'_>) -> FieldKind {
        (field.kind)()
    }

    /// Tells whether asking again measures again; what reads the result of an earlier measurement does
    /// not.
    fn measures_anew(&self) -> bool {
        true
    }

    /// Returns the effect under these parameters.
    fn effect(&self, _with: With<'_>) -> Effect {
        self.spec().effect
    }
}

/// Reads parameters that the loader has validated.
#[derive(Clone, Copy, Debug)]
pub struct With<'a>(pub &'a Params);

impl<'a> With<'a> {
    /// Returns a text parameter.
    pub fn text(self, name: &str) -> Option<&'a str> {
        match self.0.get(name) {
            Some(Literal::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns a required text parameter; empty only if the loader let it through.
    pub fn required(self, name: &str) -> Result<&'a str, String> {
        self.text(name).ok_or_else(|| format!("the parameter `{name}` is missing"))
    }

    /// Returns a list of texts; a single text is a list of one.
    pub fn texts(self, name: &str) -> Vec<&'a str> {
        match self.0.get(name) {
            Some(Literal::Text(text)) => vec![text],
            Some(Literal::List(items)) => items
                .iter()
                .filter_map(
                    |item| if let Literal::Text(text) = item { Some(text.as_str()) } else { None },
                )
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Returns a whole number.
    pub fn integer(self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Literal::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// Returns a yes or no; a missing one is no.
    pub fn flag(self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Literal::Bool(true)))
    }

    /// Returns a link.
    pub fn link(self, name: &str) -> Option<Link> {
        self.0.get(name).and_then(Link::of)
    }

    /// Returns links.
    pub fn links(self, name: &str) -> Vec<Link> {
        let Some(Literal::List(items)) = self.0.get(name) else { return Vec::new() };
        items.iter().filter_map(Link::of).collect()
    }

    /// Returns a set of cpus.
    pub fn cpus(self, name: &str) -> Option<&'a CpuSet> {
        match self.0.get(name) {
            Some(Literal::Cpus(cpus)) => Some(cpus),
            _ => None,
        }
    }

    /// Returns a quantity.
    pub fn quantity(self, name: &str) -> Option<Quantity> {
        match self.0.get(name) {
            Some(Literal::Quantity(quantity)) => Some(*quantity),
            _ => None,
        }
    }
}

/// Builds a row of a probe's field table.
pub const fn field(
    path: &'static str,
    kind: fn() -> FieldKind,
    source: &'static str,
    doc: &'static str,
) -> FieldSpec {
    FieldSpec { path, kind, doc, source }
}

/// What has a text for each of several things.
pub fn texts() -> FieldKind {
    each(FieldKind::Text)
}

/// What each of several things has: a list of one value for each.
pub fn each(kind: FieldKind) -> FieldKind {
    FieldKind::List(Box::new(kind))
}

/// Builds an attempt error.
pub fn failed(code: FindingCode, message: impl Into<String>) -> AttemptError {
    AttemptError { code, message: message.into() }
}

/// Turns a failure to gather into an attempt error.
pub fn gather_error(evidence: &Evidence, failure: &Failure) -> AttemptError {
    let program = matches!(
        evidence.ask,
        Ask::Exec { .. } | Ask::Instrument { .. } | Ask::Script { .. } | Ask::Which { .. }
    );
    let code = code_of(failure.kind, program);
    // Of an interpreter people know that they have one, and not which one was meant.
    let named = matches!(evidence.ask, Ask::Script { .. }) && code == FindingCode::ToolMissing;
    let hint = if named { "; the node file names it under `python`" } else { "" };
    failed(code, format!("{}: {}{hint}", evidence.ask, failure.message))
}

/// Returns the error of the catalogue; `program` says whether a program was what was not found.
pub fn code_of(kind: FailureKind, program: bool) -> FindingCode {
    match kind {
        FailureKind::NotFound if program => FindingCode::ToolMissing,
        FailureKind::PermissionDenied => FindingCode::PermissionDenied,
        FailureKind::Refused => FindingCode::ConnectionRefused,
        FailureKind::TimedOut => FindingCode::TimedOut,
        FailureKind::Unkillable => FindingCode::Unkillable,
        FailureKind::Interrupted => FindingCode::Interrupted,
        FailureKind::NotRecorded => FindingCode::NotRecorded,
        FailureKind::NotSimulated => FindingCode::NotSimulated,
        FailureKind::NameUnknown => FindingCode::NameUnknown,
        FailureKind::NoRoute => FindingCode::NoRoute,
        FailureKind::LoginRefused => FindingCode::LoginRefused,
        FailureKind::LoginTimedOut => FindingCode::LoginTimedOut,
        FailureKind::HostKeyUnknown => FindingCode::HostKeyUnknown,
        FailureKind::HostKeyChanged => FindingCode::HostKeyChanged,
        FailureKind::AuthenticationRefused => FindingCode::AuthenticationRefused,
        FailureKind::NotScheduled => FindingCode::NotScheduled,
        FailureKind::ShellBroken => FindingCode::ShellBroken,
        FailureKind::ConnectionLost => FindingCode::ConnectionLost,
        FailureKind::DiskFull => FindingCode::DiskFull,
        FailureKind::NotFound | FailureKind::Unsupported | FailureKind::Other => {
            FindingCode::GatherFailed
        }
    }
}

/// Returns the text of a file or of a program's standard output that was captured whole.
///
/// *Errors*: nothing was gathered, it was cut, or the program failed.
pub fn text_of(evidence: &Evidence) -> Result<&str, AttemptError> {
    match &evidence.captured {
        Captured::File(stream) => whole(evidence, stream),
        Captured::Exec { exit: Some(0), stdout, .. } => whole(evidence, stdout),
        Captured::Exec { exit, signal, stdout, stderr } => {
            let how = match (exit, signal) {
                (Some(code), _) => format!("exit status {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => "no exit status".to_owned(),
            };
            // Some programs, chronyc among them, complain on standard output.
            let said = |stream: &Stream| {
                let mut lines = stream.text.lines().rev().map(str::trim);
                lines.find(|line| !line.is_empty()).map(str::to_owned)
            };
            let last = said(stderr).or_else(|| said(stdout));
            let last = last.unwrap_or_else(|| "no message".to_owned());
            // *Source*: strerror(3) in the C locale.
            let full = ["No space left on device", "Disk quota exceeded"];
            let full = full.iter().any(|text| last.contains(text));
            let code = if full { FindingCode::DiskFull } else { FindingCode::ProgramFailed };
            Err(failed(code, format!("{}: {how}: {last}", evidence.ask)))
        }
        Captured::Failed(failure) => Err(gather_error(evidence, failure)),
        _ => Err(failed(FindingCode::OutputUnreadable, format!("{}: not a text", evidence.ask))),
    }
}

fn whole<'a>(evidence: &Evidence, stream: &'a Stream) -> Result<&'a str, AttemptError> {
    if stream.truncated > 0 {
        let message = format!("{}: {} bytes were left out", evidence.ask, stream.truncated);
        return Err(failed(FindingCode::OutputUnreadable, message));
    }
    Ok(&stream.text)
}

/// Reads one value from a file or output: a missing file is `Absent`, trouble is `Unreadable`.
pub fn value_of(evidence: &Evidence, parse: impl FnOnce(&str) -> Result<Value, String>) -> Value {
    if let Some(failure) = evidence.failure()
        && failure.kind == FailureKind::NotFound
    {
        return Value::Absent(format!("{}: {}", evidence.ask, failure.message));
    }
    match text_of(evidence) {
        Ok(text) => parse(text.trim_end_matches('\n')).unwrap_or_else(Value::Unreadable),
        Err(error) => Value::Unreadable(error.message),
    }
}
