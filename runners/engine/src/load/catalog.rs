//! Everything that can be asked: nodes and suites loaded, checked together, every error at once.
//!
//! A suite is decoded once for each node that it is for, since its variables are the node's. What
//! only shows across files is checked here: ids unique on a node, `after` that exists, no cycles.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    ops::Range,
    sync::Arc,
};

use toml::de::DeTable;
use verify_model::{check::Check, node::NodeFile, run::SuiteSource, waiver::Waiver};

use super::{
    diagnostic::{Diagnostic, LoadError, Source, did_you_mean},
    graph,
    link::{self, Declared, Inventory},
    node,
    reader::UNKNOWN_VARIABLE,
    root::{EMBEDDED, Root},
    suite::{self, LoadedCheck, SuiteHead},
    waiver::{self, SharedWaiver},
};
use crate::{probe::ParamKind, probes};

/// Holds everything that can be asked.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Nodes, by name.
    pub nodes: BTreeMap<String, NodeFile>,
    /// Suites, by name.
    pub suites: BTreeMap<String, LoadedSuite>,
    /// Checks of each node, in the order of suites and files.
    pub checks: BTreeMap<String, Vec<Check>>,
    /// Waivers of the file beside the suites; every node has those that are for it.
    pub waivers: Vec<SharedWaiver>,
    /// Whether checks that ship for nodes nobody meant were left out.
    pub is_part: bool,
}

/// Holds one suite as it was loaded.
#[derive(Debug)]
pub struct LoadedSuite {
    /// What the record keeps of it.
    pub source: SuiteSource,
    /// Nodes that it is for.
    pub nodes: Vec<String>,
}

impl Catalog {
    /// Lets a machine of a cluster be asked as a node file describes: the checks, variables and
    /// waivers of that node, under a name of its own. A cable is that of the one machine of the file:
    /// its checks are left out, and their ids returned.
    pub fn adopt(&mut self, template: &str, name: &str) -> Vec<String> {
        let Some(file) = self.nodes.get(template) else { return Vec::new() };
        let mut file = file.clone();
        name.clone_into(&mut file.name);
        file.hostnames = vec![name.to_owned()];
        file.ssh = None;
        for waiver in &mut file.waivers {
            name.clone_into(&mut waiver.node);
        }
        let by_name = self.waivers.iter().filter(|waiver| waiver.node.as_deref() == Some(name));
        let ids = self.checks.get(template).into_iter().flatten().map(|check| check.id.as_str());
        let ids: Vec<&str> = ids.collect();
        let named = by_name
            .flat_map(|w| ids.iter().filter(|id| w.names(name, id)).map(|id| w.on(name, id)));
        file.waivers.extend(named);
        file.links = Box::default();
        self.nodes.insert(name.to_owned(), file);
        let checks = self.checks.get(template).cloned().unwrap_or_default();
        let is_of_link = |check: &Check| {
            let params = probes::find(&check.probe).map(|probe| probe.spec().params);
            let links = params
                .unwrap_or_default()
                .iter()
                .filter(|param| matches!(param.kind, ParamKind::Link | ParamKind::Links));
            links.into_iter().any(|param| check.with.contains_key(param.name))
        };
        let (of_links, own): (Vec<Check>, Vec<Check>) = checks.into_iter().partition(is_of_link);
        self.checks.insert(name.to_owned(), own);
        of_links.into_iter().map(|check| check.id).collect()
    }

    /// Says which waivers of the file beside the suites name no check or no node that there is.
    pub fn idle_waivers(&self) -> Vec<Diagnostic> {
        let known = self.nodes.keys().map(|name| {
            let checks = self.checks.get(name).into_iter().flatten();
            (name.as_str(), checks.map(|check| check.id.as_str()).collect())
        });
        let known: BTreeMap<&str, Vec<&str>> = known.collect();
        self.waivers.iter().filter_map(|waiver| waiver.idle(&known)).collect()
    }
}

