//! What a waiver excuses, from node file to exit code.

use crate::ground::{FAILS, Ground, PASSES, outcomes};

fn waive(ground: &Ground, check: &str, expires: &str, rest: &str) {
    let text = format!(
        "[[waiver]]\ncheck = \"{check}\"\nreason = \"The part is on order.\"\nowner = \"ops\"\nexpires = \"{expires}\"\n{rest}"
    );
    ground.node("box", &text);
}

#[test]
fn a_valid_waiver_excuses_a_failure_in_the_exit_code_of_run_record_and_junit() {
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", PASSES)]);
    waive(&ground, "a/one", "2999-12-31", "");
    let said = ground.run(&["--report", "junit=out.xml"]).exits(0);
    said.says(&["1 fail (1 waived)", "waived by ops until 2999-12-31: The part is on order."]);
    let xml = std::fs::read_to_string(ground.path("out.xml")).unwrap();
    assert!(
        xml.contains("failures=\"0\" errors=\"0\"") && xml.contains("type=\"waived\""),
        "{xml}"
    );
    let lines = ground.last();
    assert_eq!(lines.last().unwrap()["exit"], 0, "the record agrees with the command");
    ground.say(&["judge", "last"]).exits(0);
}

#[test]
fn an_expired_waiver_excuses_nothing() {
    let ground = Ground::with(&[("a/one", FAILS)]);
    waive(&ground, "a/one", "2020-01-01", "");
    ground.run(&[]).exits(1).says(&["the waiver of ops expired on 2020-01-01"]);
}

#[test]
fn a_check_that_passes_again_asks_for_the_waiver_to_be_removed() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    waive(&ground, "a/one", "2999-12-31", "");
    ground.run(&[]).exits(0).says(&["passes again: the waiver of ops is not needed"]);
}

#[test]
fn a_strict_waiver_makes_an_unexpected_pass_a_failure() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    waive(&ground, "a/one", "2999-12-31", "strict = true\n");
    ground.run(&[]).exits(1).says(&["although the strict waiver of ops says that it fails"]);
    assert_eq!(ground.last().last().unwrap()["exit"], 1, "the record agrees with the command");
}

#[test]
fn a_waived_failure_still_blocks_what_comes_after_it() {
    let after = format!("after = [\"a/one\"]\n{PASSES}");
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", &after), ("a/three", PASSES)]);
    waive(&ground, "a/one", "2999-12-31", "");
    ground.run(&[]).exits(0).says(&["1 fail (1 waived)", "1 blocked"]);
}

#[test]
fn a_waived_failure_does_not_end_a_run_that_fails_fast() {
    let loads = "probe = \"command\"\nwith = { argv = [\"true\"], effect = \"loads\" }\nexpect = { exit-code = 0 }";
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", loads)]);
    waive(&ground, "a/one", "2999-12-31", "");
    ground.run(&["--fail-fast"]).exits(0).says(&["1 pass"]);
    assert!(outcomes(&ground.last()).contains(&("a/two".to_owned(), "pass".to_owned())));
}

#[test]
fn a_day_that_is_none_is_an_error_of_the_file() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    waive(&ground, "a/one", "soon", "");
    ground.run(&[]).exits(2).complains(&["`soon` is not a day", "runners/nodes/box.toml"]);
}

#[test]
fn a_waiver_for_a_check_that_the_node_does_not_have_is_an_error_of_the_file() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    waive(&ground, "a/two", "2999-12-31", "");
    ground.run(&[]).exits(2).complains(&["a/two", "runners/nodes/box.toml"]);
}
