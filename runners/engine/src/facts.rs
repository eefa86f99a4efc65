//! What is found out about a node before anything is planned.
//!
//! Files and no program, so that planning takes milliseconds; one round trip, and a second one on a
//! Mac alone, which has no such files. Only a port that is named as `listens:PORT` is connected to,
//! and only `python:NAME` starts an interpreter. Whatever is not found stays empty or out of the
//! list: an unknown fact is never "changed". Capabilities are decided in [`crate::capability`].

mod mac;

use std::collections::BTreeSet;

use verify_model::{ask::Ask, evidence::Evidence, node::Facts};

use self::mac::Mac;
pub use crate::capability::{CAPABILITIES, UNKNOWN};
use crate::{
    capability::{self, KERNEL, Known, MACOS, NVIDIA, REMOTE, STATUS, content},
    gathered::Gathered,
    listening,
    parse::{
        cmdline,
        cpuinfo::{self, CpuInfo},
        meminfo, os_release,
    },
    python,
};

const HOSTNAME: &str = "/proc/sys/kernel/hostname";
const ARCH: &str = "/proc/sys/kernel/arch";
const BOOT: &str = "/proc/sys/kernel/random/boot_id";
const GROUPS_OF_INIT: &str = "/proc/1/cgroup";
const MAC_NAMES: &str = "/Library/Preferences/SystemConfiguration/preferences.plist";
const VENDOR: &str = "/sys/class/dmi/id/sys_vendor";
const PRODUCT: &str = "/sys/class/dmi/id/product_name";
const BIOS: &str = "/sys/class/dmi/id/bios_version";
const BOARD: &str = "/sys/class/dmi/id/board_name";

/// Files that only a container has, and what it is then.
const CONTAINER_MARKS: [(&str, &str); 2] =
    [("/run/.containerenv", "container (podman)"), ("/.dockerenv", "container (docker)")];
/// Words in the control group of process 1 that only a container has.
const CONTAINER_GROUPS: [&str; 5] = ["docker", "kubepods", "containerd", "libpod", "lxc"];
/// Names that virtual machines give their firmware; ARM has no flag that tells.
const VIRTUAL_FIRMWARE: [&str; 6] =
    ["QEMU", "KVM", "VMware", "Virtual Machine", "VirtualBox", "Apple Virtualization"];

/// Returns what to gather; `tools` are the programs that the suites ask for by `tool:NAME`.
pub fn asks(tools: &BTreeSet<String>) -> Vec<Ask> {
    let files = [
        HOSTNAME,
        KERNEL,
        ARCH,
        BOOT,
        os_release::PATHS[0],
        os_release::PATHS[1],
        STATUS,
        GROUPS_OF_INIT,
        MACOS,
        MAC_NAMES,
        VENDOR,
        PRODUCT,
        BIOS,
        BOARD,
        cmdline::PATH,
        meminfo::PATH,
    ];
    let marks = CONTAINER_MARKS.map(|(path, _)| Ask::Stat { path: path.to_owned() });
    let own = files.map(Ask::file).into_iter().chain([cpuinfo::ask()]).chain(marks);
    own.chain(capability::asks(tools)).collect()
}

/// Returns what to gather beyond that, once it is known: a Mac tells the rest by programs.
pub fn further(evidence: &[&Evidence]) -> Vec<Ask> {
    mac::asks(evidence)
}

/// Reads what was gathered, in any order.
pub fn read(evidence: &[&Evidence]) -> Facts {
    let node = Gathered(evidence);
    let info = content(node, cpuinfo::PATH).and_then(CpuInfo::parse);
    let mac = Mac::of(node);
    let arch = mac.and_then(Mac::arch).unwrap_or_else(|| arch(node, info.as_ref().ok()));
    let virtualization = virtualization(node, &info, mac);
    let known = Known {
        arch: &arch,
        virtualization: virtualization.as_deref().map_err(Clone::clone),
        uid: mac.map_or_else(|| uid(node), Mac::uid),
    };
    let mut facts = Facts {
        hostname: text(node, HOSTNAME)
            .or_else(|| plist(node, MAC_NAMES, "LocalHostName"))
            .or_else(|| mac?.hostname())
            .unwrap_or_default(),
        os: os(node),
        kernel: text(node, KERNEL).or_else(|| mac?.kernel()).unwrap_or_default(),
        cpu: info
            .as_ref()
            .ok()
            .and_then(|info| info.say("model name"))
            .or_else(|| mac?.cpu())
            .unwrap_or_default(),
        boot: text(node, BOOT).or_else(|| mac?.boot()).unwrap_or_default(),
        user: user(known.uid.as_ref().ok().copied()),
        ..Facts::default()
    };
    let answers = CAPABILITIES
        .iter()
        .filter(|(name, _)| *name != REMOTE)
        .map(|(name, _)| ((*name).to_owned(), capability::decide(name, node, &known)))
        .chain(evidence.iter().filter_map(|evidence| capability::tool(evidence)))
        .chain(evidence.iter().filter_map(|evidence| listening::read(evidence)))
        .chain(evidence.iter().flat_map(|evidence| python::read(evidence)));
    for (name, answer) in answers {
        match answer {
            Ok(()) => _ = facts.capabilities.insert(name),
            Err(why) => _ = facts.missing.insert(name, why),
        }
    }
    let core = [
        ("system", system(node).or_else(|| mac?.system())),
        ("board", text(node, BOARD)),
        ("bios-version", text(node, BIOS)),
        ("microcode", info.as_ref().ok().and_then(|info| info.say("microcode"))),
        ("kernel-command-line", text(node, cmdline::PATH)),
        ("memory", memory(node, mac)),
        ("os-build", mac.and_then(Mac::build)),
        (
            "nvidia-driver",
            text(node, NVIDIA).and_then(|text| text.lines().next().map(str::to_owned)),
        ),
    ];
    let core = core.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
    facts.core = core.chain(evidence.iter().flat_map(|piece| python::core(piece))).collect();
    facts.arch = arch;
    facts.virtualization = virtualization.unwrap_or_default();
    facts
}

