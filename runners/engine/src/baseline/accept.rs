//! Accept: what a proposal changes, and writing it.
//!
//! Nothing is ever mixed across machines or definitions, nor across an epoch; `accept` is the only
//! writer of new units. A metric that is worse than is tolerated is refused by itself, until somebody
//! says that this is the new normal.

use std::collections::BTreeSet;

use globset::GlobSet;
use verify_model::{fingerprint::differences, verdict::CheckKey};

use super::{
    ledger::Ledger,
    proposal::{Compares, Proposal, Refused},
    ratchet,
    shelf::{Place, Shelf, ShelfError},
    unit::{LEDGER_FORMAT, Unit},
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
    /// Where the anchor begins anew, and with it what counts.
    pub rebase: Rebase,
}

/// Says of which checks a worse value is the new normal.
#[derive(Clone, Debug, Default)]
pub enum Rebase {
    /// Of none.
    #[default]
    Never,
    /// Of those that would be refused otherwise.
    WhereWorse,
    /// Of those that match.
    These(GlobSet),
}

impl Rebase {
    fn holds_for(&self, check: &str, is_worse: bool) -> bool {
        match self {
            Self::Never => false,
            Self::WhereWorse => is_worse,
            Self::These(globs) => globs.is_match(check),
        }
    }
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
    /// Whether the anchor begins anew with them.
    pub rebased: bool,
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
            let compares = proposal.compares.get(&key).cloned().unwrap_or_default();
            let run = own.first().map(|unit| unit.run.clone()).unwrap_or_default();
            let refused = |metric, why| Refused {
                key: key.clone(),
                run: run.clone(),
                repeat: None,
                metric,
                why,
            };
            match take(&mut ledger, &own, &compares, acceptance) {
                Ok(took) => {
                    let held = took.held.into_iter();
                    change.refused.extend(held.map(|(name, why)| refused(Some(name), why)));
                    if took.new + took.known > 0 {
                        let Took { new, known, begins, rebased, .. } = took;
                        change.taken.push(Taken { key, new, known, begins, rebased });
                    }
                }
                Err(why) => change.refused.push(refused(None, why)),
            }
        }
        ledger.trim();
        if ledger != before {
            change.ledgers.push((place.clone(), ledger));
        }
    }
    Ok(change)
}

/// Says what became of the units of one check.
#[derive(Default)]
struct Took {
    new: usize,
    known: usize,
    begins: bool,
    rebased: bool,
    /// Metrics that are refused, with the reason.
    held: Vec<(String, String)>,
}

/// Adds the units of one check.
///
/// *Errors*: why they cannot stand beside what is there, in one sentence.
fn take(
    ledger: &mut Ledger,
    units: &[&Unit],
    compares: &Compares,
    acceptance: &Acceptance,
) -> Result<Took, String> {
    let Some(first) = units.first() else { return Ok(Took::default()) };
    for unit in units {
        same_kind(first, unit)?;
    }
    let newest = ledger.history(&first.check).and_then(|history| history.newest().cloned());
    let held = held(ledger, units, compares);
    let rebased = newest.is_some() && acceptance.rebase.holds_for(&first.check, !held.is_empty());
    let held = if rebased { Vec::new() } else { held };
    let anew = acceptance.new_epoch || rebased;
    let epoch = epoch(ledger, units, newest.as_ref(), anew)?;
    let anchor = if rebased {
        Some(first.run.clone())
    } else {
        newest.as_ref().and_then(|newest| newest.anchor.clone())
    };
    let mut took = Took {
        begins: newest.is_none_or(|newest| newest.epoch != epoch),
        rebased,
        ..Took::default()
    };
    for unit in units {
        let mut unit = Unit {
            epoch: epoch.clone(),
            reason: acceptance.reason.clone(),
            accepted_by: acceptance.version.clone(),
            anchor: anchor.clone(),
            ..(*unit).clone()
        };
        unit.withhold(held.iter().map(|(name, _)| name.clone()));
        if unit.metrics.is_empty() {
            continue;
        }
        if unit.anchor.is_some() || !unit.withheld.is_empty() {
            LEDGER_FORMAT.clone_into(&mut unit.format);
        }
        if compares.only_reads && ledger.measured(&unit) {
            // The same result, read again.
            took.known += 1;
            continue;
        }
        let there = ledger.get(&unit.id());
        if there.is_some_and(|there| !there.is_same_attempt(&unit)) {
            return Err(format!("run {} was accepted before, with another content", unit.run));
        }
        if let Some(there) = there.filter(|there| !anew || there.epoch == epoch) {
            if unit.metrics.keys().all(|name| there.metrics.contains_key(name)) {
                took.known += 1;
                continue;
            }
            // What was refused then is accepted now; what was accepted then stays.
            let kept = there.metrics.iter().map(|(name, metric)| (name.clone(), metric.clone()));
            unit.metrics.extend(kept);
            unit.withheld.retain(|name| !unit.metrics.contains_key(name));
        }
        ledger.put(unit);
        took.new += 1;
    }
    took.held = held;
    Ok(took)
}

