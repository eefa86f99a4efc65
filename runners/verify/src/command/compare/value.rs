//! Values of one check in two runs: what each measured, and by how much the second differs.
//!
//! The median of the repeats stands for a run. Only a metric has a direction; of a fact nobody says
//! which way is better, so it is shown where it differs and no more is said.

use std::collections::BTreeSet;

use serde::Serialize;
use verify_model::{
    judge::final_attempts,
    metric::{Direction, Metric, quantile},
    observation::Attempt,
    quantity::{Quantity, display_number},
    run::RunCheck,
    value::Value,
    verdict::Answer,
};

/// Holds one value of a check in both runs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Row {
    pub(super) field: String,
    pub(super) then: Option<String>,
    pub(super) now: Option<String>,
    /// Change in percent of what it was; absent where there is no such share.
    pub(super) change_percent: Option<f64>,
    pub(super) verdict: Said,
}

/// Says what a change means, and judges nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Said {
    Same,
    Better,
    Worse,
    /// It is a metric of which neither way is better.
    Neither,
    /// It is a fact, of which nobody says which way is better.
    Changed,
    NotComparable,
    /// It is in another kind of unit.
    OtherUnit,
    Appeared,
    Vanished,
}

impl Said {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Neither => "neither better nor worse",
            Self::Changed => "",
            Self::NotComparable => "not comparable",
            Self::OtherUnit => "not comparable: another unit",
            Self::Appeared => "only now",
            Self::Vanished => "only then",
        }
    }
}

impl Row {
    pub(super) fn is_equal(&self) -> bool {
        self.verdict == Said::Same
    }

    /// Says by how much it changed.
    pub(super) fn change(&self) -> String {
        self.change_percent.map_or_else(String::new, |percent| {
            let sign = if percent > 0.0 { "+" } else { "" };
            format!("{sign}{} %", display_number((percent * 10.0).round() / 10.0))
        })
    }
}

/// Returns the attempts that count.
pub(super) fn finals(check: &RunCheck) -> Vec<&Attempt> {
    match &check.answer {
        Answer::Attempted(attempts) => final_attempts(attempts),
        _ => Vec::new(),
    }
}

/// Puts the values of a check side by side: metrics that differ; with `all`, or where the outcome
/// is another one, also the facts that it judges or records.
pub(super) fn rows(
    then: Option<&RunCheck>,
    now: Option<&RunCheck>,
    is_comparable: bool,
    all: bool,
) -> Vec<Row> {
    let sides = [then, now].map(|check| check.map(Side::of).unwrap_or_default());
    let answered = sides.iter().all(|side| !side.attempts.is_empty());
    let turned = then.map(|c| c.verdict.outcome) != now.map(|c| c.verdict.outcome);
    let metrics: BTreeSet<&String> = sides.iter().flat_map(|side| &side.metrics).collect();
    let mut fields: Vec<&String> = metrics.iter().copied().collect();
    if all || (turned && answered) {
        let facts = sides.iter().flat_map(|side| &side.named);
        let facts: BTreeSet<&String> = facts.filter(|field| !metrics.contains(field)).collect();
        fields.extend(facts);
    }
    let row = |field: &&String| {
        let is_metric = metrics.contains(*field);
        compare(field, &sides, is_comparable, is_metric).filter(|row| all || !row.is_equal())
    };
    fields.iter().filter_map(row).collect()
}

/// Holds what one run found.
#[derive(Default)]
struct Side<'r> {
    attempts: Vec<&'r Attempt>,
    /// Metrics, and the summaries of them that the check names.
    metrics: BTreeSet<String>,
    /// Everything that the check names.
    named: BTreeSet<String>,
}

