//! How another machine answers by ssh, against a real server on loopback.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "the tests lay out servers and start them"
)]

mod hostile;
mod many;
mod rights;
mod rounds;
mod server;
mod stage;
mod trouble;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use server::{Server, end, program, skipped};
use verify_engine::transport::{Cancel, Local, Ssh, Transport};
use verify_model::{
    ask::Ask,
    evidence::{Captured, FailureKind},
};

/// Builds the transport to a server.
fn ssh(server: &Server, several: bool) -> Ssh {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mark = format!("ssh-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Ssh::new("lab", &mark, several).unwrap().with_config(server.config())
}

fn all(transport: &dyn Transport, asks: &[Ask], cancel: &Cancel) -> Vec<Captured> {
    let mut found: Vec<Option<Captured>> = vec![None; asks.len()];
    transport.gather_all(asks, cancel, &mut |at, captured, _| {
        assert!(found[at].replace(captured).is_none(), "answered twice: {at}");
    });
    found.into_iter().map(Option::unwrap).collect()
}

fn gather(server: &Server, asks: &[Ask]) -> Vec<Captured> {
    all(&ssh(server, true), asks, &Cancel::default())
}

fn shell(script: &str, limit_ms: u64) -> Ask {
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    Ask::Exec { argv, env: vec![], limit_ms, cap: 64 * 1024 }
}

fn stdout(captured: &Captured) -> &str {
    match captured {
        Captured::Exec { stdout, .. } => &stdout.text,
        other => panic!("{other:?}"),
    }
}

fn kind(captured: &Captured) -> FailureKind {
    match captured {
        Captured::Failed(failure) => failure.kind,
        other => panic!("{other:?}"),
    }
}

/// Asks of every kind that a shell can answer.
fn asks() -> Vec<Ask> {
    vec![
        shell("printf 'no line feed'; echo err >&2; exit 3", 5000),
        shell("kill -9 $$", 5000),
        shell("exit 255", 5000),
        Ask::exec(["printf", "%s|%s", "c;id $(id) `id` 'it''s' \"q\"", "*"]),
        Ask::exec(["no-such-program-anywhere"]),
        Ask::file("/proc/sys/kernel/osrelease"),
        Ask::file("/no/such/file"),
        Ask::file("/proc"),
        Ask::file("/dev/null"),
        Ask::ReadFile { path: "/etc/passwd".into(), cap: 4 },
        Ask::files("/proc/sys/kernel/os*"),
        Ask::files("/no/such/*"),
        Ask::files("/proc/sys/no-such*"),
        Ask::List { path: "/proc/sys".into() },
        Ask::List { path: "/no/such".into() },
        Ask::Stat { path: "/proc/sys".into() },
        Ask::Stat { path: "/no/such".into() },
        Ask::Which { tool: "sh".into() },
        Ask::Which { tool: "no-such-program-anywhere".into() },
    ]
}

#[test]
fn every_login_shell_gives_the_answers_that_this_machine_gives_itself() {
    let local = Local::new(format!("ssh-local-{}", std::process::id()));
    let here = all(&local, &asks(), &Cancel::default());
    for name in ["sh", "dash", "bash", "zsh", "fish", "tcsh", "csh", "ksh"] {
        let Some(path) = program(name) else {
            skipped(name);
            continue;
        };
        let Some(server) = Server::start(&path, "SetEnv PATH=/usr/bin:/bin") else { return };
        for (at, found) in gather(&server, &asks()).into_iter().enumerate() {
            let (found, expected) = (alike(found), alike(here[at].clone()));
            assert_eq!(found, expected, "{name}: {}", asks()[at]);
        }
    }
}

/// Takes out what may differ: how much was left out of a file, where a shell was found.
fn alike(captured: Captured) -> Captured {
    match captured {
        Captured::File(mut stream) if stream.truncated > 0 => {
            stream.truncated = 1;
            stream.text.truncate(4);
            Captured::File(stream)
        }
        Captured::Found(_) => Captured::Found("there".to_owned()),
        // Which folders were looked in is said in other words.
        Captured::Failed(failure) if failure.kind == FailureKind::NotFound => {
            Captured::Failed(verify_model::evidence::Failure::new(FailureKind::NotFound, ""))
        }
        other => other,
    }
}

#[test]
fn a_start_file_that_prints_does_no_harm_and_one_that_exits_is_named() {
    let Some(server) = Server::start("/bin/bash", "") else { return };
    server.home(".bashrc", "echo noise; echo -e '\\e[31mred'; echo more >&2\n");
    assert_eq!(stdout(&gather(&server, &[shell("echo yes", 5000)])[0]), "yes\n");
    server.home(".bashrc", "echo not today; exit 3\n");
    let found = gather(&server, &[shell("echo yes", 5000)]);
    assert_eq!(kind(&found[0]), FailureKind::ShellBroken);
    assert!(format!("{:?}", found[0]).contains("it said: not today"), "{:?}", found[0]);
}

#[test]
fn an_account_without_a_shell_is_told_from_a_broken_link() {
    for name in ["nologin", "rbash", "false"] {
        let Some(path) = program(name) else {
            skipped(name);
            continue;
        };
        let Some(server) = Server::start(&path, "") else { return };
        assert_eq!(
            kind(&gather(&server, &[shell("true", 5000)])[0]),
            FailureKind::ShellBroken,
            "{name}"
        );
    }
}

#[test]
fn each_refusal_has_its_own_name_and_nothing_is_sent() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let one = |server: &Server| kind(&gather(server, &[shell("true", 5000)])[0]);
    // Another key than the known one, and an option that would let it pass by itself.
    server.configure("  StrictHostKeyChecking no\n  HostKeyAlias other");
    let known = std::fs::read_to_string(server.path("known")).unwrap();
    let id = std::fs::read_to_string(server.path("id.pub")).unwrap();
    std::fs::write(server.path("known"), format!("{known}other {id}")).unwrap();
    let file = server.path("home").join("touched");
    let touch = shell(&format!("touch {}", file.display()), 5000);
    assert_eq!(kind(&gather(&server, &[touch])[0]), FailureKind::HostKeyChanged);
    assert!(!file.exists());
    server.configure("  StrictHostKeyChecking yes\n  HostKeyAlias nobody-knows");
    assert_eq!(one(&server), FailureKind::HostKeyUnknown);
    server.configure("  StrictHostKeyChecking yes\n  HostKeyAlias lab\n  IdentityFile /dev/null\n  IdentitiesOnly yes");
    std::fs::write(server.path("id"), "").unwrap();
    assert_eq!(one(&server), FailureKind::AuthenticationRefused);
    server.configure("  Port 1");
    assert_eq!(one(&server), FailureKind::LoginRefused);
}

