//! `verify selftest`: what ships notices what it is for, and says so when it does not.

use std::{fs, path::Path};

use serde_json::Value;

use super::ground::Ground;

const SUITE: &str = include_str!("../../../../suites/macbook.toml");

fn document(ground: &Ground, args: &[&str], code: i32) -> Value {
    let args = [&["selftest", "--format", "json"], args].concat();
    serde_json::from_str(&ground.say(&args).exits(code).out).unwrap()
}

/// Lays a suite over the one that ships.
fn with_suite(from: &str, to: &str) -> Ground {
    let ground = Ground::empty();
    assert!(SUITE.contains(from), "{from}");
    fs::write(ground.path("suites/macbook.toml"), SUITE.replacen(from, to, 1)).unwrap();
    ground
}

fn root(ground: &Ground) -> String {
    ground.text("")
}

#[test]
fn every_fault_is_noticed_every_control_is_green_and_nothing_is_written() {
    let ground = Ground::empty();
    let document = document(&ground, &[], 0);
    assert_eq!(document["injected"], true);
    let faults = document["faults"].as_array().unwrap();
    assert!(faults.len() > 100, "{}", faults.len());
    for fault in faults {
        assert_eq!(fault["result"], "noticed", "{fault:#}");
        assert_eq!(fault["found"]["outcome"], fault["expected"]["outcome"], "{fault:#}");
    }
    let controls = document["controls"].as_array().unwrap();
    assert!(controls.len() > 100 && controls.iter().all(|one| one["found"]["outcome"] == "pass"));
    for damage in document["damages"].as_array().unwrap() {
        assert!(damage["not-noticed"].as_array().unwrap().is_empty(), "{damage:#}");
        assert!(damage["broken"].as_array().unwrap().is_empty(), "{damage:#}");
        assert!(damage["tried"].as_u64().unwrap() > 90, "{damage:#}");
        assert_eq!(damage["tried"], damage["noticed"]);
        assert!(damage["outcomes"]["error"].as_u64().unwrap() > 50, "{damage:#}");
    }
    assert!(!ground.path("state").exists(), "a state was written");
}

#[test]
fn the_table_says_that_it_is_injected_and_ends_with_the_verdict() {
    let ground = Ground::empty();
    let said = ground.say(&["selftest", "--fault", "tool-broken"]).exits(0).says(&[
        "injected: recorded answers, made wrong on purpose; no machine was asked",
        "✓ tool-broken",
        "1 injected · 1 noticed · 0 not noticed",
        "1 check on healthy answers · 1 green",
        "1 fault noticed. Exit code 0.",
    ]);
    assert!(said.out.lines().all(|line| line.chars().count() <= 80), "{}", said.out);
    assert!(!ground.path("state").exists());
}

#[test]
fn a_root_that_lies_around_is_not_what_ships() {
    let ground = with_suite("broken  = { count = 0 }", "");
    let mut command = ground.command(&["selftest", "--fault", "tool-broken"]);
    assert!(command.env_remove("VERIFY_ROOT").output().unwrap().status.success());
}

#[test]
fn a_demand_that_was_taken_out_of_a_suite_makes_it_red() {
    let ground = with_suite("broken  = { count = 0 }", "");
    let root = root(&ground);
    let said = ground.say(&["selftest", "--root", &root, "--fault", "tool-broken"]).exits(1);
    said.says(&["✗ tool-broken", "not noticed tool-broken", "found pass", "Exit code 1."]);
    let document = document(&ground, &["--root", &root, "--fault", "tool-broken"], 1);
    assert_eq!(document["faults"][0]["result"], "not-noticed");
    assert_eq!(document["exit"], 1);
}

#[test]
fn a_check_that_asks_something_else_proves_nothing() {
    let ground = with_suite("\"rsync\", \"git\"]", "\"rsync\", \"git\", \"no-such\"]");
    let said = ground.say(&["selftest", "--root", &root(&ground), "--fault", "tool-broken"]);
    said.exits(3).says(&["! tool-broken", "control not green tool-broken", "Exit code 3."]);
}

#[test]
fn a_name_that_means_nothing_is_explained() {
    let ground = Ground::empty();
    let said = ground.say(&["selftest", "--fault", "missing-brigde"]).exits(2);
    said.complains(&["no fault matches `missing-brigde`; did you mean `missing-bridge`?"]);
    ground.say(&["selftest", "--node", "nobody"]).exits(2).complains(&["no node is named"]);
    ground.say(&["selftest", "--check", "a[b"]).exits(2).complains(&["is not a pattern"]);
}

#[test]
fn a_pattern_that_chooses_nothing_is_named_with_why() {
    let ground = Ground::empty();
    for (args, why) in [
        (
            &["--fault", "missing-bridge,empty", "--node", "linode"][..],
            "`--fault missing-bridge` chooses nothing beside --node: it is about gpu/nvlink-links of nvidia",
        ),
        (&["--check", "nosuch/*"], "no check matches `nosuch/*`"),
        (&["--check", ""], "no check matches ``"),
        (&["--node", "nvidia-sim"], "nothing is tried on `nvidia-sim`"),
    ] {
        ground.say(&[&["selftest"], args].concat()).exits(2).complains(&[why]);
        ground.say(&[&["selftest", "--list"], args].concat()).exits(2);
    }
}

#[test]
fn what_a_root_does_not_have_is_said_and_is_no_success() {
    let ground = with_suite("broken  = { count = 0 }", "");
    let first = SUITE.match_indices("[[check]]").nth(1).map_or(SUITE, |(at, _)| &SUITE[..at]);
    let other = first.replace("[\"macbook\"]", "[\"linode\"]");
    fs::write(ground.path("suites/linode.toml"), other).unwrap();
    let root = root(&ground);
    let said = ground.say(&["selftest", "--root", &root, "--fault", "other-release"]).exits(4);
    said.says(&["- other-release", "not in this root", "1 not in this root", "Nothing was tried."]);
}

#[test]
fn the_catalogue_can_be_listed_for_people_and_programs() {
    let ground = Ground::empty();
    let said = ground.say(&["selftest", "--list", "--check", "gpu/nvlink*"]).exits(0);
    let said = said.says(&["missing-bridge", "The NVLink bridge was taken off"]);
    assert!(!said.out.contains("x4-slot") && !said.out.contains("noticed"));
    let document = document(&ground, &["--list"], 0);
    let faults = document["faults"].as_array().unwrap();
    let bridge = faults.iter().find(|fault| fault["id"] == "missing-bridge").unwrap();
    assert_eq!(bridge["expected"]["field"], "gpus.links-active");
    let damages = document["damages"].as_array().unwrap();
    assert!(damages.iter().any(|damage| damage["id"] == "killed"), "{damages:?}");
    assert!(Path::new(bridge["check"].as_str().unwrap()).starts_with("gpu"));
}
