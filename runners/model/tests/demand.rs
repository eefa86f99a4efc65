//! What each demand means, one kind of value after another.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use sample::{answer, check, codes, demand, demanding, found, list, meets, outcome, q, verdict};
use verify_model::{
    check::Check,
    cpu_set::CpuSet,
    finding::{FindingCode, Severity},
    matcher::{Literal, Matcher},
    observation::Observation,
    outcome::Outcome,
    value::Value,
};

fn cpus(text: &str) -> CpuSet {
    CpuSet::parse(text).unwrap()
}

fn text(text: &str) -> Literal {
    Literal::Text(text.into())
}

/// Returns a literal, a value that equals it and one that does not, for every kind.
fn kinds() -> Vec<(Literal, Value, Value)> {
    let quantity = |text: &str| Value::Quantity(q(text));
    vec![
        (Literal::Bool(true), Value::Bool(true), Value::Bool(false)),
        (Literal::Integer(4), Value::Integer(4), Value::Integer(5)),
        (text("a"), Value::text("a"), Value::text("ab")),
        (Literal::Quantity(q("1 ms")), quantity("1000 us"), quantity("1001 us")),
        (Literal::Quantity(q("4")), Value::Integer(4), Value::Integer(5)),
        (Literal::Cpus(cpus("0-3")), Value::Cpus(cpus("0,1-3")), Value::Cpus(cpus("0-2"))),
        (Literal::List(vec![Literal::Integer(1), Literal::Integer(2)]), list([1, 2]), list([1, 3])),
    ]
}

#[test]
fn a_literal_equals_its_own_value_and_no_other_of_its_kind() {
    for (literal, same, other) in kinds() {
        let [is, is_not] = [Matcher::Is, Matcher::IsNot].map(|to| to(literal.clone()));
        assert_eq!(meets(is.clone(), same.clone()), Outcome::Pass, "{literal}");
        assert_eq!(meets(is, other.clone()), Outcome::Fail, "{literal}");
        assert_eq!(meets(is_not.clone(), same.clone()), Outcome::Fail, "{literal}");
        assert_eq!(meets(is_not, other.clone()), Outcome::Pass, "{literal}");
        let one_of = Matcher::OneOf(vec![literal.clone()]);
        assert_eq!(meets(one_of.clone(), same), Outcome::Pass, "{literal}");
        assert_eq!(meets(one_of, other), Outcome::Fail, "{literal}");
    }
    let longer = Matcher::Is(Literal::List(vec![Literal::Integer(1), Literal::Integer(2)]));
    for values in [vec![1], vec![1, 2, 3], vec![]] {
        assert_eq!(meets(longer.clone(), list(values)), Outcome::Fail);
    }
}

#[test]
fn a_literal_of_another_kind_is_an_error_under_every_demand() {
    let is_number = |value: &Value| matches!(value, Value::Integer(_) | Value::Quantity(_));
    for (literal, own, _) in kinds() {
        let other = |value: &Value| {
            std::mem::discriminant(value) != std::mem::discriminant(&own)
                && !(is_number(value) && is_number(&own))
        };
        for value in kinds().into_iter().map(|(_, value, _)| value).filter(other) {
            for matcher in [Matcher::Is(literal.clone()), Matcher::OneOf(vec![literal.clone()])] {
                assert_eq!(meets(matcher, value.clone()), Outcome::Error, "{literal} and {value}");
            }
        }
    }
}

#[test]
fn limits_include_their_ends_or_not_as_they_say() {
    let at = |text: &str| Value::Quantity(q(text));
    let ten = || q("10 us");
    for (matcher, below, equal, above) in [
        (Matcher::AtLeast(ten()), Outcome::Fail, Outcome::Pass, Outcome::Pass),
        (Matcher::AtMost(ten()), Outcome::Pass, Outcome::Pass, Outcome::Fail),
        (Matcher::Above(ten()), Outcome::Fail, Outcome::Fail, Outcome::Pass),
        (Matcher::Below(ten()), Outcome::Pass, Outcome::Fail, Outcome::Fail),
        (Matcher::Between(ten(), ten()), Outcome::Fail, Outcome::Pass, Outcome::Fail),
        (Matcher::Between(q("1 us"), ten()), Outcome::Pass, Outcome::Pass, Outcome::Fail),
        (Matcher::Between(ten(), q("1 ms")), Outcome::Fail, Outcome::Pass, Outcome::Pass),
    ] {
        let met = ["9 us", "0.01 ms", "11 us"].map(|text| meets(matcher.clone(), at(text)));
        assert_eq!(met, [below, equal, above], "{matcher}");
    }
    let count = Matcher::AtLeast(q("3"));
    assert_eq!(meets(count.clone(), Value::Integer(3)), Outcome::Pass);
    assert_eq!(meets(count, Value::Integer(2)), Outcome::Fail);
}

