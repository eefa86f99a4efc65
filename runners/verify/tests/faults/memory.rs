//! Memory that runs out: the kernel ends the program that eats it, in a group of ours with a limit.
//!
//! The command and its warden are in that group as well, as in a container.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    ground::{Ground, PASSES, shell},
    lab::skipped,
    left::{self, pause},
    starve::before,
};

/// Fits the command and a shell, several times. *Units*: B.
const LIMIT: u64 = 96 << 20;
/// Holds what it reads until a line ends.
const EATS: &str = "exec tail /dev/zero";

/// A group of processes that share a limit of memory; removed with its last process.
struct Group(PathBuf);

impl Group {
    /// Makes one below the group of this test; `None` where that may not be. *Source*: cgroups(7).
    fn new(name: &str) -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let below = |head: &str| {
            let path = own.lines().find_map(|line| line.split_once(head).map(|(_, path)| path))?;
            Some(path.trim_start_matches('/').to_owned())
        };
        let first =
            below(":memory:").map(|path| (Path::new("/sys/fs/cgroup/memory").join(path), 1));
        let second = || below("0::").map(|path| (Path::new("/sys/fs/cgroup").join(path), 2));
        let (parent, version) = first.or_else(second)?;
        let group = Self(parent.join(format!("verify-{name}-{}", std::process::id())));
        fs::create_dir(&group.0).ok()?;
        let limits: &[(&str, u64)] = match version {
            1 => &[("memory.limit_in_bytes", LIMIT), ("memory.memsw.limit_in_bytes", LIMIT)],
            _ => &[("memory.max", LIMIT), ("memory.swap.max", 0)],
        };
        // The second is there only where swap is counted.
        let set = |(file, limit): &(&str, u64)| fs::write(group.0.join(file), limit.to_string());
        set(&limits[0]).ok()?;
        let _ = set(&limits[1]);
        Some(group)
    }

    /// Returns how often the kernel ended a process in it. *Source*: the kernel's cgroup-v1/memory.rst,
    /// cgroup-v2.rst.
    fn kills(&self) -> u64 {
        let read = |file| fs::read_to_string(self.0.join(file)).unwrap_or_default();
        let text = read("memory.oom_control") + &read("memory.events");
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.unwrap().trim().parse().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that ended leaves it a moment later.
        for _ in 0..200 {
            if !self.0.exists() || fs::remove_dir(&self.0).is_ok() {
                return;
            }
            pause(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_program_that_the_kernel_ends_for_its_memory_is_an_error_that_says_so_and_the_run_goes_on() {
    let Some(group) = Group::new("eats") else {
        return skipped("a memory cgroup below its own: root, or one that systemd delegates");
    };
    let eats = shell(EATS, "limit = \"60 s\"\nexpect = { exit-code = 0 }");
    let ground = Ground::with(&[("a/eats", &eats), ("b/file", PASSES)]);
    let group_path = group.0.display().to_string();
    let enter = "echo $$ > \"$0\"/cgroup.procs && exec \"$@\"";
    let said = before(&ground, &["sh", "-c", enter, &group_path], &["--node", "box"]).exits(3);
    said.says(&["error a/eats", "SIGKILL, as where memory runs out", "pass b/file"]);
    assert_eq!(group.kills(), 1);
    assert!(left::orphans(&[ground.text("")]).is_empty());
    ground.say(&["judge", "last"]).exits(3);
}
