//! What `verify compare` shows of two runs, and what it never calls comparable.

use std::fs;

use serde_json::Value;

use crate::ground::{FAILS, Ground, PASSES, Said, shell};

const MEASURES: &str = "record = [\"elapsed\"]\nexpect = { exit-code = 0 }";

/// Runs all checks and returns the file of the record.
fn run(ground: &Ground) -> std::path::PathBuf {
    let before = ground.records();
    ground.run(&[]);
    let mut after = ground.records();
    after.retain(|path| !before.contains(path));
    assert_eq!(after.len(), 1, "one record for one run");
    after.remove(0)
}

/// Writes the record anew with other words in it.
fn rewrite(record: &std::path::Path, words: &[(&str, &str)]) {
    let mut text = fs::read_to_string(record).unwrap();
    for (old, new) in words {
        assert!(text.contains(old), "no `{old}` in the record");
        text = text.replace(old, new);
    }
    fs::write(record, text).unwrap();
}

/// Returns a part of the record as it stands there: `"key":"value"`, where it says something.
fn said(record: &std::path::Path, key: &str) -> String {
    let text = fs::read_to_string(record).unwrap();
    let head = format!("\"{key}\":\"");
    let values = text.match_indices(&head).map(|(at, _)| &text[at + head.len()..]);
    let mut values = values.map(|rest| &rest[..rest.find('"').unwrap()]);
    format!("{head}{}\"", values.find(|value| !value.is_empty()).unwrap())
}

fn compare(ground: &Ground, more: &[&str]) -> Said {
    ground.say(&[&["compare", "last~1", "last"], more].concat())
}

#[test]
fn two_runs_are_shown_side_by_side_with_what_changed_in_the_machine() {
    let ground = Ground::with(&[("a/time", &shell("true", MEASURES)), ("a/state", PASSES)]);
    run(&ground);
    let second = run(&ground);
    compare(&ground, &[])
        .exits(0)
        .says(&["nothing changed in the machine", "next: verify baseline diff"]);
    rewrite(&second, &[(&said(&second, "kernel.release"), "\"kernel.release\":\"9.9.9-other\"")]);
    let shown = compare(&ground, &[]).exits(0);
    let shown = shown.says(&["changed in the machine kernel: ", "-> 9.9.9-other", "node box"]);
    assert!(!shown.out.contains("a/state"), "it does not differ:\n{}", shown.out);
    assert!(shown.out.lines().all(|line| line.chars().count() <= 80), "{}", shown.out);
    compare(&ground, &["--all"]).exits(0).says(&["a/state pass", "a/time pass", "elapsed"]);
}

#[test]
fn an_outcome_that_turned_and_checks_that_came_or_went_are_shown() {
    let ground = Ground::with(&[("a/turns", PASSES), ("a/goes", PASSES)]);
    run(&ground);
    ground.suite("things", &[("a/turns", FAILS), ("a/comes", PASSES)]);
    run(&ground);
    compare(&ground, &[]).exits(0).says(&[
        "a/turns pass -> fail",
        "judged by other demands",
        "a/goes pass -> not asked",
        "a/comes new in the run -> pass",
    ]);
    let json: Value = serde_json::from_str(&compare(&ground, &["--json"]).exits(0).out).unwrap();
    let checks = json["nodes"][0]["checks"].as_array().unwrap();
    let turned = checks.iter().find(|check| check["check"] == "a/turns").unwrap();
    assert_eq!((&turned["then"], &turned["now"]), (&"pass".into(), &"fail".into()));
    assert_eq!(json["nodes"][0]["node"], "box");
}

#[test]
fn another_machine_is_never_compared_in_silence() {
    let ground = Ground::with(&[("a/time", &shell("true", MEASURES))]);
    run(&ground);
    let second = run(&ground);
    let name = said(&second, "hostname");
    rewrite(&second, &[(&name, "\"hostname\":\"elsewhere\"")]);
    let shown = compare(&ground, &[]).exits(0);
    let shown =
        shown.says(&["NOT COMPARABLE: another machine answered", "`elsewhere`", "not comparable"]);
    assert!(!shown.out.contains("better") && !shown.out.contains("worse"), "{}", shown.out);
}

#[test]
fn another_question_under_the_same_name_is_never_compared_in_silence() {
    let ground = Ground::with(&[("a/time", &shell("true", MEASURES))]);
    run(&ground);
    ground.suite("things", &[("a/time", &shell("true; true", MEASURES))]);
    run(&ground);
    let shown = compare(&ground, &[]).exits(0);
    let shown = shown.says(&["NOT COMPARABLE: its parameters are others", "not comparable"]);
    assert!(!shown.out.contains(" %"), "{}", shown.out);
}

#[test]
fn a_run_with_itself_differs_in_nothing_and_names_that_mean_no_run_are_refused() {
    let ground = Ground::with(&[("a/state", PASSES)]);
    let record = run(&ground);
    let path = record.to_str().unwrap();
    ground.say(&["compare", path, "last"]).exits(0).says(&["no check differs, of 1"]);
    ground.say(&["compare", "last", "last", "--check", "b/*"]).exits(2).complains(&["b/*"]);
    for bad in ["last~1", "last~x", "last~", "last~99999999999", "lastly", "ZZZ", "./none.jsonl"] {
        ground.say(&["compare", bad, "last"]).exits(2).complains(&["no run", "verify runs"]);
    }
    ground.say(&["compare", "last"]).exits(2);
    let cut = ground.path("cut.jsonl");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&cut, &text[..text.len() - 30]).unwrap();
    let shown = ground.say(&["compare", cut.to_str().unwrap(), "last"]).exits(0);
    shown.complains(&["cut short"]);
    fs::write(&cut, "{}\n").unwrap();
    ground.say(&["compare", cut.to_str().unwrap(), "last"]).exits(2);
}

#[test]
fn runs_of_two_nodes_have_nothing_to_compare() {
    let ground = Ground::with(&[("a/state", PASSES)]);
    ground.node("other", "");
    let suite = fs::read_to_string(ground.path("suites/things.toml")).unwrap();
    ground.suite_text("things", suite.replace("[\"box\"]", "[\"box\", \"other\"]"));
    run(&ground);
    ground.say(&["--node", "other"]).exits(0);
    compare(&ground, &[]).exits(2).complains(&["no node in common", "box", "other"]);
}

#[test]
fn words_of_a_node_are_cleaned_on_the_page() {
    let ground = Ground::with(&[("a/state", PASSES)]);
    run(&ground);
    let second = run(&ground);
    let hostile = "\"kernel.release\":\"9\\u001b[31m\\nx\\u202e\"";
    rewrite(&second, &[(&said(&second, "kernel.release"), hostile)]);
    let shown = compare(&ground, &[]).exits(0);
    assert!(!shown.out.contains('\u{1b}') && !shown.out.contains('\u{202e}'), "{}", shown.out);
}
