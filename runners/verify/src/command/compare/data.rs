//! Two runs side by side, as data: for the page and for JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use verify_engine::{baseline::definition, probes};
use verify_model::{
    fingerprint::{Change, changes, differences},
    matcher::Matcher,
    node::Via,
    observation::Attempt,
    run::{Run, RunCheck, RunNode},
    verdict::Answer,
};

use super::value::{self, Row};

/// Holds two runs side by side.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Comparison {
    /// Earlier run.
    pub(super) then: Header,
    /// Later run.
    pub(super) now: Header,
    /// Nodes that both asked.
    pub(super) nodes: Vec<Node>,
    /// Nodes that only the first asked.
    pub(super) only_then: Vec<String>,
    /// Nodes that only the second asked.
    pub(super) only_now: Vec<String>,
    /// What to do next.
    pub(super) next: String,
}

/// Names one of the two runs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Header {
    pub(super) run: String,
    pub(super) started_at: String,
    pub(super) version: String,
    pub(super) exit: u8,
}

/// Holds one node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Node {
    #[serde(rename = "node")]
    pub(super) name: String,
    /// Machines that answered, then and now.
    pub(super) machine: [String; 2],
    /// Scenarios that answered in their place, if any.
    pub(super) simulated: [Option<String>; 2],
    /// Why no value of it is comparable, in one sentence each.
    pub(super) not_comparable: Vec<String>,
    /// What is good to know of how it was asked.
    pub(super) notes: Vec<String>,
    /// What changed in the machine.
    pub(super) changes: Vec<Told>,
    /// Fields of which one side or both know nothing.
    pub(super) unknown: Vec<String>,
    /// Whether both runs gathered what the machine is made of.
    pub(super) gathered: [bool; 2],
    /// Checks that differ, or all.
    pub(super) checks: Vec<Check>,
    /// How many checks stand in either run.
    pub(super) asked: usize,
    /// How many of them do not differ.
    pub(super) equal: usize,
}

/// Holds one change with its sentence.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Told {
    #[serde(flatten)]
    pub(super) change: Change,
    pub(super) phrase: String,
}

/// Holds one check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Check {
    #[serde(rename = "check")]
    pub(super) id: String,
    /// Outcomes; absent where a run did not plan it.
    pub(super) then: Option<&'static str>,
    pub(super) now: Option<&'static str>,
    /// Why its values are not comparable, in one sentence.
    pub(super) not_comparable: Option<String>,
    /// Whether the two were judged by other demands.
    pub(super) other_demands: bool,
    pub(super) values: Vec<Row>,
}

impl Check {
    pub(super) fn differs(&self) -> bool {
        self.then != self.now
            || self.other_demands
            || self.not_comparable.is_some()
            || !self.values.iter().all(Row::is_equal)
    }
}

impl Comparison {
    /// Puts two runs side by side; what is equal stays out unless `all`.
    pub(super) fn of(then: &Run, now: &Run, is_wanted: &dyn Fn(&str) -> bool, all: bool) -> Self {
        let other = |run: &Run, name: &str| run.nodes.iter().any(|node| node.file.name == name);
        let alone = |run: &Run, of: &Run| -> Vec<String> {
            let names = run.nodes.iter().map(|node| &node.file.name);
            names.filter(|name| !other(of, name)).cloned().collect()
        };
        let both = now.nodes.iter().filter_map(|new| {
            let old = then.nodes.iter().find(|old| old.file.name == new.file.name)?;
            Some(Node::of((then, old), (now, new), is_wanted, all))
        });
        Self {
            nodes: both.collect(),
            only_then: alone(then, now),
            only_now: alone(now, then),
            next: format!(
                "verify baseline diff {} shows the second run beside what was accepted as normal",
                now.header.id
            ),
            then: Header::of(then),
            now: Header::of(now),
        }
    }
}

impl Header {
    fn of(run: &Run) -> Self {
        Self {
            run: run.header.id.clone(),
            started_at: run.header.started_at.clone(),
            version: run.header.version.clone(),
            exit: run.exit_code(),
        }
    }
}

