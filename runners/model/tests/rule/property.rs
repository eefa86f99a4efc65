//! What the rule promises for all values.

use proptest::prelude::*;
use verify_model::{
    metric::Direction,
    statistics::{Prior, Question, Scale, Transform, Word, adjusted},
};

/// Draws a side: runs by session, as measured values near one.
fn side(sessions: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<Vec<f64>>> {
    let run = (-0.03..0.03_f64).prop_map(f64::exp);
    prop::collection::vec(prop::collection::vec(run, 1..8), sessions)
}

fn question(old: &[Vec<f64>], new: &[Vec<f64>], direction: Direction, s_sess: f64) -> Question {
    let transform = Transform::of(direction, Scale::Log).expect("a direction");
    let y = |side: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let session = |s: &Vec<f64>| s.iter().map(|x| transform.y(*x).expect("y")).collect();
        side.iter().map(session).collect()
    };
    Question {
        baseline: y(old),
        new: y(new),
        prior: Prior { s_run: 0.01, s_sess, d0: 4.0, d_s: 4.0, learned: s_sess == 0.0 },
        floor: 0.0005,
        tol: transform.tol(0.02),
        interleaved: false,
    }
}

fn map(side: &[Vec<f64>], f: impl Fn(f64) -> f64) -> Vec<Vec<f64>> {
    side.iter().map(|session| session.iter().map(|x| f(*x)).collect()).collect()
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-8 * one.abs().max(other.abs()).max(1e-3)
}

