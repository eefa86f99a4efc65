//! A Slurm cluster of virtual nodes on this machine, in a network namespace of its own.
//!
//! Debian's build lets several slurmd share a machine. The namespace has one more address than `lo`,
//! without which Slurm resolves no name; nothing listens outside of it, and no file of the machine is
//! touched. Every daemon ends with the thread that started it. *Source*: slurm.conf(5), 22.05.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// Programs that a cluster is made of, all in Debian's `slurm-wlm`, `munge`, `iproute2`, `util-linux`.
const NEEDED: [&str; 9] =
    ["slurmctld", "slurmd", "srun", "sinfo", "munged", "ip", "nsenter", "unshare", "setpriv"];
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Holds a cluster; it ends with the value.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    holder: Child,
    daemons: Vec<(String, Child)>,
}

/// Says on standard error what a test needs.
pub(crate) fn skipped(needs: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: needs {needs}");
}

/// Waits a little.
pub(crate) fn pause(ms: u64) {
    let (_keep, wait) = std::sync::mpsc::channel::<()>();
    let _ = wait.recv_timeout(Duration::from_millis(ms));
}

/// Waits until something holds, at most 30 s; tells whether it does.
pub(crate) fn until(mut holds: impl FnMut() -> bool) -> bool {
    (0..600).any(|_| {
        let done = holds();
        if !done {
            pause(50);
        }
        done
    })
}

fn is_there(name: &str) -> bool {
    FOLDERS.iter().any(|folder| Path::new(folder).join(name).is_file())
}

