//! Answers whether a program can have huge pages, by an instrument that maps and touches them.
//!
//! Takes one page of each size out of the pool for a moment, so it counts as load. What the pools
//! hold is answered by `hugepages`.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::Text,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    parse::instrument,
    probe::{Probe, ProbeSpec, With, field},
};

pub(super) struct HugePage;

const NAME: &str = "hugepages";
const BY: &str = "verify instrument hugepages";
/// Limit of the instrument, which clears 1 GiB. *Units*: ms.
const LIMIT_MS: u64 = 30_000;

static SPEC: ProbeSpec = ProbeSpec {
    name: "huge-page",
    summary: "Whether a program can have huge pages: one of each size mapped, touched, given back.",
    effect: Effect::Loads,
    depends: &[],
    params: &[],
    fields: &[
        field("size-2m", || Text, BY, "`mapped`, or what refused a page of 2 MiB and why."),
        field("size-1g", || Text, BY, "`mapped`, or what refused a page of 1 GiB and why."),
    ],
    example: r#"expect = { size-2m = "mapped", size-1g = "mapped" }"#,
};

impl Probe for HugePage {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::Instrument { argv: vec![NAME.to_owned()], limit_ms: LIMIT_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let result = instrument::gathered(evidence, NAME)?;
        let size = |name: &str, kib: u64| match result.get(name) {
            Some(part) => instrument::part(part, |part| mapped(part, kib)),
            None => Value::Unreadable(format!("the instrument says nothing of {name}")),
        };
        Ok(Observation::default()
            .fact("size-2m", size("size-2m", 2048))
            .fact("size-1g", size("size-1g", 1024 * 1024)))
    }
}

/// Tells whether what was mapped is what was asked for.
fn mapped(part: &Json, kib: u64) -> Value {
    let number = |key: &str| part.get(key).and_then(Json::as_u64);
    let (page, private) = (number("kernel-page-size-kib"), number("private-hugetlb-kib"));
    let (Some(page), Some(private)) = (page, private) else {
        return Value::Unreadable("it does not say which pages the kernel gave (smaps)".to_owned());
    };
    let yes = |key: &str| part.get(key).and_then(Json::as_bool);
    if page != kib || private != kib {
        return Value::Text(format!(
            "mapped, but with {private} KiB in pages of {page} KiB instead of {kib} KiB"
        ));
    }
    match (yes("kept"), yes("unmapped")) {
        (Some(true), Some(true)) => Value::text("mapped"),
        (Some(false), _) => Value::text("mapped, but it did not keep what was written"),
        (_, Some(false)) => Value::text("mapped, but it could not be given back"),
        _ => Value::Unreadable("the instrument does not say how it ended".to_owned()),
    }
}
