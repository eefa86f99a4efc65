//! What judgement promises for all values: limits are monotone, order is nothing, nothing passes
//! that is not there, and no cut loses a planned check.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use proptest::prelude::*;
use sample::{
    NODE, answer, attempt, check, demand, demanding, error, found, measured, outcome, us,
};
use verify_model::{
    check::Check,
    event::{Event, fold},
    finding::FindingCode,
    matcher::{Literal, Matcher},
    metric::{Direction, Metric},
    observation::{Attempt, Observation},
    outcome::Outcome,
    quantity::Quantity,
    run::{Header, PlannedCheck, RUN_FORMAT},
    unit::Unit,
    value::Value,
    verdict::{Answer, CheckKey},
};

/// Orders outcomes of answered checks from bad to good.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Fail => 0,
        Outcome::Pass => 2,
        _ => 1,
    }
}

fn judged(matcher: Matcher, value: f64) -> u8 {
    rank(outcome(&demanding(matcher), &answer([measured(&[value])])))
}

/// Draws values of every size, and such that lie close to others.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![-1e3..1e3, -1e15..1e15, (-20_i8..20).prop_map(f64::from), Just(0.0)]
}

fn step() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1e-9, 0.0..1.0, 0.0..1e6, Just(0.0)]
}

fn samples() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(number(), 1..9)
}

