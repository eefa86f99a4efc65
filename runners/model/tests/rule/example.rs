//! The worked example of the method, number by number, and the traps that it names.
//!
//! Host copy in GB/s, higher is better, 2 % tolerated, fifty metrics, sessions of four runs.

use verify_model::{
    metric::Direction,
    statistics::{
        Estimate, FWER, Prior, Question, RUNS, SESSIONS, Scale, Transform, UnitKind, Word,
        adjusted, class, look,
    },
};

use crate::runs;

const OLD: [f64; 10] = [52.1, 52.6, 51.7, 52.4, 51.9, 49.6, 52.3, 51.5, 52.7, 52.0];
const NEW: [f64; 3] = [49.7, 49.3, 49.5];

fn copy() -> Transform {
    Transform::of(Direction::HigherIsBetter, Scale::Log).expect("a direction")
}

/// One session of four runs that lie at one value.
fn session(value: f64) -> Vec<f64> {
    vec![copy().y(value).expect("y"); 4]
}

fn example(sessions: usize) -> Question {
    Question {
        baseline: OLD.map(session).to_vec(),
        new: NEW[..sessions].iter().copied().map(session).collect(),
        prior: Prior { s_run: 0.01, s_sess: 0.01, d0: 4.0, d_s: 4.0, learned: false },
        floor: 0.0005,
        tol: copy().tol(0.02),
        interleaved: false,
    }
}

fn estimate(question: &Question) -> Estimate {
    question.estimate().expect("an estimate")
}

fn near(what: &str, found: f64, expected: f64, off: f64) {
    assert!((found - expected).abs() <= off, "{what} is {found}, not {expected}");
}

/// Key 1 of a metric that is the smallest p of fifty.
fn key1(p: f64, sessions: u32) -> bool {
    let mut family = vec![0.5; 50];
    family[17] = p;
    let look = look(&SESSIONS, sessions, 50, 50).expect("a look");
    adjusted(&family)[17] <= look.level
}

#[test]
fn the_second_look_of_the_worked_example_is_inconclusive() {
    let question = example(2);
    near("tolerance", question.tol, 0.019_802_6, 5e-8);
    let found = estimate(&question);
    assert_eq!((found.unit, found.provisional), (UnitKind::Session, false));
    assert_eq!((found.units_b, found.units_n, found.runs_b, found.runs_n), (10, 2, 40, 8));
    near("expected sd", found.expected, 0.000_125_f64.sqrt(), 1e-12);
    // Printed there as -3.9524234; the exact mean is -3.95242327.
    near("mb", found.mean_b, -3.952_423_27, 5e-9);
    near("vb", found.baseline.variance, 0.000_101_781, 5e-10);
    near("fb", found.baseline.free, 7.0, 0.0);
    near("mn", found.mean_n, -3.901_964_5, 5e-8);
    near("vn", found.new.variance, 0.000_032_65, 5e-9);
    near("SE", found.se, 0.007_862_88, 5e-9);
    near("est", found.est, 0.050_458_8, 5e-8);
    near("df", found.df, 12.0, 0.0);
    near("p", found.p, 3.316e-5, 5e-9);
    near("bound", found.least_loss(), 0.0303, 5e-5);
    assert!(found.least_loss() > question.tol && !key1(found.p, 2));
    assert_eq!(found.word(key1(found.p, 2), question.tol), Word::Inconclusive);
}

#[test]
fn the_third_look_of_the_worked_example_is_red() {
    let question = example(3);
    let found = estimate(&question);
    near("mn", found.mean_n, -3.901_967_2, 5e-8);
    near("vn", found.new.variance, 0.000_016_325_2, 2e-10);
    near("SE", found.se, 0.006_442_35, 5e-9);
    near("df", found.df, 13.0, 0.0);
    near("p", found.p, 2.819e-6, 5e-10);
    near("est", found.est, 0.050_456_0, 5e-8);
    near("bound", found.least_loss(), 0.034_139_9, 5e-8);
    near("level", look(&SESSIONS, 3, 50, 50).expect("a look").level, 0.0045, 1e-15);
    assert_eq!(found.word(key1(found.p, 3), question.tol), Word::Regressed);
    near("change", copy().change(found.est), -0.0492, 5e-5);
    let (least, most) = found.interval();
    near("one end", copy().change(most), -0.0623, 5e-5);
    near("other end", copy().change(least), -0.0359, 5e-5);
    let alpha = SESSIONS.alpha(50);
    near("alpha", alpha, FWER * 0.45 / 50.0, 1e-18);
    let seen = found.detectable(alpha, question.tol);
    near("detectable", seen, 0.047_53, 5e-6);
    near("as printed", copy().change(seen), -0.046, 5e-4);
    let needed = found.needed(alpha, question.tol, copy().tol(0.04));
    assert!(needed.is_some_and(|units| units > 0), "{needed:?}");
}

