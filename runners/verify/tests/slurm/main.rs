//! How the nodes of a cluster are asked through a real Slurm, with virtual nodes on this machine.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "the tests start a cluster and the command"
)]

mod lab;

use std::{
    fs,
    process::{Child, Output, Stdio},
    time::{Duration, Instant},
};

use lab::{Lab, end, processes, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Nodes of the cluster.
const NODES: u32 = 6;

/// Writes a root whose checks do what a test wants.
fn lay_out(lab: &Lab) {
    let root = lab.path("root");
    fs::create_dir_all(root.join("suites")).unwrap();
    fs::create_dir_all(root.join("runners/nodes")).unwrap();
    let here = lab.path("here");
    fs::create_dir(&here).unwrap();
    let here = here.display();
    let slow = format!(
        "test -e {here}/slow || exit 0; test $SLURMD_NODENAME = \"$(cat {here}/slow)\" || exit 0; echo $$ > {here}/begun; sleep 4321"
    );
    let suite = format!(
        r#"[suite]
title = "What a cluster is asked"
nodes = ["local"]

[[check]]
id = "try/long"
title = "Long output arrives whole"
probe = "command"
with = {{ argv = ["seq", "1", "40000"] }}
why = "Outputs of several tasks mix."
source = "test"
fix = "none"
expect = {{ lines = {{ count = 40000 }} }}

[[check]]
id = "try/slow"
title = "Ends, or does not"
probe = "command"
with = {{ argv = ["sh", "-c", '''{slow}'''] }}
limit = "60 s"
why = "Nodes die."
source = "test"
fix = "none"
expect = {{ exit-code = 0 }}
"#
    );
    fs::write(root.join("suites/try.toml"), suite).unwrap();
}

/// Starts the command.
fn start(lab: &Lab, words: &[&str]) -> Child {
    let root = lab.path("root").display().to_string();
    let first = [env!("CARGO_BIN_EXE_verify"), "--root", &root, "run", "--suite", "try"];
    let argv: Vec<&str> = first.iter().chain(words).copied().collect();
    let mut command = lab.command(&argv);
    command.env("VERIFY_STATE", lab.path("state-of-verify")).env("SLURM_LABELIO", "1");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn verify(lab: &Lab, words: &[&str]) -> Output {
    start(lab, words).wait_with_output().unwrap()
}

/// Holds one verdict: node, check, outcome, and what was said of it.
type Said = (String, String, String, String);

/// Reads the verdicts of a record.
fn verdicts(path: &std::path::Path) -> Vec<Said> {
    let text = fs::read_to_string(path).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let verdicts = events.filter(|event| event["event"] == "verdict").map(|event| {
        let (node, id) = (word(&event["key"]["node"]), word(&event["key"]["check"]));
        (node, id, word(&event["outcome"]), event["findings"].to_string())
    });
    verdicts.collect()
}

/// Runs the command; returns its verdicts and its exit code.
fn outcomes(lab: &Lab, words: &[&str]) -> (Vec<Said>, Option<i32>) {
    let path = lab.path("report.jsonl");
    let report = format!("jsonl={}", path.display());
    let words: Vec<&str> = words.iter().copied().chain(["--report", &report]).collect();
    let output = verify(lab, &words);
    assert!(path.is_file(), "{}", text(&output));
    (verdicts(&path), output.status.code())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn a_cluster_is_asked_through_slurm_and_whatever_happens_nothing_is_left() {
    let Some(mut lab) = Lab::start(NODES) else { return };
    lay_out(&lab);
    every_node_answers_and_long_output_is_whole(&lab);
    wrong_names_end_it_before_anything_is_asked(&lab);
    a_drained_node_is_skipped_in_the_words_of_its_administrator(&lab);
    a_node_without_a_place_is_an_error_and_not_waited_for(&lab);
    an_interrupt_leaves_no_job(&lab);
    a_harness_that_is_killed_leaves_no_job_and_no_process(&lab);
    a_job_that_is_cancelled_is_an_error_of_its_node_alone(&lab);
    a_health_check_drains_a_node_that_fails_and_no_other(&lab);
    a_node_that_dies_is_its_own_error_and_the_others_are_answered(&mut lab);
}

fn every_node_answers_and_long_output_is_whole(lab: &Lab) {
    let (found, exit) = outcomes(lab, &["--slurm", "debug"]);
    assert_eq!(found.len(), 2 * usize::try_from(NODES).unwrap(), "{found:?}");
    assert!(found.iter().all(|(.., outcome, _)| outcome == "pass"), "{found:?}");
    assert_eq!(exit, Some(0));
}

fn wrong_names_end_it_before_anything_is_asked(lab: &Lab) {
    for (spec, expected) in [
        ("debugg", "did you mean `debug`?"),
        ("n[1-9]", "no node `n7` of `n[1-9]`"),
        ("-w", "neither a partition nor a list"),
        ("n1;id", "neither a partition nor a list"),
    ] {
        let output = verify(lab, &[&format!("--slurm={spec}")]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(expected), "{}", text(&output));
    }
}

fn a_drained_node_is_skipped_in_the_words_of_its_administrator(lab: &Lab) {
    lab.run(&["scontrol", "update", "nodename=n2", "state=drain", "reason=bad DIMM | slot 3"]);
    let (found, exit) = outcomes(lab, &["--slurm", "n[1-2]"]);
    for (node, id, outcome, said) in &found {
        let expected = if node == "n2" { "skip" } else { "pass" };
        assert_eq!(outcome, expected, "{node} {id}: {said}");
        assert!(node != "n2" || said.contains("drained: bad DIMM | slot 3"), "{said}");
    }
    assert_eq!((found.len(), exit), (4, Some(0)));
    assert_eq!(outcomes(lab, &["--slurm", "n2"]).1, Some(4), "nothing was answered");
    lab.run(&["scontrol", "update", "nodename=n2", "state=resume"]);
}

fn a_node_without_a_place_is_an_error_and_not_waited_for(lab: &Lab) {
    let words = ["srun", "-N1", "-w", "n3", "--exclusive", "-J", "other", "sleep", "4322"];
    let mut holder = lab.command(&words).stderr(Stdio::null()).spawn().unwrap();
    assert!(until(|| lab.said(&["squeue", "-h", "-n", "other", "-t", "R"]).contains("other")));
    let begun = Instant::now();
    let (found, exit) = outcomes(lab, &["--slurm", "n3,n4", "--slurm-wait", "4"]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(exit, Some(3));
    let errors: Vec<_> = found.iter().filter(|(.., outcome, _)| outcome == "error").collect();
    assert_eq!(errors.len(), 1, "{found:?}");
    assert!(errors[0].0 == "n3" && errors[0].3.contains("not-scheduled"), "{errors:?}");
    assert!(found.iter().filter(|(node, ..)| node == "n4").all(|(.., o, _)| o == "pass"));
    lab.run(&["scancel", "-n", "other"]);
    holder.wait().unwrap();
}

/// Starts a run whose second check does not end on a node, and waits until it runs there.
fn begun(lab: &Lab, node: &str, words: &[&str]) -> Child {
    let _ = fs::remove_file(lab.path("here/begun"));
    fs::write(lab.path("here/slow"), node).unwrap();
    let child = start(lab, words);
    assert!(until(|| fs::read_to_string(lab.path("here/begun")).is_ok_and(|t| !t.is_empty())));
    child
}

fn jobs(lab: &Lab) -> String {
    lab.said(&["squeue", "-h", "-o", "%j %T"])
}

fn sleeping() -> Vec<i32> {
    processes(|line| line.starts_with("sleep 4321"))
}

fn an_interrupt_leaves_no_job(lab: &Lab) {
    let child = begun(lab, "n1", &["--slurm", "n1"]);
    assert!(jobs(lab).contains("verify-"), "{}", jobs(lab));
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    assert!(text(&output).contains("record: "), "{}", text(&output));
    assert!(until(|| !jobs(lab).contains("verify-")), "{}", jobs(lab));
    assert!(until(|| sleeping().is_empty()), "{:?}", sleeping());
}

fn a_harness_that_is_killed_leaves_no_job_and_no_process(lab: &Lab) {
    let mut child = begun(lab, "n1", &["--slurm", "n1"]);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    assert!(until(|| !jobs(lab).contains("verify-")), "{}", jobs(lab));
    assert!(until(|| sleeping().is_empty()), "{:?}", sleeping());
}

fn a_job_that_is_cancelled_is_an_error_of_its_node_alone(lab: &Lab) {
    let child = begun(lab, "n1", &["--slurm", "n1,n2"]);
    let named = lab.said(&["squeue", "-h", "-w", "n1", "-o", "%i %j"]);
    let job = named.lines().find_map(|line| line.split_once(" verify-")).unwrap().0;
    lab.run(&["scancel", job]);
    let output = child.wait_with_output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    // Slurm tells the program as well as srun; whichever is heard first.
    let ways = ["Slurm ended the step before the answer was whole", "ended by signal 15"];
    assert!(ways.iter().any(|way| said.contains(way)), "{said}");
    assert!(said.contains("3 pass") && said.contains("1 error"), "{said}");
    // How long Slurm completes what it cancelled is its own affair.
    let is_over = |line: &str| !line.contains("verify-") || line.ends_with("COMPLETING");
    assert!(until(|| jobs(lab).lines().all(is_over)), "{}", jobs(lab));
    assert!(until(|| sleeping().is_empty()), "{:?}", sleeping());
}

/// Runs the health check as slurmd of `n6` would.
fn health(lab: &Lab, words: &[&str]) -> (String, Option<i32>) {
    let root = lab.path("root").display().to_string();
    let first = [env!("CARGO_BIN_EXE_verify"), "--root", &root, "health", "--suite", "care"];
    let argv: Vec<&str> = first.iter().chain(words).copied().collect();
    let output = lab.command(&argv).env("SLURMD_NODENAME", "n6").output().unwrap();
    (text(&output), output.status.code())
}

fn a_health_check_drains_a_node_that_fails_and_no_other(lab: &Lab) {
    let suite = |argv: &str| {
        let text = format!(
            "[suite]\ntitle = \"Care\"\nnodes = [\"local\"]\n[[check]]\nid = \"care/one\"\ntitle = \"One\"\nprobe = \"command\"\n\
             with = {{ argv = {argv} }}\nwhy = \"x\"\nsource = \"x\"\nfix = \"x\"\nexpect = {{ stdout = \"well\" }}\n"
        );
        fs::write(lab.path("root/suites/care.toml"), text).unwrap();
    };
    let state = || lab.said(&["sinfo", "-h", "-n", "n6", "-o", "%T|%E"]).replace('*', "");
    suite(r#"["echo", "well"]"#);
    let (said, exit) = health(lab, &["--drain"]);
    assert_eq!((said.as_str(), exit), ("verify: healthy, 1 passed\n", Some(0)));
    suite(r#"["no-such-program-of-verify"]"#);
    let (said, exit) = health(lab, &["--drain"]);
    assert!(exit == Some(3) && said.contains("1 not answered: care/one"), "{said}");
    assert_eq!(state(), "idle|none");
    suite(r#"["echo", "$(id); `id` | ' \\u001b[31mill"]"#);
    let (said, exit) = health(lab, &["--drain"]);
    assert!(exit == Some(1) && said.starts_with("verify: 1 failed: care/one: "), "{said}");
    assert!(state().starts_with("drained|verify: 1 failed: care/one"), "{}", state());
    lab.run(&["scontrol", "update", "nodename=n6", "state=resume"]);
    lab.run(&["scontrol", "update", "nodename=n6", "state=drain", "reason=mine"]);
    let (said, exit) = health(lab, &["--drain"]);
    assert!(exit == Some(1) && said.contains("left as it is: n6"), "{said}");
    assert_eq!(state(), "drained|mine");
    lab.run(&["scontrol", "update", "nodename=n6", "state=resume"]);
}

fn a_node_that_dies_is_its_own_error_and_the_others_are_answered(lab: &mut Lab) {
    let path = lab.path("dead.jsonl");
    let report = format!("jsonl={}", path.display());
    let child = begun(lab, "n4", &["--slurm", "n[3-5]", "--report", &report]);
    lab.kill("n4");
    let output = child.wait_with_output().unwrap();
    sleeping().into_iter().for_each(end);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    for (node, id, outcome, said) in verdicts(&path) {
        let dead = node == "n4" && id == "try/slow";
        let expected = if dead { "error" } else { "pass" };
        assert_eq!(outcome, expected, "{node} {id} {said}");
        assert!(!dead || said.contains("Slurm"), "{said}");
    }
}
