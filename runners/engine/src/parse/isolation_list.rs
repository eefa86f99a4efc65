//! Which cpus and flags a parameter such as `isolcpus=managed_irq,domain,2-N` names.
//!
//! *Source*: `housekeeping_isolcpus_setup` in the kernel's `kernel/sched/isolation.c`: whatever
//! begins with a letter is a flag, and no flag means `domain`; `lib/bitmap.c` for lists.

use std::collections::BTreeSet;

use verify_model::cpu_set::CpuSet;

/// Flags that the kernel knows.
pub const FLAGS: [&str; 3] = ["domain", "managed_irq", "nohz"];

/// Holds what the value of `isolcpus` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsolationList {
    /// Flags, `domain` where the kernel knows none.
    pub flags: BTreeSet<String>,
    /// The cpus, or why they are none.
    pub cpus: Result<CpuSet, String>,
}

impl IsolationList {
    /// Reads the value of `isolcpus`; `last` is the highest cpu number of the machine.
    pub fn parse(text: &str, last: Option<u32>) -> Self {
        let mut flags = BTreeSet::new();
        let mut rest = text.trim();
        while rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (flag, tail) = rest.split_once(',').unwrap_or((rest, ""));
            flags.insert(flag.to_owned());
            rest = tail;
        }
        // A flag that the kernel does not know is skipped.
        if !flags.iter().any(|flag| FLAGS.contains(&flag.as_str())) {
            flags.insert("domain".to_owned());
        }
        Self { flags, cpus: cpus(rest, last) }
    }

    /// Tells whether a flag is given.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }
}

/// Reads the cpus of a parameter; unlike in a file of sysfs, an empty list is none.
///
/// *Errors*: why it names no cpu.
pub fn cpus(text: &str, last: Option<u32>) -> Result<CpuSet, String> {
    if text.trim().is_empty() {
        return Err("a parameter without a cpu list".to_owned());
    }
    CpuSet::parse_with_last(text, last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn flags_stand_before_the_list_in_any_order() {
        let read = |text: &str| IsolationList::parse(text, Some(7));
        assert_eq!(read("domain,managed_irq,6-7"), read("managed_irq,domain,7,6"));
        assert_eq!(read("6,7"), read("domain,6-N"));
        // To the kernel, `all` is a flag that it does not know.
        assert!(read("all").cpus.is_err() && cpus("all", Some(7)).unwrap().len() == 8);
        assert!(!read("nohz,2").has("domain") && read("nohz,2").has("nohz"));
        assert!(read("domain").cpus.is_err() && read("").cpus.is_err());
        assert!(read("2,domain").cpus.is_err());
    }

    proptest! {
        #[test]
        fn a_set_is_the_same_however_it_is_written(cpus in prop::collection::btree_set(0_u32..64, 1..20), flags in prop::collection::btree_set(prop::sample::select(FLAGS.to_vec()), 0..4)) {
            let set: CpuSet = cpus.iter().copied().collect();
            let one: Vec<String> = cpus.iter().rev().map(ToString::to_string).collect();
            let prefix: Vec<&str> = flags.iter().rev().flat_map(|flag| [*flag, ","]).collect();
            let prefix = prefix.concat();
            let read = IsolationList::parse(&format!("{prefix}{}", one.join(",")), None);
            let again = IsolationList::parse(&format!("{prefix}{set}"), None);
            prop_assert_eq!(&read, &again);
            prop_assert_eq!(read.cpus.unwrap(), set);
            prop_assert_eq!(read.flags.len(), flags.len().max(1));
        }

        #[test]
        fn no_text_breaks_the_list(text in "[a-zN0-9,:/_ -]{0,40}", odd in "\\PC{0,40}") {
            let _ = IsolationList::parse(&text, Some(65_535));
            let _ = IsolationList::parse(&odd, None);
        }
    }
}
