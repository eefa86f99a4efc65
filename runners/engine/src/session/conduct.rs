//! Runs nodes side by side, and brings what they say to one observer.
//!
//! A thread a node; the observer lives in the thread of the caller, so the record is written and the
//! terminal is used from one place. A node that is slow or dead holds up itself alone. What must not
//! happen on one machine at the same time is kept apart by [`crate::execute::Floor`]. The events of a
//! node come in the order of its plan; those of several nodes come mixed, and folding sorts them.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use verify_model::{
    effect::Effect,
    event::Event,
    exit::Situation,
    finding::FindingCode,
    fingerprint::Fingerprint,
    node::{Facts, NodeFile, Via},
    run::{Header, PlannedCheck, RunNode, SuiteSource},
    settle::settle,
    verdict::{Answer, CheckKey, Verdict},
};

use super::{Chosen, ChosenNode, Prepared, PreparedNode, ready::ready};
use crate::{
    execute::{Context, Ids, Observer, Setting, run_node},
    plan::Step,
    probe::With,
    probes,
    transport::Peers,
};

/// Nodes that are asked at the same time; threads and sessions of more would be in each other's way.
pub(super) const AT_ONCE: usize = 256;
/// Events that wait to be written; a node that is faster than the record waits for it.
const WAITING: usize = 1024;

/// Runs chosen checks: every node is asked for its facts, planned and asked as soon as it answers.
pub fn run(header: Header, chosen: &Chosen, context: &Context, observer: &mut dyn Observer) {
    let named = |node: &ChosenNode| named(&node.file, node.transport.via());
    let plan = Announced {
        nodes: chosen.nodes.iter().map(named).collect(),
        suites: &chosen.suites,
        checks: chosen.nodes.iter().flat_map(of_chosen).collect(),
    };
    let (count, peers) = (chosen.nodes.len(), &chosen.peers);
    let ask = |at: usize, relay: &mut Relay| {
        let Some(node) = chosen.nodes.get(at) else { return };
        let ready = ready(node, Ids::new(at, count), context);
        // Before anything of it is answered: a record that ends here knows what was planned.
        let known = |id: &String| node.checks.iter().any(|check| check.id == *id);
        for step in ready.steps.iter().filter(|step| !known(&step.check.id)) {
            relay.event(Event::Planned(planned(&ready.node, &step.check)));
        }
        converse(&ready, context, relay);
    };
    conduct(header, plan, count, peers, context, observer, &ask);
}

/// Executes a plan: every node is planned already.
pub fn execute(
    header: Header,
    prepared: &Prepared,
    context: &Context,
    observer: &mut dyn Observer,
) {
    let plan = Announced {
        nodes: prepared.nodes.iter().map(|n| named(&n.node.file, n.node.via.clone())).collect(),
        suites: &prepared.suites,
        checks: prepared.nodes.iter().flat_map(of_prepared).collect(),
    };
    let ask = |at: usize, relay: &mut Relay| {
        let Some(node) = prepared.nodes.get(at) else { return };
        converse(node, context, relay);
    };
    let (count, peers) = (prepared.nodes.len(), &prepared.peers);
    conduct(header, plan, count, peers, context, observer, &ask);
}

/// Says what is known of a node that was not asked yet.
fn named(file: &NodeFile, via: Via) -> RunNode {
    RunNode {
        file: file.clone(),
        via,
        facts: Facts::default(),
        fingerprint: Fingerprint::default(),
    }
}

fn of_chosen(node: &ChosenNode) -> impl Iterator<Item = PlannedCheck> {
    let name = &node.file.name;
    node.checks.iter().map(move |check| PlannedCheck { node: name.clone(), check: check.clone() })
}

fn of_prepared(node: &PreparedNode) -> impl Iterator<Item = PlannedCheck> {
    node.steps.iter().map(|step| planned(&node.node, &step.check))
}

fn planned(node: &RunNode, check: &verify_model::check::Check) -> PlannedCheck {
    PlannedCheck { node: node.file.name.clone(), check: check.clone() }
}

/// Holds what is known before anything is asked.
struct Announced<'a> {
    nodes: Vec<RunNode>,
    suites: &'a [SuiteSource],
    checks: Vec<PlannedCheck>,
}

/// Asks one node all of its plan, and ends what it left.
fn converse(node: &PreparedNode, context: &Context, relay: &mut Relay) {
    let today = relay.day.clone();
    relay.event(Event::Node(node.node.clone()));
    for baseline in &node.baselines {
        relay.event(Event::Baseline(baseline.clone()));
    }
    for piece in &node.evidence {
        relay.event(Event::Evidence(piece.clone()));
    }
    let gatherer = node.gatherer(context);
    let steps = claimed(node, context);
    let setting = Setting { today: &today, baselines: &node.baselines, ahead: &node.ahead };
    let asked = catch_unwind(AssertUnwindSafe(|| {
        run_node(&gatherer, &node.node, &steps, setting, relay);
    }));
    // Not while another node measures a link to this one.
    let machine = node.node.via.machine(&node.node.file.name);
    let _own = context.floor.take(&[machine], &context.cancel);
    node.transport.sweep();
    if let Err(broken) = asked {
        resume_unwind(broken);
    }
}

