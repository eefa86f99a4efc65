//! How metrics are compared with their baselines, and what that makes of outcomes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use sample::{ID, NODE};
use sample::{answer, attempt, baseline, check, demand, error, measured, metric, q};
use verify_model::{
    baseline::{Baseline, Past},
    check::{Check, Comparing, Expectation},
    comparison::Standing,
    finding::FindingCode,
    judge::judge,
    matcher::{Literal, Matcher},
    observation::Attempt,
    outcome::Outcome,
    settle::{Looks, settle},
    value::Value,
    verdict::{Answer, CheckKey, Verdict},
};

/// Ten values around 50 us with a scatter of 0.5 %.
const STEADY: [f64; 10] = [50.0, 50.2, 49.8, 50.1, 49.9, 50.3, 49.7, 50.0, 50.2, 49.8];

/// Builds a baseline of so many sessions.
fn past(values: &[f64], sessions: u32) -> Vec<Past> {
    let each = values.len().div_ceil(sessions as usize);
    let session = |at: usize| u32::try_from(at / each).unwrap() + 1;
    values
        .iter()
        .enumerate()
        .map(|(at, value)| Past { session: session(at), value: *value })
        .collect()
}

fn steady() -> Baseline {
    Baseline { current: past(&STEADY, 5), units: 10, ..baseline("50 us") }
}

fn comparing(tolerance: &str) -> Check {
    let expect = Expectation {
        comparing: Comparing { class: Some("device-bandwidth".into()), ..Comparing::default() },
        ..demand("value", vec![Matcher::Within(q(tolerance))])
    };
    Check { expect: vec![expect], ..check() }
}

fn runs(values: &[f64]) -> Answer {
    answer(values.iter().map(|value| measured(&[*value])))
}

fn judged(values: &[f64], baseline: &Baseline) -> Verdict {
    judge(NODE, &comparing("5 %"), &runs(values), std::slice::from_ref(baseline))
}

fn standing(verdict: &Verdict) -> Standing {
    verdict.comparisons[0].standing
}

#[test]
fn the_words_and_what_each_makes_of_the_outcome() {
    for (values, word, outcome, held) in [
        (&[50.0, 50.1, 49.9][..], Standing::Same, Outcome::Pass, Some(true)),
        (&[60.0, 60.1, 59.9], Standing::Regressed, Outcome::Fail, Some(false)),
        (&[40.0, 40.1, 39.9], Standing::Improved, Outcome::Pass, Some(true)),
        (&[52.4, 52.6, 52.5], Standing::Inconclusive, Outcome::Unjudged, None),
    ] {
        let verdict = judged(values, &steady());
        assert_eq!((standing(&verdict), verdict.outcome), (word, outcome), "{values:?}");
        assert_eq!(verdict.readings[0].held, held, "{values:?}");
        let said = verdict.comparisons[0].headline();
        assert!(said.contains(word.name()) && said.contains("tolerance 5 %"), "{said}");
        assert!(verdict.comparisons[0].sight().contains("would be seen"));
    }
    let worse = judged(&[60.0, 60.1, 59.9], &steady());
    let finding = worse.main_finding().unwrap();
    assert_eq!(finding.code, FindingCode::OffBaseline);
    assert!(
        finding.message.contains("20.0 % worse than its baseline 50 us [+"),
        "{}",
        finding.message
    );
    assert_eq!(finding.expected.as_deref(), Some("within 5 % of the baseline 50 us"));
    assert_eq!(finding.evidence, [7, 7, 7]);
    let better = judged(&[40.0, 40.1, 39.9], &steady());
    assert!(better.findings.iter().any(|f| f.code == FindingCode::Improved));
}

#[test]
fn one_or_two_runs_are_never_a_failure_whatever_they_show() {
    for values in [&[500.0][..], &[500.0, 500.0]] {
        let verdict = judged(values, &steady());
        assert_eq!(verdict.outcome, Outcome::Unjudged);
        assert_eq!(verdict.decided_by, Some(FindingCode::Inconclusive));
    }
}

