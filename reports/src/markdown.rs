//! The run for a CI job summary and a pull-request comment: GitHub-flavoured Markdown.
//!
//! First the verdict, then what changed since the last accepted run, then what needs somebody, then
//! every check, folded. One size serves both places; whole rows are cut from the end, and the last line
//! says how many. Nothing that a node says becomes markup, a link, a mention or a reference.

mod escape;
mod page;

// Writing to a String cannot fail.
use std::fmt::Write as _;

use verify_model::{
    comparison::Comparison,
    exit::MEANINGS,
    finding::Finding,
    run::{Run, RunCheck},
};

use self::{
    escape::{code, prose, text},
    page::{Block, Page, Share},
};
use crate::{
    Format, FormatSpec, RenderError, brief,
    cause::{Cause, causes},
    changed::{Changed, changed},
    detail::{self, duration},
    sentence::{count, sentence, situation_of},
};

/// Bounds a cell. *Units*: characters before escaping.
const LONGEST_CELL: usize = 240;
/// Bounds how many checks a cell names.
const MOST_NAMES: usize = 4;

/// Writes Markdown.
pub(crate) struct Markdown;

impl Format for Markdown {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "markdown",
            summary: "what changed and what needs somebody, for a job summary or a pull request",
            extension: "md",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        let mut page = Page::default();
        verdict(&mut page, run);
        since(&mut page, run);
        findings(&mut page, run);
        everything(&mut page, run);
        let id = text(&run.header.id, LONGEST_CELL);
        let time = if run.complete {
            duration(run.elapsed_ms.saturating_mul(1000))
        } else {
            "unknown time".to_owned()
        };
        let version = text(&run.header.version, LONGEST_CELL);
        let rest = format!("<code>verify report {id} --format html</code>");
        let end = format!("Run <code>{id}</code>, {time}, verify {version}. All of it: {rest}\n");
        Ok(page.finish(&end).into_bytes())
    }
}

fn verdict(page: &mut Page, run: &Run) {
    let exit = run.exit_code();
    let meaning = MEANINGS.iter().find(|(code, _)| *code == exit).map_or("", |(_, text)| *text);
    let mut out = format!("## verify: {meaning} (exit code {exit})\n\n");
    let _ = write!(out, "**{}**\n\n", prose(&sentence(run), 10 * LONGEST_CELL));
    let _ = write!(out, "{}\n\n", brief::counts(&run.checks.iter()));
    for said in brief::simulations(run) {
        let _ = write!(out, "**{}**\n\n", text(&said, LONGEST_CELL));
    }
    page.add(&Block::text(out), Share::All);
}

fn since(page: &mut Page, run: &Run) {
    let all = changed(run);
    let mut lines = Vec::new();
    let mut rows = Vec::new();
    // What is the same of many nodes is said once.
    let mut unchanged: Vec<(String, Vec<&str>)> = Vec::new();
    for node in &all {
        let name = code(node.node, LONGEST_CELL);
        for line in &node.machine {
            lines.push(format!("- {name}: {}\n", text(line, LONGEST_CELL)));
        }
        if node.machine.is_empty() {
            let said = same(node);
            match unchanged.iter_mut().find(|(known, _)| *known == said) {
                Some((_, nodes)) => nodes.push(node.node),
                None => unchanged.push((said, vec![node.node])),
            }
        }
        rows.extend(node.metrics.iter().map(|(check, c)| metric_row(node.node, check, c)));
    }
    for (said, nodes) in unchanged {
        let names = code(&nodes.join(", "), LONGEST_CELL);
        let many = if nodes.len() > 1 { format!("{} nodes, ", nodes.len()) } else { String::new() };
        lines.push(format!("- {many}{names}: {said}\n"));
    }
    if all.is_empty() {
        lines.push("- No node was asked.\n".to_owned());
    }
    let title = "### Changed since the last accepted run\n\n";
    page.add(&Block::list(title, lines), Share::Third);
    let head = ["node", "check", "metric", "baseline", "now", "change, 95 % interval", "standing"];
    page.add(&Block::table("", &head, &rows, "\n"), Share::Half);
}

/// Says what is known where nothing changed in the machine; that nothing was compared is said so.
fn same(node: &Changed<'_>) -> String {
    match node.compared {
        0 => "nothing was compared with a baseline.".to_owned(),
        all => {
            let same = all - node.metrics.len();
            let metrics = count(all, "metric");
            let machine = if node.unknown {
                "what the machine was made of is not recorded with the baseline"
            } else {
                "no change of the machine is known"
            };
            format!("{machine}; {metrics} compared, {same} without a change seen.")
        }
    }
}

