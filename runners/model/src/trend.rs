//! What earlier runs measured, kept beside the answers of a run so that a report can show the course.
//!
//! It is for people: no verdict follows from it. A trend holds values of one kind: same machine, same
//! probe and parameters, and either all of a machine or all of a scenario.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{outcome::Outcome, verdict::CheckKey};

/// Most earlier values of one metric.
pub const POINTS: usize = 30;
/// Most metrics of one run.
pub const METRICS: usize = 200;

/// Holds one earlier value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TrendPoint {
    /// When its run started. *Units*: s since 1970.
    pub at: i64,
    /// The value, in the unit of the trend.
    pub value: f64,
    /// First characters of its run's id.
    pub run: String,
    /// Outcome of the check in that run.
    #[serde(default = "pass", skip_serializing_if = "is_pass")]
    pub outcome: Outcome,
}

/// Holds one change of the level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TrendChange {
    /// Place of the first value after it.
    pub at: usize,
    /// By how much, as a share of the level before; below zero is less.
    pub change: f64,
    /// Whether it is worse since.
    pub worse: bool,
    /// Whether too few values say so to be sure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub possible: bool,
}

/// Holds what earlier runs measured of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Trend {
    /// Which check on which node.
    pub key: CheckKey,
    /// Dotted path of the metric.
    pub field: String,
    /// Unit of all values.
    pub unit: String,
    /// Whether a scenario answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// Values, oldest first, at most [`POINTS`].
    pub points: Vec<TrendPoint>,
    /// Changes of the level, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<TrendChange>,
}

fn pass() -> Outcome {
    Outcome::Pass
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_pass(outcome: &Outcome) -> bool {
    *outcome == Outcome::Pass
}
