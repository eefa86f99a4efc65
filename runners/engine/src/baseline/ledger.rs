//! The ledger: every accepted unit of one suite on one node, one a line, sorted by run.
//!
//! It is the truth; the summary is computed from it. Order and repetition of lines do not matter to
//! a reader, so that two people's ledgers merge by union, by hand or by version control. The same
//! unit with two sets of values is a contradiction and refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::unit::{FORMATS, LEDGER_FORMAT, Unit, UnitId};
use crate::load::{
    catalog::digest,
    diagnostic::{Diagnostic, LoadError, Source},
};

/// Number of units that stay as the anchor. *Source*: `statistics.md`, section 2: the first 10.
pub const ANCHOR_UNITS: usize = 10;
/// Number of the latest units that count. *Source*: `statistics.md`, section 2: the latest 60.
pub const CURRENT_UNITS: usize = 60;
/// Number of epochs of which units are kept, the current one among them. *Proposed*.
pub const EPOCHS: usize = 8;

/// Says that two ledgers contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the unit of {check}, repeat {repeat}, in run {run} stands there with two contents")]
pub struct Conflict {
    run: String,
    check: String,
    repeat: u32,
}

/// Holds the units of one suite on one node, by check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    checks: BTreeMap<String, Units>,
}

/// Holds the units of one check by run and repeat, which sorts them by time.
type Units = BTreeMap<(String, u32), Entry>;

/// Holds one unit with the line that it stands in.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    unit: Unit,
    line: String,
}

/// Holds the units of one check that count, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct History<'l> {
    /// The latest units of the newest epoch.
    pub current: Vec<&'l Unit>,
    /// The first units that were accepted of the same definition on the same machine, ever or since
    /// somebody let the anchor begin anew.
    pub anchor: Vec<&'l Unit>,
}

impl<'l> History<'l> {
    /// Returns the newest unit.
    pub fn newest(&self) -> Option<&'l Unit> {
        self.current.last().copied()
    }
}

