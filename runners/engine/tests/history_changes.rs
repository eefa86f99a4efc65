//! What is called a change, what is not, and where: on values whose truth is known.
#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use verify_engine::history::{Change, Course, Flags, Point, course, places};
use verify_model::{metric::Direction, outcome::Outcome, quantity::Quantity};

/// Draws numbers that scatter by about 1, the same ones for the same seed.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..12 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            #[expect(clippy::cast_precision_loss, reason = "53 bits are meant")]
            let share = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
            sum += share;
        }
        sum - 6.0
    }
}

/// Builds the values of a metric, three to a boot.
fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
    let point = |(at, value): (usize, f64)| Point {
        run: format!("01K{at:023}"),
        started_ms: i64::try_from(at).unwrap() * 86_400_000,
        quantity: Quantity::of(value, "GB/s").unwrap(),
        direction: Direction::HigherIsBetter,
        definition: "d".into(),
        tolerance: Some(0.02),
        outcome: Outcome::Pass,
        flags: Flags::default(),
        machine: "tower".into(),
        boot: format!("boot-{}", at / 3),
        via: "local".into(),
        version: "0.1.0".into(),
        fingerprint: 0,
    };
    values.into_iter().enumerate().map(point).collect()
}

/// Scatters values around levels, each for a number of runs, by 1 %.
fn around(seed: u64, levels: &[(usize, f64)]) -> Vec<Point> {
    let mut noise = Noise(seed);
    noise.next();
    let mut values = Vec::new();
    for (count, level) in levels {
        values.extend((0..*count).map(|_| level * (0.01 * noise.next()).exp()));
    }
    points(values)
}

fn changes(points: &[Point]) -> Vec<Change> {
    match course(points, places(points)) {
        Course::Judged { changes, .. } => changes,
        Course::NotJudged(why) => panic!("{why}"),
    }
}

#[test]
fn what_only_scatters_does_not_change() {
    for seed in 0..200 {
        for count in [6, 12, 30, 90] {
            assert_eq!(changes(&around(seed, &[(count, 50.0)])), [], "{seed} {count}");
        }
    }
}

#[test]
fn a_step_is_found_where_it_is_with_its_size_and_direction() {
    // Where ten old sessions look as if they drifted, the rule asks for more: that may miss a few.
    let mut missed = 0;
    for seed in 0..50 {
        let found = changes(&around(seed, &[(30, 50.0), (15, 45.0)]));
        let Some(one) = found.first() else {
            missed += 1;
            continue;
        };
        assert_eq!((found.len(), one.at), (1, 30), "{seed}: {found:?}");
        assert!(one.worse && !one.possible && one.change < -0.08 && one.change > -0.12, "{one:?}");
        assert!(one.interval.0 < one.change && one.change < one.interval.1);
        assert!((one.before.value() - 50.0).abs() < 0.7 && (one.after.value() - 45.0).abs() < 0.7);
        assert_eq!((one.runs, one.units.0, one.units.1), ((30, 15), 10, 5));
    }
    assert!(missed <= 5, "{missed} of 50 missed");
}

#[test]
fn what_got_worse_and_was_repaired_is_two_changes() {
    for seed in 0..50 {
        let values = around(seed, &[(24, 50.0), (15, 42.0), (24, 50.0)]);
        let found = changes(&values);
        let values: Vec<f64> = values.iter().map(|point| point.quantity.value()).collect();
        let words: Vec<bool> = found.iter().map(|change| change.worse).collect();
        assert_eq!(words, [true, false], "{seed}: {found:?} {values:?}");
        assert!(found[0].at.abs_diff(24) <= 1 && found[1].at.abs_diff(39) <= 1, "{found:?}");
    }
}

#[test]
fn a_change_within_the_tolerance_is_none() {
    for seed in 0..50 {
        assert_eq!(changes(&around(seed, &[(45, 50.0), (45, 49.6)])), [], "{seed}");
    }
}

#[test]
fn one_outlier_is_no_change() {
    let mut values = around(3, &[(40, 50.0)]);
    values[20].quantity = Quantity::of(5.0, "GB/s").unwrap();
    assert_eq!(changes(&values), []);
}

#[test]
fn equal_values_and_a_clean_step_between_them_are_judged() {
    assert_eq!(changes(&points([7.0; 20])), []);
    let step = [vec![7.0; 12], vec![6.0; 12]].concat();
    let found = changes(&points(step));
    assert_eq!(found.iter().map(|change| change.at).collect::<Vec<_>>(), [12]);
}

#[test]
fn what_is_not_comparable_is_not_compared() {
    let mut values = around(1, &[(12, 50.0), (12, 5.0)]);
    for point in &mut values[12..] {
        point.machine = "rack".into();
    }
    assert_eq!(changes(&values), []);
    for point in &mut values[12..] {
        point.machine = "tower".into();
        point.definition = "other".into();
    }
    assert_eq!(changes(&values), []);
    let mut values = around(1, &[(12, 50.0), (12, 5.0)]);
    for point in &mut values[12..] {
        point.quantity = Quantity::of(5.0, "s").unwrap();
    }
    assert_eq!(changes(&values), []);
    // Another unit of one kind is the same value.
    let mut values = around(1, &[(24, 50.0)]);
    for point in &mut values[12..] {
        point.quantity =
            point.quantity.to(verify_model::unit::Unit::parse("MB/s").unwrap()).unwrap();
    }
    assert_eq!(changes(&values), []);
}

#[test]
fn a_step_within_one_boot_is_only_possible() {
    let mut values = around(2, &[(12, 50.0), (12, 25.0)]);
    for point in &mut values {
        point.boot = "one".into();
    }
    let found = changes(&values);
    assert!(found.len() == 1 && found[0].possible, "{found:?}");
}

#[test]
fn what_cannot_be_judged_says_why() {
    let why = |points: &[Point]| match course(points, places(points)) {
        Course::NotJudged(why) => why,
        Course::Judged { .. } => "judged",
    };
    assert_eq!(why(&[]), "no value");
    assert_eq!(why(&points([1.0; 5])), "fewer than six values of one kind");
    assert_eq!(why(&points([1.0, 0.0, -1.0, 1.0, 2.0, 3.0])), "values of zero or below");
    let mut neutral = points([1.0; 9]);
    neutral[8].direction = Direction::Neutral;
    assert_eq!(why(&neutral), "neither more nor less is better");
}

#[test]
fn without_a_tolerance_the_scatter_of_the_class_stands_for_it() {
    let mut values = around(1, &[(30, 50.0), (30, 48.7)]);
    for point in &mut values {
        point.tolerance = None;
    }
    let Course::Judged { changes, tolerance, assumed, detectable } =
        course(&values, places(&values))
    else {
        panic!("not judged")
    };
    assert_eq!((changes, assumed), (vec![], true));
    assert!((tolerance - 0.04).abs() < 1e-12);
    assert!(detectable.unwrap() > tolerance);
}
