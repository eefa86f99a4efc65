//! Which exit code and which words each outcome gives, from suite file to terminal.

use crate::ground::{ERRS, FAILS, Ground, PASSES, SKIPS, of_kind, outcomes, shell};

#[test]
fn a_run_that_passes_exits_0_and_counts_all_six_outcomes() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.run(&[]).exits(0).says(&[
        "pass a/one",
        "1 pass · 0 fail (0 waived) · 0 error · 0 skip · 0 unjudged · 0 blocked",
        "Exit code 0.",
    ]);
}

#[test]
fn a_failure_exits_1_and_says_what_was_expected_observed_and_what_to_do() {
    let ground = Ground::with(&[("a/one", PASSES), ("a/two", FAILS)]);
    let said = ground.run(&[]).exits(1);
    said.says(&[
        "fail a/two",
        "expected exists: no",
        "observed yes",
        "why Why of a/two.",
        "next Fix of a/two.",
        "source Source of a/two",
        "where suites/things.toml:",
        "Exit code 1.",
    ]);
}

#[test]
fn a_missing_tool_without_a_when_is_an_error_and_exits_3() {
    let ground = Ground::with(&[("a/one", PASSES), ("a/two", ERRS)]);
    ground.run(&[]).exits(3).says(&["error a/two", "no-such-program-of-verify", "next Install it"]);
}

#[test]
fn a_failure_weighs_more_than_an_error() {
    let ground = Ground::with(&[("a/one", ERRS), ("a/two", FAILS)]);
    ground.run(&[]).exits(1).says(&["1 fail", "1 error"]);
}

#[test]
fn only_skips_exit_4_and_every_reason_is_shown() {
    let ground = Ground::with(&[("a/one", SKIPS)]);
    ground.run(&[]).exits(4).says(&[
        "skipped 1: needs `tool:no-such-program-of-verify`",
        "in PATH and the usual folders",
        "a/one",
        "Exit code 4.",
    ]);
}

#[test]
fn a_skip_beside_a_pass_exits_0() {
    let ground = Ground::with(&[("a/one", PASSES), ("a/two", SKIPS)]);
    ground.run(&[]).exits(0).says(&["1 pass", "1 skip"]);
}

#[test]
fn has_turns_a_missing_capability_into_a_failure() {
    let ground = Ground::with(&[("a/one", SKIPS)]);
    ground.node("box", "has = [\"tool:no-such-program-of-verify\"]");
    ground
        .run(&[])
        .exits(1)
        .says(&["listed under `has` of node box", "next Fix of a/one. If the node need not"]);
}

#[test]
fn a_broken_chain_is_one_failure_and_the_rest_is_blocked() {
    let after = |id: &str| format!("after = [\"{id}\"]\n{PASSES}");
    let ground =
        Ground::with(&[("a/one", FAILS), ("a/two", &after("a/one")), ("a/three", &after("a/two"))]);
    let said = ground.run(&["--report", "junit=out.xml"]).exits(1);
    said.says(&["1 fail", "2 blocked", "blocks 2 checks: a/two, a/three"]);
    let xml = std::fs::read_to_string(ground.path("out.xml")).unwrap();
    assert!(xml.contains("failures=\"1\" errors=\"0\"") && xml.contains("skipped=\"2\""), "{xml}");
}

#[test]
fn what_comes_after_a_skip_is_skipped_and_says_so() {
    let after = format!("after = [\"a/one\"]\n{PASSES}");
    let ground = Ground::with(&[("a/one", SKIPS), ("a/two", &after)]);
    ground.run(&[]).exits(4).says(&["2 skip", "waits for a/one, which was skipped"]);
}

#[test]
fn a_missing_baseline_exits_0_and_3_where_one_is_required() {
    let within = "probe = \"command\"\nwith = { argv = [\"true\"] }\nexpect = { elapsed = { within = \"50 %\" } }";
    let ground = Ground::with(&[("a/one", within)]);
    ground.run(&[]).exits(0).says(&["unjudged a/one", "1 unjudged"]);
    ground.run(&["--require-baseline"]).exits(3).says(&["1 unjudged"]);
}

#[test]
fn a_program_that_ends_with_an_error_is_an_answer() {
    let ground = Ground::with(&[("a/one", &shell("exit 3", "expect = { exit-code = 3 }"))]);
    ground.run(&[]).exits(0);
}

#[test]
fn the_record_holds_every_planned_check_exactly_once() {
    let after = format!("after = [\"a/fail\"]\n{PASSES}");
    let checks = [
        ("a/pass", PASSES),
        ("a/fail", FAILS),
        ("a/err", ERRS),
        ("a/skip", SKIPS),
        ("a/block", &*after),
    ];
    let ground = Ground::with(&checks);
    ground.run(&[]).exits(1);
    let lines = ground.last();
    let mut planned: Vec<&str> = of_kind(&lines, "planned")
        .iter()
        .map(|line| line["check"]["id"].as_str().unwrap())
        .collect();
    let judged = outcomes(&lines);
    let mut answered: Vec<&str> = judged.iter().map(|(id, _)| id.as_str()).collect();
    planned.sort_unstable();
    answered.sort_unstable();
    let mut expected = checks.map(|(id, _)| id);
    expected.sort_unstable();
    assert_eq!(planned, expected);
    assert_eq!(answered, expected);
    assert_eq!(lines.last().unwrap()["exit"], 1);
}

#[test]
fn equal_asks_are_gathered_once() {
    let ground = Ground::empty();
    std::fs::write(ground.path("fact"), "1\n").unwrap();
    let reads = format!(
        "probe = \"file\"\nwith = {{ path = \"{}\" }}\nexpect = {{ content = \"1\" }}",
        ground.text("fact")
    );
    ground.suite("things", &[("a/one", &reads), ("a/two", &reads), ("b/three", &reads)]);
    ground.run(&[]).exits(0).says(&["3 pass"]);
    let lines = ground.last();
    let about = |line: &&&serde_json::Value| line["ask"].to_string().contains("/fact\"");
    let asks: Vec<String> = of_kind(&lines, "evidence")
        .iter()
        .filter(about)
        .map(|line| line["ask"].to_string())
        .collect();
    assert_eq!(asks.len(), 2, "one look at the path and one reading, found {asks:?}");
    assert_ne!(asks[0], asks[1]);
}
