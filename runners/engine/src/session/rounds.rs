//! Which checks are measured again in a run until decided, and how often.
//!
//! The numbers of runs at which is looked are fixed beforehand, so looking often alarms no more than
//! looking once. What is decided is not measured again.

use std::collections::BTreeMap;

use verify_model::{
    observation::Attempt,
    settle::{Looks, settle},
    statistics::RUNS,
    verdict::{CheckKey, Verdict},
};

/// Most repeats of one check: some may be disturbed, and are measured again.
const MOST: u32 = 40;

/// Says which check is measured again.
pub(super) struct Again {
    pub(super) key: CheckKey,
    /// What was measured before.
    pub(super) attempts: Vec<Attempt>,
    /// Number of the last repeat, so that the next look has its units.
    pub(super) until: u32,
}

/// Lists what is open after a look; nothing where all is decided or the last look was had.
pub(super) fn open(
    verdicts: &BTreeMap<CheckKey, Verdict>,
    attempts: &BTreeMap<CheckKey, Vec<Attempt>>,
) -> Vec<Again> {
    let mut settled: Vec<Verdict> = verdicts.values().cloned().collect();
    settle(&mut settled, Looks::UntilDecided, &[], "");
    let mut again = Vec::new();
    for verdict in &settled {
        let undecided = verdict
            .comparisons
            .iter()
            .filter(|comparison| comparison.is_open() && !comparison.by_session);
        let missing = undecided.filter_map(|comparison| {
            // What cannot be computed is not computed from more.
            let units = u32::try_from(comparison.new.runs).ok().filter(|runs| *runs > 0)?;
            Some(RUNS.next(units)?.saturating_sub(units))
        });
        let (Some(missing), Some(known)) = (missing.max(), attempts.get(&verdict.key)) else {
            continue;
        };
        let last = known.iter().map(|attempt| attempt.repeat).max().unwrap_or_default();
        let until = last.saturating_add(missing).min(MOST);
        if until > last {
            let key = verdict.key.clone();
            again.push(Again { key, attempts: known.clone(), until });
        }
    }
    again
}
