//! The six outcomes. Never fewer: nothing missing is ever a pass.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Holds the answer to one check.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Asked, answered, acceptable.
    Pass,
    /// Asked, answered, not acceptable.
    Fail,
    /// Asked, not answered.
    Error,
    /// Not asked: a stated need is absent.
    Skip,
    /// Answered, but nothing to judge by.
    Unjudged,
    /// Not asked because a check it depends on did not pass.
    Blocked,
}

impl Outcome {
    /// Lists all outcomes in the order in which counts are printed.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::Fail, Self::Error, Self::Skip, Self::Unjudged, Self::Blocked];

    /// Names the outcome as reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Skip => "skip",
            Self::Unjudged => "unjudged",
            Self::Blocked => "blocked",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Counts checks by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Passed.
    pub pass: usize,
    /// Failed, waived ones included.
    pub fail: usize,
    /// Not answered.
    pub error: usize,
    /// Not asked, with a reason.
    pub skip: usize,
    /// Not judged.
    pub unjudged: usize,
    /// Not asked because of another check.
    pub blocked: usize,
}

impl Counts {
    /// Counts outcomes.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            *counts.slot(outcome) += 1;
        }
        counts
    }

    /// Returns the count of one outcome.
    pub fn get(mut self, outcome: Outcome) -> usize {
        *self.slot(outcome)
    }

    /// Returns the number of checks.
    pub fn total(self) -> usize {
        Outcome::ALL.iter().map(|outcome| self.get(*outcome)).sum()
    }

    fn slot(&mut self, outcome: Outcome) -> &mut usize {
        match outcome {
            Outcome::Pass => &mut self.pass,
            Outcome::Fail => &mut self.fail,
            Outcome::Error => &mut self.error,
            Outcome::Skip => &mut self.skip,
            Outcome::Unjudged => &mut self.unjudged,
            Outcome::Blocked => &mut self.blocked,
        }
    }
}
