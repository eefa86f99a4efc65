//! What is said of a whole run: one verdict in words.
//!
//! It never says that all passed while something failed, gave no answer, was not judged or was not
//! reached. Which verdict counts as what is taken from the exit table.

pub(crate) use verify_model::number_of as count;
use verify_model::{
    exit::{Situation, nothing_answered},
    finding::FindingCode,
    outcome::Outcome,
    run::{Run, RunCheck},
    verdict::Verdict,
};

/// Says what came out of a run, in one or a few sentences.
pub fn sentence(run: &Run) -> String {
    let mut parts = Vec::new();
    let unreached = run.verdicts().filter(|v| cut_short(v)).count();
    if run.interrupted {
        parts.push(with_unreached("The run was interrupted", unreached));
    }
    if !run.complete {
        parts.push(with_unreached("The record ends before the run did", unreached));
    }
    let grave = [
        (Situation::Fail, "failed"),
        (Situation::Error, "gave no answer"),
        (Situation::Unjudged, "could not be judged"),
        (Situation::BaselineRequired, "lacked a required baseline"),
    ];
    let early = run.interrupted || !run.complete;
    for (situation, said) in grave {
        let matches =
            |c: &&RunCheck| situation_of(run, c) == situation && !(early && cut_short(&c.verdict));
        let nodes: Vec<&str> =
            run.checks.iter().filter(matches).map(|c| c.planned.node.as_str()).collect();
        if !nodes.is_empty() {
            parts.push(format!("{}.", by_node(&nodes, said)));
        }
    }
    if nothing_answered(run.verdicts()) {
        parts.push(nothing(run));
    } else if run.exit_code() == 0 {
        parts.push(passed(run));
    } else {
        parts.extend(the_rest(run));
    }
    parts.join(" ")
}

/// Finds the row of the exit table for one check.
pub(crate) fn situation_of(run: &Run, check: &RunCheck) -> Situation {
    Situation::of(&check.verdict, run.header.require_baseline)
}

/// Says how many checks have no baseline yet, and the command that accepts what they measured; nothing
/// where there is none. Neither is clean yet.
pub(crate) fn no_baseline(run: &Run) -> Option<(String, String)> {
    let new = [Situation::NoBaseline, Situation::BaselineRequired];
    let new: usize = new.into_iter().map(|situation| number_in(run, situation)).sum();
    let verb = if new == 1 { "has" } else { "have" };
    let required =
        if run.header.require_baseline { ", and --require-baseline demands one" } else { "" };
    let text = format!(
        "{} {verb} no accepted baseline{required}. If the values are as they should be, accept them:",
        count(new, "check"),
    );
    let command = format!("verify baseline accept {} --reason TEXT", run.header.id);
    (new > 0).then_some((text, command))
}

/// Tells whether a check was not reached because the run or its record ended.
pub(crate) fn cut_short(verdict: &Verdict) -> bool {
    matches!(verdict.decided_by, Some(FindingCode::Interrupted | FindingCode::NotReached))
}

fn with_unreached(what: &str, unreached: usize) -> String {
    match unreached {
        0 => format!("{what}."),
        1 => format!("{what}: 1 check was not reached."),
        many => format!("{what}: {many} checks were not reached."),
    }
}

/// Says how many checks on which node: `3 checks failed on nvidia and 1 on macmini`.
fn by_node(nodes: &[&str], said: &str) -> String {
    const NAMED: usize = 3;
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for node in nodes {
        match counts.iter_mut().find(|(name, _)| name == node) {
            Some((_, number)) => *number += 1,
            None => counts.push((node, 1)),
        }
    }
    if counts.len() > NAMED {
        return format!("{} {said} on {} nodes", count(nodes.len(), "check"), counts.len());
    }
    let mut said: Vec<String> = counts
        .iter()
        .enumerate()
        .map(|(at, (node, number))| match at {
            0 => format!("{} {said} on {node}", count(*number, "check")),
            _ => format!("{number} on {node}"),
        })
        .collect();
    let last = said.pop().unwrap_or_default();
    if said.is_empty() { last } else { format!("{} and {last}", said.join(", ")) }
}

fn nothing(run: &Run) -> String {
    if run.checks.is_empty() {
        return "Nothing was answered: no check was planned.".to_owned();
    }
    format!(
        "Nothing was answered; of {} {}.",
        count(run.checks.len(), "check"),
        left_out(run).join(", ")
    )
}

/// Says what else there was: `4 were skipped`, `2 were blocked`.
fn left_out(run: &Run) -> Vec<String> {
    let counts = run.counts();
    let mut parts = Vec::new();
    for (number, what) in
        [(counts.skip, "skipped"), (counts.blocked, "blocked by a check before them")]
    {
        match number {
            0 => {}
            1 => parts.push(format!("1 was {}", what.replace("them", "it"))),
            many => parts.push(format!("{many} were {what}")),
        }
    }
    parts
}

fn number_in(run: &Run, situation: Situation) -> usize {
    run.checks.iter().filter(|c| situation_of(run, c) == situation).count()
}

fn passed(run: &Run) -> String {
    let pass = run.counts().get(Outcome::Pass);
    let (waived, new) = (number_in(run, Situation::Waived), number_in(run, Situation::NoBaseline));
    let mut parts = Vec::new();
    parts.push(match pass {
        0 => "No check failed, and none passed".to_owned(),
        _ if waived + new > 0 || !run.complete => format!("{} passed", count(pass, "check")),
        1 => "The one answered check passed".to_owned(),
        _ => format!("All {pass} answered checks passed"),
    });
    match waived {
        0 => {}
        1 => parts.push("1 failed and is waived".to_owned()),
        _ => parts.push(format!("{waived} failed and are waived")),
    }
    match new {
        0 => {}
        1 => parts.push("1 has no baseline yet".to_owned()),
        _ => parts.push(format!("{new} have no baseline yet")),
    }
    parts.extend(left_out(run));
    format!("{}.", parts.join("; "))
}

/// Says what is left to say of a run that did not end well.
fn the_rest(run: &Run) -> Option<String> {
    let pass = run.counts().pass;
    let mut parts = Vec::new();
    if pass > 0 {
        parts.push(format!("{} passed", count(pass, "check")));
    }
    parts.extend(left_out(run));
    (!parts.is_empty()).then(|| format!("{}.", parts.join("; ")))
}
