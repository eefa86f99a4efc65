//! What a comparison keeps of its demand, and in which unit it is made.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use sample::{NODE, answer, baseline, check, codes, demand, found, q};
use verify_model::{
    baseline::{Baseline, Past},
    check::{Check, Comparing, Expectation, Location},
    comparison::{Comparison, Standing, question},
    finding::FindingCode,
    judge::judge,
    matcher::Matcher,
    metric::{Direction, Metric},
    observation::Observation,
    outcome::Outcome,
    unit::Unit,
    value::Value,
    verdict::Verdict,
};

/// Builds the expectation of a field that compares.
fn within(tolerance: &str, comparing: Comparing) -> Expectation {
    Expectation { comparing, ..demand("value", vec![Matcher::Within(q(tolerance))]) }
}

fn known() -> Comparing {
    Comparing { class: Some("device-bandwidth".into()), ..Comparing::default() }
}

/// Builds a baseline of five sessions of two units, a thousandth apart.
fn steady(centre: f64, unit: &str) -> Baseline {
    let scatter = [0.0, 0.001, -0.001, 0.0005, -0.0005, 0.001, -0.001, 0.0, 0.0005, -0.0005];
    let past = |(at, by): (u32, &f64)| Past { session: at / 2 + 1, value: centre * (1.0 + by) };
    let current = (0..).zip(&scatter).map(past).collect();
    Baseline { current, units: 10, ..baseline(&format!("{centre} {unit}")) }
}

fn measured(unit: &str, direction: Direction, values: &[f64]) -> Vec<Observation> {
    let metric = |value: &f64| {
        let unit = Unit::parse(unit).unwrap();
        Observation::default().metric("value", Metric::new(unit, direction, vec![*value]).unwrap())
    };
    values.iter().map(metric).collect()
}

/// Judges three runs of one value.
fn judged(
    expectation: Expectation,
    unit: &str,
    way: Direction,
    value: f64,
    known: Baseline,
) -> Verdict {
    let check = Check { expect: vec![expectation], ..check() };
    judge(NODE, &check, &answer(measured(unit, way, &[value; 3])), &[known])
}

fn compared(verdict: &Verdict) -> &Comparison {
    &verdict.comparisons[0]
}

#[test]
fn which_way_is_worse_follows_from_the_metric() {
    for (way, value, standing) in [
        (Direction::LowerIsBetter, 60.0, Standing::Regressed),
        (Direction::LowerIsBetter, 40.0, Standing::Improved),
        (Direction::HigherIsBetter, 60.0, Standing::Improved),
        (Direction::HigherIsBetter, 40.0, Standing::Regressed),
    ] {
        let verdict = judged(within("5 %", known()), "us", way, value, steady(50.0, "us"));
        let comparison = compared(&verdict);
        assert_eq!(comparison.standing, standing, "{way:?} {value}");
        assert_eq!(comparison.worse_up, way == Direction::LowerIsBetter);
        let word = if standing == Standing::Regressed { " worse than" } else { " better than" };
        assert!(comparison.sentence().contains(word), "{}", comparison.sentence());
        assert_eq!(comparison.change > 0.0, value > 50.0);
        assert!(comparison.low < comparison.change && comparison.change < comparison.high);
    }
}

