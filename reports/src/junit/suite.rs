//! Which suites a JUnit report has, and what is said about each.
//!
//! One suite for each node that was asked something; the class of a case is `<node>.<suite>`. A run
//! whose exit code no check explains (nothing answered, interrupted, cut short) gets one error case
//! that does, in a suite `verify`. Names that cleaning made equal are numbered, for readers merge cases
//! of one class and name.

use std::collections::BTreeSet;

use verify_model::{
    exit::Situation,
    run::{Run, RunCheck, RunNode},
};

use super::{LONGEST_VALUE, case::Case};
use crate::{
    clean::one_line,
    digest::digest,
    names::{names, unique},
    own::{OWN_SUITE, own},
    sentence::{sentence, situation_of},
};

/// Holds one suite of the report; every text is clean.
pub(super) struct Suite<'r> {
    /// Node on which its checks were asked; `verify` where the run itself is spoken of.
    pub(super) name: String,
    /// Machine that answered, or this program's where the run itself is spoken of; absent if unknown.
    pub(super) hostname: Option<String>,
    /// What is known of run and node, as names and values.
    pub(super) about: Vec<(String, String)>,
    /// Its cases, never none.
    pub(super) cases: Vec<Case<'r>>,
}

/// Lists the suites of a run.
pub(super) fn suites(run: &Run) -> Vec<Suite<'_>> {
    // A node of that name must not take the place of what is said of the run.
    let mut taken = BTreeSet::from([OWN_SUITE.to_owned()]);
    let mut classes = taken.clone();
    let mut nodes: Vec<&str> = Vec::new();
    for check in &run.checks {
        if !nodes.contains(&check.planned.node.as_str()) {
            nodes.push(&check.planned.node);
        }
    }
    let mut suites: Vec<Suite<'_>> = Vec::new();
    for node in nodes {
        let facts = run.nodes.iter().find(|n| n.file.name == node);
        suites.push(Suite {
            name: unique(&mut taken, &one_line(node, LONGEST_VALUE)),
            hostname: facts.and_then(|facts| known(&facts.facts.hostname)),
            about: about(run, node, facts),
            cases: cases(run, node, &mut classes),
        });
    }
    suites.extend(own_suite(run));
    suites
}

/// Lists the cases of a node in plan order, each under the class of its suite.
fn cases<'r>(run: &'r Run, node: &str, taken: &mut BTreeSet<String>) -> Vec<Case<'r>> {
    let mut classes: Vec<(&str, String)> = Vec::new();
    let names = names(run);
    let of_node = |(check, _): &(&RunCheck, String)| check.planned.node == node;
    let case = |(check, name): (&'r RunCheck, String)| {
        let suite = check.planned.check.suite.as_str();
        let known = classes.iter().find(|(name, _)| *name == suite);
        let class = if let Some((_, class)) = known {
            class.clone()
        } else {
            let class = unique(taken, &one_line(&format!("{node}.{suite}"), LONGEST_VALUE));
            classes.push((suite, class.clone()));
            class
        };
        Case { name, ..Case::of(run, check, situation_of(run, check), class) }
    };
    run.checks.iter().zip(names).filter(of_node).map(case).collect()
}

/// Says of the run itself what no check says; nothing for a run that its checks explain.
fn own_suite(run: &Run) -> Option<Suite<'_>> {
    let said = sentence(run);
    let case = |(row, name): (Situation, &'static str)| Case::own(row.element(), name, &said);
    let cases: Vec<Case<'_>> = own(run).into_iter().map(case).collect();
    if cases.is_empty() {
        return None;
    }
    Some(Suite {
        name: OWN_SUITE.to_owned(),
        hostname: known(&run.header.orchestrator),
        about: about(run, "", None),
        cases,
    })
}

/// Cleans a value; nothing where nothing is left of it.
fn known(value: &str) -> Option<String> {
    Some(one_line(value, LONGEST_VALUE)).filter(|value| !value.is_empty())
}

/// Says what is known of run and node; what is not known is left out.
fn about(run: &Run, name: &str, node: Option<&RunNode>) -> Vec<(String, String)> {
    let header = &run.header;
    let mut about = vec![
        ("run".to_owned(), header.id.clone()),
        ("verify".to_owned(), header.version.clone()),
        ("root".to_owned(), header.root.clone()),
        ("orchestrator".to_owned(), header.orchestrator.clone()),
    ];
    if let Some(node) = node {
        let facts = node.facts.clone();
        let fields = [
            ("via", node.via.to_string()),
            ("simulated", facts.simulated.unwrap_or_default()),
            ("hostname", facts.hostname),
            ("os", facts.os),
            ("kernel", facts.kernel),
            ("arch", facts.arch),
            ("cpu", facts.cpu),
            ("virtualization", facts.virtualization),
            ("fingerprint", digest(&node.fingerprint).unwrap_or_default()),
        ];
        about.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    }
    for suite in &run.suites {
        let asked = |check: &RunCheck| {
            check.planned.node == name && check.planned.check.suite == suite.name
        };
        if run.checks.iter().any(asked) {
            about.push((format!("suite {}", suite.name), suite.digest.clone()));
        }
    }
    about
        .into_iter()
        .filter_map(|(name, value)| Some((one_line(&name, LONGEST_VALUE), known(&value)?)))
        .collect()
}

/// Writes what is known of a suite, a line each.
pub(super) fn about_text(suite: &Suite<'_>) -> String {
    let line = |(name, value): &(String, String)| format!("{:<15} {value}\n", format!("{name}:"));
    suite.about.iter().map(line).collect()
}
