//! What the laptop's check of logins says of real servers: by key, by nobody, and why not.

use std::fs;

use crate::{
    ground::{Ground, Said, outcomes},
    lab::{Server, program, skipped},
};

const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Asks the shipped suite of the laptop about one peer, here.
fn asked(server: &Server, peer: &str) -> (Ground, Said) {
    let ground = Ground::empty();
    let text = fs::read_to_string(format!("{CHECKOUT}/suites/macbook.toml")).unwrap();
    let peers = "peers = \"${ssh-peers}\"";
    assert!(text.contains(peers));
    let config = format!("{peers}, ssh-config = \"{}\"", server.config());
    // The other programs are no matter here, and a machine may lack them.
    let text = text.replace(", \"rsync\", \"git\"", "");
    ground.suite_text("macbook", text.replace(peers, &config));
    let node = format!("title = \"t\"\n[variables]\nssh-peers = [\"{peer}\"]\n");
    fs::write(ground.path("runners/nodes/macbook.toml"), node).unwrap();
    let said = ground.say(&["--node", "macbook", "--via", "local", "--check", "cluster/ssh"]);
    (ground, said)
}

/// Starts a server with a plain shell; `options` are those of sshd.
fn server(options: &str) -> Option<Server> {
    if program("ssh").is_none() {
        skipped("ssh");
        return None;
    }
    Server::start("/bin/sh", options)
}

#[test]
fn a_login_by_key_passes_and_passwords_on_offer_are_advice() {
    let Some(server) = server("") else { return };
    let (ground, said) = asked(&server, "lab");
    said.exits(0);
    assert_eq!(outcomes(&ground.last()).last().unwrap().1, "pass");
    assert!(server.sessions().is_empty(), "no master is left");
    let Some(server) = self::server("KbdInteractiveAuthentication yes\nPasswordAuthentication yes")
    else {
        return;
    };
    asked(&server, "lab").1.exits(0).says(&["password-offered", "advice"]);
}

#[test]
fn each_reason_why_a_machine_cannot_be_reached_has_its_name() {
    let Some(server) = server("") else { return };
    let known = fs::read_to_string(server.path("known")).unwrap();
    fs::write(server.path("known"), "").unwrap();
    asked(&server, "lab").1.exits(1).says(&["lab: host-key-unknown"]);
    // The key of another: that of the user stands for it.
    let other = fs::read_to_string(server.path("id.pub")).unwrap();
    fs::write(server.path("known"), format!("lab {other}")).unwrap();
    asked(&server, "lab").1.exits(1).says(&["lab: host-key-changed"]);
    fs::write(server.path("known"), known).unwrap();
    server.configure("  StrictHostKeyChecking no");
    asked(&server, "lab").1.exits(1).says(&["unchecked", "lab"]);
    fs::write(server.path("id.pub"), "").unwrap();
    asked(&server, "lab").1.exits(1).says(&["lab: authentication-refused"]);
    server.configure("  Port 1");
    asked(&server, "lab").1.exits(1).says(&["lab: login-refused"]);
    server.configure("  HostName no-such-host.invalid");
    asked(&server, "lab").1.exits(1).says(&["lab: name-unknown"]);
}
