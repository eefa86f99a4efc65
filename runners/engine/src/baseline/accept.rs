//! Accept: which units of a run become normal, which are refused and why.
//!
//! Whatever errored, was disturbed, simulated or replayed, or misses a fixed limit is no measure of
//! normal; it is named and the rest is taken. A miss against the old baseline refuses nothing: to
//! accept it is what the person wants. Nothing is ever mixed across machines or definitions.

use std::collections::BTreeMap;

use verify_model::{
    check::{Check, Expectation},
    effect::Effect,
    judge::{final_attempts, judge},
    matcher::Matcher,
    node::Via,
    observation::Attempt,
    outcome::Outcome,
    run::{Run, RunCheck, RunNode},
    verdict::{Answer, CheckKey},
};

use super::{
    ledger::Ledger,
    shelf::{Place, Shelf, ShelfError, is_plain},
    unit::{self, LEDGER_FORMAT, Unit},
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

/// Holds what of a run may become normal.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// Units by where they belong, in the order of the run.
    pub units: BTreeMap<Place, Vec<Unit>>,
    /// What is refused.
    pub refused: Vec<Refused>,
}

/// Names one thing that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which check.
    pub key: CheckKey,
    /// Which repeat; absent where all are meant.
    pub repeat: Option<u32>,
    /// Why, in one sentence.
    pub why: String,
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

/// Chooses from a run what may become normal; `wanted` selects checks by id.
pub fn propose(run: &Run, wanted: impl Fn(&str) -> bool) -> Proposal {
    let mut proposal = Proposal::default();
    for check in run.checks.iter().filter(|check| wanted(&check.planned.check.id)) {
        let Answer::Attempted(attempts) = &check.answer else {
            if measures(&check.planned.check, &[])
                && let Some(why) = unanswered(&check.answer)
            {
                let key = check.planned.key();
                proposal.refused.push(Refused { key, repeat: None, why });
            }
            continue;
        };
        let finals = final_attempts(attempts);
        if !measures(&check.planned.check, &finals) {
            continue;
        }
        let node = run.nodes.iter().find(|node| node.file.name == check.planned.node);
        let Some(node) = node else { continue };
        let key = check.planned.key();
        if let Some(why) = refuses_all(run, node, &check.planned.check) {
            proposal.refused.push(Refused { key, repeat: None, why });
            continue;
        }
        for attempt in finals {
            let repeat = Some(attempt.repeat);
            match measured(run, node, check, attempt) {
                Ok(unit) => {
                    let suite = check.planned.check.suite.clone();
                    let place = Place { node: check.planned.node.clone(), suite };
                    proposal.units.entry(place).or_default().push(unit);
                }
                Err(why) => proposal.refused.push(Refused { key: key.clone(), repeat, why }),
            }
        }
    }
    proposal
}

/// Tells whether a check measures something: only then is a missing unit worth a word.
fn measures(check: &Check, finals: &[&Attempt]) -> bool {
    let compares = |e: &Expectation| e.matchers.iter().any(|m| matches!(m, Matcher::Within(_)));
    check.effect != Effect::Reads
        || check.expect.iter().chain(&check.advise).any(compares)
        || finals.iter().any(|attempt| !unit::metrics(check, attempt).is_empty())
}

/// Says why a check that measures has nothing to accept; what was left out on purpose is no loss.
fn unanswered(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Blocked { by, outcome } => Some(format!("it waited for {by}: {outcome}")),
        Answer::Interrupted | Answer::NotReached => {
            Some("the run was interrupted before it was answered".to_owned())
        }
        Answer::Attempted(_) | Answer::NeedAbsent { .. } | Answer::LeftOut { .. } => None,
    }
}

fn refuses_all(run: &Run, node: &RunNode, check: &Check) -> Option<String> {
    if !unit::is_id(&run.header.id) {
        return Some("its run has no id that verify gives".to_owned());
    }
    if !is_plain(&node.file.name) || !is_plain(&check.suite) {
        return Some(format!("suite `{}` is no name of a file", check.suite));
    }
    match &node.via {
        Via::Replay(run) => {
            return Some(format!("it is a replay of {run}, which measures nothing"));
        }
        Via::Local | Via::Ssh(_) => {}
    }
    let nameless = node.facts.hostname.is_empty();
    nameless.then(|| "the machine did not say its host name, so it cannot be told again".to_owned())
}

/// Makes a unit of an attempt.
///
/// *Errors*: why it is no measure of normal, in one sentence.
fn measured(
    run: &Run,
    node: &RunNode,
    check: &RunCheck,
    attempt: &Attempt,
) -> Result<Unit, String> {
    let planned = &check.planned;
    let observation = match &attempt.result {
        Ok(observation) => observation,
        Err(error) => return Err(format!("it gave an error: {}", error.message)),
    };
    if let Some(why) = &attempt.disturbed {
        return Err(format!("it was disturbed: {why}"));
    }
    if let Some(by) = &observation.simulated {
        return Err(format!("it was simulated by {by}"));
    }
    let alone = Answer::Attempted(vec![attempt.clone()]);
    let verdict = judge(&planned.node, &without_baselines(&planned.check), &alone, &[]);
    if verdict.outcome != Outcome::Pass {
        let why = verdict.findings.first().map(|finding| finding.message.as_str());
        return Err(format!("it misses a fixed limit: {}", why.unwrap_or("no reason was given")));
    }
    let metrics = unit::metrics(&planned.check, attempt);
    if metrics.is_empty() {
        return Err("it measured nothing that the check judges or records".to_owned());
    }
    Ok(Unit {
        format: LEDGER_FORMAT.to_owned(),
        run: run.header.id.clone(),
        check: planned.check.id.clone(),
        repeat: attempt.repeat,
        started_at: run.header.started_at.clone(),
        at_ms: attempt.at_ms,
        machine: node.facts.hostname.clone(),
        boot: Some(node.facts.boot.clone()).filter(|boot| !boot.is_empty()),
        definition: unit::definition(&planned.check),
        measured_by: Some(run.header.version.clone()),
        via: way(&node.via).map(str::to_owned),
        epoch: run.header.id.clone(),
        reason: String::new(),
        accepted_by: String::new(),
        metrics,
    })
}

/// Names the way without the name of a machine, which is nobody's matter in a file that is shared.
fn way(via: &Via) -> Option<&'static str> {
    match via {
        Via::Local => Some("local"),
        Via::Ssh(_) => Some("ssh"),
        Via::Replay(_) => None,
    }
}

/// Returns the check with its fixed limits alone; a field that is only compared is still demanded.
fn without_baselines(check: &Check) -> Check {
    let mut fixed = check.clone();
    for expectation in &mut fixed.expect {
        expectation.matchers.retain(|matcher| !matches!(matcher, Matcher::Within(_)));
    }
    let compared = fixed.expect.iter().filter(|e| e.matchers.is_empty());
    fixed.record = compared.map(|e| e.field.clone()).chain(check.record.iter().cloned()).collect();
    fixed.expect.retain(|expectation| !expectation.matchers.is_empty());
    fixed.advise.clear();
    fixed
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
