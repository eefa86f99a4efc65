//! Whether the node's interpreter has a distribution, as a capability: `python:torch`.
//!
//! Told from the metadata of installed distributions, so that nothing is imported; names are those
//! of the package index, not those of `import`. One program answers for all of them. Where it runs
//! at all, the versions that results depend on become core fields of the fingerprint, too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    evidence::{Evidence, FailureKind},
};

use crate::{
    capability::UNKNOWN,
    parse::script::{Ending, ending, signal_name, trouble},
    script,
};

/// Opens the name of a capability that is a Python distribution.
pub const PYTHON: &str = "python:";
/// Name of the program.
pub(crate) const NAME: &str = "module";
/// *Units*: ms.
pub(crate) const LIMIT_MS: u64 = 10_000;

/// Distributions that results depend on. CUDA's carry the major version in their name, or none.
const FINGERPRINT: &[&str] = &[
    "torch",
    "triton",
    "nvidia-cuda-runtime",
    "nvidia-cuda-runtime-cu12",
    "nvidia-nccl-cu12",
    "nvidia-nccl-cu13",
    "tensorrt",
    "vllm",
    "transformers",
    "mlx",
];

/// Reads the distribution out of a capability's name; `None` where it is not one.
pub fn module(name: &str) -> Option<&str> {
    name.strip_prefix(PYTHON).filter(|module| is_module(module))
}

/// Tells whether a text can be the name of a distribution. *Source*: Python packaging
/// specification, names and normalization.
pub(crate) fn is_module(name: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.chars().all(inside) && ends(name.chars().next()) && ends(name.chars().next_back())
}

/// Returns what to gather: nothing where no distribution is named.
pub fn asks(interpreter: &str, modules: &BTreeSet<String>) -> Vec<Ask> {
    if modules.is_empty() {
        return Vec::new();
    }
    let mut all: BTreeSet<String> = modules.clone();
    all.extend(FINGERPRINT.iter().map(|name| (*name).to_owned()));
    vec![script::ask(interpreter, NAME, all.into_iter().collect(), LIMIT_MS)]
}

/// Decides what the interpreter has; empty where the evidence is about something else.
pub(crate) fn read(evidence: &Evidence) -> Vec<(String, Result<(), String>)> {
    let Ask::Script { interpreter, name, args, .. } = &evidence.ask else { return Vec::new() };
    if name != NAME {
        return Vec::new();
    }
    let answer = answer(evidence, interpreter);
    let decide = |module: &String| match &answer {
        Err(why) => Err(why.clone()),
        Ok(said) => match said.get("modules").and_then(|all| all.get(module)) {
            Some(Json::String(_)) => Ok(()),
            Some(Json::Null) => Err(format!("{interpreter} has no distribution `{module}`")),
            Some(other) => Err(format!(
                "{UNKNOWN}{}",
                trouble(other).unwrap_or_else(|| format!("{module}: {other}"))
            )),
            None => Err(format!("{UNKNOWN}{interpreter} does not say whether it has `{module}`")),
        },
    };
    args.iter().map(|module| (format!("{PYTHON}{module}"), decide(module))).collect()
}

/// Returns the answer; the error says what was looked for, or that nobody knows.
fn answer(evidence: &Evidence, interpreter: &str) -> Result<Json, String> {
    if evidence.failure().is_some_and(|failure| failure.kind == FailureKind::NotFound) {
        return Err(format!("looked for the interpreter {interpreter}"));
    }
    match ending(evidence) {
        Ok(Ending::Said(said)) => Ok(said),
        Ok(Ending::Killed(signal, last)) => {
            Err(format!("{UNKNOWN}{interpreter} was ended by {}: {last}", signal_name(signal)))
        }
        Err(error) => Err(format!("{UNKNOWN}{}", error.message)),
    }
}

/// Holds what an interpreter says of itself and of the distributions that were asked about.
pub(crate) struct Versions {
    pub(crate) python: Option<String>,
    /// By name; `None` is not installed, and what could not be read is not there.
    pub(crate) modules: BTreeMap<String, Option<String>>,
}

