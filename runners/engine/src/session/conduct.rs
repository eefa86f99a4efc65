//! Runs nodes side by side, and brings what they say to one observer.
//!
//! A thread a node; the observer lives in the thread of the caller, so the record is written and the
//! terminal is used from one place. A node that is slow or dead holds up itself alone. What must not
//! happen on one machine at the same time is kept apart by [`crate::execute::Floor`]. The events of a
//! node come in the order of its plan; those of several nodes come mixed, and folding sorts them.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::OnceLock,
    thread,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use verify_model::{
    effect::Effect,
    event::Event,
    exit::Situation,
    fingerprint::Fingerprint,
    node::{Facts, NodeFile, Via},
    observation::Attempt,
    run::{Header, PlannedCheck, RunNode, SuiteSource},
    settle::{Looks, settle},
    verdict::{CheckKey, Verdict},
};

use super::{
    Chosen, ChosenNode, Prepared, PreparedNode,
    busy::claimed,
    choose,
    ready::ready,
    rounds::{self, Again},
};
use crate::{
    execute::{Context, Gatherer, Ids, More, Observer, Setting, run_more, run_node},
    transport::Peers,
};

/// Nodes that are asked at the same time; threads and sessions of more would be in each other's way.
pub(super) const AT_ONCE: usize = 256;
/// Events that wait to be written; a node that is faster than the record waits for it.
const WAITING: usize = 1024;

/// Runs chosen checks: every node is asked for its facts, planned and asked as soon as it answers.
///
/// In a run until decided, what is open after a look is asked again, as often as the next look needs.
pub fn run(header: Header, chosen: &Chosen, context: &Context, observer: &mut dyn Observer) {
    let named = |node: &ChosenNode| named(&node.file, node.transport.via());
    let plan = Announced {
        nodes: chosen.nodes.iter().map(named).collect(),
        suites: &chosen.suites,
        checks: chosen.nodes.iter().flat_map(of_chosen).collect(),
    };
    let (count, peers) = (chosen.nodes.len(), &chosen.peers);
    let kept: Vec<OnceLock<PreparedNode>> = (0..count).map(|_| OnceLock::new()).collect();
    let looks = header.looks();
    let ask = |at: usize, relay: &mut Relay| {
        let (Some(node), Some(kept)) = (chosen.nodes.get(at), kept.get(at)) else { return };
        let mut ready = ready(node, Ids::new(at, count), context);
        ready.look(context);
        // Before anything of it is answered: a record that ends here knows what was planned.
        let known = |id: &String| node.checks.iter().any(|check| check.id == *id);
        for step in ready.steps.iter().filter(|step| !known(&step.check.id)) {
            relay.event(Event::Planned(planned(&ready.node, &step.check)));
        }
        converse(&ready, context, relay);
        if looks == Looks::UntilDecided {
            let _ = kept.set(ready);
        }
    };
    let more = |at: usize, again: &[Again], relay: &mut Relay| {
        let Some(node) = kept.get(at).and_then(OnceLock::get) else { return };
        let anew = |id: &str| {
            node.steps.iter().any(|s| s.check.id == id && choose::is_measured_anew(&s.check))
        };
        let own = |again: &&Again| again.key.node == node.node.file.name && anew(&again.key.check);
        let own: Vec<&Again> = again.iter().filter(own).collect();
        measure(node, context, relay, |gatherer, setting, relay| {
            for Again { key, attempts, until } in own {
                let wanted = More { check: &key.check, attempts, until: *until };
                run_more(gatherer, &node.node, &node.steps, setting, wanted, relay);
            }
        });
    };
    conduct(header, plan, peers, context, observer, Asking { ask: &ask, more: &more });
}

/// Executes a plan: every node is planned already.
pub fn execute(
    header: Header,
    prepared: &mut Prepared,
    context: &Context,
    observer: &mut dyn Observer,
) {
    for some in prepared.nodes.chunks_mut(AT_ONCE) {
        thread::scope(|scope| {
            let looks = some
                .iter_mut()
                .map(|node| thread::Builder::new().spawn_scoped(scope, move || node.look(context)));
            let looks: Vec<_> = looks.collect();
            // What breaks one look leaves that node without a fingerprint, and no more.
            for look in looks.into_iter().flatten() {
                let _ = look.join();
            }
        });
    }
    let plan = Announced {
        nodes: prepared.nodes.iter().map(|n| named(&n.node.file, n.node.via.clone())).collect(),
        suites: &prepared.suites,
        checks: prepared.nodes.iter().flat_map(of_prepared).collect(),
    };
    let ask = |at: usize, relay: &mut Relay| {
        let Some(node) = prepared.nodes.get(at) else { return };
        converse(node, context, relay);
    };
    let asking = Asking { ask: &ask, more: &|_, _, _| {} };
    conduct(header, plan, &prepared.peers, context, observer, asking);
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
    relay.event(Event::Node(node.node.clone()));
    for baseline in &node.baselines {
        relay.event(Event::Baseline(baseline.clone()));
    }
    for piece in &node.evidence {
        relay.event(Event::Evidence(piece.clone()));
    }
    let steps = claimed(node, context);
    measure(node, context, relay, |gatherer, setting, relay| {
        run_node(gatherer, &node.node, &steps, setting, relay);
    });
}