/// Draws every matcher that judges a number or a list.
fn matchers() -> Vec<Matcher> {
    let any = || vec![Matcher::AtLeast(us(-1e9))];
    vec![
        Matcher::Is(Literal::Quantity(us(1.0))),
        Matcher::IsNot(Literal::Quantity(us(1.0))),
        Matcher::AtLeast(us(-1e9)),
        Matcher::AtMost(us(1e9)),
        Matcher::Above(us(-1e9)),
        Matcher::Below(us(1e9)),
        Matcher::Between(us(-1e9), us(1e9)),
        Matcher::OneOf(vec![Literal::Quantity(us(1.0))]),
        Matcher::Contains(Literal::Integer(1)),
        Matcher::Matches(String::new()),
        Matcher::Version(">=0".into()),
        Matcher::Count(vec![Matcher::AtLeast(Quantity::of(0.0, "").unwrap())]),
        Matcher::Every(any()),
        Matcher::Some(any()),
        Matcher::None(any()),
        Matcher::AgreesWith("value".into()),
        Matcher::AgreesWith("not-there".into()),
        Matcher::Within(Quantity::of(100.0, "%").unwrap()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_better_value_never_worsens_a_verdict(value in number(), limit in number(), by in step()) {
        prop_assert!(judged(Matcher::AtLeast(us(limit)), value + by) >= judged(Matcher::AtLeast(us(limit)), value));
        prop_assert!(judged(Matcher::Above(us(limit)), value + by) >= judged(Matcher::Above(us(limit)), value));
        prop_assert!(judged(Matcher::AtMost(us(limit)), value - by) >= judged(Matcher::AtMost(us(limit)), value));
        prop_assert!(judged(Matcher::Below(us(limit)), value - by) >= judged(Matcher::Below(us(limit)), value));
    }

    #[test]
    fn what_lies_between_two_passing_values_passes(low in number(), width in step(), at in 0.0..=1.0_f64) {
        let high = low + width;
        let between = || Matcher::Between(us(low), us(high));
        prop_assert_eq!(judged(between(), low), 2);
        prop_assert_eq!(judged(between(), high), 2);
        prop_assert_eq!(judged(between(), (low + (high - low) * at).clamp(low, high)), 2);
        let outside = 1e-6 * (1.0 + low.abs().max(high.abs()));
        prop_assert_eq!(judged(between(), low - outside), 0);
        prop_assert_eq!(judged(between(), high + outside), 0);
    }

    #[test]
    fn widening_a_limit_never_turns_a_pass_into_a_failure(
        value in number(), low in number(), width in step(), by in step(),
    ) {
        let high = low + width;
        let wider = [
            (Matcher::AtLeast(us(low)), Matcher::AtLeast(us(low - by))),
            (Matcher::AtMost(us(high)), Matcher::AtMost(us(high + by))),
            (Matcher::Above(us(low)), Matcher::Above(us(low - by))),
            (Matcher::Below(us(high)), Matcher::Below(us(high + by))),
            (Matcher::Between(us(low), us(high)), Matcher::Between(us(low - by), us(high + by))),
        ];
        for (narrow, wide) in wider {
            let said = format!("{narrow}, then {wide}");
            prop_assert!(judged(wide, value) >= judged(narrow, value), "{}", said);
        }
    }

    #[test]
    fn the_order_of_samples_and_repeats_is_irrelevant(
        runs in prop::collection::vec(samples(), 1..5), limit in number(), seed in any::<u64>(),
    ) {
        let mut shuffled = runs.clone();
        let turn = usize::try_from(seed % 7).unwrap_or(0);
        for run in &mut shuffled {
            let by = turn % run.len();
            run.rotate_left(by);
            run.reverse();
        }
        let by = turn % shuffled.len();
        shuffled.rotate_left(by);
        for field in ["value", "value.p99", "value.max"] {
            let demands = vec![demand(field, vec![Matcher::AtMost(us(limit))])];
            let check = Check { expect: demands, ..check() };
            let observe = |runs: &[Vec<f64>]| answer(runs.iter().map(|samples| measured(samples)));
            let first = sample::verdict(&check, &observe(&runs));
            let second = sample::verdict(&check, &observe(&shuffled));
            prop_assert_eq!(first.outcome, second.outcome);
            prop_assert_eq!(first.readings, second.readings);
        }
    }

    #[test]
    fn what_is_not_a_number_never_becomes_a_metric(mut samples in samples(), at in any::<prop::sample::Index>()) {
        let unit = Unit::parse("us").unwrap();
        let at = at.index(samples.len());
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            samples[at] = bad;
            prop_assert!(Metric::new(unit, Direction::Neutral, samples.clone()).is_err());
            prop_assert!(Quantity::new(bad, unit).is_err());
        }
        prop_assert!(Metric::new(unit, Direction::Neutral, vec![]).is_err());
    }

    #[test]
    fn a_quantity_stays_finite_in_every_unit(value in any::<f64>()) {
        for from in verify_model::unit::UNITS {
            let Ok(quantity) = Quantity::of(value, from.symbol()) else { continue };
            for symbol in quantity.dimension().symbols() {
                let to = Unit::parse(symbol).unwrap();
                prop_assert!(quantity.to(to).is_none_or(|q| q.value().is_finite()));
            }
        }
    }

    #[test]
    fn any_prefix_of_a_record_keeps_every_planned_check_once(
        answers in prop::collection::vec(0_u8..5, 0..6), cut in any::<prop::sample::Index>(),
    ) {
        let events = record(&answers);
        let plan = answers.len() + 2;
        let end = cut.index(events.len() + 1);
        let folded = fold(events[..end].iter().cloned());
        if end < plan {
            prop_assert!(folded.is_err());
        } else {
            let run = folded.unwrap();
            let ids: Vec<String> = run.checks.iter().map(|c| c.planned.check.id.clone()).collect();
            let planned: Vec<String> = (0..answers.len()).map(|at| format!("a/{at}")).collect();
            prop_assert_eq!(ids, planned);
            prop_assert_eq!(run.counts().total(), answers.len());
            prop_assert_eq!(run.complete, end == events.len());
            for check in &run.checks {
                let closed = events[..end].iter().any(
                    |e| matches!(e, Event::Answered { key, .. } if *key == check.planned.key()),
                );
                prop_assert!(closed || check.verdict.outcome == Outcome::Error);
            }
        }
    }
}

#[test]
fn nothing_missing_ever_passes_under_any_matcher() {
    let missing: Vec<Answer> = vec![
        answer([found(Value::Absent("none".into()))]),
        answer([found(Value::Unreadable("garbled".into()))]),
        answer([Observation::default()]),
        answer([measured(&[1.0]), Observation::default()]),
        answer([found(Value::Integer(1)), found(Value::Absent("none".into()))]),
        Answer::Attempted(vec![]),
        Answer::Attempted(vec![error(1, 1, FindingCode::TimedOut)]),
        // A code that no probe should give for an error still makes no pass.
        Answer::Attempted(vec![error(1, 1, FindingCode::Flaky)]),
        Answer::Attempted(vec![attempt(1, measured(&[1.0])), error(2, 1, FindingCode::Waived)]),
        Answer::Interrupted,
        Answer::NotReached,
        Answer::Unreachable { code: FindingCode::NoRoute, message: "made to fail".to_owned() },
        Answer::Blocked { by: "a/b".into(), outcome: Outcome::Fail },
    ];
    for matcher in matchers() {
        for answer in &missing {
            let outcome = outcome(&demanding(matcher.clone()), answer);
            assert_ne!(outcome, Outcome::Pass, "{matcher} of {answer:?}");
        }
    }
}

/// Writes a record: a check for each number, answered as it says, one after the other.
fn record(answers: &[u8]) -> Vec<Event> {
    let header = Header {
        format: RUN_FORMAT.into(),
        id: "01".into(),
        started_at: "2026-01-15T12:00:00Z".into(),
        version: "0.1.0".into(),
        root: "/".into(),
        command: vec![],
        require_baseline: false,
        until_decided: false,
        orchestrator: "here".into(),
    };
    let mut events = vec![Event::Started(header)];
    for at in 0..answers.len() {
        let check = Check { id: format!("a/{at}"), ..demanding(Matcher::AtMost(us(10.0))) };
        events.push(Event::Planned(PlannedCheck { node: NODE.into(), check }));
    }
    events.push(Event::PlanReady { checks: answers.len() });
    for (at, kind) in answers.iter().enumerate() {
        let key = CheckKey::new(NODE, format!("a/{at}"));
        let attempts: Vec<Attempt> = match kind {
            0 => vec![attempt(1, measured(&[1.0]))],
            1 => vec![attempt(1, measured(&[99.0]))],
            2 => vec![
                error(1, 1, FindingCode::TimedOut),
                Attempt { r#try: 2, ..attempt(1, measured(&[1.0])) },
            ],
            3 => vec![error(1, 1, FindingCode::TimedOut)],
            _ => vec![],
        };
        let left_out = attempts.is_empty();
        for attempt in attempts {
            events.push(Event::Attempted { key: key.clone(), attempt });
        }
        let blocked = Answer::Blocked { by: "a/0".into(), outcome: Outcome::Fail };
        events.push(Event::Answered { key, answer: left_out.then_some(blocked) });
    }
    events.push(Event::Finished { elapsed_ms: 5, interrupted: false, exit: 0 });
    events
}
