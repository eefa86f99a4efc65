//! A check in a word and a line, and a run in six counts: what formats with little room say.
//!
//! The same words everywhere, so that two reports of one run do not seem to disagree. Texts are raw or
//! clean as in `detail`; the format that prints them cleans them.

use verify_model::{
    check::Location,
    exit::Situation,
    outcome::Outcome,
    run::{Run, RunCheck, RunNode},
    verdict::Role,
};

use crate::{
    detail,
    sentence::{count, situation_of},
};

/// Bounds how many readings stand for a check that passed.
const READINGS_SHOWN: usize = 3;

/// Names what came out of a check; more exact than the outcome where the exit table is.
pub(crate) fn word(situation: Situation) -> &'static str {
    match situation {
        Situation::Pass => "pass",
        Situation::Fail => "fail",
        Situation::Waived => "waived",
        Situation::Error | Situation::NothingAnswered => "error",
        Situation::Unjudged => "unjudged",
        Situation::NoBaseline => "unjudged (no baseline)",
        Situation::BaselineRequired => "unjudged (baseline required)",
        Situation::Skip => "skip",
        Situation::Blocked => "blocked",
    }
}

/// Says in one line what was read, or why there is nothing to say.
pub(crate) fn line(run: &Run, check: &RunCheck) -> String {
    if situation_of(run, check) != Situation::Pass {
        return detail::headline(run, check);
    }
    let mut readings: Vec<_> =
        check.verdict.readings.iter().filter(|r| r.role != Role::Advise).collect();
    // What was demanded comes first; a stable sort keeps the order of the suite.
    readings.sort_by_key(|reading| reading.role == Role::Record);
    let shown: Vec<String> =
        readings.iter().take(READINGS_SHOWN).map(|r| detail::reading(r)).collect();
    let more = readings.len().saturating_sub(READINGS_SHOWN);
    match more {
        0 => shown.join("; "),
        more => format!("{}; {more} more", shown.join("; ")),
    }
}

/// Counts all six outcomes of checks, always: `5 pass, 3 fail (1 waived), …`.
pub(crate) fn counts<'c>(checks: &(impl Iterator<Item = &'c RunCheck> + Clone)) -> String {
    let number = |outcome| checks.clone().filter(|c| c.verdict.outcome == outcome).count();
    let waived = checks.clone().filter(|c| c.verdict.is_waived()).count();
    let said = Outcome::ALL.map(|outcome| match (outcome, waived) {
        (Outcome::Fail, 1..) => format!("{} fail ({waived} waived)", number(outcome)),
        _ => format!("{} {outcome}", number(outcome)),
    });
    said.join(", ")
}

/// Tells whether a check failed, however the run ended.
pub(crate) fn fails(run: &Run) -> bool {
    run.checks.iter().any(|check| situation_of(run, check) == Situation::Fail)
}

/// Lists the nodes that a stand-in answered for.
pub(crate) fn simulated(run: &Run) -> impl Iterator<Item = (&RunNode, &str)> {
    run.nodes.iter().filter_map(|node| Some((node, node.facts.simulated.as_deref()?)))
}

/// Finds the file of a place, for readers that open it; what is part of the program has none.
pub(crate) fn file(place: &Location) -> Option<&str> {
    // As the loader names embedded files: `embedded:suites/gpu.toml`.
    let is_file = !place.file.is_empty() && !place.file.starts_with("embedded");
    (is_file && place.line > 0).then_some(place.file.as_str())
}

/// Names the scenario that answered a check instead of a machine.
pub(crate) fn simulated_by<'r>(run: &'r Run, check: &RunCheck) -> Option<&'r str> {
    let node = run.nodes.iter().find(|node| node.file.name == check.planned.node)?;
    node.facts.simulated.as_deref()
}

/// Says that no machine answered, for each node of which that is so.
pub(crate) fn simulations(run: &Run) -> Vec<String> {
    let said = |(node, scenario): (&RunNode, &str)| {
        format!("{} is simulated (scenario {scenario}): no machine answered.", node.file.name)
    };
    simulated(run).map(said).collect()
}

/// Names checks, the first few: `a/one, a/two and 3 more`.
pub(crate) fn names(checks: &[&RunCheck], most: usize) -> String {
    let ids: Vec<&str> = checks.iter().take(most).map(|c| c.planned.check.id.as_str()).collect();
    match checks.len().saturating_sub(most) {
        0 => ids.join(", "),
        more => format!("{} and {more} more", ids.join(", ")),
    }
}

/// Writes the number of checks in a sentence about what is blocked: `; blocks 2 checks: a, b`.
pub(crate) fn blocks(blocked: &[&RunCheck], most: usize) -> String {
    if blocked.is_empty() {
        return String::new();
    }
    format!("blocks {}: {}", count(blocked.len(), "check"), names(blocked, most))
}
