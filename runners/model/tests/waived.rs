//! What a waiver excuses, until when, and on which machine.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use std::collections::BTreeMap;

use sample::{ID, NODE, answer, codes, demanding, error, found, verdict};
use verify_model::{
    check::Location,
    finding::FindingCode,
    fingerprint::Fingerprint,
    matcher::{Literal, Matcher},
    node::{Facts, NodeFile, Via},
    outcome::Outcome,
    run::RunNode,
    settle::{Looks, excuse_of, settle},
    value::Value,
    verdict::{Answer, Verdict},
    waiver::Waiver,
};

const TODAY: &str = "2026-06-15";

fn waiver(expires: &str) -> Waiver {
    Waiver {
        node: NODE.into(),
        check: ID.into(),
        reason: "the slot is broken".into(),
        owner: "ops".into(),
        expires: expires.into(),
        strict: false,
        only: BTreeMap::new(),
        location: Some(Location { file: "nodes/nvidia.toml".into(), line: 12 }),
    }
}

fn only(expires: &str, bios: &str) -> Waiver {
    Waiver { only: BTreeMap::from([("bios.version".into(), bios.into())]), ..waiver(expires) }
}

fn node(waivers: Vec<Waiver>) -> RunNode {
    let file = NodeFile { name: NODE.into(), waivers, ..NodeFile::default() };
    let bios = BTreeMap::from([("bios.version".to_owned(), Some("2.1".to_owned()))]);
    RunNode { file, via: Via::Local, facts: Facts::default(), fingerprint: Fingerprint(bios) }
}

/// Judges the integer 1 against a demand, and settles it on the day.
fn settled(value: Value, waivers: Vec<Waiver>) -> Verdict {
    let check = demanding(Matcher::Is(Literal::Integer(1)));
    let mut verdicts = [verdict(&check, &answer([found(value)]))];
    settle(&mut verdicts, Looks::Once, &[node(waivers)], TODAY);
    let [verdict] = verdicts;
    verdict
}

fn failed(waivers: Vec<Waiver>) -> Verdict {
    settled(Value::Integer(2), waivers)
}

fn said(verdict: &Verdict, code: FindingCode) -> String {
    let finding = verdict.findings.iter().find(|finding| finding.code == code).unwrap();
    assert_eq!(finding.location.as_ref().map(|at| at.line), Some(12));
    finding.message.clone()
}

#[test]
fn a_failure_is_excused_to_the_last_day_and_not_a_day_longer() {
    for (expires, left, valid, words) in [
        ("2026-06-17", 2, true, "waived by ops until 2026-06-17, 2 days left: the slot is broken"),
        ("2026-06-16", 1, true, "waived by ops until 2026-06-16, 1 day left: the slot is broken"),
        ("2026-06-15", 0, true, "waived by ops until 2026-06-15, its last day: the slot is broken"),
        ("2026-06-14", -1, false, "the waiver of ops expired on 2026-06-14: the slot is broken"),
    ] {
        let verdict = failed(vec![waiver(expires)]);
        let note = verdict.waiver.clone().unwrap();
        assert_eq!((note.valid, note.days_left), (valid, Some(left)), "{expires}");
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.is_waived(), valid, "{expires}");
        let code = if valid { FindingCode::Waived } else { FindingCode::WaiverExpired };
        assert_eq!(said(&verdict, code), words);
        assert_eq!(excuse_of(&node(vec![waiver(expires)]), ID, TODAY).is_some(), valid);
    }
}

#[test]
fn nothing_but_a_failure_is_excused() {
    let check = demanding(Matcher::Is(Literal::Integer(1)));
    let absent = Answer::NeedAbsent {
        capability: "nvml".into(),
        detail: "none".into(),
        expected: false,
        known: true,
    };
    let late = Answer::Attempted(vec![error(1, 1, FindingCode::TimedOut)]);
    let blocked = Answer::Blocked { by: "a/b".into(), outcome: Outcome::Fail };
    for answer in [absent, late, blocked] {
        let before = verdict(&check, &answer);
        let mut after = [before.clone()];
        let strict = Waiver { strict: true, ..waiver("2026-12-31") };
        settle(&mut after, Looks::Once, &[node(vec![strict])], TODAY);
        assert_eq!((after[0].outcome, codes(&after[0])), (before.outcome, codes(&before)));
        assert!(!after[0].is_waived());
    }
}

#[test]
fn a_pass_makes_a_waiver_needless_and_a_strict_one_a_failure() {
    let one = || Value::Integer(1);
    let passed = settled(one(), vec![waiver("2026-12-31")]);
    assert_eq!((passed.outcome, codes(&passed)), (Outcome::Pass, vec![FindingCode::RemoveWaiver]));
    assert_eq!(
        said(&passed, FindingCode::RemoveWaiver),
        "passes again: the waiver of ops (nodes/nvidia.toml:12) is not needed"
    );
    let strict = settled(one(), vec![Waiver { strict: true, ..waiver("2026-12-31") }]);
    assert_eq!(
        (strict.outcome, strict.decided_by),
        (Outcome::Fail, Some(FindingCode::WaiverUnneeded))
    );
    assert!(!strict.is_waived() && !strict.waiver.as_ref().unwrap().valid);
    assert!(said(&strict, FindingCode::WaiverUnneeded).contains("strict waiver of ops"));
    // A strict one that is needed excuses as any other.
    assert!(failed(vec![Waiver { strict: true, ..waiver("2026-12-31") }]).is_waived());
}

#[test]
fn a_waiver_is_about_its_own_check_node_and_hardware() {
    let other_check = Waiver { check: "group/other".into(), ..waiver("2026-12-31") };
    assert_eq!(failed(vec![other_check]).waiver, None);
    let check = demanding(Matcher::Is(Literal::Integer(1)));
    let mut verdicts = [verdict(&check, &answer([found(Value::Integer(2))]))];
    let mut elsewhere = node(vec![waiver("2026-12-31")]);
    elsewhere.file.name = "other".into();
    settle(&mut verdicts, Looks::Once, &[elsewhere], TODAY);
    assert_eq!(verdicts[0].waiver, None);
    let meant = failed(vec![only("2026-12-31", "2.*")]);
    assert!(meant.is_waived());
    assert!(said(&meant, FindingCode::Waived).contains(", where bios.version is 2.*: "));
    let other = failed(vec![only("2026-12-31", "3.*")]);
    assert!(!other.is_waived());
    let why = "bios.version is 2.1, it names 3.*";
    assert_eq!(other.waiver.as_ref().unwrap().misses.as_deref(), Some(why));
    assert_eq!(
        said(&other, FindingCode::WaiverElsewhere),
        format!("the waiver of ops (nodes/nvidia.toml:12) does not apply: {why}")
    );
    // Of a pass nobody needs to know that a waiver was meant for other hardware.
    let passed = settled(Value::Integer(1), vec![only("2026-12-31", "3.*")]);
    assert_eq!((codes(&passed), passed.waiver), (vec![], None));
}

#[test]
fn of_several_waivers_the_one_that_holds_longest_counts() {
    for order in [["2026-07-01", "2026-08-01"], ["2026-08-01", "2026-07-01"]] {
        let verdict = failed(order.map(waiver).into());
        assert_eq!(verdict.waiver.unwrap().expires, "2026-08-01");
    }
    // One about other hardware stands in nobody's way.
    let both = failed(vec![only("2027-01-01", "3.*"), waiver("2026-07-01")]);
    assert!(both.is_waived());
    assert_eq!(both.waiver.unwrap().expires, "2026-07-01");
}