#[test]
fn what_looks_worse_by_a_noise_that_is_not_known_is_possible_and_a_disaster_is_not() {
    // Two sessions do not tell how sessions differ.
    let thin = Baseline { current: past(&STEADY, 2), ..steady() };
    let verdict = judged(&[58.0, 58.1, 57.9], &thin);
    assert_eq!((standing(&verdict), verdict.outcome), (Standing::Possible, Outcome::Unjudged));
    assert_eq!(verdict.decided_by, Some(FindingCode::PossibleRegression));
    assert!(verdict.comparisons[0].sight().contains("provisional: the spread is that of class"));
    let verdict = judged(&[61.0, 61.1, 60.9], &thin);
    assert_eq!((standing(&verdict), verdict.outcome), (Standing::Regressed, Outcome::Fail));
}

#[test]
fn thin_baselines_say_what_they_cannot_see() {
    let one = Baseline { current: past(&[50.0], 1), ..steady() };
    let verdict = judged(&[50.0, 50.1, 49.9], &one);
    let said = verdict.comparisons[0].sight();
    assert!(said.contains("thin baseline (1 run)"), "{said}");
    let wide = verdict.comparisons[0].detectable.unwrap();
    let narrow = judged(&[50.0, 50.1, 49.9], &steady()).comparisons[0].detectable.unwrap();
    assert!(wide > narrow && narrow > 0.05, "{wide} {narrow}");
}

#[test]
fn the_more_is_compared_the_surer_each_must_be() {
    let verdict = |at: usize, values: &[f64]| {
        let check = Check { id: format!("group/{at}"), ..comparing("1 %") };
        let known = Baseline { key: CheckKey::new(NODE, &check.id), ..steady() };
        judge(NODE, &check, &runs(values), &[known])
    };
    // Alone it is a failure by little.
    let values = [51.9, 52.1, 52.0];
    let alone = verdict(0, &values);
    assert_eq!(alone.outcome, Outcome::Fail, "{:?}", alone.comparisons[0]);
    let mut family = vec![alone];
    family.extend((1..500).map(|at| verdict(at, &STEADY[..3])));
    settle(&mut family, Looks::Once, &[], "2026-11-20");
    assert_eq!(family[0].outcome, Outcome::Unjudged, "{:?}", family[0].comparisons[0]);
    assert_eq!(family[0].decided_by, Some(FindingCode::Inconclusive));
    assert!(family[0].findings.iter().all(|f| f.code != FindingCode::OffBaseline));
    assert!(family[1..].iter().all(|v| v.outcome != Outcome::Fail));
    let once = family.clone();
    settle(&mut family, Looks::Once, &[], "2026-11-20");
    assert_eq!(once, family);
    // The outline that a run keeps while it lasts comes to the same.
    let mut outlines: Vec<Verdict> = once.iter().map(Verdict::outline).collect();
    settle(&mut outlines, Looks::Once, &[], "2026-11-20");
    assert!(outlines.iter().zip(&once).all(|(one, other)| one.outcome == other.outcome));
}

#[test]
fn a_creep_that_no_accept_saw_is_seen_against_the_first_units() {
    let crept: Vec<f64> = STEADY.iter().map(|value| value * 1.1).collect();
    let known = Baseline { current: past(&crept, 5), anchor: past(&STEADY, 5), ..steady() };
    let verdict = judged(&[55.0, 55.1, 54.9], &known);
    assert_eq!((standing(&verdict), verdict.outcome), (Standing::Regressed, Outcome::Fail));
    let first = verdict.comparisons[0].at_first.as_ref().unwrap();
    assert_eq!(first.standing, Standing::Regressed);
    let said = &verdict.findings[0].message;
    assert!(said.contains("against the first accepted units, 50 us: +10.0 % ["), "{said}");
}

#[test]
fn what_changed_in_the_machine_stands_beside_a_loss_and_is_harmless_without() {
    let changed = vec!["memory: 4 -> 2 modules".to_owned()];
    let known = Baseline { changed, ..steady() };
    let worse = judged(&[60.0, 60.1, 59.9], &known);
    assert!(worse.findings[0].message.ends_with("changed since then: memory: 4 -> 2 modules"));
    let same = judged(&[50.0, 50.1, 49.9], &known);
    assert_eq!(same.outcome, Outcome::Pass);
    let owed = same.findings.iter().find(|f| f.code == FindingCode::MachineChanged).unwrap();
    assert!(owed.message.contains("memory: 4 -> 2 modules"), "{}", owed.message);
}

