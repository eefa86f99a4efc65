//! What one node is, and what is asked of it: its facts, its plan, its baselines.
//!
//! A node that cannot be asked is ready, too: one error, and every check waits for it.

use std::{collections::BTreeSet, sync::Arc};

use verify_model::{
    ask::Ask,
    baseline::Baseline,
    check::Check,
    effect::Effect,
    evidence::Evidence,
    fingerprint::Fingerprint,
    node::{Facts, Via},
    run::{RunNode, SuiteSource},
};

use super::{Chosen, ChosenNode, Request, choose, conduct::AT_ONCE, look};
use crate::{
    baseline::Accepted,
    capability::REMOTE,
    execute::{Context, Gatherer, Ids},
    facts, fingerprint, listening,
    load::{catalog::Catalog, diagnostic::LoadError},
    plan::{self, Step},
    probe::{With, gather_error},
    probes, python,
    transport::{Peers, Transport},
};

/// Needs of a check that cost nothing to be wrong about.
const SYSTEMS: &[&str] = &["linux", "macos", "x86-64", "aarch64"];

/// Holds one node, ready to be asked.
pub struct PreparedNode {
    /// What the record says of it.
    pub node: RunNode,
    /// How it is asked.
    pub transport: Arc<dyn Transport>,
    /// What is asked.
    pub steps: Vec<Step>,
    /// What the facts were read from.
    pub evidence: Vec<Evidence>,
    /// What checks will ask for, gathered along with the facts.
    pub(super) ahead: Vec<Evidence>,
    /// What answers are compared with.
    pub baselines: Vec<Baseline>,
    /// Where the baselines come from.
    pub(super) accepted: Vec<Accepted>,
    /// Numbers of its evidence.
    pub(super) ids: Ids,
    /// Whether it answered.
    pub(super) is_reached: bool,
}

impl PreparedNode {
    /// Returns what gathers more of this node.
    pub fn gatherer<'a>(&'a self, context: &'a Context) -> Gatherer<'a> {
        Gatherer {
            context,
            node: &self.node.file.name,
            transport: Arc::clone(&self.transport),
            ids: self.ids.clone(),
        }
    }
}

/// Holds a plan for all nodes.
pub struct Prepared {
    /// Nodes, in the order of the request.
    pub nodes: Vec<PreparedNode>,
    /// Suites that are used.
    pub suites: Vec<SuiteSource>,
    /// How nodes answer together.
    pub peers: Arc<Peers>,
}

/// Chooses checks, asks all nodes for facts, side by side, and plans.
///
/// *Errors*: those of [`choose`].
pub fn prepare(
    catalog: &Catalog,
    request: &Request,
    context: &Context,
) -> Result<Prepared, LoadError> {
    let Chosen { nodes, suites, peers } = choose(catalog, request)?;
    let count = nodes.len();
    let places: Vec<(usize, &ChosenNode)> = nodes.iter().enumerate().collect();
    let mut prepared = Vec::with_capacity(count);
    for some in places.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let ask = |(at, node): (usize, &ChosenNode)| ready(node, Ids::new(at, count), context);
            let start = |one| std::thread::Builder::new().spawn_scoped(scope, move || ask(one));
            let started: Vec<_> = some.iter().map(|one| start(*one).map_err(|_| *one)).collect();
            // Where no thread can be started, one node is asked after the other.
            let prepare = |one: Result<std::thread::ScopedJoinHandle<'_, _>, _>| match one {
                Ok(thread) => thread.join().ok(),
                Err(one) => Some(ask(one)),
            };
            prepared.extend(started.into_iter().filter_map(prepare));
        });
    }
    let nodes = prepared;
    if nodes.len() < count {
        return Err(LoadError::general("a defect of verify: a node could not be planned"));
    }
    Ok(Prepared { nodes, suites, peers })
}

