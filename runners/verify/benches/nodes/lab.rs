//! A server on loopback that stands for every node, and the programs that ask it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use verify_engine::{
    execute::{Context, Observer},
    load::{catalog, root::Root},
    plan::{Permissions, Selection},
    session::{self, Request},
    transport::{Cancel, Gate, Ssh, Transport},
};
use verify_model::{
    ask::Ask,
    effect::Effect,
    event::{Event, Fold},
    evidence::Captured,
    node::Via,
    run::{Header, RUN_FORMAT},
    verdict::CheckKey,
};

use crate::server::Server;

/// Holds the server and a folder for everything.
pub(crate) struct Lab {
    server: Server,
    scratch: tempfile::TempDir,
}

pub(crate) fn is_there(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

impl Lab {
    /// Starts the server, with the bounds that a server has.
    pub(crate) fn new() -> Option<Self> {
        let options = "MaxStartups 10:30:100\nMaxSessions 10\nLogLevel VERBOSE";
        let server = Server::start("/bin/sh", options)?;
        let config = fs::read_to_string(server.path("config")).unwrap();
        fs::write(server.path("config"), config.replacen("Host lab\n", "Host lab n*\n", 1))
            .unwrap();
        Some(Self { server, scratch: tempfile::tempdir().unwrap() })
    }

    /// Names the folder of what is asked about.
    pub(crate) fn folder(&self) -> String {
        let folder = self.scratch.path().join("asked");
        fs::create_dir_all(&folder).unwrap();
        folder.display().to_string()
    }

    /// Writes a root with one suite and its nodes.
    pub(crate) fn root(&self, name: &str, suite: &str, nodes: &[&str]) -> PathBuf {
        let root = self.scratch.path().join(name);
        for folder in ["suites", "runners/nodes"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("suites/bench.toml"), suite).unwrap();
        for node in nodes {
            let text = format!("title = \"{node}\"\nssh = \"{node}\"\n");
            fs::write(root.join(format!("runners/nodes/{node}.toml")), text).unwrap();
        }
        root
    }

    /// Builds the command that asks nodes about the suite.
    pub(crate) fn command(&self, root: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
        command.args(["--via", "ssh", "--suite", "bench"]).args(arguments);
        command.env("VERIFY_ROOT", root).env("VERIFY_STATE", self.scratch.path().join("state"));
        command.env("VERIFY_SSH_CONFIG", self.server.config());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs the command to its end.
    ///
    /// *Panics* when it does not succeed: a figure of something else would mislead.
    pub(crate) fn verify(&self, root: &Path, arguments: &[&str]) {
        let status = self.command(root, arguments).status();
        assert!(status.is_ok_and(|status| status.success()), "verify {arguments:?} failed");
    }

    /// Runs the command and returns its peak memory. *Units*: KiB.
    pub(crate) fn peak_memory(&self, root: &Path, arguments: &[&str]) -> u64 {
        let mut child = self.command(root, &arguments[..2]).spawn().unwrap();
        let path = format!("/proc/{}/status", child.id());
        let (_never, clock) = mpsc::channel::<()>();
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let status = fs::read_to_string(&path).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
            peak = kib.unwrap_or(0).max(peak);
            let _ = clock.recv_timeout(Duration::from_millis(5));
        }
        peak
    }

    /// Counts the logins so far.
    pub(crate) fn logins(&self) -> usize {
        fs::read_to_string(self.server.path("log")).unwrap().matches("Accepted publickey").count()
    }

    /// Sends a script to `/bin/sh -s` by hand.
    pub(crate) fn ssh(&self, node: &str, options: &[String], script: &str) {
        let mut ssh = self
            .ssh_command(node, options, "/bin/sh -s")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        ssh.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(ssh.wait().unwrap().success(), "ssh by hand failed");
    }

    /// Builds the command that runs a line on a node.
    pub(crate) fn ssh_command(&self, node: &str, options: &[String], line: &str) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args(["-T", "-F", &self.config(), "-o", "BatchMode=yes"]);
        ssh.args(options).args(["--", node, line]);
        ssh
    }

    /// Names the configuration with which ssh finds the nodes.
    pub(crate) fn config(&self) -> String {
        self.server.config()
    }

    /// Names the socket of the connection that is shared.
    pub(crate) fn socket(&self) -> String {
        self.server.path("m").display().to_string()
    }

    /// Returns options that share one connection.
    pub(crate) fn muxed(&self) -> Vec<String> {
        let socket = self.socket();
        let options = ["ControlMaster=auto", &format!("ControlPath={socket}"), "ControlPersist=30"];
        options.iter().flat_map(|option| ["-o".to_owned(), (*option).to_owned()]).collect()
    }

    /// Builds the command that starts `true` on so many nodes by clush.
    pub(crate) fn clush_command(&self, nodes: usize) -> Command {
        let config = format!("-F {} -o BatchMode=yes", self.server.config());
        let range = format!("n[0-{}]", nodes - 1);
        let mut clush = Command::new("clush");
        clush.args(["-S", "-q", "-f", "8", "-w", &range, "-o", &config, "true"]);
        clush.stdin(Stdio::null()).stdout(Stdio::null());
        clush
    }

    /// Starts `true` on so many nodes by clush.
    pub(crate) fn clush(&self, nodes: usize) {
        let status = self.clush_command(nodes).status();
        assert!(status.is_ok_and(|status| status.success()), "clush failed");
    }

    /// Opens a connection that stays open.
    pub(crate) fn open(&self, root: &Path) -> Open {
        let root = Root { dir: Some(root.to_owned()), home: None };
        let catalog = catalog::load(&root).unwrap_or_else(|e| panic!("{}", e.render(false)));
        let ssh = Ssh::new("n0", "BENCH.0", true).unwrap().with_config(self.server.config());
        let ssh = ssh.through(Arc::new(Gate::new(1)));
        Open { catalog, transport: Arc::new(Kept(ssh)) }
    }
}

