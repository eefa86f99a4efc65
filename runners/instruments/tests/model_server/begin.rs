//! What becomes of a server that is started: it is made ready, measured and ended, whatever it does.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    attach::Test,
    instrument, measured,
    notice::{Notices, here},
    stub, way,
};

pub(crate) const TESTS: &[Test] = &[
    ("a_server_is_started_measured_and_ended", ended),
    ("a_child_that_left_for_a_session_of_its_own_is_ended_too", strays),
    ("a_server_that_ignores_term_is_ended_by_force", by_force),
    ("a_server_that_exits_at_once_is_told_with_its_last_lines", exits),
    ("a_server_that_never_listens_is_told_and_ended", never),
    ("a_port_that_is_taken_is_found_before_anything_starts", taken),
    ("a_program_that_is_not_there_is_told", missing),
    ("when_the_instrument_is_killed_the_server_and_its_children_end", killed),
    ("when_the_instrument_is_asked_to_end_the_server_ends", asked_to_end),
    ("the_sweep_of_strays_does_not_hit_who_ends_the_server", swept),
    ("a_server_that_somebody_else_is_at_its_port_is_not_measured", foreign),
    ("what_a_server_leaves_in_its_temporary_folder_goes_with_it", temporary),
];

/// Is the server that an instrument starts.
pub(crate) fn serve(way: &str, port: &str, notice: &str) -> ! {
    let (kind, answers) = way.split_once('/').unwrap_or((way, "vllm"));
    if kind != "exits" {
        here(notice);
    }
    match kind {
        "exits" => {
            println!(
                "INFO loading\nValueError: Free memory on device cuda:0 (3.1/23.69 GiB) on startup is less than desired GPU memory utilization (0.95, 22.5 GiB)."
            );
            std::process::exit(1);
        }
        "never" | "idle" => loop {
            std::thread::park();
        },
        "deaf" => loop {
            deaf();
            std::thread::park();
        },
        "ignores" => deaf(),
        "bare" => {
            let mut child = Command::new(env::current_exe().unwrap());
            child.args(["server", "deaf", port, notice]).env_clear();
            child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            std::mem::forget(child.spawn().unwrap());
        }
        "litters" => {
            let folder = env::temp_dir();
            std::os::unix::net::UnixListener::bind(folder.join("left.sock")).unwrap();
            println!("folder {}", folder.display());
        }
        "strays" => {
            let mut child = Command::new(env::current_exe().unwrap());
            child.args(["server", "idle", port, notice]);
            child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            // SAFETY: between fork and exec it makes one system call without memory of ours.
            unsafe { child.pre_exec(own_session) };
            // Its parent is not the one that waits for it: that is what is tried.
            std::mem::forget(child.spawn().unwrap());
        }
        _ => {}
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse().unwrap())).unwrap();
    stub::serve(&listener, way::named(answers));
    std::process::exit(0);
}

/// Takes no TERM.
fn deaf() {
    // SAFETY: to ignore a signal needs no handler.
    unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
}