#[test]
fn values_that_may_be_zero_are_compared_in_their_unit() {
    let known = Baseline { current: past(&[0.0, 0.1, 0.0, 0.05, 0.0, 0.1], 3), ..baseline("0 us") };
    let check = comparing("2 us");
    let judged = |values: &[f64]| judge(NODE, &check, &runs(values), std::slice::from_ref(&known));
    assert_eq!(judged(&[0.0, 0.1, 0.05]).outcome, Outcome::Pass);
    let worse = judged(&[30.0, 30.1, 29.9]);
    assert_eq!(worse.outcome, Outcome::Fail, "{}", worse.comparisons[0].headline());
    assert!(worse.comparisons[0].headline().contains("tolerance 2 us"));
}

#[test]
fn equal_samples_everywhere_are_the_same() {
    let known = Baseline { current: past(&[50.0; 10], 5), ..steady() };
    assert_eq!(judged(&[50.0; 3], &known).outcome, Outcome::Pass);
    assert_eq!(judged(&[60.0; 3], &known).outcome, Outcome::Fail);
}

#[test]
fn a_disturbed_repeat_does_not_count_and_more_than_a_third_spoil_all() {
    let disturbed = |spoilt: usize| {
        let attempts = (1..=6).map(|n| {
            let is_spoilt = n <= u32::try_from(spoilt).unwrap();
            let value = if is_spoilt { 90.0 } else { 50.0 + f64::from(n) / 50.0 };
            let mut attempt = attempt(n, measured(&[value]));
            attempt.disturbed = is_spoilt.then(|| "somebody compiles".to_owned());
            attempt
        });
        judge(NODE, &comparing("5 %"), &Answer::Attempted(attempts.collect()), &[steady()])
    };
    let some = disturbed(2);
    assert_eq!(some.outcome, Outcome::Pass);
    assert_eq!((some.comparisons[0].new.runs, some.comparisons[0].gated), (4, 2));
    let said = some.findings.iter().find(|f| f.code == FindingCode::RepeatsLeftOut).unwrap();
    assert!(said.message.contains("2 of 6 repeats do not count: somebody compiles"));
    let most = disturbed(3);
    assert_eq!(most.decided_by, Some(FindingCode::ConditionsNotHeld));
    assert!(most.comparisons.is_empty());
}

#[test]
fn quantiles_of_too_few_samples_are_not_compared() {
    let check =
        Check { expect: vec![demand("value.p99", vec![Matcher::Within(q("5 %"))])], ..check() };
    let known = Baseline { field: "value.p99".into(), ..steady() };
    let verdict =
        judge(NODE, &check, &answer([measured(&[50.0; 100])]), std::slice::from_ref(&known));
    assert_eq!(verdict.decided_by, Some(FindingCode::TooFewSamples));
    let verdict = judge(NODE, &check, &answer([measured(&[50.0; 368])]), &[known]);
    assert_eq!(verdict.comparisons.len(), 1);
    // The middle is sure with few.
    let check =
        Check { expect: vec![demand("value.p50", vec![Matcher::Within(q("5 %"))])], ..check };
    let known = Baseline { field: "value.p50".into(), ..steady() };
    let verdict = judge(NODE, &check, &answer([measured(&[50.0; 3])]), &[known]);
    assert_eq!(verdict.comparisons.len(), 1);
}

#[test]
fn the_looks_of_a_run_until_decided_are_played_in_order() {
    let known = Baseline { current: past(&STEADY, 1), ..steady() };
    let check = comparing("10 %");
    let decided = |values: &[f64]| {
        let mut verdicts = [judge(NODE, &check, &runs(values), std::slice::from_ref(&known))];
        settle(&mut verdicts, Looks::UntilDecided, &[], "2026-11-20");
        let [verdict] = verdicts;
        (standing(&verdict), verdict.comparisons[0].look)
    };
    assert_eq!(decided(&[50.0, 50.1, 49.9]), (Standing::Same, Some((1, 6))));
    // What comes after a decision changes nothing.
    let late = [50.0, 50.1, 49.9, 90.0, 90.0];
    assert_eq!(decided(&late), (Standing::Same, Some((1, 6))));
    let unsure = [54.9, 55.1, 55.0, 54.95, 55.05];
    assert_eq!(decided(&unsure[..4]).0, Standing::Inconclusive);
    assert_eq!(decided(&unsure).1, Some((2, 6)));
    assert_eq!(decided(&[50.0, 50.1]).1, None, "a look that was not reached is none");
}

