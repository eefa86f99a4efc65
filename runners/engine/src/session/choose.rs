//! Which checks of which nodes are wanted, from files alone: no node is asked.
//!
//! What is wrong with the names that were given, or with a baseline, is found here. What a node's own
//! state decides, such as which capabilities it has, comes later and node by node.

use std::{collections::BTreeSet, sync::Arc};

use verify_model::{
    check::Check,
    node::{NodeFile, NodeRole},
    run::SuiteSource,
    statistics::RUNS,
};

use super::{Request, known_node};
use crate::{
    baseline::{self, Accepted, Shelf},
    load::{catalog::Catalog, diagnostic::LoadError},
    plan::{self, Permissions, Selection},
    probe::Probe,
    probes,
    transport::{Paired, Peers, Transport},
};

/// Holds what is wanted of one node.
pub struct ChosenNode {
    /// Its file.
    pub file: NodeFile,
    /// How it is asked.
    pub transport: Arc<dyn Transport>,
    /// Checks, in the order of the plan.
    pub checks: Vec<Check>,
    /// What was accepted as normal for them.
    pub(super) accepted: Vec<Accepted>,
    pub(super) permissions: Permissions,
    /// Nodes in production that must not be loaded, be they only the other end of a link.
    pub(super) spared: Arc<BTreeSet<String>>,
    /// Whether nothing was selected, so that what the file promises is looked at, too.
    pub(super) everything: bool,
}

#[cfg(feature = "faults")]
impl ChosenNode {
    /// Compares with this, and with nothing that stands in files.
    pub(crate) fn accept(&mut self, accepted: Vec<Accepted>) {
        self.accepted = accepted;
    }
}

/// Holds what is wanted of all nodes.
pub struct Chosen {
    /// Nodes, in the order of the request.
    pub nodes: Vec<ChosenNode>,
    /// Suites that are used.
    pub suites: Vec<SuiteSource>,
    /// How nodes answer together.
    pub peers: Arc<Peers>,
}

/// Demands that what is wanted is there.
///
/// *Errors*: a node, suite, tag or check that does not exist, and where there is one that was meant.
pub fn demand_known(catalog: &Catalog, request: &Request) -> Result<(), LoadError> {
    let mut all: Vec<&Check> = Vec::new();
    for (name, _) in &request.nodes {
        known_node(catalog, name)?;
        all.extend(catalog.checks.get(name).into_iter().flatten());
    }
    plan::validate(&request.selection, &all, &catalog.checks)
}

/// Chooses checks.
///
/// *Errors*: a node, suite, tag or check that does not exist, or a baseline that is damaged.
pub fn choose(catalog: &Catalog, request: &Request) -> Result<Chosen, LoadError> {
    demand_known(catalog, request)?;
    let no_checks = Vec::new();
    let peers = Peers::new(&request.nodes, request.peers.clone());
    let is_spared = |file: &&NodeFile| {
        file.role == NodeRole::Production && !request.permissions.load.contains(&file.name)
    };
    let spared = catalog.nodes.values().filter(is_spared).map(|file| file.name.clone());
    let spared = Arc::new(spared.collect::<BTreeSet<String>>());
    let mut nodes = Vec::new();
    for (name, transport) in &request.nodes {
        let transport = Paired::new(name, Arc::clone(transport), Arc::clone(&peers));
        let known = catalog.checks.get(name).unwrap_or(&no_checks);
        let mut checks = wanted(name, known, &request.selection, request.repeat)?;
        let mut accepted = accepted(request.shelf.as_ref(), name, &checks)?;
        baseline::add_earlier(&request.earlier, name, &mut accepted)?;
        if request.until_decided {
            begin_with_a_look(&mut checks, &accepted);
        }
        nodes.push(ChosenNode {
            file: known_node(catalog, name)?.clone(),
            transport: Arc::new(transport),
            checks,
            accepted,
            permissions: request.permissions.clone(),
            spared: Arc::clone(&spared),
            everything: request.selection.is_everything(),
        });
    }
    let used = |name: &str| nodes.iter().any(|n| n.checks.iter().any(|c| c.suite == name));
    let suites = catalog.suites.values().map(|s| &s.source);
    let suites = suites.filter(|source| used(&source.name)).cloned().collect();
    Ok(Chosen { nodes, suites, peers })
}

fn wanted(
    node: &str,
    known: &[Check],
    selection: &Selection,
    repeat: Option<u32>,
) -> Result<Vec<Check>, LoadError> {
    let chosen = plan::select(known, selection)?;
    if chosen.is_empty() && !selection.even_nothing {
        return Err(LoadError::general(format!(
            "no check for node {node} is selected, so nothing would be asked of it; `verify list checks --node {node}` lists what there is"
        )));
    }
    let counted = |check: &Check| {
        let repeat = if is_measured_anew(check) { repeat.unwrap_or(check.repeat) } else { 1 };
        Check { repeat, ..check.clone() }
    };
    Ok(chosen.into_iter().map(counted).collect())
}

/// Tells whether a repeat of a check is another measurement: the same file read twice is one run.
pub(super) fn is_measured_anew(check: &Check) -> bool {
    probes::find(&check.probe).is_none_or(<dyn Probe>::measures_anew)
}

/// Lets what compares with a baseline begin with as many runs as the first look takes.
fn begin_with_a_look(checks: &mut [Check], accepted: &[Accepted]) {
    let first = RUNS.next(0).unwrap_or(1);
    for check in checks.iter_mut().filter(|check| check.compares() && is_measured_anew(check)) {
        if accepted.iter().any(|accepted| accepted.is_of(&check.id)) {
            check.repeat = first;
        }
    }
}

fn accepted(
    shelf: Option<&Shelf>,
    node: &str,
    checks: &[Check],
) -> Result<Vec<Accepted>, LoadError> {
    shelf.map_or_else(|| Ok(Vec::new()), |shelf| baseline::accepted(shelf, node, checks))
}