/// Names the metrics that are worse than is tolerated, with the reason.
fn held(ledger: &Ledger, units: &[&Unit], compares: &Compares) -> Vec<(String, String)> {
    let mut held: Vec<(String, String)> = Vec::new();
    let Some(first) = units.first() else { return held };
    let Some(history) = ledger.history(&first.check) else { return held };
    if history.newest().is_none_or(|newest| comparable(newest, first).is_err()) {
        return held;
    }
    for demand in &compares.demands {
        let Some((metric, _)) = first.metric_of(&demand.field) else { continue };
        let is_new = |unit: &&&Unit| {
            ledger.get(&unit.id()).is_none_or(|there| !there.metrics.contains_key(metric))
        };
        let new: Vec<&Unit> = units.iter().filter(is_new).copied().collect();
        if let Some(why) = ratchet::worse(&history, &new, demand, compares.depends)
            && !held.iter().any(|(known, _)| known == metric)
        {
            held.push((metric.to_owned(), why));
        }
    }
    held
}

/// Returns the epoch to which units belong.
///
/// *Errors*: they are older than the one that counts, or cannot stand in it.
fn epoch(
    ledger: &Ledger,
    units: &[&Unit],
    newest: Option<&Unit>,
    anew: bool,
) -> Result<String, String> {
    let Some(first) = units.first() else { return Ok(String::new()) };
    let Some(newest) = newest else { return Ok(first.run.clone()) };
    let late = |first: &Unit| {
        let (run, epoch) = (&first.run, &newest.epoch);
        Err(format!("run {run} is older than the epoch {epoch} that counts now"))
    };
    if anew {
        return if first.run < newest.epoch { late(first) } else { Ok(first.run.clone()) };
    }
    let is_new = units.iter().any(|unit| ledger.get(&unit.id()).is_none());
    if is_new && first.run < newest.epoch && ledger.has_epoch_before(newest) {
        // Whatever changed when the epoch began had not changed yet.
        return late(first);
    }
    if is_new {
        comparable(newest, first)?;
        unchanged(newest, first).map_err(|what| {
            format!("the machine changed since its baseline, {what}; --new-epoch begins anew")
        })?;
    }
    Ok(newest.epoch.clone())
}

/// Demands that units that are accepted together are of one kind.
///
/// *Errors*: why not, in one sentence.
fn same_kind(first: &Unit, unit: &Unit) -> Result<(), String> {
    let runs: BTreeSet<&str> = [first.run.as_str(), unit.run.as_str()].into();
    let runs = runs.into_iter().collect::<Vec<_>>().join(" and ");
    if first.machine != unit.machine {
        let (one, other) = (&first.machine, &unit.machine);
        return Err(format!("runs {runs} are of two machines, `{one}` and `{other}`; accept one"));
    }
    if first.definition != unit.definition {
        return Err(format!("its probe or parameters changed between runs {runs}; accept one"));
    }
    unchanged(first, unit)
        .map_err(|what| format!("the machine changed between runs {runs}, {what}; accept one"))?;
    comparable(first, unit).map_err(|_| format!("it has other units in runs {runs}; accept one"))
}

/// Demands that a machine is made of the same at two units, as far as the metrics depend on it; what is
/// not known is no change.
///
/// *Errors*: the first thing that changed.
fn unchanged(one: &Unit, other: &Unit) -> Result<(), String> {
    let changes = differences(&one.fingerprint, &other.fingerprint);
    changes.causes.first().map_or(Ok(()), |change| Err(change.phrase()))
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
