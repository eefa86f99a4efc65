//! When sudo is asked on a node: only if its file allows it, and only for what root alone can change.

use std::fs;

use verify_engine::transport::{Cancel, PROTOCOLS, Payloads};
use verify_model::{
    ask::Ask,
    evidence::{Captured, FailureKind},
};

use super::{
    all, kind,
    server::{Server, skipped},
    ssh,
    stage::{measure, message, payloads, stub},
    stdout,
};

/// A user id that is not root's. *Source*: Debian Policy 9.2.2, nobody.
const NOBODY: u32 = 65534;

/// Starts a server whose account is not root, with programs that root alone can change.
fn server(sudo: &str) -> Option<(Server, std::path::PathBuf)> {
    if !rustix::process::geteuid().is_root() {
        skipped("root, to have an account that is not");
        return None;
    }
    let server =
        Server::start_as(NOBODY, "/bin/sh", "SetEnv PATH={home}/../bin:/usr/bin:/bin", "")?;
    let folder = server.path("bin");
    fs::create_dir(&folder).unwrap();
    for (name, text) in [("verify", stub(PROTOCOLS)), ("sudo", format!("#!/bin/sh\n{sudo}\n"))] {
        fs::write(folder.join(name), text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder.join(name), mode).unwrap();
    }
    Some((server, folder.join("verify").canonicalize().unwrap()))
}

fn asked(server: &Server, payloads: &Payloads, allowed: bool) -> [Captured; 2] {
    let transport = ssh(server, true).with_payloads(payloads.clone()).with_sudo(allowed);
    let asks = [measure("smart"), measure("scheduling")];
    all(&transport, &asks, &Cancel::default()).try_into().unwrap()
}

#[test]
fn what_needs_root_asks_sudo_where_the_node_file_allows_it_and_nothing_else_does() {
    let Some((server, verify)) = server("echo \"sudo $*\"") else { return };
    let plain = |name: &str, at: &str| format!("{at} instrument {name} it's\n");
    let [smart, scheduling] = asked(&server, &Payloads::default(), true);
    let expected = format!("sudo -n -- {} instrument --lifeline smart it's\n", verify.display());
    assert_eq!(stdout(&smart), expected);
    assert!(stdout(&scheduling).ends_with(&plain("scheduling", "verify")), "{scheduling:?}");
    let [smart, _] = asked(&server, &Payloads::default(), false);
    assert!(stdout(&smart).ends_with(&plain("smart", "verify")), "{smart:?}");
}

#[test]
fn a_refusal_of_sudo_names_the_line_that_would_allow_it() {
    let said = "echo 'sudo: a password is required' >&2; exit 1";
    let Some((server, verify)) = server(said) else { return };
    let [smart, scheduling] = asked(&server, &Payloads::default(), true);
    assert_eq!(kind(&smart), FailureKind::PermissionDenied);
    let line = format!("ALL=(root) NOPASSWD: {} instrument --lifeline smart", verify.display());
    assert!(message(&smart).contains(&line), "{smart:?}");
    assert!(matches!(scheduling, Captured::Exec { exit: Some(0), .. }));
}

#[test]
fn sudo_is_never_asked_for_what_others_can_change_nor_for_a_copy() {
    let Some((server, verify)) = server("echo \"sudo $*\"") else { return };
    let open = |path: &std::path::Path, mode: u32| {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    let folder = verify.parent().unwrap();
    for (path, mode) in [(verify.as_path(), 0o775), (&verify, 0o757), (folder, 0o777)] {
        open(path, mode);
        let [smart, scheduling] = asked(&server, &Payloads::default(), true);
        assert_eq!(kind(&smart), FailureKind::PermissionDenied, "{mode:o}: {smart:?}");
        assert!(message(&smart).contains("others can change"), "{smart:?}");
        assert!(matches!(scheduling, Captured::Exec { exit: Some(0), .. }));
        open(path, 0o755);
    }
    std::os::unix::fs::chown(&verify, Some(NOBODY), None).unwrap();
    let [smart, _] = asked(&server, &Payloads::default(), true);
    assert_eq!(kind(&smart), FailureKind::PermissionDenied);
    fs::remove_file(&verify).unwrap();
    let (_folder, payloads) = payloads(&stub(PROTOCOLS));
    let [smart, scheduling] = asked(&server, &payloads, true);
    assert!(message(&smart).contains("never for a copy"), "{smart:?}");
    assert!(stdout(&scheduling).contains("/.cache/verify/"), "{scheduling:?}");
}

#[test]
fn what_sudo_runs_learns_of_the_end_by_its_standard_input() {
    // It left the session, as what another user runs cannot be ended.
    let away = "exec setsid sh -c 'cat; : > \"$HOME/ended\"' >/dev/null 2>&1";
    let Some((server, _)) = server(away) else { return };
    let transport = ssh(&server, true).with_sudo(true);
    let ask = Ask::Instrument { argv: vec!["smart".into()], limit_ms: 700 };
    let found = all(&transport, &[ask], &Cancel::default());
    assert_eq!(kind(&found[0]), FailureKind::TimedOut, "{found:?}");
    let (_keep, wait) = std::sync::mpsc::channel::<()>();
    let ended = (0..500).any(|_| {
        let _ = wait.recv_timeout(std::time::Duration::from_millis(20));
        server.path("home").join("ended").exists()
    });
    assert!(ended);
}