#[test]
fn runs_of_one_session_are_not_observations_of_the_machine() {
    // One session against one: the difference could be that of two boots.
    let (old, new) = ([0.0, 0.001, -0.001, 0.002, -0.002], [0.05, 0.051, 0.049, 0.052, 0.048]);
    let mut question = runs(&old, &new, 0.002);
    let alone = estimate(&question);
    assert_eq!(alone.word(true, question.tol), Word::Regressed);
    question.prior = Prior { s_sess: 0.01, learned: false, ..question.prior };
    let found = estimate(&question);
    assert!(found.provisional && found.unit == UnitKind::Run);
    near("between", found.between, 2e-4, 1e-18);
    assert_eq!(found.word(true, question.tol), Word::Inconclusive);
    // The same in turns within one session may be compared by runs.
    question.interleaved = true;
    assert_eq!(estimate(&question).word(true, question.tol), Word::Regressed);
}

#[test]
fn a_session_effect_of_zero_counts_only_where_it_was_learned() {
    let mut question = runs(&[0.0, 0.001, -0.001, 0.0], &[0.0, 0.001, 0.0], 0.002);
    assert!(!estimate(&question).provisional);
    question.prior.learned = false;
    assert!(estimate(&question).provisional);
}

#[test]
fn fewer_than_three_old_units_are_provisional_whatever_is_known() {
    let question = runs(&[0.0, 0.001], &[0.0, 0.001, 0.0], 0.002);
    assert!(estimate(&question).provisional);
}

#[test]
fn a_quantised_counter_does_not_alarm_at_each_step() {
    // Steps of 1 %: all ten old units lie on one of them, the new ones on the next.
    let (old, new) = ([0.0; 10], [0.01_f64.ln_1p(); 3]);
    let mut question = runs(&old, &new, 0.001);
    question.tol = 1.005_f64.ln();
    let blind = estimate(&question);
    assert_eq!(blind.word(true, question.tol), Word::Regressed);
    question.floor = verify_model::statistics::floor(Some(1.0), 100.0, Scale::Log);
    near("floor", question.floor, 1.01_f64.ln() / 12.0_f64.sqrt(), 1e-15);
    let found = estimate(&question);
    assert_eq!(found.word(found.p <= RUNS.alpha(50), question.tol), Word::Inconclusive);
}

#[test]
fn one_wild_unit_of_ten_moves_neither_place_nor_scatter_much() {
    let mut old = [0.0, 0.001, -0.001, 0.002, -0.002, 0.0015, -0.0015, 0.0005, -0.0005, 0.0];
    let new = [0.0, 0.001, -0.001, 0.0005];
    let before = estimate(&runs(&old, &new, 0.002));
    old[3] = 3.0;
    let after = estimate(&runs(&old, &new, 0.002));
    assert!((after.mean_b - before.mean_b).abs() < 0.0005);
    assert!(after.se < 1.2 * before.se);
}

#[test]
fn the_shipped_classes_are_those_of_the_table() {
    let (run, session) = (class("latency-p99"), class("host-memory"));
    assert!(run.is_some_and(|c| (c.prior.s_run - 0.05).abs() < 1e-15));
    assert!(session.is_some_and(|c| (c.prior.s_sess - 0.01).abs() < 1e-15));
    assert!(class("Latency-p99").is_none() && class("").is_none());
    for class in verify_model::statistics::CLASSES {
        assert!(!class.prior.learned && !class.source.is_empty(), "{}", class.name);
        assert_eq!((class.prior.d0.to_bits(), class.prior.d_s.to_bits()), {
            let four = 4.0_f64.to_bits();
            (four, four)
        });
    }
}

#[test]
fn the_spends_of_a_schedule_sum_to_one_and_looks_rise() {
    for schedule in [RUNS, SESSIONS, verify_model::statistics::FIXED] {
        assert_eq!(schedule.looks.len(), schedule.spend.len());
        near("sum", schedule.spend.iter().sum(), 1.0, 1e-12);
        assert!(schedule.looks.windows(2).all(|pair| pair[0] < pair[1]));
    }
    assert_eq!(look(&RUNS, 2, 50, 50), None);
    let sixth = look(&RUNS, 6, 25, 50).expect("a look");
    assert_eq!((sixth.index, sixth.units, RUNS.next(6)), (1, 5, Some(7)));
    near("shared level", sixth.level, 0.01 * 0.10 * 0.5, 1e-18);
    assert_eq!(RUNS.next(20), None);
}
