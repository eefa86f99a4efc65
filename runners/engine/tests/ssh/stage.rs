//! How a program of ours gets to a node that has none: copied once, checked, replaced, removed.
//!
//! What is sent is a script that says our protocol, so that a test sees where it runs and whether.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use verify_engine::transport::{Cancel, PROTOCOLS, Payloads, Ssh, Transport as _};
use verify_model::{
    ask::Ask,
    evidence::{Captured, FailureKind},
};

use super::{all, end, kind, server::Server, ssh, stdout};

/// PATH of an account with programs of its own.
pub(crate) const BIN: &str = "SetEnv PATH={home}/bin:/usr/bin:/bin";

/// Writes a program that says the protocols, and otherwise where it is and what it was asked.
pub(crate) fn stub(protocols: &str) -> String {
    format!(
        "#!/bin/sh\n: > \"$HOME/ran\"\n[ \"$2\" = --protocol ] && {{ echo {protocols}; exit; }}\necho \"$0 $*\"\n"
    )
}

/// Lays out payloads for whatever this machine is.
pub(crate) fn payloads(text: &str) -> (tempfile::TempDir, Payloads) {
    let folder = tempfile::tempdir().unwrap();
    for machine in ["x86_64", "aarch64"] {
        for libc in ["gnu", "musl"] {
            let name = format!("verify-{machine}-unknown-linux-{libc}");
            fs::write(folder.path().join(name), text).unwrap();
        }
    }
    let payloads = Payloads::new(vec![folder.path().to_owned()], None);
    (folder, payloads)
}

pub(crate) fn measure(name: &str) -> Ask {
    Ask::Instrument { argv: vec![name.into(), "it's".into()], limit_ms: 5000 }
}

/// Has a node measure in a run of its own.
pub(crate) fn measured(server: &Server, payloads: &Payloads) -> Captured {
    let transport = ssh(server, true).with_payloads(payloads.clone());
    all(&transport, &[measure("nvml")], &Cancel::default()).remove(0)
}

/// Lists what is kept: folders by hash.
pub(crate) fn kept(server: &Server) -> Vec<PathBuf> {
    let Ok(found) = fs::read_dir(server.path("home").join(".cache/verify")) else { return vec![] };
    found.map(|entry| entry.unwrap().path()).collect()
}

/// Tells whether anything of ours ran in the account.
pub(crate) fn ran(server: &Server) -> bool {
    server.path("home").join("ran").is_file()
}

/// Lists the temporary files of copies.
fn broken(server: &Server) -> Vec<String> {
    let folders = kept(server);
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
    let names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "verify").collect()
}