impl Ledger {
    /// Reads the text of a ledger.
    ///
    /// *Errors*: every line that is no unit, and where the text is cut.
    pub fn parse(source: &Arc<Source>) -> Result<Self, LoadError> {
        let mut ledger = Self::default();
        let mut error = LoadError::default();
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            let span = start..start + line.trim_end().len();
            start += line.len();
            let text = line.trim();
            if text.is_empty() {
                continue;
            }
            let read = if line.ends_with('\n') { unit(text) } else { Err(cut()) };
            let added = read.and_then(|unit| {
                ledger.insert(unit).map(drop).map_err(|conflict| {
                    (conflict.to_string(), "differs from an earlier line".to_owned())
                })
            });
            if let Err((title, label)) = added {
                let help = "restore the file from version control; `verify baseline merge` brings two whole ledgers together".to_owned();
                let source = Arc::clone(source);
                error.diagnostics.push(Diagnostic { source, span, title, label, help: Some(help) });
            }
        }
        if error.is_empty() { Ok(ledger) } else { Err(error) }
    }

    /// Adds a unit; tells whether it is new.
    ///
    /// Two people may accept one run in other words: the later epoch wins, and then the greater
    /// text, so that a union is the same whoever makes it. A metric that one refused and the other did
    /// not is accepted.
    ///
    /// *Errors*: the unit is there with other values.
    pub fn insert(&mut self, unit: Unit) -> Result<bool, Conflict> {
        if let Some(known) = self.get(&unit.id()) {
            if let Some(joined) = known.joined(&unit) {
                if joined != *known {
                    self.put(joined);
                }
                return Ok(false);
            }
            let UnitId { run, check, repeat } = unit.id();
            return Err(Conflict { run, check, repeat });
        }
        self.put(unit);
        Ok(true)
    }

    /// Puts a unit in the place of the one of the same id.
    pub(super) fn put(&mut self, unit: Unit) {
        // A unit holds names and numbers only, which always have a JSON form.
        let line = serde_json::to_string(&unit).unwrap_or_default();
        let units = self.checks.entry(unit.check.clone()).or_default();
        units.insert((unit.run.clone(), unit.repeat), Entry { unit, line });
    }

    /// Takes out the units of a check, or those of one run alone; returns them, oldest first.
    pub fn remove(&mut self, check: &str, run: Option<&str>) -> Vec<Unit> {
        let Some(units) = self.checks.get_mut(check) else { return Vec::new() };
        let (gone, kept): (Units, Units) = std::mem::take(units)
            .into_iter()
            .partition(|((of, _), _)| run.is_none_or(|run| run == of));
        *units = kept;
        if units.is_empty() {
            self.checks.remove(check);
        }
        gone.into_values().map(|entry| entry.unit).collect()
    }

    /// Adds every unit of another ledger; returns how many are new.
    ///
    /// *Errors*: a unit is in both with different contents; nothing is added then.
    pub fn union(&mut self, other: &Self) -> Result<usize, Conflict> {
        let mut both = self.clone();
        let mut new = 0;
        for entry in other.checks.values().flat_map(BTreeMap::values) {
            new += usize::from(both.insert(entry.unit.clone())?);
        }
        *self = both;
        Ok(new)
    }

    /// Returns a unit.
    pub fn get(&self, id: &UnitId) -> Option<&Unit> {
        let units = self.checks.get(&id.check)?;
        units.get(&(id.run.clone(), id.repeat)).map(|entry| &entry.unit)
    }

    /// Tells whether another unit of the check holds the very same measurement.
    pub(super) fn measured(&self, unit: &Unit) -> bool {
        self.of(&unit.check).any(|known| known.id() != unit.id() && known.metrics == unit.metrics)
    }

    /// Tells whether there is no unit.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// Lists the checks that have units, sorted.
    pub fn checks(&self) -> impl Iterator<Item = &str> {
        self.checks.keys().map(String::as_str)
    }

    /// Lists the runs of which a check has units, oldest first.
    pub fn runs(&self, check: &str) -> impl Iterator<Item = &str> {
        let mut last = "";
        self.of(check).map(|unit| unit.run.as_str()).filter(move |run| {
            let is_new = *run != last;
            last = run;
            is_new
        })
    }

    fn of<'l>(&'l self, check: &str) -> impl Iterator<Item = &'l Unit> {
        self.checks.get(check).into_iter().flat_map(BTreeMap::values).map(|entry| &entry.unit)
    }

    /// Returns the units of a check that count; `None` if there are none.
    pub fn history(&self, check: &str) -> Option<History<'_>> {
        let newest = self.of(check).max_by_key(|unit| (&unit.epoch, unit.id()))?;
        let mut current: Vec<&Unit> =
            self.of(check).filter(|unit| unit.epoch == newest.epoch).collect();
        current.drain(..current.len().saturating_sub(CURRENT_UNITS));
        let alike =
            |unit: &&Unit| unit.definition == newest.definition && unit.machine == newest.machine;
        let since = newest.anchor.as_deref().unwrap_or_default();
        let counts = |unit: &&Unit| alike(unit) && unit.epoch.as_str() >= since;
        let anchor = self.of(check).filter(counts).take(ANCHOR_UNITS).collect();
        Some(History { current, anchor })
    }

    /// Tells whether a check has units of an epoch before that of one of its units.
    pub(super) fn has_epoch_before(&self, unit: &Unit) -> bool {
        self.of(&unit.check).any(|other| other.epoch < unit.epoch)
    }

    /// Drops what no longer counts: of each of the latest epochs the latest units stay, and the
    /// anchor.
    pub fn trim(&mut self) {
        let kept: Vec<(String, BTreeSet<(String, u32)>)> =
            self.checks().map(|check| (check.to_owned(), self.kept(check))).collect();
        for (check, kept) in kept {
            if let Some(units) = self.checks.get_mut(&check) {
                units.retain(|id, _| kept.contains(id));
            }
        }
    }

    fn kept(&self, check: &str) -> BTreeSet<(String, u32)> {
        let id = |unit: &Unit| (unit.run.clone(), unit.repeat);
        let anchor = self.history(check).map(|history| history.anchor).unwrap_or_default();
        let mut kept: BTreeSet<(String, u32)> = anchor.into_iter().map(id).collect();
        let epochs: BTreeSet<&str> = self.of(check).map(|unit| unit.epoch.as_str()).collect();
        for epoch in epochs.into_iter().rev().take(EPOCHS) {
            let units: Vec<&Unit> = self.of(check).filter(|u| u.epoch == epoch).collect();
            let from = units.len().saturating_sub(CURRENT_UNITS);
            kept.extend(units[from..].iter().map(|unit| id(unit)));
        }
        kept
    }

    /// Returns the text: one line a unit, sorted by run, check and repeat.
    pub fn render(&self) -> String {
        let mut lines: Vec<(&str, &str, u32, &str)> = Vec::new();
        for (check, units) in &self.checks {
            let own = units.iter();
            lines.extend(own.map(|((run, repeat), entry)| {
                (run.as_str(), check.as_str(), *repeat, entry.line.as_str())
            }));
        }
        lines.sort_unstable();
        lines.into_iter().flat_map(|(_, _, _, line)| [line, "\n"]).collect()
    }

    /// Returns the digest of the lines of a check, whatever their order in the file.
    pub fn digest(&self, check: &str) -> String {
        let entries = self.checks.get(check).into_iter().flat_map(BTreeMap::values);
        let text: String = entries.flat_map(|entry| [entry.line.as_str(), "\n"]).collect();
        digest(text.as_bytes())
    }
}

fn cut() -> (String, String) {
    ("the ledger ends in the middle of a line".to_owned(), "cut here".to_owned())
}

/// Reads one line.
///
/// *Errors*: a title and a label.
fn unit(text: &str) -> Result<Unit, (String, String)> {
    #[derive(serde::Deserialize)]
    struct Form {
        format: Option<String>,
    }
    if let Ok(unit) = serde_json::from_str::<Unit>(text)
        && FORMATS.contains(&unit.format.as_str())
    {
        return unit.fault().map_or(Ok(unit), |why| Err(fault(&why)));
    }
    let form: Form = serde_json::from_str(text).map_err(|error| fault(&error.to_string()))?;
    match form.format.as_deref() {
        Some(known) if FORMATS.contains(&known) => {}
        Some(other) => {
            let title = format!("the line has the format `{other}`");
            let label =
                format!("this version reads up to `{LEDGER_FORMAT}`; a newer verify may read it");
            return Err((title, label));
        }
        None => return Err(fault("it has no `format`")),
    }
    let read: Result<Unit, _> = serde_json::from_str(text);
    read.map_err(|error| fault(&error.to_string()))
}

fn fault(why: &str) -> (String, String) {
    ("not a unit of a baseline".to_owned(), why.to_owned())
}