#[test]
fn a_loss_carries_source_place_fix_and_class_of_its_demand() {
    let of = |source: Option<&str>, of_check: &str| {
        let mut expectation = within("5 %", known());
        expectation.source = source.map(str::to_owned);
        expectation.location = Location { file: "suites/a.toml".into(), line: 42 };
        let check = Check { expect: vec![expectation], source: of_check.into(), ..check() };
        let slow = answer(measured("us", Direction::LowerIsBetter, &[60.0; 3]));
        judge(NODE, &check, &slow, &[steady(50.0, "us")])
    };
    let verdict = of(Some("RFC 1"), "A data sheet.");
    let finding = verdict.main_finding().unwrap();
    assert_eq!(finding.code, FindingCode::OffBaseline);
    assert_eq!(finding.source.as_deref(), Some("RFC 1"));
    assert_eq!(finding.location.as_ref().map(|at| at.line), Some(42));
    assert_eq!(finding.field.as_deref(), Some("value"));
    assert_eq!(finding.observed.as_deref(), Some("60 us"));
    let usual = FindingCode::OffBaseline.row().next;
    assert_eq!(finding.next, format!("Repair it. {usual}"));
    assert_eq!(compared(&verdict).class, "device-bandwidth");
    let source = |verdict: Verdict| verdict.main_finding().unwrap().source.clone();
    assert_eq!(source(of(None, "A data sheet.")).as_deref(), Some("A data sheet."));
    assert_eq!(source(of(None, "")), None);
    let plain = judged(
        within("5 %", Comparing::default()),
        "us",
        Direction::LowerIsBetter,
        50.0,
        steady(50.0, "us"),
    );
    assert_eq!(compared(&plain).class, "unknown");
}

#[test]
fn a_share_of_nothing_says_how_to_ask_instead() {
    let said = |unit: &str| {
        let zero = Baseline { current: vec![], ..baseline(&format!("0 {unit}")) };
        let verdict = judged(within("5 %", known()), unit, Direction::LowerIsBetter, 1.0, zero);
        assert_eq!(
            (verdict.outcome, codes(&verdict)[0]),
            (Outcome::Unjudged, FindingCode::NotComparable)
        );
        verdict.findings[0].message.clone()
    };
    assert!(said("us").ends_with("says nothing: give `within` in its unit"), "{}", said("us"));
    assert!(said("%").ends_with("zero or less says nothing"), "{}", said("%"));
}

#[test]
fn a_tolerance_in_a_unit_is_a_distance_and_no_place_on_the_scale() {
    let way = Direction::LowerIsBetter;
    // Five kelvin are five degrees, though 5 °C is a place far from 5 K.
    let warm = judged(within("5 K", known()), "°C", way, 40.0, steady(40.0, "°C"));
    assert_eq!((warm.outcome, compared(&warm).standing), (Outcome::Pass, Standing::Same));
    let hot = judged(within("5 K", known()), "°C", way, 60.0, steady(40.0, "°C"));
    assert_eq!((hot.outcome, compared(&hot).standing), (Outcome::Fail, Standing::Regressed));
    assert!(
        !compared(&hot).relative && compared(&hot).shift() == "+20 °C",
        "{}",
        compared(&hot).shift()
    );
}

#[test]
fn the_goal_and_what_is_needed_for_it_stand_beside_the_answer() {
    let comparing = Comparing { detect: Some(q("1 %")), ..known() };
    let verdict =
        judged(within("5 %", comparing), "us", Direction::LowerIsBetter, 50.0, steady(50.0, "us"));
    let goal = compared(&verdict).goal.unwrap();
    assert!((goal - 0.01).abs() < 1e-9, "{goal}");
    assert!(compared(&verdict).sight().contains("to see 1.0 %: "));
    let plain =
        judged(within("5 %", known()), "us", Direction::LowerIsBetter, 50.0, steady(50.0, "us"));
    assert_eq!(compared(&plain).goal, None);
    assert_eq!((compared(&plain).baseline.sessions, compared(&plain).baseline.runs), (5, 10));
    assert_eq!((compared(&plain).new.sessions, compared(&plain).new.runs), (1, 3));
}

