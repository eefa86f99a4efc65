//! Quantiles and spread of one run: what may become a value, and which.
//!
//! A p99 of twenty samples is the largest of them. How many are needed follows from how often the
//! largest sample lies beyond the quantile at all.

use super::{beta::beta_below, real};

/// Returns how many samples a quantile needs to be a metric.
///
/// *Source*: with fewer than ln 0.025 / ln q samples none lies beyond the quantile in 2.5 % of runs. One
/// half and below need one; what is no probability between 0 and 1 needs more than there are.
pub fn quantile_needs(q: f64) -> usize {
    if !(q > 0.0 && q < 1.0) {
        return usize::MAX;
    }
    if q <= 0.5 {
        return 1;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number, below 2^56 since 1 - q is at least 2^-53"
    )]
    let needs = (0.025_f64.ln() / q.ln()).ceil() as usize;
    needs
}

/// Returns the spread of a run, ln ln(Q3/Q1): how far its samples scatter, as a logarithm.
///
/// None where both quartiles are equal, in the wrong order or not above zero.
pub fn spread(q1: f64, q3: f64) -> Option<f64> {
    if !(q1 > 0.0 && q3 > q1) {
        return None;
    }
    Some((q3 / q1).ln().ln()).filter(|spread| spread.is_finite())
}

/// Returns the Harrell-Davis estimate of a quantile: a weighted mean of all samples, in any order.
///
/// None without samples, or where one is not finite.
///
/// *Source*: Harrell and Davis, Biometrika 69 (1982).
pub fn harrell_davis(samples: &[f64], q: f64) -> Option<f64> {
    let usable = q > 0.0 && q < 1.0 && samples.iter().all(|sample| sample.is_finite());
    if !usable || samples.is_empty() {
        return None;
    }
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = real(sorted.len());
    let (a, b) = ((n + 1.0) * q, (n + 1.0) * (1.0 - q));
    let mut before = 0.0;
    let mut sum = 0.0;
    for (index, sample) in sorted.iter().enumerate() {
        let below =
            if index + 1 == sorted.len() { 1.0 } else { beta_below(a, b, real(index + 1) / n) };
        sum += (below - before) * sample;
        before = below;
    }
    sum.is_finite().then_some(sum)
}
