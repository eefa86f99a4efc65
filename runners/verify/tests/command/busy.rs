//! Two runs at once on one machine: the second one does not load it, and says who does.

use std::{
    fs::{self, File},
    io::Write,
    process::{Child, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ground::{Ground, PASSES, said, shell},
    pipe::Pipe,
};

/// A run that loads the machine until it is let go, and what else there is to ask.
struct Running {
    ground: Ground,
    pipe: Pipe,
    go: File,
    verify: Child,
}

fn loads(line: &str) -> String {
    let check = shell(line, "limit = \"900 s\"\nexpect = { exit-code = 0 }");
    check.replace("with = {", "with = { effect = \"loads\",")
}

fn start() -> Running {
    let ground = Ground::empty();
    let pipe = Pipe::new(&ground, "pipe");
    let go = ground.path("go");
    assert!(std::process::Command::new("mkfifo").arg(&go).status().unwrap().success());
    let long = loads(&format!("{} read line <{}", pipe.opened(), go.to_str().unwrap()));
    let short = loads("true");
    ground.suite("things", &[("a/reads", PASSES), ("b/long", &long), ("c/short", &short)]);
    let mut command = ground.command(&["--node", "box", "--check", "b/long"]);
    let verify = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Its program runs.
    pipe.line();
    // Open for both: a program that is no longer there is nothing to wait for.
    let go = File::options().read(true).write(true).open(go).unwrap();
    Running { ground, pipe, go, verify }
}

fn locks(ground: &Ground) -> Vec<String> {
    let folders = [ground.path("state/locks"), ground.path("state")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == "lock")).collect()
}

#[test]
fn a_second_run_loads_nothing_names_the_first_and_answers_the_rest() {
    let mut running = start();
    let ground = &running.ground;
    let pid = format!("pid {}", running.verify.id());
    let second = ground.run(&["--check", "a/reads", "--check", "c/short"]).exits(3);
    second.says(&["pass a/reads", "error c/short", "this machine is loaded by another run", &pid]);
    assert!(ground.records().len() == 2);
    let record = fs::read_to_string(ground.records().last().unwrap()).unwrap();
    assert!(record.contains("\"node-busy\"") && record.contains(", run "), "{record}");
    // Whoever only reads is in nobody's way.
    ground.run(&["--quick"]).exits(0).says(&["pass a/reads"]);
    running.go.write_all(b"go\n").unwrap();
    let first = running.verify.wait_with_output().unwrap();
    assert!(first.status.success());
    assert_eq!(locks(ground), Vec::<String>::new(), "nothing is left");
    ground.run(&["--check", "c/short"]).exits(0);
}

#[test]
fn another_folder_of_state_sees_it_too() {
    let mut running = start();
    let ground = &running.ground;
    let mut command = ground.command(&["--node", "box", "--check", "c/short"]);
    let second = said(command.env("VERIFY_STATE", ground.path("other"))).exits(3);
    second.says(&["this machine is loaded by another run of verify:"]);
    running.go.write_all(b"go\n").unwrap();
    running.verify.wait_with_output().unwrap();
}

#[test]
fn the_lock_of_a_run_that_was_killed_is_nobodys() {
    let mut running = start();
    let pid = Pid::from_raw(running.verify.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    running.verify.wait().unwrap();
    running.ground.run(&["--check", "c/short"]).exits(0);
    assert_eq!(locks(&running.ground), Vec::<String>::new());
    // Nobody let its program go: its warden ended it.
    running.pipe.ends();
}

#[test]
fn where_no_machine_answers_none_is_claimed() {
    let mut running = start();
    let ground = &running.ground;
    running.go.write_all(b"go\n").unwrap();
    running.verify.wait_with_output().unwrap();
    let mut again = ground.command(&["--node", "box", "--check", "b/long", "--via", "replay:last"]);
    said(&mut again).exits(0);
    assert!(!ground.path("state/locks").join("x").try_exists().unwrap());
}
