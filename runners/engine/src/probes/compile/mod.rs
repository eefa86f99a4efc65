//! Answers whether a compiler compiles, over our instrument: a tiny program of ours.
//!
//! A program of C++23 is started as well and must print what it should have computed, with the
//! features of the language and the library that it used. A kernel of CUDA is compiled and not
//! started. `state` has one word for each way in which that can end. That there is no compiler is
//! an answer of the node; one that is there and says no version is an error.

pub(super) mod ended;
mod field;
pub(super) mod wanted;

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    finding::FindingCode,
    fingerprint::Depends,
    metric::{Direction, Metric},
    node::Facts,
    observation::{AttemptError, Observation},
    unit::Unit,
    value::Value,
};

use self::ended::{Ended, State};
use crate::{
    parse::instrument,
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed},
};

pub(super) struct Compile;

const NAME: &str = "compile";
/// Longer than a cold compiler on a busy machine takes for a page of source. *Units*: ms.
const LIMIT_MS: u64 = 180_000;
const ARCH: &str = "sm_86";

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "Whether a compiler compiles a tiny program of ours, and whether that runs.",
    effect: Effect::Loads,
    depends: &[
        Depends::cause("compiler"),
        Depends::cause("cpu"),
        Depends::cause("memory"),
        Depends::cause("bios"),
        Depends::cause("kernel"),
    ],
    params: &[
        ParamSpec {
            name: "compiler",
            kind: ParamKind::Text,
            required: true,
            doc: "`g++`, `clang++` or `nvcc`, of which the newest that is found, or an absolute path.",
        },
        ParamSpec {
            name: "language",
            kind: ParamKind::Choice(&["c++23", "cuda"]),
            required: false,
            doc: "What is compiled; what the compiler is for unless given.",
        },
        ParamSpec {
            name: "flags",
            kind: ParamKind::Texts,
            required: false,
            doc: "Further flags, such as `-O3`.",
        },
        ParamSpec {
            name: "arch",
            kind: ParamKind::Text,
            required: false,
            doc: "Architecture of the card for `cuda`; `sm_86` unless given.",
        },
    ],
    fields: field::FIELDS,
    example: r#"with = { compiler = "g++" }
expect = { state = "ok", features = { contains = ["expected"] } }"#,
};

impl Probe for Compile {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String> {
        let wanted = wanted::wanted(with, facts)?;
        let cuda = wanted.family == "nvcc";
        let language = with.text("language").unwrap_or(if cuda { "cuda" } else { "c++23" });
        if cuda != (language == "cuda") {
            let compiler = with.required("compiler")?;
            return Err(format!("`{compiler}` is not asked to compile `{language}`"));
        }
        let arch = with.text("arch");
        let plain = |arch: &str| arch.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if let Some(bad) = arch.filter(|arch| arch.is_empty() || !plain(arch)) {
            return Err(format!("`arch` is `{bad}`; such as `sm_86` expected"));
        }
        let flags = wanted::flags(with)?;
        let mut argv = vec![NAME, "--language", language, "--family", wanted.family, "--names"];
        argv.push(&wanted.names);
        if !flags.is_empty() {
            argv.extend(["--flags", &flags]);
        }
        if cuda {
            argv.extend(["--arch", arch.unwrap_or(ARCH)]);
        }
        let argv = argv.into_iter().map(str::to_owned).collect();
        Ok(vec![Ask::Instrument { argv, limit_ms: LIMIT_MS }])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let result = instrument::gathered(evidence, NAME)?;
        let compiler = with.text("compiler").unwrap_or_default();
        if let Some(why) = absent(&result, compiler)? {
            let none = |seen: Observation, field: &verify_model::field::FieldSpec| {
                seen.fact(field.path, Value::Absent(why.clone()))
            };
            return Ok(field::FIELDS.iter().fold(Observation::default(), none));
        }
        observe(&result)
    }
}