/// Reads the versions; `None` where the evidence is about something else, or nobody answered.
pub(crate) fn versions(evidence: &Evidence) -> Option<Versions> {
    let Ask::Script { interpreter, name, .. } = &evidence.ask else { return None };
    let said =
        Some(()).filter(|()| name == NAME).and_then(|()| answer(evidence, interpreter).ok())?;
    let module = |(name, version): (&String, &Json)| match version {
        Json::String(version) => Some((name.clone(), Some(version.clone()))),
        Json::Null => Some((name.clone(), None)),
        _ => None,
    };
    Some(Versions {
        python: said.get("python").and_then(Json::as_str).map(str::to_owned),
        modules: said.get("modules")?.as_object()?.iter().filter_map(module).collect(),
    })
}

/// Returns the core fields of the fingerprint: what is installed, by name.
pub(crate) fn core(evidence: &Evidence) -> Vec<(String, String)> {
    let Ask::Script { interpreter, name, .. } = &evidence.ask else { return Vec::new() };
    let Some(said) =
        Some(()).filter(|()| name == NAME).and_then(|()| answer(evidence, interpreter).ok())
    else {
        return Vec::new();
    };
    let python = said.get("python").and_then(Json::as_str);
    let installed = FINGERPRINT.iter().filter_map(|name| {
        let version = said.get("modules")?.get(name)?.as_str()?;
        Some((format!("python-{name}"), version.to_owned()))
    });
    python
        .map(|version| ("python".to_owned(), version.to_owned()))
        .into_iter()
        .chain(installed)
        .collect()
}

#[cfg(test)]
mod tests {
    use verify_model::evidence::{Captured, Failure, Stream};

    use super::*;

    fn piece(captured: Captured) -> Evidence {
        let ask = asks("/opt/ai/bin/python3", &BTreeSet::from(["torch".to_owned()])).remove(0);
        Evidence { id: 0, node: "box".to_owned(), ask, at_ms: 0, elapsed_us: 0, captured }
    }

    fn decided(captured: Captured) -> Result<(), String> {
        let mut all = read(&piece(captured)).into_iter();
        all.find(|(name, _)| name == "python:torch").unwrap().1
    }

    fn said(text: &str) -> Captured {
        let stdout = Stream::whole(text.as_bytes());
        Captured::Exec { exit: Some(0), signal: None, stdout, stderr: Stream::default() }
    }

    #[test]
    fn what_is_missing_is_a_no_and_what_nobody_could_ask_is_not_known() {
        let line = |version: &str| {
            format!(
                "verify-script/1 {{\"python\":\"3.12.3\",\"modules\":{{\"torch\":{version}}}}}\n"
            )
        };
        assert_eq!(decided(said(&line("\"2.8.0\""))), Ok(()));
        let missing = decided(said(&line("null"))).unwrap_err();
        assert!(missing.contains("/opt/ai/bin/python3 has no distribution `torch`"), "{missing}");
        let nowhere = Captured::Failed(Failure::new(FailureKind::NotFound, "no program"));
        assert!(decided(nowhere).unwrap_err().starts_with("looked for the interpreter"));
        for captured in [
            said("no line of ours\n"),
            said("verify-script/1 {\"modules\":{}}\n"),
            said(&line("{\"stage\":\"metadata\",\"error\":\"OSError\"}")),
            Captured::Failed(Failure::new(FailureKind::TimedOut, "too long")),
            Captured::Listing(vec![]),
        ] {
            assert!(decided(captured.clone()).unwrap_err().starts_with(UNKNOWN), "{captured:?}");
        }
    }

    #[test]
    fn versions_that_results_depend_on_are_core_fields_and_what_is_missing_is_none() {
        let text = "verify-script/1 {\"python\":\"3.12.3\",\"modules\":{\"torch\":\"2.8.0\",\"mlx\":null}}";
        let fields = core(&piece(said(text)));
        let expected = [("python", "3.12.3"), ("python-torch", "2.8.0")];
        assert_eq!(fields, expected.map(|(name, version)| (name.to_owned(), version.to_owned())));
        assert_eq!(core(&piece(said("nothing"))), []);
    }

    #[test]
    fn only_a_name_of_the_index_is_a_name() {
        assert_eq!(module("python:nvidia-nccl-cu12"), Some("nvidia-nccl-cu12"));
        for bad in ["python:", "python:-x", "python:a b", "python:x;y", "torch", "python:../x"] {
            assert_eq!(module(bad), None, "{bad}");
        }
    }
}
