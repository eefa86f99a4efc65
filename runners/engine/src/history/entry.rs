//! What of a run goes into the index: a value for each metric, and what it needs to be compared.
//!
//! Pure. A value is the reading that was judged or recorded, in the unit in which it was said: no
//! digit is lost, and the unit knows its base. What a check did not answer has no value.

use verify_model::{
    check::{Check, Expectation},
    fingerprint::Fingerprint,
    judge::final_attempts,
    matcher::Matcher,
    metric::Direction,
    node::Via,
    observation::Attempt,
    outcome::Outcome,
    quantity::Quantity,
    run::{Run, RunCheck, RunNode},
    verdict::Answer,
};

use crate::baseline::definition;

/// Says what kept a value from being a plain measurement of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each says another thing, and several may hold")]
pub struct Flags {
    /// A scenario answered.
    pub simulated: bool,
    /// An old record answered.
    pub replayed: bool,
    /// Its conditions did not hold.
    pub disturbed: bool,
    /// The check was not answered as a whole, or not in every repeat.
    pub errored: bool,
}

impl Flags {
    /// Tells whether the value may stand beside others.
    pub fn is_plain(self) -> bool {
        self == Self::default()
    }
}

/// Holds one value, as it goes into the index.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Id of the check.
    pub check: String,
    /// Field of its answer.
    pub field: String,
    /// What was read.
    pub quantity: Quantity,
    /// Which way is better.
    pub direction: Direction,
    /// Digest of probe and parameters.
    pub definition: String,
    /// What the suite tolerates against a baseline, as a share.
    pub tolerance: Option<f64>,
    /// Outcome of the check.
    pub outcome: Outcome,
    /// What kept it from being a plain measurement.
    pub flags: Flags,
}

/// Holds one node of a run with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Name of the node.
    pub node: String,
    /// Host name of the machine that answered.
    pub machine: String,
    /// Boot of that machine; empty where nobody knows.
    pub boot: String,
    /// By what way it was asked.
    pub via: String,
    /// Digest of the fingerprint; empty where none was gathered.
    pub digest: String,
    /// The fingerprint's fields, as JSON.
    pub fields: String,
    /// Values, in the order of the run.
    pub values: Vec<Value>,
}

/// Holds all of a run that goes into the index.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Id of the run.
    pub ulid: String,
    /// When it started. *Units*: ms since 1970.
    pub started_ms: i64,
    /// Version of verify.
    pub version: String,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Whether its record has its end.
    pub complete: bool,
    /// Its nodes.
    pub parts: Vec<Part>,
}

impl Entry {
    /// Reads what there is to index.
    ///
    /// *Errors*: its start is no time, in words.
    pub fn of(run: &Run) -> Result<Self, String> {
        let header = &run.header;
        let started: jiff::Timestamp = header
            .started_at
            .parse()
            .map_err(|_| format!("its start `{}` is no time", header.started_at))?;
        Ok(Self {
            ulid: header.id.clone(),
            started_ms: started.as_millisecond(),
            version: header.version.clone(),
            interrupted: run.interrupted,
            complete: run.complete,
            parts: run.nodes.iter().map(|node| part(run, node)).collect(),
        })
    }
}

fn part(run: &Run, node: &RunNode) -> Part {
    let name = &node.file.name;
    let own = run.checks.iter().filter(|check| check.planned.node == *name);
    let (digest, fields) = digest(&node.fingerprint);
    Part {
        node: name.clone(),
        machine: node.facts.hostname.clone(),
        boot: node.facts.boot.clone(),
        via: node.via.to_string(),
        digest,
        fields,
        values: own.flat_map(|check| values(node, check)).collect(),
    }
}

/// Returns a digest of the fields, and the fields; both are empty where nothing was looked for.
fn digest(fingerprint: &Fingerprint) -> (String, String) {
    if fingerprint.is_empty() {
        return (String::new(), String::new());
    }
    let fields = serde_json::to_string(fingerprint).unwrap_or_default();
    (crate::load::catalog::digest(fields.as_bytes()), fields)
}

fn values(node: &RunNode, check: &RunCheck) -> Vec<Value> {
    let Answer::Attempted(attempts) = &check.answer else { return Vec::new() };
    let finals = final_attempts(attempts);
    let (planned, verdict) = (&check.planned.check, &check.verdict);
    let flags = flags(node, verdict.outcome, &finals);
    let definition = definition(planned);
    let mut found: Vec<Value> = Vec::new();
    for reading in &verdict.readings {
        // A field may be demanded and recorded, too: it has one value.
        let known = found.iter().any(|value| value.field == reading.field);
        let Some(quantity) = reading.quantity.filter(|_| !known) else { continue };
        found.push(Value {
            check: planned.id.clone(),
            field: reading.field.clone(),
            quantity,
            direction: direction(&reading.field, &finals),
            definition: definition.clone(),
            tolerance: tolerance(planned, &reading.field),
            outcome: verdict.outcome,
            flags,
        });
    }
    found
}

fn flags(node: &RunNode, outcome: Outcome, finals: &[&Attempt]) -> Flags {
    let observed = || finals.iter().filter_map(|attempt| attempt.result.as_ref().ok());
    Flags {
        simulated: node.facts.simulated.is_some()
            || matches!(node.via, Via::Sim(_))
            || observed().any(|observation| observation.simulated.is_some()),
        replayed: matches!(node.via, Via::Replay(_)),
        disturbed: finals.iter().any(|attempt| attempt.disturbed.is_some()),
        errored: outcome == Outcome::Error || finals.iter().any(|attempt| attempt.result.is_err()),
    }
}

/// Says which way a field is better; of a fact nobody says so.
fn direction(field: &str, finals: &[&Attempt]) -> Direction {
    let mut observed = finals.iter().filter_map(|attempt| attempt.result.as_ref().ok());
    let metric = observed.find_map(|observation| observation.metric_at(field));
    metric.map_or(Direction::Neutral, verify_model::metric::Metric::direction)
}

fn tolerance(check: &Check, field: &str) -> Option<f64> {
    let demands = check.expect.iter().chain(&check.advise);
    let own = demands.filter(|expectation: &&Expectation| expectation.field == field);
    own.flat_map(|expectation| &expectation.matchers).find_map(|matcher| match matcher {
        Matcher::Within(tolerance) => Some(tolerance.difference()),
        _ => None,
    })
}
