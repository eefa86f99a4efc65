//! Answers which compilers or interpreters of one kind a node has, and which is the newest.
//!
//! Every name under which people have them is asked at once: the bare one, the numbered ones, and
//! the toolkits of CUDA by the file in their folder. That none is found is an answer of the node
//! (`Absent`, so that a demand fails), for here the tool is what is asked about; one that is there
//! and does not work is listed under `broken`. Whether it compiles anything the probe `compile`
//! answers.

mod ceiling;
pub(super) mod names;
pub(super) mod toolkits;

use verify_model::{
    ask::{Ask, DEFAULT_CAP, DEFAULT_LIMIT_MS},
    effect::Effect,
    evidence::{Captured, Evidence, FailureKind, Stream},
    field::FieldKind::{List, Text, Version as Numbers},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
    version::Version,
};

use crate::{
    parse::toolchain::{Family, Unsaid, said},
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, gather_error},
};

use super::nvml;
use names::names;

pub(super) struct Toolchain;

const SAYS: &str = "--version of each";
const NVML: &str = "nvmlSystemGetCudaDriverVersion_v2";

static SPEC: ProbeSpec = ProbeSpec {
    name: "toolchain",
    summary: "Which compilers or interpreters of one kind a node has, and which is the newest.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "tool",
            kind: ParamKind::Choice(&["gcc", "g++", "clang", "clang++", "nvcc", "cargo", "python"]),
            required: true,
            doc: "Kind of tool.",
        },
        ParamSpec {
            name: "names",
            kind: ParamKind::Choice(&["all", "plain"]),
            required: false,
            doc: "`all`, unless given: gcc-14 and python3.12, too; `plain` without numbers, sooner.",
        },
    ],
    fields: &[
        field("version", || Numbers, SAYS, "Version of what the bare name starts (python3)."),
        field("path", || Text, "PATH and the usual folders", "Where the bare name is found."),
        field("says", || Text, SAYS, "Line in which the bare name states its version."),
        field("newest", || Numbers, SAYS, "Newest version of those that answer."),
        field("newest-path", || Text, "PATH and the usual folders", "Where the newest is."),
        field(
            "versions",
            || List(Box::new(Numbers)),
            SAYS,
            "Versions of those that answer, rising, each once.",
        ),
        field(
            "broken",
            || List(Box::new(Text)),
            SAYS,
            "Those that are there and do not say their version, and why.",
        ),
        field("driver-ceiling", || Numbers, NVML, "Newest CUDA that the driver knows; of nvcc."),
        field(
            "driver-fit",
            || Text,
            NVML,
            "`within`, `newer-minor` (works, but for what needs a newer driver) or `beyond`, with both versions; of nvcc.",
        ),
    ],
    example: r#"with = { tool = "gcc" }
expect = { newest = { version = ">= 14" } }"#,
};

/// Asks a program for its version. A proxy of rustup must not fetch a toolchain for that.
fn version_ask(name: &str) -> Ask {
    Ask::Exec {
        argv: vec![name.to_owned(), "--version".to_owned()],
        env: vec![
            ("LC_ALL".to_owned(), "C".to_owned()),
            ("RUSTUP_AUTO_INSTALL".to_owned(), "0".to_owned()),
        ],
        limit_ms: DEFAULT_LIMIT_MS,
        cap: DEFAULT_CAP,
    }
}

impl Probe for Toolchain {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String> {
        let tool = with.required("tool")?;
        let names = names(tool).ok_or_else(|| format!("`{tool}` is not a tool that is known"))?;
        let mut asks = Vec::new();
        for name in names.wanted(with) {
            asks.push(version_ask(&name));
            asks.push(Ask::Which { tool: name });
        }
        if names.family == Family::Nvcc {
            asks.extend(toolkits::asks(&facts.python));
            asks.push(nvml::inventory());
        }
        Ok(asks)
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let tool = with.required("tool").map_err(|why| failed(FindingCode::BadParameter, why))?;
        let names = names(tool)
            .ok_or_else(|| failed(FindingCode::BadParameter, format!("no tool `{tool}`")))?;
        let mut candidates = Vec::new();
        for name in names.wanted(with) {
            candidates.push(candidate(&name, names.family, evidence)?);
        }
        if names.family != Family::Nvcc {
            let why = format!("a driver sets no limit to {tool}");
            let none = |o: Observation, name| o.fact(name, Value::Absent(why.clone()));
            let seen = observation(tool, names.bare, &candidates)?;
            return Ok(["driver-ceiling", "driver-fit"].into_iter().fold(seen, none));
        }
        candidates.extend(toolkits::found(evidence, &candidates)?);
        let seen = observation(tool, names.bare, &candidates)?;
        Ok(ceiling::facts(seen, nvml::ceiling(evidence)))
    }
}

/// Holds one program that may be there.
struct Candidate {
    name: String,
    path: Option<String>,
    answer: Answer,
}

enum Answer {
    Version { version: String, line: String },
    NotThere(String),
    Broken(AttemptError),
}

/// Reads what one name starts.
///
/// *Errors*: nobody asked.
fn candidate(
    name: &str,
    family: Family,
    evidence: &[&Evidence],
) -> Result<Candidate, AttemptError> {
    let of = |wanted: &dyn Fn(&Ask) -> bool| {
        evidence.iter().copied().find(|piece| wanted(&piece.ask)).ok_or_else(|| {
            failed(FindingCode::NotRecorded, format!("`{name}` was not asked for its version"))
        })
    };
    let ran = of(
        &|ask| matches!(ask, Ask::Exec { argv, .. } if argv.first().is_some_and(|a| a == name)),
    )?;
    let found = of(&|ask| matches!(ask, Ask::Which { tool } if tool == name))?;
    let path = match &found.captured {
        Captured::Found(path) => Some(path.clone()),
        _ => None,
    };
    Ok(Candidate { name: name.to_owned(), path, answer: answer(ran, name, family) })
}

