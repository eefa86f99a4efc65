//! Which package brings a program, by the package manager of the node.
//!
//! *Source*: packages.debian.org (bookworm), packages.fedoraproject.org, archlinux.org/packages,
//! formulae.brew.sh, looked up by hand. What stands nowhere is named without a command.

use verify_model::{ask::Ask, node::Facts};

use crate::{capability::content, gathered::Gathered, parse::os_release};

/// Names the package managers that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Apt,
    Dnf,
    Pacman,
    Brew,
    /// None of them.
    Other,
}

/// A program, and its package for apt, dnf, pacman and brew; empty where there is none.
type Row = (&'static str, [&'static str; 4]);

const PACKAGES: &[Row] = &[
    ("chronyc", ["chrony", "chrony", "chrony", ""]),
    ("clang", ["clang", "clang", "clang", "llvm"]),
    ("clang++", ["clang", "clang", "clang", "llvm"]),
    ("curl", ["curl", "curl", "curl", "curl"]),
    ("df", ["coreutils", "coreutils", "coreutils", ""]),
    ("dmesg", ["util-linux", "util-linux", "util-linux", ""]),
    ("dmidecode", ["dmidecode", "dmidecode", "dmidecode", ""]),
    ("ethtool", ["ethtool", "ethtool", "ethtool", ""]),
    ("fio", ["fio", "fio", "fio", "fio"]),
    ("g++", ["g++", "gcc-c++", "gcc", "gcc"]),
    ("gcc", ["gcc", "gcc", "gcc", "gcc"]),
    ("git", ["git", "git", "git", "git"]),
    ("ip", ["iproute2", "iproute", "iproute2", "iproute2mac"]),
    ("iperf3", ["iperf3", "iperf3", "iperf3", "iperf3"]),
    ("journalctl", ["systemd", "systemd", "systemd", ""]),
    ("nvcc", ["nvidia-cuda-toolkit", "", "cuda", ""]),
    ("nvidia-smi", ["", "", "nvidia-utils", ""]),
    ("python3", ["python3", "python3", "python", "python"]),
    ("rsync", ["rsync", "rsync", "rsync", "rsync"]),
    ("smartctl", ["smartmontools", "smartmontools", "smartmontools", "smartmontools"]),
    ("ssh", ["openssh-client", "openssh-clients", "openssh", "openssh"]),
    ("systemctl", ["systemd", "systemd", "systemd", ""]),
    ("trtexec", ["libnvinfer-bin", "", "", ""]),
];

/// What each distribution installs with, by the id of its os-release file.
const DISTRIBUTIONS: &[(&str, Manager)] = &[
    ("debian", Manager::Apt),
    ("ubuntu", Manager::Apt),
    ("fedora", Manager::Dnf),
    ("rhel", Manager::Dnf),
    ("centos", Manager::Dnf),
    ("arch", Manager::Pacman),
];

/// Returns what tells the distribution.
pub(super) fn asks() -> Vec<Ask> {
    os_release::PATHS.map(Ask::file).to_vec()
}

impl Manager {
    /// Finds the manager of a node, by its own name or by those that it follows.
    pub(super) fn of(node: Gathered<'_>, facts: &Facts) -> Self {
        if facts.capabilities.contains("macos") {
            return Self::Brew;
        }
        let read = |path: &&str| os_release::parse(content(node, path).ok()?).ok();
        let Some(found) = os_release::PATHS.iter().find_map(read) else { return Self::Other };
        let words = ["ID", "ID_LIKE"].iter().filter_map(|key| found.get(*key)?.as_ref().ok());
        let mut words = words.flat_map(|text| text.split_whitespace());
        let known = |word| DISTRIBUTIONS.iter().find(|(id, _)| *id == word);
        words.find_map(known).map_or(Self::Other, |(_, manager)| *manager)
    }

    /// Returns the command that installs a program; `None` where no package is known.
    pub(super) fn command(self, program: &str) -> Option<String> {
        let (_, names) = PACKAGES.iter().find(|(name, _)| *name == program)?;
        let (at, install) = match self {
            Self::Apt => (0, "sudo apt install"),
            Self::Dnf => (1, "sudo dnf install"),
            Self::Pacman => (2, "sudo pacman -S"),
            Self::Brew => (3, "brew install"),
            Self::Other => return None,
        };
        let name = names.get(at).filter(|name| !name.is_empty())?;
        Some(format!("{install} {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_knows_a_package_for_each_row() {
        assert!(PACKAGES.is_sorted_by_key(|(name, _)| name));
        assert!(PACKAGES.iter().all(|(_, names)| names.iter().any(|name| !name.is_empty())));
        assert_eq!(Manager::Dnf.command("ip").unwrap(), "sudo dnf install iproute");
        assert_eq!(Manager::Brew.command("dmidecode"), None);
        assert_eq!(Manager::Other.command("git"), None);
    }
}
