//! Answers which `verify` is installed on a node, and whether it asks the same as the one that asks now.
//!
//! Two machines that check themselves by different suites are both green and not alike. The digest is
//! that of the suites within the program; a root laid over them has its own digests in each record.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Bool, Text, Version as Release},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
    version::Version,
};

use crate::{
    load::embedded,
    probe::{Probe, ProbeSpec, With, failed, field, text_of},
};

pub(super) struct VerifyVersion;

const ASKED: &str = "verify --version";

static SPEC: ProbeSpec = ProbeSpec {
    name: "verify-version",
    summary: "Which verify is installed on a node, and whether it asks the same.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("version", || Release, ASKED, "Its version."),
        field("commit", || Text, ASKED, "Commit that it was built from; absent where not known."),
        field("suites", || Text, ASKED, "Digest of the suites within it."),
        field("same-version", || Bool, ASKED, "Whether the version is that of the one that asks."),
        field("same-suites", || Bool, ASKED, "Whether the suites are those of the one that asks."),
    ],
    example: r"expect = { same-suites = true }",
};

impl Probe for VerifyVersion {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::exec(["verify", "--version"])])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let Some(piece) = evidence.first() else {
            return Err(failed(FindingCode::NotRecorded, "its version was not asked for"));
        };
        let text = text_of(piece)?;
        let version = text.lines().next().and_then(|line| line.strip_prefix("verify "));
        let version = version.and_then(|version| Version::parse(version.trim()));
        let Some(version) = version else {
            let message = format!("{}: the first line is not `verify VERSION`", piece.ask);
            return Err(failed(FindingCode::OutputUnreadable, message));
        };
        let said = |name: &str| {
            let lines = text.lines().filter_map(|line| line.split_once(' '));
            let found = lines.filter(|(key, _)| *key == name).map(|(_, value)| value.trim()).next();
            found.filter(|value| *value != "not known")
        };
        let named = |name: &str| {
            let absent = || Value::Absent(format!("it names no `{name}`"));
            said(name).map_or_else(absent, Value::text)
        };
        let same_version = Version::parse(env!("CARGO_PKG_VERSION")).as_ref() == Some(&version);
        // One that is too old to name its suites has other ones.
        let same_suites = said("suites") == Some(embedded::digest().as_str());
        Ok(Observation::default()
            .fact("version", Value::text(version.to_string()))
            .fact("commit", named("commit"))
            .fact("suites", named("suites"))
            .fact("same-version", Value::Bool(same_version))
            .fact("same-suites", Value::Bool(same_suites)))
    }
}

#[cfg(test)]
mod tests {
    use verify_model::evidence::{Captured, Stream};

    use super::*;

    #[test]
    fn the_same_program_over_there_is_the_same() {
        let text = format!(
            "verify {}\ncommit    not known\nsuites    {}\n",
            env!("CARGO_PKG_VERSION"),
            embedded::digest()
        );
        let captured = Captured::Exec {
            exit: Some(0),
            signal: None,
            stdout: Stream::whole(text.as_bytes()),
            stderr: Stream::default(),
        };
        let ask = Ask::exec(["verify", "--version"]);
        let node = "n".to_owned();
        let piece = Evidence { id: 0, node, ask, at_ms: 0, elapsed_us: 0, captured };
        let params = verify_model::check::Params::new();
        let seen = VerifyVersion.read(With(&params), &[&piece]).unwrap();
        for field in ["same-version", "same-suites"] {
            assert_eq!(seen.facts.get(field), Some(&Value::Bool(true)), "{field}");
        }
        assert!(matches!(seen.facts.get("commit"), Some(Value::Absent(_))));
    }
}
