//! Answers which of some programs a node has, and in which version each says it is.
//!
//! A program that is not there is an answer here, for the programs are what is asked about. One
//! that is there and does not say its version, as a compiler of macOS without its tools, is broken.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence, FailureKind},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    gathered::Gathered,
    parse::version,
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, field, gather_error, text_of, texts},
};

pub(super) struct Programs;

/// How programs are asked for their version, where it is not `--version`.
const OTHERWISE: &[(&str, &str)] = &[("ssh", "-V"), ("tmux", "-V"), ("unzip", "-v")];

static SPEC: ProbeSpec = ProbeSpec {
    name: "programs",
    summary: "Which of some programs a node has, and in which version each says it is.",
    effect: Effect::Reads,
    depends: &[],
    params: &[ParamSpec {
        name: "names",
        kind: ParamKind::Texts,
        required: true,
        doc: "Names of programs, such as `rsync`.",
    }],
    fields: &[
        field("there", texts, "--version of each", "Programs that answer, each with its version."),
        field("missing", texts, "--version of each", "Programs that are not there."),
        field("broken", texts, "--version of each", "Programs that do not answer, and why."),
    ],
    example: r#"with = { names = ["ssh", "rsync", "git"] }
expect = { missing = { count = 0 }, broken = { count = 0 } }"#,
};

impl Probe for Programs {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let names = with.texts("names");
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
        let is_name =
            |name: &str| !name.is_empty() && !name.starts_with('-') && name.chars().all(plain);
        if names.is_empty() || names.len() > 64 {
            return Err("`names` names 1 to 64 programs".to_owned());
        }
        match names.iter().find(|name| !is_name(name)) {
            Some(bad) => Err(format!("`{bad}` in `names` is not the name of a program")),
            None => Ok(names.into_iter().map(|name| Ask::exec(asked(name))).collect()),
        }
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let (mut there, mut missing, mut broken) = (Vec::new(), Vec::new(), Vec::new());
        for name in with.texts("names") {
            let piece = gathered.program(&asked(name))?;
            match &piece.captured {
                Captured::Failed(failure) if failure.kind == FailureKind::NotFound => {
                    missing.push(Value::text(name));
                }
                Captured::Failed(failure) => return Err(gather_error(piece, failure)),
                _ => match said(piece) {
                    Ok(version) => there.push(Value::Text(format!("{name} {version}"))),
                    Err(why) => broken.push(Value::Text(format!("{name}: {why}"))),
                },
            }
        }
        Ok(Observation::default()
            .fact("there", Value::List(there))
            .fact("missing", Value::List(missing))
            .fact("broken", Value::List(broken)))
    }
}

fn asked(name: &str) -> [&str; 2] {
    let other = OTHERWISE.iter().find(|(other, _)| *other == name);
    [name, other.map_or("--version", |(_, option)| option)]
}

/// Returns the version in the first lines that a program says; ssh says it on standard error, and
/// rsync of macOS its protocol before its version.
fn said(piece: &Evidence) -> Result<String, String> {
    let text = text_of(piece).map_err(|error| error.message)?;
    let other = match &piece.captured {
        Captured::Exec { stderr, .. } => stderr.text.as_str(),
        _ => "",
    };
    let lines = text.lines().chain(other.lines()).map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.take(2).collect::<Vec<_>>().join(" ");
    if lines.is_empty() {
        return Err("it says nothing".to_owned());
    }
    version::first(&lines).ok_or_else(|| format!("it says no version: {lines}"))
}
