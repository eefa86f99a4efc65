//! Which baselines a plan is compared with, and which of them cannot be compared.

use std::collections::{BTreeMap, BTreeSet};

use verify_model::{
    baseline::Baseline,
    check::Check,
    fingerprint::{self, Change, Depends, Fingerprint, changes},
    node::Facts,
    verdict::CheckKey,
};

use super::{
    distribution::distribution,
    ledger::{History, Ledger},
    session::{Moment, past},
    shelf::{Place, Shelf, is_plain},
    summary::centre,
    unit::{Unit, definition, fields},
};
use crate::{load::diagnostic::LoadError, probes};

/// Holds a baseline with the machine that it was taken on.
#[derive(Clone, Debug)]
pub struct Accepted {
    baseline: Baseline,
    machine: String,
    definition: String,
    simulated: bool,
    /// Newest run that it was taken from.
    newest: String,
    /// Whether the probe reads what was measured elsewhere: the same result again is no other run.
    pub(super) only_reads: bool,
    /// What the machine was made of at the newest unit, and what of it matters.
    fingerprint: Fingerprint,
    depends: &'static [Depends],
    /// Units of earlier runs that stand beside a new one, in the order of time.
    pub(super) earlier: Vec<Unit>,
}

impl Accepted {
    #[cfg(feature = "faults")]
    /// Builds it from units of a check that stand in no file.
    pub(crate) fn of_units(
        node: &str,
        check: &Check,
        units: impl Iterator<Item = Unit>,
    ) -> Vec<Self> {
        let mut ledger = Ledger::default();
        units.for_each(|unit| ledger.put(unit));
        let history = ledger.history(&check.id);
        history.map(|history| of_check(node, check, &history).collect()).unwrap_or_default()
    }

    /// Tells whether it is of a check.
    pub fn is_of(&self, check: &str) -> bool {
        self.baseline.key.check == check
    }

    /// Tells whether a baseline is made from it.
    pub fn is_behind(&self, baseline: &Baseline) -> bool {
        (&self.baseline.key, &self.baseline.field) == (&baseline.key, &baseline.field)
    }

    /// Says in a baseline what changed in the machine since.
    ///
    /// With another ruler nothing is compared; a cause stands beside what came of it.
    pub fn tell_changes(&self, baseline: &mut Baseline, now: &Fingerprint) {
        let changes = changes(&self.fingerprint, now, self.depends);
        let phrases = |changes: &[Change]| changes.iter().map(Change::phrase).collect::<Vec<_>>();
        if let Some(ruler) = phrases(&changes.rulers).first() {
            let why = format!("what it is measured with changed: {ruler}");
            baseline.mismatch.get_or_insert(why);
        }
        baseline.changed = phrases(&changes.causes);
        baseline.machine_unknown = self.fingerprint.is_empty();
        for unit in &self.earlier {
            let between = fingerprint::changes(&unit.fingerprint, now, self.depends);
            if let Some(change) = between.rulers.iter().chain(&between.causes).next() {
                let why =
                    format!("since run {} the machine changed: {}", unit.run, change.phrase());
                baseline.mismatch.get_or_insert(why);
            }
        }
    }

    /// Tells whether a unit measured the same on the same machine.
    pub(super) fn is_like(&self, unit: &Unit) -> bool {
        self.is_of(&unit.check)
            && unit.machine == self.machine
            && unit.definition == self.definition
            && is_simulated(unit) == self.simulated
    }

    /// Tells whether a run is part of it, or older.
    pub(super) fn is_since(&self, run: &str) -> bool {
        self.newest.as_str() >= run
    }

    /// Returns the baseline as this machine's answers are compared with it, in a run that starts now.
    pub fn on(&self, facts: &Facts, started_at: &str) -> Baseline {
        let mut baseline = self.baseline.clone();
        if self.machine != facts.hostname {
            let (one, other) = (&self.machine, &facts.hostname);
            baseline.mismatch =
                Some(format!("its baseline is of machine `{one}`, and `{other}` answered"));
        }
        let units: Vec<&Unit> = self.earlier.iter().collect();
        baseline.earlier = past(&units, &baseline.field, baseline.centre.unit());
        // Those of this very session are no session of their own.
        let now = Moment::new("", Some(&facts.boot), started_at, 0);
        let last = baseline.earlier.last().map(|past| past.session);
        if units.last().is_some_and(|unit| Moment::of(unit).is_with(&now)) {
            let own = baseline.earlier.iter_mut().filter(|past| Some(past.session) == last);
            own.for_each(|past| past.session = 0);
        }
        baseline
    }
}

