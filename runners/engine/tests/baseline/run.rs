//! Runs for the tests of baselines, in as few words as possible.

use std::collections::BTreeMap;

use verify_engine::baseline::{Acceptance, Proposal, Rebase, Shelf, accept, propose};
use verify_model::{
    check::{Check, Comparing, Expectation, Location},
    effect::Effect,
    finding::FindingCode,
    fingerprint::Fingerprint,
    judge::judge,
    matcher::Matcher,
    metric::{Direction, Metric},
    node::{Facts, NodeFile, Via},
    observation::{Attempt, AttemptError, Observation},
    run::{Header, PlannedCheck, RUN_FORMAT, Run, RunCheck, RunNode},
    unit::Unit,
    verdict::Answer,
};

pub(crate) const NODE: &str = "box";
pub(crate) const CHECK: &str = "disk/read";

/// Demands at least 1 GB/s and at most 10 % less than the baseline.
pub(crate) fn check() -> Check {
    let matchers =
        vec![Matcher::AtLeast("1 GB/s".parse().unwrap()), Matcher::Within("10 %".parse().unwrap())];
    let rate = Expectation {
        field: "rate".into(),
        matchers,
        source: None,
        comparing: Comparing::default(),
        location: Location::default(),
    };
    Check {
        id: CHECK.into(),
        suite: "disk".into(),
        title: "It reads fast".into(),
        probe: "sample".into(),
        with: BTreeMap::new(),
        effect: Effect::Loads,
        after: vec![],
        when: vec![],
        tags: vec![],
        why: "Because.".into(),
        source: "A data sheet.".into(),
        fix: "Repair it.".into(),
        repeat: 1,
        limit_ms: 1000,
        retries: 0,
        expect: vec![rate],
        advise: vec![],
        record: vec!["latency.p99".into()],
        location: Location::default(),
    }
}

/// Reads at a rate, with some latencies.
pub(crate) fn read(rate: f64) -> Observation {
    let metric = |unit: &str, direction, samples: &[f64]| {
        Metric::new(Unit::parse(unit).unwrap(), direction, samples.to_vec()).unwrap()
    };
    Observation::default()
        .metric("rate", metric("GB/s", Direction::HigherIsBetter, &[rate]))
        .metric("latency", metric("us", Direction::LowerIsBetter, &[90.0, 100.0, 110.0, 400.0]))
        .metric("unasked", metric("W", Direction::Neutral, &[7.0]))
}

pub(crate) fn attempt(repeat: u32, observation: Observation) -> Attempt {
    Attempt {
        repeat,
        r#try: 1,
        at_ms: 5,
        elapsed_us: 10,
        result: Ok(observation),
        disturbed: None,
        evidence: vec![],
    }
}

pub(crate) fn error(repeat: u32) -> Attempt {
    let message = "the disk was busy".to_owned();
    let result = Err(AttemptError { code: FindingCode::TimedOut, message });
    Attempt { result, ..attempt(repeat, Observation::default()) }
}

/// Numbers runs so that they sort by time.
pub(crate) fn id(number: u32) -> String {
    format!("01K{number:023}")
}

/// Builds a run of one check.
pub(crate) fn run(number: u32, attempts: Vec<Attempt>) -> Run {
    let facts = Facts {
        hostname: "tower".into(),
        boot: format!("boot-{}", number / 2),
        ..Facts::default()
    };
    let file = NodeFile { name: NODE.into(), ..NodeFile::default() };
    let answer = Answer::Attempted(attempts);
    let check = check();
    let verdict = judge(NODE, &check, &answer, &[]);
    let planned = PlannedCheck { node: NODE.into(), check };
    Run {
        header: Header {
            format: RUN_FORMAT.into(),
            id: id(number),
            started_at: format!("2026-11-{:02}T08:00:00Z", 1 + number % 28),
            version: "0.1.0".into(),
            root: "here".into(),
            command: vec![],
            require_baseline: false,
            until_decided: false,
            orchestrator: "tower".into(),
        },
        nodes: vec![RunNode { file, via: Via::Local, facts, fingerprint: Fingerprint::default() }],
        suites: vec![],
        checks: vec![RunCheck { planned, answer, verdict }],
        baselines: vec![],
        trends: vec![],
        evidence: vec![],
        elapsed_ms: 1,
        interrupted: false,
        complete: true,
    }
}

/// Builds a run with one attempt at a rate.
pub(crate) fn at(number: u32, rate: f64) -> Run {
    run(number, vec![attempt(1, read(rate))])
}

pub(crate) fn everything(run: &Run) -> Proposal {
    propose(run, |_| true, false)
}

pub(crate) fn because(reason: &str) -> Acceptance {
    Acceptance {
        reason: reason.into(),
        version: "0.1.0".into(),
        new_epoch: false,
        rebase: Rebase::Never,
    }
}

/// Accepts a run and demands that nothing is refused.
#[track_caller]
pub(crate) fn accepted(shelf: &Shelf, run: &Run) {
    let change = accept(shelf, &everything(run), &because("it is so")).unwrap();
    assert_eq!(change.refused, []);
}