/// Loads everything below a root.
///
/// *Errors*: all that is wrong in all files.
pub fn load(root: &Root) -> Result<Catalog, LoadError> {
    let (nodes, suites, waivers) = (root.nodes()?, root.suites()?, root.waivers()?);
    load_all(&nodes, &suites, waivers.as_ref())
}

/// Loads what can be read below a root and leaves out the rest: names to offer, never to run.
pub fn readable(root: &Root) -> Catalog {
    gather(&root.readable_nodes().0, &root.readable_suites().0, None, None).0
}

/// Loads nodes and suites from given sources.
///
/// *Errors*: all that is wrong in all files.
pub fn load_sources(
    nodes: &BTreeMap<String, Arc<Source>>,
    suites: &BTreeMap<String, Arc<Source>>,
) -> Result<Catalog, LoadError> {
    load_all(nodes, suites, None)
}

/// Loads everything from given sources.
///
/// *Errors*: all that is wrong in all files.
pub fn load_all(
    nodes: &BTreeMap<String, Arc<Source>>,
    suites: &BTreeMap<String, Arc<Source>>,
    waivers: Option<&Arc<Source>>,
) -> Result<Catalog, LoadError> {
    without_errors(gather(nodes, suites, waivers, None))
}

/// Loads what is wanted of some nodes: checks that ship for others are left out, since the tests loaded
/// them, and reading them takes longer than asking a hundred questions.
///
/// *Errors*: all that is wrong in all files.
pub fn load_for(
    meant: &BTreeSet<String>,
    nodes: &BTreeMap<String, Arc<Source>>,
    suites: &BTreeMap<String, Arc<Source>>,
    waivers: Option<&Arc<Source>>,
) -> Result<Catalog, LoadError> {
    // A waiver that names nothing, or what a suite of one's own is after, is found only where everything
    // is there; and errors are said all at once.
    let is_cut = |node: &String| {
        !meant.contains(node) && nodes.get(node).is_some_and(|source| ships(source))
    };
    let meets = |suite: &LoadedSuite| {
        !suite.source.file.starts_with(EMBEDDED) && suite.nodes.iter().any(is_cut)
    };
    if waivers.is_none() {
        let (catalog, errors) = gather(nodes, suites, None, Some(meant));
        if errors.is_empty() && !catalog.suites.values().any(meets) {
            return Ok(catalog);
        }
    }
    load_all(nodes, suites, waivers)
}

fn ships(source: &Source) -> bool {
    source.file.starts_with(EMBEDDED)
}

fn without_errors(
    (catalog, diagnostics): (Catalog, Vec<Diagnostic>),
) -> Result<Catalog, LoadError> {
    if diagnostics.is_empty() {
        Ok(catalog)
    } else {
        Err(LoadError { diagnostics, general: Vec::new() })
    }
}

