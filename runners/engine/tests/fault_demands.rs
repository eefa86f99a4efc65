//! Every demand of every check that ships has a fault that misses it, or stands in a list.
//!
//! Whoever takes a demand out of a suite turns `verify selftest` red, unless it is listed here. That
//! the faults are noticed is tried through the command.
#![cfg(feature = "faults")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use verify_engine::{
    fault::Catalogue,
    load::{catalog, root::Root},
};
use verify_model::outcome::Outcome;

/// Demands that no fault misses, sorted; it may only become shorter.
const WITHOUT: &[[&str; 3]] = &[
    ["local", "kernel/cgroups", "exists"],
    ["nvidia", "gpu/nvidia-smi", "count"],
    ["nvidia", "net/throughput", "counters.rose"],
];

#[test]
fn every_demand_has_a_fault_that_misses_it() {
    let catalog = catalog::load(&Root { dir: None, home: None }).unwrap();
    let catalogue = Catalogue::shipped().unwrap();
    let mut demanded = BTreeSet::new();
    for (node, checks) in catalog.checks.iter().filter(|(node, _)| *node != "nvidia-sim") {
        for check in checks {
            let fields = check.expect.iter();
            demanded.extend(fields.map(|one| [node.as_str(), &check.id, one.field.as_str()]));
        }
    }
    let failed = catalogue.faults().filter(|fault| fault.expect.outcome == Outcome::Fail);
    let missed: BTreeSet<[&str; 3]> = failed
        .flat_map(|fault| fault.expect.fields().map(|field| [&*fault.node, &*fault.check, field]))
        .collect();
    assert!(WITHOUT.is_sorted());
    let without: BTreeSet<[&str; 3]> = WITHOUT.iter().copied().collect();
    let unlisted: Vec<_> =
        demanded.difference(&missed).filter(|one| !without.contains(*one)).collect();
    assert!(unlisted.is_empty(), "demands without a fault: {unlisted:#?}");
    let listed: Vec<_> =
        without.iter().filter(|one| missed.contains(*one) || !demanded.contains(*one)).collect();
    assert!(listed.is_empty(), "listed, and has a fault or is no demand: {listed:#?}");
}