#[test]
fn what_could_be_an_option_or_a_command_is_no_alias() {
    for bad in ["-oProxyCommand=id", "", "a b", "a;id", "a'b", "$(id)", "a\nb"] {
        assert!(Ssh::new(bad, "mark", true).is_err(), "{bad}");
    }
    assert!(Ssh::new("user@host-1.example", "mark", true).is_ok());
}

#[test]
fn settings_of_the_user_that_would_break_the_answer_do_not() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    server.configure(
        "  RemoteCommand echo mine\n  RequestTTY force\n  LocalForward 127.0.0.1:1 127.0.0.1:1\n  LogLevel ERROR\n  ControlMaster auto\n  ControlPath none",
    );
    assert_eq!(stdout(&gather(&server, &[shell("echo yes", 5000)])[0]), "yes\n");
}

#[test]
fn a_time_out_ends_the_tree_and_the_others_are_answered_still() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let slow = shell("sleep 61 & echo begun; sleep 61", 700);
    let begun = Instant::now();
    let found = gather(&server, &[shell("echo a", 5000), slow, shell("echo b", 5000)]);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!((stdout(&found[0]), stdout(&found[2])), ("a\n", "b\n"));
    assert_eq!(kind(&found[1]), FailureKind::TimedOut);
    assert!(format!("{:?}", found[1]).contains("its last line was: begun"), "{:?}", found[1]);
    assert!(nothing_is_left(&server));
}

