//! Student's t distribution: its upper tail, and where a tail begins.
//!
//! Degrees of freedom need not be whole. Tails of 1e-25 are as exact as those of one half, since levels
//! are divided by the number of metrics.

use super::{beta::below, gamma::half_ratio};

/// Holds Student's t distribution with some degrees of freedom, which are finite and above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Student(f64);

impl Student {
    /// Returns the distribution; none without degrees of freedom.
    pub fn new(df: f64) -> Option<Self> {
        (df.is_finite() && df > 0.0).then_some(Self(df))
    }

    /// Returns how likely a value above t is.
    pub fn above(self, t: f64) -> f64 {
        let tail = self.beyond(t.abs()) / 2.0;
        if t < 0.0 { 1.0 - tail } else { tail }
    }

    /// Returns how likely a value beyond t on either side is; t is not negative.
    pub fn beyond(self, t: f64) -> f64 {
        if t.is_nan() {
            return f64::NAN;
        }
        let df = self.0;
        // x = df / (df + t^2), both shares without a difference.
        let square = (t / df) * t;
        let (x, rest) = (1.0 / (1.0 + square), 1.0 / (1.0 + 1.0 / square));
        let front = (-df / 2.0 * square.ln_1p()).exp() * rest.sqrt() * self.front();
        below(df / 2.0, 0.5, x, rest, front)
    }

    /// Returns the value above which there is `tail`, which is above 0 and at most one half.
    ///
    /// *Shape*: Newton in logarithms, where a tail is nearly a line, within a bracket. NaN for any
    /// other tail, infinity where the value is beyond all numbers.
    pub fn quantile(self, tail: f64) -> f64 {
        if !(tail > 0.0 && tail <= 0.5) {
            return f64::NAN;
        }
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        while self.above(high) > tail {
            low = high;
            high *= 4.0;
            if !high.is_finite() {
                return f64::INFINITY;
            }
        }
        let mut t = low.midpoint(high);
        for _ in 0..200 {
            let above = self.above(t);
            if above > tail {
                low = t;
            } else {
                high = t;
            }
            let slope = t * self.density(t) / above;
            let newton = t * ((above / tail).ln() / slope).exp();
            let next = if newton > low && newton < high { newton } else { low.midpoint(high) };
            if (next - t).abs() <= 2.0 * f64::EPSILON * t || high - low <= f64::EPSILON * high {
                return next;
            }
            t = next;
        }
        t
    }

    fn density(self, t: f64) -> f64 {
        let df = self.0;
        (-f64::midpoint(df, 1.0) * (t * t / df).ln_1p()).exp() * self.front() / df.sqrt()
    }

    /// Returns 1 / B(df/2, 1/2).
    fn front(self) -> f64 {
        half_ratio(self.0 / 2.0) / std::f64::consts::PI.sqrt()
    }
}
