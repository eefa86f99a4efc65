//! Many nodes of one run: how often they are logged in to, and that none of them looks dead.

use std::{
    fs,
    sync::{Arc, mpsc},
    time::Duration,
};

use verify_engine::transport::{Cancel, Gate, Ssh, Transport};
use verify_model::{ask::Ask, evidence::Captured};

use crate::{server::Server, shell};

/// A server with the usual bounds, and how often somebody logged in.
fn server() -> Option<Server> {
    let server = Server::start("/bin/sh", "MaxStartups 10:30:100\nLogLevel VERBOSE")?;
    // Quicker by far than the usual exchange of keys; what is counted is the same.
    server.configure("  KexAlgorithms curve25519-sha256");
    let config = fs::read_to_string(server.path("config")).unwrap();
    fs::write(server.path("config"), config.replacen("Host lab\n", "Host lab n*\n", 1)).unwrap();
    Some(server)
}

fn log(server: &Server, words: &str) -> usize {
    fs::read_to_string(server.path("log")).unwrap().matches(words).count()
}

fn node(server: &Server, gate: &Arc<Gate>, number: usize) -> Ssh {
    let ssh = Ssh::new(&format!("n{number}"), &format!("RUN.{number}"), true).unwrap();
    ssh.with_config(server.config()).through(Arc::clone(gate))
}

/// Asks so many nodes at the same time, each `times` times, and ends what they left.
fn ask(server: &Server, nodes: usize, times: usize, ask: &Ask) -> Vec<Captured> {
    let gate = Arc::new(Gate::new(nodes));
    let one = |number: usize| {
        let node = node(server, &gate, number);
        let heard: Vec<_> = (0..times).map(|_| node.gather(ask, &Cancel::default())).collect();
        node.sweep();
        heard
    };
    std::thread::scope(|scope| {
        let one = &one;
        let asked: Vec<_> = (0..nodes).map(|number| scope.spawn(move || one(number))).collect();
        asked.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// Waits until a process is gone or a zombie, at most 2 s: whoever was told to end needs a moment.
fn ends(pid: &str) -> bool {
    let (_keep, wait) = mpsc::channel::<()>();
    (0..100).any(|_| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        let ended = stat.map_or(true, |stat| stat.contains(") Z "));
        let _ = wait.recv_timeout(Duration::from_millis(20));
        ended
    })
}

#[test]
fn sixty_nodes_behind_one_server_all_answer_with_one_login_each() {
    let Some(server) = server() else { return };
    let said = ask(&server, 60, 1, &shell("echo here", 60_000));
    let right = |c: &&Captured| matches!(c, Captured::Exec { exit: Some(0), stdout, .. } if stdout.text == "here\n");
    assert_eq!(said.iter().filter(right).count(), 60, "{said:?}");
    assert_eq!(log(&server, "Accepted publickey"), 60);
    // The server was never asked for more than it takes.
    assert_eq!(log(&server, "MaxStartups"), 0);
}

#[test]
fn a_few_nodes_are_asked_often_with_one_login_each() {
    let Some(server) = server() else { return };
    let said = ask(&server, 3, 3, &shell("echo here", 60_000));
    assert_eq!(said.len(), 9);
    assert_eq!(log(&server, "Accepted publickey"), 3);
}

#[test]
fn one_of_many_leaves_nothing_behind_although_nobody_comes_again() {
    let Some(server) = server() else { return };
    let gate = Arc::new(Gate::new(60));
    let node = node(&server, &gate, 0);
    // It is another program by the time that it is looked for: one that just becomes another has no
    // environment for a moment.
    let away = shell(
        "setsid sh -c 'echo $$ > \"$HOME/away\"; exec sleep 600' >/dev/null 2>&1 & \
         until [ -s \"$HOME/away\" ] && grep -q sleep /proc/$(cat \"$HOME/away\")/comm; do :; done",
        60_000,
    );
    let said = node.gather(&away, &Cancel::default());
    assert!(matches!(said, Captured::Exec { exit: Some(0), .. }), "{said:?}");
    let pid = fs::read_to_string(server.path("home").join("away")).unwrap();
    assert!(ends(pid.trim()), "a child that left its session lives");
    assert_eq!(node.sweep(), Vec::<String>::new());
    assert_eq!(log(&server, "Accepted publickey"), 1);
}
