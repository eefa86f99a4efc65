//! Whether the baseline wandered, and by how much that widens what can be said.
//!
//! Runs on a machine that slowly changes resemble their neighbours: thirty of them say less than thirty
//! independent ones. It is looked for in the order in which the units were taken.

use serde::{Deserialize, Serialize};

use super::{location::mean, real};

/// Fewer units say nothing about their order.
const FEWEST: usize = 10;
/// One-sided 5 % of a correlation of independent units, times the root of their number.
const LIMIT: f64 = 1.645;
/// A correlation of one would make the variance unbounded.
const STRONGEST: f64 = 0.95;

/// Says what the order of the baseline's units showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// Fewer than ten units.
    TooFew,
    /// No sign of a drift.
    Quiet,
    /// Neighbours resemble each other: the variance was widened.
    Fired,
}

/// Holds what the order of the baseline's units showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Whether it counts.
    pub guard: Guard,
    /// Correlation of neighbours, corrected for its bias; none where too few, or all are equal.
    pub lag: Option<f64>,
}

impl Drift {
    /// Nobody looked.
    pub(super) const UNSEEN: Self = Self { guard: Guard::TooFew, lag: None };

    /// Looks at the units of a baseline in the order of time.
    pub fn of(units: &[f64]) -> Self {
        if units.len() < FEWEST {
            return Self::UNSEEN;
        }
        let (n, centre) = (real(units.len()), mean(units));
        let square: f64 = units.iter().map(|unit| (unit - centre).powi(2)).sum();
        let product: f64 =
            units.windows(2).map(|pair| (pair[0] - centre) * (pair[1] - centre)).sum();
        let lag = Some(product / square + 1.0 / n).filter(|lag| lag.is_finite());
        let fired = lag.is_some_and(|lag| lag >= LIMIT / n.sqrt());
        Self { guard: if fired { Guard::Fired } else { Guard::Quiet }, lag }
    }

    /// Returns V, by which the variance of the means grows when the longer side has `units`.
    pub fn inflation(&self, units: usize) -> f64 {
        let (Guard::Fired, Some(lag)) = (self.guard, self.lag) else { return 1.0 };
        let (rho, n) = (lag.min(STRONGEST), real(units));
        let mut power = 1.0;
        let sum: f64 = (1..units)
            .map(|k| {
                power *= rho;
                (1.0 - real(k) / n) * power
            })
            .sum();
        1.0 + 2.0 * sum
    }
}