/// Asks something of one node, and ends what it left, whatever breaks.
fn measure(
    node: &PreparedNode,
    context: &Context,
    relay: &mut Relay,
    ask: impl FnOnce(&Gatherer<'_>, Setting<'_>, &mut Relay),
) {
    let today = relay.day.clone();
    let gatherer = node.gatherer(context);
    let setting = Setting { today: &today, baselines: &node.baselines, ahead: &node.ahead };
    let asked = catch_unwind(AssertUnwindSafe(|| ask(&gatherer, setting, relay)));
    // Not while another node measures a link to this one.
    let machine = node.node.via.machine(&node.node.file.name);
    let _own = context.floor.take(&[machine], &context.cancel);
    node.transport.sweep();
    if let Err(broken) = asked {
        resume_unwind(broken);
    }
}

/// Knows how to ask one node: all of its plan, and some of it again.
#[derive(Clone, Copy)]
struct Asking<'a> {
    ask: &'a (dyn Fn(usize, &mut Relay) + Sync),
    more: &'a (dyn Fn(usize, &[Again], &mut Relay) + Sync),
}

fn conduct(
    header: Header,
    plan: Announced<'_>,
    peers: &Peers,
    context: &Context,
    observer: &mut dyn Observer,
    asking: Asking<'_>,
) {
    let (require_baseline, looks) = (header.require_baseline, header.looks());
    let today: String = header.started_at.chars().take(10).collect();
    let names: Vec<String> = plan.nodes.iter().map(|node| node.file.name.clone()).collect();
    let mut book =
        Book { nodes: plan.nodes.clone(), planned: plan.checks.len(), ..Book::default() };
    book.attempts = (looks == Looks::UntilDecided).then(BTreeMap::new);
    announce(header, plan, observer);
    let everyone: Vec<usize> = (0..names.len()).collect();
    let nodes = Nodes { names: &names, today: &today };
    side_by_side(&everyone, nodes, asking.ask, &mut book, observer);
    let mut measured = 0;
    while let Some(attempts) = &book.attempts {
        let again = rounds::open(&book.verdicts, attempts);
        let so_far = attempts.values().map(Vec::len).sum();
        // Whoever gives nothing more is not asked for ever.
        if again.is_empty() || so_far == measured || context.cancel.requested() {
            break;
        }
        measured = so_far;
        observer.looking(&again.iter().map(|again| &again.key).collect::<Vec<_>>());
        let wanted = |at: &usize| again.iter().any(|again| again.key.node == names[*at]);
        let some: Vec<usize> = everyone.iter().copied().filter(wanted).collect();
        let more = |at: usize, relay: &mut Relay| (asking.more)(at, &again, relay);
        side_by_side(&some, nodes, &more, &mut book, observer);
    }
    peers.sweep();
    let unanswered = book.verdicts.len() < book.planned;
    let mut verdicts: Vec<_> = book.verdicts.into_values().collect();
    settle(&mut verdicts, looks, &book.nodes, &today);
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

/// Holds what all threads of a run know of its nodes.
#[derive(Clone, Copy)]
struct Nodes<'a> {
    names: &'a [String],
    today: &'a str,
}

/// Keeps what is needed at the end.
#[derive(Default)]
struct Book {
    nodes: Vec<RunNode>,
    verdicts: BTreeMap<CheckKey, Verdict>,
    planned: usize,
    /// Attempts so far, in a run until decided.
    attempts: Option<BTreeMap<CheckKey, Vec<Attempt>>>,
}

/// Asks some nodes, a thread each, and passes on what they say until the last one has ended.
fn side_by_side(
    some: &[usize],
    nodes: Nodes<'_>,
    ask: &(dyn Fn(usize, &mut Relay) + Sync),
    book: &mut Book,
    observer: &mut dyn Observer,
) {
    let (say, heard) = bounded(WAITING);
    thread::scope(|scope| {
        let (turns, next) = bounded(some.len());
        for turn in some {
            let _ = turns.send(*turn);
        }
        drop(turns);
        for _ in 0..AT_ONCE.min(some.len()) {
            let (next, say) = (next.clone(), say.clone());
            let started = thread::Builder::new().spawn_scoped(scope, move || {
                for at in &next {
                    let mut relay = Relay { say: say.clone(), day: nodes.today.to_owned() };
                    // What breaks one node leaves it without answers, and the others with theirs.
                    let _ = catch_unwind(AssertUnwindSafe(|| ask(at, &mut relay)));
                    let _ = say.send(Heard::Ended(nodes.names[at].clone()));
                }
            });
            // Those that are there ask every node; without any, every node is left without answers.
            if started.is_err() {
                break;
            }
        }
        drop(say);
        listen(&heard, book, observer);
    });
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
fn listen(heard: &Receiver<Heard>, book: &mut Book, observer: &mut dyn Observer) {
    for word in heard {
        match word {
            Heard::Event(event) => {
                match event.as_ref() {
                    Event::Verdict(verdict) => {
                        book.verdicts.insert(verdict.key.clone(), verdict.outline());
                    }
                    Event::Node(node) => {
                        let mut known = book.nodes.iter_mut();
                        if let Some(known) = known.find(|n| n.file.name == node.file.name) {
                            known.clone_from(node);
                        }
                    }
                    Event::Planned(_) => book.planned += 1,
                    Event::Attempted { key, attempt } => {
                        if let Some(attempts) = &mut book.attempts {
                            attempts.entry(key.clone()).or_default().push(attempt.clone());
                        }
                    }
                    _ => {}
                }
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
