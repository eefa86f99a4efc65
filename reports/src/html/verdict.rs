//! The top of the page: what came out, who answered, and what must not be overlooked about it.

use verify_model::{
    exit::MEANINGS,
    outcome::Outcome,
    run::{Run, RunNode},
};

use super::{
    mark::{self, Mark},
    text::{LONGEST_LINE, LONGEST_NAME, line},
};
use crate::{
    detail::duration,
    sentence::sentence,
    terminal::{simulated, stranger},
};

/// Holds the verdict of the run.
pub(super) struct Verdict {
    pub(super) mark: Mark,
    pub(super) sentence: String,
    pub(super) exit: u8,
    pub(super) meaning: &'static str,
    pub(super) counts: Vec<Counted>,
    pub(super) banners: Vec<String>,
    pub(super) nodes: Vec<Answerer>,
    /// What else is known of the run: name and text.
    pub(super) about: Vec<(&'static str, String)>,
}

/// Holds the number of one outcome.
pub(super) struct Counted {
    pub(super) mark: Mark,
    pub(super) number: usize,
    /// How many of them are waived, for failures alone.
    pub(super) waived: Option<usize>,
}

/// Holds who answered for a node.
pub(super) struct Answerer {
    pub(super) name: String,
    pub(super) host: String,
    pub(super) stranger: String,
    pub(super) via: String,
}

/// Gathers the verdict.
pub(super) fn of(run: &Run) -> Verdict {
    let exit = run.exit_code();
    let meaning = MEANINGS.iter().find(|(code, _)| *code == exit).map_or("", |(_, said)| said);
    Verdict {
        mark: mark::of_run(run),
        sentence: line(&sentence(run), LONGEST_LINE),
        exit,
        meaning,
        counts: Outcome::ALL.into_iter().map(|outcome| counted(run, outcome)).collect(),
        banners: banners(run),
        nodes: run.nodes.iter().map(answerer).collect(),
        about: about(run),
    }
}

fn counted(run: &Run, outcome: Outcome) -> Counted {
    let waived = || run.verdicts().filter(|verdict| verdict.is_waived()).count();
    Counted {
        mark: mark::of_outcome(outcome),
        number: run.counts().get(outcome),
        waived: (outcome == Outcome::Fail).then(waived),
    }
}

fn banners(run: &Run) -> Vec<String> {
    let scenarios = simulated(run).into_iter();
    let mut banners: Vec<String> = scenarios
        .map(|scenario| {
            let scenario = line(scenario, LONGEST_NAME);
            format!("Simulated by scenario {scenario}: no machine was asked.")
        })
        .collect();
    if run.interrupted {
        banners.push("The run was interrupted: what was not answered by then is an error.".into());
    }
    if !run.complete {
        banners.push(
            "The record ends before the run did: what it does not hold is an error, and how long it \
             took is not known."
                .into(),
        );
    }
    banners
}

fn answerer(node: &RunNode) -> Answerer {
    let host = &node.facts.hostname;
    let host = if host.is_empty() { "no machine answered" } else { host };
    Answerer {
        name: line(&node.file.name, LONGEST_NAME),
        host: line(host, LONGEST_NAME),
        stranger: line(&stranger(node), LONGEST_NAME),
        via: line(&node.via.to_string(), LONGEST_NAME),
    }
}

fn about(run: &Run) -> Vec<(&'static str, String)> {
    let suites: Vec<&str> = run.suites.iter().map(|suite| suite.name.as_str()).collect();
    let suites = if suites.is_empty() { "no suite".to_owned() } else { suites.join(", ") };
    let took = duration(run.elapsed_ms.saturating_mul(1000));
    let took = if run.complete { took } else { "not known".to_owned() };
    let header = &run.header;
    let asked_from =
        if header.orchestrator.is_empty() { "not known" } else { &header.orchestrator };
    let about = [
        ("Started", header.started_at.clone()),
        ("Took", took),
        ("Suites", suites),
        ("Run", header.id.clone()),
        ("Command", header.command.join(" ")),
        ("Asked from", asked_from.to_owned()),
        ("Root", header.root.clone()),
        ("Version", format!("verify {}", header.version)),
    ];
    about.map(|(name, text)| (name, line(&text, LONGEST_LINE))).into()
}
