//! What of the catalogue is wanted, and why a pattern means nothing.
//!
//! A pattern that chooses nothing is a mistake: what was not tried must not look like a success.

use anyhow::bail;
use verify_engine::{
    fault::{Catalogue, DAMAGES, Damage, Fault, Machine},
    load::{catalog::Catalog, diagnostic::did_you_mean},
    plan::globs,
};

use crate::cli::SelftestArgs;

/// Holds what is wanted.
pub(super) struct Chosen<'c> {
    pub(super) faults: Vec<&'c Fault>,
    pub(super) damages: Vec<&'static Damage>,
    /// Checks that are wanted of machines, each with its node.
    checks: Vec<(String, String)>,
}

/// Names one thing that can be tried: its node, its check, the fault or damage.
type Item<'i> = [&'i str; 3];
/// Flags that choose, in the order of an item.
const FLAGS: [&str; 3] = ["--node", "--check", "--fault"];

impl<'c> Chosen<'c> {
    /// Chooses from the catalogue and from the checks of machines.
    ///
    /// *Errors*: a pattern is none, or chooses nothing; in one sentence.
    pub(super) fn of(
        args: &SelftestArgs,
        catalogue: &'c Catalogue,
        loaded: &Catalog,
        machines: &[Machine],
    ) -> anyhow::Result<Self> {
        let patterns = [&args.nodes, &args.checks, &args.faults];
        let is_machine = |node: &str| machines.iter().any(|machine| machine.node == node);
        if let Some(node) = args.nodes.iter().find(|node| !is_machine(node)) {
            let known: Vec<&str> = machines.iter().map(|machine| machine.node.as_str()).collect();
            bail!(
                "nothing is tried on `{node}`: it has no healthy answers; there are those of {}",
                known.join(", ")
            );
        }
        let of_machines = loaded.checks.iter().filter(|(node, _)| is_machine(node));
        let checks: Vec<(String, String)> = of_machines
            .flat_map(|(node, checks)| checks.iter().map(|check| (node.clone(), check.id.clone())))
            .collect();
        let mut items: Vec<Item<'_>> = catalogue
            .faults()
            .map(|fault| [fault.node.as_str(), fault.check.as_str(), fault.id.as_str()])
            .collect();
        for damage in DAMAGES {
            items.extend(checks.iter().map(|(node, check)| [node.as_str(), check, damage.id]));
        }
        complain(patterns, &items)?;
        let sets = [globs(&args.nodes)?, globs(&args.checks)?, globs(&args.faults)?];
        let fits = |at: usize, text: &str| patterns[at].is_empty() || sets[at].is_match(text);
        let faults = catalogue
            .faults()
            .filter(|fault| fits(0, &fault.node) && fits(1, &fault.check) && fits(2, &fault.id));
        let (faults, damages) =
            (faults.collect(), DAMAGES.iter().filter(|damage| fits(2, damage.id)).collect());
        let checks = checks.into_iter().filter(|(node, check)| fits(0, node) && fits(1, check));
        let checks = checks.collect();
        Ok(Self { faults, damages, checks })
    }

    /// Tells whether something is tried on a node.
    pub(super) fn asks(&self, node: &str) -> bool {
        let by_fault = self.faults.iter().any(|fault| fault.node == node);
        let by_damage = || self.checks.iter().any(|(known, _)| known == node);
        by_fault || !self.damages.is_empty() && by_damage()
    }

    /// Tells whether a check is among those that are wanted.
    pub(super) fn wants(&self, node: &str, check: &str) -> bool {
        self.checks.iter().any(|known| (known.0.as_str(), known.1.as_str()) == (node, check))
    }

    /// Tells whether something is tried on a check.
    pub(super) fn uses(&self, node: &str, check: &str) -> bool {
        let is_it = |fault: &&Fault| fault.node == node && fault.check == check;
        !self.damages.is_empty() || self.faults.iter().any(is_it)
    }
}

/// Says which pattern chooses nothing, and why.
fn complain(patterns: [&Vec<String>; 3], items: &[Item<'_>]) -> anyhow::Result<()> {
    for (at, own) in patterns.iter().enumerate() {
        for pattern in *own {
            let set = globs(std::slice::from_ref(pattern))?;
            let alone: Vec<&Item<'_>> =
                items.iter().filter(|item| set.is_match(item[at])).collect();
            let Some([node, check, _]) = alone.first() else {
                bail!(unknown(at, pattern, items));
            };
            let mut beside = Vec::new();
            for (other, patterns) in patterns.iter().enumerate() {
                if other != at && !patterns.is_empty() {
                    beside.push((other, globs(patterns)?));
                }
            }
            let is_chosen =
                |item: &&&Item<'_>| beside.iter().all(|(at, set)| set.is_match(item[*at]));
            if !alone.iter().any(|item| is_chosen(&item)) {
                let others: Vec<&str> = beside.iter().map(|(at, _)| FLAGS[*at]).collect();
                bail!(
                    "`{} {pattern}` chooses nothing beside {}: it is about {check} of {node}",
                    FLAGS[at],
                    others.join(" and ")
                );
            }
        }
    }
    Ok(())
}

fn unknown(at: usize, pattern: &str, items: &[Item<'_>]) -> String {
    let what = ["node", "check", "fault"][at];
    let close = did_you_mean(pattern, items.iter().map(|item| item[at]));
    let hint = close.map_or_else(
        || "`verify selftest --list` lists them".to_owned(),
        |close| format!("did you mean `{close}`?"),
    );
    format!("no {what} matches `{pattern}`; {hint}")
}
