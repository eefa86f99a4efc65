//! Whether the real nextest, through the real test target, shows what is skipped as skipped.
//!
//! A package of one file is built beside the checks of a test: `tests/suites.rs`, as it is shipped,
//! with the nextest configuration of the repository.

use std::{fs, io::Write as _, process::Command};

use crate::{
    documents::checkout,
    ground::{FAILS, Ground, PASSES, SKIPS, Said, said},
};

const MANIFEST: &str = "[package]\nname = \"door\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[[test]]\nname = \"suites\"\nharness = false\n\n[workspace]\n";

fn is_there() -> bool {
    let there = Command::new("cargo-nextest").args(["nextest", "--version"]).output();
    let is_there = there.is_ok_and(|output| output.status.success());
    if !is_there {
        // Not `eprintln!`: what a passing test prints is swallowed.
        writeln!(std::io::stderr(), "skipped: needs cargo-nextest").unwrap();
    }
    is_there
}

/// Runs cargo on the package, free of the cargo that runs this test.
fn cargo(ground: &Ground, args: &[&str]) -> Said {
    for folder in ["tests", "src", ".config"] {
        fs::create_dir_all(ground.path(folder)).unwrap();
    }
    fs::write(ground.path("Cargo.toml"), MANIFEST).unwrap();
    fs::write(ground.path("src/lib.rs"), "").unwrap();
    for file in ["runners/verify/tests/suites.rs", ".config/nextest.toml"] {
        let below = file.trim_start_matches("runners/verify/");
        fs::copy(checkout(file), ground.path(below)).unwrap();
    }
    let from = ground.command(&[]);
    let mut command = Command::new("cargo");
    command.args(args).current_dir(ground.path(""));
    let home = std::env::var_os("HOME").unwrap();
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let outer = ["CARGO", "RUST", "NEXTEST", "VERIFY_", "LD_"];
        if outer.iter().any(|begin| name.starts_with(begin))
            && !["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"].contains(&name.as_str())
        {
            command.env_remove(name);
        }
    }
    command.envs(from.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
        .env("HOME", home)
        .env("CARGO_BIN_EXE_verify", env!("CARGO_BIN_EXE_verify"))
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_NET_OFFLINE", "true")
        .env("VERIFY_NODE", "box");
    said(&mut command)
}

#[test]
fn nextest_lists_and_runs_checks_and_never_shows_a_skip_as_a_pass() {
    if !is_there() {
        return;
    }
    let after = |id: &str| format!("after = [\"{id}\"]\n{PASSES}");
    let loads = "probe = \"command\"\nwith = { argv = [\"true\"], effect = \"loads\" }\nexpect = { exit-code = 0 }";
    let ground = Ground::with(&[
        ("a/passes", PASSES),
        ("a/skips", SKIPS),
        ("a/waits", &after("a/skips")),
        ("b/fails", FAILS),
        ("b/blocked", &after("b/fails")),
        ("c/loads", loads),
        ("d/waived", FAILS),
    ]);
    let waiver =
        "[[waiver]]\ncheck = \"d/waived\"\nreason = \"r\"\nowner = \"o\"\nexpires = \"2999-12-31\"";
    ground.node("box", waiver);
    let listed = cargo(&ground, &["nextest", "list", "--message-format", "oneline"]).exits(0);
    listed.says(&["door::suites a/passes", "door::suites load::c/loads"]);

    let said = cargo(&ground, &["nextest", "run", "--profile", "ci", "--color", "never"]);
    let said = said.exits(100);
    said.complains(&["4 tests run: 2 passed, 2 failed, 3 skipped", "blocked: ", "fail: exists"]);
    let xml = fs::read_to_string(ground.path("target/nextest/ci/junit.xml")).unwrap();
    for (name, element) in [
        ("a/skips", Some("<skipped")),
        ("a/waits", Some("<skipped")),
        ("d/waived", Some("<skipped")),
        ("b/fails", Some("<failure")),
        ("b/blocked", Some("<failure")),
        ("a/passes", None),
        ("load::c/loads", None),
    ] {
        let at = xml.find(&format!("<testcase name=\"{name}\"")).unwrap_or_else(|| panic!("{xml}"));
        let case = &xml[at + 1..];
        let case = &case[..case.find("<testcase").unwrap_or(case.len())];
        let found = ["<skipped", "<failure", "<error"].into_iter().find(|e| case.contains(e));
        assert_eq!(found, element, "{name}: {case}");
    }
    assert!(ground.records().is_empty(), "a process a check leaves no record");
    let forced = cargo(&ground, &["nextest", "run", "--run-ignored", "only", "--no-fail-fast"]);
    forced.exits(100).complains(&["3 tests run: 0 passed, 3 failed", "skip: needs", "waived: "]);

    // The group of the configuration is found by the prefix of the name.
    let groups = cargo(&ground, &["nextest", "show-config", "test-groups"]).exits(0).out;
    let exclusive = groups.split("group: ").find(|group| group.starts_with("exclusive")).unwrap();
    assert!(exclusive.contains("c/loads") && !exclusive.contains("a/passes"), "{groups}");
}

#[test]
fn cargo_test_passes_filters_on_and_a_filter_for_others_is_no_failure() {
    let ground = Ground::with(&[("a/passes", PASSES), ("a/skips", SKIPS), ("b/fails", FAILS)]);
    let test = |args: &[&str]| {
        let mut all = vec!["test", "-q", "--test", "suites", "--"];
        all.extend(args);
        cargo(&ground, &all)
    };
    test(&["no-such-check"]).exits(0).says(&["0 passed", "3 filtered out"]);
    test(&["a/"]).exits(0).says(&["test a/skips", "1 passed; 0 failed; 1 ignored"]);
    test(&[]).exits(101).says(&["fail: exists", "1 passed; 1 failed; 1 ignored"]);
    test(&["--report-time"]).exits(2);
    assert_eq!(ground.records().len(), 2, "a chosen node is recorded");
}
