//! Where in the page each check stands: an id that a link can name, whatever the check is called.
//!
//! Node and check are spelled in letters that need no escaping; two that are spelled alike are
//! numbered in the order of the plan.

use std::collections::BTreeMap;

use verify_model::run::{Run, RunCheck};

/// Bounds an id, without its number. *Units*: characters.
const LONGEST: usize = 100;

/// Holds the id of each check.
pub(super) struct Anchors<'r>(BTreeMap<(&'r str, &'r str), String>);

impl<'r> Anchors<'r> {
    /// Names the checks of a run.
    pub(super) fn new(run: &'r Run) -> Self {
        let mut alike: BTreeMap<String, usize> = BTreeMap::new();
        let mut anchors = BTreeMap::new();
        for check in &run.checks {
            let (node, id) = key(check);
            let plain = format!("check-{}-{}", spelled(node), spelled(id));
            let plain: String = plain.chars().take(LONGEST).collect();
            let number = alike.entry(plain.clone()).or_default();
            *number += 1;
            // No spelling holds a full stop, so a numbered one is never another's.
            let name = if *number == 1 { plain } else { format!("{plain}.{number}") };
            anchors.insert((node, id), name);
        }
        Self(anchors)
    }

    /// Returns the id of a check.
    pub(super) fn of(&self, check: &RunCheck) -> String {
        self.0.get(&key(check)).cloned().unwrap_or_default()
    }
}

fn key(check: &RunCheck) -> (&str, &str) {
    (&check.planned.node, &check.planned.check.id)
}

fn spelled(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().take(LONGEST).map(plain).collect()
}