#[test]
fn what_is_contained_depends_on_what_contains_it() {
    let contains = |literal: Literal, value: Value| meets(Matcher::Contains(literal), value);
    let both = || Literal::List(vec![Literal::Integer(1), Literal::Integer(2)]);
    for (literal, with, without) in [
        (text("b"), Value::text("abc"), Value::text("ac")),
        (Literal::Cpus(cpus("1-2")), Value::Cpus(cpus("0-3")), Value::Cpus(cpus("0-1"))),
        (both(), list([2, 3, 1]), list([1, 3])),
        (Literal::Integer(2), list([1, 2]), list([1, 3])),
    ] {
        assert_eq!(contains(literal.clone(), with), Outcome::Pass, "{literal}");
        assert_eq!(contains(literal.clone(), without), Outcome::Fail, "{literal}");
    }
    assert_eq!(contains(text("1"), Value::Integer(1)), Outcome::Error);
    assert_eq!(contains(text("1"), Value::Cpus(cpus("1"))), Outcome::Error);
}

#[test]
fn patterns_and_versions_are_for_texts() {
    let version = |wanted: &str| Matcher::Version(wanted.into());
    let matches = |pattern: &str| Matcher::Matches(pattern.into());
    for (matcher, good, bad) in
        [(version(">= 12.4, < 13"), "12.10.1", "13.0"), (matches("^a+$"), "aa", "ab")]
    {
        assert_eq!(meets(matcher.clone(), Value::text(good)), Outcome::Pass, "{matcher}");
        assert_eq!(meets(matcher.clone(), Value::text(bad)), Outcome::Fail, "{matcher}");
        assert_eq!(meets(matcher.clone(), Value::Integer(12)), Outcome::Error, "{matcher}");
    }
    for broken in [version("newer"), matches("(")] {
        assert_eq!(meets(broken.clone(), Value::text("12.4")), Outcome::Error, "{broken}");
    }
    assert_eq!(meets(version(">= 1"), Value::text("none")), Outcome::Error);
}

#[test]
fn counting_is_for_lists_and_sets_and_looking_at_each_for_lists() {
    let two = || vec![Matcher::Is(Literal::Integer(2))];
    assert_eq!(meets(Matcher::Count(two()), Value::Cpus(cpus("0,7"))), Outcome::Pass);
    assert_eq!(meets(Matcher::Count(two()), Value::Cpus(cpus("0-7"))), Outcome::Fail);
    assert_eq!(meets(Matcher::Count(two()), Value::text("ab")), Outcome::Error);
    for each in [Matcher::Every(two()), Matcher::Some(two()), Matcher::None(two())] {
        assert_eq!(meets(each.clone(), Value::Cpus(cpus("2"))), Outcome::Error, "{each}");
    }
    // All demands on an element must hold for the same one.
    let at = |low: &str, high: &str| vec![Matcher::AtLeast(q(low)), Matcher::AtMost(q(high))];
    assert_eq!(meets(Matcher::Some(at("2", "3")), list([1, 4])), Outcome::Fail);
    assert_eq!(meets(Matcher::Every(at("1", "4")), list([1, 4])), Outcome::Pass);
    assert_eq!(meets(Matcher::Every(at("1", "3")), list([1, 4])), Outcome::Fail);
}

#[test]
fn a_demand_is_shown_as_a_person_would_say_it() {
    let ten = || q("10 us");
    let one = || vec![Matcher::Is(Literal::Integer(1))];
    for (matcher, said) in [
        (Matcher::Is(Literal::Bool(true)), "yes"),
        (Matcher::Is(Literal::Bool(false)), "no"),
        (Matcher::Is(text("")), "(empty)"),
        (Matcher::Is(text("a")), "a"),
        (Matcher::Is(Literal::Cpus(cpus("0-3"))), "0-3"),
        (Matcher::Is(Literal::Quantity(ten())), "10 us"),
        (Matcher::IsNot(Literal::Integer(4)), "not 4"),
        (Matcher::AtLeast(ten()), "at least 10 us"),
        (Matcher::AtMost(ten()), "at most 10 us"),
        (Matcher::Above(ten()), "above 10 us"),
        (Matcher::Below(ten()), "below 10 us"),
        (Matcher::Between(ten(), q("1 ms")), "between 10 us and 1 ms"),
        (Matcher::OneOf(vec![text("a"), text("b")]), "one of: a, b"),
        (Matcher::Contains(Literal::List(vec![text("a"), text("b")])), "contains a, b"),
        (Matcher::Matches("^a".into()), "matches /^a/"),
        (Matcher::Version(">= 2".into()), "version >= 2"),
        (Matcher::Count(one()), "count 1"),
        (Matcher::Every(one()), "every one 1"),
        (Matcher::Some(one()), "some 1"),
        (Matcher::None(one()), "none 1"),
        (Matcher::AgreesWith("other".into()), "agrees with `other`"),
        (Matcher::Within(q("5 %")), "within 5 % of the baseline"),
    ] {
        assert_eq!(matcher.to_string(), said);
    }
    let both = vec![Matcher::Above(q("1")), Matcher::Below(q("3"))];
    let check = Check { expect: vec![demand("value", both)], ..check() };
    let verdict = verdict(&check, &answer([found(Value::Integer(3))]));
    assert_eq!(verdict.findings[0].expected.as_deref(), Some("above 1 and below 3"));
}

