//! What judgement promises, a sentence a test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use sample::{ID, NODE};
use sample::{
    answer, attempt, baseline, check, codes, demand, demanding, error, found, list, measured,
    meets, metric, outcome, q, us, verdict,
};
use verify_model::{
    baseline::Baseline,
    check::Check,
    finding::FindingCode,
    judge::judge,
    matcher::{Literal, Matcher},
    observation::{Attempt, Observation},
    outcome::Outcome,
    value::Value,
    verdict::Answer,
};

fn one() -> Vec<Matcher> {
    vec![Matcher::Is(Literal::Integer(1))]
}

#[test]
fn a_missing_baseline_is_never_a_pass() {
    let check = demanding(Matcher::Within(q("5 %")));
    let verdict = verdict(&check, &answer([measured(&[50.0])]));
    assert_eq!(verdict.outcome, Outcome::Unjudged);
    assert_eq!(verdict.decided_by, Some(FindingCode::NoBaseline));
    assert_eq!(verdict.readings[0].held, None);
}

#[test]
fn a_baseline_of_another_check_node_or_field_is_not_a_baseline() {
    let check = demanding(Matcher::Within(q("5 %")));
    let mut others = [baseline("50 us"), baseline("50 us"), baseline("50 us")];
    others[0].key.node = "other".into();
    others[1].key.check = "group/other".into();
    others[2].field = "other".into();
    let verdict = judge(NODE, &check, &answer([measured(&[50.0])]), &others);
    assert_eq!(verdict.decided_by, Some(FindingCode::NoBaseline));
}

#[test]
fn a_missed_limit_fails_even_without_a_baseline() {
    let matchers = vec![Matcher::Within(q("5 %")), Matcher::AtMost(us(10.0))];
    let check = Check { expect: vec![demand("value", matchers)], ..check() };
    assert_eq!(outcome(&check, &answer([measured(&[50.0])])), Outcome::Fail);
    assert_eq!(outcome(&check, &answer([measured(&[5.0])])), Outcome::Unjudged);
}

#[test]
fn a_fact_that_changed_either_way_is_off_its_baseline() {
    let check = demanding(Matcher::Within(q("5 %")));
    for (value, outcome) in
        [(50.0, Outcome::Pass), (52.5, Outcome::Pass), (40.0, Outcome::Fail), (52.6, Outcome::Fail)]
    {
        let fact = answer([found(Value::Quantity(us(value)))]);
        let verdict = judge(NODE, &check, &fact, &[baseline("50 us")]);
        assert_eq!(verdict.outcome, outcome, "{value}");
        assert_eq!(verdict.readings[0].baseline, Some(us(50.0)));
    }
}

#[test]
fn what_cannot_be_compared_is_never_judged() {
    let check = demanding(Matcher::Within(q("5 %")));
    let elsewhere =
        Baseline { mismatch: Some("it is of machine `other`".into()), ..baseline("50 us") };
    for (value, baseline, word) in [
        (50.0, elsewhere, "machine `other`"),
        (50.0, baseline("50 W"), "another kind"),
        (50.0, baseline("0 us"), "zero or less"),
        (0.0, baseline("50 us"), "zero or less"),
        (-1.0, baseline("-1.1 us"), "zero or less"),
    ] {
        let verdict = judge(NODE, &check, &answer([measured(&[value])]), &[baseline]);
        assert_eq!(verdict.outcome, Outcome::Unjudged, "{word}");
        assert_eq!(verdict.decided_by, Some(FindingCode::NotComparable), "{word}");
        assert!(verdict.findings[0].message.contains(word), "{}", verdict.findings[0].message);
        assert_eq!(verdict.readings[0].held, None);
    }
    let still = judge(NODE, &check, &answer([measured(&[0.0])]), &[baseline("0 us")]);
    assert_eq!(still.outcome, Outcome::Pass);
}

#[test]
fn a_recorded_value_stands_beside_its_baseline_and_is_not_judged_by_it() {
    let check = Check { record: vec!["value".into()], ..check() };
    let verdict = judge(NODE, &check, &answer([measured(&[500.0])]), &[baseline("50 us")]);
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!(verdict.readings[0].baseline, Some(us(50.0)));
}

#[test]
fn a_simulated_answer_is_labelled() {
    let by = Observation { simulated: Some("nvidia-sim".into()), ..measured(&[5.0]) };
    let verdict = verdict(&demanding(Matcher::AtMost(us(10.0))), &answer([by]));
    let said = verdict.findings.iter().find(|f| f.code == FindingCode::Simulated).unwrap();
    assert!(said.message.contains("nvidia-sim"));
}

