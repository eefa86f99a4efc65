//! What is otherwise than in the accepted baseline: the machine, and what was measured on it.
//!
//! It repeats what the run recorded; whether a change matters was decided by `settle`.

use verify_model::{
    comparison::{Comparison, Standing},
    run::{Run, RunCheck},
};

/// Holds what changed on one node.
pub(crate) struct Changed<'r> {
    /// Name of the node.
    pub(crate) node: &'r str,
    /// What changed in the machine, a line each, not yet cleaned.
    pub(crate) machine: Vec<&'r str>,
    /// Metrics that do not stand as their baseline does, losses first.
    pub(crate) metrics: Vec<(&'r RunCheck, &'r Comparison)>,
    /// Whether it is not recorded for some baseline what the machine was made of then.
    pub(crate) unknown: bool,
    /// How many metrics were compared at all: none means that nothing can be said.
    pub(crate) compared: usize,
}

/// Says for each node, in its order, what changed since its baselines were accepted.
pub(crate) fn changed(run: &Run) -> Vec<Changed<'_>> {
    run.nodes.iter().map(|node| of_node(run, &node.file.name)).collect()
}

fn of_node<'r>(run: &'r Run, node: &'r str) -> Changed<'r> {
    let mut machine: Vec<&str> = Vec::new();
    for baseline in run.baselines.iter().filter(|baseline| baseline.key.node == node) {
        for line in &baseline.changed {
            if !machine.contains(&line.as_str()) {
                machine.push(line);
            }
        }
    }
    let unknown = run.baselines.iter().any(|b| b.key.node == node && b.machine_unknown);
    let own = run.checks.iter().filter(|check| check.planned.node == node);
    let all: Vec<(&RunCheck, &Comparison)> =
        own.flat_map(|check| check.verdict.comparisons.iter().map(move |c| (check, c))).collect();
    let compared = all.len();
    let mut metrics: Vec<_> =
        all.into_iter().filter(|(_, c)| weight(c.standing).is_some()).collect();
    // A stable sort: equal weight stays in plan order.
    metrics.sort_by_key(|(_, c)| weight(c.standing));
    Changed { node, machine, metrics, unknown, compared }
}

/// Orders what is told; `None` is no change.
fn weight(standing: Standing) -> Option<u8> {
    match standing {
        Standing::Regressed => Some(0),
        Standing::Possible => Some(1),
        Standing::Improved => Some(2),
        Standing::Same | Standing::Inconclusive => None,
    }
}