#[test]
fn a_loss_keeps_no_other_check_waiting_and_a_missed_limit_does() {
    let loss = judged(&[60.0, 60.1, 59.9], &steady());
    assert_eq!((loss.outcome, loss.outcome_for_others()), (Outcome::Fail, Outcome::Pass));
    let matchers = vec![Matcher::Within(q("5 %")), Matcher::AtMost(q("10 us"))];
    let check = Check { expect: vec![demand("value", matchers)], ..check() };
    let missed = judge(NODE, &check, &runs(&[60.0, 60.1, 59.9]), &[steady()]);
    assert_eq!(missed.outcome_for_others(), Outcome::Fail);
    assert_eq!(missed.key, CheckKey::new(NODE, ID));
}

#[test]
fn advice_to_compare_never_fails() {
    let check = Check { advise: comparing("5 %").expect, record: vec!["value".into()], ..check() };
    let verdict = judge(NODE, &check, &runs(&[60.0, 60.1, 59.9]), &[steady()]);
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert!(verdict.findings.iter().any(|f| f.code == FindingCode::AdviceMissed));
}

#[test]
fn a_spread_that_doubled_is_a_loss_though_the_centre_stays() {
    let samples = |width: f64| (0..200).map(move |n| 50.0 + width * (f64::from(n % 20) - 9.5));
    let spread = |width: f64| {
        let observation = measured(&samples(width).collect::<Vec<_>>());
        observation.metric_at("value").unwrap().summary("spread").unwrap()
    };
    let usual = spread(0.1).value();
    let known = Baseline {
        field: "value.spread".into(),
        centre: spread(0.1),
        current: past(&STEADY.map(|value| usual * value / 50.0), 5),
        ..steady()
    };
    let expect = Expectation {
        comparing: Comparing { class: Some("spread".into()), ..Comparing::default() },
        ..demand("value.spread", vec![Matcher::Within(q("25 %"))])
    };
    let check = Check { expect: vec![expect], ..check() };
    let judged = |width: f64| {
        let runs = (0..5).map(|_| measured(&samples(width).collect::<Vec<_>>()));
        judge(NODE, &check, &answer(runs), std::slice::from_ref(&known))
    };
    assert_eq!(judged(0.1).outcome, Outcome::Pass);
    let wide = judged(0.2);
    assert_eq!((standing(&wide), wide.outcome), (Standing::Regressed, Outcome::Fail));
    let few = judge(NODE, &check, &answer([measured(&STEADY)]), &[known]);
    assert_eq!(few.decided_by, Some(FindingCode::TooFewSamples));
}

#[test]
fn a_field_that_is_demanded_and_advised_keeps_both_answers() {
    let advise = vec![demand("value", vec![Matcher::Within(q("1 %"))])];
    let check = Check { advise, ..comparing("5 %") };
    let judged = |values: &[f64]| judge(NODE, &check, &runs(values), &[steady()]);
    let worse = judged(&[60.0, 60.1, 59.9]);
    assert_eq!(worse.outcome, Outcome::Fail);
    let codes: Vec<FindingCode> = worse.findings.iter().map(|f| f.code).collect();
    assert!(codes.contains(&FindingCode::OffBaseline), "{codes:?}");
    assert!(codes.contains(&FindingCode::AdviceMissed), "{codes:?}");
    let mut again = [worse.clone()];
    settle(&mut again, Looks::Once, &[], "2026-11-20");
    assert_eq!(again[0].findings.len(), worse.findings.len());
}