#[test]
fn an_error_to_gather_is_never_a_failure_of_the_node() {
    let check = demanding(Matcher::AtMost(us(10.0)));
    for code in [
        FindingCode::ToolMissing,
        FindingCode::TimedOut,
        FindingCode::PermissionDenied,
        FindingCode::OutputUnreadable,
        FindingCode::ProbePanicked,
    ] {
        let verdict = verdict(&check, &Answer::Attempted(vec![error(1, 1, code)]));
        assert_eq!(verdict.outcome, Outcome::Error, "{code:?}");
        assert_eq!(verdict.decided_by, Some(code));
        assert_eq!(verdict.findings[0].evidence, [7]);
    }
    // Half of the repeats say nothing about the others.
    let mixed = vec![attempt(1, measured(&[50.0])), error(2, 1, FindingCode::TimedOut)];
    assert_eq!(outcome(&check, &Answer::Attempted(mixed)), Outcome::Error);
    let lost = Answer::Unreachable { code: FindingCode::NoRoute, message: "no route".to_owned() };
    for answer in [Answer::Interrupted, Answer::NotReached, lost, Answer::Attempted(vec![])] {
        assert_eq!(outcome(&check, &answer), Outcome::Error);
    }
}

#[test]
fn a_pass_after_a_retry_is_advised_as_flaky() {
    let again = Attempt { r#try: 2, ..attempt(1, measured(&[5.0])) };
    let tries = Answer::Attempted(vec![error(1, 1, FindingCode::TimedOut), again]);
    let passed = verdict(&demanding(Matcher::AtMost(us(10.0))), &tries);
    assert_eq!(passed.outcome, Outcome::Pass);
    assert_eq!(codes(&passed), [FindingCode::Flaky]);
    assert_eq!(passed.attempts, 2);
    // A retry excuses an error, never a miss.
    let missed = verdict(&demanding(Matcher::AtMost(us(1.0))), &tries);
    assert_eq!(missed.outcome, Outcome::Fail);
}

#[test]
fn facts_must_hold_in_every_repeat() {
    let check = demanding(Matcher::Is(Literal::Integer(4)));
    let seen = |values: &[i64]| {
        let facts = values.iter().map(|v| found(Value::Integer(*v)));
        outcome(&check, &answer(facts))
    };
    assert_eq!(seen(&[4, 4, 4]), Outcome::Pass);
    for values in [[3, 4, 4], [4, 3, 4], [4, 4, 3]] {
        assert_eq!(seen(&values), Outcome::Fail, "{values:?}");
    }
}

#[test]
fn the_gravest_repeat_decides_whichever_came_first() {
    let check = demanding(Matcher::Is(Literal::Integer(4)));
    let unreadable = || found(Value::Unreadable("garbled".into()));
    let wrong = || found(Value::Integer(3));
    for repeats in [vec![unreadable(), wrong()], vec![wrong(), unreadable()]] {
        assert_eq!(outcome(&check, &answer(repeats)), Outcome::Fail);
    }
}

#[test]
fn metrics_combine_by_the_median_run() {
    let check = demanding(Matcher::AtMost(us(10.0)));
    let runs = |values: &[f64]| answer(values.iter().map(|v| measured(&[*v])));
    assert_eq!(outcome(&check, &runs(&[1.0, 1.0, 99.0])), Outcome::Pass);
    // The best of three would pass.
    let slow = verdict(&check, &runs(&[1.0, 99.0, 99.0]));
    assert_eq!(slow.outcome, Outcome::Fail);
    assert_eq!(slow.readings[0].quantity, Some(us(99.0)));
    assert_eq!(slow.readings[0].samples, 3);
}

#[test]
fn a_metric_that_one_repeat_lacks_is_an_error() {
    let check = demanding(Matcher::AtMost(us(10.0)));
    let repeats = answer([measured(&[1.0]), Observation::default(), measured(&[1.0])]);
    assert_eq!(outcome(&check, &repeats), Outcome::Error);
}

#[test]
fn a_disturbed_measurement_is_unjudged() {
    for limit in [1.0, 100.0] {
        let check = demanding(Matcher::AtMost(us(limit)));
        let busy = Attempt { disturbed: Some("GPU busy".into()), ..attempt(1, measured(&[50.0])) };
        let verdict = verdict(&check, &Answer::Attempted(vec![busy]));
        assert_eq!(verdict.outcome, Outcome::Unjudged, "{limit}");
        assert_eq!(verdict.decided_by, Some(FindingCode::ConditionsNotHeld));
        assert_eq!(verdict.readings[0].held, None);
    }
}

#[test]
fn an_absent_value_fails_and_an_unreadable_one_is_an_error() {
    let is = || Matcher::Is(Literal::Integer(4));
    assert_eq!(meets(is(), Value::Absent("no such file".into())), Outcome::Fail);
    assert_eq!(meets(is(), Value::Unreadable("garbled".into())), Outcome::Error);
    assert_eq!(outcome(&demanding(is()), &answer([Observation::default()])), Outcome::Error);
    // Not even where the demand is that it differs.
    let differs = || Matcher::IsNot(Literal::Integer(4));
    assert_eq!(meets(differs(), Value::Absent("no such file".into())), Outcome::Fail);
    assert_eq!(meets(differs(), Value::Unreadable("garbled".into())), Outcome::Error);
}

#[test]
fn one_unreadable_element_is_an_error_under_every_matcher_but_count() {
    let garbled = Value::List(vec![Value::Integer(1), Value::Unreadable("garbled".into())]);
    let literal = || Literal::List(vec![Literal::Integer(1)]);
    for matcher in [
        Matcher::Is(literal()),
        Matcher::IsNot(literal()),
        Matcher::Contains(Literal::Integer(1)),
        Matcher::Contains(Literal::Integer(9)),
        Matcher::Every(one()),
        Matcher::Some(one()),
        Matcher::None(one()),
        Matcher::AgreesWith("value".into()),
    ] {
        assert_eq!(meets(matcher.clone(), garbled.clone()), Outcome::Error, "{matcher}");
    }
    let two = Matcher::Count(vec![Matcher::Is(Literal::Integer(2))]);
    assert_eq!(meets(two, garbled), Outcome::Pass);
}

#[test]
fn an_absent_element_is_met_by_nothing() {
    let gap = Value::List(vec![Value::Absent("not supported".into())]);
    for matcher in [Matcher::Every(one()), Matcher::Some(one()), Matcher::None(one())] {
        assert_eq!(meets(matcher.clone(), gap.clone()), Outcome::Fail, "{matcher}");
    }
    assert_eq!(meets(Matcher::AgreesWith("value".into()), gap), Outcome::Fail);
}

#[test]
fn a_check_that_only_records_needs_every_field() {
    let recording = Check { record: vec!["value".into(), "other".into()], ..check() };
    let seen = |other: Value| {
        let observation = found(Value::Integer(1)).fact("other", other);
        verdict(&recording, &answer([observation]))
    };
    let passed = seen(Value::Integer(2));
    assert_eq!(passed.outcome, Outcome::Pass);
    assert!(passed.recorded_only);
    let garbled = Value::Unreadable("garbled".into());
    for missing in [Value::Absent("none".into()), garbled.clone(), Value::List(vec![garbled])] {
        assert_eq!(seen(missing.clone()).decided_by, Some(FindingCode::NotCaptured), "{missing}");
    }
}

#[test]
fn a_check_that_demands_nothing_or_with_an_empty_demand_cannot_pass() {
    assert_eq!(outcome(&check(), &answer([found(Value::Integer(1))])), Outcome::Error);
    let empty = Check { expect: vec![demand("value", vec![])], ..check() };
    assert_eq!(outcome(&empty, &answer([found(Value::Integer(1))])), Outcome::Error);
    let advised = Check { advise: vec![demand("value", one())], ..check() };
    assert_eq!(outcome(&advised, &answer([found(Value::Integer(1))])), Outcome::Error);
}

#[test]
fn advice_never_changes_the_outcome() {
    let advice = [
        Matcher::AtMost(us(1.0)),
        Matcher::Within(q("1 %")),
        Matcher::Is(Literal::Text("another kind".into())),
    ];
    for limit in [1.0, 100.0] {
        let plain = demanding(Matcher::AtMost(us(limit)));
        let expected = outcome(&plain, &answer([measured(&[50.0])]));
        for matcher in &advice {
            for field in ["value", "not-there"] {
                let extra = vec![demand(field, vec![matcher.clone()])];
                let with_extra = Check { advise: extra, ..plain.clone() };
                let verdict = verdict(&with_extra, &answer([measured(&[50.0])]));
                assert_eq!(verdict.outcome, expected, "{matcher} of {field}");
            }
        }
    }
}

#[test]
fn a_field_agrees_with_another_one_of_the_same_attempt() {
    let agrees = demanding(Matcher::AgreesWith("other".into()));
    let pair = |a: i64, b: i64| found(Value::Integer(a)).fact("other", Value::Integer(b));
    assert_eq!(outcome(&agrees, &answer([pair(1, 1), pair(2, 2)])), Outcome::Pass);
    assert_eq!(outcome(&agrees, &answer([pair(1, 1), pair(2, 1)])), Outcome::Fail);
    let with =
        |other: Value| outcome(&agrees, &answer([found(Value::Integer(1)).fact("other", other)]));
    assert_eq!(with(Value::Absent("none".into())), Outcome::Fail);
    assert_eq!(with(Value::Unreadable("garbled".into())), Outcome::Error);
    assert_eq!(with(Value::Quantity(us(1.0))), Outcome::Error);
    let quantities = |a: &str, b: &str| {
        let seen = found(Value::Quantity(q(a))).fact("other", Value::Quantity(q(b)));
        outcome(&agrees, &answer([seen]))
    };
    assert_eq!(quantities("1 ms", "1000 us"), Outcome::Pass);
    assert_eq!(quantities("1 ms", "1 W"), Outcome::Error);
}

#[test]
fn metrics_agree_by_their_medians_and_not_by_the_first_repeat() {
    let agrees = demanding(Matcher::AgreesWith("other".into()));
    let pair = |a: f64, b: f64| measured(&[a]).metric("other", metric(&[b]));
    let repeats = [pair(5.0, 9.0), pair(5.0, 5.0), pair(5.0, 1.0)];
    assert_eq!(outcome(&agrees, &answer(repeats)), Outcome::Pass);
}

#[test]
fn an_empty_list_meets_only_what_speaks_of_none() {
    let none = || list([]);
    assert_eq!(meets(Matcher::Every(one()), none()), Outcome::Fail);
    assert_eq!(meets(Matcher::Some(one()), none()), Outcome::Fail);
    assert_eq!(meets(Matcher::None(one()), none()), Outcome::Pass);
    let count = |n| Matcher::Count(vec![Matcher::Is(Literal::Integer(n))]);
    assert_eq!(meets(count(0), none()), Outcome::Pass);
    assert_eq!(meets(count(1), none()), Outcome::Fail);
    for empty in [Matcher::Every(vec![]), Matcher::Some(vec![]), Matcher::Count(vec![])] {
        assert_eq!(meets(empty.clone(), none()), Outcome::Fail, "{empty:?}");
    }
}

#[test]
fn every_some_and_none_look_at_each_element() {
    for (values, every, some, none) in [
        (vec![1, 1], Outcome::Pass, Outcome::Pass, Outcome::Fail),
        (vec![1, 2], Outcome::Fail, Outcome::Pass, Outcome::Fail),
        (vec![2, 2], Outcome::Fail, Outcome::Fail, Outcome::Pass),
    ] {
        assert_eq!(meets(Matcher::Every(one()), list(values.clone())), every, "{values:?}");
        assert_eq!(meets(Matcher::Some(one()), list(values.clone())), some, "{values:?}");
        assert_eq!(meets(Matcher::None(one()), list(values.clone())), none, "{values:?}");
    }
}

#[test]
fn a_value_of_another_kind_is_an_error_and_not_a_miss() {
    let text = || Value::text("many");
    for matcher in
        [Matcher::AtLeast(us(1.0)), Matcher::Is(Literal::Integer(1)), Matcher::Every(one())]
    {
        assert_eq!(meets(matcher.clone(), text()), Outcome::Error, "{matcher}");
    }
    assert_eq!(meets(Matcher::AtLeast(us(1.0)), Value::Quantity(q("1 W"))), Outcome::Error);
}

#[test]
fn a_miss_carries_demand_answer_source_fix_and_evidence() {
    let verdict = verdict(&demanding(Matcher::AtMost(us(10.0))), &answer([measured(&[50.0])]));
    let finding = verdict.main_finding().unwrap();
    assert_eq!(verdict.key.check, ID);
    assert_eq!(finding.expected.as_deref(), Some("at most 10 us"));
    assert_eq!(finding.observed.as_deref(), Some("50 us"));
    assert_eq!(finding.source.as_deref(), Some("A data sheet."));
    assert_eq!(finding.next, "Repair it.");
    assert_eq!(finding.evidence, [7]);
}

#[test]
fn an_absent_need_skips_and_a_promised_one_fails() {
    let need = |expected, known| Answer::NeedAbsent {
        capability: "nvml".into(),
        detail: "not found".into(),
        expected,
        known,
    };
    let check = demanding(Matcher::AtMost(us(10.0)));
    assert_eq!(outcome(&check, &need(false, true)), Outcome::Skip);
    assert_eq!(outcome(&check, &need(true, true)), Outcome::Fail);
    // Where nobody could look, the node is not to blame.
    assert_eq!(outcome(&check, &need(true, false)), Outcome::Error);
    assert_eq!(outcome(&check, &need(false, false)), Outcome::Error);
    let blocked = Answer::Blocked { by: "a/b".into(), outcome: Outcome::Error };
    assert_eq!(outcome(&check, &blocked), Outcome::Blocked);
}
