//! Two namespaces and a cable between them, with the command run inside or beside them.
//!
//! A namespace lives as long as its holder, and the holder ends with its standard input: nothing is
//! left, however the test ends.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longest wait for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const TOOLS: [&str; 5] = ["ip", "tc", "iperf3", "nsenter", "unshare"];

pub(crate) struct Lab {
    dir: tempfile::TempDir,
    /// Sides a and b.
    holders: [Child; 2],
    rootless: bool,
}

/// Names a side.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Side {
    A,
    B,
}
use Side::{A, B};

fn path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

pub(crate) fn skip(why: &str) {
    writeln!(std::io::stderr(), "skipped: needs {why}").unwrap();
}

/// Starts a holder and waits until its namespace is ready.
fn hold(argv: &[String]) -> Result<Child, String> {
    let script = "mount -t sysfs sysfs /sys; ip link set lo up && echo ready; exec cat";
    let mut child = Command::new(&argv[0])
        .args(&argv[1..])
        .args(["sh", "-c", script])
        .env("PATH", path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line == "ready\n" {
        return Ok(child);
    }
    let output = child.wait_with_output().unwrap();
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

impl Lab {
    /// Makes both sides and the cable; `None` where that cannot be, which is said aloud.
    pub(crate) fn new() -> Option<Self> {
        let has =
            |tool: &&str| std::env::split_paths(&path()).any(|folder| folder.join(tool).is_file());
        if let Some(tool) = TOOLS.iter().find(|tool| !has(tool)) {
            skip(tool);
            return None;
        }
        let rootless = !rustix::process::getuid().is_root();
        let own = if rootless { "unshare -U -r -n -m" } else { "unshare -n -m" };
        let a =
            hold(&words(own)).map_err(|why| skip(&format!("network namespaces: {why}"))).ok()?;
        let beside = if rootless {
            format!("nsenter -t {} -U --preserve-credentials unshare -n -m", a.id())
        } else {
            own.to_owned()
        };
        let b = hold(&words(&beside)).unwrap();
        let lab = Self { dir: tempfile::tempdir().unwrap(), holders: [a, b], rootless };
        lab.cable();
        lab.stand_in();
        lab.nodes("1 Gbit/s");
        Some(lab)
    }

    fn cable(&self) {
        let b = self.holders[1].id();
        self.on(A, &format!("ip link add veth-a type veth peer name veth-b netns {b}"));
        for (side, number) in [(A, 1), (B, 2)] {
            let port = if side == A { "veth-a" } else { "veth-b" };
            // Without IPv6 nobody says a word on the cable of its own accord.
            let quiet = format!("echo 1 >/proc/sys/net/ipv6/conf/{port}/disable_ipv6");
            let _ = self.inside(side, &["sh", "-c", &quiet]).output();
            self.on(side, &format!("ip addr add 10.0.0.{number}/24 dev {port}"));
            self.on(side, &format!("ip link set {port} up"));
        }
    }

    /// Writes what is run as `ssh`: it enters the namespace that the alias names.
    fn stand_in(&self) {
        let [a, b] = [0, 1].map(|at| self.holders[at].id());
        let script = format!(
            "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\ncase $2 in box-a) P={a} ;; box-b) P={b} ;;\n\
             *) echo \"ssh: Could not resolve hostname $2: Name or service not known\" >&2; exit 255 ;; esac\n\
             exec nsenter -t $P $LAB_ENTER -m -n /bin/sh -s\n"
        );
        self.program("ssh", &script);
        self.write("home/.ssh/config", "Host box-a box-b box-c\n");
    }

    /// Writes a program that is found before all others.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let path = self.write(&format!("bin/{name}"), script);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes both node files; b is asked by the stand-in, a where the command runs.
    pub(crate) fn nodes(&self, speed: &str) {
        self.node("a", "", ["10.0.0.1", "10.0.0.2"], speed);
        self.node(
            "b",
            "ssh = \"box-b\"\nhostnames = [\"box-b\"]\n",
            ["10.0.0.2", "10.0.0.1"],
            speed,
        );
    }

    pub(crate) fn node(&self, name: &str, more: &str, [own, peer]: [&str; 2], speed: &str) {
        let other = if name == "a" { "b" } else { "a" };
        let text = format!(
            "title = \"Side {name}\"\n{more}[[link]]\nname = \"a-b\"\npeer = \"{other}\"\naddress = \"{own}\"\n\
             peer-address = \"{peer}\"\nspeed = \"{speed}\"\n"
        );
        self.write(&format!("root/runners/nodes/{name}.toml"), &text);
    }

    /// Writes the suite: one check of the link, with what is expected of it.
    pub(crate) fn expect(&self, with: &str, expect: &str) {
        let mut text = "[suite]\ntitle = \"Lab\"\nnodes = [\"a\"]\n\n[[check]]\nid = \"net/throughput\"\n\
                        title = \"t\"\nwhy = \"w\"\nsource = \"s\"\nfix = \"f\"\nprobe = \"iperf3\"\nlimit = \"60 s\"\n"
            .to_owned();
        writeln!(text, "with = {{ link = \"a-b\", omit = 0, {with} }}\n[check.expect]\n{expect}")
            .unwrap();
        self.write("root/suites/lab.toml", &text);
    }

    fn enter(&self) -> &'static str {
        if self.rootless { "-U --preserve-credentials" } else { "" }
    }

    /// Builds a command that runs on one side.
    pub(crate) fn inside(&self, side: Side, argv: &[&str]) -> Command {
        let holder = &self.holders[usize::from(side == B)];
        let mut command = Command::new("nsenter");
        command.args(["-t", &holder.id().to_string()]);
        command.args(self.enter().split_whitespace()).args(["-m", "-n", "--"]).args(argv);
        self.surround(&mut command, "");
        command
    }

    fn surround(&self, command: &mut Command, enter: &str) {
        let dir = self.dir.path();
        command
            .env("PATH", format!("{}:{}", dir.join("bin").display(), path()))
            .env("HOME", dir.join("home"))
            .env("XDG_RUNTIME_DIR", dir.join("run"))
            .env("VERIFY_STATE", dir.join("state"))
            .env("VERIFY_LOCKS", dir)
            .env("LAB_ENTER", enter)
            .current_dir(dir)
            .stdin(Stdio::null());
    }

    /// Runs words on one side, which must succeed.
    #[track_caller]
    pub(crate) fn on(&self, side: Side, line: &str) {
        let argv: Vec<&str> = line.split(' ').collect();
        let output = self.inside(side, &argv).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Limits what a side sends.
    #[track_caller]
    pub(crate) fn shape(&self, side: Side, rate: &str) {
        let port = if side == A { "veth-a" } else { "veth-b" };
        let burst = match rate {
            rate if rate.ends_with("gbit") || rate.len() > 8 => "4mb",
            _ => "64kb",
        };
        self.on(
            side,
            &format!("tc qdisc replace dev {port} root tbf rate {rate} burst {burst} latency 20ms"),
        );
    }

    /// Builds the command as it runs on side a.
    pub(crate) fn verify(&self, args: &[&str]) -> Command {
        let root = self.dir.path().join("root");
        let program = env!("CARGO_BIN_EXE_verify");
        let mut words = vec![program, "--root", root.to_str().unwrap()];
        words.extend(args);
        self.inside(A, &words)
    }

    /// Builds the command as it runs beside both sides.
    pub(crate) fn verify_beside(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
        command.arg("--root").arg(self.dir.path().join("root")).args(args);
        self.surround(&mut command, self.enter());
        command
    }

    /// Measures, and returns the exit code, what the page says, and the record.
    pub(crate) fn measure(&self) -> Measured {
        Measured::of(self, &self.verify(&["--node", "a"]).output().unwrap())
    }

    /// Lists the programs on a side, its holder left out.
    pub(crate) fn programs(&self, side: Side) -> Vec<(rustix::process::Pid, String)> {
        let holder = self.holders[usize::from(side == B)].id();
        let space = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        let own = space(&holder.to_string());
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let found = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let pid: i32 = name.parse().ok()?;
            if u32::try_from(pid) == Ok(holder) || space(&name) != own {
                return None;
            }
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            // One that has ended and waits to be looked at has no words left.
            (!line.is_empty()).then_some((rustix::process::Pid::from_raw(pid)?, line))
        });
        found.collect()
    }

    /// Waits until a side runs what has these words, and returns it.
    pub(crate) fn await_program(&self, side: Side, word: &str) -> rustix::process::Pid {
        let mut found = None;
        until(PATIENCE, &format!("{word} to run"), || {
            // The shell that starts it has its words, too.
            let mut programs = self.programs(side).into_iter();
            found = programs.find(|(_, line)| line.starts_with("iperf3") && line.contains(word));
            found.is_some()
        });
        found.unwrap().0
    }

    /// Demands that nothing runs on either side, within a time.
    pub(crate) fn is_empty_within(&self, limit: Duration) {
        until(limit, "both sides to be empty", || {
            self.programs(A).is_empty() && self.programs(B).is_empty()
        });
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for holder in &mut self.holders {
            drop(holder.stdin.take());
            let _ = holder.wait();
        }
    }
}

