//! Which cpu is measured: the one that was asked for, else the last that may be used.

use std::collections::BTreeSet;

use crate::linux::{Refusal, cpu::Cpus};

/// Chooses the cpu; unless told, an isolated one where this process may run on one.
///
/// *Errors*: it is not there, offline, or the only one left for ordinary tasks.
pub(super) fn choose(
    cpus: &Cpus,
    allowed: &BTreeSet<u32>,
    asked: Option<u32>,
    beside: &BTreeSet<u32>,
) -> Result<u32, Refusal> {
    let usable: BTreeSet<u32> = cpus.online.intersection(allowed).copied().collect();
    let isolated = usable.intersection(&cpus.isolated).last();
    let cpu = asked.or(isolated.or(usable.last()).copied());
    let none = || {
        let why = "this process may run on no cpu that is online";
        Refusal::of("sched_setaffinity", libc::EINVAL, why)
    };
    let cpu = cpu.ok_or_else(none)?;
    cpus.refusal(cpu, beside).map_or(Ok(cpu), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::cpu::tests::{cpus, list};

    #[test]
    fn without_a_wish_an_isolated_cpu_is_taken_where_it_may_be() {
        let chosen = |isolated: &str, allowed: &str| {
            choose(&cpus("0-3", "0-3", isolated), &list(allowed), None, &list(""))
        };
        assert_eq!(chosen("", "0-3"), Ok(3));
        assert_eq!(chosen("2", "0-1,3"), Ok(3), "the isolated one is not in the affinity");
        assert_eq!(chosen("2", "0-3"), Ok(2));
        assert!(chosen("", "").unwrap_err().why.contains("no cpu"));
    }

    #[test]
    fn a_wish_is_taken_unless_the_system_needs_the_cpu() {
        let chosen = |asked: u32, beside: &str| {
            choose(&cpus("0-1", "0-1", ""), &list("0"), Some(asked), &list(beside))
        };
        assert_eq!(chosen(1, ""), Ok(1));
        assert!(chosen(1, "0-1").unwrap_err().why.contains("the system needs one"));
        assert!(chosen(9, "").unwrap_err().why.contains("does not exist"));
    }
}
