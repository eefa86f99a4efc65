//! Where memory is measured: the cpus that may be used, their nodes and caches, memory to spare.
//!
//! Isolated cpus are no part of a process's affinity and so are never loaded. All files are given
//! by a root, which tests replace.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::linux::{cpu_list, kernel_file};

/// Holds the cpus of one NUMA node, or of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// `all` or `nodeN`.
    pub(super) name: String,
    /// The cpus that are used.
    pub(super) cpus: BTreeSet<u32>,
}

/// Parts the cpus by NUMA node; all together come last, and alone where there is one node.
pub(super) fn groups(root: &Path, allowed: &BTreeSet<u32>) -> Vec<Group> {
    let mut nodes: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let entries = fs::read_dir(root.join("sys/devices/system/node"));
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("node")?.parse().ok());
        let list = kernel_file::text(entry.path().join("cpulist"));
        if let (Some(number), Some(list)) = (number, list.as_deref().and_then(cpu_list::parse)) {
            let used: BTreeSet<u32> = list.intersection(allowed).copied().collect();
            if !used.is_empty() {
                nodes.insert(number, used);
            }
        }
    }
    let all = Group { name: "all".to_owned(), cpus: allowed.clone() };
    let mut groups: Vec<Group> = Vec::new();
    if nodes.len() > 1 {
        let named = |(number, cpus)| Group { name: format!("node{number}"), cpus };
        groups.extend(nodes.into_iter().map(named));
    }
    groups.push(all);
    groups
}

/// Returns the size of the last-level caches of some cpus together; `None` where one shows none.
///
/// *Units*: B.
pub(super) fn last_level_bytes(root: &Path, cpus: &BTreeSet<u32>) -> Option<u64> {
    let mut caches: BTreeMap<String, u64> = BTreeMap::new();
    for cpu in cpus {
        let folder = root.join(format!("sys/devices/system/cpu/cpu{cpu}/cache"));
        let mut last: Option<(u32, String, u64)> = None;
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let read = |name: &str| kernel_file::text(entry.path().join(name));
            let (Some(level), Some(kind), Some(size)) = (read("level"), read("type"), read("size"))
            else {
                continue;
            };
            let (Ok(level), Some(bytes)) = (level.parse(), size_of(&size)) else {
                continue;
            };
            let better = last.as_ref().is_none_or(|(known, ..)| level > *known);
            if kind != "Instruction" && better {
                let sharers = read("shared_cpu_list").unwrap_or_else(|| cpu.to_string());
                last = Some((level, sharers, bytes));
            }
        }
        let (level, sharers, bytes) = last?;
        caches.insert(format!("{level} {sharers}"), bytes);
    }
    (!caches.is_empty()).then(|| caches.values().sum())
}

/// Reads a size of a cache: `32768K`.
fn size_of(text: &str) -> Option<u64> {
    let (number, scale) = match text.strip_suffix('K') {
        Some(number) => (number, 1 << 10),
        None => text.strip_suffix('M').map_or((text, 1), |number| (number, 1 << 20)),
    };
    number.parse::<u64>().ok()?.checked_mul(scale).filter(|bytes| *bytes > 0)
}

/// Returns the memory that can be had: what the kernel has available, and what control groups leave.
///
/// *Units*: B. *Errors*: the kernel does not say.
pub(super) fn available_bytes(root: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(root.join("proc/meminfo")).map_err(|e| e.to_string())?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    let available = kib.ok_or("/proc/meminfo does not say how much is available")? * 1024;
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let left = groups.lines().filter_map(|line| left_by_group(root, line)).min();
    Ok(left.map_or(available, |left| left.min(available)))
}

/// Returns what the memory limits of a group and of those above it leave.
fn left_by_group(root: &Path, line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    let (folder, limit, used) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max", "memory.current"),
        list if list.split(',').any(|name| name == "memory") => {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
        }
        _ => return None,
    };
    let top = root.join(folder);
    let group = top.join(path.trim_start_matches('/'));
    let within = group.ancestors().take_while(|at| at.starts_with(&top));
    let number = |at: &Path, name: &str| kernel_file::number::<u64>(at.join(name));
    let left = |at: &Path| Some(number(at, limit)?.saturating_sub(number(at, used)?));
    within.filter_map(left).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds a root with these files.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            #[allow(clippy::disallowed_methods, reason = "the test makes its own machine")]
            fs::write(path, text).unwrap();
        }
        root
    }

    fn cache(cpu: u32, index: u32, facts: [&str; 4]) -> Vec<(String, String)> {
        ["level", "type", "size", "shared_cpu_list"]
            .iter()
            .zip(facts)
            .map(|(name, text)| {
                let path = format!("sys/devices/system/cpu/cpu{cpu}/cache/index{index}/{name}");
                (path, format!("{text}\n"))
            })
            .collect()
    }

    #[test]
    fn every_last_level_cache_of_the_used_cpus_counts_once() {
        let mut files = Vec::new();
        for cpu in 0..4 {
            files.extend(cache(cpu, 0, ["1", "Data", "32K", &cpu.to_string()]));
            files.extend(cache(cpu, 1, ["1", "Instruction", "32K", &cpu.to_string()]));
            let sharers = if cpu < 2 { "0-1" } else { "2-3" };
            files.extend(cache(cpu, 3, ["3", "Unified", "32768K", sharers]));
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (&**p, &**t)).collect();
        let root = root(&files);
        assert_eq!(last_level_bytes(root.path(), &[0, 1].into()), Some(32 << 20));
        assert_eq!(last_level_bytes(root.path(), &[1, 2].into()), Some(64 << 20));
        assert_eq!(last_level_bytes(root.path(), &[0, 4].into()), None, "cpu 4 shows no cache");
        assert_eq!(last_level_bytes(root.path(), &[].into()), None);
    }

    #[test]
    fn cpus_are_parted_by_node_and_those_that_may_not_be_used_are_left_out() {
        let node = |n: u32| format!("sys/devices/system/node/node{n}/cpulist");
        let root = root(&[(&node(0), "0-3\n"), (&node(1), "4-7\n"), (&node(2), "\n")]);
        let found = groups(root.path(), &[0, 1, 4, 5, 7].into());
        let shown: Vec<_> = found.iter().map(|g| (&*g.name, cpu_list::show(&g.cpus))).collect();
        let wanted = [("node0", "0-1"), ("node1", "4-5,7"), ("all", "0-1,4-5,7")]
            .map(|(n, c)| (n, c.into()));
        assert_eq!(shown, wanted);
        let alone = groups(root.path(), &[0, 2].into());
        assert_eq!(alone.len(), 1, "one node is all of it");
    }

    #[test]
    fn the_tightest_limit_of_the_control_groups_bounds_the_memory() {
        let meminfo = ("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    8000 kB\n");
        let v2 = [
            meminfo,
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/memory.max", "5000000\n"),
            ("sys/fs/cgroup/a/memory.current", "1000000\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/b/memory.current", "7\n"),
        ];
        assert_eq!(available_bytes(root(&v2).path()), Ok(4_000_000));
        let v1 = [
            meminfo,
            ("proc/self/cgroup", "4:memory:/x\n3:cpu,cpuacct:/x\n"),
            ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "300\n"),
            ("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "400\n"),
        ];
        assert_eq!(available_bytes(root(&v1).path()), Ok(0));
        assert_eq!(available_bytes(root(&[meminfo]).path()), Ok(8000 * 1024));
        assert!(available_bytes(root(&[("proc/meminfo", "MemTotal: 1 kB\n")]).path()).is_err());
    }
}