/// Says why there is no compiler, where that is the answer.
///
/// *Errors*: nothing could be tried, or what is there does not say what it is.
pub(super) fn absent(result: &Json, compiler: &str) -> Result<Option<String>, AttemptError> {
    if let Some(why) = instrument::refusal(result) {
        return Err(failed(FindingCode::GatherFailed, format!("nothing can be compiled: {why}")));
    }
    let texts = |key: &str| -> Option<Vec<&str>> {
        result.get(key)?.as_array()?.iter().map(Json::as_str).collect()
    };
    let Some(looked) = texts("missing") else { return Ok(None) };
    let others = texts("others").unwrap_or_default();
    // One of another kind is none; one that breaks is there.
    if let Some(broken) = others.iter().find(|why| !why.contains(": it is ")) {
        let silent = broken.trim().is_empty();
        let why = if silent { "a compiler breaks, and nobody says how" } else { broken };
        return Err(failed(FindingCode::ProgramFailed, why));
    }
    let looked = format!("no {compiler} is installed: looked for {}", looked.join(", "));
    let others: Vec<String> = others.iter().map(|why| format!("; {why}")).collect();
    Ok(Some(looked + &others.concat()))
}

/// Returns path and version of the compiler.
pub(super) fn compiler(result: &Json) -> [Value; 2] {
    ["path", "version"].map(|key| match result.pointer(&format!("/compiler/{key}")) {
        Some(Json::String(text)) => Value::text(text),
        _ => Value::Unreadable(format!("the instrument does not say the compiler's {key}")),
    })
}

fn observe(result: &Json) -> Result<Observation, AttemptError> {
    let unreadable = |why: String| failed(FindingCode::OutputUnreadable, why);
    let compile = Ended::read(result.get("compile")).map_err(unreadable)?;
    let run =
        result.get("run").map(|run| Ended::read(Some(run))).transpose().map_err(unreadable)?;
    let cuda = result.pointer("/compile/argv").and_then(Json::as_array).is_some_and(|argv| {
        argv.iter().any(|word| word.as_str().is_some_and(|word| word.starts_with("-arch=")))
    });
    let made =
        result.pointer("/compile/bytes").and_then(Json::as_u64).is_some_and(|bytes| bytes > 0);
    let mut state = compile.compiled(made);
    let compiled = state.is_ok();
    let (mut ran, mut features) = (Value::Bool(false), Value::Absent("it was not run".to_owned()));
    match (&run, cuda) {
        (_, true) => {
            ran = Value::Absent("a kernel is compiled and not started".to_owned());
            features = ran.clone();
        }
        (Some(run), false) => {
            let (how, used) = run.ran();
            ran = Value::Bool(how.is_ok());
            features = used
                .map_or(features, |used| Value::List(used.into_iter().map(Value::text).collect()));
            state = state.and(how);
        }
        (None, false) if compiled => {
            return Err(unreadable("it was compiled, and nobody says how it ran".to_owned()));
        }
        (None, false) => {}
    }
    let (word, trouble) = match &state {
        Ok(()) => (State::Ok, "none"),
        Err((word, why)) => (*word, why.as_str()),
    };
    let [path, version] = compiler(result);
    let seen = Observation::default()
        .fact("compiler", path)
        .fact("version", version)
        .fact("state", Value::text(word.name()))
        .fact("trouble", Value::text(trouble))
        .fact("compiled", Value::Bool(compiled))
        .fact("ran", ran)
        .fact("features", features);
    Ok(with_time(seen, result.pointer("/compile/seconds"), compiled))
}

/// Adds the time, which of a compiler that fails says nothing.
fn with_time(seen: Observation, seconds: Option<&Json>, compiled: bool) -> Observation {
    if !compiled {
        return seen.fact("seconds", Value::Absent("it did not compile".to_owned()));
    }
    let seconds = seconds.and_then(Json::as_f64).filter(|seconds| *seconds > 0.0);
    let metric = seconds.zip(Unit::parse("s")).and_then(|(seconds, unit)| {
        Metric::new(unit, Direction::LowerIsBetter, vec![seconds]).ok()
    });
    match metric {
        Some(metric) => seen.metric("seconds", metric),
        None => {
            seen.fact("seconds", Value::Unreadable("it is not said how long it took".to_owned()))
        }
    }
}
