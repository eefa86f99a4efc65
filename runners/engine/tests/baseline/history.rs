//! Which units count, what stays, and that merging two people's ledgers is a union.

use proptest::prelude::*;
use verify_engine::{
    baseline::{ANCHOR_UNITS, Acceptance, CURRENT_UNITS, Histogram, Ledger, accept},
    load::diagnostic::Source,
};

use crate::{
    Ground, disk,
    run::{CHECK, accepted, at, because, everything, id},
};

/// Builds a ledger of some runs, all in the epoch of run 0.
fn ledger(numbers: &[u32]) -> Ledger {
    let mut ledger = Ledger::default();
    for number in numbers {
        let proposal = everything(&at(*number, 2.0));
        for unit in proposal.units[&disk()].clone() {
            let unit = verify_engine::baseline::Unit { epoch: id(0), ..unit };
            ledger.insert(unit).unwrap();
        }
    }
    ledger
}

#[test]
fn the_latest_units_count_and_the_first_ones_stay_as_the_anchor() {
    let ground = Ground::new();
    for number in 1..=100 {
        accepted(&ground.shelf, &at(number, 2.0));
    }
    let kept = ground.shelf.read(&disk()).unwrap();
    let history = kept.history(CHECK).unwrap();
    let runs = |units: &[&verify_engine::baseline::Unit]| -> Vec<String> {
        units.iter().map(|unit| unit.run.clone()).collect()
    };
    assert_eq!(runs(&history.anchor), (1..=10).map(id).collect::<Vec<_>>());
    assert_eq!(runs(&history.current), (41..=100).map(id).collect::<Vec<_>>());
    assert_eq!(kept.render().lines().count(), ANCHOR_UNITS + CURRENT_UNITS);
}

#[test]
fn units_of_older_epochs_are_kept_for_later_rules_and_do_not_count() {
    let ground = Ground::new();
    for number in 1..=20 {
        let new_epoch = number % 2 == 1;
        let words = Acceptance { new_epoch, ..because("again") };
        accept(&ground.shelf, &everything(&at(number, 2.0)), &words).unwrap();
    }
    let kept = ground.shelf.read(&disk()).unwrap();
    let history = kept.history(CHECK).unwrap();
    assert_eq!(history.current.iter().map(|u| u.run.clone()).collect::<Vec<_>>(), [id(19), id(20)]);
    // The anchor, and the units of eight epochs: 5..=20, of which the first six are anchor already.
    let lines: Vec<u32> = (1..=20).filter(|n| kept.render().contains(&id(*n))).collect();
    assert_eq!(lines, (1..=20).collect::<Vec<_>>());
    for number in 21..=40 {
        let words = Acceptance { new_epoch: true, ..because("again") };
        accept(&ground.shelf, &everything(&at(number, 2.0)), &words).unwrap();
    }
    let kept = ground.shelf.read(&disk()).unwrap().render();
    let lines: Vec<u32> = (1..=40).filter(|n| kept.contains(&id(*n))).collect();
    assert_eq!(lines, (1..=10).chain(33..=40).collect::<Vec<_>>());
}

#[test]
fn histograms_of_units_merge_into_one() {
    let kept = ledger(&[1, 2, 3]);
    let history = kept.history(CHECK).unwrap();
    let parts = history.current.iter().filter_map(|u| u.metrics["latency"].histogram.as_ref());
    let merged = Histogram::merge(parts).unwrap().unwrap();
    assert_eq!(merged.samples(), Ok(12));
    let us = verify_model::unit::Unit::parse("us").unwrap();
    let top = merged.quantile("max", us).unwrap();
    assert!((top - 400.0).abs() < 0.4, "{top}");
}

#[test]
fn the_same_unit_with_two_contents_is_a_contradiction_and_changes_nothing() {
    let mut one = ledger(&[1, 2]);
    let mut other = Ledger::default();
    for number in [2, 3] {
        let unit = everything(&at(number, 9.0)).units[&disk()][0].clone();
        other.insert(unit).unwrap();
    }
    let before = one.clone();
    let conflict = one.union(&other).unwrap_err().to_string();
    assert!(conflict.contains(&id(2)) && conflict.contains(CHECK), "{conflict}");
    assert_eq!(one, before);
}

#[test]
fn the_anchor_is_of_the_machine_and_the_definition_that_count_now() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    let mut redefined = at(2, 3.0);
    redefined.checks[0].planned.check.probe = "another".into();
    let anew = Acceptance { new_epoch: true, ..because("another program") };
    accept(&ground.shelf, &everything(&redefined), &anew).unwrap();
    let ledger = ground.shelf.read(&disk()).unwrap();
    let history = ledger.history(CHECK).unwrap();
    assert_eq!(history.anchor, history.current);
    assert_eq!(history.current.len(), 1);
}

#[test]
fn one_run_accepted_by_two_people_in_other_words_is_one_unit() {
    let unit = everything(&at(3, 2.0)).units[&disk()][0].clone();
    let said = |epoch: u32, reason: &str| verify_engine::baseline::Unit {
        epoch: id(epoch),
        reason: reason.into(),
        ..unit.clone()
    };
    let all = [said(1, "zeal"), said(3, "begins anew"), said(3, "anew"), said(1, "as built")];
    for (at, first) in all.iter().enumerate() {
        let mut ledger = Ledger::default();
        for unit in std::iter::once(first).chain(&all[..at]).chain(&all[at..]) {
            ledger.insert(unit.clone()).unwrap();
        }
        assert_eq!(ledger.render().lines().count(), 1);
        assert_eq!(ledger.history(CHECK).unwrap().current, [&said(3, "begins anew")]);
    }
}

fn read_back(text: &str) -> Ledger {
    Ledger::parse(&Source::new("x.runs.jsonl", text)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_is_a_union_whatever_the_order(
        mine in prop::collection::vec(0_u32..30, 0..8),
        yours in prop::collection::vec(0_u32..30, 0..8),
    ) {
        let (a, b) = (ledger(&mine), ledger(&yours));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.union(&b).unwrap();
        ba.union(&a).unwrap();
        prop_assert_eq!(ab.render(), ba.render());
        prop_assert_eq!(ab.digest(CHECK), ba.digest(CHECK));
        let mut again = ab.clone();
        prop_assert_eq!(again.union(&b).unwrap(), 0);
        prop_assert_eq!(&again, &ab);
        // A version control that puts the lines of both under each other is read as the same.
        let stacked = b.render() + &a.render();
        prop_assert_eq!(read_back(&stacked).render(), ab.render());
        prop_assert!(ab.render().lines().is_sorted());
    }
}
