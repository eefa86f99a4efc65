//! Which suites a JUnit report has, and what is said about each.
//!
//! One suite for each node and suite. A run whose exit code no check explains (nothing answered,
//! interrupted, cut short) gets one error case that does, in a suite `verify`. Names that cleaning
//! made equal are numbered, for readers merge cases of one name.

use std::collections::BTreeSet;

use verify_model::{
    exit::{Situation, nothing_answered},
    run::{Run, RunCheck, RunNode},
    verdict::Verdict,
};

use super::{LONGEST_VALUE, OWN_SUITE, case::Case};
use crate::{
    clean::one_line,
    sentence::{sentence, situation_of},
};

/// Holds one suite of the report; every text is clean.
pub(super) struct Suite<'r> {
    /// `<node>.<suite>`, also the class name of its cases.
    pub(super) name: String,
    /// Node on which its checks were asked; `verify` where the run itself is spoken of.
    pub(super) node: String,
    /// Machine that answered, or this program's where the run itself is spoken of; absent if unknown.
    pub(super) hostname: Option<String>,
    /// What is known of run and node, as names and values.
    pub(super) about: Vec<(&'static str, String)>,
    /// Its cases, never none.
    pub(super) cases: Vec<Case<'r>>,
}

/// Lists the suites of a run.
pub(super) fn suites(run: &Run) -> Vec<Suite<'_>> {
    let mut names = BTreeSet::new();
    let groups = groups(run).into_iter();
    let mut suites: Vec<Suite<'_>> =
        groups.map(|(node, suite)| suite_of(run, node, suite, &mut names)).collect();
    suites.extend(own_suite(run));
    suites
}

/// Lists the pairs of node and suite, in the order in which the plan first names them.
fn groups(run: &Run) -> Vec<(&str, &str)> {
    let mut groups = Vec::new();
    for check in &run.checks {
        let group = (check.planned.node.as_str(), check.planned.check.suite.as_str());
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

fn suite_of<'r>(run: &'r Run, node: &str, suite: &str, names: &mut BTreeSet<String>) -> Suite<'r> {
    let name = unique(names, &one_line(&format!("{node}.{suite}"), LONGEST_VALUE));
    let facts = run.nodes.iter().find(|n| n.file.name == node);
    let mut ids = BTreeSet::new();
    let of_suite =
        |check: &&RunCheck| check.planned.node == node && check.planned.check.suite == suite;
    let cases = run.checks.iter().filter(of_suite).map(|check| {
        let mut case = Case::of(run, check, situation_of(run, check));
        case.name = unique(&mut ids, &case.name);
        case
    });
    let cases = cases.collect();
    Suite {
        name,
        node: one_line(node, LONGEST_VALUE),
        hostname: facts.and_then(|facts| known(&facts.facts.hostname)),
        about: about(run, facts),
        cases,
    }
}

/// Makes names differ that cleaning made equal.
fn unique(names: &mut BTreeSet<String>, name: &str) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2_u32;
    while !names.insert(candidate.clone()) {
        candidate = format!("{name} ({number})");
        number += 1;
    }
    candidate
}

/// Says of the run itself what no check says; nothing for a run that its checks explain.
fn own_suite(run: &Run) -> Option<Suite<'_>> {
    let verdicts: Vec<Verdict> = run.verdicts().cloned().collect();
    let mut cases = Vec::new();
    let mut add = |situation: Situation, name| {
        cases.push(Case::own(situation.element(), name, &sentence(run)));
    };
    if nothing_answered(&verdicts) {
        add(Situation::NothingAnswered, "nothing-answered");
    }
    if run.interrupted {
        add(Situation::Error, "interrupted");
    }
    if !run.complete {
        add(Situation::Error, "incomplete");
    }
    if cases.is_empty() {
        return None;
    }
    Some(Suite {
        name: OWN_SUITE.to_owned(),
        node: OWN_SUITE.to_owned(),
        hostname: known(&run.header.orchestrator),
        about: about(run, None),
        cases,
    })
}

/// Cleans a value; nothing where nothing is left of it.
fn known(value: &str) -> Option<String> {
    Some(one_line(value, LONGEST_VALUE)).filter(|value| !value.is_empty())
}

/// Says what is known of run and node; what is not known is left out.
fn about(run: &Run, node: Option<&RunNode>) -> Vec<(&'static str, String)> {
    let header = &run.header;
    let mut about = vec![
        ("run", header.id.clone()),
        ("verify", header.version.clone()),
        ("root", header.root.clone()),
        ("orchestrator", header.orchestrator.clone()),
    ];
    if let Some(node) = node {
        let facts = node.facts.clone();
        about.extend([
            ("via", node.via.to_string()),
            ("simulated", facts.simulated.unwrap_or_default()),
            ("hostname", facts.hostname),
            ("os", facts.os),
            ("kernel", facts.kernel),
            ("arch", facts.arch),
            ("cpu", facts.cpu),
            ("virtualization", facts.virtualization),
        ]);
    }
    about.into_iter().filter_map(|(name, value)| Some((name, known(&value)?))).collect()
}
