//! `verify node`, and a batch that this very program answers on a node of its own.
//!
//! The node is an sshd on loopback. Where the program stands in the PATH of the account, it answers
//! batches; what it says must be what the shell says.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use verify_engine::transport::{Cancel, Ssh, Transport};
use verify_model::{
    ask::Ask,
    evidence::{Captured, Failure, FailureKind},
};

use crate::{
    ground::{Ground, Said, said},
    lab::Server,
};

const PATH: &str = "SetEnv PATH={home}/bin:/usr/bin:/bin";
const PROGRAM: &str = env!("CARGO_BIN_EXE_verify");

fn node(ground: &Ground, server: &Server, args: &[&str]) -> Said {
    let mut command = ground.command(args);
    said(
        command
            .env("VERIFY_SSH_CONFIG", server.config())
            .env("VERIFY_PAYLOADS", ground.path("sent")),
    )
}

#[test]
fn what_is_kept_on_a_node_is_listed_and_removed_and_trouble_has_its_code() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let ground = Ground::empty();
    ground.node("box", "hostnames = [\"nowhere\"]\nssh = \"lab\"");
    ground.node("gone", "hostnames = [\"nowhere\"]\nssh = \"no-such-host.invalid\"");
    ground.suite("things", &[("a/rt", "probe = \"scheduling\"\nexpect = { fifo = \"taken\" }")]);
    fs::create_dir(ground.path("sent")).unwrap();
    let stub = "#!/bin/sh\n[ \"$2\" = --protocol ] && exec echo verify-instrument/1 verify-gather/1\n\
                echo '{\"protocol\":\"verify-instrument/1\",\"instrument\":\"scheduling\",\"result\":{}}'\n";
    for machine in ["x86_64", "aarch64"] {
        for libc in ["gnu", "musl"] {
            let name = format!("sent/verify-{machine}-unknown-linux-{libc}");
            fs::write(ground.path(&name), stub).unwrap();
        }
    }
    let of = |args: &[&str]| node(&ground, &server, args);
    of(&["node", "list", "box", "--via", "ssh"]).exits(0).says(&["nothing is kept in"]);
    of(&["run", "--node", "box", "--via", "ssh"]).says(&["a/rt"]);
    of(&["node", "list", "box", "--via", "ssh"]).exits(0).says(&["kept in", "0.0 MB", "used"]);
    let json = of(&["node", "list", "box", "--via", "ssh", "--json"]).exits(0);
    let listed: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(listed[0]["entries"][0]["used"], true, "{listed}");
    // One that cannot be asked does not hold up the other.
    of(&["node", "clean", "gone", "box", "--via", "ssh"]).exits(3).says(&["removed"]).complains(&[
        "node gone",
        "Could not resolve hostname",
        "Correct `ssh` in the node file",
    ]);
    of(&["node", "clean", "box", "--via", "ssh"]).exits(0).says(&["nothing was kept"]);
    assert!(!server.path("home").join(".cache/verify").exists());
    of(&["node", "list", "box", "--via", "local"]).exits(0).says(&["this machine"]);
    of(&["node", "list", "nvidia-sim"]).exits(0).says(&["no machine"]);
    of(&["node", "list", "no-such-node"]).exits(2).complains(&["no node is named"]);
    of(&["node", "list", "box", "--via", "pigeon"]).exits(2).complains(&["`local` or `ssh`"]);
    of(&["node", "list"]).exits(2).complains(&["NODE"]);
}

/// Starts a server whose account has this program in its PATH.
fn installed() -> Option<Server> {
    let server = Server::start("/bin/sh", PATH)?;
    let bin = server.path("home").join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(PROGRAM, bin.join("verify")).unwrap();
    Some(server)
}

fn ssh(server: &Server, name: &str) -> Ssh {
    let mark = format!("nodes-{name}-{}", std::process::id());
    Ssh::new("lab", &mark, true).unwrap().with_config(server.config())
}

fn all(transport: &dyn Transport, asks: &[Ask], cancel: &Cancel) -> Vec<Captured> {
    let mut found: Vec<Option<Captured>> = vec![None; asks.len()];
    transport.gather_all(asks, cancel, &mut |at, captured, _| {
        assert!(found[at].replace(captured).is_none(), "answered twice: {at}");
    });
    found.into_iter().map(Option::unwrap).collect()
}

fn shell(script: &str, limit_ms: u64) -> Ask {
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    Ask::Exec { argv, env: vec![("A".into(), "b c".into())], limit_ms, cap: 64 * 1024 }
}

