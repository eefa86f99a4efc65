//! What is normal: the accepted summary for one metric of one check on one node.
//!
//! Holds what `judge` needs, and a run keeps it beside its answers, so that a verdict can be computed
//! again without the files. The files, the ledger of units and accepting belong to the engine.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{quantity::Quantity, verdict::CheckKey};

/// Holds the accepted centre of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Baseline {
    /// Which check on which node.
    pub key: CheckKey,
    /// Dotted path of the metric.
    pub field: String,
    /// Median of the accepted units.
    pub centre: Quantity,
    /// Interquartile range of the accepted units; absent where there are fewer than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Quantity>,
    /// Number of accepted units.
    pub units: usize,
    /// Run with which the epoch of these units began.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub epoch: String,
    /// Why an answer of this run cannot be compared with it, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<String>,
}

impl Baseline {
    /// Orders baselines by check and field.
    pub fn order(one: &Self, other: &Self) -> Ordering {
        (&one.key, &one.field).cmp(&(&other.key, &other.field))
    }

    /// Returns the baselines of one check; `all` must be in order.
    pub fn of<'b>(all: &'b [Self], key: &CheckKey) -> &'b [Self] {
        let from = all.partition_point(|baseline| baseline.key < *key);
        let to = all.partition_point(|baseline| baseline.key <= *key);
        &all[from..to.max(from)]
    }
}
