//! The run as a person reads it: what failed, why, what to do next, and the counts.
//!
//! Eighty columns, a screen for a usual run, and nothing that only colour says. A check takes one
//! line unless there is something to do; what is blocked stands under its cause, what is skipped
//! under its reason. The same text without colour is the format `text`.

pub mod alone;
mod check;
pub mod page;
pub mod paint;
mod summary;

use std::collections::{BTreeMap, BTreeSet};

use verify_model::{
    node::Facts,
    outcome::Outcome,
    run::{Run, RunCheck, RunNode},
};

use crate::{Format, FormatSpec, RenderError, cause, clean::width_of};
use page::Page;
use paint::Paint;

/// Says where files lie: their names in the record, and their addresses.
pub type Links = BTreeMap<String, String>;

/// Says how to write for a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// Width. *Units*: columns; at least 40 are used.
    pub width: usize,
    /// Whether every reading and the evidence are shown.
    pub verbose: bool,
}

/// Writes the report for people, without colour.
pub(crate) struct Text;

impl Format for Text {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "text",
            summary: "the report that the terminal shows, without colour",
            extension: "txt",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        Ok(render(run, &Style { color: false, width: 100, verbose: false }).into_bytes())
    }
}

/// Renders a run for people.
pub fn render(run: &Run, style: &Style) -> String {
    written(run, Page::new(style))
}

/// Renders a run for people whose terminal opens the files that are named.
pub fn render_linked(run: &Run, style: &Style, links: &Links) -> String {
    written(run, Page::new(style).linked(links))
}

/// Says only what needs somebody, and the verdict.
pub fn brief(run: &Run, style: &Style) -> String {
    let mut page = Page::new(style);
    marked(&mut page, run);
    summary::brief(&mut page, run);
    page.finish()
}

fn written(run: &Run, mut page: Page) -> String {
    marked(&mut page, run);
    page.text(Paint::Plain, 2, &who_answered(run));
    for node in &run.nodes {
        page.blank();
        page.text(Paint::Bold, 2, &node_heading(node));
        node_checks(&mut page, run, &node.file.name);
    }
    page.blank();
    summary::write(&mut page, run);
    page.finish()
}

/// Says first that no machine was asked, where that is so.
fn marked(page: &mut Page, run: &Run) {
    for scenario in simulated(run) {
        let text = format!("simulated by scenario {scenario}: no machine was asked");
        page.text(Paint::Bold, 2, &text);
    }
}

/// Names the scenarios that answered in place of machines.
pub(crate) fn simulated(run: &Run) -> BTreeSet<&str> {
    run.nodes.iter().filter_map(|node| node.facts.simulated.as_deref()).collect()
}

/// Says which machine answered, by what way, from which root, to which suites.
fn who_answered(run: &Run) -> String {
    let mut nodes: Vec<String> = Vec::new();
    for node in &run.nodes {
        let host = &node.facts.hostname;
        let who = if host.is_empty() { "no machine answered" } else { host };
        nodes.push(format!("{}: {who}{}, via {}", node.file.name, stranger(node), node.via));
    }
    if nodes.is_empty() {
        nodes.push("no node".to_owned());
    }
    let suites: Vec<&str> = run.suites.iter().map(|s| s.name.as_str()).collect();
    let suites = if suites.is_empty() { "no suite".to_owned() } else { suites.join(", ") };
    format!("{} · root {} · suites {suites}", nodes.join("; "), run.header.root)
}

/// Says that the machine that answered is not one that the node file names.
pub(crate) fn stranger(node: &RunNode) -> String {
    let short = |name: &str| name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let names = &node.file.hostnames;
    if names.is_empty() || names.iter().any(|name| short(name) == short(&node.facts.hostname)) {
        return String::new();
    }
    format!(" (not {}, the host of the node file)", names.join(" or "))
}

fn node_heading(node: &RunNode) -> String {
    let Facts { kernel, os, arch, cpu, virtualization, .. } = &node.facts;
    let mut parts = vec![node.file.name.clone()];
    parts.extend([os, kernel, arch, cpu].into_iter().filter(|p| !p.is_empty()).cloned());
    if !virtualization.is_empty() {
        parts.push(format!("in {virtualization}"));
    }
    if let Some(scenario) = &node.facts.simulated {
        parts.insert(1, format!("SIMULATED by {scenario}"));
    }
    parts.join(" · ")
}

fn node_checks(page: &mut Page, run: &Run, node: &str) {
    let checks: Vec<&RunCheck> = run.checks.iter().filter(|c| c.planned.node == node).collect();
    // Few checks are blocked and each is looked for by each: the rest need not be looked through.
    let is_blocked = |c: &&RunCheck| c.verdict.outcome == Outcome::Blocked;
    let blocked: Vec<&RunCheck> = checks.iter().copied().filter(is_blocked).collect();
    if checks.is_empty() {
        return page.text(Paint::Dim, 2, "  no check was planned");
    }
    let mut suites: Vec<&str> = Vec::new();
    for check in &checks {
        if !suites.contains(&check.planned.check.suite.as_str()) {
            suites.push(&check.planned.check.suite);
        }
    }
    for suite in suites {
        let shown: Vec<&RunCheck> = checks
            .iter()
            .copied()
            .filter(|c| c.planned.check.suite == suite && !is_folded(c, &checks))
            .collect();
        if shown.is_empty() {
            continue;
        }
        let title = run.suites.iter().find(|s| s.name == suite).map_or("", |s| s.title.as_str());
        page.lead(2, &[(Paint::Bold, suite)], 4 + width_of(suite), (Paint::Dim, title));
        let width = check::id_width(&shown);
        for check in shown {
            check::write(page, run, check, &blocked, width);
        }
    }
    check::write_skips(page, run, &checks);
}

/// Tells whether a check is shown elsewhere: under its cause, or under the reason of its skip.
fn is_folded(check: &RunCheck, checks: &[&RunCheck]) -> bool {
    match check.verdict.outcome {
        Outcome::Skip => true,
        Outcome::Blocked => checks.iter().any(|cause| cause::blocks(cause, check)),
        _ => false,
    }
}