impl<'r> Side<'r> {
    fn of(check: &'r RunCheck) -> Self {
        let own = &check.planned.check;
        let demands = own.expect.iter().chain(&own.advise).map(|e| &e.field);
        let named: BTreeSet<String> = demands.chain(&own.record).cloned().collect();
        let attempts = finals(check);
        let found = || attempts.iter().filter_map(|attempt| attempt.result.as_ref().ok());
        let mut metrics: BTreeSet<String> =
            found().flat_map(|seen| seen.metrics.keys().cloned()).collect();
        let is_summary = |field: &&String| found().any(|seen| seen.metric_at(field).is_some());
        metrics.extend(named.iter().filter(is_summary).cloned());
        Self { attempts, metrics, named }
    }

    fn values(&self, field: &str) -> Vec<Value> {
        let found = self.attempts.iter().filter_map(|attempt| attempt.result.as_ref().ok());
        found.map(|seen| seen.resolve(field)).filter(Value::is_present).collect()
    }

    /// Returns the quantities of all repeats in the unit of the first.
    fn quantities(&self, field: &str) -> Vec<Quantity> {
        let own = self.values(field).into_iter();
        own.filter_map(|v| if let Value::Quantity(q) = v { Some(q) } else { None }).collect()
    }

    fn direction(&self, field: &str) -> Option<Direction> {
        let found = self.attempts.iter().filter_map(|attempt| attempt.result.as_ref().ok());
        found.filter_map(|seen| seen.metric_at(field)).map(Metric::direction).next()
    }
}

/// Compares one field; `None` where neither run has it.
fn compare(
    field: &str,
    sides: &[Side<'_>; 2],
    is_comparable: bool,
    is_metric: bool,
) -> Option<Row> {
    let [then, now] = sides;
    let (old, new) = (median(&then.quantities(field)), median(&now.quantities(field)));
    let text = |side: &Side<'_>, median: Option<Quantity>| {
        let first = || side.values(field).first().map(Value::shown);
        median.map(|quantity| quantity.to_string()).or_else(first)
    };
    let (before, after) = (text(then, old), text(now, new));
    let direction = now.direction(field).or_else(|| then.direction(field));
    let (verdict, change_percent) = match (&before, &after) {
        (None, None) => return None,
        (None, Some(_)) => (Said::Appeared, None),
        (Some(_), None) => (Said::Vanished, None),
        (Some(_), Some(_)) if !is_comparable => (Said::NotComparable, None),
        (Some(one), Some(other)) => match old.zip(new) {
            // To the digits that people are shown.
            _ if one == other => (Said::Same, None),
            Some(both) => moved(both, direction.filter(|_| is_metric)),
            None => (Said::Changed, None),
        },
    };
    Some(Row { field: field.to_owned(), then: before, now: after, change_percent, verdict })
}

/// Says by how much a value moved, and which way. The one place where a rule that knows the repeats
/// of both runs would say more.
fn moved((old, new): (Quantity, Quantity), direction: Option<Direction>) -> (Said, Option<f64>) {
    if old.dimension() != new.dimension() {
        return (Said::OtherUnit, None);
    }
    let (old, new) = (old.base(), new.base());
    let share = (old != 0.0).then(|| (new - old) / old.abs() * 100.0);
    let verdict = match direction {
        // In another spelling, such as 1 us and 1000 ns.
        Some(Direction::HigherIsBetter | Direction::LowerIsBetter) if (new - old).abs() <= 0.0 => {
            Said::Same
        }
        Some(Direction::HigherIsBetter) if new > old => Said::Better,
        Some(Direction::LowerIsBetter) if new < old => Said::Better,
        Some(Direction::HigherIsBetter | Direction::LowerIsBetter) => Said::Worse,
        Some(Direction::Neutral) => Said::Neither,
        None => Said::Changed,
    };
    (verdict, share.filter(|share| share.is_finite()))
}

/// Returns the median in the unit of the first.
fn median(all: &[Quantity]) -> Option<Quantity> {
    let unit = all.first()?.unit();
    let numbers: Option<Vec<f64>> =
        all.iter().map(|one| one.to(unit).map(Quantity::value)).collect();
    Quantity::new(quantile(&numbers?, 0.5), unit).ok()
}
