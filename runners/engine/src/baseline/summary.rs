//! The summary of a ledger: the few lines a metric that people review.
//!
//! Computed from the ledger and never the other way round. A reader computes it again and demands
//! that the file says the same, so that neither file changes without the other. What people wrote
//! as comments stays when the file is written anew.

use schemars::JsonSchema;
use serde::Deserialize;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};
use verify_model::{
    fingerprint::Fingerprint,
    metric::{Direction, quantile},
    quantity::Quantity,
};

use super::{
    comment,
    ledger::{History, Ledger},
    unit::Unit,
};
use crate::load::catalog::digest;

/// Names the format of a summary with fingerprints; a reader refuses what it does not know.
pub const SUMMARY_FORMAT: &str = "verify-baseline/2";
/// Names the format of a summary without any, which every version reads.
const PLAIN_FORMAT: &str = "verify-baseline/1";
/// Formats that this version reads.
pub(super) const FORMATS: [&str; 2] = [PLAIN_FORMAT, SUMMARY_FORMAT];
/// Length of the digest of a fingerprint. *Units*: hexadecimal digits.
const SHORT: usize = 12;
const HEAD: &str = "\
# What is normal here, as people accepted it. Written by `verify baseline accept`; review it like
# code. The units behind it stand in the .runs.jsonl beside it; after a merge of the two by version
# control, `verify baseline merge` writes this file anew.
";

/// Holds the summary of one suite on one node.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Summary {
    /// Format and version of the file.
    pub format: String,
    /// Checks, sorted by id.
    #[serde(default)]
    pub check: Vec<CheckSummary>,
}

/// Holds what is normal for one check.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CheckSummary {
    /// Id.
    pub id: String,
    /// Host name of the machine.
    pub machine: String,
    /// Why the newest unit was accepted.
    pub reason: String,
    /// Run with which the epoch began.
    pub epoch: String,
    /// Run with which the anchor began anew; absent where it is as at first.
    #[serde(default)]
    pub anchor_epoch: Option<String>,
    /// Runs whose units count.
    pub runs: Vec<String>,
    /// Number of units that count.
    pub units: usize,
    /// Digest of probe and parameters.
    pub definition: String,
    /// Beginning of the digest of what the machine was made of at the newest unit, as far as the
    /// check depends on it; `verify compare` says what differs. Absent where it was not gathered.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// Digest of all lines of the check in the ledger.
    pub digest: String,
    /// What is normal, by field.
    pub metric: Vec<MetricSummary>,
}

/// Holds what is normal for one field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MetricSummary {
    /// Dotted path.
    pub field: String,
    /// Median of the units.
    pub centre: String,
    /// Interquartile range of the units; absent for one unit.
    #[serde(default)]
    pub spread: Option<String>,
    /// Median of the anchor; absent where it is the same units.
    #[serde(default)]
    pub anchor: Option<String>,
    /// Which way is better; absent for a fact.
    #[serde(default)]
    pub better: Option<String>,
}

/// Holds centre and spread of some units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Centre {
    /// Median.
    pub centre: Quantity,
    /// Interquartile range; absent for one unit.
    pub spread: Option<Quantity>,
    /// Number of units that have the field.
    pub units: usize,
}

/// Computes centre and spread of a field; `None` where no unit has it.
pub fn centre(units: &[&Unit], field: &str) -> Option<Centre> {
    let values: Vec<Quantity> = units.iter().filter_map(|unit| unit.value(field)).collect();
    let measure = values.last()?.unit();
    let numbers: Vec<f64> =
        values.iter().filter_map(|value| Some(value.to(measure)?.value())).collect();
    let at = |q: f64| quantile(&numbers, q);
    let spread = (numbers.len() > 1).then(|| Quantity::new(at(0.75) - at(0.25), measure).ok());
    Some(Centre {
        centre: Quantity::new(at(0.5), measure).ok()?,
        spread: spread.flatten(),
        units: numbers.len(),
    })
}

impl Summary {
    /// Computes the summary of a ledger.
    pub fn of(ledger: &Ledger) -> Self {
        let check: Vec<CheckSummary> =
            ledger.checks().filter_map(|id| summarise(ledger, id)).collect();
        let is_plain = check.iter().all(CheckSummary::is_plain);
        let format = if is_plain { PLAIN_FORMAT } else { SUMMARY_FORMAT };
        Self { format: format.to_owned(), check }
    }

