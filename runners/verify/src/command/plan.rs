//! `verify plan`: what would be asked, what would be left out and why; nothing is run.

use std::path::Path;

use verify_engine::{plan::Step, session::PreparedNode};
use verify_model::{check::Check, effect::Effect, judge::judge};

use verify_reports::{
    clean::one_line,
    terminal::{page::Page, paint::Paint},
};

use crate::{
    cli::PlanArgs,
    command::run,
    output::{self, Ability},
};

/// Longest host name. *Units*: characters. *Source*: RFC 1035 allows 255.
const HOST_WIDTH: usize = 255;
/// Longest reason. *Units*: characters.
const WHY_WIDTH: usize = 200;
/// Longest id beside which texts stand in one column. *Units*: characters.
const WIDEST_ID: usize = 28;

/// Prints the plan.
pub(crate) fn plan(root: Option<&Path>, args: &PlanArgs, out: Ability) -> anyhow::Result<u8> {
    let ready = run::ready(root, &args.choice)?;
    let mut page = output::page(out);
    page.text(Paint::Plain, 2, &format!("root: {}", ready.root.label()));
    for node in &ready.plan.nodes {
        write_node(&mut page, node);
    }
    output::print(&page.finish())?;
    Ok(0)
}

fn write_node(page: &mut Page, node: &PreparedNode) {
    let facts = &node.node.facts;
    let host = one_line(&facts.hostname, HOST_WIDTH);
    let heading = format!("node {}: {host} answers, via {}", node.node.file.name, node.node.via);
    page.blank();
    page.text(Paint::Bold, 2, &heading);
    let widths = node.steps.iter().map(|s| s.check.id.len());
    let width = widths.filter(|width| *width <= WIDEST_ID).max().unwrap_or(0);
    for step in &node.steps {
        let check = &step.check;
        let (effect, paint, text) = match left_out(node, step) {
            None => (check.effect.name(), Paint::Plain, format!("{}{}", check.title, after(check))),
            Some(why) => ("-", Paint::Dim, why),
        };
        let (effect, id) = (format!("{effect:<8}"), format!("{:<width$}", check.id));
        page.lead(2, &[(Paint::Dim, &effect), (Paint::Plain, &id)], 13 + width, (paint, &text));
    }
    let asked: Vec<&Check> =
        node.steps.iter().filter(|s| s.left_out.is_none()).map(|s| &s.check).collect();
    let loads = asked.iter().filter(|c| c.effect != Effect::Reads);
    let at_most: u64 = loads.clone().map(|c| c.limit_ms * u64::from(c.repeat)).sum();
    let text = format!(
        "  {} checks: {} asked, {} left out; {} load the node, alone, at most {} s",
        node.steps.len(),
        asked.len(),
        node.steps.len() - asked.len(),
        loads.count(),
        at_most.div_ceil(1000),
    );
    page.text(Paint::Bold, 2, &text);
}

fn after(check: &Check) -> String {
    if check.after.is_empty() {
        String::new()
    } else {
        format!(" (after {})", check.after.join(", "))
    }
}

/// Says why a step is left out, in the words of the report.
fn left_out(node: &PreparedNode, step: &Step) -> Option<String> {
    let answer = step.left_out.as_ref()?;
    let verdict = judge(&node.node.file.name, &step.check, answer, &[]);
    let why = verdict.findings.first().map(|f| f.message.clone()).unwrap_or_default();
    Some(format!("{}: {}", verdict.outcome, one_line(&why, WHY_WIDTH)))
}
