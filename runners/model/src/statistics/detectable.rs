//! What a comparison could have seen, and how many more units would see more.
//!
//! Said with every verdict, "same" included: who reads that nothing changed must read how large a change
//! would have had to be.

use super::{Estimate, Keys, estimate::Precision};

/// No more units than this are proposed on the new side.
pub const LONGEST: usize = 60;

impl Estimate {
    /// Returns the smallest detectable change: what would be called regressed in about 9 of 10 cases.
    ///
    /// *Units*: a difference of y. `alpha` is the two-sided level of one metric: the family's level
    /// times the largest spend, divided by the number of metrics. Infinite where nothing could be.
    pub fn detectable(&self, alpha: f64, tol: f64) -> f64 {
        self.detectable_by(Keys::RULE, alpha, tol)
    }

    /// Returns the smallest detectable change by other levels.
    pub fn detectable_by(&self, keys: Keys, alpha: f64, tol: f64) -> f64 {
        let precision = self.model.precision(self.units_n);
        precision.map_or(f64::INFINITY, |precision| seen(&precision, keys, alpha, tol))
    }

    /// Returns how many more units would make a change of `goal` detectable.
    ///
    /// *Units*: goal and tolerance as differences of y. None where [`LONGEST`] would not: a longer
    /// baseline or less noise is needed.
    pub fn needed(&self, alpha: f64, tol: f64, goal: f64) -> Option<u32> {
        self.needed_by(Keys::RULE, alpha, tol, goal)
    }

    /// Returns how many more units are needed by other levels.
    pub fn needed_by(&self, keys: Keys, alpha: f64, tol: f64, goal: f64) -> Option<u32> {
        if self.detectable_by(keys, alpha, tol) <= goal {
            return Some(0);
        }
        let meets = |units: usize| {
            let precision = self.model.precision(units);
            precision.is_some_and(|precision| seen(&precision, keys, alpha, tol) <= goal)
        };
        let units = (self.units_n + 1..=LONGEST).find(|units| meets(*units))?;
        u32::try_from(units - self.units_n).ok()
    }
}

fn seen(precision: &Precision, keys: Keys, alpha: f64, tol: f64) -> f64 {
    let t = |tail: f64| precision.t.quantile(tail) * precision.se;
    // `f64::max` would drop a NaN.
    let (real, matters) = (t(alpha / 2.0), tol + t(keys.red));
    if real.is_nan() || matters.is_nan() {
        return f64::INFINITY;
    }
    real.max(matters) + t(0.05)
}
