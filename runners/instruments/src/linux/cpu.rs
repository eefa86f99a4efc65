//! Which cpus the kernel has, and which of them a loop that never sleeps must not take.
//!
//! Such a loop takes its cpu away from everything else, and with real-time priority for good. So
//! the last cpu that runs ordinary tasks is never taken, whatever was asked for.

use std::collections::BTreeSet;

use super::{Refusal, cpu_list, kernel_file};

const FOLDER: &str = "/sys/devices/system/cpu";

/// Holds what the kernel says of its cpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cpus {
    /// Those that the machine has.
    pub(super) present: BTreeSet<u32>,
    /// Those that run.
    pub(super) online: BTreeSet<u32>,
    /// Those that are isolated from the scheduler's balancing.
    pub(super) isolated: BTreeSet<u32>,
}

impl Cpus {
    /// Reads what the kernel says.
    ///
    /// *Errors*: it does not say which are present or online.
    pub(super) fn read() -> Result<Self, Refusal> {
        let list = |name: &str| {
            let path = format!("{FOLDER}/{name}");
            let cpus = kernel_file::text(&path).as_deref().and_then(cpu_list::parse);
            let why = || format!("{path} does not say which cpus there are");
            cpus.ok_or_else(|| Refusal::of("open", libc::ENOENT, why()))
        };
        let isolated = list("isolated").unwrap_or_default();
        Ok(Self { present: list("present")?, online: list("online")?, isolated })
    }

    /// Returns the cpus that are left for ordinary tasks where these are taken.
    ///
    /// Tasks run on isolated cpus only where no other is online.
    pub(super) fn ordinary_without(&self, taken: &BTreeSet<u32>) -> BTreeSet<u32> {
        self.ordinary().difference(taken).copied().collect()
    }

    fn ordinary(&self) -> BTreeSet<u32> {
        let ordinary: BTreeSet<u32> = self.online.difference(&self.isolated).copied().collect();
        if ordinary.is_empty() { self.online.clone() } else { ordinary }
    }

    /// Says why a cpu must not be taken, alone or with others at the same time; none where it may.
    pub(super) fn refusal(&self, cpu: u32, with: &BTreeSet<u32>) -> Option<Refusal> {
        let mut taken = with.clone();
        taken.insert(cpu);
        let last = self.ordinary().contains(&cpu) && self.ordinary_without(&taken).is_empty();
        let online = shown(&self.online);
        let (errno, why) = if !self.present.contains(&cpu) {
            let present = shown(&self.present);
            (libc::EINVAL, format!("cpu {cpu} does not exist; present are {present}"))
        } else if !self.online.contains(&cpu) {
            (libc::EINVAL, format!("cpu {cpu} is offline; online are {online}"))
        } else if last {
            let (isolated, taken) = (shown(&self.isolated), shown(&taken));
            let why = format!(
                "cpu {cpu} is among the last for ordinary tasks, and the system needs one; online are {online}, isolated {isolated}, asked for {taken}"
            );
            (libc::EBUSY, why)
        } else {
            return None;
        };
        Some(Refusal::of("sched_setaffinity", errno, why))
    }
}

fn shown(cpus: &BTreeSet<u32>) -> String {
    if cpus.is_empty() { "none".to_owned() } else { cpu_list::show(cpus) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::linux) fn list(text: &str) -> BTreeSet<u32> {
        cpu_list::parse(text).unwrap()
    }

    pub(in crate::linux) fn cpus(present: &str, online: &str, isolated: &str) -> Cpus {
        Cpus { present: list(present), online: list(online), isolated: list(isolated) }
    }

    fn why(cpus: &Cpus, cpu: u32, with: &str) -> String {
        cpus.refusal(cpu, &list(with)).unwrap().why
    }

    #[test]
    fn this_machine_says_which_cpus_it_has() {
        let cpus = Cpus::read().unwrap();
        assert!(!cpus.online.is_empty() && cpus.present.is_superset(&cpus.online), "{cpus:?}");
    }

    #[test]
    fn a_cpu_that_is_absent_or_offline_is_refused_by_name() {
        let four = cpus("0-3", "0-2", "");
        assert_eq!(four.refusal(2, &list("")), None);
        assert_eq!(why(&four, 3, ""), "cpu 3 is offline; online are 0-2");
        assert_eq!(why(&four, 9, ""), "cpu 9 does not exist; present are 0-3");
    }

    #[test]
    fn the_last_cpu_for_ordinary_tasks_is_never_taken() {
        let isolated = cpus("0-3", "0-3", "1-3");
        assert_eq!(isolated.refusal(3, &list("1-3")), None);
        assert!(why(&isolated, 0, "").contains("isolated 1-3, asked for 0"));
        assert_eq!(cpus("0-3", "0-3", "2-3").refusal(1, &list("")), None);
        let two = cpus("0-1", "0-1", "");
        assert_eq!(two.refusal(1, &list("1")), None);
        assert!(why(&two, 1, "0-1").contains("isolated none, asked for 0-1"));
        assert!(why(&two, 0, "0-1").contains("the system needs one"));
    }

    #[test]
    fn the_only_cpu_that_is_online_is_never_taken_isolated_or_not() {
        assert!(why(&cpus("0", "0", ""), 0, "").contains("needs one"));
        assert!(why(&cpus("0-1", "0", ""), 0, "").contains("online are 0,"));
        assert!(why(&cpus("0-1", "1", "1"), 1, "").contains("needs one"));
    }
}
