//! What checks are called in a report: their ids, cleaned, and told apart.
//!
//! Readers merge what has one name, and a series of Prometheus may stand once. Ids that cleaning made
//! equal are numbered, in plan order.

use std::collections::BTreeSet;

use verify_model::run::Run;

use crate::clean::one_line;

/// Bounds a name. *Units*: characters.
const LONGEST: usize = 400;

/// Names every check of a run, in plan order; unique on its node.
pub(crate) fn names(run: &Run) -> Vec<String> {
    let mut taken: Vec<(&str, BTreeSet<String>)> = Vec::new();
    let mut name = |node, id| {
        let of_node = match taken.iter().position(|(known, _)| *known == node) {
            Some(at) => &mut taken[at].1,
            None => {
                taken.push((node, BTreeSet::new()));
                let last = taken.len() - 1;
                &mut taken[last].1
            }
        };
        unique(of_node, &one_line(id, LONGEST))
    };
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