impl Lab {
    /// Starts a cluster with nodes `n1` to `nN`; nothing where something is missing.
    pub(crate) fn start(nodes: u32) -> Option<Self> {
        if !rustix::process::geteuid().is_root() || !NEEDED.iter().all(|name| is_there(name)) {
            skipped("root and slurm-wlm, munge, iproute2, util-linux");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("vs").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["munge", "munge/run", "state", "spool", "dev"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let holder = Command::new("unshare")
            .args(["-n", "setpriv", "--pdeathsig", "KILL", "sleep", "3600"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lab = Self { folder, holder, daemons: Vec::new() };
        let own = fs::read_link("/proc/self/ns/net").unwrap();
        let there = format!("/proc/{}/ns/net", lab.holder.id());
        assert!(until(|| fs::read_link(&there).is_ok_and(|found| found != own)));
        for words in [
            "link set lo up",
            "link add lab0 type veth peer name lab1",
            "addr add 10.20.0.1/24 dev lab0",
            "link set lab0 up",
            "link set lab1 up",
        ] {
            let argv: Vec<&str> = ["ip"].into_iter().chain(words.split(' ')).collect();
            if !lab.run(&argv).status.success() {
                skipped("a network namespace with a veth pair");
                return None;
            }
        }
        lab.configure(nodes);
        lab.munge();
        lab.daemon("slurmctld", &["slurmctld", "-D"]);
        for number in 1..=nodes {
            let name = format!("n{number}");
            lab.daemon(&name, &["slurmd", "-D", "-N", &name]);
        }
        let idle = || {
            let said = lab.run(&["sinfo", "-h", "-N", "-o", "%T"]);
            String::from_utf8_lossy(&said.stdout).lines().filter(|l| *l == "idle").count()
        };
        assert!(until(|| idle() == usize::try_from(nodes).unwrap()), "{}", lab.log());
        Some(lab)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("slurmctld.log")).unwrap_or_default()
    }

    fn configure(&self, nodes: u32) {
        fs::write(self.path("munge/key"), [7_u8; 1024]).unwrap();
        fs::set_permissions(self.path("munge/key"), fs::Permissions::from_mode(0o400)).unwrap();
        let d = self.folder.path().display();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let last = 27000 + nodes;
        let text = format!(
            "ClusterName=lab\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort=26817\nAuthType=auth/munge\n\
             AuthInfo=socket={d}/munge/run/socket\nCredType=cred/munge\nSlurmUser=root\nSlurmdUser=root\n\
             StateSaveLocation={d}/state\nSlurmdSpoolDir={d}/spool/%n\nSlurmctldPidFile={d}/slurmctld.pid\n\
             SlurmdPidFile={d}/slurmd.%n.pid\nSlurmctldLogFile={d}/slurmctld.log\nSlurmdLogFile={d}/slurmd.%n.log\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSlurmdParameters=config_overrides\n\
             SchedulerType=sched/backfill\nSwitchType=switch/none\nMpiDefault=none\nReturnToService=2\n\
             SlurmctldTimeout=10\nSlurmdTimeout=6\nInactiveLimit=0\nKillWait=2\nMinJobAge=2\n\
             NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[27001-{last}] CPUs=4 RealMemory=1000 State=UNKNOWN\n\
             PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        );
        fs::write(self.path("slurm.conf"), text).unwrap();
    }

    fn munge(&mut self) {
        let path = |name: &str| self.path("munge").join(name).display().to_string();
        let words = [
            "munged".to_owned(),
            "-F".to_owned(),
            format!("--key-file={}", path("key")),
            format!("--socket={}", path("run/socket")),
            format!("--pid-file={}", path("pid")),
            format!("--log-file={}", path("log")),
            format!("--seed-file={}", path("seed")),
        ];
        self.daemon("munged", &words.each_ref().map(String::as_str));
        let socket = self.path("munge/run/socket");
        assert!(until(|| fs::symlink_metadata(&socket).is_ok()));
    }

    /// Starts a daemon in the namespace.
    pub(crate) fn daemon(&mut self, name: &str, argv: &[&str]) {
        let log = fs::File::create(self.path(&format!("{name}.out"))).unwrap();
        let mut command = self.command(&["setpriv", "--pdeathsig", "KILL"]);
        let child =
            command.args(argv).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.daemons.push((name.to_owned(), child));
    }

    /// Builds a command in the namespace.
    pub(crate) fn command(&self, argv: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.holder.id().to_string(), "-n", "--"]).args(argv);
        command.env("SLURM_CONF", self.path("slurm.conf")).stdin(Stdio::null());
        command
    }

    /// Runs a command in the namespace.
    pub(crate) fn run(&self, argv: &[&str]) -> Output {
        self.command(argv).output().unwrap()
    }

    /// Runs a command in the namespace and returns what it said.
    pub(crate) fn said(&self, argv: &[&str]) -> String {
        String::from_utf8_lossy(&self.run(argv).stdout).trim().to_owned()
    }

    /// Has a node die: its slurmd, and whatever it started.
    pub(crate) fn kill(&mut self, node: &str) {
        let jobs = self.said(&["squeue", "-h", "-w", node, "-o", "%A"]);
        for (_, child) in self.daemons.iter_mut().filter(|(name, _)| name == node) {
            let _ = child.kill();
            let _ = child.wait();
        }
        for job in jobs.lines() {
            let mark = format!("slurmstepd: [{}.", job.trim());
            for pid in processes(|line| line.starts_with(&mark)) {
                end(pid);
            }
        }
    }
}

/// Lists the processes whose command line is so.
pub(crate) fn processes(is: impl Fn(&str) -> bool) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if is(&String::from_utf8_lossy(&line).replace('\0', " ")) {
            found.push(pid);
        }
    }
    found
}

/// Ends one process.
pub(crate) fn end(pid: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.daemons.iter().any(|(name, _)| name == "slurmctld") {
            let _ = self.run(&["scancel", "-u", "root"]);
            // A job that still ends when its slurmd goes would leave its program.
            let gone = (0..40).any(|_| {
                let left = !self.said(&["squeue", "-h"]).is_empty();
                if left {
                    pause(50);
                }
                !left
            });
            if !gone {
                let _ = writeln!(std::io::stderr(), "jobs were left in the cluster of the test");
            }
        }
        for (_, child) in self.daemons.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // A step's daemon leaves the tree of the one that started it.
        let own = format!("SLURM_CONF={}/", self.folder.path().display());
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let is_ours =
                environment.split(|byte| *byte == 0).any(|v| v.starts_with(own.as_bytes()));
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(pid) = pid.filter(|_| is_ours).and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
