//! Which units of a run may become normal, and which are refused and why.
//!
//! Whatever errored, was disturbed, simulated or replayed, or misses a fixed limit is no measure of
//! normal; it is named and the rest is proposed. A miss against the old baseline refuses nothing: to
//! accept it is what the person wants. Pure: files are not looked at.

use std::collections::BTreeMap;

use verify_model::{
    check::Check,
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
    shelf::{Place, is_plain},
    unit::{self, Unit},
};

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

/// Chooses from a run what may become normal; `wanted` selects checks by id.
///
/// What is simulated is refused unless it is allowed.
pub fn propose(run: &Run, wanted: impl Fn(&str) -> bool, simulated: bool) -> Proposal {
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
        if let Some(why) = refuses_all(run, node, &check.planned.check, simulated) {
            proposal.refused.push(Refused { key, repeat: None, why });
            continue;
        }
        for attempt in finals {
            let repeat = Some(attempt.repeat);
            match measured(run, node, check, attempt, simulated) {
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
    check.effect != Effect::Reads
        || check.compares()
        || finals.iter().any(|attempt| !unit::metrics(check, attempt).is_empty())
}

/// Says why a check that measures has nothing to accept; what was left out on purpose is no loss.
fn unanswered(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Unreachable { message, .. } => Some(format!("the node was not reached: {message}")),
        Answer::Blocked { by, outcome } => Some(format!("it waited for {by}: {outcome}")),
        Answer::Interrupted | Answer::NotReached => {
            Some("the run was interrupted before it was answered".to_owned())
        }
        Answer::Attempted(_) | Answer::NeedAbsent { .. } | Answer::LeftOut { .. } => None,
    }
}

fn refuses_all(run: &Run, node: &RunNode, check: &Check, simulated: bool) -> Option<String> {
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
        Via::Local | Via::Ssh(_) | Via::Slurm(_) | Via::Sim(_) => {}
    }
    if let Some(scenario) = &node.facts.simulated
        && !simulated
    {
        return Some(by_scenario(scenario));
    }
    let nameless = node.facts.hostname.is_empty();
    nameless.then(|| "the machine did not say its host name, so it cannot be told again".to_owned())
}

fn by_scenario(name: &str) -> String {
    format!("it was simulated by {name}, which only --allow-simulated accepts")
}

/// Makes a unit of an attempt.
///
/// *Errors*: why it is no measure of normal, in one sentence.
fn measured(
    run: &Run,
    node: &RunNode,
    check: &RunCheck,
    attempt: &Attempt,
    simulated: bool,
) -> Result<Unit, String> {
    let planned = &check.planned;
    let observation = match &attempt.result {
        Ok(observation) => observation,
        Err(error) => return Err(format!("it gave an error: {}", error.message)),
    };
    if let Some(why) = &attempt.disturbed {
        return Err(format!("it was disturbed: {why}"));
    }
    if let Some(by) = &observation.simulated
        && !simulated
    {
        return Err(by_scenario(by));
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
    let (fingerprint, format) = unit::fingerprint(&planned.check, &node.fingerprint);
    Ok(Unit {
        format: format.to_owned(),
        fingerprint,
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
        Via::Slurm(_) => Some("slurm"),
        Via::Sim(_) => Some("sim"),
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
