//! What is written of a comparison when all of a run are decided: the numbers of its own question.
//!
//! The statistics are held to other sources in `rule`; here it is seen that they arrive.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use sample::{NODE, answer, baseline, check, codes, demand, measured, q};
use verify_model::{
    baseline::{Baseline, Past},
    check::{Check, Comparing, Expectation},
    comparison::{Comparison, Standing, question},
    finding::{FindingCode, Severity},
    judge::judge,
    matcher::{Literal, Matcher},
    metric::Direction,
    outcome::Outcome,
    settle::{Looks, settle},
    statistics::{Estimate, FWER, Guard, Question, RUNS, SESSIONS, Transform, UnitKind},
    verdict::{CheckKey, Verdict},
};

const STEADY: [f64; 10] = [50.0, 50.2, 49.8, 50.1, 49.9, 50.3, 49.7, 50.0, 50.2, 49.8];
const TODAY: &str = "2026-11-20";

fn past(values: &[f64], each: usize) -> Vec<Past> {
    let session = |at: usize| u32::try_from(at / each).unwrap() + 1;
    (0..).zip(values).map(|(at, value)| Past { session: session(at), value: *value }).collect()
}

/// Builds a baseline whose sessions hold so many units.
fn steady(each: usize) -> Baseline {
    Baseline { current: past(&STEADY, each), units: 10, ..baseline("50 us") }
}

fn within(tolerance: &str) -> Expectation {
    let comparing = Comparing { class: Some("device-bandwidth".into()), ..Comparing::default() };
    Expectation { comparing, ..demand("value", vec![Matcher::Within(q(tolerance))]) }
}

fn judged(expectation: Expectation, values: &[f64], known: &Baseline) -> Verdict {
    let check = Check { id: known.key.check.clone(), expect: vec![expectation], ..check() };
    let runs = answer(values.iter().map(|value| measured(&[*value])));
    judge(NODE, &check, &runs, std::slice::from_ref(known))
}

/// Returns the question that stands behind a comparison, with this run as a session of its own.
fn asked(expectation: &Expectation, values: &[f64], known: &Baseline) -> (Question, Transform) {
    let own = values.iter().map(|value| Past { session: 0, value: *value });
    let earlier = known.earlier.iter().copied().chain(own).collect();
    let known = Baseline { earlier, ..known.clone() };
    let Matcher::Within(tolerance) = expectation.matchers[0] else { panic!("no tolerance") };
    question(expectation, Direction::LowerIsBetter, &known, tolerance).unwrap()
}

fn near(what: &str, found: f64, expected: f64) {
    let off = (found - expected).abs();
    assert!(off <= 1e-12 * expected.abs().max(1e-9), "{what} is {found:e}, not {expected:e}");
}

/// Demands the numbers of an estimate at a level, with a part of the chance of a false alarm.
fn demand_numbers(of: &Comparison, found: &Estimate, by: &Transform, (level, alpha): (f64, f64)) {
    let (low, high) = found.interval();
    let ends = [by.change(low), by.change(high)];
    near("change", of.change, by.change(found.est));
    near("low", of.low, ends[0].min(ends[1]));
    near("high", of.high, ends[0].max(ends[1]));
    near("level", of.level, level);
    near("then", of.then.unwrap().value(), by.value(found.mean_b));
    near("now", of.now.unwrap().value(), by.value(found.mean_n));
    let tol = by.tol(0.05);
    near("detectable", of.detectable.unwrap(), by.change(found.detectable(alpha, tol)).abs());
    assert_eq!(of.needed, found.needed(alpha, tol, 2.0 * tol));
    assert_eq!(of.by_session, found.unit == UnitKind::Session);
    assert_eq!(of.drifts, found.guard == Guard::Fired);
    assert_eq!(of.provisional, found.provisional);
    assert_eq!((of.baseline.sessions, of.baseline.runs), (found.sessions_b, found.runs_b));
    assert_eq!((of.new.sessions, of.new.runs), (found.sessions_n, found.runs_n));
}

