//! Which crate may depend on which, and on what else.
//!
//! The compiler holds an edge once it is absent from a manifest; this holds the manifests. Only
//! the tables of dependencies and `[lints]` are read, line by line: a manifest is data that cargo
//! has already checked.

use crate::tree::{File, Finding, demand_none, files};

/// The folder of each crate, and the crates of the workspace that it may depend on.
const EDGES: [(&str, &[&str]); 7] = [
    ("reports", &["verify-model"]),
    ("runners/engine", &["verify-model"]),
    ("runners/fuzz", &["verify-engine", "verify-instruments", "verify-model", "verify-reports"]),
    ("runners/instruments", &[]),
    ("runners/model", &[]),
    ("runners/simulator", &[]),
    ("runners/verify", &["verify-engine", "verify-instruments", "verify-model", "verify-reports"]),
];

/// All that the model is built from: none can open a file, read a clock or draw a number.
const MODEL_ALLOWED: [&str; 5] = ["regex", "schemars", "serde", "serde_json", "thiserror"];

/// Crates with `unsafe` code keep a lint table of their own.
const OWN_LINTS: [&str; 2] = ["runners/instruments", "runners/simulator"];

/// One dependency of a manifest.
struct Dependency {
    line: usize,
    name: String,
    for_tests: bool,
}

fn folder(manifest: &File) -> &str {
    manifest.path.trim_end_matches("Cargo.toml").trim_end_matches('/')
}

fn dependencies(manifest: &File) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut table = "";
    for (index, line) in manifest.text.lines().enumerate() {
        let line_number = index + 1;
        let line = line.trim();
        if let Some(head) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            table = head;
            if let Some((_, name)) = head.split_once("dependencies.") {
                let for_tests = head.contains("dev-dependencies");
                found.push(Dependency { line: line_number, name: name.to_owned(), for_tests });
            }
        } else if table.ends_with("dependencies")
            && !table.starts_with("workspace")
            && line.starts_with(|c: char| c.is_alphanumeric())
            && let Some((key, value)) = line.split_once('=')
        {
            // A renamed dependency is what it renames.
            let renamed = value.split_once("package = \"").and_then(|(_, to)| to.split('"').next());
            let name = renamed.or(key.split('.').next()).unwrap_or(key).trim().to_owned();
            let for_tests = table.contains("dev-dependencies");
            found.push(Dependency { line: line_number, name, for_tests });
        }
    }
    found
}

fn edges(manifest: &File) -> Vec<Finding> {
    let Some((crate_folder, allowed)) = EDGES.iter().find(|(path, _)| *path == folder(manifest))
    else {
        let action = "write an ADR, then add the crate to EDGES and to the map of ARCHITECTURE.md";
        return vec![Finding::new(manifest, 1, "a crate that the map does not know", action)];
    };
    let ours = |name: &str| name == "verify" || name.starts_with("verify-");
    let wrong = dependencies(manifest)
        .into_iter()
        .filter(|found| ours(&found.name) && !allowed.contains(&found.name.as_str()));
    let finding = |found: Dependency| {
        let expected = format!("{crate_folder} must not depend on {}", found.name);
        let action = "pass the value through the model, or write an ADR and change EDGES";
        Finding::new(manifest, found.line, expected, action)
    };
    wrong.map(finding).collect()
}

fn model_dependencies(manifest: &File) -> Vec<Finding> {
    let wrong = dependencies(manifest)
        .into_iter()
        .filter(|found| !found.for_tests && !MODEL_ALLOWED.contains(&found.name.as_str()));
    let finding = |found: Dependency| {
        let expected = format!("the model must not depend on {}", found.name);
        let action = "move the code that needs it to the engine: judging stays pure";
        Finding::new(manifest, found.line, expected, action)
    };
    wrong.map(finding).collect()
}

fn lints(manifest: &File) -> Option<Finding> {
    let mut lines = manifest.text.lines().map(str::trim);
    let inherits = lines.any(|line| line == "[lints]")
        && lines.take_while(|line| !line.starts_with('[')).any(|line| line == "workspace = true");
    let own = OWN_LINTS.contains(&folder(manifest));
    let action = "add `[lints]` with `workspace = true`";
    (!inherits && !own)
        .then(|| Finding::new(manifest, 1, "the crate does not inherit the lint table", action))
}

fn crates() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.path.ends_with("/Cargo.toml"))
}

#[test]
fn crates_depend_on_each_other_only_along_the_map() {
    demand_none(crates().flat_map(edges));
}

#[test]
fn an_edge_that_is_not_on_the_map_is_found_in_every_notation() {
    let tried = |path: &str, text: &str| edges(&File::sample(path, text)).len();
    for bad in [
        "[dependencies]\nverify-reports.workspace = true\n",
        "[dev-dependencies]\nverify-reports = { path = \"../../reports\" }\n",
        "[target.'cfg(unix)'.dependencies]\nr = { package = \"verify-reports\", path = \"x\" }\n",
        "[dependencies.verify-reports]\nworkspace = true\n",
    ] {
        assert_eq!(tried("runners/engine/Cargo.toml", bad), 1, "{bad}");
        assert_eq!(tried("runners/verify/Cargo.toml", bad), 0, "{bad}");
    }
    assert_eq!(tried("reports/Cargo.toml", "[dependencies]\nverify-engine.workspace = true\n"), 1);
    assert_eq!(tried("runners/novel/Cargo.toml", "[package]\nname = \"novel\"\n"), 1);
}

#[test]
fn the_model_is_built_from_nothing_that_can_open_a_file_or_read_a_clock() {
    let model = crates().filter(|file| folder(file) == "runners/model");
    demand_none(model.flat_map(model_dependencies));
}

#[test]
fn a_dependency_that_the_model_may_not_have_is_found() {
    let text = "[dependencies]\nserde.workspace = true\njiff = { version = \"0.2\", features = [\n    \
                \"std\",\n] }\n[dev-dependencies]\ntempfile = \"3\"\n";
    let found = model_dependencies(&File::sample("runners/model/Cargo.toml", text));
    assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [3]);
}

#[test]
fn every_crate_inherits_the_lint_table() {
    demand_none(crates().filter_map(lints));
}

#[test]
fn a_crate_without_the_lint_table_is_found() {
    assert!(lints(&File::sample("reports/Cargo.toml", "[lints]\n[dependencies]\n")).is_some());
    assert!(lints(&File::sample("reports/Cargo.toml", "[lints]\nworkspace = true\n")).is_none());
    assert!(lints(&File::sample("runners/simulator/Cargo.toml", "")).is_none());
}
