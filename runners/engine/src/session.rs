//! One run from request to record: choose nodes, ask for facts, plan, execute.
//!
//! Everything reaches the record through the observer, in the order of the record's format; the
//! run that reports show is folded from those same events.

use std::{collections::BTreeMap, sync::Arc};

use verify_model::{
    ask::Ask,
    baseline::Baseline,
    check::Check,
    event::Event,
    evidence::Evidence,
    node::Via,
    run::{Header, PlannedCheck, RunNode, SuiteSource},
    settle::settle,
    verdict::CheckKey,
};

use crate::{
    baseline::{self, Shelf},
    execute::{Context, Gatherer, Observer, Setting, run_node},
    facts, listening,
    load::{
        catalog::Catalog,
        diagnostic::{LoadError, did_you_mean},
    },
    plan::{self, Permissions, Selection, Step},
    probe::gather_error,
    python,
    transport::Transport,
};

/// Says what shall be asked of which nodes.
pub struct Request {
    /// Nodes with the way they are asked, in order.
    pub nodes: Vec<(String, Arc<dyn Transport>)>,
    /// Which checks.
    pub selection: Selection,
    /// What may be done.
    pub permissions: Permissions,
    /// How often every check is measured, whatever its suite says.
    pub repeat: Option<u32>,
    /// Where baselines stand; absent where there can be none.
    pub shelf: Option<Shelf>,
}

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
}

/// Holds a plan for all nodes.
pub struct Prepared {
    /// Nodes, in the order of the request.
    pub nodes: Vec<PreparedNode>,
    /// Suites that are used.
    pub suites: Vec<SuiteSource>,
    /// Baselines that answers are compared with, sorted by check and field.
    pub baselines: Vec<Baseline>,
}

/// Asks nodes for facts and plans.
///
/// *Errors*: a node, suite, tag or check that does not exist.
pub fn prepare(
    catalog: &Catalog,
    request: &Request,
    context: &Context,
) -> Result<Prepared, LoadError> {
    let no_checks = Vec::new();
    let mut all: Vec<&Check> = Vec::new();
    for (name, _) in &request.nodes {
        known_node(catalog, name)?;
        all.extend(catalog.checks.get(name).unwrap_or(&no_checks));
    }
    plan::validate(&request.selection, &all)?;
    let mut nodes = Vec::new();
    let mut baselines = Vec::new();
    for (name, transport) in &request.nodes {
        let file = known_node(catalog, name)?;
        let checks =
            plan::select(catalog.checks.get(name).unwrap_or(&no_checks), &request.selection)?;
        if checks.is_empty() {
            return Err(LoadError::general(format!(
                "no check for node {name} is selected, so nothing would be asked of it; `verify list checks --node {name}` lists what there is"
            )));
        }
        let gatherer = Gatherer { context, node: name, transport: Arc::clone(transport) };
        let mut asks: Vec<Ask> = facts::asks(&plan::tools(checks.iter().copied(), &file.has));
        asks.extend(listening::asks(&plan::ports(checks.iter().copied(), &file.has)));
        let interpreter = file.python.clone().unwrap_or_default();
        let modules = plan::modules(checks.iter().copied(), &file.has);
        asks.extend(python::asks(&interpreter, &modules));
        let evidence = gatherer.gather(&asks, |_| {});
        let mut facts = facts::read(&evidence.iter().collect::<Vec<_>>());
        facts.simulated = transport.simulated();
        facts.python = interpreter;
        let mut steps = plan::plan(checks, file, &facts, &request.permissions);
        if request.selection.is_everything() {
            steps.extend(plan::broken_promises(file, &facts, &steps));
        }
        // All asks went one way: if it leads nowhere, no answer is missing but one.
        let lost = evidence.iter().find(|p| p.failure().is_some_and(|f| f.kind.is_of_the_link()));
        if let Some((piece, failure)) = lost.and_then(|piece| Some((piece, piece.failure()?))) {
            let code = gather_error(piece, failure).code;
            steps = plan::unreachable(file, steps, code, &failure.message);
        }
        for step in &mut steps {
            step.check.repeat = request.repeat.unwrap_or(step.check.repeat);
        }
        if let Some(shelf) = &request.shelf {
            let asked = steps.iter().filter(|s| s.left_out.is_none()).map(|s| &s.check);
            baselines.extend(baseline::compared(shelf, name, &facts, asked)?);
        }
        let node = RunNode { file: file.clone(), via: transport.via(), facts };
        nodes.push(PreparedNode { node, transport: Arc::clone(transport), steps, evidence });
    }
    let used = |name: &str| nodes.iter().any(|n| n.steps.iter().any(|s| s.check.suite == name));
    let suites = catalog
        .suites
        .values()
        .filter(|s| used(&s.source.name))
        .map(|s| s.source.clone())
        .collect();
    baselines.sort_by(Baseline::order);
    Ok(Prepared { nodes, suites, baselines })
}

