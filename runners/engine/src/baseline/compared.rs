//! Which baselines a plan is compared with, and which of them cannot be compared.

use std::collections::{BTreeMap, BTreeSet};

use verify_model::{baseline::Baseline, check::Check, node::Facts, verdict::CheckKey};

use super::{
    ledger::{History, Ledger},
    shelf::{Place, Shelf, is_plain},
    summary::centre,
    unit::{definition, fields},
};
use crate::load::diagnostic::LoadError;

/// Reads the baselines of a node's checks, sorted by check and field.
///
/// *Errors*: a file is damaged, or a summary and its ledger disagree.
pub fn compared<'c>(
    shelf: &Shelf,
    node: &str,
    facts: &Facts,
    checks: impl IntoIterator<Item = &'c Check>,
) -> Result<Vec<Baseline>, LoadError> {
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
            found.extend(of_check(node, facts, check, &history));
        }
    }
    found.sort_by(Baseline::order);
    if error.is_empty() { Ok(found) } else { Err(error) }
}

fn of_check<'h>(
    node: &'h str,
    facts: &'h Facts,
    check: &'h Check,
    history: &'h History<'h>,
) -> impl Iterator<Item = Baseline> + 'h {
    let mismatch = mismatch(facts, check, history);
    let fields: BTreeSet<&str> = fields(check).into_iter().collect();
    fields.into_iter().filter_map(move |field| {
        let now = centre(&history.current, field)?;
        Some(Baseline {
            key: CheckKey::new(node, &check.id),
            field: field.to_owned(),
            centre: now.centre,
            spread: now.spread,
            units: now.units,
            epoch: history.newest()?.epoch.clone(),
            mismatch: mismatch.clone(),
        })
    })
}

/// Says why what this machine answers cannot be compared with its baseline.
fn mismatch(facts: &Facts, check: &Check, history: &History<'_>) -> Option<String> {
    let newest = history.newest()?;
    if newest.machine != facts.hostname {
        let (one, other) = (&newest.machine, &facts.hostname);
        return Some(format!("its baseline is of machine `{one}`, and `{other}` answered"));
    }
    (newest.definition != definition(check))
        .then(|| "its baseline was taken with another probe or other parameters".to_owned())
}
