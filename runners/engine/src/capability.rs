//! Which capabilities a node can have, and how each is decided.
//!
//! `when` in a suite and `has` in a node file name them. A lacking capability always says what was
//! looked for. Where nobody could look, the text begins with [`UNKNOWN`]: such a capability is not
//! there for `when`, and it must never be held against a node that has it under `has`.

use std::collections::BTreeSet;

use verify_model::{
    ask::Ask,
    cpu_set::CpuSet,
    evidence::{Evidence, FailureKind},
    value::Value,
};

use crate::{
    gathered::Gathered,
    listening::{self, LISTENS},
    load::diagnostic::did_you_mean,
    python::{self, PYTHON},
};

/// Opens the text about a capability of which nobody could tell whether it is there.
pub const UNKNOWN: &str = "not known: ";

/// Holds every capability without an argument, sorted: its name, and when a node has it.
pub static CAPABILITIES: &[(&str, &str)] = &[
    ("aarch64", "The machine's architecture is 64-bit ARM."),
    ("bare-metal", "Neither a virtual machine nor a container shows itself."),
    ("cgroup-v2", "The unified control group hierarchy is mounted at /sys/fs/cgroup."),
    ("cpufreq", "The kernel controls the cpu frequency: cpu0 has a folder `cpufreq`."),
    ("hugepages-1g", "The kernel offers huge pages of 1 GiB."),
    ("kernel-log", "The user who asks may read the ring of the kernel log."),
    ("linux", "The kernel is Linux."),
    ("macos", "The system is macOS."),
    ("nohz-full", "The kernel can stop the tick: it has /sys/devices/system/cpu/nohz_full."),
    ("numa", "There is more than one NUMA node."),
    ("nvidia-driver", "The NVIDIA kernel driver is loaded."),
    ("nvidia-gpu", "A display controller of NVIDIA is on the PCI bus, driver or not."),
    ("remote", "The node is asked by ssh from another machine."),
    ("root", "The user who asks is root."),
    ("smt", "Cores run more than one thread."),
    ("systemd", "systemd runs the system."),
    ("x86-64", "The machine's architecture is 64-bit x86."),
];

/// Names the capability that is of the run, not of the node: the session decides it.
pub const REMOTE: &str = "remote";

/// Opens the name of a capability that is a program.
pub const TOOL: &str = "tool:";

pub(crate) const KERNEL: &str = "/proc/sys/kernel/osrelease";
pub(crate) const MACOS: &str = "/System/Library/CoreServices/SystemVersion.plist";
pub(crate) const NVIDIA: &str = "/proc/driver/nvidia/version";
const CGROUPS: &str = "/sys/fs/cgroup/cgroup.controllers";
const CPUFREQ: &str = "/sys/devices/system/cpu/cpu0/cpufreq";
const PAGES_1G: &str = "/sys/kernel/mm/hugepages/hugepages-1048576kB";
const NOHZ: &str = "/sys/devices/system/cpu/nohz_full";
const SYSTEMD: &str = "/run/systemd/system";
const NODES: &str = "/sys/devices/system/node/online";
const SMT: &str = "/sys/devices/system/cpu/smt/active";
pub(crate) const STATUS: &str = "/proc/self/status";
const RESTRICT: &str = "/proc/sys/kernel/dmesg_restrict";
const UID_MAP: &str = "/proc/self/uid_map";
const PCI_VENDORS: &str = "/sys/bus/pci/devices/*/vendor";
const PCI_CLASSES: &str = "/sys/bus/pci/devices/*/class";

/// What is decided elsewhere and needed here.
pub(crate) struct Known<'a> {
    pub(crate) arch: &'a str,
    pub(crate) virtualization: Result<&'a str, String>,
    pub(crate) uid: Result<u32, String>,
}

/// Returns what only capabilities need.
pub(crate) fn asks(tools: &BTreeSet<String>) -> Vec<Ask> {
    let stats = [CGROUPS, CPUFREQ, PAGES_1G, NOHZ, SYSTEMD];
    let stats = stats.map(|path| Ask::Stat { path: path.to_owned() });
    let files = [NODES, SMT, NVIDIA, RESTRICT, UID_MAP].map(Ask::file);
    let patterns = [PCI_VENDORS, PCI_CLASSES].map(Ask::files);
    let tools = tools.iter().map(|tool| Ask::Which { tool: tool.clone() });
    stats.into_iter().chain(files).chain(patterns).chain(tools).collect()
}

/// Decides one capability of the table; the error says what was looked for.
pub(crate) fn decide(name: &str, node: Gathered<'_>, known: &Known<'_>) -> Result<(), String> {
    match name {
        "aarch64" => arch(known.arch, &["aarch64", "arm64"]),
        "x86-64" => arch(known.arch, &["x86_64", "amd64"]),
        "bare-metal" => match &known.virtualization {
            Ok("") => Ok(()),
            Ok(found) => Err(format!("found {found}")),
            Err(why) => Err(unknown(why)),
        },
        "cgroup-v2" => stands(node, CGROUPS),
        "cpufreq" => stands(node, CPUFREQ),
        "hugepages-1g" => stands(node, PAGES_1G),
        "kernel-log" => kernel_log(node, known),
        "linux" => content(node, KERNEL).map(drop),
        "macos" => content(node, MACOS).map(drop),
        "nohz-full" => stands(node, NOHZ),
        "numa" => numa(content(node, NODES)?),
        "nvidia-driver" => content(node, NVIDIA).map(drop),
        "nvidia-gpu" => nvidia_gpu(node),
        "root" => match &known.uid {
            Ok(0) => Ok(()),
            Ok(uid) => Err(format!("the user who asks has the uid {uid}")),
            Err(why) => Err(unknown(why)),
        },
        "smt" => match content(node, SMT)? {
            "1" => Ok(()),
            other => Err(format!("{SMT} says `{other}`")),
        },
        "systemd" => stands(node, SYSTEMD),
        other => Err(format!("{UNKNOWN}no one knows how to look for `{other}`")),
    }
}