/// Returns what the metrics of a probe depend on.
pub(super) fn depends_of(probe: &str) -> &'static [Depends] {
    probes::find(probe).map_or(&[], |probe| probe.spec().depends)
}

/// Returns the units that were measured with what the newest one was measured with; across another
/// ruler nothing is compared.
pub(super) fn same_rulers<'u>(
    units: &[&'u Unit],
    newest: &Unit,
    depends: &[Depends],
) -> Vec<&'u Unit> {
    let rulers = |unit: &Unit| changes(&unit.fingerprint, &newest.fingerprint, depends).rulers;
    units.iter().copied().filter(|unit| rulers(unit).is_empty()).collect()
}

fn is_simulated(unit: &Unit) -> bool {
    unit.via.as_deref() == Some("sim")
}

/// Reads the baselines of a node's checks, sorted by check and field.
///
/// *Errors*: a file is damaged, or a summary and its ledger disagree.
pub fn accepted(shelf: &Shelf, node: &str, checks: &[Check]) -> Result<Vec<Accepted>, LoadError> {
    let mut ledgers: BTreeMap<&str, Ledger> = BTreeMap::new();
    let mut found = Vec::new();
    let mut error = LoadError::default();
    for check in checks {
        if !is_plain(node) || !is_plain(&check.suite) {
            continue;
        }
        if !ledgers.contains_key(check.suite.as_str()) {
            let place = Place { node: node.to_owned(), suite: check.suite.clone() };
            let ledger = shelf.read(&place).unwrap_or_else(|wrong| {
                error.diagnostics.extend(wrong.diagnostics);
                error.general.extend(wrong.general);
                Ledger::default()
            });
            ledgers.insert(&check.suite, ledger);
        }
        let history =
            ledgers.get(check.suite.as_str()).and_then(|ledger| ledger.history(&check.id));
        if let Some(history) = history {
            found.extend(of_check(node, check, &history));
        }
    }
    found.sort_by(|a, b| Baseline::order(&a.baseline, &b.baseline));
    if error.is_empty() { Ok(found) } else { Err(error) }
}

fn of_check<'h>(
    node: &'h str,
    check: &'h Check,
    history: &'h History<'h>,
) -> impl Iterator<Item = Accepted> + 'h {
    let mismatch = history.newest().filter(|newest| newest.definition != definition(check));
    let mismatch = mismatch
        .map(|_| "its baseline was taken with another probe or other parameters".to_owned());
    let fields: BTreeSet<&str> = fields(check).into_iter().collect();
    fields.into_iter().filter_map(move |field| {
        let now = centre(&history.current, field)?;
        let newest = history.newest()?;
        let measure = now.centre.unit();
        let anchor = if history.anchor == history.current {
            Vec::new()
        } else {
            same_rulers(&history.anchor, newest, depends_of(&check.probe))
        };
        let baseline = Baseline {
            spread: now.spread,
            units: now.units,
            epoch: newest.epoch.clone(),
            current: past(&history.current, field, measure),
            anchor: past(&anchor, field, measure),
            distribution: distribution(&history.current, field),
            mismatch: mismatch.clone(),
            ..Baseline::new(CheckKey::new(node, &check.id), field, now.centre)
        };
        Some(Accepted {
            baseline,
            machine: newest.machine.clone(),
            definition: newest.definition.clone(),
            simulated: is_simulated(newest),
            newest: history.current.iter().map(|unit| unit.run.clone()).max().unwrap_or_default(),
            only_reads: probes::find(&check.probe).is_some_and(|probe| !probe.measures_anew()),
            fingerprint: newest.fingerprint.clone(),
            depends: depends_of(&check.probe),
            earlier: Vec::new(),
        })
    })
}
