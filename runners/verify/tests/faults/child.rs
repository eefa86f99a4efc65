//! Programs that behave badly: what is said of them, and what they cost.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    ground::{Ground, PASSES, Said, shell},
    left::{self, pause},
};

/// What a program may say before it is a flood. *Units*: B.
const FLOOD: u64 = 1_000_000_000;
/// Memory that a run may take, whatever its programs say. *Units*: KiB.
const MEMORY: u64 = 96 * 1024;

fn run(line: &str, limit: &str, expect: &str) -> (Ground, Said) {
    let bad = shell(line, &format!("limit = \"{limit}\"\nexpect = {{ {expect} }}"));
    let ground = Ground::with(&[("a/bad", &bad), ("b/file", PASSES)]);
    let said = ground.run(&[]);
    let left = left::orphans(&[ground.text("")]);
    assert!(left.is_empty(), "{line}: {left:?}");
    (ground, said.says(&["pass b/file"]))
}

#[test]
fn a_flood_takes_no_memory() {
    let line = format!("head -c {FLOOD} /dev/zero");
    let bad = shell(&line, "limit = \"300 s\"\nexpect = { exit-code = 0 }");
    let ground = Ground::with(&[("a/bad", &bad)]);
    let mut command = ground.command(&["--node", "box", "--quiet"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut most = 0;
    while matches!(child.try_wait(), Ok(None)) {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.trim().split(' ').next()?.parse::<u64>().ok());
        most = most.max(peak.unwrap_or_default());
        pause(Duration::from_millis(5));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(most > 0 && most < MEMORY, "{most} KiB");
}

#[test]
fn whoever_closes_its_output_is_waited_for() {
    let (_, said) = run("exec >&- 2>&-; sleep 0.3; exit 7", "60 s", "exit-code = 7");
    said.exits(0).says(&["pass a/bad"]);
}

#[test]
fn what_is_no_text_is_kept_and_said_without_harm() {
    let (ground, said) = run(r"printf '\377\376\000\033[31mred'; exit 1", "60 s", "exit-code = 0");
    let said = said.exits(1).says(&["fail a/bad"]);
    assert!(!said.out.contains('\u{1b}'));
    ground.say(&["judge", "last"]).exits(1);
}

#[test]
fn silence_without_end_is_a_time_out() {
    let (_, said) = run("while :; do sleep 1; done", "1 s", "exit-code = 0");
    said.exits(3).says(&["error a/bad", "no end within 1000 ms"]);
}

#[test]
fn a_program_that_the_kernel_ends_is_an_error_that_names_the_signal_and_no_failure_of_the_node() {
    for (line, name) in [("kill -KILL $$", "SIGKILL"), ("kill -SEGV $$", "SIGSEGV")] {
        let (_, said) = run(line, "60 s", "exit-code = 0");
        said.exits(3).says(&["error a/bad", name]);
    }
}

/// Its parent waits in the kernel, uninterruptibly, for a child that is stopped. *Source*: vfork(2).
const WAITS: &str = "#include <signal.h>\n#include <unistd.h>\n\
    int main(void) { if (vfork() == 0) { kill(getpid(), SIGSTOP); _exit(0); } return 0; }\n";

#[test]
fn a_program_that_waits_in_the_kernel_is_ended_at_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("waits.c"), folder.path().join("waits"));
    fs::write(&source, WAITS).unwrap();
    let built =
        Command::new("cc").arg("-o").args([&program, &source]).stderr(Stdio::null()).status();
    if !built.is_ok_and(|status| status.success()) {
        return crate::lab::skipped("cc");
    }
    let (_, said) = run(&program.display().to_string(), "1 s", "exit-code = 0");
    said.exits(3).says(&["error a/bad", "no end within 1000 ms"]);
    assert!(left::carrying(&[program.display().to_string()]).is_empty());
}
