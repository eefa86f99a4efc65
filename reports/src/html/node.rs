//! The checks of each node, by suite, and what was not asked, by reason.

use std::collections::BTreeSet;

use verify_model::{
    finding::FindingCode,
    outcome::Outcome,
    run::{Run, RunCheck, RunNode},
};

use super::{
    anchor::Anchors,
    check::{self, CheckView},
    finding::{Named, named},
    text::{LONGEST_LINE, LONGEST_NAME, line, markup},
};
use crate::{
    detail,
    draw::{self, Picture},
};

/// Holds the checks of one node.
pub(super) struct NodeView {
    pub(super) name: String,
    /// What kind of machine it is, in one line.
    pub(super) machine: String,
    pub(super) simulated: String,
    pub(super) pictures: Vec<Picture>,
    pub(super) suites: Vec<SuiteView>,
}

/// Holds the checks of one suite on one node.
pub(super) struct SuiteView {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) tally: String,
    pub(super) checks: Vec<CheckView>,
}

/// Holds the checks that were skipped for one reason.
pub(super) struct Skipped {
    pub(super) number: usize,
    /// Why, as markup.
    pub(super) reason: String,
    pub(super) next: &'static str,
    pub(super) checks: Vec<Named>,
    pub(super) more: usize,
}

/// Gathers the checks of each node.
///
/// Those of which a finding shows the pictures have none here: each stands in the page once.
pub(super) fn of(run: &Run, anchors: &Anchors<'_>, pictured: &BTreeSet<String>) -> Vec<NodeView> {
    let mut nodes: Vec<NodeView> =
        run.nodes.iter().map(|node| of_node(run, node, anchors)).collect();
    let suites = nodes.iter_mut().flat_map(|node| &mut node.suites);
    for check in suites.flat_map(|suite| &mut suite.checks) {
        check.pictured = pictured.contains(&check.anchor);
        if check.pictured {
            check.pictures.clear();
        }
    }
    nodes
}

/// Groups what was skipped by its reason.
pub(super) fn skipped(run: &Run, anchors: &Anchors<'_>) -> Vec<Skipped> {
    let mut reasons: Vec<(String, FindingCode, Vec<&RunCheck>)> = Vec::new();
    for check in run.checks.iter().filter(|c| c.verdict.outcome == Outcome::Skip) {
        let reason = line(&detail::headline(run, check), LONGEST_LINE);
        let code = check.verdict.decided_by.unwrap_or(FindingCode::NeedAbsent);
        match reasons.iter_mut().find(|(known, with, _)| *known == reason && *with == code) {
            Some((_, _, checks)) => checks.push(check),
            None => reasons.push((reason, code, vec![check])),
        }
    }
    let one = |(reason, code, checks): (String, FindingCode, Vec<&RunCheck>)| {
        let next = if code == FindingCode::NeedAbsent { "" } else { code.row().next };
        let number = checks.len();
        let (checks, more) = named(run, &checks, anchors);
        Skipped { number, reason: markup(&reason), next, checks, more }
    };
    reasons.into_iter().map(one).collect()
}

fn of_node(run: &Run, node: &RunNode, anchors: &Anchors<'_>) -> NodeView {
    let name = &node.file.name;
    let mut suites: Vec<(&str, Vec<&RunCheck>)> = Vec::new();
    for check in run.checks.iter().filter(|check| check.planned.node == *name) {
        let suite = check.planned.check.suite.as_str();
        match suites.iter_mut().find(|(known, _)| *known == suite) {
            Some((_, checks)) => checks.push(check),
            None => suites.push((suite, vec![check])),
        }
    }
    NodeView {
        name: line(name, LONGEST_NAME),
        machine: machine(node),
        simulated: line(node.facts.simulated.as_deref().unwrap_or_default(), LONGEST_NAME),
        pictures: draw::of_node(run, node),
        suites: suites
            .into_iter()
            .map(|(name, checks)| of_suite(run, name, &checks, anchors))
            .collect(),
    }
}

fn of_suite(run: &Run, name: &str, checks: &[&RunCheck], anchors: &Anchors<'_>) -> SuiteView {
    let known = run.suites.iter().find(|suite| suite.name == name);
    let tally = |outcome: &Outcome| {
        let number = checks.iter().filter(|c| c.verdict.outcome == *outcome).count();
        (number > 0).then(|| format!("{number} {outcome}"))
    };
    let tally: Vec<String> = Outcome::ALL.iter().filter_map(tally).collect();
    SuiteView {
        name: line(name, LONGEST_NAME),
        title: known.map_or_else(String::new, |suite| line(&suite.title, LONGEST_NAME)),
        tally: tally.join(" · "),
        checks: checks.iter().map(|check| check::of(run, check, anchors)).collect(),
    }
}

fn machine(node: &RunNode) -> String {
    let facts = &node.facts;
    let mut parts = Vec::new();
    for part in [&facts.hostname, &facts.os, &facts.kernel, &facts.arch, &facts.cpu] {
        if !part.is_empty() {
            parts.push(line(part, LONGEST_NAME));
        }
    }
    if !facts.virtualization.is_empty() {
        parts.push(format!("in {}", line(&facts.virtualization, LONGEST_NAME)));
    }
    parts.join(" · ")
}
