//! What to do about a lack: tables by capability, by program and by probe.

use verify_model::node::Facts;

use super::package::Manager;
use crate::{listening::LISTENS, probe::With, python};

/// Probes to which a program that is not there is an answer.
pub(super) const ANSWERS_WITHOUT: &[&str] = &["toolchain", "programs", "gpu-witness", "compile"];
/// Programs of which a probe needs any one.
pub(super) const ANY_OF: &[&[&str]] = &[
    &["busctl", "chronyc", "ntpq", "pmc", "timedatectl"],
    &["dmesg", "journalctl"],
    &["dpkg-query", "rpm", "pacman", "brew"],
];

pub(super) const OF_FILE: &str = "ask as a user who may read it, or as root";

/// Capabilities that a machine has or has not: nothing that one installs brings them.
const GIVEN: &[&str] = &[
    "aarch64",
    "bare-metal",
    "cgroup-v2",
    "cpufreq",
    "linux",
    "macos",
    "numa",
    "nvidia-gpu",
    "smt",
    "systemd",
    "x86-64",
];

/// What brings a capability that is no program.
const CAPABILITY: &[(&str, &str)] = &[
    (
        "hugepages-1g",
        "boot with hugepagesz=1G hugepages=1 on the kernel's command line, on a CPU with the flag pdpe1gb",
    ),
    (
        "kernel-log",
        "sudo sysctl kernel.dmesg_restrict=0, or ask as root; in a container: grant CAP_SYSLOG",
    ),
    (
        "nohz-full",
        "boot a kernel that was built with CONFIG_NO_HZ_FULL, such as the lowlatency one of Ubuntu",
    ),
    (
        "nvidia-driver",
        "install the driver of NVIDIA for this kernel and load it: sudo modprobe nvidia",
    ),
    ("root", "ask as root: sudo verify there; over ssh log in as a user who may"),
];

/// What brings a program that no package of the system is named after.
const PROGRAM: &[(&str, &str)] = &[
    ("nvidia-smi", "install the driver of NVIDIA for this kernel: nvidia-smi is part of it"),
    ("nvcc", "install the CUDA toolkit that the driver knows, which nvcc is part of"),
    ("trtexec", "install TensorRT, which trtexec is part of"),
];

/// Tells whether a machine simply is so.
pub(super) fn is_given(capability: &str) -> bool {
    GIVEN.contains(&capability)
}

/// Says what brings a capability.
pub(super) fn of_capability(name: &str, facts: &Facts, manager: Manager) -> String {
    if let Some(tool) = name.strip_prefix(crate::capability::TOOL) {
        return of_program(&[tool.to_owned()], false, manager);
    }
    if let Some(module) = python::module(name) {
        let python = if facts.python.is_empty() { "python3" } else { &facts.python };
        return format!(
            "{python} -m pip install {module}; or name another interpreter under `python` in the node file"
        );
    }
    if let Some(port) = name.strip_prefix(LISTENS) {
        return format!("start the server that listens on port {port}");
    }
    let known = CAPABILITY.iter().find(|(known, _)| *known == name);
    known.map_or_else(
        || {
            "look at the machine, for nothing that is installed brings it; if it is right, take it out of `has` in the node file"
                .to_owned()
        },
        |(_, text)| (*text).to_owned(),
    )
}

/// Says what brings a program, or one of several.
pub(super) fn of_program(names: &[String], remote: bool, manager: Manager) -> String {
    if remote && names.iter().any(|name| name == "verify") {
        return "install verify there: copy the binary for that machine to /usr/local/bin or ~/.cargo/bin".to_owned();
    }
    let command = names.iter().find_map(|name| manager.command(name));
    let whole = PROGRAM.iter().find(|(known, _)| names == [*known]).map(|(_, text)| *text);
    command.or(whole.map(str::to_owned)).unwrap_or_else(|| match names {
        [one] if one.contains('/') => {
            format!("make {one}, or name another one in the node file")
        }
        _ => format!("install {}", names.join(" or ")),
    })
}

/// Lists the programs that an instrument starts, by the probe that measures with it.
pub(super) fn of_instrument(probe: &str, with: With<'_>) -> Vec<&'static str> {
    match probe {
        "cross-compile" if with.text("ssh").is_some() => vec!["ssh"],
        "smart" => vec!["smartctl"],
        "storage-throughput" => vec!["fio"],
        "tensorrt" => vec!["trtexec"],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_package_is_named_after_is_said_with_what_it_is_part_of() {
        let brings = |name: &str, manager| of_program(&[name.to_owned()], false, manager);
        assert!(brings("nvidia-smi", Manager::Apt).contains("driver of NVIDIA"));
        assert_eq!(brings("nvidia-smi", Manager::Pacman), "sudo pacman -S nvidia-utils");
        assert_eq!(brings("made-up", Manager::Apt), "install made-up");
    }
}