impl Node {
    fn of(
        (then, old): (&Run, &RunNode),
        (now, new): (&Run, &RunNode),
        is_wanted: &dyn Fn(&str) -> bool,
        all: bool,
    ) -> Self {
        let found = differences(&old.fingerprint, &new.fingerprint);
        let mut node = Self {
            name: new.file.name.clone(),
            machine: [old, new].map(|node| node.facts.hostname.clone()),
            simulated: [old, new].map(|node| node.facts.simulated.clone()),
            not_comparable: Vec::new(),
            notes: Vec::new(),
            changes: found.causes.into_iter().map(Told::of).collect(),
            unknown: found.unknown,
            gathered: [old, new].map(|node| !node.fingerprint.is_empty()),
            checks: Vec::new(),
            asked: 0,
            equal: 0,
        };
        node.refuse();
        node.note(old, new);
        let of_node = |run: &'_ Run| -> Vec<RunCheck> {
            let own = run.checks.iter().filter(|check| check.planned.node == node.name);
            own.filter(|check| is_wanted(&check.planned.check.id)).cloned().collect()
        };
        let (before, after) = (of_node(then), of_node(now));
        let by_id = |checks: &[RunCheck]| -> BTreeMap<String, RunCheck> {
            checks.iter().map(|check| (check.planned.check.id.clone(), check.clone())).collect()
        };
        let known = by_id(&before);
        let seen = by_id(&after);
        let gone = before.iter().filter(|check| !seen.contains_key(&check.planned.check.id));
        let pairs = after.iter().map(|check| (known.get(&check.planned.check.id), Some(check)));
        for (old_check, new_check) in pairs.chain(gone.map(|check| (Some(check), None))) {
            let check = node.check((old, old_check), (new, new_check), all);
            node.asked += 1;
            node.equal += usize::from(!check.differs());
            if all || check.differs() {
                node.checks.push(check);
            }
        }
        node
    }

    /// Says why no value of the node is comparable.
    fn refuse(&mut self) {
        let [then, now] = &self.machine;
        if then != now {
            let named = |name: &str| if name.is_empty() { "?".to_owned() } else { name.to_owned() };
            let (then, now) = (named(then), named(now));
            self.not_comparable.push(format!("another machine answered: `{then}`, then `{now}`"));
        }
        if let [Some(_), None] | [None, Some(_)] = &self.simulated {
            self.not_comparable.push("one of the two is simulated, and the other is real".into());
        }
    }

    fn note(&mut self, old: &RunNode, new: &RunNode) {
        if let [Some(then), Some(now)] = &self.simulated {
            let by = if then == now { then.clone() } else { format!("{then}, then by {now}") };
            self.notes.push(format!("simulated by {by}: it says nothing about hardware"));
        }
        let is_way = |via: &Via| matches!(via, Via::Local | Via::Ssh(_) | Via::Slurm(_));
        if old.via != new.via && (is_way(&old.via) || is_way(&new.via)) {
            let (then, now) = (&old.via, &new.via);
            let why = "what the asking machine times holds the way";
            self.notes.push(format!("asked by another way ({then}, then {now}): {why}"));
        }
        for (which, via) in [("first", &old.via), ("second", &new.via)] {
            if let Via::Replay(run) = via {
                self.notes
                    .push(format!("the {which} run is a replay of {run}: it measured nothing"));
            }
        }
    }

    fn check(
        &self,
        (old, then): (&RunNode, Option<&RunCheck>),
        (new, now): (&RunNode, Option<&RunCheck>),
        all: bool,
    ) -> Check {
        let any = then.or(now);
        let why = then.zip(now).and_then(|(then, now)| {
            self.not_comparable
                .first()
                .cloned()
                .or_else(|| one_simulated(then, now))
                .or_else(|| other_definition(then, now))
                .or_else(|| other_ruler(now, old, new))
                .or_else(|| disturbed("first", then))
                .or_else(|| disturbed("second", now))
        });
        Check {
            id: any.map(|check| check.planned.check.id.clone()).unwrap_or_default(),
            then: then.map(|check| check.verdict.outcome.name()),
            now: now.map(|check| check.verdict.outcome.name()),
            other_demands: then.zip(now).is_some_and(|(then, now)| demands(then) != demands(now)),
            values: value::rows(then, now, why.is_none(), all),
            // Said once for the whole node.
            not_comparable: why.filter(|_| self.not_comparable.is_empty()),
        }
    }
}

impl Told {
    fn of(change: Change) -> Self {
        Self { phrase: change.phrase(), change }
    }
}

/// Returns what is demanded, wherever it is declared.
fn demands(check: &RunCheck) -> Vec<(&str, &[Matcher])> {
    let demands = check.planned.check.expect.iter();
    demands.map(|demand| (demand.field.as_str(), demand.matchers.as_slice())).collect()
}

/// Says that a part of one machine was simulated, such as its GPUs.
fn one_simulated(then: &RunCheck, now: &RunCheck) -> Option<String> {
    let is_simulated = |check: &RunCheck| match &check.answer {
        Answer::Attempted(attempts) => attempts
            .iter()
            .filter_map(|attempt| attempt.result.as_ref().ok())
            .any(|observation| observation.simulated.is_some()),
        _ => false,
    };
    (is_simulated(then) != is_simulated(now))
        .then(|| "one of the two is simulated, and the other is real".to_owned())
}

fn other_definition(then: &RunCheck, now: &RunCheck) -> Option<String> {
    let (old, new) = (&then.planned.check, &now.planned.check);
    if old.probe != new.probe {
        return Some(format!("another probe answered: {}, then {}", old.probe, new.probe));
    }
    (definition(old) != definition(new)).then(|| "its parameters are others".to_owned())
}

fn other_ruler(check: &RunCheck, old: &RunNode, new: &RunNode) -> Option<String> {
    let depends = probes::find(&check.planned.check.probe)?.spec().depends;
    let found = changes(&old.fingerprint, &new.fingerprint, depends);
    let rulers: Vec<String> = found.rulers.iter().map(Change::phrase).collect();
    let rulers = Some(rulers.join("; ")).filter(|text| !text.is_empty())?;
    Some(format!("it is measured with another tool: {rulers}"))
}

fn disturbed(which: &str, check: &RunCheck) -> Option<String> {
    let why =
        value::finals(check).into_iter().find_map(|attempt: &Attempt| attempt.disturbed.clone())?;
    matches!(check.answer, Answer::Attempted(_))
        .then(|| format!("the {which} run was disturbed: {why}"))
}
