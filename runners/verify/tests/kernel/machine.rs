//! One boot: a kernel under QEMU with parameters, and what the machine sent before it ended.
//!
//! No acceleration, no disk, no network, no root. QEMU runs below `timeout`, which ends it whatever
//! happens in the guest, and `timeout` is ended with the thread that waits for it, so that a test
//! that is killed leaves no machine behind. Each serial port writes a file.

use std::{fs, process::Command, time::Instant};

use crate::{
    archive::Archive,
    lab::{Carried, Lab},
};

/// Bounds one boot, which takes 5 s alone and 10 s on two busy cores. *Units*: s.
pub(crate) const LIMIT_S: u32 = 90;

/// How often a machine is booted whose clock ran too fast. *Source*: of about 60 boots by the TSC
/// on a host with five times as much to do as it has cpus, four let a limit of 10 s end too soon.
const BOOTS: u32 = 3;
/// A clock is too fast that counts this many times the seconds that passed, and one more.
const TOO_FAST: f64 = 1.3;

/// What of the console is shown where the machine sent no verdict, in lines.
const TAIL: usize = 25;

const INIT: &str = include_str!("init.sh");
const SUITE: &str = include_str!("root/suites/lab.toml");
const NODE: &str = include_str!("root/runners/nodes/nvidia.toml");
/// The shipped node file, which suites are written for.
const SHIPPED: &str = include_str!("../../../nodes/nvidia.toml");

/// Describes the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    pub(crate) cpus: &'static str,
    pub(crate) memory_mib: u32,
    pub(crate) cpu: &'static str,
    /// Words for the kernel.
    pub(crate) parameters: &'static [&'static str],
    /// More words for QEMU.
    pub(crate) devices: &'static [&'static str],
    /// What the node file says instead of its own values.
    pub(crate) variables: &'static [(&'static str, &'static str)],
    /// Lines of shell that say what `init.sh` prepares otherwise.
    pub(crate) setting: &'static str,
    /// What lies in `/lab` beside the suites.
    pub(crate) carries: &'static [Carried],
    /// Lines of shell, run as root before `verify`; with another status than 0 nothing is asked.
    pub(crate) before: &'static str,
    pub(crate) user: &'static str,
    pub(crate) limit_s: u32,
}

/// Holds what a machine sent.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Exit code of `verify`.
    pub(crate) exit: i32,
    /// How long the machine was up by its own clock.
    pub(crate) up_s: f64,
    pub(crate) record: String,
    pub(crate) printed: String,
}

impl Machine {
    /// Boots, runs `verify` on the checks and waits for the end.
    ///
    /// A machine whose clock ran too fast is booted again, for limits of time end too soon by it;
    /// what `verify` said is not looked at for that.
    ///
    /// *Errors*: the machine sent no verdict, or a record that is not whole.
    pub(crate) fn run(&self, lab: &Lab, checks: &[&str]) -> Result<Sent, String> {
        for _ in 0..BOOTS {
            let start = Instant::now();
            let sent = self.boot(lab, checks)?;
            let passed_s = start.elapsed().as_secs_f64();
            if sent.up_s <= TOO_FAST * passed_s + 1.0 {
                return Ok(sent);
            }
        }
        Err(format!("the clock of the machine ran too fast in {BOOTS} boots: is the host busy?"))
    }

