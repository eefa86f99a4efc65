//! The run as one page: verdict, what changed, what to do, every check, and what is behind it.
//!
//! One file that asks nobody for anything: style and script stand in it, known to its content security
//! policy by their hashes, so nothing else in it can style or run. Each part of the page has a file
//! that gathers what a template of the same name writes. The template's escaper cleans, too.
//!
//! Pictures name no colours but classes and these properties, which `page.css` sets for light and
//! dark: `--ink --muted --line --panel --paper --accent --good --bad --warn --aside`.

mod anchor;
mod change;
mod check;
mod evidence;
mod finding;
mod mark;
mod method;
mod node;
pub(crate) mod text;
mod verdict;

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use verify_model::run::Run;

use crate::{
    Format, FormatSpec, RenderError,
    draw::{self, Picture},
};
use anchor::Anchors;

/// Writes the page.
pub(crate) struct Html;

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    style: String,
    style_hash: String,
    script: &'static str,
    script_hash: String,
    verdict: verdict::Verdict,
    changed_at_a_glance: String,
    changes: Vec<change::NodeChange>,
    no_baseline: Option<change::NoBaseline>,
    findings: finding::Findings,
    nodes: Vec<node::NodeView>,
    number: usize,
    /// How many checks carry advice.
    advised: usize,
    skipped: Vec<node::Skipped>,
    pictures: Vec<Picture>,
    evidence: evidence::EvidenceList,
    method: method::Method,
}

impl Format for Html {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "html",
            summary: "one self-contained page: verdict, changes, findings, every check, evidence",
            extension: "html",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        Ok(page(run).render()?.into_bytes())
    }
}

fn page(run: &Run) -> Page {
    let anchors = Anchors::new(run);
    let style = format!("{}{}", include_str!("page.css"), draw::STYLE);
    let script = include_str!("page.js");
    let changes = change::of(run, &anchors);
    let findings = finding::of(run, &anchors);
    let nodes = node::of(run, &anchors, &findings.pictured);
    let checks = nodes.iter().flat_map(|node| &node.suites).flat_map(|suite| &suite.checks);
    let advised = checks.filter(|check| check.advised).count();
    Page {
        style_hash: hash(&style),
        style,
        script_hash: hash(script),
        script,
        verdict: verdict::of(run),
        changed_at_a_glance: change::glance(&changes),
        changes,
        no_baseline: change::no_baseline(run),
        nodes,
        advised,
        findings,
        number: run.checks.len(),
        skipped: node::skipped(run, &anchors),
        pictures: draw::of_run(run),
        evidence: evidence::of(run),
        method: method::of(run),
    }
}

/// Computes what a content security policy knows an element's content by.
fn hash(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}