#[test]
fn the_numbers_of_a_lone_comparison_are_those_of_its_question() {
    let drifting: Vec<f64> = (0..30).map(|n| 50.0 + 0.05 * f64::from(n)).collect();
    for (values, known) in [
        (&[50.0, 50.1, 49.9][..], steady(2)),
        (&[60.0, 60.1, 59.9], steady(2)),
        (&[50.4, 50.1, 52.9], steady(10)),
        (&[51.0, 51.1], Baseline { current: past(&drifting, 30), ..steady(1) }),
    ] {
        let verdict = judged(within("5 %"), values, &known);
        let (question, by) = asked(&within("5 %"), values, &known);
        let found = question.estimate().unwrap();
        let comparison = &verdict.comparisons[0];
        demand_numbers(comparison, &found, &by, (FWER, FWER));
        near("adjusted", comparison.adjusted, found.p);
        assert_eq!((comparison.look, comparison.goal), (None, None));
    }
}

#[test]
fn a_goal_decides_what_is_needed() {
    let mut expectation = within("5 %");
    expectation.comparing.detect = Some(q("2 %"));
    let values = [50.4, 50.1, 52.9];
    let known = steady(10);
    let comparison = judged(expectation, &values, &known).comparisons.remove(0);
    let (question, by) = asked(&within("5 %"), &values, &known);
    let found = question.estimate().unwrap();
    near("goal", comparison.goal.unwrap(), 0.02);
    assert_eq!(comparison.needed, found.needed(FWER, by.tol(0.05), by.tol(0.02)));
}

#[test]
fn the_first_units_share_the_chance_of_a_false_alarm() {
    let known = Baseline { anchor: past(&STEADY.map(|value| value * 0.98), 2), ..steady(2) };
    let values = [50.5, 50.6, 50.4];
    let verdict = judged(within("5 %"), &values, &known);
    let comparison = &verdict.comparisons[0];
    let (question, by) = asked(&within("5 %"), &values, &known);
    let found = question.estimate().unwrap();
    demand_numbers(comparison, &found, &by, (FWER, FWER / 2.0));
    near("adjusted", comparison.adjusted, (2.0 * found.p).min(1.0));
    let first = Baseline { current: known.anchor.clone(), ..known.clone() };
    let (question, by) = asked(&within("5 %"), &values, &first);
    let found = question.estimate().unwrap();
    let at_first = comparison.at_first.as_ref().unwrap();
    near("change", at_first.change, by.change(found.est));
    near("low", at_first.low, by.change(found.interval().0));
    near("high", at_first.high, by.change(found.interval().1));
    near("adjusted", at_first.adjusted, (2.0 * found.p).min(1.0));
    near("then", at_first.then.unwrap().value(), by.value(found.mean_b));
}

/// Settles checks that count by session and such that count by run, in a run until decided.
fn together(by_session: usize, by_run: usize, values: &[f64]) -> Vec<Verdict> {
    let known = |id: String, each: usize| Baseline { key: CheckKey::new(NODE, id), ..steady(each) };
    let sessions = (0..by_session).map(|n| known(format!("session/{n}"), 2));
    let runs = (0..by_run).map(|n| known(format!("run/{n}"), 10));
    let all = sessions.chain(runs);
    let mut verdicts: Vec<_> = all.map(|known| judged(within("5 %"), values, &known)).collect();
    settle(&mut verdicts, Looks::UntilDecided, &[], TODAY);
    verdicts
}

#[test]
fn families_share_the_level_by_their_number_and_looks_by_their_spend() {
    let verdicts = together(1, 3, &[60.0, 60.1, 59.9]);
    let of = |verdict: &Verdict| {
        let comparison = &verdict.comparisons[0];
        (comparison.by_session, comparison.look, comparison.level)
    };
    let (by_session, look, level) = of(&verdicts[0]);
    assert_eq!((by_session, look), (true, Some((1, SESSIONS.looks.len()))));
    near("level", level, FWER * SESSIONS.spend[0] / 4.0);
    for verdict in &verdicts[1..] {
        let (by_session, look, level) = of(verdict);
        assert_eq!((by_session, look), (false, Some((1, RUNS.looks.len()))));
        near("level", level, FWER * RUNS.spend[0] * 3.0 / 4.0);
    }
    // What could be seen is told by the look that spends most, over all comparisons.
    let (question, by) = asked(&within("5 %"), &[60.0, 60.1, 59.9], &steady(10));
    let found = question.estimate().unwrap();
    let alpha = FWER * RUNS.largest_spend() / 4.0;
    let detectable = by.change(found.detectable(alpha, by.tol(0.05))).abs();
    near("detectable", verdicts[1].comparisons[0].detectable.unwrap(), detectable);
}