/// Finds a node file.
///
/// *Errors*: there is none of that name.
pub fn known_node<'c>(
    catalog: &'c Catalog,
    name: &str,
) -> Result<&'c verify_model::node::NodeFile, LoadError> {
    catalog.nodes.get(name).ok_or_else(|| {
        let known = catalog.nodes.keys().map(String::as_str);
        let hint = did_you_mean(name, known.clone()).map_or_else(
            || format!("nodes are: {}", known.collect::<Vec<_>>().join(", ")),
            |close| format!("did you mean `{close}`?"),
        );
        LoadError::general(format!("no node is named `{name}`; {hint}"))
    })
}

/// Executes a plan; the observer hears every event of the record.
///
/// Nodes are asked one after the other; a node's strays are ended before the next one.
pub fn execute(
    header: Header,
    prepared: &Prepared,
    context: &Context,
    observer: &mut dyn Observer,
) {
    let require_baseline = header.require_baseline;
    let today: String = header.started_at.chars().take(10).collect();
    observer.event(Event::Started(header));
    announce(prepared, observer);
    let mut tally = Tally { observer, verdicts: BTreeMap::new() };
    let mut failed = false;
    for node in &prepared.nodes {
        let name = node.node.file.name.as_str();
        let gatherer = Gatherer { context, node: name, transport: Arc::clone(&node.transport) };
        let setting = Setting { today: &today, baselines: &prepared.baselines, failed };
        failed = run_node(&gatherer, &node.node, &node.steps, setting, &mut tally);
        node.transport.sweep();
    }
    let mut verdicts: Vec<_> = tally.verdicts.into_values().collect();
    let waivers: Vec<_> =
        prepared.nodes.iter().flat_map(|n| n.node.file.waivers.iter().cloned()).collect();
    settle(&mut verdicts, &waivers, &today);
    let interrupted = context.cancel.requested();
    let exit = verify_model::exit::exit_code(&verdicts, require_baseline, interrupted);
    observer.event(Event::Finished { elapsed_ms: context.elapsed_ms(), interrupted, exit });
}

fn announce(prepared: &Prepared, observer: &mut dyn Observer) {
    for node in &prepared.nodes {
        observer.event(Event::Node(node.node.clone()));
    }
    for suite in &prepared.suites {
        observer.event(Event::Suite(suite.clone()));
    }
    let mut checks = 0;
    for node in &prepared.nodes {
        for step in &node.steps {
            let node = node.node.file.name.clone();
            observer.event(Event::Planned(PlannedCheck { node, check: step.check.clone() }));
            checks += 1;
        }
    }
    for baseline in &prepared.baselines {
        observer.event(Event::Baseline(baseline.clone()));
    }
    observer.event(Event::PlanReady { checks });
    for piece in prepared.nodes.iter().flat_map(|node| &node.evidence) {
        observer.event(Event::Evidence(piece.clone()));
    }
}

/// Passes events on and keeps the outlines of verdicts, for the last line of the record.
struct Tally<'o> {
    observer: &'o mut dyn Observer,
    verdicts: BTreeMap<CheckKey, verify_model::verdict::Verdict>,
}

impl Observer for Tally<'_> {
    fn event(&mut self, event: Event) {
        if let Event::Verdict(verdict) = &event {
            self.verdicts.insert(verdict.key.clone(), verdict.outline());
        }
        self.observer.event(event);
    }

    fn asking(&mut self, key: &CheckKey, effect: verify_model::effect::Effect) {
        self.observer.asking(key, effect);
    }
}

/// Says by what way a node is asked, when nobody said.
///
/// *Source*: architecture, "Which machine is `nvidia`?".
pub fn auto_via(
    hostnames: &[String],
    ssh: Option<&str>,
    this_host: &str,
    ssh_aliases: &[String],
) -> Via {
    let short = |name: &str| name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    if hostnames.iter().any(|name| short(name) == short(this_host)) {
        return Via::Local;
    }
    match ssh {
        Some(alias) if ssh_aliases.iter().any(|known| known == alias) => Via::Ssh(alias.to_owned()),
        _ => Via::Local,
    }
}
