//! A simulated Mac behind a real sshd: the whole command against an account that answers as one.
//!
//! The account has zsh, a bare `PATH` and start files that print; its programs are stubs with texts
//! from documents, so that nothing here says how a real Mac answers. `expect` and the exit codes of
//! the shipped suites `macmini` and `mlx` are what is tested, and that the transport needs neither
//! /proc nor GNU.

mod stub;

use std::fs;

use crate::{
    ground::{Ground, Said, of_kind, outcomes, said},
    lab::{self, Server},
};

const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Holds the server, its programs, and a root with the shipped node and suites.
struct Mac {
    server: Server,
    ground: Ground,
}

impl Mac {
    /// Starts one; nothing where the machine has no zsh or sshd.
    fn start() -> Option<Self> {
        let Some(zsh) = lab::program("zsh") else {
            lab::skipped("zsh");
            return None;
        };
        let ground = Ground::empty();
        stub::write(&ground.path("bin"));
        let path = format!("SetEnv PATH={}:/usr/bin:/bin", ground.text("bin"));
        let server = Server::start(&zsh, &path)?;
        server.home(".zshenv", "echo 'Welcome to the Mac'; print -P '%F{red}noise%f' >&2\n");
        for suite in ["macmini", "mlx"] {
            let text = fs::read_to_string(format!("{CHECKOUT}/suites/{suite}.toml")).unwrap();
            ground.suite_text(suite, text);
        }
        let node = fs::read_to_string(format!("{CHECKOUT}/runners/nodes/macmini.toml")).unwrap();
        let node = node
            .replace("/opt/ai/bin/python3", &ground.text("bin/python3"))
            .replace("ssh       = \"macmini\"", "ssh = \"lab\"");
        assert!(node.contains("\"lab\"") && node.contains("bin/python3"), "{node}");
        fs::write(ground.path("runners/nodes/macmini.toml"), node).unwrap();
        Some(Self { server, ground })
    }

    /// Changes what a program says.
    fn says(&self, file: &str, old: &str, new: &str) {
        let path = self.ground.path("bin").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{text}");
        fs::write(path, text.replace(old, new)).unwrap();
    }

    fn asked(&self, rest: &[&str]) -> Said {
        let mut command = self.ground.command(&["--node", "macmini", "--via", "ssh"]);
        said(command.args(rest).env("VERIFY_SSH_CONFIG", self.server.config()))
    }

    /// Returns the checks that did not pass, with their outcomes.
    fn trouble(&self) -> Vec<(String, String)> {
        let all = outcomes(&self.ground.last());
        assert_eq!(all.len(), 10, "{all:?}");
        // It has no verify of its own.
        let (unlike, all): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(check, _)| check == "cluster/same-suite-version");
        assert_eq!(unlike, [("cluster/same-suite-version".to_owned(), "skip".to_owned())]);
        all.into_iter().filter(|(_, outcome)| outcome != "pass").collect()
    }
}

fn fails(checks: &[&str]) -> Vec<(String, String)> {
    checks.iter().map(|check| ((*check).to_owned(), "fail".to_owned())).collect()
}

#[test]
fn a_right_mac_passes_every_check_that_is_shipped_for_it() {
    let Some(mac) = Mac::start() else { return };
    mac.asked(&[]).exits(0);
    assert_eq!(mac.trouble(), []);
    let lines = mac.ground.last();
    let facts = &of_kind(&lines, "node")[0]["facts"];
    for (name, expected) in [
        ("os", "macOS 15.5"),
        ("kernel", "24.5.0"),
        ("arch", "arm64"),
        ("cpu", "Apple M4 Pro"),
        ("hostname", "mini.local"),
        ("virtualization", ""),
        ("user", "uid 501"),
    ] {
        assert_eq!(facts[name], expected, "{facts:#}");
    }
    assert_eq!(facts["core"]["memory"], "48 GiB", "{facts:#}");
    let has = facts["capabilities"].to_string();
    assert!(has.contains("macos") && has.contains("aarch64") && has.contains("bare-metal"));
    assert!(!has.contains("linux"), "{has}");
    assert!(mac.server.sessions().is_empty(), "nothing is left there");
}

#[test]
fn each_wrong_thing_fails_the_check_that_is_about_it_and_no_other() {
    let Some(mac) = Mac::start() else { return };
    for (file, old, new, check, words) in [
        ("sysctl.txt", "51539607552", "25769803776", "mac/model-memory", "24 GiB"),
        ("sysctl.txt", "Apple M4 Pro", "Apple M4", "mac/model-memory", "Apple M4 Pro"),
        ("sysctl.txt", "limit_mb: 0", "limit_mb: 47104", "mac/gpu-wired-limit", "46 GiB"),
        ("level.txt", "0", "2", "mac/thermal-pressure", "heavy"),
        ("sw_vers", "15.5", "14.7", "mac/os-version", "14.7"),
        ("ifconfig.txt", "10Gbase-T", "1000baseT", "net/link-state", "1 Gbit/s"),
        (
            "route.txt",
            "  interface",
            "    gateway: 192.0.2.1\n  interface",
            "net/link-state",
            "route.direct",
        ),
        (
            "thunderbolt.txt",
            "receptacle_connected",
            "receptacle_no_devices_connected",
            "mac/thunderbolt",
            "connected",
        ),
    ] {
        mac.says(file, old, new);
        mac.asked(&["--quick"]).exits(1).says(&[check, words]);
        let trouble: Vec<_> =
            mac.trouble().into_iter().filter(|(_, outcome)| outcome != "skip").collect();
        assert_eq!(trouble, fails(&[check]), "{file}: {new}");
        mac.says(file, new, old);
    }
}

#[test]
fn what_the_mac_does_not_tell_is_an_error_and_never_a_pass() {
    let Some(mac) = Mac::start() else { return };
    fs::remove_file(mac.ground.path("bin/sw_vers")).unwrap();
    mac.says("pgrep", "echo 413", "exit 1");
    mac.asked(&["--quick"])
        .exits(3)
        .says(&["`sw_vers` is not installed", "nobody is known to publish it"]);
    let errors: Vec<String> = mac
        .trouble()
        .into_iter()
        .filter(|(_, outcome)| outcome == "error")
        .map(|(check, _)| check)
        .collect();
    let expected = ["mac/os-version", "mac/thermal-pressure"];
    assert_eq!(errors, expected);
}

#[test]
fn the_doctor_says_what_a_mac_lacks_and_how_to_get_it_there() {
    let Some(mac) = Mac::start() else { return };
    let config = mac.server.config();
    let doctor = || {
        let mut command = mac.ground.command(&["doctor", "macmini", "--via", "ssh"]);
        said(command.env("VERIFY_SSH_CONFIG", &config))
    };
    doctor().exits(1).says(&[
        "by key alone, and its host key is known",
        "missing tool:verify",
        "9 of 10 checks lack nothing",
    ]);
    fs::remove_file(mac.ground.path("bin/pmset")).unwrap();
    mac.says("python3", r#""mlx":"0.32.4"}}"#, r#""mlx":null}}"#);
    doctor().exits(1).says(&[
        "missing python:mlx (the node file promises it)",
        "costs mlx/default-device, mac/memory-bandwidth",
        "-m pip install mlx",
        "missing pmset",
        "costs mac/thermal-pressure",
    ]);
}