proptest! {
    #[test]
    fn the_unit_of_measure_does_not_matter(
        old in side(1..=6), new in side(1..=4), ten in -12..12_i32, shift in 0.8..1.2_f64,
    ) {
        let new = map(&new, |x| x * shift);
        let factor = 10.0_f64.powi(ten);
        let one = question(&old, &new, Direction::LowerIsBetter, 0.005).estimate();
        let (large, larger) = (map(&old, |x| x * factor), map(&new, |x| x * factor));
        let two = question(&large, &larger, Direction::LowerIsBetter, 0.005).estimate();
        let (one, two) = (one.expect("an estimate"), two.expect("an estimate"));
        prop_assert!(close(one.est, two.est) && close(one.se, two.se) && close(one.df, two.df));
    }

    #[test]
    fn a_throughput_and_its_inverse_are_estimated_alike(
        old in side(1..=6), new in side(1..=4), shift in 0.8..1.2_f64,
    ) {
        let new = map(&new, |x| x * shift);
        let one = question(&old, &new, Direction::HigherIsBetter, 0.005);
        let (slow, slower) = (map(&old, f64::recip), map(&new, f64::recip));
        let two = question(&slow, &slower, Direction::LowerIsBetter, 0.005);
        let (one, two) = (one.estimate().expect("one"), two.estimate().expect("two"));
        prop_assert!(close(one.est, two.est) && close(one.se, two.se));
    }

    #[test]
    fn what_is_worse_one_way_is_better_the_other(
        old in side(1..=6), new in side(1..=4), shift in 0.8..1.2_f64,
    ) {
        let new = map(&new, |x| x * shift);
        let up = question(&old, &new, Direction::HigherIsBetter, 0.005).estimate();
        let down = question(&old, &new, Direction::LowerIsBetter, 0.005).estimate();
        let (up, down) = (up.expect("up"), down.expect("down"));
        prop_assert!(close(up.est, -down.est) && close(up.se, down.se) && close(up.p, down.p));
        prop_assert!(!(up.word(true, 0.02) == Word::Regressed
            && down.word(true, 0.02) == Word::Regressed));
    }

    #[test]
    fn more_tolerance_never_makes_a_red_of_what_was_none(
        old in side(1..=6), new in side(1..=4), shift in 0.7..1.3_f64,
        tol in 0.0..0.1_f64, more in 0.0..0.1_f64,
    ) {
        let new = map(&new, |x| x * shift);
        let found = question(&old, &new, Direction::LowerIsBetter, 0.005).estimate();
        let found = found.expect("an estimate");
        let changed = |word| matches!(word, Word::Regressed | Word::Improved);
        let (strict, lax) = (found.word(true, tol), found.word(true, tol + more));
        prop_assert!(!changed(lax) || strict == lax, "{strict:?} became {lax:?}");
        prop_assert!(strict != Word::Same || lax == Word::Same, "{strict:?} became {lax:?}");
    }

    #[test]
    fn the_first_key_alone_decides_nothing(
        old in side(1..=6), new in side(1..=4), shift in 0.7..1.3_f64,
    ) {
        let new = map(&new, |x| x * shift);
        let found = question(&old, &new, Direction::LowerIsBetter, 0.005).estimate();
        let found = found.expect("an estimate");
        let without = found.word(false, 0.02);
        prop_assert!(matches!(without, Word::Same | Word::Inconclusive));
        prop_assert!(found.word(true, 0.02) != Word::Same || without == Word::Same);
    }

    #[test]
    fn the_order_of_runs_within_a_session_does_not_matter(
        old in side(3..=6), new in side(1..=4), turn in 0..8_usize,
    ) {
        let turned = |side: &[Vec<f64>]| -> Vec<Vec<f64>> {
            side.iter().map(|session| {
                let mut session = session.clone();
                let by = turn % session.len();
                session.rotate_left(by);
                session.reverse();
                session
            }).collect()
        };
        let one = question(&old, &new, Direction::LowerIsBetter, 0.005).estimate();
        let two = question(&turned(&old), &turned(&new), Direction::LowerIsBetter, 0.005);
        prop_assert_eq!(one, two.estimate());
    }

    #[test]
    fn more_units_never_make_the_detectable_change_infinite_nor_negative(
        old in side(1..=6), new in side(1..=4), metrics in 1..200_usize,
    ) {
        let found = question(&old, &new, Direction::LowerIsBetter, 0.005).estimate();
        let found = found.expect("an estimate");
        let alpha = verify_model::statistics::RUNS.alpha(metrics);
        let seen = found.detectable(alpha, 0.02);
        prop_assert!(seen.is_finite() && seen > 0.02);
        if let Some(units) = found.needed(alpha, 0.02, seen * 0.9) {
            prop_assert!(units > 0);
        }
    }

    #[test]
    fn whatever_the_bytes_are_nothing_panics_and_nothing_broken_is_called(
        old in prop::collection::vec(prop::collection::vec(any::<f64>(), 0..4), 0..5),
        new in prop::collection::vec(prop::collection::vec(any::<f64>(), 0..4), 0..5),
        numbers in prop::array::uniform8(any::<f64>()),
        learned: bool, interleaved: bool,
    ) {
        let [s_run, s_sess, d0, d_s, floor, tol, alpha, goal] = numbers;
        let prior = Prior { s_run, s_sess, d0, d_s, learned };
        let question =
            Question { baseline: old.clone(), new: new.clone(), prior, floor, tol, interleaved };
        if let Some(found) = question.estimate() {
            let all: Vec<f64> = old.into_iter().chain(new).flatten().collect();
            prop_assert!(all.iter().all(|y| y.is_finite()));
            prop_assert!(found.est.is_finite() && found.se > 0.0 && found.df > 0.0);
            prop_assert!((0.0..=1.0).contains(&found.p));
            let word = found.word(true, tol);
            prop_assert!(tol.is_finite() && tol >= 0.0 || word == Word::Inconclusive);
            let _ = (found.interval(), found.needed(alpha, tol, goal));
        }
    }

    #[test]
    fn adjusted_p_are_never_smaller_and_keep_the_order(
        p in prop::collection::vec(0.0..=1.0_f64, 0..60),
    ) {
        let found = adjusted(&p);
        prop_assert_eq!(found.len(), p.len());
        for (at, raw) in p.iter().enumerate() {
            prop_assert!(found[at] >= *raw && found[at] <= 1.0);
            for (other, beside) in p.iter().enumerate() {
                prop_assert!(raw > beside || found[at] <= found[other]);
            }
        }
    }
}