/// Asks of every kind that are state.
fn asks() -> Vec<Ask> {
    vec![
        shell("printf 'no line feed'; echo \"$A\" >&2; exit 3", 5000),
        shell("kill -9 $$", 5000),
        shell("printf '\\377\\376'; exit 255", 5000),
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
        Ask::Connect { host: "127.0.0.1".into(), port: 1, limit_ms: 2000 },
        verify_engine::script::ask("", "module", vec!["no-such-thing".into()], 20_000),
    ]
}

/// Takes out what may differ: how much was left out of a file, and in which words.
fn alike(captured: Captured) -> Captured {
    match captured {
        Captured::File(mut stream) if stream.truncated > 0 => {
            stream.truncated = 1;
            stream.text.truncate(4);
            Captured::File(stream)
        }
        Captured::Failed(failure) => Captured::Failed(Failure::new(failure.kind, "")),
        other => other,
    }
}

/// Says who started the program that asks.
fn whose() -> Ask {
    shell("cat /proc/$PPID/comm", 5000)
}

#[test]
fn a_batch_that_the_program_answers_is_what_the_shell_answers() {
    let Some(server) = installed() else { return };
    let now = Cancel::default();
    let by_shell = ssh(&server, "shell").by_shell_alone();
    let told: Vec<Captured> = all(&by_shell, &asks(), &now).into_iter().map(alike).collect();
    let transport = ssh(&server, "program");
    let mut batch = asks();
    batch.push(whose());
    // The first batch learns on the way that the program is there.
    for (time, by) in [(1, "sh"), (2, "verify")] {
        let mut found = all(&transport, &batch, &now);
        let Some(Captured::Exec { stdout, .. }) = found.pop() else { panic!("no answer") };
        assert!(stdout.text.starts_with(by), "{time}: {}", stdout.text);
        for (at, found) in found.into_iter().map(alike).enumerate() {
            assert_eq!(found, told[at], "{time}: {}", asks()[at]);
        }
    }
}

/// Tells whether a program with this argument runs within some time, or does not.
fn runs(argument: &str, wanted: bool) -> bool {
    let (_keep, wait) = std::sync::mpsc::channel::<()>();
    (0..500).any(|_| {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        let all = fs::read_dir("/proc").unwrap().flatten();
        let mut lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        lines.any(|line| line == format!("sleep\0{argument}\0").as_bytes()) == wanted
    })
}

#[test]
fn what_the_program_started_ends_at_its_limit_and_with_the_run() {
    let Some(server) = installed() else { return };
    let cancel = Cancel::default();
    let transport = ssh(&server, "ends");
    let mut batch = vec![shell("echo begun; exec sleep 68.25", 700)];
    batch.extend((0..9).map(|n| Ask::exec(["echo".to_owned(), n.to_string()])));
    all(&transport, &batch[1..], &cancel);
    let found = all(&transport, &batch, &cancel);
    let Captured::Failed(failure) = &found[0] else { panic!("{:?}", found[0]) };
    assert_eq!(failure.kind, FailureKind::TimedOut);
    assert!(failure.message.contains("its last line was: begun"), "{failure}");
    assert!(matches!(found[9], Captured::Exec { exit: Some(0), .. }));
    assert!(runs("68.25", false));
    batch[0] = shell("setsid sleep 69.25 & trap '' TERM; sleep 69.25", 60_000);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| all(&transport, &batch, &cancel));
        assert!(runs("69.25", true));
        cancel.request();
        let found = asked.join().unwrap();
        let Captured::Failed(failure) = &found[0] else { panic!("{:?}", found[0]) };
        assert_eq!(failure.kind, FailureKind::Interrupted);
    });
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(runs("69.25", false));
}

#[test]
fn a_program_with_a_lifeline_ends_with_its_standard_input() {
    let ground = Ground::empty();
    let args = ["instrument", "--lifeline", "tsc", "--for", "60s", "--priority", "none"];
    let begun = Instant::now();
    let mut child =
        ground.command(&args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(40));
}

#[test]
fn a_document_that_is_none_is_bad_input() {
    let ground = Ground::empty();
    ground.say(&["instrument", "gather"]).exits(2).complains(&["standard input ended"]);
    ground.say(&["instrument", "gather", "x"]).exits(2).complains(&["takes no arguments"]);
    let said = ground.say(&["instrument", "--protocol"]).exits(0);
    assert_eq!(said.out, format!("{}\n", verify_engine::transport::PROTOCOLS));
}
