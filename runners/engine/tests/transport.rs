//! How this machine answers: programs with limits, files with caps, and nothing left behind.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use verify_engine::transport::{Cancel, Local, Transport};
use verify_model::{
    ask::Ask,
    evidence::{Captured, FailureKind},
};

fn shell(script: &str, limit_ms: u64) -> Ask {
    Ask::Exec {
        argv: vec!["sh".into(), "-c".into(), script.into()],
        env: vec![],
        limit_ms,
        cap: 64 * 1024,
    }
}

/// Builds a transport with a mark of its own, as every run has one.
fn local() -> Local {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    Local::new(format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
}

fn gather(ask: &Ask) -> Captured {
    local().gather(ask, &Cancel::default())
}

fn kind(captured: &Captured) -> Option<FailureKind> {
    if let Captured::Failed(failure) = captured { Some(failure.kind) } else { None }
}

/// Waits until a process is gone or a zombie; `None` if it stays.
fn gone(pid: &str) -> Option<()> {
    let (_keep, wait) = std::sync::mpsc::channel::<()>();
    (0..100).find_map(|_| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        let ended = stat.map_or(true, |text| {
            text.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z"))
        });
        let _ = wait.recv_timeout(Duration::from_millis(20));
        ended.then_some(())
    })
}

#[test]
fn exit_status_and_both_streams_are_captured() {
    let Captured::Exec { exit, signal, stdout, stderr } =
        gather(&shell("echo out; echo err >&2; exit 3", 5000))
    else {
        panic!("not captured");
    };
    assert_eq!((exit, signal), (Some(3), None));
    assert_eq!((stdout.text.as_str(), stderr.text.as_str()), ("out\n", "err\n"));
    let Captured::Exec { exit, signal, .. } = gather(&shell("kill -9 $$", 5000)) else {
        panic!("not captured")
    };
    assert_eq!((exit, signal), (None, Some(9)));
}

#[test]
fn a_missing_program_says_where_it_was_looked_for() {
    let captured = gather(&Ask::exec(["no-such-program-anywhere"]));
    assert_eq!(kind(&captured), Some(FailureKind::NotFound));
    let Captured::Failed(failure) = captured else { panic!("not failed") };
    assert!(
        failure.message.contains("not installed")
            && failure.message.contains("/usr/local/cuda/bin")
    );
}

#[test]
fn a_child_reads_nothing_and_hears_the_same_language_everywhere() {
    let Captured::Exec { stdout, .. } = gather(&shell("cat; echo $LC_ALL", 5000)) else {
        panic!("not captured")
    };
    assert_eq!(stdout.text, "C\n");
}

#[test]
fn long_output_is_cut_in_the_middle_and_says_so() {
    let Captured::Exec { stdout, .. } = gather(&shell(
        "echo first; head -c 300000 /dev/zero | tr '\\0' x; echo; echo last",
        20_000,
    )) else {
        panic!("not captured");
    };
    assert!(stdout.text.starts_with("first\n") && stdout.text.ends_with("last\n"));
    assert!(stdout.text.contains("bytes left out") && stdout.text.len() < 70_000);
    assert_eq!(stdout.truncated, 300_000 + 6 + 1 + 5 - 64 * 1024);
}

#[test]
fn a_time_out_ends_the_whole_tree_and_keeps_the_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!(
        "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {}; echo waiting; while :; do read x < /dev/zero; done' & wait; sleep 60",
        file.display()
    );
    let captured = gather(&shell(&script, 700));
    let Captured::Failed(failure) = &captured else { panic!("{captured:?}") };
    assert_eq!(failure.kind, FailureKind::TimedOut);
    assert!(
        failure.message.contains("700 ms") && failure.message.contains("waiting"),
        "{}",
        failure.message
    );
    assert!(gone(&std::fs::read_to_string(file).unwrap()).is_some(), "a grandchild survived");
}