pub(crate) fn message(captured: &Captured) -> &str {
    match captured {
        Captured::Failed(failure) => &failure.message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_node_without_a_program_gets_one_once_and_measures_with_it() {
    for name in ["sh", "dash", "bash", "zsh", "fish", "tcsh", "ksh"] {
        let Some(shell) = super::program(name) else {
            super::skipped(name);
            continue;
        };
        let Some(server) = Server::start(&shell, "") else { return };
        let (_folder, payloads) = payloads(&stub(PROTOCOLS));
        let said = measured(&server, &payloads);
        let entry = kept(&server).remove(0);
        let program = entry.join("verify");
        let expected = format!("{} instrument nvml it's\n", program.display());
        assert_eq!(stdout(&said), expected, "{name}");
        for (path, mode) in [(entry.parent().unwrap(), 0o700), (&entry, 0o700), (&program, 0o700)] {
            let found = fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{name}: {}", path.display());
        }
        let inode = || fs::metadata(&program).unwrap().ino();
        let before = inode();
        assert_eq!(stdout(&measured(&server, &payloads)), expected, "{name}");
        assert_eq!(inode(), before, "copied twice: {name}");
        assert_eq!(broken(&server), [""; 0], "{name}");
    }
}

#[test]
fn what_is_kept_and_is_not_what_its_name_says_is_replaced_and_never_run() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let (_folder, payloads) = payloads(&stub(PROTOCOLS));
    let expected = stdout(&measured(&server, &payloads)).to_owned();
    let program = kept(&server).remove(0).join("verify");
    fs::write(&program, "#!/bin/sh\ntouch \"$HOME/evil\"\n").unwrap();
    assert_eq!(stdout(&measured(&server, &payloads)), expected);
    assert!(!server.path("home").join("evil").exists());
    assert_eq!(fs::read_to_string(&program).unwrap(), stub(PROTOCOLS));
    // Others could change it, a link stands for it, or its folder is open: the same.
    let inode = || fs::symlink_metadata(&program).unwrap().ino();
    let before = inode();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o770)).unwrap();
    assert_eq!(stdout(&measured(&server, &payloads)), expected);
    assert_ne!(inode(), before);
    fs::rename(&program, server.path("home").join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(server.path("home").join("elsewhere"), &program).unwrap();
    assert_eq!(stdout(&measured(&server, &payloads)), expected);
    assert!(fs::symlink_metadata(&program).unwrap().is_file());
    fs::set_permissions(program.parent().unwrap(), PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(stdout(&measured(&server, &payloads)), expected);
    let mode = fs::metadata(program.parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_copy_that_is_not_what_was_sent_is_removed_and_never_run() {
    let Some(server) = Server::start("/bin/sh", BIN) else { return };
    server.program("head", "#!/bin/sh\n/usr/bin/head \"$@\" | tr n m\n");
    let (_folder, payloads) = payloads(&stub(PROTOCOLS));
    let said = measured(&server, &payloads);
    assert!(message(&said).contains("its hash differs there"), "{said:?}");
    assert!(!ran(&server));
    assert!(kept(&server).is_empty());
}

#[test]
fn a_program_that_does_not_run_there_makes_way_for_one_that_does() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let (folder, payloads) = payloads(&stub(PROTOCOLS));
    let new = "#!/bin/sh\necho \"verify: version GLIBC_2.99 not found\" >&2; exit 1\n";
    for machine in ["x86_64", "aarch64"] {
        fs::write(folder.path().join(format!("verify-{machine}-unknown-linux-gnu")), new).unwrap();
    }
    assert!(stdout(&measured(&server, &payloads)).ends_with("instrument nvml it's\n"));
    assert_eq!(kept(&server).len(), 1);
    for libc in ["gnu", "musl"] {
        for machine in ["x86_64", "aarch64"] {
            let name = format!("verify-{machine}-unknown-linux-{libc}");
            fs::write(folder.path().join(name), new).unwrap();
        }
    }
    let said = measured(&server, &payloads);
    assert!(message(&said).contains("GLIBC_2.99 not found"), "{said:?}");
    assert_eq!(kind(&said), FailureKind::NotFound);
}

#[test]
fn an_installed_program_is_used_if_it_speaks_the_protocol_and_only_then() {
    let Some(server) = Server::start("/bin/sh", BIN) else { return };
    let (_folder, payloads) = payloads(&stub(PROTOCOLS));
    let path = server.program("verify", &stub(PROTOCOLS));
    let expected = format!("{} instrument nvml it's\n", path.display());
    assert_eq!(stdout(&measured(&server, &payloads)), expected);
    assert!(kept(&server).is_empty());
    server.program("verify", &stub("verify-instrument/0 verify-gather/1"));
    assert!(stdout(&measured(&server, &payloads)).contains("/.cache/verify/"));
    let said = measured(&server, &Payloads::default());
    assert!(message(&said).contains("speaks verify-instrument/0"), "{said:?}");
    // A program of the same name that waits for something holds up nobody for good.
    server.program("verify", "#!/bin/sh\nexec sleep 66\n");
    assert!(stdout(&measured(&server, &payloads)).contains("/.cache/verify/"));
}

#[test]
fn where_there_is_nothing_to_send_the_error_says_what_was_looked_for_and_how_to_get_it() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let folder = tempfile::tempdir().unwrap();
    let own = (PathBuf::from("/own"), "aarch64-apple-darwin".to_owned());
    let payloads = Payloads::new(vec![folder.path().to_owned()], Some(own));
    let said = measured(&server, &payloads);
    assert_eq!(kind(&said), FailureKind::NotFound);
    let here = folder.path().display().to_string();
    for words in ["just payloads", "verify-", "-unknown-linux-", &here, "aarch64-apple-darwin"] {
        assert!(message(&said).contains(words), "{words}: {said:?}");
    }
    // The others of a batch are answered all the same.
    let transport = ssh(&server, true).with_payloads(payloads);
    let asks = [Ask::exec(["echo", "yes"]), measure("nvml"), Ask::file("/etc/passwd")];
    let found = all(&transport, &asks, &Cancel::default());
    assert_eq!(stdout(&found[0]), "yes\n");
    assert!(matches!(found[2], Captured::File(_)));
}

#[test]
fn what_is_kept_is_listed_and_removed_and_nothing_else_is() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let (_folder, payloads) = payloads(&stub(PROTOCOLS));
    let of = || -> Ssh { ssh(&server, true).with_payloads(payloads.clone()) };
    let now = Cancel::default();
    assert!(of().kept(&now).unwrap().entries.is_empty());
    assert!(of().clean(&now).unwrap().removed.is_empty());
    measured(&server, &payloads);
    let cache = server.path("home").join(".cache/verify");
    let old = cache.join("a".repeat(64));
    fs::create_dir(&old).unwrap();
    fs::write(old.join(".new-vdead"), "half").unwrap();
    let other = cache.join("b".repeat(64));
    fs::create_dir(&other).unwrap();
    for file in [cache.join("notes"), other.join("mine")] {
        fs::write(file, "keep").unwrap();
    }
    fs::create_dir(cache.join("folder")).unwrap();
    let listed = of().kept(&now).unwrap();
    let found: Vec<(u64, bool)> = listed.entries.iter().map(|e| (e.bytes, e.used)).collect();
    assert_eq!(found.len(), 3);
    assert_eq!(found.iter().filter(|(bytes, used)| *used && *bytes > 0).count(), 1);
    let mut removed = of().clean(&now).unwrap();
    removed.removed.sort();
    assert_eq!(removed.removed.len(), 2, "{removed:?}");
    assert_eq!(removed.left, ["b".repeat(64)]);
    let mut stays: Vec<String> = fs::read_dir(&cache)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    stays.sort();
    assert_eq!(stays, ["b".repeat(64), "folder".to_owned(), "notes".to_owned()]);
    assert!(other.join("mine").is_file());
}

