//! The run for CI systems: JUnit XML in the rich dialect (properties, `file` and `line`).
//!
//! One suite for each node and suite. Element and count follow the exit table; a run whose exit
//! code no check explains (nothing answered, interrupted, cut short) gets one error case that does,
//! in a suite `verify`. Time stamp and host come from the record, never from this machine.

mod case;

use std::{collections::BTreeSet, time::Duration};

use quick_junit::{Property, Report, TestCase, TestSuite};
use verify_model::{
    exit::{Situation, nothing_answered},
    run::{Run, RunNode},
    verdict::Verdict,
};

use crate::{
    Format, FormatSpec, RenderError,
    clean::one_line,
    sentence::{sentence, situation_of},
};

/// Name of the suite that holds what is said of the run itself.
const OWN_SUITE: &str = "verify";
/// Bounds a value in an attribute. *Units*: characters.
const LONGEST_VALUE: usize = 400;

/// Writes JUnit XML.
pub(crate) struct Junit;

impl Format for Junit {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "junit",
            summary: "JUnit XML for CI systems, with properties, file and line",
            extension: "xml",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        let mut report = Report::new(OWN_SUITE);
        let mut suites: Vec<TestSuite> = Vec::new();
        for (node, suite) in groups(run) {
            suites.push(suite_of(run, &node, &suite));
        }
        suites.extend(own_suite(run));
        report.timestamp = run.header.started_at.parse().ok();
        report.set_time(Duration::from_millis(run.elapsed_ms));
        report.add_test_suites(suites);
        let mut out = Vec::new();
        report.serialize(&mut out)?;
        Ok(out)
    }
}

/// Lists the pairs of node and suite, in the order in which the plan first names them.
fn groups(run: &Run) -> Vec<(String, String)> {
    let mut groups: Vec<(String, String)> = Vec::new();
    for check in &run.checks {
        let group = (check.planned.node.clone(), check.planned.check.suite.clone());
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

fn suite_of(run: &Run, node: &str, suite: &str) -> TestSuite {
    let name = one_line(&format!("{node}.{suite}"), LONGEST_VALUE);
    let mut out = TestSuite::new(name.as_str());
    let facts = run.nodes.iter().find(|n| n.file.name == node);
    describe(&mut out, run, facts);
    let mut names = BTreeSet::new();
    for check in &run.checks {
        if check.planned.node != node || check.planned.check.suite != suite {
            continue;
        }
        let unique = unique(&mut names, &one_line(&check.planned.check.id, LONGEST_VALUE));
        let mut case = case::case(run, check, situation_of(run, check));
        case.name = unique.into();
        case.set_classname(name.as_str());
        out.add_test_case(case);
    }
    out.set_time(out.test_cases.iter().filter_map(|c| c.time).sum());
    out
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
fn own_suite(run: &Run) -> Option<TestSuite> {
    let verdicts: Vec<Verdict> = run.verdicts().cloned().collect();
    let mut cases: Vec<TestCase> = Vec::new();
    if nothing_answered(&verdicts) {
        let element = Situation::NothingAnswered.element();
        cases.push(case::own(element, "nothing-answered", &sentence(run)));
    }
    if run.interrupted {
        cases.push(case::own(Situation::Error.element(), "interrupted", &sentence(run)));
    }
    if !run.complete {
        cases.push(case::own(Situation::Error.element(), "incomplete", &sentence(run)));
    }
    if cases.is_empty() {
        return None;
    }
    let mut suite = TestSuite::new(OWN_SUITE);
    describe(&mut suite, run, None);
    for mut case in cases {
        case.set_classname(OWN_SUITE);
        suite.add_test_case(case);
    }
    suite.set_time(Duration::ZERO);
    Some(suite)
}

fn describe(suite: &mut TestSuite, run: &Run, node: Option<&RunNode>) {
    suite.timestamp = run.header.started_at.parse().ok();
    let header = &run.header;
    add(suite, "run", &header.id);
    add(suite, "verify", &header.version);
    add(suite, "root", &header.root);
    add(suite, "orchestrator", &header.orchestrator);
    let Some(node) = node else { return };
    add(suite, "via", &node.via.to_string());
    let facts = &node.facts;
    for (name, value) in [
        ("hostname", &facts.hostname),
        ("os", &facts.os),
        ("kernel", &facts.kernel),
        ("arch", &facts.arch),
        ("cpu", &facts.cpu),
        ("virtualization", &facts.virtualization),
    ] {
        add(suite, name, value);
    }
    if !facts.hostname.is_empty() {
        let host = one_line(&facts.hostname, LONGEST_VALUE);
        suite.extra.insert("hostname".into(), host.into());
    }
}

fn add(suite: &mut TestSuite, name: &str, value: &str) {
    if !value.is_empty() {
        suite.add_property(property(name, value));
    }
}

fn property(name: &str, value: &str) -> Property {
    Property::new(one_line(name, LONGEST_VALUE), one_line(value, LONGEST_VALUE))
}
