//! What is normal: the accepted summary for one metric of one check on one node.
//!
//! Holds what `judge` needs, and a run keeps it beside its answers, so that a verdict can be computed
//! again without the files. The files, the ledger of units and accepting belong to the engine.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{quantity::Quantity, verdict::CheckKey};

/// Holds one accepted unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Past {
    /// Session, counted from 1: units of one boot and less than an hour apart.
    pub session: u32,
    /// Value, in the unit of the centre.
    pub value: f64,
}

/// Holds how the samples of all accepted units are distributed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Distribution {
    /// Unit of all values.
    pub unit: String,
    /// Number of samples.
    pub samples: u64,
    /// Shares from 0 to 1, rising, each with the value that it does not exceed.
    pub shares: Vec<(f64, f64)>,
}

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
    /// Accepted units that count now, in the order of time; empty in old records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub current: Vec<Past>,
    /// The first accepted units, which stay; empty where they are the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchor: Vec<Past>,
    /// Units of earlier runs that are compared together with this run's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Past>,
    /// How all accepted samples are distributed, for people; absent where they are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// What changed in the machine since, a line each: possible causes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Whether it was not recorded what the machine was made of when it was accepted, so that nobody
    /// knows what changed since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub machine_unknown: bool,
    /// Why an answer of this run cannot be compared with it, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<String>,
}

impl Baseline {
    /// Builds a baseline of one unit, which is its centre.
    pub fn new(key: CheckKey, field: impl Into<String>, centre: Quantity) -> Self {
        Self {
            key,
            field: field.into(),
            centre,
            spread: None,
            units: 1,
            epoch: String::new(),
            current: Vec::new(),
            anchor: Vec::new(),
            earlier: Vec::new(),
            distribution: None,
            changed: Vec::new(),
            machine_unknown: false,
            mismatch: None,
        }
    }

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