#[test]
fn the_question_of_a_demand_is_made_without_a_run() {
    let mut known_units = steady(50.0, "us");
    known_units.earlier = vec![Past { session: 9, value: 51.0 }, Past { session: 9, value: 52.0 }];
    let expectation = within("5 %", known());
    let ask = |way, baseline: &Baseline| question(&expectation, way, baseline, q("5 %"));
    let (asked, _) = ask(Direction::LowerIsBetter, &known_units).unwrap();
    assert_eq!(asked.baseline.iter().map(Vec::len).collect::<Vec<_>>(), [2; 5]);
    assert_eq!(asked.new.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
    assert!((asked.tol - 1.05_f64.ln()).abs() < 1e-12);
    // No way is better, or the value has no logarithm.
    assert!(ask(Direction::Neutral, &known_units).is_none());
    known_units.earlier[0].value = 0.0;
    assert!(ask(Direction::LowerIsBetter, &known_units).is_none());
}

#[test]
fn a_fact_is_compared_with_its_baseline_as_a_share_or_in_its_unit() {
    let of = |tolerance: &str, value: Value, known: Baseline| {
        let check = Check { expect: vec![within(tolerance, Comparing::default())], ..check() };
        judge(NODE, &check, &answer([found(value)]), &[known])
    };
    let at = |text: &str| Value::Quantity(q(text));
    for (tolerance, value, centre, outcome) in [
        ("10 %", "55 us", "50 us", Outcome::Pass),
        ("10 %", "45 us", "50 us", Outcome::Pass),
        ("10 %", "56 us", "50 us", Outcome::Fail),
        ("10 %", "-55 us", "-50 us", Outcome::Pass),
        ("10 %", "-56 us", "-50 us", Outcome::Fail),
        ("10 %", "0 us", "0 us", Outcome::Pass),
        ("10 %", "1 us", "0 us", Outcome::Unjudged),
        ("2 us", "2 us", "0 us", Outcome::Pass),
        ("2 us", "3 us", "0 us", Outcome::Fail),
        ("2 us", "47 us", "50 us", Outcome::Fail),
        ("2 us", "48 us", "50 us", Outcome::Pass),
        ("2 K", "48 °C", "50 °C", Outcome::Pass),
        ("2 K", "47 °C", "50 °C", Outcome::Fail),
    ] {
        let verdict = of(tolerance, at(value), baseline(centre));
        assert_eq!(verdict.outcome, outcome, "{value} within {tolerance} of {centre}");
    }
    let code = |value: Value, known: Baseline| codes(&of("10 %", value, known))[0];
    assert_eq!(code(Value::text("a"), baseline("50 us")), FindingCode::KindMismatch);
    assert_eq!(code(at("50 W"), baseline("50 us")), FindingCode::NotComparable);
    let elsewhere = Baseline { mismatch: Some("another machine".into()), ..baseline("50 us") };
    assert_eq!(code(at("50 us"), elsewhere), FindingCode::NotComparable);
}

#[test]
fn on_a_linear_scale_ten_tolerances_are_a_disaster() {
    let way = Direction::LowerIsBetter;
    // One session does not tell how sessions differ.
    let known_units = steady(40.0, "°C");
    let one = known_units.current.iter().map(|past| Past { session: 1, ..*past }).collect();
    let thin = Baseline { current: one, ..known_units };
    let at = |value: f64| {
        let verdict = judged(within("5 °C", known()), "°C", way, value, thin.clone());
        compared(&verdict).standing
    };
    assert_eq!((at(70.0), at(100.0)), (Standing::Possible, Standing::Regressed));
}

#[test]
fn on_a_linear_scale_a_tolerance_says_what_noise_is_expected_at_least() {
    let ask = |tolerance: &str| {
        let way = Direction::LowerIsBetter;
        let known_by = steady(50.0, "us");
        question(&within(tolerance, known()), way, &known_by, q(tolerance)).unwrap().0
    };
    // A quarter of it between runs, an eighth between sessions.
    let wide = ask("40 us");
    assert!((wide.prior.s_run - 10.0).abs() < 1e-12, "{:?}", wide.prior);
    assert!((wide.prior.s_sess - 5.0).abs() < 1e-12, "{:?}", wide.prior);
    assert!((ask("40000 ns").prior.s_sess - 5.0).abs() < 1e-12);
}
