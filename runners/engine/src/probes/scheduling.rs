//! Answers whether real-time scheduling can be had, by taking it.
//!
//! A limit in a file says what should be allowed; whether the kernel allows it depends on limits,
//! capabilities, cgroups and security modules together. So an instrument takes the priority and
//! locks the memory, and its process ends with both.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Integer, Text},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    parse::instrument,
    probe::{Probe, ProbeSpec, With, failed, field},
};

pub(super) struct Scheduling;

const NAME: &str = "scheduling";
const BY: &str = "verify instrument scheduling";
/// Limit of the instrument, which takes milliseconds. *Units*: ms.
const LIMIT_MS: u64 = 10_000;

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "Whether real-time scheduling can be had: SCHED_FIFO taken, memory locked.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("fifo", || Text, BY, "`taken`, or what refused SCHED_FIFO and why."),
        field("memory-lock", || Text, BY, "`locked`, or what refused to lock 64 MiB and why."),
        field(
            "rt-runtime",
            || Integer,
            "/proc/sys/kernel/sched_rt_runtime_us",
            "Microseconds of each second that real-time tasks may have; -1 is all of them.",
        ),
    ],
    example: r#"expect = { fifo = "taken", memory-lock = "locked" }"#,
};

impl Probe for Scheduling {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::Instrument { argv: vec![NAME.to_owned()], limit_ms: LIMIT_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [piece] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "the instrument was not gathered"));
        };
        let result = instrument::result(piece, NAME)?;
        let runtime = match result.get("rt-runtime-us").and_then(Json::as_i64) {
            Some(us) => Value::Integer(us),
            None => Value::Absent("the kernel does not say how much real-time tasks may".into()),
        };
        Ok(Observation::default()
            .fact("fifo", part(&result, "fifo", ("taken", "taken")))
            .fact("memory-lock", part(&result, "memory-lock", ("locked-bytes", "locked")))
            .fact("rt-runtime", runtime))
    }
}

/// Says how one part came out: the word where its key says so, else what refused.
fn part(result: &Json, name: &str, (key, word): (&str, &str)) -> Value {
    let Some(part) = result.get(name) else {
        return Value::Unreadable(format!("the instrument says nothing of {name}"));
    };
    if let Some(why) = instrument::refusal(part) {
        return Value::Text(format!("refused: {why}"));
    }
    match part.get(key) {
        Some(Json::Bool(true)) => Value::text(word),
        Some(Json::Number(number)) if number.as_u64().is_some_and(|n| n > 0) => Value::text(word),
        Some(Json::Bool(false)) => Value::text("asked for and not there when read back"),
        _ => Value::Unreadable(format!("the instrument does not say whether {name} was {word}")),
    }
}
