//! Answers which Python distributions a node's interpreter has, and in which versions.
//!
//! Told from their metadata: nothing is imported, so a distribution that is installed may still not
//! work. An interpreter that is not there is an error, since nobody was there to be asked; a
//! distribution that is not installed is an answer.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{List, Text, Version},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    parse::script::{Ending, gathered, signal_name, trouble},
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field},
    python::{LIMIT_MS, NAME, is_module},
    script,
};

pub(super) struct PythonModule;

const SAYS: &str = "importlib.metadata of the interpreter";

static SPEC: ProbeSpec = ProbeSpec {
    name: "python-module",
    summary: "Which Python distributions the node's interpreter has, and in which versions.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "modules",
            kind: ParamKind::Texts,
            required: true,
            doc: "Distributions by their name in the package index, such as `torch`.",
        },
        ParamSpec {
            name: "interpreter",
            kind: ParamKind::Text,
            required: false,
            doc: "Another interpreter than that of the node file.",
        },
    ],
    fields: &[
        field("python", || Version, "platform.python_version", "Version of the interpreter."),
        field("executable", || Text, "sys.executable", "Path of the interpreter."),
        field("version", || Version, SAYS, "Version of the first distribution that is named."),
        field(
            "installed",
            || List(Box::new(Text)),
            SAYS,
            "Those that are there, as `name version`.",
        ),
        field("missing", || List(Box::new(Text)), SAYS, "Those that are not there."),
    ],
    example: r#"with = { modules = ["torch", "vllm"] }
expect = { missing = { count = 0 } }"#,
};

impl Probe for PythonModule {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String> {
        let modules = with.texts("modules");
        if modules.is_empty() {
            return Err("`modules` names nothing".to_owned());
        }
        if let Some(bad) = modules.iter().find(|name| !is_module(name)) {
            return Err(format!("`{bad}` is not the name of a distribution"));
        }
        let modules = modules.into_iter().map(str::to_owned).collect();
        let interpreter = with.text("interpreter").unwrap_or(&facts.python);
        Ok(vec![script::ask(interpreter, NAME, modules, LIMIT_MS)])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        match gathered(evidence, NAME)? {
            Ending::Said(said) => Ok(observation(&said, &with.texts("modules"))),
            Ending::Killed(signal, last) => Err(failed(
                FindingCode::ProgramFailed,
                format!("the interpreter was ended by {}: {last}", signal_name(signal)),
            )),
        }
    }
}

/// Holds what is known of one distribution: its version, that it is missing, or why nobody knows.
type Known<'a> = Result<Option<&'a str>, String>;

fn observation(said: &Json, modules: &[&str]) -> Observation {
    let text = |key: &str| match said.get(key).and_then(Json::as_str) {
        Some(text) => Value::text(text),
        None => Value::Unreadable(format!("the interpreter did not say its {key}")),
    };
    let of = |name: &str| -> Known<'_> {
        match said.get("modules").and_then(|all| all.get(name)) {
            Some(Json::String(version)) => Ok(Some(version)),
            Some(Json::Null) => Ok(None),
            Some(other) => Err(trouble(other).unwrap_or_else(|| format!("{name}: {other}"))),
            None => Err(format!("the interpreter did not say whether it has {name}")),
        }
    };
    let all: Vec<(&str, Known<'_>)> = modules.iter().map(|name| (*name, of(name))).collect();
    let version = match all.first() {
        Some((_, Ok(Some(version)))) => Value::text(*version),
        Some((name, Ok(None))) => Value::Absent(format!("{name} is not installed")),
        Some((_, Err(why))) => Value::Unreadable(why.clone()),
        None => Value::Unreadable("nothing was asked for".to_owned()),
    };
    let unknown = all.iter().find_map(|(_, known)| known.as_ref().err());
    let list = |pick: &dyn Fn(&str, Option<&str>) -> Option<String>| match unknown {
        Some(why) => Value::Unreadable(why.clone()),
        None => Value::List(
            all.iter()
                .filter_map(|(name, known)| pick(name, known.as_ref().ok().copied().flatten()))
                .map(Value::text)
                .collect(),
        ),
    };
    Observation::default()
        .fact("python", text("python"))
        .fact("executable", text("executable"))
        .fact("version", version)
        .fact("installed", list(&|name, version| Some(format!("{name} {}", version?))))
        .fact("missing", list(&|name, version| version.is_none().then(|| name.to_owned())))
}
