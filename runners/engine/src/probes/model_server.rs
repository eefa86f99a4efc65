//! Answers whether a model server becomes ready, completes, and how fast, by the instrument of that name.
//!
//! A server that does not become ready is the node's answer, with its last words. Tokens are what
//! the server counts, never chunks; without a count there is no figure. One that was started has
//! ended when this answers, and whether all of it has is a field. Where somebody else uses the cards,
//! nothing is judged.

mod command;
mod field;
mod read;

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    finding::FindingCode,
    fingerprint::Depends,
    node::Facts,
    observation::{AttemptError, Observation},
};

use self::field::{FIELDS, PARAMS};
use crate::{
    parse::instrument,
    probe::{Probe, ProbeSpec, With, failed},
};

pub(super) struct ModelServer;

const NAME: &str = "model-server";
/// A check's own limit takes its place. *Units*: ms.
const LIMIT_MS: u64 = 1_800_000;

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "Whether a model server becomes ready and completes, how fast, and on which GPUs.",
    effect: Effect::Loads,
    depends: &[
        Depends::cause("python"),
        Depends::cause("torch"),
        Depends::cause("gpu"),
        Depends::cause("bridge"),
        Depends::cause("driver"),
        Depends::cause("cuda"),
        Depends::cause("cpu"),
        Depends::cause("memory"),
        Depends::cause("kernel"),
    ],
    params: PARAMS,
    fields: FIELDS,
    example: r#"with = { model = "/srv/models/llama", tensor-parallel = 2, context = 8192 }
expect = { ready = true, trouble = "none", completed = { agrees-with = "requests" }, torn-down = true }"#,
};

impl Probe for ModelServer {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::Instrument { argv: command::argv(with, facts)?, limit_ms: LIMIT_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [piece] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "the instrument was not gathered"));
        };
        let result = instrument::result(piece, NAME)?;
        read::all(&result)
    }
}