#[test]
fn a_grandchild_that_left_its_group_is_ended_too() {
    if !Path::new("/proc/self/environ").is_file() || !Path::new("/usr/bin/setsid").is_file() {
        println!("skipped: needs /proc and setsid");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let script = format!("setsid sh -c 'echo $$ > {}; exec sleep 600' & sleep 600", file.display());
    assert_eq!(kind(&gather(&shell(&script, 700))), Some(FailureKind::TimedOut));
    assert!(gone(&std::fs::read_to_string(file).unwrap()).is_some(), "the escapee survived");
}

#[test]
fn a_grandchild_that_holds_the_pipe_does_not_hold_up_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let captured =
        gather(&shell(&format!("sleep 600 & echo $! > {}; echo done", file.display()), 60_000));
    let Captured::Exec { exit, stdout, .. } = captured else { panic!("{captured:?}") };
    assert_eq!(exit, Some(0));
    // What the grandchild would have said is not known, so the output is never taken for whole.
    assert!(stdout.text.starts_with("done\n") && stdout.truncated > 0, "{stdout:?}");
    assert!(
        gone(&std::fs::read_to_string(file).unwrap()).is_some(),
        "what the child left behind survived"
    );
}

#[test]
fn what_a_run_left_behind_is_swept() {
    if !Path::new("/usr/bin/setsid").is_file() {
        println!("skipped: needs setsid");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let local = local();
    let script = format!(
        "setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 600' > /dev/null 2>&1 & while ! test -s {0}; do :; done",
        file.display()
    );
    assert!(matches!(
        local.gather(&shell(&script, 10_000), &Cancel::default()),
        Captured::Exec { .. }
    ));
    let swept = local.sweep();
    assert_eq!(swept.len(), 1, "{swept:?}");
    assert!(gone(&std::fs::read_to_string(file).unwrap()).is_some());
    assert_eq!(local.sweep(), Vec::<String>::new());
}

#[test]
fn an_interrupt_ends_what_is_running() {
    let cancel = Cancel::default();
    let canceller = cancel.clone();
    let (started, wait) = std::sync::mpsc::channel();
    let asking = std::thread::spawn(move || {
        started.send(()).unwrap();
        local().gather(&shell("sleep 600", 600_000), &cancel)
    });
    wait.recv().unwrap();
    canceller.request();
    assert_eq!(kind(&asking.join().unwrap()), Some(FailureKind::Interrupted));
}

#[test]
fn ports_are_open_or_refused() {
    #[allow(clippy::disallowed_methods, reason = "the test's own server on loopback")]
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let ask = Ask::Connect { host: "127.0.0.1".into(), port, limit_ms: 2000 };
    assert_eq!(gather(&ask), Captured::Connected);
    drop(server);
    assert_eq!(kind(&gather(&ask)), Some(FailureKind::Refused));
}

#[test]
fn a_pipe_is_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(matches!(
        gather(&Ask::exec(["mkfifo", fifo.to_str().unwrap()])),
        Captured::Exec { exit: Some(0), .. }
    ));
    let captured = gather(&Ask::file(fifo.to_str().unwrap()));
    assert_eq!(kind(&captured), Some(FailureKind::Other), "{captured:?}");
}

#[test]
fn patterns_name_files_and_say_when_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    for cpu in ["cpu10", "cpu2", "cpuidle"] {
        std::fs::create_dir(folder.path().join(cpu)).unwrap();
        let mut file = std::fs::File::create(folder.path().join(cpu).join("online")).unwrap();
        std::io::Write::write_all(&mut file, b"1\n").unwrap();
    }
    let pattern = format!("{}/cpu*/online", folder.path().display());
    let Captured::Files(files) = gather(&Ask::files(&pattern)) else { panic!("not captured") };
    assert_eq!(files.len(), 3);
    assert_eq!(
        gather(&Ask::files(format!("{}/cpu*/none", folder.path().display()))),
        Captured::Files(vec![])
    );
    assert_eq!(kind(&gather(&Ask::files("/no/such/place*/x"))), Some(FailureKind::NotFound));
}

#[test]
fn a_folder_that_may_not_be_looked_into_is_not_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    // A loop of links cannot be looked into by anybody, root included.
    std::os::unix::fs::symlink("loop", folder.path().join("loop")).unwrap();
    let Captured::Files(files) = gather(&Ask::files(format!("{}/*/*", folder.path().display())))
    else {
        panic!("not captured");
    };
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].0.ends_with("loop") && files[0].1.is_err(), "{files:?}");
}
