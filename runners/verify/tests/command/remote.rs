//! Whether a program is started on another machine over ssh, and what is left there: nothing.
//!
//! The other machine is a server of our own on loopback, with its own keys, its own user file and a
//! temporary folder of its own; where there is no sshd or ssh, the tests say so.

pub(crate) mod server;

use std::{fs, io::Write as _, path::Path, process::Command};

use self::server::Server;
use crate::ground::{Ground, Said, lines as recorded};

/// Asks for a start there, with the parameters given.
fn asked(ground: &Ground, server: &Server, with: &str) -> Said {
    let config = server.config().display().to_string();
    let lines = format!(
        "probe = \"cross-compile\"\nlimit = \"120 s\"\nwith = {{ {with}, ssh-config = \"{config}\" }}\n\
         expect = {{ started = true, target-state = \"ok\", target-trouble = \"none\" }}"
    );
    ground.suite("things", &[("a/starts", &lines)]);
    ground.say(&["--node", "box", "--allow-mutation"])
}

/// Names a program that is there and ends well.
const TRUE: &str = "binary = \"/bin/true\", args = [\"--version\"]";

pub(crate) fn skipped(needs: &str) {
    writeln!(std::io::stderr(), "skipped: needs {needs}").unwrap();
}

#[test]
fn a_program_is_started_there_and_nothing_of_it_stays() {
    let Some(server) = Server::start() else { return skipped("sshd") };
    let ground = Ground::empty();
    asked(&ground, &server, &format!("{TRUE}, ssh = \"target\"")).exits(0);
    server.is_clean();
    let said =
        asked(&ground, &server, "binary = \"/bin/false\", args = [\"--x\"], ssh = \"target\"");
    said.exits(1).says(&["exit-status"]);
    server.is_clean();
    if Command::new("g++").arg("--version").output().is_err() {
        return skipped("g++");
    }
    asked(&ground, &server, "compiler = \"g++\", ssh = \"target\"").exits(0);
    server.is_clean();
}

#[test]
fn what_the_loader_lacks_there_is_the_nodes_fault_and_in_its_words() {
    let Some(server) = Server::start() else { return skipped("sshd") };
    let ground = Ground::empty();
    let own = fs::read("/bin/true").unwrap();
    // A version that no glibc has, in the place of one that this program asks for.
    let (old, new) = (b"\0GLIBC_2.34\0", b"\0GLIBC_2.99\0");
    let Some(at) = own.windows(old.len()).position(|part| part == old) else {
        return skipped("a program that asks for GLIBC_2.34");
    };
    let mut newer = own;
    newer[at..at + old.len()].copy_from_slice(new);
    let path = ground.path("newer");
    fs::write(&path, newer).unwrap();
    let with = format!("binary = \"{}\", args = [\"--list\"], ssh = \"target\"", path.display());
    asked(&ground, &server, &with).exits(1).says(&["loader", "GLIBC_2.99' not found"]);
    server.is_clean();
}

#[test]
fn each_way_of_not_getting_there_has_its_own_words() {
    let Some(server) = Server::start() else { return skipped("sshd") };
    let ground = Ground::empty();
    for (alias, words) in [
        ("refused", "Connection refused"),
        ("unknown-key", "host key is known for"),
        ("changed-key", "REMOTE HOST IDENTIFICATION HAS CHANGED"),
        ("stranger", "Permission denied"),
    ] {
        let said = asked(&ground, &server, &format!("{TRUE}, ssh = \"{alias}\""));
        said.exits(3).says(&[words]);
        server.is_clean();
    }
    // No key was taken on trust on the way.
    assert_eq!(fs::read_to_string(server.path("no-keys")).unwrap(), "");
}

#[test]
fn a_connection_that_is_cut_half_way_leaves_nothing_there() {
    let Some(server) = Server::start() else { return skipped("sshd") };
    let ground = Ground::empty();
    // Far larger than what the line lets through.
    if !fs::metadata("/bin/bash").is_ok_and(|of| of.len() > 1_000_000) {
        return skipped("a program of more than 1 MB at /bin/bash");
    }
    let with = "binary = \"/bin/bash\", args = [\"--version\"], ssh = \"cut\"";
    asked(&ground, &server, with).exits(3);
    let record = fs::read_to_string(&ground.records()[0]).unwrap();
    assert!(record.contains("connection-lost"), "{record}");
    server.was_entered();
    server.becomes_clean();
}

#[test]
fn without_leave_nothing_is_asked_and_a_name_that_is_none_is_refused() {
    let ground = Ground::empty();
    let lines = |alias: &str| {
        format!(
            "probe = \"cross-compile\"\nwith = {{ {TRUE}, ssh = \"{alias}\" }}\nexpect = {{ started = true }}"
        )
    };
    ground.suite("things", &[("a/starts", &lines("nowhere"))]);
    ground.say(&["--node", "box"]).says(&["--allow-mutation"]);
    assert!(!recorded(&ground.records()[0]).iter().any(|line| line["event"] == "gathered"));
    for bad in ["-oProxyCommand=x", "a b"] {
        ground.suite("things", &[("a/starts", &lines(bad))]);
        let said = ground.say(&["--node", "box", "--allow-mutation"]);
        assert!(format!("{}{}", said.out, said.err).contains("not the name of a host"), "{bad}");
    }
    let bare = lines("nowhere").replace(", args = [\"--version\"]", "");
    ground.suite("things", &[("a/starts", &bare)]);
    let said = ground.say(&["--node", "box", "--allow-mutation"]);
    assert!(format!("{}{}", said.out, said.err).contains("needs `args`"));
    assert!(Path::new("/bin/true").exists());
}
