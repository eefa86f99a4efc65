//! Whether what is shipped is whole: files embedded, required checks declared, editors content.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    process::{Command, Output},
};

use serde_json::Value;
use verify_engine::load::embedded::{NODES, SUITES};

use crate::{
    documents::{checkout, toml_files},
    ground::{Ground, PASSES, check},
};

#[test]
fn every_shipped_file_begins_with_its_schema() {
    for (folder, line) in [
        ("suites", "#:schema ./suite.schema.json"),
        ("runners/nodes", "#:schema ./node.schema.json"),
    ] {
        for (name, text) in toml_files(folder) {
            assert_eq!(text.lines().next(), Some(line), "{folder}/{name}.toml");
        }
    }
}

#[test]
fn the_binary_carries_every_shipped_file() {
    for (folder, embedded) in [("suites", SUITES), ("runners/nodes", NODES)] {
        let there = toml_files(folder);
        let carried: Vec<(String, String)> =
            embedded.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let names = |list: &[(String, String)]| {
            list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&carried), names(&there), "runners/engine/src/load/embedded.rs, {folder}");
        assert!(carried == there, "an embedded file of {folder} differs from the shipped one");
    }
}

#[test]
fn without_a_root_the_embedded_files_are_used() {
    let ground = Ground::empty();
    let mut command = ground.command(&["list", "nodes", "--json"]);
    let away = tempfile::tempdir().unwrap();
    let said = crate::ground::said(command.env_remove("VERIFY_ROOT").current_dir(away.path()));
    let listed: Value = serde_json::from_str(&said.exits(0).out).unwrap();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(names, NODES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

/// Lists the ids that the checkout declares for a node.
fn declared(ground: &Ground, node: &str) -> BTreeSet<String> {
    let root = checkout("").canonicalize().unwrap();
    let args = ["--root", root.to_str().unwrap(), "list", "checks", "--node", node, "--json"];
    let listed: Value = serde_json::from_str(&ground.say(&args).exits(0).out).unwrap();
    let name = |check: &Value| check["name"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(name).collect()
}

#[test]
fn every_required_id_is_declared_or_said_not_to_be_and_no_other_is() {
    let text = fs::read_to_string(checkout("suites/required-ids.txt")).unwrap();
    let mut required: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (node, id) = (words.next().unwrap(), words.next().unwrap());
        assert!(matches!(words.next(), None | Some("partial")), "{line}");
        assert!(required.entry(node).or_default().insert(id), "listed twice: {line}");
    }
    let ground = Ground::empty();
    for (node, ids) in required {
        let declared = declared(&ground, node);
        for id in ids.iter().filter(|id| !declared.contains(**id)) {
            // Not `eprintln!`: what a passing test prints is swallowed.
            writeln!(std::io::stderr(), "not yet declared: {node} {id}").unwrap();
        }
        let unlisted: Vec<&String> =
            declared.iter().filter(|id| !ids.contains(id.as_str())).collect();
        assert!(unlisted.is_empty(), "add to suites/required-ids.txt for {node}: {unlisted:?}");
    }
}

/// Lets the validator of editors look at files; nothing where it is not installed.
fn tombi(ground: &Ground, files: &[String]) -> Option<Output> {
    let there = Command::new("tombi").arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        writeln!(std::io::stderr(), "skipped: needs tombi (pip install tombi)").unwrap();
        return None;
    }
    // In its own folder, so that no configuration of the surroundings is found.
    let mut command = Command::new("tombi");
    command.args(["lint", "--offline", "--error-on-warnings"]).args(files);
    Some(command.current_dir(ground.path("")).output().unwrap())
}

#[test]
fn an_editor_accepts_every_shipped_file() {
    let mut files = Vec::new();
    for folder in ["suites", "runners/nodes"] {
        for (name, _) in toml_files(folder) {
            let path = checkout(folder).canonicalize().unwrap().join(format!("{name}.toml"));
            files.push(path.to_str().unwrap().to_owned());
        }
    }
    if let Some(output) = tombi(&Ground::empty(), &files) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn an_editor_rejects_a_broken_suite_and_points_at_the_place() {
    let ground = Ground::empty();
    fs::copy(checkout("suites/suite.schema.json"), ground.path("suites/suite.schema.json"))
        .unwrap();
    let head = "#:schema ./suite.schema.json\n[suite]\ntitle = \"x\"\nnodes = [\"box\"]\n\n";
    for (name, lines, words) in [
        ("sound", PASSES.to_owned(), None),
        ("key", format!("afer = []\n{PASSES}"), Some("afer")),
        ("type", format!("after = 3\n{PASSES}"), Some("Array")),
        ("matcher", PASSES.replace("= true", "= { iss = true }"), Some("iss")),
        ("field", PASSES.replace("exists", "exist"), Some("exist")),
    ] {
        ground.suite_text(name, format!("{head}{}", check("a/one", &lines)));
        let file = ground.text(&format!("suites/{name}.toml"));
        let Some(output) = tombi(&ground, std::slice::from_ref(&file)) else { return };
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), words.is_none(), "{name}: {said}");
        assert!(words.is_none_or(|word| said.contains(word)), "{name}: {said}");
    }
}

#[test]
fn a_user_without_rights_gets_a_report_without_an_error() {
    let ground = Ground::empty();
    let Some(said) = ground.say_as_nobody(&["--via", "local", "--quick"]) else { return };
    let counts = said.out.lines().find(|line| line.starts_with("counts")).unwrap_or_default();
    assert!(counts.contains(" 0 error"), "{}{}", said.out, said.err);
}
