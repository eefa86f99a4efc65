//! `verify plan`: what would be asked, what would be left out and why; nothing is run.

use std::{fmt::Write as _, path::Path};

use verify_engine::{plan::Step, session::PreparedNode};
use verify_model::{check::Check, effect::Effect, judge::judge};

use verify_reports::clean::one_line;

use crate::{cli::PlanArgs, command::run, output};

/// Longest host name. *Units*: characters. *Source*: RFC 1035 allows 255.
const HOST_WIDTH: usize = 255;
/// Longest reason. *Units*: characters.
const WHY_WIDTH: usize = 200;

/// Prints the plan.
pub(crate) fn plan(root: Option<&Path>, args: &PlanArgs) -> anyhow::Result<u8> {
    let ready = run::ready(root, &args.choice)?;
    let mut text = format!("root: {}\n", ready.root.label());
    for node in &ready.plan.nodes {
        write_node(&mut text, node);
    }
    output::print(&text)?;
    Ok(0)
}

fn write_node(text: &mut String, node: &PreparedNode) {
    let facts = &node.node.facts;
    let _ = writeln!(
        text,
        "\nnode {}: {} answers, via {}",
        node.node.file.name,
        one_line(&facts.hostname, HOST_WIDTH),
        node.node.via
    );
    let width = node.steps.iter().map(|s| s.check.id.len()).max().unwrap_or(0);
    for step in &node.steps {
        let check = &step.check;
        let _ = match left_out(node, step) {
            None => writeln!(
                text,
                "  {:<8} {:<width$}  {}{}",
                check.effect.name(),
                check.id,
                check.title,
                after(check)
            ),
            Some(why) => writeln!(text, "  {:<8} {:<width$}  {why}", "-", check.id),
        };
    }
    let asked: Vec<&Check> =
        node.steps.iter().filter(|s| s.left_out.is_none()).map(|s| &s.check).collect();
    let loads = asked.iter().filter(|c| c.effect != Effect::Reads);
    let at_most: u64 = loads.clone().map(|c| c.limit_ms * u64::from(c.repeat)).sum();
    let _ = writeln!(
        text,
        "  {} checks: {} asked, {} left out; {} load the node, alone, at most {} s",
        node.steps.len(),
        asked.len(),
        node.steps.len() - asked.len(),
        loads.count(),
        at_most.div_ceil(1000),
    );
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
