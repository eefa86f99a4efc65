//! Checks, answers and metrics for the tests of judgement, in as few words as possible.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;

use verify_model::{
    baseline::Baseline,
    check::{Check, Comparing, Expectation, Location},
    effect::Effect,
    finding::FindingCode,
    judge::judge,
    matcher::Matcher,
    metric::{Direction, Metric},
    observation::{Attempt, AttemptError, Observation},
    outcome::Outcome,
    quantity::Quantity,
    unit::Unit,
    value::Value,
    verdict::{Answer, CheckKey, Verdict},
};

pub(crate) const NODE: &str = "nvidia";
pub(crate) const ID: &str = "group/name";

pub(crate) fn q(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

pub(crate) fn us(value: f64) -> Quantity {
    Quantity::of(value, "us").unwrap()
}

pub(crate) fn demand(field: &str, matchers: Vec<Matcher>) -> Expectation {
    Expectation {
        field: field.into(),
        matchers,
        source: None,
        comparing: Comparing::default(),
        location: Location::default(),
    }
}

/// Builds a check that demands nothing yet.
pub(crate) fn check() -> Check {
    Check {
        id: ID.into(),
        suite: "sample".into(),
        title: "A sample".into(),
        probe: "sample".into(),
        with: BTreeMap::new(),
        effect: Effect::Reads,
        after: vec![],
        when: vec![],
        tags: vec![],
        why: "Because.".into(),
        source: "A data sheet.".into(),
        fix: "Repair it.".into(),
        repeat: 1,
        limit_ms: 1000,
        retries: 1,
        expect: vec![],
        advise: vec![],
        record: vec![],
        location: Location::default(),
    }
}

/// Builds a check with one demand on `value`.
pub(crate) fn demanding(matcher: Matcher) -> Check {
    Check { expect: vec![demand("value", vec![matcher])], ..check() }
}

pub(crate) fn attempt(repeat: u32, observation: Observation) -> Attempt {
    Attempt {
        repeat,
        r#try: 1,
        at_ms: 0,
        elapsed_us: 10,
        result: Ok(observation),
        disturbed: None,
        evidence: vec![7],
    }
}

pub(crate) fn error(repeat: u32, r#try: u32, code: FindingCode) -> Attempt {
    let result = Err(AttemptError { code, message: "it did not work".into() });
    Attempt { r#try, result, ..attempt(repeat, Observation::default()) }
}

pub(crate) fn metric(samples: &[f64]) -> Metric {
    let unit = Unit::parse("us").unwrap();
    Metric::new(unit, Direction::LowerIsBetter, samples.to_vec()).unwrap()
}

pub(crate) fn measured(samples: &[f64]) -> Observation {
    Observation::default().metric("value", metric(samples))
}

pub(crate) fn found(value: Value) -> Observation {
    Observation::default().fact("value", value)
}

/// Answers with one observation a repeat.
pub(crate) fn answer(observations: impl IntoIterator<Item = Observation>) -> Answer {
    Answer::Attempted((1..).zip(observations).map(|(n, o)| attempt(n, o)).collect())
}

pub(crate) fn baseline(centre: &str) -> Baseline {
    Baseline { units: 5, ..Baseline::new(CheckKey::new(NODE, ID), "value", q(centre)) }
}

/// Judges without a baseline.
pub(crate) fn verdict(check: &Check, answer: &Answer) -> Verdict {
    judge(NODE, check, answer, &[])
}

pub(crate) fn outcome(check: &Check, answer: &Answer) -> Outcome {
    verdict(check, answer).outcome
}

/// Judges one value by one matcher.
pub(crate) fn meets(matcher: Matcher, value: Value) -> Outcome {
    outcome(&demanding(matcher), &answer([found(value)]))
}

pub(crate) fn list(values: impl IntoIterator<Item = i64>) -> Value {
    Value::List(values.into_iter().map(Value::Integer).collect())
}

pub(crate) fn codes(verdict: &Verdict) -> Vec<FindingCode> {
    verdict.findings.iter().map(|f| f.code).collect()
}
