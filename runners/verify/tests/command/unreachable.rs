//! What a node that cannot be asked by ssh gives: one error, and everything else waits for it.

use std::{fs, io::Write as _, process::Command};

use crate::ground::{Ground, PASSES, outcomes};

/// Asks a node by ssh under a configuration of its own; nothing where there is no ssh.
fn asked(config: &str) -> Option<(Ground, crate::ground::Said)> {
    if Command::new("ssh").arg("-V").output().is_err() {
        let _ = writeln!(std::io::stderr(), "skipped: needs ssh");
        return None;
    }
    let ground = Ground::empty();
    fs::write(ground.path("config"), config).unwrap();
    ground.suite("things", &[("a/one", PASSES), ("b/two", PASSES)]);
    let mut command = ground.command(&["--node", "box", "--via", "ssh"]);
    command.env("VERIFY_SSH_CONFIG", ground.path("config"));
    let said = crate::ground::said(&mut command);
    Some((ground, said))
}

#[test]
fn a_node_that_takes_no_logins_is_one_error_and_the_rest_is_blocked() {
    let config = "Host *\n  HostName 127.0.0.1\n  Port 1\n";
    let Some((ground, said)) = asked(config) else { return };
    let said = said.exits(3);
    said.says(&["node/reachable", "Connection refused", "blocks", "a/one, b/two", "1 error"]);
    let lines = ground.last();
    let judged = outcomes(&lines);
    let judged: Vec<(&str, &str)> = judged.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(judged, [("node/reachable", "error"), ("a/one", "blocked"), ("b/two", "blocked")]);
    // Judged again without the node, it is the same.
    ground.say(&["judge", "last"]).exits(3);
    ground.say(&["report", "last", "--format", "junit"]).exits(0).says(&["login-refused"]);
}

#[test]
fn a_configuration_that_is_not_there_is_said_as_such() {
    let Some((_, said)) = asked("NoSuchOption yes\n") else { return };
    said.exits(3).says(&["node/reachable", "Bad configuration option"]);
}
