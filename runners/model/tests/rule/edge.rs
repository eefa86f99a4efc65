//! What no comparison may turn into a verdict: nothing, too little, and what is not a number.

use verify_model::{
    metric::Direction,
    statistics::{
        Estimate, Guard, Keys, Prior, Question, RUNS, Scale, Transform, Word, adjusted, both,
        fit_prior, floor, sequence, session_sd,
    },
};

use crate::runs;

const QUIET: [f64; 5] = [0.0, 0.001, -0.001, 0.002, -0.002];

fn estimate(question: &Question) -> Estimate {
    question.estimate().expect("an estimate")
}

#[test]
fn an_empty_side_is_no_comparison() {
    assert!(runs(&[], &QUIET, 0.01).estimate().is_none());
    assert!(runs(&QUIET, &[], 0.01).estimate().is_none());
    let mut question = runs(&QUIET, &QUIET, 0.01);
    question.new = Vec::new();
    assert!(question.estimate().is_none());
    question.baseline = Vec::new();
    assert!(question.estimate().is_none() && question.centre().is_none());
}

#[test]
fn what_is_not_finite_is_refused_wherever_it_stands() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut with = QUIET;
        with[2] = bad;
        assert!(runs(&with, &QUIET, 0.01).estimate().is_none());
        assert!(runs(&QUIET, &with, 0.01).estimate().is_none());
        assert!(runs(&QUIET, &QUIET, bad).estimate().is_none());
        let question = Question { floor: bad, ..runs(&QUIET, &QUIET, 0.01) };
        assert!(question.estimate().is_none());
        for spoil in [
            |prior: &mut Prior, bad: f64| prior.s_sess = bad,
            |prior: &mut Prior, bad: f64| prior.d0 = bad,
            |prior: &mut Prior, bad: f64| prior.d_s = bad,
        ] {
            let mut question = runs(&QUIET, &QUIET, 0.01);
            spoil(&mut question.prior, bad);
            assert!(question.estimate().is_none());
        }
    }
    for wrong in [0.0, -0.01] {
        assert!(runs(&QUIET, &QUIET, wrong).estimate().is_none());
    }
    // Finite, but their mean is not.
    assert!(runs(&[f64::MAX, f64::MAX], &[f64::MAX], 0.01).estimate().is_none());
    assert!(runs(&[f64::MAX, f64::MIN], &QUIET, 0.01).estimate().is_none());
}

#[test]
fn a_tolerance_that_is_no_number_proves_nothing() {
    let (near, far) = (runs(&QUIET, &QUIET, 0.002), runs(&QUIET, &[9.0, 9.0, 9.0], 0.002));
    for tol in [f64::NAN, f64::INFINITY, -0.01, f64::NEG_INFINITY] {
        for question in [&near, &far] {
            assert_eq!(estimate(question).word(true, tol), Word::Inconclusive, "{tol}");
        }
    }
    assert_eq!(estimate(&far).word(true, 0.0), Word::Regressed);
    assert_ne!(estimate(&near).word(true, 0.0), Word::Same);
}

#[test]
fn values_of_zero_and_below_have_no_logarithm_and_do_on_the_linear_scale() {
    for direction in [Direction::HigherIsBetter, Direction::LowerIsBetter] {
        let log = Transform::of(direction, Scale::Log).expect("a direction");
        let linear = Transform::of(direction, Scale::Linear).expect("a direction");
        for x in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(log.y(x), None, "{x}");
            assert_eq!(linear.y(x).is_some(), x.is_finite(), "{x}");
        }
        for x in [1e-300, 1.0, 1e300] {
            let back = log.value(log.y(x).expect("y"));
            assert!((back / x - 1.0).abs() < 1e-12, "{x}");
        }
    }
    assert_eq!(Transform::of(Direction::Neutral, Scale::Log), None);
    let celsius = Transform::of(Direction::LowerIsBetter, Scale::Linear).expect("a direction");
    let side = |x: [f64; 4]| x.map(|x| celsius.y(x).expect("y"));
    let mut question = runs(&side([-1.0, 0.0, 1.0, 0.0]), &side([9.0, 10.0, 11.0, 10.0]), 1.0);
    (question.floor, question.tol) = (0.0, celsius.tol(2.0));
    assert_eq!(estimate(&question).word(true, question.tol), Word::Regressed);
}

