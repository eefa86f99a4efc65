//! Earlier runs whose sessions count beside that of a new one.
//!
//! One boot says little of the next, so a change is told by several sessions, and those are several
//! invocations. Whoever names the earlier ones says that nothing changed between; a run that is
//! part of the baseline already, or that measured something else, is refused.

use verify_model::run::Run;

use super::{
    compared::Accepted,
    proposal::{Refused, propose},
    unit::Unit,
};
use crate::load::diagnostic::LoadError;

/// Adds what earlier runs of a node measured to the baselines that it is compared with.
///
/// *Errors*: a run that measured nothing of it, or that was accepted before.
pub fn add_earlier(runs: &[Run], node: &str, accepted: &mut [Accepted]) -> Result<(), LoadError> {
    let mut units: Vec<Unit> = Vec::new();
    for run in runs {
        let id = &run.header.id;
        let wanted = |check: &str| accepted.iter().any(|accepted| accepted.is_of(check));
        let proposal = propose(run, wanted, true);
        let own = proposal.units.into_iter().filter(|(place, _)| place.node == node);
        let found: Vec<Unit> = own.flat_map(|(_, units)| units).collect();
        let alike = |unit: &&Unit| accepted.iter().any(|accepted| accepted.is_like(unit));
        let alike: Vec<Unit> = found.iter().filter(alike).cloned().collect();
        if accepted.iter().any(|accepted| accepted.is_since(id)) {
            return Err(LoadError::general(format!(
                "run {id} is part of the baseline of node {node}, or older, so it cannot stand against it; give --with runs that were measured since"
            )));
        }
        // All of a session or none of it: who picks makes the noise look small.
        let own = |refused: &&Refused| {
            refused.key.node == node && accepted.iter().any(|a| a.is_of(&refused.key.check))
        };
        if let Some(refused) = proposal.refused.iter().find(own) {
            let (check, why) = (&refused.key.check, &refused.why);
            return Err(LoadError::general(format!(
                "run {id} cannot stand beside this one: {check}: {why}; leave it out of --with, or choose checks without {check}"
            )));
        }
        if alike.is_empty() && !accepted.is_empty() {
            let why = "it did not measure them, or with other parameters or on another machine";
            return Err(LoadError::general(format!(
                "run {id} has nothing that is compared on node {node} ({why}); `verify report {id}` shows what it has"
            )));
        }
        units.extend(alike);
    }
    units.sort_by_key(Unit::id);
    units.dedup_by_key(|unit| unit.id());
    once_each(&mut units, accepted);
    for accepted in accepted {
        accepted.earlier = units.iter().filter(|unit| accepted.is_like(unit)).cloned().collect();
    }
    Ok(())
}

/// Takes out what is the same measurement, read again.
fn once_each(units: &mut Vec<Unit>, accepted: &[Accepted]) {
    let mut kept: Vec<Unit> = Vec::new();
    for unit in units.drain(..) {
        let reads = accepted.iter().any(|accepted| accepted.is_like(&unit) && accepted.only_reads);
        let again =
            kept.iter().any(|known| known.check == unit.check && known.metrics == unit.metrics);
        if !(reads && again) {
            kept.push(unit);
        }
    }
    *units = kept;
}
