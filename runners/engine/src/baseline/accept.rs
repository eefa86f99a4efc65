//! Accept: what a proposal changes, and writing it.
//!
//! Nothing is ever mixed across machines or definitions, nor across an epoch; `accept` is the only
//! writer of new units.

use verify_model::verdict::CheckKey;

use super::{
    ledger::Ledger,
    proposal::{Proposal, Refused},
    shelf::{Place, Shelf, ShelfError},
    unit::Unit,
};
use crate::load::diagnostic::LoadError;

/// Says under which words a run is accepted.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// Why these values are normal.
    pub reason: String,
    /// Version of verify that accepts.
    pub version: String,
    /// Whether what counts begins anew with this run.
    pub new_epoch: bool,
}

/// Says what became of the units of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which check.
    pub key: CheckKey,
    /// Units that are new.
    pub new: usize,
    /// Units that had been accepted before.
    pub known: usize,
    /// Whether an epoch begins with them.
    pub begins: bool,
}

/// Holds what accepting a proposal changes.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Ledgers as they will be, where something changes.
    pub ledgers: Vec<(Place, Ledger)>,
    /// What is taken.
    pub taken: Vec<Taken>,
    /// What is refused.
    pub refused: Vec<Refused>,
}

/// Computes what accepting a proposal changes; nothing is written.
///
/// *Errors*: files that are there are not in order.
pub fn change(
    shelf: &Shelf,
    proposal: &Proposal,
    acceptance: &Acceptance,
) -> Result<Change, ShelfError> {
    change_by(|place| shelf.read(place), proposal, acceptance)
}

fn change_by(
    read: impl Fn(&Place) -> Result<Ledger, LoadError>,
    proposal: &Proposal,
    acceptance: &Acceptance,
) -> Result<Change, ShelfError> {
    let mut change = Change { refused: proposal.refused.clone(), ..Change::default() };
    for (place, units) in &proposal.units {
        let mut ledger = read(place)?;
        let before = ledger.clone();
        let mut checks: Vec<&str> = Vec::new();
        for unit in units {
            if !checks.contains(&unit.check.as_str()) {
                checks.push(&unit.check);
            }
        }
        for check in checks {
            let own: Vec<&Unit> = units.iter().filter(|unit| unit.check == check).collect();
            let key = CheckKey::new(&place.node, check);
            match take(&mut ledger, &own, acceptance) {
                Ok((new, known, begins)) => change.taken.push(Taken { key, new, known, begins }),
                Err(why) => change.refused.push(Refused { key, repeat: None, why }),
            }
        }
        ledger.trim();
        if ledger != before {
            change.ledgers.push((place.clone(), ledger));
        }
    }
    Ok(change)
}

/// Adds the units of one check; returns how many are new, how many were known, and whether an
/// epoch begins.
///
/// *Errors*: why they cannot stand beside what is there, in one sentence.
fn take(
    ledger: &mut Ledger,
    units: &[&Unit],
    acceptance: &Acceptance,
) -> Result<(usize, usize, bool), String> {
    let Some(first) = units.first() else { return Ok((0, 0, false)) };
    let newest = ledger.history(&first.check).and_then(|history| history.newest().cloned());
    let epoch = match &newest {
        None => first.run.clone(),
        Some(newest) if acceptance.new_epoch => {
            if first.run < newest.epoch {
                let (run, epoch) = (&first.run, &newest.epoch);
                return Err(format!("run {run} is older than the epoch {epoch} that counts now"));
            }
            first.run.clone()
        }
        Some(newest) => {
            let is_new = units.iter().any(|unit| ledger.get(&unit.id()).is_none());
            if is_new && first.run < newest.epoch && ledger.has_epoch_before(newest) {
                // Whatever changed when the epoch began had not changed yet.
                let (run, epoch) = (&first.run, &newest.epoch);
                return Err(format!("run {run} is older than the epoch {epoch} that counts now"));
            }
            if is_new {
                comparable(newest, first)?;
            }
            newest.epoch.clone()
        }
    };
    let (mut new, mut known) = (0, 0);
    for unit in units {
        let there = ledger.get(&unit.id());
        if there.is_some_and(|there| !there.is_same_attempt(unit)) {
            return Err(format!("run {} was accepted before, with another content", unit.run));
        }
        if there.is_some_and(|there| !acceptance.new_epoch || there.epoch == epoch) {
            known += 1;
            continue;
        }
        let unit = Unit {
            epoch: epoch.clone(),
            reason: acceptance.reason.clone(),
            accepted_by: acceptance.version.clone(),
            ..(*unit).clone()
        };
        ledger.put(unit);
        new += 1;
    }
    Ok((new, known, newest.is_none_or(|newest| newest.epoch != epoch)))
}

/// Demands that a unit may stand beside the newest one.
///
/// *Errors*: why not, in one sentence.
pub fn comparable(newest: &Unit, unit: &Unit) -> Result<(), String> {
    let how = "--new-epoch begins anew";
    if newest.machine != unit.machine {
        let (one, other) = (&newest.machine, &unit.machine);
        return Err(format!("its baseline is of machine `{one}` and this run of `{other}`; {how}"));
    }
    if newest.definition != unit.definition {
        return Err(format!("its probe or parameters changed since its baseline; {how}"));
    }
    for (name, sampled) in &unit.metrics {
        let Some(known) = newest.metrics.get(name) else { continue };
        if known.dimension() != sampled.dimension() {
            let (one, other) = (&known.unit, &sampled.unit);
            return Err(format!("its `{name}` is in `{other}` and its baseline in `{one}`; {how}"));
        }
        if known.direction != sampled.direction {
            return Err(format!(
                "of its `{name}` another way is better than of its baseline; {how}"
            ));
        }
    }
    Ok(())
}

/// Accepts a proposal: reads, computes and writes while no other writer can.
///
/// *Errors*: files that are there are not in order, or cannot be written.
pub fn accept(
    shelf: &Shelf,
    proposal: &Proposal,
    acceptance: &Acceptance,
) -> Result<Change, ShelfError> {
    let lock = shelf.lock()?;
    let change = change_by(|place| shelf.read_once(place), proposal, acceptance)?;
    shelf.write(&lock, &change.ledgers)?;
    Ok(change)
}