fn text(node: Gathered<'_>, path: &str) -> Option<String> {
    content(node, path).ok().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Finds a text by its key in an XML property list, as macOS writes them.
fn plist(node: Gathered<'_>, path: &str, key: &str) -> Option<String> {
    let (_, rest) = content(node, path).ok()?.split_once(&format!("<key>{key}</key>"))?;
    let (value, _) = rest.trim_start().strip_prefix("<string>")?.split_once("</string>")?;
    Some(value.to_owned())
}

fn os(node: Gathered<'_>) -> String {
    let named = |path: &&str| {
        let text = content(node, path).ok()?;
        os_release::parse(text).ok()?.get("PRETTY_NAME")?.clone().ok()
    };
    let mac = || {
        let name = plist(node, MACOS, "ProductName")?;
        Some(format!("{name} {}", plist(node, MACOS, "ProductVersion")?))
    };
    os_release::PATHS.iter().find_map(named).or_else(mac).unwrap_or_default()
}

fn arch(node: Gathered<'_>, info: Option<&CpuInfo<'_>>) -> String {
    let derived = || info.and_then(CpuInfo::arch).map(str::to_owned);
    text(node, ARCH).or_else(derived).unwrap_or_default()
}

fn system(node: Gathered<'_>) -> Option<String> {
    let parts: Vec<String> = [VENDOR, PRODUCT].iter().filter_map(|path| text(node, path)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Returns whole GiB: the kernel's own share differs a little from one release to the next.
fn memory(node: Gathered<'_>, mac: Option<Mac<'_>>) -> Option<String> {
    const GIB: u64 = 1024 * 1024;
    let total = || meminfo::kib(content(node, meminfo::PATH).ok()?, "MemTotal").ok()?;
    let kib = total().or_else(|| mac?.memory())?;
    Some(format!("{} GiB", kib.saturating_add(GIB / 2) / GIB))
}

/// Says in what the machine runs, outermost last; empty on bare metal.
fn virtualization(
    node: Gathered<'_>,
    info: &Result<CpuInfo<'_>, String>,
    mac: Option<Mac<'_>>,
) -> Result<String, String> {
    let mut found = Vec::new();
    for (path, what) in CONTAINER_MARKS {
        if node.stands(path)? {
            found.push(what.to_owned());
        }
    }
    let groups = content(node, GROUPS_OF_INIT).unwrap_or_default();
    if found.is_empty()
        && let Some(name) = CONTAINER_GROUPS.iter().find(|name| groups.contains(**name))
    {
        found.push(format!("container ({name})"));
    }
    let system = system(node);
    let shown = system.as_deref().unwrap_or_default();
    let flagged = mac.map_or_else(
        || {
            info.as_ref().map_err(Clone::clone).map(|info| {
                info.is_x86() && info.flags().is_some_and(|flags| flags.contains("hypervisor"))
            })
        },
        Mac::is_virtual,
    );
    let named = VIRTUAL_FIRMWARE.iter().any(|name| shown.contains(name));
    if named || flagged? {
        let of = if shown.is_empty() { String::new() } else { format!(" ({shown})") };
        found.push(format!("virtual machine{of}"));
    }
    Ok(found.join(" in a "))
}

/// Returns the uid whose rights count. *Source*: `proc_pid_status(5)`, the second number of `Uid`.
fn uid(node: Gathered<'_>) -> Result<u32, String> {
    let status = content(node, STATUS)?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let effective = ids.and_then(|ids| ids.split_whitespace().nth(1)?.parse().ok());
    effective.ok_or_else(|| format!("{STATUS} has no line `Uid`"))
}

/// Names the user without reading the list of all users, which has no place in a record.
fn user(uid: Option<u32>) -> String {
    match uid {
        None => String::new(),
        Some(0) => "root".to_owned(),
        Some(uid) => format!("uid {uid}"),
    }
}
