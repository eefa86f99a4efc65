//! The cable is cut in the middle: what was asked over it is an error, in bounded time and in a whole
//! record, nothing stays on either end, and a cable that is back is used at once.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, getpgid, kill_process};

use crate::lab::{
    Lab, Measured, PATIENCE,
    Side::{A, B},
    skip, until,
};

/// How long a check may run that is cut off, longer than it takes to notice; and its neighbours. *Units*: s.
const LONG: u64 = 22;
const SHORT: u64 = 4;
/// Longest that a node which nobody hears any more keeps what it was told to run.
const KEPT: Duration = Duration::from_secs(LONG + 2 * SHORT + 10);

fn begin(lab: &Lab, node: &str) -> Child {
    let mut verify = lab.verify(&["--node", node]);
    if node == "b" {
        verify.env("VERIFY_SSH_CONFIG", lab.dir().join("config"));
    }
    verify.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for the end of a run, and demands that its record has one.
fn end(lab: &Lab, verify: Child) -> Measured {
    let measured = Measured::of(lab, &verify.wait_with_output().unwrap());
    let last = measured.record.last().unwrap_or_else(|| panic!("no record\n{}", measured.page));
    assert_eq!(last["event"], "finished", "{}", measured.page);
    measured
}

fn cut(lab: &Lab) {
    lab.on(A, "ip link set veth-a down");
}

fn mend(lab: &Lab) {
    lab.on(A, "ip link set veth-a up");
}

#[test]
fn a_measurement_whose_cable_is_cut_is_an_error_and_the_next_one_works() {
    let Some(lab) = Lab::new() else { return };
    lab.shape(A, "100mbit");
    lab.expect("seconds = 5, idle = \"0 %\"", "throughput = { at-least = \"1 kbit/s\" }");
    let verify = begin(&lab, "a");
    lab.await_program(A, "-c");
    cut(&lab);
    end(&lab, verify).gives(3, &["error net/throughput"]);
    lab.is_empty_within(Duration::from_secs(2));
    mend(&lab);
    lab.expect("seconds = 1, idle = \"0 %\"", "throughput = { at-least = \"1 kbit/s\" }");
    lab.measure().gives(0, &["pass net/throughput"]);
    lab.is_empty_within(Duration::from_secs(2));
}

/// A real sshd behind the cable; it ends with the value.
struct Server {
    sshd: Child,
}

impl Server {
    /// Starts it on side b; `None` where that cannot be, which is said aloud.
    fn start(lab: &Lab) -> Option<Self> {
        // In a user namespace of its own it may not take on the rights of who logs in.
        if !rustix::process::getuid().is_root() {
            skip("root, for an sshd in a network namespace");
            return None;
        }
        let ssh = ["/usr/bin/ssh", "/usr/sbin/sshd"].map(std::path::Path::new);
        if let Some(path) = ssh.iter().find(|path| !path.is_file()) {
            skip(&path.display().to_string());
            return None;
        }
        let here = lab.dir().display().to_string();
        for key in ["host", "id"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(lab.dir().join(key));
            assert!(keygen.status().unwrap().success());
        }
        let key = std::fs::read_to_string(lab.dir().join("host.pub")).unwrap();
        lab.write("known", &format!("b {key}"));
        let config = lab.write("sshd_config", &format!(
            "Port 2222\nListenAddress 10.0.0.2\nHostKey {here}/host\nPidFile none\nAuthorizedKeysFile {here}/id.pub\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nUseDNS no\n"
        ));
        lab.write("config", &format!(
            "Host box-b\n  HostName 10.0.0.2\n  Port 2222\n  User root\n  HostKeyAlias b\n  IdentityFile {here}/id\n  \
             IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {here}/known\n  GlobalKnownHostsFile /dev/null\n"
        ));
        // What stands in for ssh elsewhere would not use the cable.
        std::fs::remove_file(lab.dir().join("bin/ssh")).unwrap();
        std::fs::create_dir_all("/run/sshd").unwrap();
        let words = ["/usr/sbin/sshd", "-D", "-f", config.to_str().unwrap()];
        let mut sshd = lab.inside(B, &words);
        let sshd = sshd.stderr(Stdio::null()).spawn().unwrap();
        let server = Self { sshd };
        until(PATIENCE, "sshd to listen", || {
            let output = lab.inside(B, &["ss", "-Hltn"]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).contains(":2222")
        });
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

fn sleeping(lab: &Lab) -> Vec<Pid> {
    let programs = lab.programs(B).into_iter();
    programs.filter(|(_, line)| line.contains("sleep 4323")).map(|(pid, _)| pid).collect()
}

/// Lists what runs on side b beside sshd, with its group: every session of sshd is one.
fn told(lab: &Lab) -> Vec<(Pid, String)> {
    let programs = lab.programs(B).into_iter().filter(|(_, line)| !line.contains("sshd"));
    programs.filter_map(|(pid, line)| Some((getpgid(Some(pid)).ok()?, line))).collect()
}

fn suite(lab: &Lab, long: &str) {
    let check = |id: &str, limit: u64, argv: &str| {
        format!(
            "\n[[check]]\nid = \"far/{id}\"\ntitle = \"t\"\nwhy = \"w\"\nsource = \"s\"\nfix = \"f\"\nprobe = \"command\"\n\
             limit = \"{limit} s\"\nwith = {{ argv = {argv} }}\nexpect = {{ exit-code = 0 }}\n"
        )
    };
    let checks = [
        check("first", SHORT, "[\"true\"]"),
        check("long", LONG, long),
        check("last", SHORT, "[\"echo\", \"last\"]"),
    ];
    let text = format!("[suite]\ntitle = \"Far\"\nnodes = [\"b\"]\n{}", checks.concat());
    lab.write("root/suites/far.toml", &text);
}

#[test]
fn a_node_behind_a_cut_cable_is_lost_and_keeps_nothing_past_its_limit() {
    let Some(lab) = Lab::new() else { return };
    let Some(_server) = Server::start(&lab) else { return };
    suite(&lab, "[\"sleep\", \"4323\"]");
    let verify = begin(&lab, "b");
    until(PATIENCE, "the long check to run", || !sleeping(&lab).is_empty());
    let group = getpgid(Some(sleeping(&lab)[0])).unwrap();
    cut(&lab);
    end(&lab, verify)
        .gives(3, &["error far/long", "the connection ended before the answer was whole"]);
    // Nobody can tell the node: it ends by itself what it was told to run for so long, and with it the
    // watchdog. The shell that holds the connection open waits idly, as sshd does, for the other end.
    let holds =
        |(of, line): &(Pid, String)| *of != group && ["/bin/sh -s", "cat"].contains(&line.trim());
    until(KEPT + PATIENCE, "the node to end what it runs", || told(&lab).iter().all(holds));
    let before = told(&lab);
    assert!(before.len() <= 2, "{before:?}");
    mend(&lab);
    suite(&lab, "[\"true\"]");
    let verify = begin(&lab, "b");
    end(&lab, verify).gives(0, &["3 pass"]);
    let is_old = |one: &(Pid, String)| before.contains(one);
    until(PATIENCE, "the second run to leave nothing", || told(&lab).iter().all(is_old));
    for (pid, line) in lab.programs(B) {
        if line.contains("sshd") {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    // The shell that held the connection ends with it.
    lab.is_empty_within(PATIENCE);
}
