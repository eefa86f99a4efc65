//! The run as it is recorded: one JSON document a line, in the order in which folding wants them.
//!
//! What is written folds back into an equal run. Lines stand in a fixed order, not in that of time:
//! the record that the engine appends as it goes has the same lines in another order.

use serde_json::to_writer;
use verify_model::{
    event::Event,
    run::{Run, RunCheck},
    verdict::Answer,
};

use crate::{Format, FormatSpec, RenderError};

/// Writes the record as JSON lines.
pub(crate) struct JsonLines;

impl Format for JsonLines {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "jsonl",
            summary: "the whole record, one JSON document a line; can be judged again",
            extension: "jsonl",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        let mut out = Vec::new();
        for event in events(run) {
            to_writer(&mut out, &event)?;
            out.push(b'\n');
        }
        Ok(out)
    }
}

fn events(run: &Run) -> Vec<Event> {
    let mut events = vec![Event::Started(run.header.clone())];
    events.extend(run.nodes.iter().cloned().map(Event::Node));
    events.extend(run.suites.iter().cloned().map(Event::Suite));
    events.extend(run.checks.iter().map(|c| Event::Planned(c.planned.clone())));
    events.extend(run.baselines.iter().cloned().map(Event::Baseline));
    events.push(Event::PlanReady { checks: run.checks.len() });
    events.extend(run.evidence.iter().cloned().map(Event::Evidence));
    for check in &run.checks {
        answer(&mut events, check);
    }
    events.extend(run.verdicts().cloned().map(Event::Verdict));
    events.extend(run.trends.iter().cloned().map(Event::Trend));
    if run.complete {
        events.push(Event::Finished {
            elapsed_ms: run.elapsed_ms,
            interrupted: run.interrupted,
            exit: run.exit_code(),
        });
    }
    events
}

fn answer(events: &mut Vec<Event>, check: &RunCheck) {
    let key = check.planned.key();
    match &check.answer {
        Answer::Attempted(attempts) => {
            for attempt in attempts {
                events.push(Event::Attempted { key: key.clone(), attempt: attempt.clone() });
            }
            events.push(Event::Answered { key, answer: None });
        }
        // That there is no line is what says it.
        Answer::NotReached => {}
        other => events.push(Event::Answered { key, answer: Some(other.clone()) }),
    }
}
