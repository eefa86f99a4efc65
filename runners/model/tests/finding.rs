//! What a verdict says beside its outcome: findings, what they rest on, and what to do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use sample::{
    NODE, answer, attempt, baseline, check, codes, demand, demanding, error, found, measured, q,
    us, verdict,
};
use verify_model::{
    check::Check,
    finding::{FindingCode, Severity},
    judge::{final_attempts, judge},
    matcher::{Literal, Matcher},
    observation::Attempt,
    outcome::Outcome,
    value::Value,
    verdict::Answer,
};

fn disturbed(repeat: u32, value: f64) -> Attempt {
    Attempt { disturbed: Some("GPU busy".into()), ..attempt(repeat, measured(&[value])) }
}

#[test]
fn an_answer_that_never_came_says_so() {
    let check = demanding(Matcher::AtMost(us(10.0)));
    for (answer, code) in [
        (Answer::Attempted(vec![]), FindingCode::NotReached),
        (Answer::Interrupted, FindingCode::Interrupted),
        (Answer::NotReached, FindingCode::NotReached),
    ] {
        let verdict = verdict(&check, &answer);
        assert_eq!((codes(&verdict), verdict.decided_by), (vec![code], Some(code)));
    }
}

#[test]
fn a_retry_is_flaky_only_where_every_repeat_has_an_answer() {
    let check = demanding(Matcher::AtMost(us(10.0)));
    let tried = |attempts| codes(&verdict(&check, &Answer::Attempted(attempts)));
    let again = |repeat| Attempt { r#try: 2, ..attempt(repeat, measured(&[5.0])) };
    let late = FindingCode::TimedOut;
    assert_eq!(tried(vec![attempt(1, measured(&[5.0]))]), []);
    assert_eq!(tried(vec![error(1, 1, late), again(1)]), [FindingCode::Flaky]);
    assert_eq!(tried(vec![error(1, 1, late), again(1), error(2, 1, late)]), [late]);
    assert_eq!(tried(vec![error(1, 1, late), error(1, 2, late)]), [late]);
}

#[test]
fn the_same_error_of_several_repeats_is_said_once_with_the_evidence_of_all() {
    let check = demanding(Matcher::AtMost(us(10.0)));
    let late = |repeat, evidence| Attempt {
        evidence: vec![evidence],
        ..error(repeat, 1, FindingCode::TimedOut)
    };
    let lost = Attempt { evidence: vec![9], ..error(3, 1, FindingCode::ConnectionLost) };
    let mut other = late(4, 4);
    if let Err(failed) = &mut other.result {
        failed.message = "in another way".into();
    }
    let verdict = verdict(&check, &Answer::Attempted(vec![late(1, 1), late(2, 2), lost, other]));
    let said: Vec<_> = verdict.findings.iter().map(|f| (f.code, f.evidence.clone())).collect();
    let late = FindingCode::TimedOut;
    assert_eq!(said, [(late, vec![1, 2]), (FindingCode::ConnectionLost, vec![9]), (late, vec![4])]);
}

#[test]
fn what_the_node_is_to_blame_for_carries_the_fix_of_the_check() {
    let usual = |code: FindingCode| code.row().next.to_owned();
    let check = demanding(Matcher::Within(q("5 %")));
    let next = |answer: &Answer| {
        judge(NODE, &check, answer, &[baseline("50 us")]).findings[0].next.clone()
    };
    let off = next(&answer([found(Value::Quantity(us(90.0)))]));
    assert_eq!(off, format!("Repair it. {}", usual(FindingCode::OffBaseline)));
    assert_eq!(next(&answer([found(Value::Absent("none".into()))])), "Repair it.");
    let promised = Answer::NeedAbsent {
        capability: "nvml".into(),
        detail: "not found".into(),
        expected: true,
        known: true,
    };
    assert!(next(&promised).starts_with("Repair it. ") && next(&promised).contains("`has`"));
    let late = Answer::Attempted(vec![error(1, 1, FindingCode::TimedOut)]);
    assert_eq!(next(&late), usual(FindingCode::TimedOut));
    // So does what an attempt itself found to be the node's fault.
    let found_absent = Answer::Attempted(vec![error(1, 1, FindingCode::ValueAbsent)]);
    assert_eq!(next(&found_absent), "Repair it.");
    // A check without a fix leaves what the catalogue says.
    let plain = Check { fix: String::new(), ..check.clone() };
    let missed = answer([found(Value::Absent("none".into()))]);
    assert_eq!(verdict(&plain, &missed).findings[0].next, usual(FindingCode::ValueAbsent));
}

#[test]
fn a_finding_names_the_source_of_its_limit_and_else_that_of_the_check() {
    let own = |source: Option<&str>, of_check: &str| {
        let mut demanded = demand("value", vec![Matcher::AtMost(us(1.0))]);
        demanded.source = source.map(str::to_owned);
        let check = Check { expect: vec![demanded], source: of_check.into(), ..check() };
        verdict(&check, &answer([measured(&[5.0])])).findings[0].source.clone()
    };
    assert_eq!(own(Some("RFC 1"), "A data sheet.").as_deref(), Some("RFC 1"));
    assert_eq!(own(None, "A data sheet.").as_deref(), Some("A data sheet."));
    assert_eq!(own(None, ""), None);
    // A note is no limit, and has no source.
    let simulated = found(Value::Integer(1));
    let simulated =
        verify_model::observation::Observation { simulated: Some("sim".into()), ..simulated };
    let check = demanding(Matcher::Is(Literal::Integer(1)));
    let said = verdict(&check, &answer([simulated]));
    assert_eq!(codes(&said), [FindingCode::Simulated]);
    assert_eq!((said.findings[0].severity, &said.findings[0].source), (Severity::Note, &None));
    assert!(said.findings[0].evidence.is_empty());
}

#[test]
fn a_recorded_field_has_the_baseline_of_its_own_check_and_field() {
    let check = Check { record: vec!["value".into()], ..check() };
    let shown = |change: fn(&mut verify_model::baseline::Baseline)| {
        let mut known = baseline("50 us");
        change(&mut known);
        judge(NODE, &check, &answer([measured(&[5.0])]), &[known]).readings[0].baseline
    };
    assert_eq!(shown(|_| ()), Some(us(50.0)));
    assert_eq!(shown(|known| known.field = "other".into()), None);
    assert_eq!(shown(|known| known.key.node = "other".into()), None);
}

#[test]
fn up_to_a_third_of_the_repeats_may_be_disturbed_and_beyond_that_nothing_is_judged() {
    let check = demanding(Matcher::AtMost(us(10.0)));
    let tried = |busy: u32, quiet: u32| {
        let repeats = (1..=busy).map(|n| disturbed(n, 99.0));
        let rest = (busy + 1..=busy + quiet).map(|n| attempt(n, measured(&[5.0])));
        verdict(&check, &Answer::Attempted(repeats.chain(rest).collect()))
    };
    let third = tried(1, 2);
    assert_eq!((third.outcome, codes(&third)), (Outcome::Pass, vec![FindingCode::RepeatsLeftOut]));
    assert!(third.findings[0].message.starts_with("1 of 3 repeats"), "{:?}", third.findings);
    let half = tried(1, 1);
    assert_eq!(
        (half.outcome, codes(&half)),
        (Outcome::Unjudged, vec![FindingCode::ConditionsNotHeld])
    );
    assert_eq!(tried(2, 3).outcome, Outcome::Unjudged);
    assert_eq!(tried(2, 4).outcome, Outcome::Pass);
    // An attempt that gave up because its conditions did not hold is one of them.
    let gave_up = error(1, 1, FindingCode::ConditionsNotHeld);
    let rest = (2..=3).map(|n| attempt(n, measured(&[5.0])));
    let left = verdict(&check, &Answer::Attempted([gave_up].into_iter().chain(rest).collect()));
    assert_eq!((left.outcome, left.readings[0].samples), (Outcome::Pass, 2));
    // A disturbed error is an error all the same.
    let failed = Attempt { disturbed: Some("busy".into()), ..error(1, 1, FindingCode::TimedOut) };
    let rest = (2..=3).map(|n| attempt(n, measured(&[5.0])));
    let failed = verdict(&check, &Answer::Attempted([failed].into_iter().chain(rest).collect()));
    assert_eq!(failed.outcome, Outcome::Error);
}

#[test]
fn a_disturbed_measurement_says_first_that_it_was_and_nothing_of_a_miss() {
    let advise = vec![demand("other", vec![Matcher::Is(Literal::Integer(4))])];
    let unread = demand("gone", vec![Matcher::AtMost(us(10.0))]);
    let mut check = Check { advise, ..demanding(Matcher::AtMost(us(10.0))) };
    check.expect.push(unread);
    let verdict = verdict(&check, &Answer::Attempted(vec![disturbed(1, 50.0)]));
    assert_eq!(verdict.outcome, Outcome::Unjudged);
    let codes = codes(&verdict);
    assert_eq!(codes[0], FindingCode::ConditionsNotHeld);
    assert!(!codes.contains(&FindingCode::ExpectationMissed), "{codes:?}");
    assert!(codes.contains(&FindingCode::AdviceUnanswered), "{codes:?}");
    assert!(verdict.readings.iter().all(|reading| reading.held.is_none()));
}

#[test]
fn a_limit_that_held_still_did_beside_a_demand_that_has_no_baseline_yet() {
    let mut check = demanding(Matcher::Within(q("5 %")));
    check.expect.push(demand("other", vec![Matcher::Is(Literal::Integer(1))]));
    let seen = measured(&[5.0]).fact("other", Value::Integer(1));
    let verdict = verdict(&check, &answer([seen]));
    assert_eq!(
        (verdict.outcome, codes(&verdict)),
        (Outcome::Unjudged, vec![FindingCode::NoBaseline])
    );
    let held: Vec<_> = verdict.readings.iter().map(|reading| reading.held).collect();
    assert_eq!(held, [None, Some(true)]);
}

#[test]
fn a_miss_of_a_baseline_names_it_and_a_miss_of_a_limit_does_not() {
    let expected = |matcher: Matcher| {
        let fact = answer([found(Value::Quantity(us(90.0)))]);
        let verdict = judge(NODE, &demanding(matcher), &fact, &[baseline("50 us")]);
        verdict.findings[0].expected.clone().unwrap()
    };
    assert_eq!(expected(Matcher::Within(q("5 %"))), "within 5 % of the baseline 50 us");
    assert_eq!(expected(Matcher::AtMost(us(10.0))), "at most 10 us");
}

#[test]
fn the_last_try_of_each_repeat_counts_in_whatever_order_they_stand() {
    let one = |repeat, r#try| Attempt { r#try, ..attempt(repeat, measured(&[1.0])) };
    let attempts = [one(2, 1), one(1, 2), one(1, 1), one(2, 3), one(2, 2)];
    let finals: Vec<_> = final_attempts(&attempts).iter().map(|a| (a.repeat, a.r#try)).collect();
    assert_eq!(finals, [(1, 2), (2, 3)]);
}