#[test]
fn the_gravest_of_several_demands_decides_whichever_stands_first() {
    let unread = || Matcher::Is(text("another kind"));
    let no_baseline = || Matcher::Within(q("5 %"));
    let missed = || Matcher::AtMost(q("1 us"));
    let value = || answer([found(Value::Quantity(q("5 us")))]);
    for (matchers, code) in [
        (vec![no_baseline(), unread()], FindingCode::KindMismatch),
        (vec![unread(), no_baseline()], FindingCode::KindMismatch),
        (vec![unread(), missed()], FindingCode::ExpectationMissed),
        (vec![missed(), unread()], FindingCode::ExpectationMissed),
    ] {
        let check = Check { expect: vec![demand("value", matchers)], ..check() };
        assert_eq!(codes(&verdict(&check, &value())), [code]);
    }
    // Of two that weigh the same, the first is said.
    let two = vec![unread(), Matcher::Matches("a".into())];
    let check = Check { expect: vec![demand("value", two)], ..check() };
    let said = verdict(&check, &value()).findings[0].message.clone();
    assert!(said.contains("another kind"), "{said}");
}

#[test]
fn of_repeats_that_weigh_the_same_the_first_is_said() {
    let check = demanding(Matcher::Is(Literal::Integer(4)));
    let verdict = verdict(&check, &answer([5, 6].map(|n| found(Value::Integer(n)))));
    assert_eq!(verdict.findings[0].observed.as_deref(), Some("5"));
}

#[test]
fn a_demand_held_was_missed_or_was_not_answered() {
    let check = demanding(Matcher::Is(Literal::Integer(4)));
    let held = |value: Value| verdict(&check, &answer([found(value)])).readings[0].held;
    assert_eq!(held(Value::Integer(4)), Some(true));
    assert_eq!(held(Value::Integer(5)), Some(false));
    assert_eq!(held(Value::Absent("none".into())), Some(false));
    assert_eq!(held(Value::Unreadable("garbled".into())), None);
}

#[test]
fn advice_that_is_missed_is_another_thing_than_advice_that_is_not_answered() {
    let advised = |value: Value| {
        let advise = vec![demand("other", vec![Matcher::Is(Literal::Integer(4))])];
        let check = Check { advise, ..demanding(Matcher::Is(Literal::Integer(1))) };
        verdict(&check, &answer([found(Value::Integer(1)).fact("other", value)]))
    };
    assert_eq!(codes(&advised(Value::Integer(4))), []);
    for (value, code) in [
        (Value::Integer(5), FindingCode::AdviceMissed),
        (Value::Absent("none".into()), FindingCode::AdviceMissed),
        (Value::Unreadable("garbled".into()), FindingCode::AdviceUnanswered),
        (Value::text("another kind"), FindingCode::AdviceUnanswered),
    ] {
        let verdict = advised(value);
        assert_eq!((verdict.outcome, codes(&verdict)), (Outcome::Pass, vec![code]));
        assert_eq!(verdict.findings[0].severity, Severity::Advice);
    }
}

#[test]
fn a_fact_that_one_repeat_lacks_is_what_is_shown() {
    let seen = [found(Value::Integer(1)), found(Value::Absent("gone".into()))];
    let check = Check { record: vec!["value".into()], ..check() };
    let verdict = verdict(&check, &answer(seen));
    assert_eq!(verdict.outcome, Outcome::Error);
    assert_eq!(verdict.readings[0].observed, "absent (gone)");
    let both: Vec<Observation> = [1, 2].map(|n| found(Value::Integer(n))).into();
    let first = sample::verdict(&check, &answer(both));
    assert_eq!(first.readings[0].observed, "1");
    assert_eq!(first.readings[0].held, None);
    assert_eq!(outcome(&check, &answer([found(Value::Integer(1))])), Outcome::Pass);
}
