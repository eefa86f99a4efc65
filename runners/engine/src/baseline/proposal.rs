//! Which units of a run may become normal, and which are refused and why.
//!
//! Whatever errored, was disturbed, simulated or replayed is no measure of normal; it is named and the
//! rest is proposed. A metric that misses a fixed limit is refused, in all repeats of the run: to take
//! those that held would be to pick. What a miss against the old baseline means is said where the two
//! stand side by side. Pure: files are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use verify_model::{
    check::{Check, Expectation},
    effect::Effect,
    fingerprint::Depends,
    judge::{final_attempts, judge},
    matcher::Matcher,
    node::Via,
    observation::Attempt,
    outcome::Outcome,
    run::{PlannedCheck, Run, RunCheck, RunNode},
    verdict::{Answer, CheckKey},
};

use super::{
    compared::depends_of,
    shelf::{Place, is_plain},
    unit::{self, Unit},
};
use crate::probes;

/// Holds what of a run may become normal.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// Units by where they belong, in the order of the run.
    pub units: BTreeMap<Place, Vec<Unit>>,
    /// What is refused.
    pub refused: Vec<Refused>,
    /// What suites tolerate, by check.
    pub compares: BTreeMap<CheckKey, Compares>,
}

impl Proposal {
    /// Adds what of a later run may become normal.
    pub fn add(&mut self, later: Self) {
        for (place, units) in later.units {
            self.units.entry(place).or_default().extend(units);
        }
        self.refused.extend(later.refused);
        self.compares.extend(later.compares);
    }
}

/// Says how a check compares with baselines.
#[derive(Clone, Debug, Default)]
pub struct Compares {
    /// Demands that compare.
    pub demands: Vec<Expectation>,
    /// On what its metrics depend.
    pub depends: &'static [Depends],
    /// Whether it reads what was measured elsewhere: the same result again is no other unit.
    pub only_reads: bool,
}

/// Names one thing that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which check.
    pub key: CheckKey,
    /// Of which run.
    pub run: String,
    /// Which repeat; absent where all are meant.
    pub repeat: Option<u32>,
    /// Which metric; absent where all are meant.
    pub metric: Option<String>,
    /// Why, in one sentence.
    pub why: String,
}

/// Chooses from a run what may become normal; `wanted` selects checks by id.
///
/// What is simulated is refused unless it is allowed.
pub fn propose(run: &Run, wanted: impl Fn(&str) -> bool, simulated: bool) -> Proposal {
    let mut proposal = Proposal::default();
    for check in run.checks.iter().filter(|check| wanted(&check.planned.check.id)) {
        let key = check.planned.key();
        let refused = |repeat, metric, why| Refused {
            key: key.clone(),
            run: run.header.id.clone(),
            repeat,
            metric,
            why,
        };
        let Answer::Attempted(attempts) = &check.answer else {
            if measures(&check.planned.check, &[])
                && let Some(why) = unanswered(&check.answer)
            {
                proposal.refused.push(refused(None, None, why));
            }
            continue;
        };
        let finals = final_attempts(attempts);
        if !measures(&check.planned.check, &finals) {
            continue;
        }
        let node = run.nodes.iter().find(|node| node.file.name == check.planned.node);
        let Some(node) = node else { continue };
        if let Some(why) = refuses_all(run, node, &check.planned.check, simulated) {
            proposal.refused.push(refused(None, None, why));
            continue;
        }
        let missed = missed(&check.planned, &finals);
        let mut said: BTreeSet<&str> = BTreeSet::new();
        for attempt in finals {
            let repeat = Some(attempt.repeat);
            match measured(run, node, check, attempt, simulated) {
                Ok(mut unit) => {
                    unit.withhold(missed.keys().cloned());
                    for (metric, why) in missed.iter().filter(|(metric, _)| said.insert(metric)) {
                        proposal.refused.push(refused(None, Some(metric.clone()), why.clone()));
                    }
                    if unit.metrics.is_empty() {
                        continue;
                    }
                    let suite = check.planned.check.suite.clone();
                    let place = Place { node: check.planned.node.clone(), suite };
                    proposal.units.entry(place).or_default().push(unit);
                }
                Err(why) => proposal.refused.push(refused(repeat, None, why)),
            }
        }
        proposal.compares.insert(key.clone(), compares(&check.planned.check));
    }
    proposal
}

fn compares(check: &Check) -> Compares {
    let within = |e: &&Expectation| e.matchers.iter().any(|m| matches!(m, Matcher::Within(_)));
    Compares {
        demands: check.expect.iter().filter(within).cloned().collect(),
        depends: depends_of(&check.probe),
        only_reads: probes::find(&check.probe).is_some_and(|probe| !probe.measures_anew()),
    }
}

/// Names the metrics of which an attempt misses a fixed limit, with the first of them.
fn missed(planned: &PlannedCheck, finals: &[&Attempt]) -> BTreeMap<String, String> {
    let mut missed = BTreeMap::new();
    for attempt in finals.iter().filter(|attempt| attempt.disturbed.is_none()) {
        for name in unit::metrics(&planned.check, attempt).into_keys() {
            let own = demands_of(&planned.check, |field| is_of(field, &name));
            if let Some(why) = misses(&planned.node, &own, attempt) {
                let why =
                    format!("{why} in repeat {}; no repeat of this run is taken", attempt.repeat);
                missed.entry(name).or_insert(why);
            }
        }
    }
    missed
}

/// Tells whether a dotted path belongs to a metric.
fn is_of(field: &str, metric: &str) -> bool {
    field.strip_prefix(metric).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Says which fixed limit an attempt misses, if it does.
fn misses(node: &str, check: &Check, attempt: &Attempt) -> Option<String> {
    if check.expect.is_empty() && check.record.is_empty() {
        return None;
    }
    let verdict = judge(node, check, &Answer::Attempted(vec![attempt.clone()]), &[]);
    if verdict.outcome == Outcome::Pass {
        return None;
    }
    let why = verdict.findings.first().map(|finding| finding.message.as_str());
    Some(format!("it misses a fixed limit: {}", why.unwrap_or("no reason was given")))
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
    let metrics = unit::metrics(&planned.check, attempt);
    let facts = demands_of(&planned.check, |field| !metrics.keys().any(|name| is_of(field, name)));
    if let Some(why) = misses(&planned.node, &facts, attempt) {
        return Err(why);
    }
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
        anchor: None,
        withheld: Vec::new(),
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

/// Returns the check with its fixed limits on some fields alone; a field that is only compared is still
/// demanded.
fn demands_of(check: &Check, wanted: impl Fn(&str) -> bool) -> Check {
    let mut fixed = check.clone();
    fixed.expect.retain(|expectation| wanted(&expectation.field));
    for expectation in &mut fixed.expect {
        expectation.matchers.retain(|matcher| !matches!(matcher, Matcher::Within(_)));
    }
    let compared = fixed.expect.iter().filter(|e| e.matchers.is_empty()).map(|e| e.field.clone());
    let recorded = check.record.iter().filter(|field| wanted(field)).cloned();
    fixed.record = compared.chain(recorded).collect();
    fixed.expect.retain(|expectation| !expectation.matchers.is_empty());
    fixed.advise.clear();
    fixed
}
