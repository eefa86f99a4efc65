//! Which processes are still there of what the warden was told.
//!
//! Where there is `/proc`, each process is looked at: whether it carries a mark, or is of a group; one
//! that has ended and waits to be collected counts for nothing. Elsewhere a group is asked for.

use std::{collections::BTreeSet, fs};

use rustix::process::{Pid, getpid, test_kill_process_group};

use super::{super::stray, Ward};

/// Names what is told to end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    Process(Pid),
    /// A group, by its leader's id.
    Group(Pid),
}

impl Found {
    pub(super) fn pid(self) -> Pid {
        match self {
            Self::Process(pid) | Self::Group(pid) => pid,
        }
    }
}

/// Lists what is there.
pub(super) fn living(wards: &BTreeSet<Ward>) -> Vec<Found> {
    let groups: BTreeSet<i32> = wards
        .iter()
        .filter_map(|ward| if let Ward::Group(group) = ward { Some(*group) } else { None })
        .collect();
    let marks: Vec<String> = wards
        .iter()
        .filter_map(|ward| if let Ward::Mark(mark) = ward { Some(mark) } else { None })
        .map(|mark| format!("{}={mark}/", stray::VARIABLE))
        .collect();
    let Ok(entries) = fs::read_dir("/proc/self/task").and_then(|_| fs::read_dir("/proc")) else {
        let leaders = groups.iter().filter_map(|group| Pid::from_raw(*group));
        let there = leaders.filter(|leader| test_kill_process_group(*leader).is_ok());
        return there.map(Found::Group).collect();
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|pid| *pid != getpid()) else { continue };
        let Some(group) = group_of(&entry.path().join("stat")) else { continue };
        let carries = || {
            let environment = stray::environment(&entry.path());
            let begins = |text: &[u8]| marks.iter().any(|mark| text.starts_with(mark.as_bytes()));
            environment.split(|byte| *byte == 0).any(begins)
        };
        if groups.contains(&group) || (!marks.is_empty() && carries()) {
            found.push(Found::Process(pid));
        }
    }
    found
}

/// Reads of which group a process is; `None` for one that has ended. *Source*: proc(5), `stat`.
fn group_of(stat: &std::path::Path) -> Option<i32> {
    let text = fs::read(stat).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut words = text.rsplit(')').next()?.split_whitespace();
    let ended = matches!(words.next()?, "Z" | "X" | "x");
    words.nth(1)?.parse().ok().filter(|_| !ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_is_there_is_found_and_nobody_is_found_without_a_ward() {
        let own = rustix::process::getpgrp().as_raw_nonzero().get();
        let parent = rustix::process::getppid().unwrap();
        let wards = BTreeSet::from([Ward::Group(own), Ward::Mark("no-such-run".into())]);
        let found = living(&wards);
        assert!(found.iter().all(|one| one.pid() != getpid()), "never itself");
        assert!(living(&BTreeSet::new()).is_empty());
        assert!(
            !living(&BTreeSet::from([Ward::Mark("no-such-run".into())]))
                .iter()
                .any(|one| one.pid() == parent)
        );
    }
}
