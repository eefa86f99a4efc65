//! What one attempt found, and the attempts of one check.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    evidence::EvidenceId,
    finding::FindingCode,
    metric::{Metric, SPREAD},
    value::Value,
};

/// Holds what one attempt found: a tree of facts and named metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Observation {
    /// Facts, by name.
    pub facts: BTreeMap<String, Value>,
    /// Metrics, by dotted name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Metric>,
    /// What stood in for the real thing, if something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
}

impl Observation {
    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: Value) -> Self {
        self.facts.insert(name.to_owned(), value);
        self
    }

    /// Adds a metric.
    #[must_use]
    pub fn metric(mut self, name: &str, metric: Metric) -> Self {
        self.metrics.insert(name.to_owned(), metric);
        self
    }

    /// Resolves a dotted path: a metric (its median), a summary of a metric, or a fact.
    pub fn resolve(&self, path: &str) -> Value {
        if let Some(metric) = self.metrics.get(path) {
            return summary(metric, "median");
        }
        for (at, _) in path.match_indices('.') {
            if let Some(metric) = self.metrics.get(&path[..at]) {
                return summary(metric, &path[at + 1..]);
            }
        }
        let parts: Vec<&str> = path.split('.').collect();
        match self.facts.get(parts[0]) {
            Some(value) => value.at(&parts[1..]),
            None => Value::Unreadable(format!("the probe gave no `{path}`")),
        }
    }

    /// Returns the metric that a path refers to, a summary included.
    pub fn metric_at(&self, path: &str) -> Option<&Metric> {
        self.metrics
            .get(path)
            .or_else(|| path.match_indices('.').find_map(|(at, _)| self.metrics.get(&path[..at])))
    }
}

fn summary(metric: &Metric, name: &str) -> Value {
    let none = if name == SPREAD {
        "samples that are equal, or not all above zero, have no spread".to_owned()
    } else {
        format!("a metric has no summary `{name}`")
    };
    metric.summary(name).map_or_else(|| Value::Unreadable(none), Value::Quantity)
}

/// Holds one attempt at a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Attempt {
    /// Which repeat it belongs to, from 1.
    pub repeat: u32,
    /// Which try of that repeat it is, from 1; only an Error is tried again.
    pub r#try: u32,
    /// When it started, since the run's start. *Units*: ms.
    pub at_ms: u64,
    /// How long it took. *Units*: us.
    pub elapsed_us: u64,
    /// What it found, or why it found nothing.
    pub result: Result<Observation, AttemptError>,
    /// Why the conditions of the measurement did not hold, if they did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<String>,
    /// Where the bytes are.
    pub evidence: Vec<EvidenceId>,
}

/// Says why an attempt found nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AttemptError {
    /// Which error of the catalogue.
    pub code: FindingCode,
    /// What happened, in one line.
    pub message: String,
}