/// Leaves the session, and so the group.
fn own_session() -> std::io::Result<()> {
    // SAFETY: passes no memory.
    match unsafe { libc::setsid() } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Writes the command of a server of one kind.
fn command(kind: &str, notices: &Notices) -> String {
    let program = env::current_exe().unwrap();
    json!([program, "server", kind, "{port}", notices.port()]).to_string()
}

fn ended() {
    let notices = Notices::listen();
    let said = measured(&["--command", &command("vllm", &notices), "--model", "tiny"]);
    assert_eq!(
        (&said["mode"], &said["loads"][1]["completed"]),
        (&json!("started"), &json!(4)),
        "{said}"
    );
    let teardown = &said["teardown"];
    assert_eq!((&teardown["by"], &teardown["left"]), (&json!("TERM"), &json!([])), "{said}");
    assert_eq!((&teardown["killed"], &teardown["port-free"]), (&json!([]), &json!(true)));
    assert_eq!(said["exited"], Value::Null);
    notices.next().ends();
}

fn strays() {
    let notices = Notices::listen();
    let said = measured(&["--command", &command("strays", &notices), "--model", "tiny"]);
    assert_eq!(
        (&said["teardown"]["left"], &said["teardown"]["port-free"]),
        (&json!([]), &json!(true)),
        "{said}"
    );
    notices.next().ends();
    notices.next().ends();
}

fn by_force() {
    let notices = Notices::listen();
    let said = measured(&[
        "--command",
        &command("ignores", &notices),
        "--model",
        "tiny",
        "--grace",
        "300ms",
    ]);
    let teardown = &said["teardown"];
    assert_eq!((&teardown["by"], &teardown["left"]), (&json!("KILL"), &json!([])), "{said}");
    assert_eq!(teardown["killed"].as_array().unwrap().len(), 1);
    notices.next().ends();
}

fn exits() {
    let notices = Notices::listen();
    let said = measured(&["--command", &command("exits", &notices), "--model", "tiny"]);
    assert_eq!(said["not-ready"]["how"], "exited", "{said}");
    assert_eq!(said["not-ready"]["why"], "the server ended: exit status 1");
    assert_eq!(said["cause"], "too little memory is free on a GPU");
    assert!(said["last-lines"][1].as_str().unwrap().contains("Free memory on device"), "{said}");
    assert_eq!(said["teardown"]["left"], json!([]));
}

fn never() {
    let notices = Notices::listen();
    let args = ["--command", &command("never", &notices), "--model", "tiny", "--ready", "1s"];
    let said = measured(&args);
    assert_eq!(said["not-ready"]["how"], "time", "{said}");
    assert!(said["not-ready"]["why"].as_str().unwrap().contains("no connection"), "{said}");
    notices.next().ends();
}

fn taken() {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let said = measured(&["--command", r#"["/no/such/program"]"#, "--port", &port]);
    let why = said["taken"].as_str().unwrap();
    assert!(why.contains(&format!("port {port} is taken by")) && why.contains("(pid"), "{why}");
    assert_eq!(said["argv"], Value::Null);
}

fn missing() {
    let said = measured(&["--command", r#"["/no/such/program"]"#, "--model", "tiny"]);
    assert_eq!(said["missing"], true, "{said}");
    assert!(said["unstarted"].as_str().unwrap().contains("No such file"));
}

/// Ends the instrument by a signal while its server keeps it waiting.
fn signalled(signal: libc::c_int) {
    let notices = Notices::listen();
    let line = command("strays/silent", &notices);
    let mut running =
        instrument(&["--command", &line, "--model", "tiny", "--limit", "60s", "--grace", "200ms"]);
    let mut running = running.stdout(Stdio::null()).spawn().unwrap();
    let (server, stray) = (notices.next(), notices.next());
    assert_ne!(server.pid, stray.pid);
    // SAFETY: takes numbers only; the child is ours and not yet waited for.
    unsafe { libc::kill(i32::try_from(running.id()).unwrap(), signal) };
    running.wait().unwrap();
    server.ends();
    stray.ends();
}

fn killed() {
    signalled(libc::SIGKILL);
}

fn asked_to_end() {
    signalled(libc::SIGTERM);
}

/// Ends every process that carries a variable, as a transport does after a time-out.
fn sweep(mark: &str) {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    for pid in pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        if variables.split(|byte| *byte == 0).any(|one| one == mark.as_bytes()) {
            // SAFETY: takes numbers only; the mark is of this test alone.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
    }
}

fn swept() {
    let notices = Notices::listen();
    let line = command("bare/silent", &notices);
    let mark = format!("model-server-test/{}", notices.port());
    let mut running =
        instrument(&["--command", &line, "--model", "tiny", "--limit", "60s", "--grace", "2s"]);
    let running = running.env("VERIFY_ASK", &mark).stdout(Stdio::null());
    let mut running = running.spawn().unwrap();
    let (server, stray) = (notices.next(), notices.next());
    assert_ne!(server.pid, stray.pid);
    // SAFETY: takes numbers only; the child is ours and not yet waited for.
    unsafe { libc::kill(i32::try_from(running.id()).unwrap(), libc::SIGKILL) };
    running.wait().unwrap();
    sweep(&format!("VERIFY_ASK={mark}"));
    server.ends();
    stray.ends();
}

fn foreign() {
    let notices = Notices::listen();
    // Taken and given back: the test listens there once the server runs, which does not.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let line = command("idle", &notices);
    let mut running =
        instrument(&["--command", &line, "--model", "tiny", "--port", &port.to_string()]);
    let running = running.stdout(Stdio::piped()).spawn().unwrap();
    let server = notices.next();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    std::thread::spawn(move || stub::serve(&listener, way::named("vllm")));
    let output = running.wait_with_output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let why = said["result"]["not-ready"]["why"].as_str().unwrap_or_else(|| panic!("{said}"));
    assert!(why.contains(&format!("(pid {}) listens on port {port}", std::process::id())), "{why}");
    assert_eq!(said["result"]["loads"], Value::Null);
    server.ends();
}

fn temporary() {
    let notices = Notices::listen();
    let said = measured(&["--command", &command("litters", &notices), "--model", "tiny"]);
    let line = said["last-lines"][0].as_str().unwrap_or_else(|| panic!("{said}"));
    let folder = std::path::Path::new(line.strip_prefix("folder ").unwrap());
    // vLLM's sockets are named by a UUID; a socket's path has room for 107 bytes.
    assert!(folder.join("0b7a4d3e-0000-4000-8000-000000000000").as_os_str().len() < 100, "{line}");
    assert!(!folder.try_exists().unwrap(), "{line}");
    assert_eq!(said["loads"][1]["completed"], 4, "{said}");
    notices.next().ends();
}