#[test]
fn a_new_field_without_a_baseline_hides_no_other_one() {
    let mut check = comparing("5 %");
    check.expect.push(demand("fresh", vec![Matcher::Within(q("5 %"))]));
    let unsure = [52.4, 52.6, 52.5].map(|value| measured(&[value]).metric("fresh", metric(&[1.0])));
    let verdict = judge(NODE, &check, &answer(unsure), &[steady()]);
    assert_eq!(verdict.decided_by, Some(FindingCode::Inconclusive));
    let sure = [50.0, 50.1, 49.9].map(|value| measured(&[value]).metric("fresh", metric(&[1.0])));
    let verdict = judge(NODE, &check, &answer(sure), &[steady()]);
    assert_eq!(verdict.decided_by, Some(FindingCode::NoBaseline));
}

#[test]
fn a_fact_must_hold_and_an_error_is_one_in_a_disturbed_repeat_too() {
    let mut check = comparing("5 %");
    check.expect.push(demand("state", vec![Matcher::Is(Literal::Integer(0))]));
    let seen = |n: u32, state: i64| {
        let fact = Value::Integer(state);
        attempt(n, measured(&[50.0 + f64::from(n) / 50.0]).fact("state", fact))
    };
    let judged = |second: Attempt| {
        let attempts = vec![seen(1, 0), second, seen(3, 0), seen(4, 0)];
        judge(NODE, &check, &Answer::Attempted(attempts), &[steady()])
    };
    let disturbed = |attempt| Attempt { disturbed: Some("a backup ran".into()), ..attempt };
    assert_eq!(judged(disturbed(seen(2, 0))).outcome, Outcome::Pass);
    assert_eq!(judged(disturbed(seen(2, 1))).outcome, Outcome::Fail);
    let timed_out = disturbed(error(2, 1, FindingCode::TimedOut));
    assert_eq!(judged(timed_out).outcome, Outcome::Error);
}

#[test]
fn a_creep_is_seen_at_a_look_whatever_counts_as_one_on_the_other_side() {
    // The baseline counts by session, the first units are of one boot.
    let crept: Vec<f64> = STEADY.iter().map(|value| value * 1.3).collect();
    let known = Baseline {
        current: past(&crept, 5),
        anchor: past(&STEADY, 1),
        earlier: past(&[65.0, 65.1, 64.9, 65.0], 2),
        ..steady()
    };
    for looks in [Looks::Once, Looks::UntilDecided] {
        let verdict = judged(&[65.0, 65.1, 64.9], &known);
        let mut verdicts = [verdict];
        settle(&mut verdicts, looks, &[], "2026-11-20");
        assert_eq!(standing(&verdicts[0]), Standing::Regressed, "{looks:?}");
    }
}

#[test]
fn whether_a_loss_is_certain_is_the_matter_of_the_side_that_shows_it() {
    // Many sessions at first, one since: against the first it is known well enough.
    let known = Baseline {
        current: past(&STEADY.map(|value| value * 1.1), 1),
        anchor: past(&STEADY, 5),
        ..steady()
    };
    let verdict = judged(&[57.0, 57.1, 56.9], &known);
    assert_eq!(standing(&verdict), Standing::Regressed, "{}", verdict.comparisons[0].headline());
    // The other way round nobody knows how sessions differ.
    let known = Baseline {
        current: past(&STEADY.map(|value| value * 1.1), 5),
        anchor: past(&STEADY, 1),
        ..steady()
    };
    let verdict = judged(&[57.0, 57.1, 56.9], &known);
    assert_eq!(standing(&verdict), Standing::Possible, "{}", verdict.comparisons[0].headline());
}

#[test]
fn who_has_no_more_units_keeps_no_other_one_from_its_looks() {
    let lone = Check { id: "group/lone".into(), ..comparing("10 %") };
    let known =
        |id: &str| Baseline { key: CheckKey::new(NODE, id), current: past(&STEADY, 1), ..steady() };
    let mut verdicts = [
        judge(NODE, &lone, &runs(&[50.0]), &[known("group/lone")]),
        judge(NODE, &comparing("10 %"), &runs(&[50.0, 50.1, 49.9, 50.0]), &[known(ID)]),
    ];
    settle(&mut verdicts, Looks::UntilDecided, &[], "2026-11-20");
    assert_eq!(verdicts[0].comparisons[0].look, None);
    assert_eq!(verdicts[1].comparisons[0].look, Some((1, 6)));
    assert_eq!(standing(&verdicts[1]), Standing::Same);
}