/// Decides whether a program is there; `None` where the evidence is about something else.
pub(crate) fn tool(evidence: &Evidence) -> Option<(String, Result<(), String>)> {
    let Ask::Which { tool } = &evidence.ask else {
        return None;
    };
    let answer = match evidence.failure() {
        None => Ok(()),
        Some(failure) if failure.kind == FailureKind::NotFound => {
            Err(format!("looked for the program {tool} in PATH and the usual folders"))
        }
        Some(failure) => Err(format!("{UNKNOWN}{}: {}", evidence.ask, failure.message)),
    };
    Some((format!("{TOOL}{tool}"), answer))
}

/// Returns a file's text without blanks at its ends; the error says what was looked for.
pub(crate) fn content<'a>(node: Gathered<'a>, path: &str) -> Result<&'a str, String> {
    let failure = node.file(path).ok().and_then(Evidence::failure);
    if failure.is_some_and(|failure| failure.kind == FailureKind::NotFound) {
        return Err(format!("looked for {path}"));
    }
    node.text(path).map(str::trim).map_err(|error| format!("{UNKNOWN}{}", error.message))
}

fn stands(node: Gathered<'_>, path: &str) -> Result<(), String> {
    match node.stands(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("looked for {path}")),
        Err(why) => Err(format!("{UNKNOWN}{why}")),
    }
}

fn arch(found: &str, wanted: &[&str]) -> Result<(), String> {
    match found {
        "" => Err(format!("{UNKNOWN}the architecture was not found out")),
        found if wanted.contains(&found) => Ok(()),
        found => Err(format!("the architecture is {found}")),
    }
}

fn numa(online: &str) -> Result<(), String> {
    match CpuSet::parse(online) {
        Ok(nodes) if nodes.len() > 1 => Ok(()),
        Ok(_) => Err(format!("{NODES} names one node only: `{online}`")),
        Err(why) => Err(format!("{UNKNOWN}{NODES}: {why}")),
    }
}

/// Decides as the kernel does: by its restriction and by `CAP_SYSLOG` outside of user namespaces.
/// Containers forbid the call besides.
///
/// *Source*: capabilities(7), bit 34; `user_namespaces(7)` on `uid_map`.
fn kernel_log(node: Gathered<'_>, known: &Known<'_>) -> Result<(), String> {
    const CAP_SYSLOG: u32 = 34;
    let restricted = content(node, RESTRICT)? != "0";
    let status = content(node, STATUS)?;
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = held.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let held = held.ok_or_else(|| format!("{UNKNOWN}{STATUS} has no line `CapEff`"))?;
    let everybody = content(node, UID_MAP)?.split_whitespace().eq(["0", "0", "4294967295"]);
    if everybody && held >> CAP_SYSLOG & 1 == 1 {
        return Ok(());
    }
    if restricted {
        return Err("kernel.dmesg_restrict is set, and the user lacks CAP_SYSLOG".to_owned());
    }
    match known.virtualization.as_deref() {
        Ok(found) if found.contains("container") => {
            Err(format!("in a {found}, the user lacks CAP_SYSLOG"))
        }
        _ => Ok(()),
    }
}

/// Marks a reason as one for not knowing, once.
fn unknown(why: &str) -> String {
    format!("{UNKNOWN}{}", why.strip_prefix(UNKNOWN).unwrap_or(why))
}

/// Looks for vendor 0x10de with a class of display controllers (0x03) on the same device.
fn nvidia_gpu(node: Gathered<'_>) -> Result<(), String> {
    let devices = |pattern: &str, start: &str| -> Result<BTreeSet<String>, String> {
        let files = node.files(pattern).map_err(|why| match why {
            Value::Absent(how) => format!("looked for vendor 0x10de: {how}"),
            why => unknown(&why.to_string()),
        })?;
        let mut found = BTreeSet::new();
        for (path, text) in files {
            if text.map_err(|why| unknown(&why))?.starts_with(start) {
                found.extend(path.rsplit_once('/').map(|(device, _)| device.to_owned()));
            }
        }
        Ok(found)
    };
    let (vendor, class) = (devices(PCI_VENDORS, "0x10de")?, devices(PCI_CLASSES, "0x03")?);
    if vendor.is_disjoint(&class) {
        return Err(format!("looked for vendor 0x10de, class 0x03 in {PCI_VENDORS}"));
    }
    Ok(())
}

/// Says what to write instead of a capability that nothing provides; `None` if it is known.
pub fn instead_of(name: &str) -> Option<String> {
    if let Some(tool) = name.strip_prefix(TOOL) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
        let usable = !tool.is_empty() && tool.chars().all(plain);
        return (!usable).then(|| "write `tool:NAME` with the program's name".to_owned());
    }
    if name.starts_with(PYTHON) {
        let help = "write `python:NAME` with a name of the package index, such as `python:torch`";
        return python::module(name).is_none().then(|| help.to_owned());
    }
    if name.starts_with(LISTENS) {
        let help = "write `listens:PORT` with a port from 1 to 65535";
        return listening::port(name).is_none().then(|| help.to_owned());
    }
    let names = CAPABILITIES.iter().map(|(name, _)| *name);
    if names.clone().any(|known| known == name) {
        return None;
    }
    Some(did_you_mean(name, names.clone()).map_or_else(
        || {
            format!(
                "known are: {}, `tool:NAME`, `python:NAME` and `listens:PORT`",
                names.collect::<Vec<_>>().join(", ")
            )
        },
        |close| format!("did you mean `{close}`?"),
    ))
}
