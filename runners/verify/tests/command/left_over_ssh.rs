//! What is left on a node that is asked by ssh when the command is ended from outside: nothing.

use std::{
    fs,
    process::{Child, Stdio},
    sync::mpsc::channel,
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ground::{Ground, shell},
    pipe::{PATIENCE, Pipe},
    remote::server::Server,
    remote::skipped,
};

/// Lists the processes whose environment names this run's root or whose command line does.
fn marked(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let whole = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let line = String::from_utf8_lossy(&whole("cmdline")).replace('\0', " ");
        if line.contains(word) {
            found.push(line);
        }
    }
    found
}

fn becomes_empty(what: impl Fn() -> Vec<String>) {
    let until = Instant::now() + PATIENCE;
    while !what().is_empty() {
        assert!(Instant::now() < until, "{:?}", what());
        thread::yield_now();
    }
}

/// Starts a run whose check does not end, and waits until it runs over there.
fn start(ground: &Ground, server: &Server, seconds: &str) -> Child {
    let pipe = Pipe::new(ground, &format!("pipe-{seconds}"));
    let line = format!("{} sleep {seconds}", pipe.opened());
    let long = shell(&line, "limit = \"900 s\"\nexpect = { exit-code = 0 }");
    ground.suite("things", &[("a/long", &long)]);
    let mut command = ground.command(&["--node", "box", "--via", "ssh"]);
    command.env("VERIFY_SSH_CONFIG", server.config()).env("XDG_RUNTIME_DIR", ground.path(""));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = pipe.line();
    child
}

#[test]
fn whatever_ends_the_command_ends_the_work_over_there_and_the_next_run_is_answered() {
    let Some(server) = Server::start() else { return skipped("sshd") };
    let ground = Ground::empty();
    ground.node("box", "ssh = \"target\"");
    for (signal, exit, seconds) in [
        (Signal::KILL, None, "54321"),
        (Signal::INT, Some(130), "54322"),
        (Signal::TERM, Some(130), "54323"),
    ] {
        let child = start(&ground, &server, seconds);
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
        let (sender, ended) = channel();
        thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
        let output = ended.recv_timeout(PATIENCE).unwrap();
        assert_eq!(output.status.code(), exit, "{output:?}");
        assert!(ground.records().last().is_some(), "a record");
        becomes_empty(|| marked(&format!("sleep {seconds}")));
        let config = server.config().display().to_string();
        becomes_empty(|| marked(&config));
        server.becomes_clean();
    }
    let one = shell("true", "expect = { exit-code = 0 }");
    ground.suite("things", &[("a/one", &one)]);
    let mut command = ground.command(&["--node", "box", "--via", "ssh"]);
    command.env("VERIFY_SSH_CONFIG", server.config()).env("XDG_RUNTIME_DIR", ground.path(""));
    crate::ground::said(&mut command).exits(0);
}
