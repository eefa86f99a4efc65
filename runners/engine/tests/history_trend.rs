//! What earlier runs measured stands beside a run: values of one kind alone, and nothing where nobody knows.
#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "damages a file")]

#[path = "baseline/run.rs"]
#[allow(dead_code, reason = "the tests of baselines use all of it")]
mod sample;

use std::{fs, path::Path};

use verify_engine::{
    history::{Entry, FILE, Index, Trends},
    record::Store,
};
use verify_model::{
    event::Event,
    node::Via,
    run::Run,
    trend::{POINTS, Trend},
};

fn store(dir: &Path) -> Store {
    Store { dir: dir.join("runs") }
}

/// Indexes runs as the command does.
fn index(dir: &Path, runs: impl IntoIterator<Item = Run>) {
    let opened = Index::open(&store(dir)).unwrap();
    for run in runs {
        opened.index.inserter().unwrap().put(&Entry::of(&run).unwrap(), 1).unwrap();
    }
}

/// Returns a run at a rate, a day after the one before it.
fn at(number: u32, rate: f64) -> Run {
    let mut run = sample::at(number, rate);
    let second = 1_700_000_000 + i64::from(number) * 86_400;
    run.header.started_at = jiff::Timestamp::from_second(second).unwrap().to_string();
    run
}

fn simulated(mut run: Run) -> Run {
    run.nodes[0].via = Via::Sim("calm".into());
    run
}

fn trends(dir: &Path, run: &Run) -> Vec<Trend> {
    let mut trends = Trends::default();
    run.nodes.iter().for_each(|node| trends.hear(&Event::Node(node.clone())));
    run.checks.iter().for_each(|check| trends.hear(&Event::Planned(check.planned.clone())));
    run.verdicts().for_each(|verdict| trends.hear(&Event::Verdict(verdict.clone())));
    let index = Index::glance(&store(dir));
    index.and_then(|index| trends.told(&index).ok()).unwrap_or_default()
}

fn rates(trends: &[Trend]) -> Vec<f64> {
    let rate = trends.iter().find(|trend| trend.field == "rate");
    rate.map(|trend| trend.points.iter().map(|point| point.value).collect()).unwrap_or_default()
}

#[test]
fn values_come_oldest_first_and_the_newest_of_many() {
    let dir = tempfile::tempdir().unwrap();
    index(dir.path(), (0..40).map(|number| at(number, 2.0 + f64::from(number) / 100.0)));
    let found = trends(dir.path(), &at(40, 2.4));
    let rates = rates(&found);
    assert_eq!((rates.len(), rates.first(), rates.last()), (POINTS, Some(&2.1), Some(&2.39)));
    assert_eq!(found.iter().map(|t| t.field.as_str()).collect::<Vec<_>>(), ["latency.p99", "rate"]);
}

#[test]
fn a_change_of_the_level_is_named_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let level = |number: u32| if number < 12 { 3.0 } else { 2.0 };
    index(dir.path(), (0..24).map(|n| at(n, level(n) + f64::from(n % 3) / 100.0)));
    let found = trends(dir.path(), &at(24, 2.0));
    let rate = found.iter().find(|trend| trend.field == "rate").unwrap();
    assert_eq!(rate.changes.iter().map(|c| (c.at, c.worse)).collect::<Vec<_>>(), [(12, true)]);
}

#[test]
fn what_is_simulated_and_what_is_measured_are_never_mixed() {
    let dir = tempfile::tempdir().unwrap();
    index(dir.path(), [at(1, 2.0), simulated(at(2, 9.0)), at(3, 2.1), simulated(at(4, 9.1))]);
    assert_eq!(rates(&trends(dir.path(), &at(5, 2.0))), [2.0, 2.1]);
    let found = trends(dir.path(), &simulated(at(5, 9.0)));
    assert_eq!(rates(&found), [9.0, 9.1]);
    assert!(found.iter().all(|trend| trend.simulated));
}

#[test]
fn another_machine_or_definition_is_another_kind_and_a_replay_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = at(1, 5.0);
    other.nodes[0].facts.hostname = "barn".into();
    let mut changed = at(2, 6.0);
    changed.checks[0].planned.check.probe = "other".into();
    index(dir.path(), [other, changed, at(3, 2.0)]);
    assert_eq!(rates(&trends(dir.path(), &at(4, 2.0))), [2.0]);
    let mut replayed = at(4, 2.0);
    replayed.nodes[0].via = Via::Replay("01K".into());
    assert_eq!(trends(dir.path(), &replayed), []);
}

#[test]
fn without_an_index_or_with_a_broken_one_there_is_nothing_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(trends(dir.path(), &at(1, 2.0)), []);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    fs::write(dir.path().join(FILE), "not a database, but long enough to look at".repeat(99))
        .unwrap();
    assert_eq!(trends(dir.path(), &at(1, 2.0)), []);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