    fn boot(&self, lab: &Lab, checks: &[&str]) -> Result<Sent, String> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(said)?;
        let at = |name: &str| folder.path().join(name);
        fs::write(at("initrd"), self.archive(lab, checks)?).map_err(said)?;
        let output = self.command(lab).current_dir(folder.path()).output().map_err(said)?;
        let sent = |name: &str| {
            fs::read(at(name)).map(|bytes| String::from_utf8_lossy(&bytes).replace('\r', ""))
        };
        let (record, printed) = (sent("record"), sent("printed").unwrap_or_default());
        let verdict = sent("verdict").unwrap_or_default();
        let Some((exit, length, up_s)) = verdict_of(&verdict) else {
            let console = sent("console").unwrap_or_default();
            let lines: Vec<&str> = console.lines().collect();
            let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
            let why = match output.status.code() {
                Some(124 | 137) => format!("still running after {} s", self.limit_s),
                Some(0) => "the kernel stopped".to_owned(),
                _ => format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)),
            };
            return Err(format!("no verdict: {why}\n--- console\n{tail}\n--- printed\n{printed}"));
        };
        let record = record.map_err(said)?;
        if record.len() != length {
            return Err(format!("{} B of a record of {length} B arrived", record.len()));
        }
        Ok(Sent { exit, up_s, record, printed })
    }

    fn command(&self, lab: &Lab) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "timeout", "-k", "5"]);
        command.arg(self.limit_s.to_string());
        command.args(["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi"]);
        command.args(["-cpu", self.cpu, "-smp", self.cpus, "-m"]);
        command.arg(self.memory_mib.to_string());
        command.args("-nodefaults -no-user-config -no-reboot -nic none".split(' '));
        command.args("-display none -monitor none".split(' '));
        for name in ["console", "record", "verdict", "printed"] {
            let port = format!("file,id={name},path={name}");
            command.args(["-chardev", &port, "-serial", &format!("chardev:{name}")]);
        }
        command.args(self.devices);
        command.arg("-kernel").arg(&lab.kernel).args(["-initrd", "initrd", "-append"]);
        command.arg(format!("console=ttyS0 panic=-1 quiet {}", self.parameters.join(" ")));
        command.stdin(std::process::Stdio::null());
        command
    }

    fn archive(&self, lab: &Lab, checks: &[&str]) -> Result<Vec<u8>, String> {
        let folders = ["bin", "etc", "lab", "lab/suites", "lab/runners", "lab/runners/nodes"];
        let archive = folders.into_iter().fold(Archive::default(), Archive::folder);
        let archive = lab.dmesg.iter().fold(archive, |archive, (at, bytes)| {
            let path = at.to_str().expect("a path of UTF-8").trim_start_matches('/');
            archive.above(path).program(path, bytes)
        });
        let archive = self.carries.iter().try_fold(archive, |archive, carried| {
            let bytes = lab.carried(*carried)?;
            Ok::<_, String>(archive.program(&format!("lab/{}", carried.name()), bytes))
        })?;
        Ok(archive
            .program("init", INIT)
            .program("bin/busybox", &lab.busybox)
            .program("bin/verify", &lab.verify)
            .file("setting", format!("{}\n", self.setting))
            .file("run-verify", self.script(checks))
            .file("etc/passwd", "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
            .file("etc/group", "root:x:0:\nnogroup:x:65534:\n")
            .file("lab/suites/lab.toml", SUITE)
            .file("lab/runners/nodes/nvidia.toml", self.node())
            .bytes())
    }

    fn script(&self, checks: &[&str]) -> String {
        let Self { before, user, .. } = self;
        let chosen = checks.join(" -c ");
        format!(
            "{before}\nexec su -s /bin/sh {user} -c \"VERIFY_STATE=${{state:-$place/state}} exec verify run \
             --root /lab --node nvidia --via local --report jsonl=$place/record.jsonl -c {chosen}\"\n"
        )
    }

    fn node(&self) -> String {
        let name = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
        let line = |line: &str| {
            let own = self.variables.iter().find(|(variable, _)| *variable == name(line));
            own.map_or_else(|| format!("{line}\n"), |(name, value)| format!("{name} = {value}\n"))
        };
        let known: Vec<String> = NODE.lines().map(name).collect();
        let shipped = SHIPPED.split("[variables]").nth(1).unwrap_or_default().lines();
        let others = shipped.filter(|line| !known.contains(&name(line)));
        NODE.lines().chain(others).map(line).collect()
    }
}

/// Reads `exit CODE record LENGTH up SECONDS`.
fn verdict_of(line: &str) -> Option<(i32, usize, f64)> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let ["exit", exit, "record", length, "up", up_s] = words[..] else { return None };
    Some((exit.parse().ok()?, length.parse().ok()?, up_s.parse().ok()?))
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