fn metric_row(node: &str, check: &RunCheck, comparison: &Comparison) -> Vec<String> {
    let shown = |quantity: Option<verify_model::quantity::Quantity>| {
        quantity.map_or_else(|| "?".to_owned(), |quantity| quantity.to_string())
    };
    let change = crate::measured::interval(comparison).map_or_else(
        || "?".to_owned(),
        |i| {
            let number = verify_model::quantity::display_number;
            format!("{} [{}, {}] {}", number(i.change), number(i.low), number(i.high), i.unit)
        },
    );
    vec![
        code(node, LONGEST_CELL),
        code(&check.planned.check.id, LONGEST_CELL),
        code(&comparison.field, LONGEST_CELL),
        text(&shown(comparison.then), LONGEST_CELL),
        text(&shown(comparison.now), LONGEST_CELL),
        text(&change, LONGEST_CELL),
        comparison.standing.name().to_owned(),
    ]
}

fn findings(page: &mut Page, run: &Run) {
    let rows: Vec<Vec<String>> = causes(run).iter().map(|cause| cause_row(run, cause)).collect();
    if rows.is_empty() {
        // What the sentence says of the run itself is no finding of a check.
        return;
    }
    let head = ["outcome", "check", "node", "expected", "observed", "next"];
    page.add(&Block::table("### What needs somebody\n\n", &head, &rows, "\n"), Share::Most);
}

fn cause_row(run: &Run, cause: &Cause<'_>) -> Vec<String> {
    let first = cause.checks[0];
    let main = first.verdict.main_finding();
    let observed = main.and_then(|finding| finding.observed.as_deref());
    let expected = main.and_then(|finding| finding.expected.as_deref());
    // Without both, the message says what there is to say.
    let said = match (expected, observed) {
        (Some(_), Some(observed)) => code(observed, LONGEST_CELL),
        _ => prose(&detail::headline(run, first), LONGEST_CELL),
    };
    let mut next = prose(&cause.next, 2 * LONGEST_CELL);
    let blocks = brief::blocks(&cause.blocked, MOST_NAMES);
    if !blocks.is_empty() {
        let _ = write!(next, " ({})", text(&blocks, LONGEST_CELL));
    }
    let mut nodes: Vec<&str> = Vec::new();
    for check in &cause.checks {
        if !nodes.contains(&check.planned.node.as_str()) {
            nodes.push(&check.planned.node);
        }
    }
    vec![
        brief::word(cause.situation).to_owned(),
        code(&brief::names(&cause.checks, MOST_NAMES), LONGEST_CELL),
        code(&nodes.join(", "), LONGEST_CELL),
        expected_cell(main),
        said,
        next,
    ]
}

fn expected_cell(finding: Option<&Finding>) -> String {
    finding.and_then(|f| f.expected.as_deref()).map_or_else(String::new, |e| code(e, LONGEST_CELL))
}

/// Lists every check, a folded table for each node and suite.
fn everything(page: &mut Page, run: &Run) {
    let mut groups: Vec<(&str, &str)> = Vec::new();
    for check in &run.checks {
        let group = (check.planned.node.as_str(), check.planned.check.suite.as_str());
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    for (node, suite) in groups {
        let of_group = |c: &&RunCheck| c.planned.node == node && c.planned.check.suite == suite;
        let checks = run.checks.iter().filter(of_group);
        let rows: Vec<Vec<String>> = checks.clone().map(|check| check_row(run, check)).collect();
        let open = format!(
            "<details><summary>{}, {}: {}: {}</summary>\n\n",
            text(node, LONGEST_CELL),
            text(suite, LONGEST_CELL),
            count(rows.len(), "check"),
            brief::counts(&checks),
        );
        let head = ["outcome", "check", "what it says"];
        page.add(&Block::table(&open, &head, &rows, "\n</details>\n\n"), Share::All);
    }
}

fn check_row(run: &Run, check: &RunCheck) -> Vec<String> {
    let mut said = vec![brief::line(run, check)];
    said.extend(
        detail::remarks(run, check).into_iter().map(|l| format!("{}: {}", l.label, l.text)),
    );
    vec![
        brief::word(situation_of(run, check)).to_owned(),
        code(&check.planned.check.id, LONGEST_CELL),
        prose(&said.join("; "), 2 * LONGEST_CELL),
    ]
}
