//! What a difference is called.
//!
//! Two keys make a red: that it is real is said by a level over all metrics (key 1, from outside), that
//! it matters by a bound beyond the tolerance (key 2). "Same" is a claim of its own, never the lack of
//! proof of the contrary.

use serde::{Deserialize, Serialize};

use super::Estimate;

/// No red on fewer new runs, whatever they show.
pub const FEWEST_NEW_RUNS: usize = 3;

/// Says how a measurement stands to its baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// Worse by more than is tolerated, for certain.
    Regressed,
    /// Better by more than is tolerated, for certain.
    Improved,
    /// Within the tolerance, for certain.
    Same,
    /// None of these yet: more units.
    Inconclusive,
}

/// Holds the levels of the second key and of sameness, each of one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keys {
    /// Of the bound that must lie beyond the tolerance.
    pub red: f64,
    /// Of the bounds that must lie within it.
    pub same: f64,
}

impl Keys {
    /// The levels of the rule.
    ///
    /// *Source*: 1.25 % a look keeps reds at exactly the tolerance near 3 %; 5 % a side is the usual
    /// test of equivalence.
    pub const RULE: Self = Self { red: 0.0125, same: 0.05 };
}

impl Estimate {
    /// Says what the difference is called, by the levels of the rule.
    ///
    /// `key1` tells whether it is real: whether its adjusted p is at most the level of the look.
    pub fn word(&self, key1: bool, tol: f64) -> Word {
        match self.word_by(Keys::RULE, key1, tol) {
            Word::Regressed if self.runs_n < FEWEST_NEW_RUNS => Word::Inconclusive,
            word => word,
        }
    }

    /// Says what the difference is called by other levels, on any number of runs.
    ///
    /// A tolerance that is negative or not finite proves nothing.
    pub fn word_by(&self, levels: Keys, key1: bool, tol: f64) -> Word {
        if !(tol.is_finite() && tol >= 0.0) {
            return Word::Inconclusive;
        }
        let (red, same) =
            (self.t.quantile(levels.red) * self.se, self.t.quantile(levels.same) * self.se);
        if key1 && self.est - red > tol {
            Word::Regressed
        } else if key1 && self.est + red < -tol {
            Word::Improved
        } else if self.est.abs() + same < tol {
            Word::Same
        } else {
            Word::Inconclusive
        }
    }

    /// Returns the loss that is at least there, with 98.75 % certainty: the bound of key 2.
    pub fn least_loss(&self) -> f64 {
        self.est - self.t.quantile(Keys::RULE.red) * self.se
    }

    /// Returns the gain that is at least there, with 98.75 % certainty, as a number below zero.
    pub fn least_gain(&self) -> f64 {
        self.est + self.t.quantile(Keys::RULE.red) * self.se
    }
}