#[test]
fn a_second_look_spends_its_own_share_on_the_units_that_it_has() {
    let unsure = [52.4, 52.6, 52.5, 52.45, 52.55];
    let verdicts = together(0, 1, &unsure);
    let comparison = &verdicts[0].comparisons[0];
    assert_eq!(comparison.look, Some((2, RUNS.looks.len())));
    near("level", comparison.level, FWER * RUNS.spend[1]);
    assert_eq!(comparison.new.runs, 5);
    // Fewer units than a look has take no part in it.
    let verdicts = together(0, 1, &unsure[..4]);
    let comparison = &verdicts[0].comparisons[0];
    assert_eq!((comparison.look, comparison.new.runs), (Some((1, RUNS.looks.len())), 3));
    // Who never had those of the first is looked at with nothing to spend.
    let verdicts = together(0, 1, &[90.0, 90.0]);
    let comparison = &verdicts[0].comparisons[0];
    assert_eq!((comparison.look, comparison.standing), (None, Standing::Inconclusive));
    assert!(comparison.level.abs() < f64::MIN_POSITIVE);
}

#[test]
fn advice_to_compare_says_less_and_is_not_open_either() {
    let advised = |values: &[f64], known: &Baseline| {
        let check = Check {
            advise: vec![within("5 %")],
            expect: vec![demand("fact", vec![Matcher::Is(Literal::Integer(1))])],
            ..check()
        };
        let seen = values
            .iter()
            .map(|value| measured(&[*value]).fact("fact", verify_model::value::Value::Integer(1)));
        judge(NODE, &check, &answer(seen), std::slice::from_ref(known))
    };
    for (values, each, code) in [
        (&[60.0, 60.1, 59.9][..], 2, Some(FindingCode::AdviceMissed)),
        (&[52.4, 52.6, 52.5], 2, Some(FindingCode::AdviceUnanswered)),
        (&[40.0, 40.1, 39.9], 2, Some(FindingCode::Improved)),
        (&[50.0, 50.1, 49.9], 2, None),
    ] {
        let verdict = advised(values, &steady(each));
        assert_eq!((verdict.outcome, codes(&verdict)), (Outcome::Pass, code.into_iter().collect()));
        if let Some(finding) = verdict.findings.first() {
            assert!(finding.severity > Severity::Unjudged && finding.expected.is_none());
            assert_eq!(finding.next, finding.code.row().next, "a fix is for failures");
        }
    }
}

#[test]
fn only_a_loss_carries_the_fix_of_the_check() {
    let next = |values: &[f64]| {
        let verdict = judged(within("5 %"), values, &steady(2));
        let finding = verdict.findings[0].clone();
        (finding.code, finding.next == finding.code.row().next)
    };
    assert_eq!(next(&[60.0, 60.1, 59.9]), (FindingCode::OffBaseline, false));
    assert_eq!(next(&[52.4, 52.6, 52.5]), (FindingCode::Inconclusive, true));
    let plain = Check { fix: String::new(), expect: vec![within("5 %")], ..check() };
    let slow = answer([60.0, 60.1, 59.9].map(|value| measured(&[value])));
    let verdict = judge(NODE, &plain, &slow, &[steady(2)]);
    assert_eq!(verdict.findings[0].next, FindingCode::OffBaseline.row().next);
}

#[test]
fn a_limit_that_was_missed_is_not_held_because_the_comparison_is_as_before() {
    let mut both = within("5 %");
    both.matchers.push(Matcher::AtMost(q("10 us")));
    let verdict = judged(both, &[50.0, 50.1, 49.9], &steady(2));
    assert_eq!((verdict.outcome, verdict.comparisons[0].standing), (Outcome::Fail, Standing::Same));
    assert_eq!(verdict.readings[0].held, Some(false));
    // What another field missed is its own matter.
    let mut check = Check { expect: vec![within("5 %")], ..check() };
    check.expect.push(demand("other", vec![Matcher::AtMost(q("10 us"))]));
    let seen = [50.0, 50.1, 49.9].map(|value| {
        let metric = sample::metric(&[90.0]);
        measured(&[value]).metric("other", metric)
    });
    let verdict = judge(NODE, &check, &answer(seen), &[steady(2)]);
    let held: Vec<_> = verdict.readings.iter().map(|reading| reading.held).collect();
    assert_eq!((verdict.outcome, held), (Outcome::Fail, vec![Some(true), Some(false)]));
}

