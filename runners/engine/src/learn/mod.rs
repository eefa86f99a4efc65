//! What a suite would say of a machine as it stands, from the runs that it answered.
//!
//! A proposal, never a judgement: what a person leaves in it is what holds. Facts are taken where they
//! are of a kind that does not change by itself and were the same in every run; of a metric, a limit from
//! its spread over at least five runs. What is left out is said, with the reason. Nothing is taken of
//! what was simulated, disturbed, in error or failed. Pure: runs in, text out.

mod fact;
mod limit;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use verify_model::{
    check::Check,
    judge::final_attempts,
    node::Via,
    observation::Observation,
    outcome::Outcome,
    run::{Run, RunCheck, RunNode},
    verdict::Answer,
};

pub use self::limit::{FEWEST_RUNS, Limit, limit};
use crate::{
    baseline::definition,
    probe::{ParamKind, With},
    probes,
};

/// Beginning of the name of a suite that was learned.
const SUITE: &str = "learned-";
/// Group of the ids of what was learned.
const GROUP: &str = "learned";

/// Says that nothing can be learned, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LearnError(String);

/// Holds a proposed suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// Name of the suite.
    pub suite: String,
    /// Text of its file.
    pub text: String,
    /// Number of checks in it.
    pub checks: usize,
    /// Runs that were used, oldest first.
    pub runs: Vec<String>,
}

/// Holds what the runs of a node said of one check.
struct Answers<'r> {
    check: &'r Check,
    /// Answers by run, oldest first; of a run, one for each repeat.
    seen: Vec<Vec<&'r Observation>>,
    /// Boots of the machine from which they are.
    sessions: BTreeSet<&'r str>,
    /// Why runs do not count, each once.
    unused: BTreeSet<String>,
    /// Fields of which the suite demands or advises something else than was seen.
    missed: BTreeSet<&'r str>,
}

/// Proposes a suite for a node.
///
/// *Errors*: no run of it can be used.
pub fn learn(runs: &[Run], node: &str, simulated: bool) -> Result<Learned, LearnError> {
    let mut runs: Vec<&Run> = runs.iter().collect();
    runs.sort_by(|one, other| one.header.id.cmp(&other.header.id));
    runs.dedup_by(|one, other| one.header.id == other.header.id);
    let mut left: Vec<String> = Vec::new();
    let mut used: Vec<(&Run, &RunNode)> = Vec::new();
    for run in runs {
        let Some(asked) = run.nodes.iter().find(|asked| asked.file.name == node) else { continue };
        match unusable(asked, simulated) {
            Some(why) => left.push(format!("run {}: {why}", run.header.id)),
            None => used.push((run, asked)),
        }
    }
    // What another machine of that name said is not what this one is.
    let Some(machine) = used.last().map(|(_, asked)| asked.facts.hostname.clone()) else {
        let why = left.first().map(|why| format!(": {why}")).unwrap_or_default();
        return Err(LearnError(format!("no run of node {node} can be learned from{why}")));
    };
    used.retain(|(run, asked)| {
        let same = asked.facts.hostname == machine;
        if !same {
            let other = &asked.facts.hostname;
            left.push(format!("run {}: it is of machine {other}, not {machine}", run.header.id));
        }
        same
    });
    let head = text::Head {
        node,
        machine: &machine,
        runs: used.iter().map(|(run, _)| run.header.id.as_str()).collect(),
        simulated: used.iter().find_map(|(_, asked)| asked.facts.simulated.as_deref()),
        left: &left,
    };
    let mut page = text::Page::new(&head);
    let mut ids = BTreeSet::new();
    for check in checks(&used, node) {
        let source = &check.planned.check;
        match answers(&used, node, source, simulated) {
            Err(why) => page.leave_out(&source.id, &why),
            Ok(answers) => page.check(&id_of(&source.id, &mut ids), &answers),
        }
    }
    let checks = page.checks();
    if checks == 0 {
        return Err(LearnError(format!(
            "nothing of node {node} can be learned: no check was answered well in every run"
        )));
    }
    let runs = head.runs.iter().map(|run| (*run).to_owned()).collect();
    Ok(Learned { suite: format!("{SUITE}{node}"), text: page.finish(), checks, runs })
}

/// Says why nothing of a node's answers in a run may be learned from.
fn unusable(node: &RunNode, simulated: bool) -> Option<String> {
    match (&node.via, &node.facts.simulated) {
        (Via::Replay(run), _) => Some(format!("it is a replay of {run}, which measures nothing")),
        (_, Some(scenario)) if !simulated => {
            Some(format!("it was simulated by {scenario}, which only --allow-simulated takes"))
        }
        _ if node.facts.hostname.is_empty() => Some("no machine answered".to_owned()),
        _ => None,
    }
}

/// Lists the checks of a node in the newest run that has each, in the order of the newest.
fn checks<'r>(used: &[(&'r Run, &'r RunNode)], node: &str) -> Vec<&'r RunCheck> {
    let mut found: Vec<&RunCheck> = Vec::new();
    for (run, _) in used.iter().rev() {
        for check in run.checks.iter().filter(|check| check.planned.node == node) {
            let planned = &check.planned.check;
            let known = found.iter().any(|known| known.planned.check.id == planned.id);
            if !known && !planned.suite.starts_with(SUITE) {
                found.push(check);
            }
        }
    }
    found
}

