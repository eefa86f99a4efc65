//! Numbers of the method beside those of other sources, and what happens exactly at an edge.
//!
//! The reference values were computed with forty digits (mpmath 1.3) from the formulas that the code
//! names as its sources, not with this code.

use verify_model::{
    metric::Direction,
    statistics::{Estimate, Keys, Question, Scale, Transform, Word, fit_prior, session_sd},
};

use crate::runs;

const QUIET: [f64; 5] = [0.0, 0.001, -0.001, 0.002, -0.002];

fn estimate(question: &Question) -> Estimate {
    question.estimate().expect("an estimate")
}

fn near(what: &str, found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() < share, "{what} is {found:e}, not {expected:e}");
}

#[test]
fn a_prior_is_fitted_as_smyth_has_it() {
    for (variances, df, d0, s0) in [
        (
            &[1e-4, 4e-4, 2.5e-5, 9e-4, 1.6e-5, 3e-4][..],
            &[5.0, 7.0, 9.0, 4.0, 12.0, 6.0][..],
            1.568_426_127_340_212_5,
            0.008_408_745_751_958_497,
        ),
        (
            &[1e-6, 1e-2, 1e-4, 3e-1],
            &[5.0, 6.0, 7.0, 8.0],
            0.376_666_037_004_677_1,
            0.004_116_117_314_279_065,
        ),
    ] {
        let fit = fit_prior(variances, df).expect("a fit");
        near("d0", fit.d0_raw, d0, 1e-12);
        near("s0", fit.s0, s0, 1e-12);
        assert!((fit.d0 - d0.clamp(0.5, 4.0)).abs() < 1e-11, "{}", fit.d0);
        assert!(!fit.learned);
    }
    // Metrics that scatter nearly alike: a small difference of two numbers of the same size.
    let fit = fit_prior(&[1e-4, 1.44e-4], &[32.0, 32.0]).expect("a fit");
    near("d0", fit.d0_raw, 1_006.774_455_115_985_2, 1e-9);
    near("s0", fit.s0, 0.011_123_241_724_786_598, 1e-12);
    assert!((fit.d0 - 4.0).abs() < f64::EPSILON, "{}", fit.d0);
    // Metrics that scatter alike altogether.
    for (variances, df, s0) in [
        (&[1e-4, 1.1e-4, 0.9e-4][..], &[5.0, 6.0, 7.0][..], 0.010_920_824_077_696_138),
        (&[2e-4, 1e-4, 3e-4], &[0.5, 0.7, 1.5], 0.034_054_974_821_734_37),
    ] {
        let fit = fit_prior(variances, df).expect("a fit");
        assert!(fit.d0_raw.is_infinite() && (fit.d0 - 4.0).abs() < f64::EPSILON);
        near("s0", fit.s0, s0, 1e-12);
    }
}

#[test]
fn the_spread_between_sessions_is_that_of_the_analysis_of_variance() {
    let sessions =
        vec![vec![1.0, 1.2, 0.9], vec![2.0, 2.1], vec![], vec![1.5, 1.4, 1.6, 1.7], vec![0.7]];
    let alone = session_sd(std::slice::from_ref(&sessions)).expect("a spread");
    near("sd", alone, 0.503_771_490_147_779_4, 1e-12);
    // Over epochs, variances are averaged; an epoch of one session says nothing.
    let calm = vec![vec![1.0, 3.0], vec![1.0, 3.0]];
    let both = session_sd(&[sessions, calm, vec![vec![1.0, 2.0]]]).expect("a spread");
    near("sd", both, alone / 2.0_f64.sqrt(), 1e-12);
}

#[test]
fn a_value_and_its_y_are_each_other_and_a_change_has_the_sign_of_the_value() {
    for (way, sign) in [(Direction::LowerIsBetter, 1.0), (Direction::HigherIsBetter, -1.0)] {
        let linear = Transform::of(way, Scale::Linear).expect("a transform");
        let log = Transform::of(way, Scale::Log).expect("a transform");
        for x in [0.25, 4.0, 50.0] {
            assert_eq!(linear.y(x), Some(sign * x));
            assert_eq!(log.y(x), Some(sign * x.ln()));
            for transform in [linear, log] {
                let y = transform.y(x).expect("y");
                near("value", transform.value(y), x, 1e-15);
            }
        }
        assert_eq!((linear.y(-4.0), log.y(-4.0), log.y(0.0)), (Some(sign * -4.0), None, None));
        near("change", linear.change(4.0), sign * 4.0, 1e-15);
        near("change", log.change(sign * 2.0_f64.ln()), 1.0, 1e-15);
        near("tol", log.tol(1.0), 2.0_f64.ln(), 1e-15);
        near("tol", linear.tol(4.0), 4.0, 1e-15);
    }
    assert!(Transform::of(Direction::Neutral, Scale::Log).is_none());
}

#[test]
fn bounds_lie_on_both_sides_of_the_estimate() {
    let found = estimate(&runs(&QUIET, &[0.1, 0.101, 0.099], 0.002));
    let (low, high) = found.interval();
    assert!(low < found.est && found.est < high);
    near("middle", low.midpoint(high), found.est, 1e-12);
    // One bound at 98.75 % is wider than two at 95 % together.
    assert!(found.least_loss() < low && high < found.least_gain());
    near("middle", found.least_loss().midpoint(found.least_gain()), found.est, 1e-12);
}

#[test]
fn exactly_at_the_tolerance_nothing_is_proven() {
    let beyond = |tol: f64| tol * (1.0 - 1e-9);
    let worse = estimate(&runs(&QUIET, &[0.1, 0.101, 0.099], 0.002));
    let edge = worse.least_loss();
    assert_eq!(worse.word_by(Keys::RULE, true, edge), Word::Inconclusive);
    assert_eq!(worse.word_by(Keys::RULE, true, beyond(edge)), Word::Regressed);
    assert_eq!(worse.word_by(Keys::RULE, false, beyond(edge)), Word::Inconclusive);
    let better = estimate(&runs(&QUIET, &[-0.1, -0.101, -0.099], 0.002));
    let edge = -better.least_gain();
    assert_eq!(better.word_by(Keys::RULE, true, edge), Word::Inconclusive);
    assert_eq!(better.word_by(Keys::RULE, true, beyond(edge)), Word::Improved);
    assert_eq!(better.word_by(Keys::RULE, false, beyond(edge)), Word::Inconclusive);
    // Sides with one mean: the half of the interval is the whole bound.
    let same = estimate(&runs(&QUIET, &QUIET, 0.002));
    let keys = Keys { same: 0.025, ..Keys::RULE };
    let half = same.interval().1;
    assert_eq!(same.word_by(keys, true, half), Word::Inconclusive);
    assert_eq!(same.word_by(keys, true, half * (1.0 + 1e-9)), Word::Same);
    // What is uncertain both ways is no gain, though a gain is possible.
    assert_eq!(same.word_by(Keys::RULE, true, half / 10.0), Word::Inconclusive);
}