/// Claims every machine that a plan loads; what another run loads already is not asked.
fn claimed<'n>(node: &'n PreparedNode, context: &Context) -> Cow<'n, [Step]> {
    let loads = |step: &Step| step.left_out.is_none() && step.check.effect != Effect::Reads;
    let via = &node.node.via;
    // Where no machine answers, none is loaded.
    if matches!(via, Via::Replay(_) | Via::Sim(_)) || !node.steps.iter().any(loads) {
        return Cow::Borrowed(&node.steps);
    }
    let mut steps = node.steps.clone();
    for step in steps.iter_mut().filter(|step| loads(step)) {
        let check = &step.check;
        let asks = probes::find(&check.probe)
            .and_then(|probe| probe.asks(With(&check.with), &node.node.facts).ok());
        let asks = asks.unwrap_or_default();
        let peers =
            asks.iter().flat_map(|ask| ask.nodes()).map(|name| node.transport.machine_of(name));
        let machines = std::iter::once(via.machine(&node.node.file.name)).chain(peers);
        let mut claimed = machines.map(|machine| {
            let shown = if machine == Via::Local.to_string() { "this machine" } else { &machine };
            let by = |who| format!("{shown} is loaded by another run of verify: {who}");
            context.claims.claim(&machine).map_err(by)
        });
        if let Some(message) = claimed.find_map(Result::err) {
            step.left_out = Some(Answer::Unreachable { code: FindingCode::NodeBusy, message });
        }
    }
    Cow::Owned(steps)
}

fn conduct(
    header: Header,
    plan: Announced<'_>,
    count: usize,
    peers: &Peers,
    context: &Context,
    observer: &mut dyn Observer,
    ask: &(dyn Fn(usize, &mut Relay) + Sync),
) {
    let require_baseline = header.require_baseline;
    let today: String = header.started_at.chars().take(10).collect();
    let waivers: Vec<_> = plan.nodes.iter().flat_map(|n| n.file.waivers.iter().cloned()).collect();
    let names: Vec<String> = plan.nodes.iter().map(|node| node.file.name.clone()).collect();
    let planned = plan.checks.len();
    announce(header, plan, observer);
    let (say, heard) = bounded(WAITING);
    let (mut verdicts, mut planned) = (BTreeMap::new(), planned);
    thread::scope(|scope| {
        let (turns, next) = bounded(count);
        for turn in 0..count {
            let _ = turns.send(turn);
        }
        drop(turns);
        for _ in 0..AT_ONCE.min(count) {
            let (next, say, names, today) = (next.clone(), say.clone(), &names, &today);
            scope.spawn(move || {
                for at in &next {
                    let mut relay = Relay { say: say.clone(), day: today.clone() };
                    // What breaks one node leaves it without answers, and the others with theirs.
                    let _ = catch_unwind(AssertUnwindSafe(|| ask(at, &mut relay)));
                    let _ = say.send(Heard::Ended(names[at].clone()));
                }
            });
        }
        drop(say);
        listen(&heard, &mut verdicts, &mut planned, observer);
    });
    peers.sweep();
    let unanswered = verdicts.len() < planned;
    let mut verdicts: Vec<_> = verdicts.into_values().collect();
    settle(&mut verdicts, &waivers, &today);
    let interrupted = context.cancel.requested();
    let exit = match verify_model::exit::exit_code(&verdicts, require_baseline, interrupted) {
        // What a node that broke left unanswered is an error, whatever the others say.
        code if unanswered && code != Situation::Fail.exit() && !interrupted => {
            Situation::Error.exit()
        }
        code => code,
    };
    observer.event(Event::Finished { elapsed_ms: context.elapsed_ms(), interrupted, exit });
}

fn announce(header: Header, plan: Announced<'_>, observer: &mut dyn Observer) {
    observer.event(Event::Started(header));
    for node in plan.nodes {
        observer.event(Event::Named(node));
    }
    for suite in plan.suites {
        observer.event(Event::Suite(suite.clone()));
    }
    let checks = plan.checks.len();
    for check in plan.checks {
        observer.event(Event::Planned(check));
    }
    observer.event(Event::PlanReady { checks });
}

/// Passes on what nodes say until the last one has ended, and keeps the outlines of verdicts.
fn listen(
    heard: &Receiver<Heard>,
    verdicts: &mut BTreeMap<CheckKey, Verdict>,
    planned: &mut usize,
    observer: &mut dyn Observer,
) {
    for word in heard {
        match word {
            Heard::Event(event) => {
                if let Event::Verdict(verdict) = event.as_ref() {
                    verdicts.insert(verdict.key.clone(), verdict.outline());
                }
                *planned += usize::from(matches!(event.as_ref(), Event::Planned(_)));
                observer.event(*event);
            }
            Heard::Asking(key, effect) => observer.asking(&key, effect),
            Heard::Ended(node) => observer.ended(&node),
        }
    }
}

/// Says one thing from the thread of a node.
enum Heard {
    Event(Box<Event>),
    Asking(CheckKey, Effect),
    Ended(String),
}

/// Brings what a node says to the thread of the observer.
struct Relay {
    say: Sender<Heard>,
    /// Day of the run.
    day: String,
}

impl Observer for Relay {
    fn event(&mut self, event: Event) {
        let _ = self.say.send(Heard::Event(Box::new(event)));
    }

    fn asking(&mut self, key: &CheckKey, effect: Effect) {
        let _ = self.say.send(Heard::Asking(key.clone(), effect));
    }

    fn ended(&mut self, node: &str) {
        let _ = self.say.send(Heard::Ended(node.to_owned()));
    }
}
