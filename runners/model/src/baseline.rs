//! What is normal: the accepted summary for one metric of one check on one node.
//!
//! Only what `judge` needs today; the files, the ledger and the statistics belong to the engine.

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
    /// Number of accepted units.
    pub units: usize,
}
