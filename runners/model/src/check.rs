//! What one check asks: probe, parameters, expectations, and why it matters.
//!
//! A `Check` is fully validated by the loader: its expectations name fields that the probe
//! declares, in a compatible unit. It is stored whole in the run record, so that a run can be
//! judged again years later without the suite file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    effect::Effect,
    matcher::{Literal, Matcher},
    quantity::Quantity,
};

/// Holds the parameters of a probe, by name.
pub type Params = BTreeMap<String, Literal>;

/// Points at a line of a suite or node file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Path relative to the root.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

/// Says how a field is compared with its baseline, beside the tolerance of `within`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Comparing {
    /// Row of the table of noise, as [`crate::statistics::CLASSES`] names it; `unknown` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Change that people want to be able to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect: Option<Quantity>,
    /// Change from which a first look is enough to fail, though the noise is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disaster: Option<Quantity>,
    /// Smallest step in which the tool counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Quantity>,
}

impl Comparing {
    /// Tells whether the suite says nothing.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Holds the demands on one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Expectation {
    /// Dotted path into the probe's answer.
    pub field: String,
    /// Demands, all of which must hold; never empty.
    pub matchers: Vec<Matcher>,
    /// Where the limit comes from, if not from the check's own source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How it is compared with its baseline.
    #[serde(default, skip_serializing_if = "Comparing::is_default")]
    pub comparing: Comparing,
    /// Where it stands.
    pub location: Location,
}

/// Holds one question to a node and how its answer is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// Id, kebab-case `group/name`.
    pub id: String,
    /// Name of the suite that declares it.
    pub suite: String,
    /// One line for people.
    pub title: String,
    /// Name of the probe.
    pub probe: String,
    /// Parameters of the probe.
    pub with: Params,
    /// What asking does to the node.
    pub effect: Effect,
    /// Checks that must pass before.
    pub after: Vec<String>,
    /// Capabilities without which it is not asked.
    pub when: Vec<String>,
    /// Labels for selection.
    pub tags: Vec<String>,
    /// Why a person should care.
    pub why: String,
    /// Where the expectation comes from.
    pub source: String,
    /// What to do on failure.
    pub fix: String,
    /// How many times it is measured.
    pub repeat: u32,
    /// Time limit of one attempt. *Units*: ms.
    pub limit_ms: u64,
    /// How often an Error is tried again.
    pub retries: u32,
    /// Demands whose miss is a failure.
    pub expect: Vec<Expectation>,
    /// Demands whose miss is advice.
    pub advise: Vec<Expectation>,
    /// Fields that are stored and shown, not judged.
    pub record: Vec<String>,
    /// Where it stands.
    pub location: Location,
}

impl Check {
    /// Tells whether the check records without judging anything.
    pub fn only_records(&self) -> bool {
        self.expect.is_empty()
    }

    /// Tells whether a field of it is compared with its baseline.
    pub fn compares(&self) -> bool {
        let within = |matcher: &Matcher| matches!(matcher, Matcher::Within(_));
        self.expect.iter().chain(&self.advise).any(|e| e.matchers.iter().any(within))
    }
}