/// Waits until something holds, looking 50 times a second.
pub(crate) fn until(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let (_keep, never) = channel::<()>();
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < limit, "waited {limit:?} for {what}");
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
}

/// Holds what a run said.
pub(crate) struct Measured {
    pub(crate) code: Option<i32>,
    pub(crate) page: String,
    pub(crate) record: Vec<Value>,
}

impl Measured {
    pub(crate) fn of(lab: &Lab, output: &Output) -> Self {
        let page = format!(
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let runs = fs::read_dir(lab.dir().join("state/runs"));
        let mut runs: Vec<PathBuf> =
            runs.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        runs.sort();
        let text = runs.last().map(|run| fs::read_to_string(run.join("run.jsonl")).unwrap());
        let lines = text.unwrap_or_default();
        let record = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { code: output.status.code(), page, record }
    }

    /// Demands an exit code and words on the page.
    #[track_caller]
    pub(crate) fn gives(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.page);
        let flat = self.page.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(flat.contains(word), "no `{word}` in\n{}", self.page);
        }
        self
    }

    /// Returns what the last attempt observed.
    pub(crate) fn observed(&self) -> &Value {
        let mut attempts = self.record.iter().filter(|line| line["event"] == "attempted");
        &attempts.next_back().unwrap()["attempt"]["result"]["Ok"]
    }
}
