//! Which cpu is measured, and when that is refused.
//!
//! A loop that never sleeps takes its cpu away from everything else, and with real-time priority
//! for good. So the last cpu that runs ordinary tasks is never taken.

use std::{collections::BTreeSet, fs};

use crate::Refusal;

const CPUS: &str = "/sys/devices/system/cpu";

/// Holds what the kernel says of its cpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cpus {
    pub present: BTreeSet<usize>,
    pub online: BTreeSet<usize>,
    /// Isolated from the scheduler's balancing.
    pub isolated: BTreeSet<usize>,
    /// Taken by other loops at the same time.
    pub beside: BTreeSet<usize>,
    /// Those on which this process may run.
    pub allowed: BTreeSet<usize>,
}

/// Reads a list such as `0-3,6`; `None` where it is none. `(null)` and an empty text name no cpu.
pub(super) fn list(text: &str) -> Option<BTreeSet<usize>> {
    /// Most cpus of a list. *Source*: twice the kernel's largest `NR_CPUS`, 8192.
    const MOST: usize = 16_384;
    let text = text.trim();
    let mut cpus = BTreeSet::new();
    if text.is_empty() || text == "(null)" {
        return Some(cpus);
    }
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last > MOST {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// Reads a list of cpus of sysfs; empty where there is none.
pub(super) fn file(name: &str) -> BTreeSet<usize> {
    let text = fs::read_to_string(format!("{CPUS}/{name}")).unwrap_or_default();
    list(&text).unwrap_or_default()
}

impl Cpus {
    /// Reads what the kernel says.
    ///
    /// *Errors*: what others take is not a list of cpus.
    pub(super) fn read(allowed: BTreeSet<usize>, beside: &str) -> Result<Self, Refusal> {
        let wrong = || Refusal {
            call: "sched_setaffinity",
            errno: libc::EINVAL,
            why: format!("`{beside}` is not a list of cpus"),
        };
        let beside = list(beside).ok_or_else(wrong)?;
        let online = file("online");
        Ok(Self { present: file("present"), online, isolated: file("isolated"), beside, allowed })
    }

    /// Chooses the cpu: the one that was asked for, else the last that may be used, an isolated one
    /// where there is one.
    ///
    /// *Errors*: it is not there, offline, not allowed, or the only one left for ordinary tasks.
    pub(super) fn choose(&self, asked: Option<usize>) -> Result<usize, Refusal> {
        let refuse = |errno, why| Err(Refusal { call: "sched_setaffinity", errno, why });
        if self.online.len() == 1 {
            return refuse(
                libc::EBUSY,
                "the machine has one cpu: a loop that never sleeps would take it from all else"
                    .into(),
            );
        }
        let usable: BTreeSet<usize> = self.online.intersection(&self.allowed).copied().collect();
        let isolated = usable.intersection(&self.isolated).last();
        let Some(cpu) = asked.or(isolated.or(usable.last()).copied()) else {
            return refuse(libc::EINVAL, "the kernel does not say which cpus are online".into());
        };
        if !self.present.contains(&cpu) {
            let why = format!("cpu {cpu} does not exist; present are {}", words(&self.present));
            return refuse(libc::EINVAL, why);
        }
        if !self.online.contains(&cpu) {
            let why = format!("cpu {cpu} is offline; online are {}", words(&self.online));
            return refuse(libc::EINVAL, why);
        }
        let taken = |other: &usize| {
            *other == cpu || self.isolated.contains(other) || self.beside.contains(other)
        };
        if self.online.iter().all(taken) {
            let why = format!(
                "cpu {cpu} is the last one for ordinary tasks: all others are isolated ({}) or measured beside it ({})",
                words(&self.isolated),
                words(&self.beside)
            );
            return refuse(libc::EBUSY, why);
        }
        Ok(cpu)
    }
}

/// Writes a set of cpus as the kernel does.
pub(super) fn words(cpus: &BTreeSet<usize>) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for cpu in cpus {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *cpu => *last = *cpu,
            _ => ranges.push((*cpu, *cpu)),
        }
    }
    let written = ranges.into_iter().map(|(first, last)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    });
    written.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpus(present: &str, online: &str, isolated: &str) -> Cpus {
        let list = |text| list(text).unwrap();
        let allowed = list(online).difference(&list(isolated)).copied().collect();
        let (present, online, isolated) = (list(present), list(online), list(isolated));
        Cpus { present, online, isolated, allowed, ..Cpus::default() }
    }

    #[test]
    fn lists_of_the_kernel_are_read_and_written_back() {
        for text in ["", "0", "0-3", "0-1,3,6-7"] {
            assert_eq!(words(&list(text).unwrap()), text);
        }
        assert_eq!(list("(null)\n"), Some(BTreeSet::new()));
        for wrong in ["3-1", "a", "1,", "-", "0-99999999999"] {
            assert_eq!(list(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_cpu_that_is_absent_or_offline_is_refused_by_name() {
        let four = cpus("0-3", "0-2", "");
        assert_eq!(four.choose(Some(2)), Ok(2));
        let why = |asked| four.choose(Some(asked)).unwrap_err().why;
        assert!(why(3).contains("offline; online are 0-2"), "{}", why(3));
        assert!(why(9).contains("does not exist; present are 0-3"), "{}", why(9));
    }

    #[test]
    fn the_last_cpu_for_ordinary_tasks_is_never_taken() {
        let isolated = cpus("0-3", "0-3", "1-3");
        assert_eq!(isolated.choose(Some(3)), Ok(3));
        assert!(isolated.choose(Some(0)).unwrap_err().why.contains("isolated (1-3)"));
        let both = Cpus { beside: list("0-1").unwrap(), ..cpus("0-1", "0-1", "") };
        assert!(both.choose(Some(1)).unwrap_err().why.contains("beside it (0-1)"));
        assert!(cpus("0", "0", "").choose(Some(0)).unwrap_err().why.contains("one cpu"));
        assert!(cpus("0-1", "0", "").choose(None).unwrap_err().why.contains("one cpu"));
    }

    #[test]
    fn without_a_wish_an_isolated_cpu_is_taken_where_it_may_be() {
        assert_eq!(cpus("0-3", "0-3", "").choose(None), Ok(3));
        let mut isolated = cpus("0-3", "0-3", "2");
        assert_eq!(isolated.choose(None), Ok(3), "the isolated one is not in the affinity");
        isolated.allowed.insert(2);
        assert_eq!(isolated.choose(None), Ok(2));
        assert!(Cpus::default().choose(None).is_err());
    }
}
