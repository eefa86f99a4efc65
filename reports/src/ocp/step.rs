//! One check as a step: start, measurements, what came out, end.

use serde_json::{Map, Value, json};
use verify_model::{
    exit::Situation,
    outcome::Outcome,
    run::{Run, RunCheck},
    verdict::{Answer, Reading},
};

use super::{Artifacts, shown, validator::validators};
use crate::{
    brief, detail,
    measured::{comparison_of, interval, quantity},
    sentence::situation_of,
};

/// Adds the artifacts of a check.
pub(super) fn add(all: &mut Artifacts, run: &Run, check: &RunCheck, at: usize, name: &str) {
    let (from_us, to_us) = span(check);
    let mut step = |at_us, kind: &str, artifact: Value| {
        let artifact = json!({"testStepId": at.to_string(), kind: artifact});
        all.add(at_us, "testStepArtifact", &artifact);
    };
    let title = shown(&format!("{}: {name}", check.planned.node));
    step(from_us, "testStepStart", json!({"name": title}));
    for reading in &check.verdict.readings {
        step(to_us, "measurement", measurement(run, check, reading));
    }
    let (kind, said) = said(run, check);
    step(to_us, kind, said);
    for line in detail::remarks(run, check) {
        let message = shown(&format!("{}: {}", line.label, line.text));
        step(to_us, "log", json!({"severity": "INFO", "message": message}));
    }
    step(to_us, "testStepEnd", json!({"status": status(check.verdict.outcome)}));
}

/// Finds when the first attempt began and the last one ended, since the run's start. *Units*: us.
fn span(check: &RunCheck) -> (u64, u64) {
    let Answer::Attempted(attempts) = &check.answer else { return (0, 0) };
    let from = attempts.iter().map(|one| one.at_ms.saturating_mul(1000));
    let to =
        attempts.iter().map(|one| one.at_ms.saturating_mul(1000).saturating_add(one.elapsed_us));
    (from.min().unwrap_or_default(), to.max().unwrap_or_default())
}

fn status(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass | Outcome::Fail | Outcome::Unjudged => "COMPLETE",
        Outcome::Error => "ERROR",
        Outcome::Skip | Outcome::Blocked => "SKIP",
    }
}

/// Says what came out: a diagnosis where something was answered, an error, or a log of why not.
fn said(run: &Run, check: &RunCheck) -> (&'static str, Value) {
    let situation = situation_of(run, check);
    let verdict = &check.verdict;
    let message = shown(&format!("{}: {}", brief::word(situation), brief::line(run, check)));
    let code = verdict.decided_by.map_or("", |code| code.row().name);
    let diagnosis = |kind: &str| {
        let outcome =
            if situation == Situation::Waived { "waived" } else { verdict.outcome.name() };
        let word = if code.is_empty() { outcome.to_owned() } else { format!("{outcome}-{code}") };
        json!({"type": kind, "verdict": word, "message": message})
    };
    let (kind, mut said) = match situation {
        Situation::Pass => ("diagnosis", diagnosis("PASS")),
        Situation::Fail => ("diagnosis", diagnosis("FAIL")),
        Situation::Waived
        | Situation::Unjudged
        | Situation::NoBaseline
        | Situation::BaselineRequired => ("diagnosis", diagnosis("UNKNOWN")),
        Situation::Error | Situation::NothingAnswered => {
            let symptom = if code.is_empty() { "error" } else { code };
            ("error", json!({"symptom": symptom, "message": message}))
        }
        Situation::Skip | Situation::Blocked => {
            ("log", json!({"severity": "WARNING", "message": message}))
        }
    };
    let place = &check.planned.check.location;
    if let (Some(file), Some(said)) = (brief::file(place), said.as_object_mut()) {
        let place = json!({"file": shown(file), "line": place.line});
        said.insert("sourceLocation".to_owned(), place);
    }
    (kind, said)
}

fn measurement(run: &Run, check: &RunCheck, reading: &Reading) -> Value {
    let mut out = Map::new();
    let mut add = |name: &str, value: Value| out.insert(name.to_owned(), value);
    add("name", json!(shown(&reading.field)));
    match quantity(check, reading) {
        Some(quantity) => {
            add("value", json!(quantity.value()));
            add("unit", json!(quantity.unit().symbol()));
            let planned = &check.planned.check;
            let valid = validators(planned, &reading.field, reading.role, quantity.unit());
            if !valid.is_empty() {
                add("validators", json!(valid));
            }
        }
        None => {
            add("value", json!(shown(&reading.observed)));
        }
    }
    add("metadata", metadata(run, check, reading));
    Value::Object(out)
}

/// Says what has no place of its own: demand, baseline, interval.
fn metadata(run: &Run, check: &RunCheck, reading: &Reading) -> Value {
    let comparison = comparison_of(check, reading);
    let interval = comparison.and_then(interval);
    let known = [
        ("role", Some(json!(reading.role))),
        ("expected", reading.expected.as_deref().map(|text| json!(shown(text)))),
        ("held", reading.held.map(|held| json!(held))),
        ("samples", (reading.samples > 0).then(|| json!(reading.samples))),
        ("baseline", reading.baseline.map(|baseline| json!(baseline))),
        ("standing", comparison.map(|comparison| json!(comparison.standing.name()))),
        (
            "change",
            interval
                .map(|i| json!({"value": i.change, "low": i.low, "high": i.high, "unit": i.unit})),
        ),
        ("simulated", brief::simulated_by(run, check).map(|scenario| json!(shown(scenario)))),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(known.collect())
}
