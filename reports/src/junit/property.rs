//! What a case says as names and values, for readers that collect numbers.
//!
//! `FIELD` is the value; `FIELD.unit`, `.limit`, `.samples`, `.baseline` and what follows say more of
//! it. Each name stands once in a case: a field may be demanded and advised, its value is one.

use verify_model::{
    comparison::Comparison,
    finding::Severity,
    run::{Run, RunCheck},
    verdict::{Reading, Role},
};

use crate::{
    brief::simulated_by,
    measured::{comparison_of, interval, number},
};

/// Lists names and values of a check, not yet cleaned; no name twice.
pub(super) fn properties(run: &Run, check: &RunCheck) -> Vec<(String, String)> {
    let verdict = &check.verdict;
    let mut all = Properties::default();
    all.add("outcome", verdict.outcome.name());
    if let Some(code) = verdict.decided_by {
        all.add("finding", code.row().name);
    }
    if let Some(scenario) = simulated_by(run, check) {
        all.add("simulated", scenario);
    }
    if verdict.attempts > 1 {
        all.add("attempts", verdict.attempts.to_string());
    }
    if let Some(waiver) = &verdict.waiver {
        all.add("waiver.owner", &waiver.owner);
        all.add("waiver.expires", &waiver.expires);
        all.add("waiver.valid", waiver.valid.to_string());
    }
    for reading in &verdict.readings {
        of_reading(&mut all, check, reading);
    }
    let advice = verdict.findings.iter().filter(|f| f.severity == Severity::Advice);
    for (at, finding) in advice.enumerate() {
        let name = if at == 0 { "advice".to_owned() } else { format!("advice.{}", at + 1) };
        let better = finding.expected.iter().map(|expected| format!("; better: {expected}"));
        all.add(&name, finding.message.clone() + &better.collect::<String>());
    }
    all.0
}

/// Holds names and values, the first of a name.
#[derive(Default)]
struct Properties(Vec<(String, String)>);

impl Properties {
    fn add(&mut self, name: &str, value: impl Into<String>) {
        if self.0.iter().all(|(known, _)| known != name) {
            self.0.push((name.to_owned(), value.into()));
        }
    }
}

fn of_reading(all: &mut Properties, check: &RunCheck, reading: &Reading) {
    let field = reading.field.as_str();
    let mut add = |suffix: &str, value: String| all.add(&format!("{field}{suffix}"), value);
    match reading.quantity {
        Some(quantity) => {
            add("", quantity.value().to_string());
            add(".unit", quantity.unit().symbol().to_owned());
        }
        None => add("", reading.observed.clone()),
    }
    if let Some(expected) = &reading.expected {
        add(if reading.role == Role::Advise { ".advice" } else { ".limit" }, expected.clone());
    }
    if let Some(held) = reading.held {
        add(if reading.role == Role::Advise { ".advice-held" } else { ".held" }, held.to_string());
    }
    if reading.samples > 0 {
        add(".samples", reading.samples.to_string());
    }
    if let Some(baseline) = &reading.baseline {
        add(".baseline", baseline.to_string());
    }
    if let Some(comparison) = comparison_of(check, reading) {
        of_comparison(&mut add, comparison);
    }
}

/// Says how the field stands to its baseline; the ends are those of the 95 % interval of the change.
fn of_comparison(add: &mut impl FnMut(&str, String), comparison: &Comparison) {
    add(".standing", comparison.standing.name().to_owned());
    if let Some(interval) = interval(comparison) {
        let ends = [
            (".change", interval.change),
            (".change.low", interval.low),
            (".change.high", interval.high),
        ];
        for (suffix, end) in ends {
            add(suffix, format!("{} {}", number(end), interval.unit).trim_end().to_owned());
        }
    }
    if let Some(tolerance) = comparison.tolerance {
        add(".tolerance", tolerance.to_string());
    }
    // A fact that is compared exactly has neither.
    if comparison.level > 0.0 && comparison.adjusted.is_finite() {
        add(".adjusted-p", number(comparison.adjusted));
        add(".level", number(comparison.level));
    }
    add(".baseline.runs", comparison.baseline.runs.to_string());
    add(".runs", comparison.new.runs.to_string());
}