#[test]
fn a_class_on_the_linear_scale_is_a_share_of_the_centre_and_of_zero_nothing() {
    let class = verify_model::statistics::class("unknown").expect("a class").prior;
    let around = class.around(-50.0);
    assert!((around.s_run - 2.0).abs() < 1e-12 && (around.s_sess - 1.0).abs() < 1e-12);
    let question = Question { prior: class.around(0.0), ..runs(&QUIET, &QUIET, 0.01) };
    assert!(question.estimate().is_none());
}

#[test]
fn samples_that_are_all_equal_are_the_same_and_never_certain_beyond_the_prior() {
    let question = runs(&[1.0; 10], &[1.0; 10], 0.005);
    let found = estimate(&question);
    assert!(found.se > 0.0 && found.est == 0.0 && found.lag.is_none());
    assert_eq!(found.guard, Guard::Quiet);
    assert_eq!(found.word(true, question.tol), Word::Same);
    // Without any floor the prior still has a spread.
    let bare = Question { floor: 0.0, ..question };
    assert!(estimate(&bare).se > 0.0);
}

#[test]
fn one_unit_a_side_has_the_spread_of_its_class() {
    let found = estimate(&runs(&[0.0], &[0.5], 0.01));
    assert!(found.provisional && found.baseline.variance == 0.0 && found.baseline.free == 0.0);
    assert!((found.se - 0.01 * 2.0_f64.sqrt()).abs() < 1e-15);
    assert!((found.df - 4.0).abs() < 1e-12);
}

#[test]
fn nothing_is_red_on_fewer_than_three_new_runs() {
    let tol = 1.02_f64.ln();
    for new in [&[0.9][..], &[0.9, 0.91]] {
        let found = estimate(&runs(&QUIET, new, 0.002));
        assert_eq!(found.word_by(Keys::RULE, true, tol), Word::Regressed);
        assert_eq!(found.word(true, tol), Word::Inconclusive);
    }
    assert_eq!(estimate(&runs(&QUIET, &[0.9; 3], 0.002)).word(true, tol), Word::Regressed);
}

#[test]
fn what_is_not_real_by_the_first_key_is_neither_red_nor_green() {
    let question = runs(&QUIET, &[0.9, 0.9, 0.9], 0.002);
    assert_eq!(estimate(&question).word(false, question.tol), Word::Inconclusive);
    let better = runs(&QUIET, &[-0.9, -0.9, -0.9], 0.002);
    assert_eq!(estimate(&better).word(false, better.tol), Word::Inconclusive);
    assert_eq!(estimate(&better).word(true, better.tol), Word::Improved);
}

#[test]
fn a_huge_baseline_is_compared_and_ends() {
    let old: Vec<f64> = (0_u32..100_000).map(|n| f64::from(n % 7) * 0.001).collect();
    let question = runs(&old, &[0.003, 0.003, 0.003], 0.002);
    let found = estimate(&question);
    assert!(found.se > 0.0 && found.df.is_finite() && found.units_b == 100_000);
    assert_eq!(found.word(found.p <= 1e-4, question.tol), Word::Same);
}

#[test]
fn a_baseline_that_wanders_widens_what_is_said() {
    let mut old: Vec<f64> = (0..20_u32).map(|n| f64::from(n) * 0.001).collect();
    let question = runs(&old, &[0.045, 0.046, 0.047], 0.005);
    let (found, bare) = (estimate(&question), question.unguarded().expect("an estimate"));
    assert_eq!(found.guard, Guard::Fired);
    assert!(found.inflation > 5.0 && found.df <= 8.0 && found.se > 2.0 * bare.se);
    old.truncate(9);
    assert_eq!(estimate(&runs(&old, &[0.045], 0.005)).guard, Guard::TooFew);
}

#[test]
fn sessions_without_runs_count_for_nothing() {
    let mut question = runs(&QUIET, &QUIET, 0.002);
    question.prior = Prior { s_sess: 0.01, learned: false, ..question.prior };
    let before = estimate(&question);
    question.baseline.extend([Vec::new(), Vec::new(), Vec::new()]);
    question.new.insert(0, Vec::new());
    assert_eq!(estimate(&question), before);
}

