//! What asking does to the node; declared by the probe, so that scheduling is not a suite's guess.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Orders effects from harmless to changing.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Reads only: cheap, runs beside others.
    Reads,
    /// Loads the node: runs alone on it.
    Loads,
    /// Changes the node: runs alone, and only with `--allow-mutation`.
    Mutates,
}

impl Effect {
    /// Names the effect as suites and reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Loads => "loads",
            Self::Mutates => "mutates",
        }
    }
}