/// Waits until no session of the server runs anything.
fn nothing_is_left(server: &Server) -> bool {
    let (_keep, wait) = std::sync::mpsc::channel::<()>();
    (0..200).any(|_| {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        server.sessions().is_empty()
    })
}

#[test]
fn nothing_is_left_after_an_interrupt() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let cancel = Cancel::default();
    let transport = ssh(&server, true);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| all(&transport, &[shell("echo on; sleep 62", 60_000)], &cancel));
        server.wait_for("sleep");
        cancel.request();
        assert_eq!(kind(&asked.join().unwrap()[0]), FailureKind::Interrupted);
    });
    drop(transport);
    assert!(nothing_is_left(&server));
}

#[test]
fn a_child_that_left_its_session_is_ended_by_the_sweep() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    if program("setsid").is_none() {
        return skipped("setsid");
    }
    let transport = ssh(&server, true);
    let stray = shell(
        "setsid sleep 63 >/dev/null 2>&1 & until grep -q sleep /proc/$!/comm; do :; done; echo $!",
        5000,
    );
    let found = all(&transport, &[stray], &Cancel::default());
    assert!(!stdout(&found[0]).is_empty());
    assert_eq!(transport.sweep(), ["sleep"]);
}

#[test]
fn a_background_child_that_holds_the_output_does_not_hold_up_the_run() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let begun = Instant::now();
    let found = gather(&server, &[shell("sleep 64 & echo yes", 5000)]);
    assert_eq!(stdout(&found[0]), "yes\n");
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(nothing_is_left(&server));
}

#[test]
fn a_connection_that_is_lost_in_the_middle_is_no_answer_of_the_program() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let transport = ssh(&server, false);
    let asks = [shell("echo first", 5000), shell("echo on; sleep 65", 60_000)];
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| all(&transport, &asks, &Cancel::default()));
        server.wait_for("sleep");
        // The sessions of the server itself, not what runs below them.
        server.sessions().iter().take(2).for_each(|pid| end(*pid));
        let found = asked.join().unwrap();
        assert_eq!(stdout(&found[0]), "first\n");
        assert_eq!(kind(&found[1]), FailureKind::ConnectionLost, "{:?}", found[1]);
    });
}

#[test]
fn a_flood_on_both_streams_is_cut_in_the_middle_and_says_so() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let flood = "yes abcdefghijklmnopqrstuvwxyz | head -c 25000000; yes zyx | head -c 25000000 >&2";
    let found = gather(&server, &[shell(flood, 60_000), shell("echo after", 5000)]);
    let Captured::Exec { exit: Some(0), stdout: out, stderr, .. } = &found[0] else {
        panic!("{:?}", found[0])
    };
    assert!(out.truncated > 24_000_000 && stderr.truncated > 24_000_000);
    assert!(out.text.len() < 100_000);
    assert_eq!(stdout(&found[1]), "after\n");
}

#[test]
fn programs_outside_of_a_bare_path_are_found() {
    let Some(server) = Server::start("/bin/sh", "SetEnv PATH=/nowhere") else { return };
    let found =
        gather(&server, &[Ask::Which { tool: "sh".into() }, Ask::exec(["sh", "-c", "echo yes"])]);
    assert!(matches!(&found[0], Captured::Found(path) if path.ends_with("/sh")), "{:?}", found[0]);
    assert_eq!(stdout(&found[1]), "yes\n");
}

#[test]
fn a_python_program_of_ours_reaches_the_interpreter_over_there() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let ask = verify_engine::script::ask("", "module", vec!["no-such-thing".into()], 20_000);
    let found = gather(&server, &[ask]);
    if matches!(&found[0], Captured::Failed(f) if f.kind == FailureKind::NotFound) {
        return skipped("python3");
    }
    assert!(stdout(&found[0]).contains("\"no-such-thing\": null"), "{:?}", found[0]);
}

#[test]
fn a_port_is_open_or_refused_over_there() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    if program("bash").is_none() {
        return skipped("bash");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = |port| Ask::Connect { host: "127.0.0.1".into(), port, limit_ms: 5000 };
    let found = gather(&server, &[connect(port), connect(1)]);
    assert_eq!(found[0], Captured::Connected);
    assert_eq!(kind(&found[1]), FailureKind::Refused);
}
