//! What changed since the baselines were accepted: the machine, then what was measured on it.

use verify_model::{
    comparison::{Comparison, Standing},
    quantity::Quantity,
    run::Run,
};

use super::{
    anchor::Anchors,
    text::{LONGEST_LINE, LONGEST_NAME, line},
};
use crate::{
    changed::{Changed, changed},
    sentence,
};

/// Bounds how many metrics are listed for one node; the others stand at their checks.
const METRICS_SHOWN: usize = 200;

/// Holds what changed on one node.
pub(super) struct NodeChange {
    pub(super) node: String,
    /// What is said where nothing changed, or where nobody knows.
    pub(super) calm: String,
    /// Whether nobody knows what the machine was made of.
    pub(super) unknown: bool,
    pub(super) machine: Vec<String>,
    pub(super) metrics: Vec<Metric>,
    pub(super) left_out: usize,
}

/// Holds one metric that stands otherwise than its baseline.
pub(super) struct Metric {
    pub(super) class: &'static str,
    pub(super) sign: char,
    pub(super) word: &'static str,
    pub(super) anchor: String,
    pub(super) check: String,
    pub(super) field: String,
    pub(super) then: String,
    pub(super) now: String,
    pub(super) shift: String,
    pub(super) interval: String,
    pub(super) tolerance: String,
}

/// Holds what is said of checks that have no baseline yet.
pub(super) struct NoBaseline {
    pub(super) text: String,
    pub(super) command: String,
}

/// Says for each node what changed.
pub(super) fn of(run: &Run, anchors: &Anchors<'_>) -> Vec<NodeChange> {
    changed(run).iter().map(|node| of_node(run, node, anchors)).collect()
}

/// Says what changed in a few words, for the top of the page.
pub(super) fn glance(nodes: &[NodeChange]) -> String {
    let metric = |m: &Metric| format!("{} {}, {} → {}", m.field, m.word, m.then, m.now);
    let machine = nodes.iter().find_map(|node| node.machine.first().cloned());
    let metric = nodes.iter().find_map(|node| node.metrics.first().map(metric));
    let first: Vec<String> = machine.into_iter().chain(metric).collect();
    let all: usize =
        nodes.iter().map(|node| node.machine.len() + node.metrics.len() + node.left_out).sum();
    match all.saturating_sub(first.len()) {
        _ if first.is_empty() => calm_of_all(nodes),
        0 => first.join("; "),
        more => format!("{}; and {more} more", first.join("; ")),
    }
}

/// Says that nothing changed on any node, or that it depends on the node.
fn calm_of_all(nodes: &[NodeChange]) -> String {
    let Some(first) = nodes.first() else {
        return "Nothing was compared: no node took part.".to_owned();
    };
    let alike = nodes.iter().all(|node| node.calm == first.calm);
    if alike { first.calm.clone() } else { "No change is known on any node.".to_owned() }
}

/// Says how many checks have no baseline yet, and what to do if they are as they should be.
pub(super) fn no_baseline(run: &Run) -> Option<NoBaseline> {
    let (text, command) = sentence::no_baseline(run)?;
    Some(NoBaseline { text, command: line(&command, LONGEST_LINE) })
}

fn of_node(run: &Run, node: &Changed<'_>, anchors: &Anchors<'_>) -> NodeChange {
    let shown = node.metrics.iter().take(METRICS_SHOWN);
    NodeChange {
        node: line(node.node, LONGEST_NAME),
        calm: calm(run, node),
        unknown: node.unknown,
        machine: node.machine.iter().map(|text| line(text, LONGEST_LINE)).collect(),
        metrics: shown
            .map(|(check, comparison)| Metric {
                check: line(&check.planned.check.id, LONGEST_NAME),
                anchor: anchors.of(check),
                ..metric(comparison)
            })
            .collect(),
        left_out: node.metrics.len().saturating_sub(METRICS_SHOWN),
    }
}

/// Says it where nothing changed; empty where something did.
fn calm(run: &Run, node: &Changed<'_>) -> String {
    if !node.machine.is_empty() || !node.metrics.is_empty() {
        return String::new();
    }
    let has_baseline = run.baselines.iter().any(|baseline| baseline.key.node == node.node);
    if !has_baseline && node.compared == 0 {
        return "Nothing was compared: no check of this run has a baseline.".into();
    }
    let own = run.checks.iter().filter(|check| check.planned.node == node.node);
    let unsure = |c: &&Comparison| c.standing == Standing::Inconclusive;
    let unsure = own.flat_map(|check| &check.verdict.comparisons).filter(unsure).count();
    let compared = match node.compared {
        0 => "no metric was compared".to_owned(),
        1 => "1 metric was compared".to_owned(),
        many => format!("{many} metrics were compared"),
    };
    let unsure = match unsure {
        0 => String::new(),
        some => format!(", {some} of them without a conclusion"),
    };
    if node.unknown {
        let then = "What the machine was made of is not recorded with the baseline";
        return format!("{then}, so nobody knows what changed; {compared}{unsure}.");
    }
    format!("No change is known: {compared}{unsure}.")
}

fn metric(comparison: &Comparison) -> Metric {
    let (class, sign) = match comparison.standing {
        Standing::Regressed => ("bad", '▼'),
        Standing::Possible => ("warn", '?'),
        Standing::Improved => ("good", '▲'),
        Standing::Same | Standing::Inconclusive => ("calm", '='),
    };
    let shown = |quantity: Option<Quantity>| {
        quantity.map_or_else(|| "?".to_owned(), |quantity| quantity.to_string())
    };
    Metric {
        class,
        sign,
        word: comparison.standing.name(),
        anchor: String::new(),
        check: String::new(),
        field: line(&comparison.field, LONGEST_NAME),
        then: shown(comparison.then),
        now: shown(comparison.now),
        shift: comparison.shift(),
        interval: comparison.interval(),
        tolerance: shown(comparison.tolerance),
    }
}
