//! Holds Student's t distribution and what is made of the beta function to other sources.
//!
//! `statrs` computes the tail by another way; quantiles are held to the tail itself, and to a table.

use statrs::distribution::{ContinuousCDF, StudentsT};
use verify_model::statistics::{Student, harrell_davis, quantile_needs, spread};

const FREE: [f64; 16] =
    [0.5, 0.8, 1.0, 1.7, 2.0, 3.5, 4.0, 5.254_891, 8.0, 11.0, 13.0, 22.7, 33.0, 64.0, 124.0, 5e3];

fn student(df: f64) -> Student {
    Student::new(df).expect("degrees of freedom")
}

#[test]
fn the_upper_tail_agrees_with_statrs_to_twelve_digits() {
    let mut compared = 0;
    for df in FREE {
        let other = StudentsT::new(0.0, 1.0, df).expect("a distribution");
        for step in -40_i32..=120 {
            let t = f64::from(step) * 0.25;
            let (ours, theirs) = (student(df).above(t), other.sf(t));
            let off = (ours - theirs).abs() / theirs;
            // `statrs` takes the difference of logarithms of gamma, which loses digits with size.
            let least = if df > 1e3 { 1e-9 } else { 1e-12 };
            assert!(off < least, "df {df}, t {t}: {ours:e} and {theirs:e} differ by {off:e}");
            compared += 1;
        }
    }
    assert_eq!(compared, FREE.len() * 161);
}

#[test]
fn a_quantile_has_its_tail_above_it() {
    for df in FREE {
        for tail in [0.499, 0.3, 0.05, 0.025, 0.0125, 1e-4, 1e-6, 1e-9, 1e-15] {
            let t = student(df).quantile(tail);
            let back = student(df).above(t);
            assert!((back / tail - 1.0).abs() < 1e-11, "df {df}, tail {tail:e}: {t} has {back:e}");
        }
        assert!(student(df).quantile(0.5).abs() < 1e-9);
    }
}

#[test]
fn the_quantiles_of_the_tables_are_met() {
    // Abramowitz and Stegun, table 26.10; one and two degrees of freedom have closed forms.
    let one = (std::f64::consts::PI * 0.475).tan();
    let two = 0.95 * (2.0_f64 / (4.0 * 0.975 * 0.025)).sqrt();
    for (df, tail, t) in [
        (1.0, 0.025, one),
        (2.0, 0.025, two),
        (4.0, 0.05, 2.131_846_786_326_649),
        (8.0, 0.005, 3.355_387_331_333_395),
        (30.0, 0.025, 2.042_272_456_301_238),
    ] {
        let found = student(df).quantile(tail);
        assert!((found / t - 1.0).abs() < 1e-12, "df {df}, tail {tail}: {found}");
    }
}

#[test]
fn far_tails_and_large_numbers_end_in_zero_and_not_in_nan() {
    for df in FREE {
        for t in [1e10, 1e100, 1e200, f64::MAX, f64::INFINITY] {
            let tail = student(df).above(t);
            assert!((0.0..1e-4).contains(&tail), "df {df}, t {t:e}: {tail:e}");
            assert!((student(df).above(-t) - 1.0).abs() < 1e-4);
        }
        assert!(student(df).above(f64::NAN).is_nan());
        assert!((student(df).above(0.0) - 0.5).abs() < 1e-15);
        for tail in [0.0, -1.0, 0.6, 1.0, f64::NAN] {
            assert!(student(df).quantile(tail).is_nan());
        }
    }
    for df in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Student::new(df), None);
    }
}

#[test]
fn a_quantile_needs_as_many_samples_as_the_table_says() {
    for (q, needs) in [(0.95, 72), (0.99, 368), (0.999, 3_688), (0.9999, 36_887)] {
        assert_eq!(quantile_needs(q), needs);
    }
    assert_eq!(quantile_needs(0.5), 1);
    for q in [0.0, 1.0, -1.0, 2.0, f64::NAN] {
        assert_eq!(quantile_needs(q), usize::MAX);
    }
}

#[test]
fn the_median_of_harrell_and_davis_weighs_the_middle() {
    let close = |found: Option<f64>, expected: f64| {
        let found = found.expect("a quantile");
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    };
    close(harrell_davis(&[7.0], 0.99), 7.0);
    close(harrell_davis(&[3.0, 1.0], 0.5), 2.0);
    // Three samples, q = 1/2: the weights are those of beta(2, 2), which is 3 x^2 - 2 x^3.
    close(
        harrell_davis(&[10.0, 1.0, 4.0], 0.5),
        7.0 / 27.0 + 4.0 * 13.0 / 27.0 + 10.0 * 7.0 / 27.0,
    );
    // All equal: any quantile is that value, since weights sum to one.
    for n in [2, 10, 999] {
        let found = harrell_davis(&vec![5.0; n], 0.99).expect("a quantile");
        assert!((found - 5.0).abs() < 1e-10, "{n}: {found}");
    }
    assert_eq!(harrell_davis(&[], 0.5), None);
    assert_eq!(harrell_davis(&[1.0, f64::NAN], 0.5), None);
    assert_eq!(harrell_davis(&[1.0], 1.0), None);
    assert_eq!(harrell_davis(&[1.0], f64::NAN), None);
}

#[test]
fn a_spread_needs_quartiles_that_differ() {
    let found = spread(1.0, std::f64::consts::E.powf(2.0)).expect("a spread");
    assert!((found - 2.0_f64.ln()).abs() < 1e-15);
    for (q1, q3) in
        [(1.0, 1.0), (2.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (1.0, f64::NAN)]
    {
        assert_eq!(spread(q1, q3), None, "{q1} {q3}");
    }
    assert_eq!(spread(1.0, f64::INFINITY), None);
}
