//! What there is to draw of a check: the answers that count, and whether anything real stood behind them.
//!
//! Disturbed answers are drawn only where there are no others, and then it is said.

use verify_model::{
    check::Expectation,
    matcher::Matcher,
    metric::Metric,
    observation::{Attempt, Observation},
    quantity::Quantity,
    run::RunCheck,
    unit::Unit,
    value::Value,
    verdict::Answer,
};

/// Holds the answers of one check that are drawn.
pub(super) struct Found<'r> {
    /// Attempts, in the order of time, never none.
    pub(super) attempts: Vec<(&'r Attempt, &'r Observation)>,
    /// What is said of them beside the numbers; empty, or in parentheses with a space before.
    pub(super) note: &'static str,
}

/// Returns what a check found, if it found something.
pub(super) fn found(check: &RunCheck) -> Option<Found<'_>> {
    let Answer::Attempted(attempts) = &check.answer else { return None };
    let answered = || attempts.iter().filter_map(|one| Some((one, one.result.as_ref().ok()?)));
    let calm: Vec<_> = answered().filter(|(one, _)| one.disturbed.is_none()).collect();
    let disturbed = calm.is_empty();
    let attempts: Vec<_> = if disturbed { answered().collect() } else { calm };
    let simulated = attempts.first()?.1.simulated.is_some();
    let note = match (simulated, disturbed) {
        (true, true) => " (simulated, disturbed)",
        (true, false) => " (simulated)",
        (false, true) => " (disturbed)",
        (false, false) => "",
    };
    Some(Found { attempts, note })
}

impl<'r> Found<'r> {
    /// Returns the last answer.
    pub(super) fn last(&self) -> Option<&'r Observation> {
        self.attempts.last().map(|(_, observation)| *observation)
    }

    /// Lists the metrics, by name, each with all its samples.
    pub(super) fn metrics(&self) -> Vec<(&'r str, Unit, Vec<f64>)> {
        let Some(first) = self.attempts.first() else { return Vec::new() };
        let one = |(name, metric): (&'r String, &'r Metric)| {
            let same = |other: &&Metric| other.unit() == metric.unit();
            let all = self.attempts.iter().filter_map(|(_, found)| found.metrics.get(name));
            let samples = all.filter(same).flat_map(Metric::samples).copied().collect();
            (name.as_str(), metric.unit(), samples)
        };
        first.1.metrics.iter().map(one).collect()
    }
}

/// Returns the limit that a demand sets for a quantity in a unit: its value, and how it reads.
pub(super) fn limit(demand: &Expectation, unit: Unit) -> Option<(f64, String)> {
    let found = |quantity: &Quantity, word: &str| {
        let value = quantity.to(unit)?.value();
        Some((value, format!("{word} {}", quantity.humanized())))
    };
    demand.matchers.iter().find_map(|matcher| match matcher {
        Matcher::AtLeast(quantity) => found(quantity, "at least"),
        Matcher::AtMost(quantity) => found(quantity, "at most"),
        Matcher::Above(quantity) => found(quantity, "above"),
        Matcher::Below(quantity) => found(quantity, "below"),
        _ => None,
    })
}

/// Reads a fact as a text; `None` where it is absent, unreadable or no text.
pub(super) fn text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

/// Reads a fact as a whole number that is not negative.
pub(super) fn whole(value: &Value) -> Option<u32> {
    if let Value::Integer(number) = value { u32::try_from(*number).ok() } else { None }
}

/// Reads a fact as a quantity.
pub(super) fn quantity(value: &Value) -> Option<Quantity> {
    if let Value::Quantity(quantity) = value { Some(*quantity) } else { None }
}

/// Reads a fact as a list; anything else is an empty one.
pub(super) fn list(value: &Value) -> &[Value] {
    if let Value::List(items) = value { items } else { &[] }
}
