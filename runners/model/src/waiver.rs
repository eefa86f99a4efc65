//! A known failure that people have agreed to live with until a day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Holds one waiver. A waiver without reason, owner or expiry does not load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Waiver {
    /// Node it holds on.
    pub node: String,
    /// Check that it excuses.
    pub check: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Last day on which it holds, as `YYYY-MM-DD`.
    pub expires: String,
    /// Whether an unexpected pass is a failure.
    #[serde(default)]
    pub strict: bool,
}