    /// Writes the summary; comments of the file that it replaces stay.
    pub fn render(&self, old: &str) -> String {
        let mut document = DocumentMut::new();
        document.insert("format", value(&self.format));
        if let Some(mut key) = document.key_mut("format") {
            key.leaf_decor_mut().set_prefix(HEAD);
        }
        let tables: ArrayOfTables = self.check.iter().map(CheckSummary::table).collect();
        if !tables.is_empty() {
            document.insert("check", Item::ArrayOfTables(tables));
        }
        comment::carry(old, &mut document);
        document.to_string()
    }
}

fn summarise(ledger: &Ledger, id: &str) -> Option<CheckSummary> {
    let history = ledger.history(id)?;
    let newest = history.newest()?;
    let mut runs: Vec<String> = history.current.iter().map(|unit| unit.run.clone()).collect();
    runs.dedup();
    Some(CheckSummary {
        id: id.to_owned(),
        machine: newest.machine.clone(),
        reason: newest.reason.clone(),
        epoch: newest.epoch.clone(),
        anchor_epoch: newest.anchor.clone(),
        runs,
        units: history.current.len(),
        definition: newest.definition.clone(),
        fingerprint: short(&newest.fingerprint),
        digest: ledger.digest(id),
        metric: metrics(&history, newest),
    })
}

/// Returns the beginning of the digest of a fingerprint; what is unknown is no part of it.
fn short(fingerprint: &Fingerprint) -> Option<String> {
    let known =
        fingerprint.0.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)));
    let text: String = known.flat_map(|(path, text)| [path, "=", text, "\n"]).collect();
    (!text.is_empty()).then(|| digest(text.as_bytes()).chars().take(SHORT).collect())
}

fn metrics(history: &History<'_>, newest: &Unit) -> Vec<MetricSummary> {
    let mut found = Vec::new();
    for (field, direction) in shown(history, newest) {
        let Some(now) = centre(&history.current, &field) else { continue };
        let anchor = centre(&history.anchor, &field)
            .filter(|_| history.anchor != history.current)
            .map(|then| then.centre.to_string());
        found.push(MetricSummary {
            field,
            centre: now.centre.to_string(),
            spread: now.spread.map(|spread| spread.to_string()),
            anchor,
            better: direction.and_then(better),
        });
    }
    found
}

/// Names what people are shown: what the newest unit has, and of what was refused of it the earlier
/// ones.
fn shown(history: &History<'_>, newest: &Unit) -> Vec<(String, Option<Direction>)> {
    let mut shown = newest.shown();
    for name in &newest.withheld {
        let holds = |unit: &&&Unit| unit.metrics.contains_key(name);
        let Some(last) = history.current.iter().rev().find(holds) else { continue };
        let own = |(path, _): &(String, _)| {
            path.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        shown.extend(last.shown().into_iter().filter(own));
    }
    shown
}

fn better(direction: Direction) -> Option<String> {
    match direction {
        Direction::HigherIsBetter => Some("higher".to_owned()),
        Direction::LowerIsBetter => Some("lower".to_owned()),
        Direction::Neutral => None,
    }
}

impl CheckSummary {
    /// Tells whether every version reads it.
    fn is_plain(&self) -> bool {
        self.fingerprint.is_none() && self.anchor_epoch.is_none()
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.decor_mut().set_prefix("\n");
        for (key, text) in [
            ("id", &self.id),
            ("machine", &self.machine),
            ("reason", &self.reason),
            ("epoch", &self.epoch),
        ] {
            table.insert(key, value(text));
        }
        if let Some(anchor) = &self.anchor_epoch {
            table.insert("anchor-epoch", value(anchor));
        }
        let runs: Array = self.runs.iter().collect();
        table.insert("runs", value(runs));
        table.insert("units", value(i64::try_from(self.units).unwrap_or(i64::MAX)));
        table.insert("definition", value(&self.definition));
        if let Some(fingerprint) = &self.fingerprint {
            table.insert("fingerprint", value(fingerprint));
        }
        table.insert("digest", value(&self.digest));
        let mut metrics = ArrayOfTables::new();
        for metric in &self.metric {
            let mut row = Table::new();
            row.insert("field", value(&metric.field));
            row.insert("centre", value(&metric.centre));
            let rest = [
                ("spread", &metric.spread),
                ("anchor", &metric.anchor),
                ("better", &metric.better),
            ];
            for (key, text) in rest {
                if let Some(text) = text {
                    row.insert(key, value(text));
                }
            }
            metrics.push(row);
        }
        table.insert("metric", Item::ArrayOfTables(metrics));
        table
    }
}
