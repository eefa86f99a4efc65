//! What must hold of the files that people write: suites, nodes, waivers.
//!
//! A file loads, or every error names a line that it has. What loads goes into a record and comes
//! back the same, asks something, and demands nothing that is empty.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use verify_engine::load::{
    catalog::{Catalog, load_all},
    diagnostic::{LoadError, Source},
    embedded::{NODES, SUITES},
};
use verify_model::{check::Check, node::NodeFile};

type Sources = BTreeMap<String, Arc<Source>>;

/// Names of the shipped nodes that suites are tried with: one that asks little, one that asks much.
const TRIED: [&str; 2] = ["local", "nvidia"];
/// Two nodes that waivers are tried with.
const SMALL: [(&str, &str); 2] = [
    ("local", "title = \"This machine\"\n"),
    ("box", "title = \"A box\"\nhostnames = [\"box\"]\nssh = \"box\"\n"),
];
/// Asks a node of every name something.
const SUITE: &str = "[suite]\ntitle = \"One\"\nnodes = [\"*\"]\n[[check]]\nid = \"group/name\"\n\
    title = \"A port\"\nprobe = \"port\"\nwith = { port = 22 }\nexpect = { open = true }\n\
    why = \"w\"\nsource = \"s\"\nfix = \"f\"\n";
const WAIVERS: &str = "[[waiver]]\ncheck = \"group/*\"\nnode = \"local\"\nreason = \"r\"\nowner = \"o\"\n\
    expires = 2026-12-31\nonly = { \"bios.version\" = \"2.*\" }\n";

fn sources(files: &[(&str, &str)]) -> Sources {
    let named = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Source::new(format!("{name}.toml"), *text)));
    named.collect()
}

fn bytes(files: &[(&str, &str)]) -> Vec<Vec<u8>> {
    files.iter().map(|(_, text)| text.as_bytes().to_vec()).collect()
}

pub(crate) fn suites() -> Vec<Vec<u8>> {
    // Whole suites are long for a fuzzer: each check alone reaches as much.
    let mut seeds = vec![SUITE.as_bytes().to_vec()];
    for (_, text) in SUITES {
        let mut checks = text.split("[[check]]");
        let head = checks.next().unwrap_or_default();
        seeds.extend(checks.map(|check| format!("{head}[[check]]{check}").into_bytes()));
    }
    seeds
}

pub(crate) fn nodes() -> Vec<Vec<u8>> {
    bytes(NODES)
}

pub(crate) fn waiver_seeds() -> Vec<Vec<u8>> {
    vec![WAIVERS.as_bytes().to_vec()]
}

/// Tries a text as a suite for the shipped nodes.
pub(crate) fn suite(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let nodes: Vec<_> = NODES.iter().filter(|(name, _)| TRIED.contains(name)).copied().collect();
    match load_all(&sources(&nodes), &sources(&[("tried", text)]), None) {
        Ok(catalog) => demand_sound(&catalog),
        Err(error) => demand_place(&error, "tried.toml", text),
    }
}

/// Tries a text as a node file that a suite is for.
pub(crate) fn node(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match load_all(&sources(&[("tried", text)]), &sources(&[("one", SUITE)]), None) {
        Ok(catalog) => {
            demand_sound(&catalog);
            for file in catalog.nodes.values() {
                let json = serde_json::to_string(file).expect("a node has a JSON form");
                let read: NodeFile =
                    serde_json::from_str(&json).unwrap_or_else(|e| panic!("{json}: {e}"));
                assert_eq!(&read, file);
            }
        }
        Err(error) => demand_place(&error, "tried.toml", text),
    }
}

/// Tries a text as the waivers beside the suites.
pub(crate) fn waivers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let source = Source::new("waivers.toml", text);
    match load_all(&sources(&SMALL), &sources(&[("one", SUITE)]), Some(&source)) {
        Ok(catalog) => {
            demand_sound(&catalog);
            let _ = catalog.idle_waivers();
            for waiver in catalog.nodes.values().flat_map(|node| &node.waivers) {
                assert!(!waiver.reason.is_empty() && !waiver.owner.is_empty(), "{waiver:?}");
                assert_eq!(waiver.expires.len(), "2026-12-31".len(), "{waiver:?}");
            }
        }
        Err(error) => demand_place(&error, "waivers.toml", text),
    }
}

/// Every error names a line of the file that it is about, and can be shown.
pub(crate) fn demand_place(error: &LoadError, file: &str, text: &str) {
    assert!(!error.is_empty(), "refused without an error");
    let lines = 1 + text.matches('\n').count();
    for diagnostic in error.diagnostics.iter().filter(|found| found.source.file == file) {
        let line = diagnostic.source.location(diagnostic.span.start).line as usize;
        let span = &diagnostic.span;
        assert!(span.start <= span.end && span.end <= text.len(), "{diagnostic:?}");
        assert!((1..=lines).contains(&line), "{diagnostic:?}");
        assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
        assert!(!diagnostic.title.is_empty(), "{diagnostic:?}");
    }
    assert!(!error.render(false).trim().is_empty());
    assert!(!error.to_string().is_empty());
}

/// What loaded asks something, once for each id, and is recorded as it is.
fn demand_sound(catalog: &Catalog) {
    for (node, checks) in &catalog.checks {
        let mut ids = BTreeSet::new();
        for check in checks {
            assert!(ids.insert(&check.id), "{} stands twice on {node}", check.id);
            demand_check(check);
        }
    }
}

fn demand_check(check: &Check) {
    let demands = || check.expect.iter().chain(&check.advise);
    assert!(demands().next().is_some() || !check.record.is_empty(), "{} says nothing", check.id);
    assert!(demands().all(|demand| !demand.matchers.is_empty()), "{} demands nothing", check.id);
    assert!(check.repeat > 0 && check.limit_ms > 0, "{}", check.id);
    assert!(!check.source.trim().is_empty(), "{} has no source", check.id);
    let json = serde_json::to_string(check).expect("a check has a JSON form");
    let read: Check = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{json}: {e}"));
    assert_eq!(&read, check, "{json}");
}