/// Gathers what runs answered to a check.
///
/// *Errors*: why nothing may be learned of it, in one sentence.
fn answers<'r>(
    used: &[(&'r Run, &'r RunNode)],
    node: &str,
    check: &'r Check,
    simulated: bool,
) -> Result<Answers<'r>, String> {
    let spec = probes::find(&check.probe).map(crate::probe::Probe::spec);
    let spec = spec.ok_or_else(|| format!("this version has no probe `{}`", check.probe))?;
    let is_of_link = spec.params.iter().any(|param| {
        matches!(param.kind, ParamKind::Link | ParamKind::Links)
            && check.with.contains_key(param.name)
    });
    if is_of_link {
        return Err("it is about a cable, of which the node files say what is expected".to_owned());
    }
    let mut answers = Answers {
        check,
        seen: Vec::new(),
        sessions: BTreeSet::new(),
        unused: BTreeSet::new(),
        missed: BTreeSet::new(),
    };
    for (run, asked) in used {
        let own = |one: &&RunCheck| one.planned.node == node && one.planned.check.id == check.id;
        let Some(found) = run.checks.iter().find(own) else { continue };
        if definition(&found.planned.check) != definition(check) {
            answers.unused.insert("it was asked otherwise in an older run".to_owned());
            continue;
        }
        match observed(found, simulated) {
            Ok(seen) => {
                let boot = asked.facts.boot.as_str();
                answers.sessions.insert(if boot.is_empty() { &run.header.id } else { boot });
                answers.seen.push(seen);
                let readings = found.verdict.readings.iter();
                let missed = readings.filter(|reading| reading.held == Some(false));
                answers.missed.extend(missed.map(|reading| reading.field.as_str()));
            }
            // A failure is not what the machine should be; one is enough.
            Err((why, true)) => return Err(why),
            Err((why, false)) => {
                answers.unused.insert(why);
            }
        }
    }
    if answers.seen.is_empty() {
        let why = answers.unused.into_iter().next();
        return Err(why.unwrap_or_else(|| "it was not asked".to_owned()));
    }
    Ok(answers)
}

/// Returns what a check observed in one run.
///
/// *Errors*: why not, and whether the check is not to be learned at all.
fn observed(found: &RunCheck, simulated: bool) -> Result<Vec<&Observation>, (String, bool)> {
    let verdict = &found.verdict;
    let why = || {
        let main = verdict.main_finding().or(verdict.findings.first());
        main.map(|finding| format!(": {}", finding.message)).unwrap_or_default()
    };
    match verdict.outcome {
        Outcome::Skip => return Err((format!("skipped{}", why()), false)),
        Outcome::Blocked => return Err((format!("blocked{}", why()), false)),
        Outcome::Fail => return Err((format!("it failed{}", why()), true)),
        Outcome::Error => return Err((format!("it gave an error{}", why()), false)),
        Outcome::Pass | Outcome::Unjudged => {}
    }
    let Answer::Attempted(attempts) = &found.answer else {
        return Err(("it was not asked".to_owned(), false));
    };
    let mut seen = Vec::new();
    for attempt in final_attempts(attempts) {
        let observation = attempt.result.as_ref();
        let observation = observation.map_err(|e| (format!("an error: {}", e.message), false))?;
        if let Some(why) = &attempt.disturbed {
            return Err((format!("it was disturbed: {why}"), false));
        }
        if let Some(by) = observation.simulated.as_ref().filter(|_| !simulated) {
            return Err((format!("it was simulated by {by}"), false));
        }
        seen.push(observation);
    }
    if seen.is_empty() { Err(("it was not asked".to_owned(), false)) } else { Ok(seen) }
}

/// Makes an id that no other learned check has.
fn id_of(id: &str, known: &mut BTreeSet<String>) -> String {
    let base = format!("{GROUP}/{}", id.replace('/', "-"));
    let others = (2..).map(|number| format!("{base}-{number}"));
    let free = std::iter::once(base.clone()).chain(others).find(|id| !known.contains(id));
    let id = free.unwrap_or(base);
    known.insert(id.clone());
    id
}

/// Names the fields that a check judges or records, each once, with the kind that its probe declares.
fn fields(check: &Check) -> Vec<(&str, Option<verify_model::field::FieldKind>)> {
    let demands = check.expect.iter().chain(&check.advise).map(|demand| demand.field.as_str());
    let named = demands.chain(check.record.iter().map(String::as_str));
    let probe = probes::find(&check.probe);
    let kind = |path: &str| {
        let probe = probe?;
        let field = probe.spec().fields.iter().find(|field| field.path == path)?;
        Some(probe.kind(field, With(&check.with)))
    };
    let kinds: BTreeMap<&str, _> = named.clone().map(|path| (path, kind(path))).collect();
    let mut seen = BTreeSet::new();
    named
        .filter(|path| seen.insert(*path))
        .map(|path| (path, kinds.get(path).cloned().flatten()))
        .collect()
}