/// Asks one node for its facts and plans.
pub(super) fn ready(chosen: &ChosenNode, ids: Ids, context: &Context) -> PreparedNode {
    let ChosenNode { file, transport, checks, .. } = chosen;
    if let Some(why) = transport.unavailable() {
        return left_alone(chosen, ids, &why);
    }
    let gatherer =
        Gatherer { context, node: &file.name, transport: Arc::clone(transport), ids: ids.clone() };
    // Nobody measures a machine while it is asked what it is.
    let machine = transport.via().machine(&file.name);
    let _own = context.floor.take(&[machine], &context.cancel);
    let interpreter = file.python.clone().unwrap_or_default();
    let asks = asks(chosen, &interpreter);
    let along = if transport.is_costly() { along(chosen, &interpreter, &asks) } else { Vec::new() };
    let mut evidence = gatherer.gather(&[asks.as_slice(), &along].concat(), |_| {});
    let ahead = evidence.split_off(asks.len());
    let further = facts::further(&evidence.iter().collect::<Vec<_>>());
    evidence.extend(gatherer.gather(&further, |_| {}));
    let mut facts = facts::read(&evidence.iter().collect::<Vec<_>>());
    facts.simulated = transport.simulated();
    facts.python = interpreter;
    say_whether_remote(&mut facts, transport.as_ref());
    let mut steps = plan::plan(checks.iter().collect(), file, &facts, &chosen.permissions);
    plan::spare_peers(&mut steps, &chosen.spared);
    if chosen.everything {
        let broken = plan::broken_promises(file, &facts, &steps);
        steps.splice(..0, broken);
    }
    // All asks went one way: if it leads nowhere, no answer is missing but one.
    let lost = evidence.iter().find_map(|piece| {
        let failure = piece.failure().filter(|failure| failure.kind.is_of_the_link())?;
        Some((gather_error(piece, failure).code, failure.message.clone()))
    });
    if let Some((code, why)) = &lost {
        steps = plan::unreachable(file, steps, *code, why);
    }
    let asked = |baseline: &Baseline| {
        let mut steps = steps.iter().filter(|step| step.left_out.is_none());
        steps.any(|step| step.check.id == baseline.key.check)
    };
    let compared =
        chosen.accepted.iter().map(|accepted: &Accepted| accepted.on(&facts, &context.started_at));
    let baselines = compared.filter(asked).collect();
    let node = RunNode {
        file: file.clone(),
        via: transport.via(),
        facts,
        fingerprint: Fingerprint::default(),
    };
    let transport = Arc::clone(transport);
    let is_reached = lost.is_none();
    let accepted = chosen.accepted.clone();
    PreparedNode { node, transport, steps, evidence, ahead, baselines, accepted, ids, is_reached }
}

/// Holds a node of which nothing is asked, not even what it is.
fn left_alone(chosen: &ChosenNode, ids: Ids, why: &str) -> PreparedNode {
    let ChosenNode { file, transport, checks, .. } = chosen;
    let node = RunNode {
        file: file.clone(),
        via: transport.via(),
        facts: Facts::default(),
        fingerprint: Fingerprint::default(),
    };
    PreparedNode {
        node,
        transport: Arc::clone(transport),
        steps: plan::unavailable(checks.iter().collect(), why),
        evidence: Vec::new(),
        ahead: Vec::new(),
        baselines: Vec::new(),
        accepted: Vec::new(),
        ids,
        is_reached: false,
    }
}

/// Lists what the facts of a node are read from.
fn asks(chosen: &ChosenNode, interpreter: &str) -> Vec<Ask> {
    let ChosenNode { file, checks, .. } = chosen;
    let mut asks: Vec<Ask> = facts::asks(&plan::tools(checks, &file.has));
    asks.extend(listening::asks(&plan::ports(checks, &file.has)));
    asks.extend(python::asks(interpreter, &plan::modules(checks, &file.has)));
    asks.extend(fingerprint::core());
    asks
}

/// Lists what state checks will ask for whatever the node turns out to be, so that it can go along
/// with the facts: of checks that need nothing, or no more than a system or an architecture. What
/// their metrics depend on goes along, too.
fn along(chosen: &ChosenNode, interpreter: &str, facts: &[Ask]) -> Vec<Ask> {
    let guess = Facts { python: interpreter.to_owned(), ..Facts::default() };
    let is_plain = |check: &&Check| {
        check.effect == Effect::Reads
            && check.when.iter().all(|need| SYSTEMS.contains(&need.as_str()))
    };
    let asked = chosen.checks.iter().filter(is_plain).filter_map(|check| {
        let asks = probes::find(&check.probe)?.asks(With(&check.with), &guess).ok()?;
        Some(asks.into_iter().map(|ask| ask.limited_to(check.limit_ms)))
    });
    // What the facts ask for, too, is asked again: evidence belongs to one or the other.
    let mut seen = BTreeSet::new();
    let mut along: Vec<Ask> = asked.flatten().filter(|ask| seen.insert(ask.clone())).collect();
    along.extend(look::along(chosen, &guess, &[facts, &along].concat()));
    along
}

/// Whether a node is asked from another machine is no state of the node, but of the run.
fn say_whether_remote(facts: &mut Facts, transport: &dyn Transport) {
    if transport.is_remote() {
        facts.capabilities.insert(REMOTE.to_owned());
        return;
    }
    let via = transport.via();
    let why = match via {
        Via::Slurm(_) => "it is asked through Slurm, which carries no words to and fro".to_owned(),
        Via::Ssh(_) | Via::Local | Via::Replay(_) | Via::Sim(_) => {
            format!("the machine that asks is the one that answers (via {via})")
        }
    };
    facts.missing.insert(REMOTE.to_owned(), why);
}