#[test]
fn a_copy_that_breaks_off_leaves_nothing_and_an_old_one_is_cleared_away() {
    let Some(server) = Server::start("/bin/sh", BIN) else { return };
    // It takes a part, and waits for the rest that never comes.
    server.program("head", "#!/bin/sh\n/usr/bin/head -c 10; exec cat >/dev/null\n");
    let (_folder, payloads) = payloads(&stub(PROTOCOLS));
    let (_keep, wait) = std::sync::mpsc::channel::<()>();
    let until = |what: &dyn Fn() -> bool| {
        (0..500).any(|_| {
            let _ = wait.recv_timeout(Duration::from_millis(20));
            what()
        })
    };
    for lost in [true, false] {
        let cancel = Cancel::default();
        let transport = ssh(&server, true).with_payloads(payloads.clone());
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| all(&transport, &[measure("nvml")], &cancel));
            assert!(until(&|| !broken(&server).is_empty()), "nothing was copied");
            if lost {
                server.sessions().iter().take(2).for_each(|pid| end(*pid));
            } else {
                cancel.request();
            }
            let found = asked.join().unwrap();
            let expected =
                if lost { FailureKind::ConnectionLost } else { FailureKind::Interrupted };
            assert_eq!(kind(&found[0]), expected, "{found:?}");
        });
        drop(transport);
        assert!(until(&|| broken(&server).is_empty()), "{:?}", broken(&server));
        assert!(!ran(&server));
    }
    // What a node that lost its power in the middle would have.
    fs::remove_file(server.path("home").join("bin/head")).unwrap();
    measured(&server, &payloads);
    let entry = kept(&server).remove(0);
    fs::remove_file(entry.join("verify")).unwrap();
    let left = entry.join(".new-vdead");
    fs::write(&left, "half").unwrap();
    let old = SystemTime::now() - Duration::from_hours(1);
    fs::File::options().write(true).open(&left).unwrap().set_modified(old).unwrap();
    fs::write(entry.join(".new-vlive"), "another run copies").unwrap();
    measured(&server, &payloads);
    assert_eq!(broken(&server), [".new-vlive"]);
}

#[test]
fn nothing_is_brought_where_nothing_measures() {
    let Some(server) = Server::start("/bin/sh", "") else { return };
    let (_folder, payloads) = payloads(&stub(PROTOCOLS));
    let transport = ssh(&server, true).with_payloads(payloads);
    let asks: Vec<Ask> = (0..20).map(|n| Ask::exec(["echo".to_owned(), n.to_string()])).collect();
    for _ in 0..2 {
        let found = all(&transport, &asks, &Cancel::default());
        assert_eq!(stdout(&found[19]), "19\n");
    }
    transport.sweep();
    assert!(kept(&server).is_empty() && !ran(&server));
}