/// Loads what can be, and collects what is wrong with the rest; of what ships, the checks of those nodes
/// that are meant.
fn gather(
    node_sources: &BTreeMap<String, Arc<Source>>,
    suite_sources: &BTreeMap<String, Arc<Source>>,
    waiver_source: Option<&Arc<Source>>,
    meant: Option<&BTreeSet<String>>,
) -> (Catalog, Vec<Diagnostic>) {
    let is_left_out = |suite: &Source, node: &str| {
        ships(suite)
            && meant.is_some_and(|names| !names.contains(node))
            && node_sources.get(node).is_some_and(|source| ships(source))
    };

    let mut errors: Vec<Diagnostic> = Vec::new();
    let mut nodes = BTreeMap::new();
    let mut waived: Vec<(&Arc<Source>, Waiver, Range<usize>)> = Vec::new();
    let mut declared: Vec<Declared<'_>> = Vec::new();
    for (name, source) in node_sources {
        let (node, found) = node::node(source, name);
        errors.extend(found);
        let waivers = node.file.waivers.iter().cloned().zip(node.waiver_spans);
        waived.extend(waivers.map(|(waiver, span)| (source, waiver, span)));
        let links = node.file.links.iter().cloned().zip(node.link_spans);
        declared.extend(links.map(|(link, span)| Declared { source, link, span }));
        nodes.insert(name.clone(), node.file);
    }
    let (links, found) = link::inventory(&declared, &nodes);
    errors.extend(found);
    let links = &links;
    let (waivers, found) = waiver_source.map(waiver::shared).unwrap_or_default();
    errors.extend(found);
    let mut suites = BTreeMap::new();
    let mut loaded: BTreeMap<String, Vec<LoadedCheck>> = BTreeMap::new();
    for (name, source) in suite_sources {
        let before = errors.len();
        let wanted = |node: &str| !is_left_out(source, node);
        let around = Around { nodes: &nodes, links, wanted: &wanted };
        let suite = load_suite(name, source, around, &mut loaded, &mut errors);
        dedup(&mut errors, before);
        suites.extend(suite.map(|suite| (name.clone(), suite)));
    }
    if errors.is_empty() {
        for checks in loaded.values() {
            let before = errors.len();
            graph::check(checks, &mut errors);
            dedup(&mut errors, before);
        }
        let nothing = Vec::new();
        let unused = waived.iter().filter_map(|(source, waiver, span)| {
            waives_nothing(source, waiver, span, loaded.get(&waiver.node).unwrap_or(&nothing))
        });
        errors.extend(unused);
        errors.extend(waiver::lay(&waivers, &mut nodes, &loaded));
    }
    errors.sort_by(|a, b| (&a.source.file, a.span.start).cmp(&(&b.source.file, b.span.start)));
    dedup(&mut errors, 0);
    variables_once(&mut errors);
    let checks = loaded
        .into_iter()
        .map(|(node, checks)| (node, checks.into_iter().map(|loaded| loaded.check).collect()))
        .collect();
    (Catalog { nodes, suites, checks, waivers, is_part: meant.is_some() }, errors)
}

/// Says that a waiver names a check that its node does not have: nothing would be excused.
fn waives_nothing(
    source: &Arc<Source>,
    waiver: &Waiver,
    span: &Range<usize>,
    checks: &[LoadedCheck],
) -> Option<Diagnostic> {
    let ids = || checks.iter().map(|loaded| loaded.check.id.as_str());
    if ids().any(|id| id == waiver.check) {
        return None;
    }
    let help = did_you_mean(&waiver.check, ids()).map_or_else(
        || format!("`verify list checks --node {}` lists them", waiver.node),
        |close| format!("did you mean `{close}`?"),
    );
    Some(Diagnostic {
        source: Arc::clone(source),
        span: span.clone(),
        title: format!("node {} has no check `{}` to waive", waiver.node, waiver.check),
        label: "no such check".to_owned(),
        help: Some(help),
    })
}

/// Says of a variable that a node lacks once that it does, with the number of places that ask for it:
/// a node file that stands for a shipped one would else be a hundred errors.
fn variables_once(errors: &mut Vec<Diagnostic>) {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for error in errors.iter().filter(|error| error.label == UNKNOWN_VARIABLE) {
        *places.entry(error.title.clone()).or_default() += 1;
    }
    let mut said = BTreeSet::new();
    errors.retain(|error| error.label != UNKNOWN_VARIABLE || said.insert(error.title.clone()));
    for error in errors.iter_mut().filter(|error| error.label == UNKNOWN_VARIABLE) {
        if let Some(more @ 2..) = places.get(&error.title) {
            let _ = write!(error.title, ", for which {more} places ask");
        }
    }
}

