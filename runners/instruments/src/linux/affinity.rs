//! On which cpus a thread may run.
//!
//! The mask has room for every cpu that a list can name: a fixed `cpu_set_t` ends at 1024, and the
//! kernel refuses to fill one that is smaller than its own.

use std::collections::BTreeSet;

use super::{Refusal, cpu_list, kernel_file};

/// Words of a mask, each an `unsigned long` of the kernel.
const WORDS: usize = (cpu_list::MAX as usize + 1) / usize::BITS as usize;
/// Holds the bits of a set as the kernel reads them.
type Mask = [usize; WORDS];

/// Returns the cpus that this thread may use.
///
/// *Errors*: the kernel does not say.
pub(super) fn allowed() -> Result<BTreeSet<u32>, Refusal> {
    let mut mask: Mask = [0; WORDS];
    // SAFETY: `mask` is a valid place of that many bytes, any bits are numbers; 0 is this thread.
    if unsafe { libc::sched_getaffinity(0, size_of::<Mask>(), (&raw mut mask).cast()) } != 0 {
        return Err(Refusal::last("sched_getaffinity", "a seccomp filter"));
    }
    Ok((0..=cpu_list::MAX).filter(|cpu| mask[word(*cpu)] & bit(*cpu) != 0).collect())
}

/// Keeps the calling thread on these cpus; it ends with the thread.
///
/// *Errors*: the kernel gives none of them.
pub(super) fn pin(cpus: &BTreeSet<u32>) -> Result<(), Refusal> {
    let mut mask: Mask = [0; WORDS];
    for cpu in cpus.iter().copied().filter(|cpu| *cpu <= cpu_list::MAX) {
        mask[word(cpu)] |= bit(cpu);
    }
    // SAFETY: `mask` lives through the call, which reads that many bytes of it; 0 is this thread.
    if unsafe { libc::sched_setaffinity(0, size_of::<Mask>(), (&raw const mask).cast()) } == 0 {
        return Ok(());
    }
    let refusal = Refusal::last("sched_setaffinity", "");
    let wanted = cpu_list::show(cpus);
    let allowed = kernel_file::status("Cpus_allowed_list").unwrap_or_default();
    let why = format!(
        "the cpuset of the control group holds none of {wanted}; this thread may run on {allowed}"
    );
    Err(Refusal { why, ..refusal })
}

fn word(cpu: u32) -> usize {
    (cpu / usize::BITS) as usize
}

fn bit(cpu: u32) -> usize {
    1 << (cpu % usize::BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_kept_on_a_cpu_of_its_own_and_only_there() {
        let before = allowed().unwrap();
        let last = BTreeSet::from([*before.last().unwrap()]);
        pin(&last).unwrap();
        assert_eq!(allowed().unwrap(), last);
        pin(&before).unwrap();
        assert_eq!(allowed().unwrap(), before);
    }

    #[test]
    fn a_cpu_beyond_any_machine_is_refused_and_the_affinity_stays() {
        let before = allowed().unwrap();
        for beyond in [cpu_list::MAX, 100_000] {
            let refusal = pin(&BTreeSet::from([beyond])).unwrap_err();
            assert_eq!((refusal.call, refusal.errno), ("sched_setaffinity", libc::EINVAL));
            assert!(refusal.why.contains(&beyond.to_string()), "{}", refusal.why);
        }
        assert_eq!(allowed().unwrap(), before);
    }
}
