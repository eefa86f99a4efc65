//! The answer to one check, with its findings and what was read on the way.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    check::Location,
    comparison::Comparison,
    finding::{Finding, FindingCode},
    observation::Attempt,
    outcome::Outcome,
    quantity::Quantity,
};

/// Names one check on one node.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct CheckKey {
    /// Name of the node.
    pub node: String,
    /// Id of the check.
    pub check: String,
}

impl CheckKey {
    /// Builds a key.
    pub fn new(node: impl Into<String>, check: impl Into<String>) -> Self {
        Self { node: node.into(), check: check.into() }
    }
}

/// Says what happened to a planned check: asked, or left out for a stated reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It was asked.
    Attempted(Vec<Attempt>),
    /// A capability is absent.
    NeedAbsent {
        /// The capability.
        capability: String,
        /// What was looked for and not found.
        detail: String,
        /// Whether the node file lists it under `has`.
        expected: bool,
        /// Whether it is known to be absent; false where nobody could look.
        known: bool,
    },
    /// A check it depends on did not pass.
    Blocked {
        /// Id of the check at the root of the chain.
        by: String,
        /// Outcome of that check.
        outcome: Outcome,
    },
    /// Left out on purpose; the code says why.
    LeftOut {
        /// One of the codes of severity `note`.
        code: FindingCode,
        /// Detail in one line.
        message: String,
    },
    /// The node could not be asked at all; the code says why.
    Unreachable {
        /// One of the codes of severity `error`.
        code: FindingCode,
        /// Detail in one line.
        message: String,
    },
    /// The run was interrupted before it was answered.
    Interrupted,
    /// The record ends before it was answered.
    NotReached,
}

/// Says in which role a field was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A miss fails.
    Expect,
    /// A miss is advice.
    Advise,
    /// Shown, not judged.
    Record,
}

/// Holds one field as it was read and judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Reading {
    /// Dotted path.
    pub field: String,
    /// Role in the check.
    pub role: Role,
    /// Demand, as a phrase; absent for recorded fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was observed, shown.
    pub observed: String,
    /// What was observed, with its unit, where it is a quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Number of samples behind it; 0 for a fact.
    #[serde(default)]
    pub samples: usize,
    /// Accepted baseline it was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Quantity>,
    /// Whether the demand held; absent where nothing was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
}

/// Says how a waiver bears on a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WaiverNote {
    /// Reason that the waiver gives.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Last day on which it holds, as `YYYY-MM-DD`.
    pub expires: String,
    /// Days from the run's start to its last day; negative where it has expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_left: Option<i64>,
    /// Hardware that it is about, by field of the fingerprint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub only: BTreeMap<String, String>,
    /// Whether it holds at the run's start, on this machine.
    pub valid: bool,
    /// Why it is not about this machine, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misses: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// Holds the answer to one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// Which check on which node.
    pub key: CheckKey,
    /// One of six.
    pub outcome: Outcome,
    /// The finding that decided the outcome; absent for a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<FindingCode>,
    /// Everything that is said about it, gravest first.
    pub findings: Vec<Finding>,
    /// Every field that was read.
    pub readings: Vec<Reading>,
    /// Every metric beside its baseline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
    /// Number of attempts, tries included.
    pub attempts: usize,
    /// Time spent on it. *Units*: us.
    pub elapsed_us: u64,
    /// The check at the root, for a blocked one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<String>,
    /// The waiver that bears on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverNote>,
    /// Whether nothing was judged, only recorded.
    #[serde(default)]
    pub recorded_only: bool,
}

impl Verdict {
    /// Tells whether what comes after it must not be asked: a loss against a baseline, which is decided
    /// when everything has been measured, keeps nobody waiting.
    pub fn outcome_for_others(&self) -> Outcome {
        let else_failed =
            |f: &Finding| f.severity == crate::finding::Severity::Failure && !f.compares;
        let compares = !self.comparisons.is_empty();
        match self.outcome {
            Outcome::Fail if compares && !self.findings.iter().any(else_failed) => Outcome::Pass,
            outcome => outcome,
        }
    }

    /// Returns the verdict without words and readings: enough to settle it and to count it.
    #[must_use]
    pub fn outline(&self) -> Self {
        // What a comparison makes of an outcome depends on what else was found.
        let weigh = |finding: &Finding| Finding {
            field: finding.field.clone(),
            compares: finding.compares,
            ..Finding::new(finding.code, "")
        };
        let findings = self.findings.iter().map(weigh).filter(|_| !self.comparisons.is_empty());
        Self {
            key: self.key.clone(),
            outcome: self.outcome,
            decided_by: self.decided_by,
            findings: findings.collect(),
            readings: Vec::new(),
            comparisons: self.comparisons.clone(),
            attempts: self.attempts,
            elapsed_us: self.elapsed_us,
            blocked_by: self.blocked_by.clone(),
            waiver: self.waiver.clone(),
            recorded_only: self.recorded_only,
        }
    }

    /// Tells whether a valid waiver excuses the failure.
    pub fn is_waived(&self) -> bool {
        self.outcome == Outcome::Fail && self.waiver.as_ref().is_some_and(|w| w.valid)
    }

    /// Returns the gravest finding.
    pub fn main_finding(&self) -> Option<&Finding> {
        self.decided_by.and_then(|code| self.findings.iter().find(|f| f.code == code))
    }
}