/// Drops errors that a suite shows once for each of its nodes.
fn dedup(errors: &mut Vec<Diagnostic>, from: usize) {
    let mut seen = BTreeSet::new();
    let mut place = 0;
    errors.retain(|error| {
        place += 1;
        place <= from
            || seen.insert((error.source.file.clone(), error.span.start, error.title.clone()))
    });
}

/// Holds what a suite is read with: all nodes, all links, and of which nodes its checks are wanted.
#[derive(Clone, Copy)]
struct Around<'a> {
    nodes: &'a BTreeMap<String, NodeFile>,
    links: &'a Inventory,
    wanted: &'a dyn Fn(&str) -> bool,
}

fn load_suite(
    name: &str,
    source: &Arc<Source>,
    Around { nodes, links, wanted }: Around<'_>,
    loaded: &mut BTreeMap<String, Vec<LoadedCheck>>,
    errors: &mut Vec<Diagnostic>,
) -> Option<LoadedSuite> {
    let (root, syntax) = DeTable::parse_recoverable(&source.text);
    errors.extend(syntax.iter().map(|error| Diagnostic {
        source: Arc::clone(source),
        span: error.span().unwrap_or(0..0),
        title: error.message().to_owned(),
        label: "here".to_owned(),
        help: None,
    }));
    let (head, found) = suite::head(source, name, &root);
    errors.extend(found);
    let head = head?;
    let chosen = choose_nodes(source, &head, nodes, errors);
    let nobody = NodeFile { name: "any".to_owned(), ..NodeFile::default() };
    if chosen.is_empty() {
        errors.extend(suite::checks(source, &head, &root, &nobody, links).1);
    }
    for node in chosen.iter().filter(|node| wanted(node)) {
        let Some(file) = nodes.get(node) else { continue };
        let (checks, found) = suite::checks(source, &head, &root, file, links);
        errors.extend(found);
        loaded.entry(node.clone()).or_default().extend(checks);
    }
    Some(LoadedSuite {
        source: SuiteSource {
            name: name.to_owned(),
            title: head.title,
            file: source.file.clone(),
            digest: digest(source.text.as_bytes()),
        },
        nodes: chosen,
    })
}

fn choose_nodes(
    source: &Arc<Source>,
    head: &SuiteHead,
    nodes: &BTreeMap<String, NodeFile>,
    errors: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let mut chosen = BTreeSet::new();
    for (pattern, span) in &head.nodes {
        // Most suites name their nodes, and a name needs no pattern that takes time to make.
        let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if pattern.chars().all(is_name) && nodes.contains_key(pattern) {
            chosen.insert(pattern.clone());
            continue;
        }
        let Ok(glob) = globset::Glob::new(pattern) else {
            errors.push(Diagnostic {
                source: Arc::clone(source),
                span: span.clone(),
                title: format!("`{pattern}` is not a pattern"),
                label: "expected a node's name, `*` allowed".to_owned(),
                help: None,
            });
            continue;
        };
        let matcher = glob.compile_matcher();
        let matching: Vec<&String> = nodes.keys().filter(|name| matcher.is_match(name)).collect();
        if matching.is_empty() {
            let help = did_you_mean(pattern, nodes.keys().map(String::as_str)).map_or_else(
                || format!("nodes are: {}", nodes.keys().cloned().collect::<Vec<_>>().join(", ")),
                |close| format!("did you mean `{close}`?"),
            );
            errors.push(Diagnostic {
                source: Arc::clone(source),
                span: span.clone(),
                title: format!("no node is named `{pattern}`"),
                label: "unknown node".to_owned(),
                help: Some(help),
            });
        }
        chosen.extend(matching.into_iter().cloned());
    }
    chosen.into_iter().collect()
}

/// Returns the SHA-256 of bytes, in hex.
pub fn digest(bytes: &[u8]) -> String {
    use sha2::Digest;
    use std::fmt::Write as _;
    let hash = sha2::Sha256::digest(bytes);
    let mut hex = String::with_capacity(2 * hash.len());
    for byte in hash {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
