//! What checks are called in a report: their ids, cleaned, and told apart.
//!
//! Readers merge what has one name, and a series of Prometheus may stand once. Ids that cleaning made
//! equal are numbered, in plan order.

use std::collections::{BTreeMap, BTreeSet};

use verify_model::run::Run;

use crate::clean::one_line;

/// Bounds a name. *Units*: characters.
const LONGEST: usize = 400;

/// Names every check of a run, in plan order; unique on its node.
pub(crate) fn names(run: &Run) -> Vec<String> {
    let mut taken: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut name = |node, id| unique(taken.entry(node).or_default(), &one_line(id, LONGEST));
    run.checks.iter().map(|c| name(c.planned.node.as_str(), &c.planned.check.id)).collect()
}

/// Makes names differ that cleaning made equal.
pub(crate) fn unique(names: &mut BTreeSet<String>, name: &str) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2_u32;
    while !names.insert(candidate.clone()) {
        candidate = format!("{name} ({number})");
        number += 1;
    }
    candidate
}
