//! What is left when a run is ended from outside: by Ctrl-C, by SIGTERM, or by SIGKILL.

use std::{
    io::{BufRead as _, Read as _},
    process::{Child, Output, Stdio},
    sync::mpsc::channel,
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ground::{Ground, PASSES, of_kind, outcomes, shell},
    pipe::{PATIENCE, Pipe},
};

/// A run of `a/reads`, which passes, `b/long`, which does not end by itself, and `c/after`.
struct Running {
    ground: Ground,
    pipe: Pipe,
    verify: Child,
    /// Process id of the program that `b/long` started.
    program: Pid,
}

fn pid(raw: impl TryInto<i32>) -> Pid {
    Pid::from_raw(raw.try_into().ok().unwrap()).unwrap()
}

/// Starts a run and waits until its long check is under way.
fn start(waits: &str) -> Running {
    let ground = Ground::empty();
    let pipe = Pipe::new(&ground, "pipe");
    let long = shell(
        &format!("{} {waits}", pipe.opened()),
        "limit = \"900 s\"\nexpect = { exit-code = 0 }",
    );
    let long = long.replace("with = {", "with = { effect = \"loads\",");
    let after = format!("after = [\"b/long\"]\n{PASSES}");
    ground.suite("things", &[("a/reads", PASSES), ("b/long", &long), ("c/after", &after)]);
    let mut command = ground.command(&["--node", "box", "--report", "junit=out.xml"]);
    let verify = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let program = pid(pipe.line().parse::<i32>().unwrap());
    Running { ground, pipe, verify, program }
}

fn end(child: Child) -> Output {
    let (sender, ended) = channel();
    thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
    ended.recv_timeout(PATIENCE).unwrap()
}

fn a_signal_ends_children_and_leaves_record_and_report(signal: Signal) {
    let running = start("sleep 900 & setsid sleep 900 & exec sleep 900");
    kill_process(pid(running.verify.id()), signal).unwrap();
    let output = end(running.verify);
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{out}");
    running.pipe.ends();

    let lines = running.ground.last();
    let finished = lines.last().unwrap();
    assert_eq!((&finished["event"], &finished["interrupted"]), (&"finished".into(), &true.into()));
    assert_eq!(finished["exit"], 130);
    let judged = outcomes(&lines);
    let judged: Vec<(&str, &str)> = judged.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(judged, [("a/reads", "pass"), ("b/long", "error"), ("c/after", "error")]);
    assert!(of_kind(&lines, "verdict")[1].to_string().contains("\"interrupted\""));
    assert!(out.contains("pass     a/reads") && out.contains("interrupted"), "{out}");

    let xml = std::fs::read_to_string(running.ground.path("out.xml")).unwrap();
    assert!(xml.contains("<error ") && !xml.contains("<failure"), "{xml}");
    running.ground.say(&["judge", "last"]).exits(130);
}

#[test]
fn ctrl_c_ends_children_and_leaves_record_and_report() {
    a_signal_ends_children_and_leaves_record_and_report(Signal::INT);
}

#[test]
fn sigterm_ends_children_and_leaves_record_and_report() {
    a_signal_ends_children_and_leaves_record_and_report(Signal::TERM);
}

#[test]
fn a_closed_terminal_ends_children_and_leaves_record_and_report() {
    a_signal_ends_children_and_leaves_record_and_report(Signal::HUP);
}

#[test]
fn a_second_ctrl_c_leaves_no_program_behind_either() {
    // The program hears of the first signal and will not end, so verify is waiting for it then.
    let running = start("trap 'echo heard >&9' TERM; while :; do sleep 900 & wait; done");
    let verify = pid(running.verify.id());
    kill_process(verify, Signal::INT).unwrap();
    assert_eq!(running.pipe.line(), "heard");
    kill_process(verify, Signal::INT).unwrap();
    let output = end(running.verify);
    assert_eq!(output.status.code(), Some(130));
    running.pipe.ends();
    let lines = running.ground.last();
    assert_eq!(lines.last().unwrap()["event"], "finished");
    assert_eq!(of_kind(&lines, "planned").len(), 3);
}

#[test]
fn a_command_that_was_killed_leaves_a_record_that_tells_what_is_missing() {
    let mut running = start("exec sleep 900");
    running.verify.kill().unwrap();
    end(running.verify);
    kill_process(running.program, Signal::KILL).unwrap();
    let ground = running.ground;
    let shown = ground.say(&["report", "last"]).exits(0);
    shown.says(&[
        "pass a/reads",
        "error b/long",
        "1 pass",
        "2 error",
        "The record ends before the run did",
    ]);
    ground.say(&["judge", "last"]).exits(3);
    ground.say(&["runs"]).exits(0).says(&["exit 3, cut short", "1 pass, 2 error"]);
    let said = ground.say(&["--node", "box", "--via", "replay:last"]).exits(2);
    said.complains(&["the record ends in the middle", "run again"]);
    assert_eq!(ground.records().len(), 1);
}

/// Returns how much time of a cpu a process has used, in ticks.
fn used(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(11)?.parse().ok()
}

#[test]
fn an_instrument_ends_when_who_started_it_is_killed() {
    let program = env!("CARGO_BIN_EXE_verify");
    let script = format!("{program} instrument tsc --for 100s & echo $!; wait");
    let mut starter = std::process::Command::new("sh")
        .args(["-c", &script])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(starter.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let instrument: u32 = line.trim().parse().unwrap();
    let (_keep, wait) = channel::<()>();
    while used(instrument).is_some_and(|ticks| ticks < 5) {
        let _ = wait.recv_timeout(std::time::Duration::from_millis(10));
    }
    starter.kill().unwrap();
    starter.wait().unwrap();
    // The instrument has the other end: it is closed once it is gone.
    let (sender, closed) = channel();
    thread::spawn(move || sender.send(said.read_to_string(&mut String::new()).is_ok()));
    assert_eq!(closed.recv_timeout(PATIENCE), Ok(true));
}
