//! What the rule refuses to compute with, one number at a time, and what it does not decide too early.
//!
//! Each would be a number that looks like an answer: an error of nothing, a difference beyond all numbers.

use verify_model::statistics::{FWER, Prior, Question, RUNS, Word, sequence};

use crate::runs;

const QUIET: [f64; 5] = [0.0, 0.001, -0.001, 0.002, -0.002];

#[test]
fn a_prior_of_nothing_or_below_or_without_end_is_none() {
    let sound = runs(&QUIET, &[0.1, 0.101, 0.099], 0.002);
    assert!(sound.estimate().is_some());
    for wrong in [0.0, -0.002, f64::INFINITY, f64::NAN] {
        let Question { prior, .. } = sound;
        for prior in [
            Prior { s_run: wrong, ..prior },
            Prior { d0: wrong, ..prior },
            Prior { d_s: wrong, ..prior },
        ] {
            let asked = Question { prior, ..sound.clone() };
            assert!(asked.estimate().is_none(), "{prior:?}");
        }
        // Sessions may be alike, and nothing else.
        let asked = Question { prior: Prior { s_sess: wrong, ..prior }, ..sound.clone() };
        assert_eq!(asked.estimate().is_some(), wrong == 0.0, "{wrong}");
        let asked = Question { floor: wrong, ..sound.clone() };
        assert_eq!(asked.estimate().is_some(), wrong == 0.0, "{wrong}");
    }
}

#[test]
fn an_error_of_nothing_proves_nothing() {
    // Squared, so small an expectation is nothing; so is the scatter of equal units.
    let mut asked = runs(&[0.0; 5], &[0.5; 3], 1e-200);
    asked.floor = 0.0;
    assert!(asked.estimate().is_none());
    asked.prior.s_run = 1e-100;
    assert!(asked.estimate().is_some());
}

#[test]
fn what_is_beyond_all_numbers_is_not_compared() {
    let far = runs(&[1.7e308], &[-1.7e308], 0.002);
    assert!(far.estimate().is_none(), "a difference without end");
    let wide = runs(&[1e200, -1e200], &QUIET, 0.002);
    assert!(wide.estimate().is_none() && wide.centre().is_none(), "a scatter without end");
}

#[test]
fn where_sessions_are_what_is_unsure_the_difference_is_as_unsure_as_they_are() {
    let mut asked = runs(&QUIET, &[0.02, 0.021, 0.0225], 0.002);
    asked.prior = Prior { s_sess: 0.006, learned: false, ..asked.prior };
    let found = asked.estimate().expect("an estimate");
    // Welch and Satterthwaite's, far from the number of units: computed apart from the code.
    assert!((found.df / 4.181_802_070_118_242 - 1.0).abs() < 1e-12, "{}", found.df);
    assert!((found.se / 0.008_580_339_283_631_052 - 1.0).abs() < 1e-12, "{}", found.se);
}

#[test]
fn a_look_decides_by_its_own_share_of_the_level() {
    let early = Question { tol: 0.0002, ..runs(&QUIET, &[0.0055; 3], 0.002) };
    let found = early.estimate().expect("an estimate");
    // Sure enough for the whole level, and not for the share of the first look.
    assert!(found.p < FWER && found.p > FWER * RUNS.spend[0], "{}", found.p);
    assert_eq!(found.word(true, early.tol), Word::Regressed);
    let late = Question { new: vec![vec![0.0055; 20]], ..early };
    let decided = sequence(&[late], &RUNS, Question::estimate)[0];
    assert_eq!(decided.word, Word::Regressed);
    assert!(decided.units > RUNS.looks[0], "decided at {}", decided.units);
}

#[test]
fn what_is_needed_is_never_less_than_what_there_is() {
    // Beside a baseline that drifts, more units can see less: neighbours are not worth one each.
    let wobble = |n: u32| if n.is_multiple_of(2) { 0.0007 } else { -0.0007 };
    let rising: Vec<f64> = (0..14).map(|n| 0.003 * f64::from(n) + wobble(n)).collect();
    let mut asked = runs(&rising, &[0.02; 20], 0.0001);
    asked.floor = 0.0;
    let seen = |units: usize| {
        let asked = Question { new: vec![vec![0.02; units]], ..asked.clone() };
        asked.estimate().expect("an estimate").detectable(0.01, 0.02)
    };
    let (fewer, now) = (seen(19), seen(20));
    assert!(fewer < now, "{fewer} {now}");
    let found = asked.estimate().expect("an estimate");
    let needed = found.needed(0.01, 0.02, now * (1.0 - 1e-6));
    assert!(needed.is_none_or(|units| units > 0), "{needed:?}");
}
