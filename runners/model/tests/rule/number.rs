//! Numbers of the method beside those of other sources, and what happens exactly at an edge.
//!
//! The reference values were computed with forty digits (mpmath 1.3) from the formulas that the code
//! names as its sources, not with this code.

use verify_model::{
    metric::Direction,
    statistics::{
        Estimate, Guard, Keys, Prior, Question, Scale, Transform, UnitKind, Word, fit_prior,
        harrell_davis, session_sd, spread,
    },
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

/// Holds what an independent program (scipy 1.17) made of a question, by the text of the method.
struct Reference {
    unit: UnitKind,
    guard: Guard,
    /// Difference, its standard error and degrees of freedom, p, and the lower end of the interval.
    numbers: [f64; 5],
    lag: Option<f64>,
    inflation: f64,
    /// Detectable at a level of 1 %, with a tolerance of 0.02 and of 0.0001.
    detectable: [f64; 2],
    /// Units that are needed to see 0.03, 0.035, 0.04, 0.05 and 0.5.
    needed: [Option<u32>; 5],
}

fn demand_reference(question: &Question, expected: &Reference) {
    let found = estimate(question);
    let (low, _) = found.interval();
    let numbers = [found.est, found.se, found.df, found.p, low];
    for (at, (number, reference)) in numbers.into_iter().zip(expected.numbers).enumerate() {
        near(&format!("number {at}"), number, reference, 1e-9);
    }
    assert_eq!((found.unit, found.guard), (expected.unit, expected.guard));
    assert_eq!(found.lag.is_some(), expected.lag.is_some());
    if let (Some(lag), Some(reference)) = (found.lag, expected.lag) {
        near("lag", lag, reference, 1e-9);
    }
    near("inflation", found.inflation, expected.inflation, 1e-9);
    for (tol, reference) in [0.02, 0.0001].into_iter().zip(expected.detectable) {
        near("detectable", found.detectable(0.01, tol), reference, 1e-9);
    }
    let needed = [0.03, 0.035, 0.04, 0.05, 0.5].map(|goal| found.needed(0.01, 0.02, goal));
    assert_eq!(needed, expected.needed);
}

fn prior(s_run: f64, s_sess: f64, d0: f64, learned: bool) -> Prior {
    Prior { s_run, s_sess, d0, d_s: 4.0, learned }
}

/// Builds a baseline of fourteen runs that rise, and wobble around the rise.
fn rising() -> Vec<Vec<f64>> {
    let wobble = |n: u32| if n.is_multiple_of(2) { 0.0007 } else { -0.0007 };
    vec![(0..14).map(|n| 0.001 * f64::from(n) + wobble(n)).collect()]
}

fn asked(baseline: Vec<Vec<f64>>, new: Vec<Vec<f64>>, prior: Prior) -> Question {
    Question { baseline, new, prior, floor: 0.0005, tol: 0.02, interleaved: false }
}

#[test]
fn a_baseline_that_rises_is_widened_as_the_method_says() {
    let new = vec![vec![0.02, 0.021, 0.019, 0.0225]];
    let question = asked(rising(), new, prior(0.004, 0.006, 4.0, false));
    let mut expected = Reference {
        unit: UnitKind::Run,
        guard: Guard::Fired,
        numbers: [
            0.014_125,
            0.010_572_989_134_439_392,
            8.0,
            0.218_318_922_975_355_38,
            -0.010_256_356_665_485_96,
        ],
        lag: Some(0.842_180_263_626_647_4),
        inflation: 7.278_441_240_476_66,
        detectable: [0.068_752_810_280_110_53, 0.055_137_454_991_805_85],
        needed: [None, None, None, None, Some(0)],
    };
    demand_reference(&question, &expected);
    // Taken in turns within one session, nothing is added for sessions.
    expected.numbers = [
        0.014_125,
        0.006_307_780_848_838_474,
        8.0,
        0.055_486_204_488_222_79,
        -0.000_420_768_721_383_171_3,
    ];
    expected.detectable = [0.049_085_629_343_006_26, 0.032_894_669_447_652_59];
    expected.needed = [None, None, Some(43), Some(0), Some(0)];
    demand_reference(&Question { interleaved: true, ..question }, &expected);
}

#[test]
fn sessions_of_unequal_length_count_once_each() {
    let baseline = vec![
        vec![0.0, 0.002, 0.001],
        vec![0.004, 0.005],
        vec![-0.003, -0.001, -0.002, 0.0],
        vec![0.001],
    ];
    let new = vec![vec![0.01, 0.012], vec![0.013, 0.011, 0.012]];
    demand_reference(
        &asked(baseline, new, prior(0.002, 0.003, 2.5, false)),
        &Reference {
            unit: UnitKind::Session,
            guard: Guard::TooFew,
            numbers: [
                0.010_25,
                0.002_379_649_785_206_449_5,
                6.5,
                0.004_198_396_871_306_484,
                0.004_534_076_437_810_845,
            ],
            lag: None,
            inflation: 1.0,
            detectable: [0.031_459_572_524_632_34, 0.013_111_536_897_828_142],
            needed: [Some(1), Some(0), Some(0), Some(0), Some(0)],
        },
    );
}

#[test]
fn a_tenth_at_each_end_is_set_aside_of_a_quiet_baseline() {
    let baseline = vec![vec![
        0.0, 0.003, -0.002, 0.001, 0.004, -0.003, 0.002, -0.001, 0.0025, -0.0015, 0.0005, 0.0035,
    ]];
    demand_reference(
        &asked(baseline, vec![vec![0.011, 0.014, 0.012]], prior(0.002, 0.0, 4.0, true)),
        &Reference {
            unit: UnitKind::Run,
            guard: Guard::Quiet,
            numbers: [
                0.011_533_333_333_333_333,
                0.001_469_915_544_989_476_5,
                15.0,
                1.092_652_818_693_851_2e-6,
                0.008_400_282_512_954_263,
            ],
            lag: Some(-0.499_284_692_417_739_7),
            inflation: 1.0,
            detectable: [0.026_236_748_850_280_72, 0.006_908_255_043_022_86],
            needed: [Some(0); 5],
        },
    );
}

#[test]
fn what_counts_as_one_and_what_is_added_for_sessions_follows_from_their_number() {
    let session = || vec![0.0, 0.002, 0.001];
    let ask = |sessions: usize, prior: Prior| {
        asked(vec![session(); sessions], vec![vec![0.01, 0.012]], prior)
    };
    let unknown = prior(0.002, 0.006, 4.0, false);
    let two = estimate(&ask(2, unknown));
    assert_eq!((two.unit, two.provisional), (UnitKind::Run, true));
    near("between", two.between, 0.006_f64.powi(2) * 1.5, 1e-12);
    let three = estimate(&ask(3, unknown));
    assert_eq!((three.unit, three.provisional), (UnitKind::Session, false));
    assert!(three.between.abs() < f64::MIN_POSITIVE);
    let alike = estimate(&ask(3, prior(0.002, 0.0, 4.0, true)));
    assert_eq!((alike.unit, alike.provisional), (UnitKind::Run, false));
    let turns = Question { interleaved: true, ..ask(3, unknown) };
    assert_eq!((estimate(&turns).unit, estimate(&turns).provisional), (UnitKind::Run, false));
    // Three units are enough of those that are known, two are not.
    let units = |baseline: &[f64]| {
        let baseline = vec![baseline.to_vec()];
        estimate(&Question { baseline, interleaved: true, ..ask(1, unknown) }).provisional
    };
    assert_eq!((units(&[0.0, 0.001, 0.002]), units(&[0.0, 0.001])), (false, true));
    near("centre", ask(3, unknown).centre().expect("a centre"), 0.001, 1e-12);
    assert!(ask(2, prior(0.002, -0.001, 4.0, false)).estimate().is_none());
}

#[test]
fn a_quantile_weighs_all_samples_and_a_spread_is_a_logarithm_twice() {
    let samples = [3.1, 2.7, 5.5, 4.4, 9.0, 1.2, 6.6];
    for (q, expected) in [
        (0.1, 1.621_305_327_838_923),
        (0.5, 4.415_546_607_766_686),
        (0.9, 8.309_574_331_491_168),
        (0.99, 8.961_414_168_502_445),
    ] {
        near("quantile", harrell_davis(&samples, q).expect("a quantile"), expected, 1e-9);
    }
    assert!(harrell_davis(&samples, 0.0).is_none() && harrell_davis(&samples, 1.0).is_none());
    near("spread", spread(2.0, 6.0).expect("a spread"), 3.0_f64.ln().ln(), 1e-12);
    assert!(spread(0.0, 1.0).is_none() && spread(2.0, 2.0).is_none());
    assert!(spread(3.0, 2.0).is_none() && spread(-2.0, -1.0).is_none());
}
