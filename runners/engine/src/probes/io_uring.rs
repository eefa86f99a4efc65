//! Answers whether a program can have `io_uring`, by an instrument that reads a file through one.
//!
//! The sysctl says what is forbidden to whom; seccomp filters and security modules say nothing
//! until they are asked, so a ring is really set up and the bytes are compared.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Integer, Text},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    parse::instrument,
    probe::{Probe, ProbeSpec, With, field},
};

pub(super) struct IoUring;

const NAME: &str = "io-uring";
/// Limit of the instrument, which takes milliseconds. *Units*: ms.
const LIMIT_MS: u64 = 10_000;

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "Whether a program can have io_uring: set up, and a file read through it.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field(
            "ring",
            || Text,
            "verify instrument io-uring",
            "`works`, or what refused a ring or the read through it and why.",
        ),
        field(
            "disabled",
            || Integer,
            "/proc/sys/kernel/io_uring_disabled",
            "Whom the kernel refuses: 0 nobody, 1 the unprivileged, 2 everybody; not there before 6.6.",
        ),
    ],
    example: r#"expect = { ring = "works" }"#,
};

impl Probe for IoUring {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::Instrument { argv: vec![NAME.to_owned()], limit_ms: LIMIT_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let result = instrument::gathered(evidence, NAME)?;
        let disabled = match result.get("disabled") {
            Some(Json::Number(number)) if number.is_i64() => {
                Value::Integer(number.as_i64().unwrap_or_default())
            }
            Some(Json::Null) => Value::Absent("the kernel has no such switch (before 6.6)".into()),
            _ => Value::Unreadable("the instrument says nothing of `disabled`".into()),
        };
        Ok(Observation::default()
            .fact("ring", instrument::part(&result, works))
            .fact("disabled", disabled))
    }
}

fn works(result: &Json) -> Value {
    let read = result.get("read-bytes").and_then(Json::as_u64);
    match (result.get("equal").and_then(Json::as_bool), read) {
        (Some(true), Some(1..)) => Value::text("works"),
        (Some(true), Some(0)) => Value::text("nothing was read through the ring"),
        (Some(false), Some(_)) => Value::text("the bytes read through the ring are other ones"),
        _ => Value::Unreadable("the instrument does not say whether the bytes are equal".into()),
    }
}
