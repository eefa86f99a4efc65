//! Looks over what a runner is set up with: the unit, and what its account may do as root.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use toml::Value;

use crate::{checkout, is_there};

/// Targets that a unit is ordered by, with nothing in them.
const TARGETS: [&str; 5] = ["basic", "multi-user", "network-online", "shutdown", "sysinit"];

/// Returns what the checker of systemd says of a unit of which everything else is there.
fn said_of(unit: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    let put = |below: &str, text: &str| {
        let path = root.path().join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    };
    for target in TARGETS {
        put(&format!("lib/systemd/system/{target}.target"), "[Unit]\nDescription=Stub\n");
    }
    put("etc/systemd/system/verify-runner.service", unit);
    let program = put("var/lib/verify-runner/actions/bin/runsvc.sh", "#!/bin/sh\n");
    Command::new("chmod").arg("+x").arg(program).status().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no", "verify-runner.service"]);
    let output = command.arg("--root").arg(root.path()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned() + if output.status.success() { "" } else { "!" }
}

#[test]
fn the_unit_of_the_runner_is_one_that_systemd_takes_and_a_slip_in_it_is_found() {
    if !is_there("systemd-analyze", "--version") {
        return;
    }
    let unit = fs::read_to_string(checkout(".github/runner/verify-runner.service")).unwrap();
    assert_eq!(said_of(&unit), "");
    assert!(said_of(&unit.replace("LimitRTPRIO", "LimitRTPRIOS")).contains("Unknown key"));
}

#[test]
fn the_runner_is_a_user_without_capabilities_who_cannot_become_root() {
    let unit = fs::read_to_string(checkout(".github/runner/verify-runner.service")).unwrap();
    let lines: BTreeSet<&str> = unit.lines().collect();
    for line in ["User=verify-runner", "NoNewPrivileges=yes", "CapabilityBoundingSet="] {
        assert!(lines.contains(line), "{line}");
    }
}

/// Finds visudo, which is in no user's PATH.
fn visudo() -> Option<&'static str> {
    let known = ["/usr/sbin/visudo", "/usr/bin/visudo", "/usr/local/sbin/visudo"];
    let found = known.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        is_there("visudo", "--version");
    }
    found
}

fn passes(visudo: &str, text: &str) -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let output = Command::new(visudo).args(["-c", "-s", "-f"]).arg(file.path()).output().unwrap();
    output.status.success()
}

#[test]
fn the_rights_of_the_runner_are_ones_that_sudo_takes() {
    let Some(visudo) = visudo() else { return };
    let text = fs::read_to_string(checkout(".github/runner/sudoers")).unwrap();
    assert!(passes(visudo, &text));
    assert!(!passes(visudo, &text.replace("VERIFY_GAPS = ", "VERIFY_GAP ")));
}

/// Lists the commands of the file, each with its arguments.
fn allowed() -> BTreeSet<String> {
    let text = fs::read_to_string(checkout(".github/runner/sudoers")).unwrap();
    let lines =
        text.lines().map(|line| line.trim().trim_end_matches('\\').trim_end_matches([',', ' ']));
    lines.filter(|line| line.starts_with('/')).map(str::to_owned).collect()
}

/// Lists what the suites of the workstation ask of root, as the probes write it.
fn asked() -> BTreeSet<String> {
    let parsed = |path: &str| -> toml::Table {
        fs::read_to_string(checkout(path)).unwrap().parse().unwrap()
    };
    let node = parsed("runners/nodes/nvidia.toml");
    let cpus = node["variables"]["isolated-cpus"].as_str().unwrap().to_owned();
    assert_eq!(cpus, "6,7", "the commands below are written for these");
    let mut found = BTreeSet::new();
    for suite in ["cpu", "storage", "kernel", "memory"] {
        for check in parsed(&format!("suites/{suite}.toml"))["check"].as_array().unwrap() {
            let with = |key: &str| check.get("with").and_then(|with| with.get(key));
            let call = |rest: &str| format!("/usr/bin/verify instrument --lifeline {rest}");
            match check["probe"].as_str().unwrap() {
                "smart" => {
                    found.insert(call("smart"));
                }
                "tsc" => {
                    let window = with("for").and_then(Value::as_str).unwrap();
                    let seconds: u32 = window.trim_end_matches(" s").parse().unwrap();
                    let priority = with("priority").map_or("none".to_owned(), Value::to_string);
                    found.extend([6, 7].map(|cpu| {
                        call(&format!(
                            "tsc --for {seconds}000ms --warm-up 1000ms --priority {priority} --cpu {cpu} --beside 6-7"
                        ))
                    }));
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn root_is_given_for_exactly_the_commands_that_the_suites_of_the_workstation_ask_for() {
    assert_eq!(allowed(), asked());
    let text = fs::read_to_string(checkout(".github/runner/sudoers")).unwrap();
    let rules = text.lines().filter(|line| !line.starts_with('#'));
    assert!(rules.into_iter().all(|line| !line.contains('*')), "no wildcard");
}