#[test]
fn floors_of_what_cannot_be_are_refused() {
    for (step, centre) in [
        (f64::NAN, 1.0),
        (-1.0, 1.0),
        (f64::INFINITY, 1.0),
        (1.0, 0.0),
        (1.0, -1.0),
        (1.0, f64::NAN),
    ] {
        let phi = floor(Some(step), centre, Scale::Log);
        assert!(phi.is_nan(), "{step} {centre}");
        let question = Question { floor: phi, ..runs(&QUIET, &QUIET, 0.01) };
        assert!(question.estimate().is_none());
    }
    assert!((floor(None, f64::NAN, Scale::Log) - 0.0005).abs() < 1e-18);
    assert!((floor(Some(3.0), -1.0, Scale::Linear) - 0.75_f64.sqrt()).abs() < 1e-15);
    assert!(floor(None, 0.0, Scale::Linear).abs() < 1e-18);
}

#[test]
fn adjusted_p_keep_their_order_and_what_is_no_probability_counts_as_one() {
    let found = adjusted(&[0.04, 0.01, f64::NAN, 0.03, -1.0]);
    let expected = [0.2 / 3.0, 0.05, 1.0, 0.2 / 3.0, 1.0];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-15, "{found} is not {expected}");
    }
    assert!(adjusted(&[]).is_empty());
}

#[test]
fn a_metric_that_cannot_be_compared_stays_open_and_keeps_its_place_in_the_family() {
    let good = runs(&[0.0; 10], &[0.5; 20], 0.002);
    let bad = runs(&[f64::NAN; 10], &[0.5; 20], 0.002);
    let found = sequence(&[bad, good], &RUNS, Question::estimate);
    assert_eq!((found[0].word, found[0].units), (Word::Inconclusive, 20));
    assert_eq!((found[1].word, found[1].units), (Word::Regressed, 3));
}

#[test]
fn a_goal_out_of_reach_needs_no_number_of_units() {
    let found = estimate(&runs(&QUIET, &QUIET, 0.02));
    let (alpha, tol) = (RUNS.alpha(50), 1.02_f64.ln());
    assert_eq!(found.needed(alpha, tol, 1.02_f64.ln()), None);
    assert_eq!(found.needed(alpha, tol, 9.0), Some(0));
    assert!(found.detectable(f64::NAN, tol).is_infinite());
    assert!(found.detectable(alpha, f64::NAN).is_infinite());
    assert_eq!(found.needed(f64::NAN, tol, 9.0), None);
}

#[test]
fn the_anchor_is_red_on_its_own_and_says_nothing_else() {
    use Word::{Improved, Inconclusive, Regressed, Same};
    for word in [Regressed, Improved, Same, Inconclusive] {
        assert_eq!(both(word, Regressed), Regressed);
        assert_eq!(both(Regressed, word), Regressed);
        for anchor in [Improved, Same, Inconclusive] {
            assert_eq!(both(word, anchor), word);
        }
    }
}

#[test]
fn a_prior_is_learned_from_variances_that_are_there() {
    assert!(fit_prior(&[], &[]).is_none());
    assert!(fit_prior(&[1e-4], &[5.0]).is_none());
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(fit_prior(&[1e-4, bad], &[5.0, 5.0]).is_none());
        assert!(fit_prior(&[1e-4, 1e-4], &[5.0, bad]).is_none());
    }
    assert!(fit_prior(&[1e-4, 1e-4], &[5.0]).is_none());
    // All alike: the usual sd, worth four.
    let fit = fit_prior(&[1e-4; 20], &[5.0; 20]).expect("a fit");
    assert!(fit.d0_raw.is_infinite() && (fit.d0 - 4.0).abs() < 1e-15 && fit.learned);
    assert!(!fit_prior(&[1e-4; 19], &[5.0; 19]).expect("a fit").learned);
    assert!(!fit_prior(&[1e-4; 30], &[4.0; 30]).expect("a fit").learned);
}

#[test]
fn a_spread_between_sessions_is_learned_from_more_than_one() {
    let close = |found: Option<f64>, expected: f64| {
        assert!((found.expect("a sd") - expected).abs() < 1e-12, "{found:?}");
    };
    // Sessions of two runs each at -1 and +1: between 2 x 2 = 4 less nothing within, k = 2.
    close(session_sd(&[vec![vec![-1.0, -1.0], vec![1.0, 1.0]]]), 2.0_f64.sqrt());
    close(session_sd(&[vec![vec![-1.0, 1.0], vec![-1.0, 1.0]]]), 0.0);
    assert_eq!(session_sd(&[]), None);
    assert_eq!(session_sd(&[vec![vec![1.0, 2.0]], vec![vec![1.0], vec![2.0]]]), None);
}
