//! The last digits of the series, and quantiles on a fine grid: what shows a wrong coefficient.
//!
//! The reference values were computed with forty digits (mpmath 1.3), not with this code.

use verify_model::statistics::{Student, fit_prior, harrell_davis};

fn near(what: &str, found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() < share, "{what} is {found:e}, not {expected:e}");
}

#[test]
fn a_prior_of_long_series_has_its_last_digits() {
    // What is subtracted for so many degrees of freedom is small: the fit rests on one place alone.
    let fit = fit_prior(&[1e-4, 1.3e-4, 0.75e-4, 1.45e-4], &[2000.0; 4]).expect("a fit");
    near("d0", fit.d0_raw, 24.360_946_805_521_857, 1e-12);
    near("s0", fit.s0, 0.010_229_856_445_208_511, 1e-13);
    let fit = fit_prior(&[1e-4, 4e-4, 2.5e-5], &[2000.0; 3]).expect("a fit");
    near("d0", fit.d0_raw, 1.801_080_533_338_839, 1e-12);
    near("s0", fit.s0, 0.007_230_230_871_072_195, 1e-13);
}

#[test]
fn a_quantile_has_its_tail_above_it_wherever_it_lies() {
    for half_df in 1_u32..=40 {
        let df = f64::from(half_df) / 2.0;
        let student = Student::new(df).expect("degrees of freedom");
        for step in 0..140 {
            let tail = 0.499 * 0.8_f64.powi(step);
            let t = student.quantile(tail);
            near(&format!("tail of {t} at df {df}"), student.above(t), tail, 1e-11);
        }
    }
}

#[test]
fn a_quantile_of_many_samples_has_its_last_digits() {
    let samples: Vec<f64> = (1_u32..=60).map(|k| f64::from(k * k % 101 + k % 7)).collect();
    for (q, expected) in [
        (0.05, 7.227_760_161_139_348),
        (0.5, 56.364_306_830_136_66),
        (0.95, 100.055_733_705_119_63),
    ] {
        near("quantile", harrell_davis(&samples, q).expect("a quantile"), expected, 1e-13);
    }
    // Far more on one side than on the other.
    let many: Vec<f64> = (0_u32..5000).map(f64::from).collect();
    for q in [0.001, 0.1, 0.9, 0.999] {
        let found = harrell_davis(&many, q).expect("a quantile");
        assert!((found - 4999.0 * q).abs() < 1.0, "{q}: {found}");
    }
}
