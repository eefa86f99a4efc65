//! What accepted units say about a class of metrics.
//!
//! Variances of many metrics tell both how large they usually are and how much they differ, that is, how
//! many observations the usual one is worth. A metric's own newest baseline must not be among them: it
//! would count twice.
//!
//! *Source*: the empirical Bayes fit of Smyth (2004), the weight clamped to 0.5..4.

use super::{
    gamma::{digamma, trigamma, trigamma_at},
    location::{mean, variance},
    real,
};

/// A learned prior needs this many metrics of this many degrees of freedom.
const METRICS: (usize, f64) = (20, 5.0);

/// Holds what was learned of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriorFit {
    /// The usual standard deviation.
    pub s0: f64,
    /// How many observations it is worth, as found; infinite where all metrics scatter alike.
    pub d0_raw: f64,
    /// The same within 0.5 and 4.
    pub d0: f64,
    /// Whether there were enough metrics for it to count as learned.
    pub learned: bool,
}

/// Fits a prior to variances and their degrees of freedom.
///
/// None where fewer than two, or one is not above zero: a variance of nothing is to be floored first.
pub fn fit_prior(variances: &[f64], df: &[f64]) -> Option<PriorFit> {
    let above = |values: &[f64]| values.iter().all(|value| value.is_finite() && *value > 0.0);
    if variances.len() < 2 || variances.len() != df.len() || !above(variances) || !above(df) {
        return None;
    }
    let logs: Vec<f64> =
        variances.iter().zip(df).map(|(v, f)| v.ln() - digamma(f / 2.0) + (f / 2.0).ln()).collect();
    let noise: Vec<f64> = df.iter().map(|f| trigamma(f / 2.0)).collect();
    let (centre, excess) = (mean(&logs), variance(&logs) - mean(&noise));
    let (d0_raw, d0, square) = if excess > 0.0 {
        let half = trigamma_at(excess)?;
        (2.0 * half, (2.0 * half).clamp(0.5, 4.0), (centre + digamma(half) - half.ln()).exp())
    } else {
        (f64::INFINITY, 4.0, centre.exp())
    };
    let long = df.iter().filter(|f| **f >= METRICS.1).count();
    let s0 = square.sqrt();
    s0.is_finite().then_some(PriorFit { s0, d0_raw, d0, learned: long >= METRICS.0 })
}

/// Returns the sd between sessions, from runs by session of each epoch of each metric.
///
/// Zero is an answer: sessions do not differ. None where no epoch holds two sessions, one of them with
/// two runs. It counts as learned from three nodes of five sessions on, which the caller knows.
pub fn session_sd(epochs: &[Vec<Vec<f64>>]) -> Option<f64> {
    let found: Vec<f64> = epochs.iter().filter_map(|epoch| between(epoch)).collect();
    (!found.is_empty()).then(|| mean(&found).sqrt()).filter(|sd| sd.is_finite())
}

/// Returns the variance between sessions of one epoch.
///
/// *Source*: one-way analysis of variance; for unequal sessions k = (N - sum n^2 / N) / (S - 1).
fn between(epoch: &[Vec<f64>]) -> Option<f64> {
    let held: Vec<&Vec<f64>> = epoch.iter().filter(|session| !session.is_empty()).collect();
    let (sessions, runs) = (held.len(), held.iter().map(|session| session.len()).sum::<usize>());
    if sessions < 2 || runs <= sessions {
        return None;
    }
    let grand = held.iter().flat_map(|session| session.iter()).sum::<f64>() / real(runs);
    let (mut outer, mut inner, mut squares) = (0.0, 0.0, 0.0);
    for session in held {
        let centre = mean(session);
        outer += real(session.len()) * (centre - grand).powi(2);
        inner += session.iter().map(|run| (run - centre).powi(2)).sum::<f64>();
        squares += real(session.len()).powi(2);
    }
    let k = (real(runs) - squares / real(runs)) / (real(sessions) - 1.0);
    let (outer, inner) = (outer / (real(sessions) - 1.0), inner / real(runs - sessions));
    Some(((outer - inner) / k).max(0.0)).filter(|found| found.is_finite())
}