fn answer(piece: &Evidence, name: &str, family: Family) -> Answer {
    let broken =
        |code, what: String| Answer::Broken(failed(code, format!("{}: {what}", piece.ask)));
    let (exit, stdout, stderr) = match &piece.captured {
        Captured::Exec { exit, stdout, stderr, .. } => (*exit, stdout, stderr),
        Captured::Failed(failure) if failure.kind == FailureKind::NotFound => {
            return Answer::NotThere(format!("no `{name}` in PATH and the usual folders"));
        }
        Captured::Failed(failure) => return Answer::Broken(gather_error(piece, failure)),
        _ => return broken(FindingCode::OutputUnreadable, "not a program's output".to_owned()),
    };
    if exit != Some(0) {
        // What pyenv puts in PATH is there for every version that it could start.
        if exit == Some(127) && stderr.text.contains("command not found") {
            return Answer::NotThere(format!("`{name}` starts nothing: {}", first_line(stderr)));
        }
        let how =
            exit.map_or_else(|| "no exit status".to_owned(), |code| format!("exit status {code}"));
        let why = if stderr.text.trim().is_empty() { stdout } else { stderr };
        return broken(FindingCode::ProgramFailed, format!("{how}: {}", first_line(why)));
    }
    if stdout.truncated + stderr.truncated > 0 {
        return broken(FindingCode::OutputUnreadable, "a part of its output is missing".to_owned());
    }
    // Python 2 says it on standard error.
    let text = format!("{}\n{}", stdout.text, stderr.text);
    match said(family, &text) {
        Ok(said) => {
            Answer::Version { version: said.version.to_owned(), line: said.line.to_owned() }
        }
        Err(Unsaid::Other(line)) => Answer::NotThere(format!("`{name}` starts another: {line}")),
        Err(Unsaid::Nothing(first)) => {
            broken(FindingCode::OutputUnreadable, format!("says no version, but: {first}"))
        }
    }
}

fn first_line(stream: &Stream) -> &str {
    stream.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no message")
}

/// Puts the answers together.
///
/// *Errors*: something is there, and nothing of it works.
fn observation(
    tool: &str,
    bare: &str,
    candidates: &[Candidate],
) -> Result<Observation, AttemptError> {
    let mut broken: Vec<&AttemptError> = Vec::new();
    let mut working: Vec<(Version, &str)> = Vec::new();
    let mut newest: Option<(&Candidate, &str, Version)> = None;
    for candidate in candidates {
        match &candidate.answer {
            Answer::NotThere(_) => {}
            Answer::Broken(why) => broken.push(why),
            Answer::Version { version, .. } => {
                let Some(parsed) = Version::parse(version) else { continue };
                // Of equal ones the first stays: the bare name, which is what people start.
                if newest.as_ref().is_none_or(|(_, _, known)| parsed > *known) {
                    newest = Some((candidate, version, parsed.clone()));
                }
                working.push((parsed, version));
            }
        }
    }
    let observation = bare_facts(Observation::default(), bare, candidates);
    let Some((newest, version, _)) = newest else {
        if let Some(first) = broken.first() {
            return Err((*first).clone());
        }
        let why = none(tool, candidates);
        let fields = ["newest", "newest-path", "versions", "broken"];
        return Ok(fields
            .into_iter()
            .fold(observation, |o, field| o.fact(field, Value::Absent(why.clone()))));
    };
    working.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut versions: Vec<&str> = working.iter().map(|(_, version)| *version).collect();
    versions.dedup();
    let path = newest.path.as_deref().map_or_else(
        || Value::Unreadable(format!("`{}` answers and was not found", newest.name)),
        Value::text,
    );
    Ok(observation
        .fact("newest", Value::text(version))
        .fact("newest-path", path)
        .fact("versions", Value::List(versions.into_iter().map(Value::text).collect()))
        .fact(
            "broken",
            Value::List(broken.into_iter().map(|why| Value::text(&why.message)).collect()),
        ))
}

/// Says what was looked for in vain, and what else goes by one of the names.
fn none(tool: &str, candidates: &[Candidate]) -> String {
    let looked: Vec<&str> = candidates.iter().map(|c| c.name.as_str()).collect();
    let mut why = format!("no {tool} is installed: looked for {}", looked.join(", "));
    let other = candidates.iter().find(|candidate| candidate.path.is_some());
    if let Some(Answer::NotThere(what)) = other.map(|candidate| &candidate.answer) {
        why = format!("{why}; {what}");
    }
    why
}

fn bare_facts(observation: Observation, bare: &str, candidates: &[Candidate]) -> Observation {
    let missing = Answer::NotThere(format!("`{bare}` was not asked for"));
    let found = candidates.iter().find(|candidate| candidate.name == bare);
    let (version, says) = match found.map_or(&missing, |candidate| &candidate.answer) {
        Answer::Version { version, line } => (Value::text(version), Value::text(line)),
        Answer::NotThere(why) => (Value::Absent(why.clone()), Value::Absent(why.clone())),
        Answer::Broken(why) => {
            (Value::Unreadable(why.message.clone()), Value::Unreadable(why.message.clone()))
        }
    };
    let path = found.and_then(|candidate| candidate.path.as_deref()).map_or_else(
        || Value::Absent(format!("no `{bare}` in PATH and the usual folders")),
        Value::text,
    );
    observation.fact("version", version).fact("says", says).fact("path", path)
}
