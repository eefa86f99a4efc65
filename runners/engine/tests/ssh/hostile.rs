//! A node that means harm: its login shell is a program of the test, which says what it likes.
//!
//! It sees the nonce, for that stands in the script, so it can lie about itself. It must not fill
//! memory, hold up the run, answer for another node, or choose a file on this side.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use verify_engine::transport::Cancel;
use verify_model::{
    ask::Ask,
    evidence::{Captured, FailureKind},
};

use crate::{Server, all, kind, shell, ssh, stdout};

/// Most memory that this whole process may have held, all tests beside each other. *Units*: kB.
const MEMORY_KB: u64 = 700 * 1024;

/// What each malicious shell begins with: it reads the nonce, and can frame an answer.
const HEAD: &str = r#"#!/bin/sh
while read -r L; do case $L in N=*) N=${L#N=}; break;; esac; done
b() { printf '\n%s b %s\n' "$N" "$1"; printf '\n%s b %s\n' "$N" "$1" >&2; }
e() { printf '\n%s e %s %s\n' "$N" "$1" "$2"; printf '\n%s e %s %s\n' "$N" "$1" "$2" >&2; }
z() { printf '\n%s z\n' "$N"; printf '\n%s z\n' "$N" >&2; }
"#;

/// Asks a server whose login shell does this.
fn asked(body: &str, asks: &[Ask]) -> Option<Vec<Captured>> {
    let folder = tempfile::Builder::new().prefix("v").tempdir_in("/tmp").unwrap();
    let path = folder.path().join("shell");
    fs::write(&path, format!("{HEAD}{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::start(&path.display().to_string(), "")?;
    let begun = Instant::now();
    let found = all(&ssh(&server, false), asks, &Cancel::default());
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < MEMORY_KB, "{peak} kB");
    Some(found)
}

fn failed(captured: &Captured) -> bool {
    matches!(captured, Captured::Failed(_))
}

#[test]
fn output_without_end_on_both_streams_fills_no_memory_and_ends_by_the_limit() {
    let body = "b 0; yes abcdefghijklmnopqrstuvwxyz >&2 & yes abcdefghijklmnopqrstuvwxyz";
    let Some(found) = asked(body, &[shell("true", 1500)]) else { return };
    assert_eq!(kind(&found[0]), FailureKind::TimedOut);
}

#[test]
fn a_flood_before_the_first_frame_is_no_answer() {
    let body = "yes noise | head -c 50000000; yes noise | head -c 50000000 >&2";
    let Some(found) = asked(body, &[shell("true", 1500)]) else { return };
    assert_eq!(kind(&found[0]), FailureKind::ShellBroken);
}

#[test]
fn frames_out_of_order_twice_and_for_nobody_answer_each_ask_at_most_once() {
    let asks = [shell("true", 1500), shell("true", 1500), shell("true", 1500)];
    let body = "e 0 0; e 7 0; b 7; echo x; e 7 0; b 2; echo two; e 2 0; b -1; b 99999999999999999999; \
                b 0; b 0; echo zero; e 1 0; e 0 0; e 0 0; b 0; echo again; e 0 0; b 1; e 1 no-number; z; \
                b 2; echo late; e 2 0";
    let Some(found) = asked(body, &asks) else { return };
    assert!(stdout(&found[0]).ends_with("zero\n"), "{:?}", found[0]);
    assert!(failed(&found[1]) && failed(&found[2]), "{found:?}");
}

#[test]
fn one_who_begins_again_and_again_gets_no_more_time() {
    let body = "while :; do b 0; sleep 0.2; done";
    let Some(found) = asked(body, &[shell("true", 1000)]) else { return };
    assert_eq!(kind(&found[0]), FailureKind::TimedOut);
}

#[test]
fn a_slow_drip_ends_by_the_limit_of_each_ask() {
    let asks = [shell("true", 1000), shell("true", 1000)];
    let body = "b 0; b 1; while :; do printf x; sleep 0.1; done";
    let Some(found) = asked(body, &asks) else { return };
    assert!(found.iter().all(|one| kind(one) == FailureKind::TimedOut), "{found:?}");
}

#[test]
fn a_mark_that_never_ends_is_no_mark_and_fills_no_memory() {
    let body = "printf '\\n%s b 0' \"$N\"; yes 0 | tr -d '\\n' | head -c 30000000; exit 0";
    let Some(found) = asked(body, &[shell("true", 5000)]) else { return };
    assert!(failed(&found[0]), "{:?}", found[0]);
}

#[test]
fn a_million_files_or_names_are_an_error_and_no_part_is_taken_for_the_whole() {
    let asks = [Ask::files("/proc/sys/kernel/os*"), Ask::List { path: "/proc".into() }];
    let body =
        "b 0; yes \"x\n$N f /a\" | head -n 2000000; e 0 0; b 1; yes a | head -n 1000000; e 1 0; z";
    let Some(found) = asked(body, &asks) else { return };
    assert!(found.iter().all(failed), "not whole");
}

#[test]
fn one_answer_that_is_too_long_is_cut_or_refused() {
    let asks = [
        Ask::file("/proc/version"),
        Ask::files("/proc/sys/kernel/os*"),
        Ask::Exec { argv: vec!["true".into()], env: vec![], limit_ms: 30_000, cap: 16 << 20 },
    ];
    let flood = "yes abcdefghijklmnopqrstuvwxyz | head -c 80000000";
    let body = format!(
        "b 0; {flood}; e 0 0; b 1; printf '%s f /x\\n' \"$N\"; {flood}; e 1 0; b 2; {flood}; e 2 0; z"
    );
    let Some(found) = asked(&body, &asks) else { return };
    assert!(failed(&found[0]) && failed(&found[1]), "more than was asked for");
    let Captured::Exec { stdout, .. } = &found[2] else { panic!("{:?}", found[2]) };
    assert!(stdout.truncated > 60_000_000, "{}", stdout.truncated);
}

#[test]
fn names_and_bytes_of_a_node_stay_text() {
    let asks = [Ask::files("/proc/sys/kernel/os*"), Ask::Which { tool: "sh".into() }];
    let body = "b 0; printf '\\n%s f ../../../tmp/verify-escaped\\nx\\n%s f /tmp/verify-escaped\\nx' \"$N\" \"$N\"; e 0 0; \
                b 1; printf '\\033]0;title\\007\\000/bin/sh'; e 1 0; z";
    let Some(found) = asked(body, &asks) else { return };
    assert!(matches!(&found[0], Captured::Files(files) if files.len() <= 2), "{found:?}");
    assert!(matches!(&found[1], Captured::Found(_)), "{found:?}");
    assert!(fs::symlink_metadata("/tmp/verify-escaped").is_err());
}

#[test]
fn one_who_leaves_at_once_is_named_and_nobody_waits() {
    for body in ["exec <&-; exit 0", "exec >&-; exec 2>&-; exec sleep 2", "kill -9 $$"] {
        let Some(found) = asked(body, &[shell("true", 5000)]) else { return };
        assert!(failed(&found[0]), "{body}: {found:?}");
    }
}

#[test]
fn another_node_of_the_same_run_is_answered_right() {
    let Some(good) = Server::start("/bin/sh", "") else { return };
    let body = "b 0; yes >&2 & yes";
    std::thread::scope(|scope| {
        let bad = scope.spawn(|| asked(body, &[shell("true", 3000)]));
        let found = all(&ssh(&good, false), &[shell("echo right", 10_000)], &Cancel::default());
        assert_eq!(stdout(&found[0]), "right\n");
        assert!(bad.join().unwrap().is_none_or(|found| failed(&found[0])));
    });
}