#[test]
fn a_small_tolerance_shows_what_a_level_costs() {
    // Beside a small tolerance, what can be seen is a matter of the level alone.
    let values = [50.0, 50.1, 49.9];
    let known = |id: &str| Baseline { key: CheckKey::new(NODE, id), ..steady(10) };
    let mut three: Vec<_> =
        ["a/a", "a/b", "a/c"].map(|id| judged(within("0.1 %"), &values, &known(id))).into();
    let anchored = Baseline { anchor: past(&STEADY, 5), ..known("a/d") };
    three.push(judged(within("0.1 %"), &values, &anchored));
    settle(&mut three, Looks::UntilDecided, &[], TODAY);
    let (question, by) = asked(&within("0.1 %"), &values, &known("a/a"));
    let found = question.estimate().unwrap();
    let level = FWER * RUNS.largest_spend() / 4.0;
    let detectable = |alpha: f64| by.change(found.detectable(alpha, by.tol(0.001))).abs();
    near("detectable", three[0].comparisons[0].detectable.unwrap(), detectable(level));
    near("detectable", three[3].comparisons[0].detectable.unwrap(), detectable(level / 2.0));
}

#[test]
fn a_look_sees_the_first_units_whatever_sessions_they_are_of() {
    let known = Baseline { earlier: past(&[50.0, 50.1], 2), ..steady(10) };
    let mut verdicts = [judged(within("10 %"), &[50.0, 50.1, 49.9], &known)];
    assert_eq!(verdicts[0].comparisons[0].new.runs, 5);
    settle(&mut verdicts, Looks::UntilDecided, &[], TODAY);
    let comparison = &verdicts[0].comparisons[0];
    assert_eq!((comparison.look.map(|(at, _)| at), comparison.new.runs), (Some(1), 3));
    // A session that holds all of them leaves none for the next.
    let known = Baseline { earlier: past(&[50.0, 50.1, 49.9], 3), ..steady(10) };
    let mut verdicts = [judged(within("10 %"), &[50.0, 50.1, 49.9], &known)];
    settle(&mut verdicts, Looks::UntilDecided, &[], TODAY);
    let comparison = &verdicts[0].comparisons[0];
    assert_eq!((comparison.look.map(|(at, _)| at), comparison.new.runs), (Some(1), 3));
    assert_eq!(comparison.new.sessions, 1);
}

#[test]
fn what_no_number_holds_is_open_and_says_what_it_stood_beside() {
    // Units so far apart that their variance is no number.
    let wild = [1e200, -1e200, 1e200, -1e200].map(|value| Past { session: 1, value });
    let known = Baseline { current: wild.to_vec(), ..steady(10) };
    let verdict = judged(within("5 us"), &[50.0, 50.1, 49.9], &known);
    let comparison = &verdict.comparisons[0];
    assert_eq!(comparison.standing, Standing::Inconclusive);
    assert_eq!((comparison.then, comparison.now), (Some(q("50 us")), Some(q("50 us"))));
    near("adjusted", comparison.adjusted, 1.0);
    assert_ne!(verdict.outcome, Outcome::Pass);
}

#[test]
fn a_comparison_says_whether_its_own_field_held() {
    let mut check = Check { expect: vec![within("5 %")], ..check() };
    check.expect.insert(0, demand("other", vec![Matcher::AtMost(q("100 us"))]));
    let seen =
        [60.0, 60.1, 59.9].map(|value| measured(&[value]).metric("other", sample::metric(&[90.0])));
    let verdict = judge(NODE, &check, &answer(seen), &[steady(2)]);
    let held: Vec<_> = verdict.readings.iter().map(|reading| reading.held).collect();
    assert_eq!((verdict.outcome, held), (Outcome::Fail, vec![Some(true), Some(false)]));
}
