//! What is known of a run while it goes on: what runs, what waits, what came out.
//!
//! It says what an answer counts as for now; what compares with a baseline is decided when everything
//! has been measured. Times are those since the start of the run, given by whoever has a clock.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use verify_model::{
    event::Event,
    exit::Situation,
    finding::FindingCode,
    outcome::Outcome,
    run::RunNode,
    settle::{Looks, settle},
    verdict::{CheckKey, Verdict},
};
use verify_reports::terminal::{alone, paint::Sign};

/// Answers that are remembered.
const REMEMBERED: usize = 32;

/// Holds what is known.
#[derive(Default)]
pub(super) struct Board {
    pub(super) nodes: BTreeMap<String, Node>,
    /// The last answers, newest last.
    pub(super) recent: VecDeque<Done>,
    /// Checks that are measured again, from the second look on.
    pub(super) open: Vec<CheckKey>,
    /// How many of them were answered in this look.
    pub(super) again: usize,
    /// Number of the look, from 1.
    pub(super) look: usize,
    pub(super) interrupted: bool,
    /// What waivers are held against.
    machines: Vec<RunNode>,
    require_baseline: bool,
    today: String,
}

/// Holds what is known of one node.
#[derive(Default)]
pub(super) struct Node {
    planned: BTreeMap<String, Planned>,
    /// What is asked at the moment, in the order in which it began.
    pub(super) running: Vec<Running>,
    outcomes: BTreeMap<String, Outcome>,
    pub(super) ended: bool,
}

#[derive(Clone, Copy)]
struct Planned {
    limit: Duration,
    repeat: u32,
}

/// Holds a check that is asked at the moment.
pub(super) struct Running {
    pub(super) check: String,
    /// When its present attempt began.
    pub(super) since: Duration,
    /// Longest that an attempt may take.
    pub(super) limit: Duration,
    /// Number of the present attempt, from 1.
    pub(super) attempt: u32,
    /// How many are planned.
    pub(super) repeat: u32,
}

/// Holds an answer.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) key: CheckKey,
    pub(super) sign: Sign,
    /// Whether somebody should look at it.
    pub(super) grave: bool,
    /// Why it is no pass; empty where it is one.
    pub(super) reason: String,
}

impl Board {
    /// Takes an event; returns the answer that it brings.
    pub(super) fn event(&mut self, event: &Event, now: Duration) -> Option<Done> {
        match event {
            Event::Started(header) => {
                self.today = header.started_at.chars().take(10).collect();
                self.require_baseline = header.require_baseline;
                self.look = 1;
            }
            Event::Named(node) => {
                self.nodes.entry(node.file.name.clone()).or_default();
            }
            Event::Node(node) => self.machines.push(node.clone()),
            Event::Planned(planned) => {
                let check = &planned.check;
                let key = CheckKey::new(&planned.node, &check.id);
                self.plan(&key, Duration::from_millis(check.limit_ms), check.repeat);
            }
            Event::Attempted { key, .. } => {
                let running = &mut self.node(&key.node).running;
                if let Some(one) = running.iter_mut().find(|one| one.check == key.check) {
                    (one.attempt, one.since) = (one.attempt.saturating_add(1), now);
                }
            }
            Event::Verdict(verdict) => return Some(self.verdict(verdict)),
            _ => {}
        }
        None
    }

    pub(super) fn plan(&mut self, key: &CheckKey, limit: Duration, repeat: u32) {
        self.node(&key.node).planned.insert(key.check.clone(), Planned { limit, repeat });
    }

    fn node(&mut self, name: &str) -> &mut Node {
        self.nodes.entry(name.to_owned()).or_default()
    }

    /// Says that a check is asked.
    pub(super) fn asking(&mut self, key: &CheckKey, now: Duration) {
        let again = self.look > 1;
        let node = self.node(&key.node);
        let Planned { limit, repeat } = node
            .planned
            .get(&key.check)
            .copied()
            .unwrap_or(Planned { limit: Duration::ZERO, repeat: 1 });
        // Another look wants as many as it needs.
        let repeat = if again { 1 } else { repeat };
        let check = key.check.clone();
        node.running.push(Running { check, since: now, limit, attempt: 1, repeat });
    }

    fn verdict(&mut self, verdict: &Verdict) -> Done {
        let mut settled = [verdict.outline()];
        settle(&mut settled, Looks::Once, &self.machines, &self.today);
        let [settled] = settled;
        let situation = Situation::of(&settled, self.require_baseline);
        let key = verdict.key.clone();
        self.answered(&key, settled.outcome);
        let reason =
            if settled.outcome == Outcome::Pass { String::new() } else { alone::glance(verdict) };
        let cut_short = settled.decided_by == Some(FindingCode::Interrupted);
        let grave = situation.exit() != 0 && !cut_short;
        let done = Done { key, sign: Sign::of(situation), grave, reason };
        if !cut_short {
            self.recent.push_back(done.clone());
            self.forget();
        }
        done
    }

    pub(super) fn answered(&mut self, key: &CheckKey, outcome: Outcome) {
        if self.open.contains(key) {
            self.again += 1;
        }
        let node = self.node(&key.node);
        node.running.retain(|one| one.check != key.check);
        node.outcomes.insert(key.check.clone(), outcome);
    }

    /// Forgets what is old; what needs somebody is kept longer than a pass.
    fn forget(&mut self) {
        if self.recent.len() <= REMEMBERED {
            return;
        }
        let oldest = self.recent.iter().position(|done| !done.grave).unwrap_or(0);
        self.recent.remove(oldest);
    }

    /// Says that some checks are measured again.
    pub(super) fn looking(&mut self, open: &[&CheckKey]) {
        self.look += 1;
        self.again = 0;
        self.open = open.iter().map(|key| (*key).clone()).collect();
        for node in self.nodes.values_mut() {
            node.ended = false;
        }
    }

    /// Says that a node is through.
    pub(super) fn ended(&mut self, name: &str) {
        let node = self.node(name);
        node.running.clear();
        node.ended = true;
    }

    /// Counts planned checks.
    pub(super) fn planned(&self) -> usize {
        self.nodes.values().map(Node::planned).sum()
    }

    /// Counts checks that were answered once.
    pub(super) fn done(&self) -> usize {
        self.nodes.values().map(Node::done).sum()
    }

    /// Counts what is neither answered nor asked.
    pub(super) fn waiting(&self) -> usize {
        if self.look > 1 {
            return self.open.len().saturating_sub(self.again + self.running());
        }
        self.planned().saturating_sub(self.done() + self.running())
    }

    fn running(&self) -> usize {
        self.nodes.values().map(|node| node.running.len()).sum()
    }

    /// Counts answers of a kind.
    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.nodes.values().map(|node| node.count(outcome)).sum()
    }
}

impl Node {
    pub(super) fn planned(&self) -> usize {
        self.planned.len()
    }

    pub(super) fn done(&self) -> usize {
        self.outcomes.len()
    }

    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.values().filter(|found| **found == outcome).count()
    }

    /// Says what came out, without what did not occur: `3 pass · 1 fail`.
    pub(super) fn counts(&self) -> String {
        let counts = Outcome::ALL.iter().map(|outcome| (outcome, self.count(*outcome)));
        let counts = counts.filter(|(_, number)| *number > 0);
        counts.map(|(outcome, n)| format!("{n} {outcome}")).collect::<Vec<_>>().join(" \u{b7} ")
    }
}
