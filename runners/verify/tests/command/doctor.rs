//! What `verify doctor` says of nodes that lack something, lack nothing, or do not answer.

use std::{fs, io::Write as _, process::Command};

use crate::ground::{Ground, PASSES, SKIPS, said};

#[test]
fn a_node_that_lacks_nothing_is_said_to_and_nothing_is_run() {
    let line = "probe = \"command\"\nwith = { argv = [\"true\"] }\nexpect = { exit-code = 0 }";
    let ground = Ground::with(&[("a/one", PASSES), ("b/two", line)]);
    let said = ground.say(&["doctor", "box"]).exits(0);
    said.says(&["there true", "2 of 2 checks lack nothing, 0 lack something"]);
    assert!(ground.records().is_empty(), "no run, no record");
}

#[test]
fn what_is_missing_stands_with_its_cost_and_what_to_do() {
    let python = "when = [\"python:no-such-distribution\"]\nprobe = \"file\"\nwith = { path = \"/\" }\nexpect = { exists = true }";
    let started = "probe = \"command\"\nwith = { argv = [\"no-such-program-of-verify\"] }\nexpect = { exit-code = 0 }";
    let loads = "probe = \"command\"\nwith = { argv = [\"no-such-program-of-verify\"], effect = \"mutates\" }\nexpect = { exit-code = 0 }";
    let ground = Ground::with(&[
        ("a/one", PASSES),
        ("b/two", SKIPS),
        ("c/three", python),
        ("d/four", started),
        ("e/five", loads),
    ]);
    let said = ground.say(&["doctor", "box"]).exits(1);
    said.says(&[
        "missing no-such-program-of-verify why not in PATH and the usual folders costs d/four, e/five do install no-such-program-of-verify",
        "missing tool:no-such-program-of-verify",
        "missing python:no-such-distribution",
        "pip install no-such-distribution",
        "1 of 5 checks lack nothing, 4 lack something",
    ]);
    let json = ground.say(&["doctor", "box", "--json"]).exits(1).out;
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found["box"]["needs"][0]["what"], "no-such-program-of-verify");
    assert_eq!(found["box"]["needs"][0]["checks"], serde_json::json!(["d/four", "e/five"]));
}

#[test]
fn what_the_node_file_promises_comes_first_and_another_machine_is_no_lack() {
    let ground =
        Ground::with(&[("a/mac", &format!("when = [\"macos\"]\n{PASSES}")), ("b/two", PASSES)]);
    if cfg!(target_os = "macos") {
        return;
    }
    ground.say(&["doctor", "box"]).exits(0).says(&["1 are for other machines"]);
    ground.node("box", "has = [\"macos\"]");
    let said = ground.say(&["doctor", "box"]).exits(1);
    said.says(&[
        "missing macos (the node file promises it)",
        "costs a/mac",
        "take it out of `has`",
    ]);
}

#[test]
fn a_node_that_cannot_be_asked_is_told_from_one_that_lacks_something() {
    if Command::new("ssh").arg("-V").output().is_err() {
        let _ = writeln!(std::io::stderr(), "skipped: needs ssh");
        return;
    }
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::write(ground.path("config"), "Host *\n  HostName 127.0.0.1\n  Port 1\n").unwrap();
    let mut command = ground.command(&["doctor", "box", "--via", "ssh"]);
    let said = said(command.env("VERIFY_SSH_CONFIG", ground.path("config"))).exits(3);
    said.says(&["cannot be asked login-refused", "Connection refused", "Start the ssh server"]);
    ground.say(&["doctor", "nobody"]).exits(2).complains(&["no node is named `nobody`"]);
}