/// Holds a connection and what is asked through it.
pub(crate) struct Open {
    catalog: catalog::Catalog,
    transport: Arc<dyn Transport>,
}

impl Open {
    /// Asks everything, from facts to the last verdict.
    pub(crate) fn ask(&self) {
        let context = Context::new(Instant::now(), Cancel::default(), false);
        let request = Request {
            nodes: vec![("n0".to_owned(), Arc::clone(&self.transport))],
            selection: Selection { suites: vec!["bench".to_owned()], ..Selection::default() },
            permissions: Permissions::default(),
            repeat: None,
            peers: None,
            until_decided: false,
            earlier: Vec::new(),
            shelf: None,
        };
        let chosen = session::choose(&self.catalog, &request).unwrap();
        let header = Header {
            format: RUN_FORMAT.to_owned(),
            id: "BENCH".to_owned(),
            started_at: "2026-01-01T00:00:00Z".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            root: "bench".to_owned(),
            command: Vec::new(),
            require_baseline: false,
            until_decided: false,
            orchestrator: "bench".to_owned(),
        };
        let mut folding = Folding(Fold::default());
        session::run(header, &chosen, &context, &mut folding);
        assert_eq!(folding.0.finish().unwrap().exit_code(), 0, "a check did not pass");
    }
}

/// Asks by ssh, and keeps the connection at the end of a run.
struct Kept(Ssh);

impl Transport for Kept {
    fn via(&self) -> Via {
        self.0.via()
    }

    fn gather(&self, ask: &Ask, cancel: &Cancel) -> Captured {
        self.0.gather(ask, cancel)
    }

    fn is_batched(&self) -> bool {
        true
    }

    fn gather_all(
        &self,
        asks: &[Ask],
        cancel: &Cancel,
        hear: &mut dyn FnMut(usize, Captured, Duration),
    ) {
        self.0.gather_all(asks, cancel, hear);
    }

    fn sweep(&self) -> Vec<String> {
        // One exchange, as a sweep is.
        self.0.gather(&Ask::exec(["true"]), &Cancel::default());
        Vec::new()
    }
}

struct Folding(Fold);

impl Observer for Folding {
    fn event(&mut self, event: Event) {
        self.0.take(event).unwrap();
    }

    fn asking(&mut self, _key: &CheckKey, _effect: Effect) {}
}
