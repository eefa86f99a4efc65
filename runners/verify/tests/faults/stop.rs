//! A run, its program or who watches over both is stopped, killed, or no longer read.

use std::{
    fs,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ground::{Ground, PASSES, Said, outcomes, shell},
    left::{self, pause},
};

const PATIENCE: Duration = Duration::from_mins(1);

fn pid(raw: i32) -> Pid {
    Pid::from_raw(raw).unwrap()
}

fn own(child: &Child) -> Pid {
    pid(i32::try_from(child.id()).unwrap())
}

/// Waits until something holds.
///
/// *Panics* when it does not.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it never came about");
        pause(Duration::from_millis(2));
    }
}

/// Finds a process of this root whose command line ends so.
fn find(ground: &Ground, end: &str) -> Pid {
    until(|| {
        let all = left::carrying(&[ground.text("")]);
        all.iter().find(|one| one.words.trim_end().ends_with(end)).map(|one| pid(one.pid))
    })
}

/// Returns the state of a process, as one letter.
fn state(process: Pid) -> char {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    let stat = stat.unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next()).unwrap_or('X')
}

/// Starts a run whose second check waits for a line in `go`.
fn start(limit: &str) -> (Ground, Child) {
    let ground = Ground::empty();
    let made = std::process::Command::new("mkfifo").arg(ground.path("go")).status();
    assert!(made.unwrap().success());
    let line = format!("(setsid sleep 4322 >/dev/null 2>&1 &); read line <{}", ground.text("go"));
    let waits = shell(&line, &format!("limit = \"{limit}\"\nexpect = {{ exit-code = 0 }}"));
    ground.suite("things", &[("a/file", PASSES), ("b/waits", &waits), ("c/file", PASSES)]);
    let mut command = ground.command(&["--node", "box"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    find(&ground, "sleep 4322");
    (ground, child)
}

fn go(ground: &Ground) {
    fs::write(ground.path("go"), "go\n").unwrap();
}

fn ends(ground: &Ground, child: Child, code: i32) -> Said {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let said =
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    let left = left::orphans(&[ground.text("")]);
    assert!(left.is_empty(), "{left:?}");
    said.exits(code)
}

#[test]
fn a_run_that_was_stopped_goes_on_as_if_nothing_was() {
    let (ground, child) = start("600 s");
    let verify = own(&child);
    kill_process(verify, Signal::STOP).unwrap();
    until(|| (state(verify) == 'T').then_some(()));
    go(&ground);
    kill_process(verify, Signal::CONT).unwrap();
    ends(&ground, child, 0).says(&["pass b/waits", "pass c/file"]);
}

#[test]
fn a_program_that_was_stopped_is_a_time_out_and_is_ended() {
    let (ground, child) = start("2 s");
    let program = find(&ground, &format!("read line <{}", ground.text("go")));
    kill_process(program, Signal::STOP).unwrap();
    ends(&ground, child, 3).says(&["error b/waits", "no end within 2000 ms", "pass c/file"]);
    assert_eq!(state(program), 'X');
}

#[test]
fn a_stopped_run_that_is_killed_leaves_nothing_either() {
    let (ground, mut child) = start("600 s");
    let program = find(&ground, "sleep 4322");
    kill_process(program, Signal::STOP).unwrap();
    kill_process(own(&child), Signal::STOP).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let left = left::orphans(&[ground.text("")]);
    assert!(left.is_empty(), "{left:?}");
    ground.say(&["report", "last"]).exits(0).says(&["error b/waits", "not reached"]);
}

#[test]
fn without_who_watches_over_it_a_run_goes_on() {
    for signal in [Signal::KILL, Signal::STOP] {
        let (ground, child) = start("600 s");
        let warden = find(&ground, "instrument warden");
        // By the signals that end a run by its name it is not reached.
        for harmless in [Signal::TERM, Signal::INT, Signal::HUP] {
            kill_process(warden, harmless).unwrap();
        }
        assert!(!matches!(state(warden), 'X' | 'Z'));
        kill_process(warden, signal).unwrap();
        go(&ground);
        if signal == Signal::STOP {
            // All else is through: it is waited for.
            until(|| {
                fs::read_to_string(ground.records().last()?)
                    .ok()?
                    .contains("\"finished\"")
                    .then_some(())
            });
            kill_process(warden, Signal::CONT).unwrap();
        }
        ends(&ground, child, 0).says(&["pass b/waits"]);
    }
}

#[test]
fn whoever_reads_no_longer_changes_neither_record_nor_exit() {
    let (ground, mut child) = start("600 s");
    drop((child.stdout.take(), child.stderr.take()));
    go(&ground);
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(0));
    let judged = outcomes(&ground.last());
    assert!(judged.len() == 3 && judged.iter().all(|(_, outcome)| outcome == "pass"), "{judged:?}");
    let left = left::orphans(&[ground.text("")]);
    assert!(left.is_empty(), "{left:?}");
}
