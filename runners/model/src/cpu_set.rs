//! What set of CPUs a list names, and how such sets are shown.
//!
//! Reads the kernel's list format (`0-3,6`, groups as in `0-3:1/2`, `N` for the last cpu and `all`
//! where the number of cpus is known). Sets are compared, never their spelling.
//! Command-line flags of `isolcpus` are not part of a list: the probe takes them off.

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Holds a set of CPU numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CpuSet(BTreeSet<u32>);

/// Bounds a CPU number, so that a hostile list cannot fill the memory. *Source*: `NR_CPUS` is at most 8192 on x86.
pub const MAX_CPU: u32 = 65_535;

impl CpuSet {
    /// Reads a list without symbolic ends; an empty text is the empty set.
    ///
    /// *Errors*: a sentence that names the part that is not a list.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_with_last(text, None)
    }

    /// Reads a list in which `N` and `all` refer to `last`, the highest cpu number of the machine.
    ///
    /// *Errors*: a sentence that names the part that is not a list.
    pub fn parse_with_last(text: &str, last: Option<u32>) -> Result<Self, String> {
        let text = text.trim();
        let mut cpus = BTreeSet::new();
        if text.is_empty() {
            return Ok(Self(cpus));
        }
        for part in text.split(',') {
            read_part(part.trim(), last, &mut cpus)
                .ok_or_else(|| format!("expected a cpu list such as `0-3,6`, found `{part}`"))?;
        }
        Ok(Self(cpus))
    }

    /// Tells whether no cpu is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts the cpus.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether a cpu is named.
    pub fn contains(&self, cpu: u32) -> bool {
        self.0.contains(&cpu)
    }

    /// Tells whether every cpu of the other set is named here.
    pub fn is_superset(&self, other: &Self) -> bool {
        self.0.is_superset(&other.0)
    }

    /// Walks the cpus in rising order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }

    /// Returns the cpus that both sets name.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }
}

fn read_part(part: &str, last: Option<u32>, cpus: &mut BTreeSet<u32>) -> Option<()> {
    if part == "all" {
        cpus.extend(0..=last?);
        return Some(());
    }
    let (range, group) = part.split_once(':').map_or((part, None), |(r, g)| (r, Some(g)));
    let (low, high) = match range.split_once('-') {
        Some((low, high)) => (number(low, last)?, number(high, last)?),
        None => (number(range, last)?, number(range, last)?),
    };
    let (used, size) = match group {
        Some(group) => {
            let (used, size) = group.split_once('/')?;
            (number(used, None)?, number(size, None)?)
        }
        None => (1, 1),
    };
    if low > high || used == 0 || used > size {
        return None;
    }
    cpus.extend((low..=high).filter(|cpu| (cpu - low) % size < used));
    Some(())
}

fn number(text: &str, last: Option<u32>) -> Option<u32> {
    if text == "N" {
        return last;
    }
    text.parse().ok().filter(|cpu| *cpu <= MAX_CPU)
}

impl FromIterator<u32> for CpuSet {
    fn from_iter<I: IntoIterator<Item = u32>>(cpus: I) -> Self {
        Self(cpus.into_iter().collect())
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let mut parts: Vec<(u32, u32)> = Vec::new();
        for cpu in self.iter() {
            match parts.last_mut() {
                Some((_, end)) if *end + 1 == cpu => *end = cpu,
                _ => parts.push((cpu, cpu)),
            }
        }
        let texts: Vec<String> = parts
            .iter()
            .map(|(low, high)| if low == high { low.to_string() } else { format!("{low}-{high}") })
            .collect();
        f.write_str(&texts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sets_whatever_their_spelling() {
        let show = |text: &str| CpuSet::parse_with_last(text, Some(7)).map(|set| set.to_string());
        assert_eq!(show("6,7").unwrap(), "6-7");
        assert_eq!(show("7,6,6-7").unwrap(), "6-7");
        assert_eq!(show("0-3:1/2").unwrap(), "0,2");
        assert_eq!(show("6-N").unwrap(), "6-7");
        assert_eq!(show("all").unwrap(), "0-7");
        assert_eq!(show(" \n").unwrap(), "none");
    }

    #[test]
    fn nonsense_is_refused_and_cannot_fill_the_memory() {
        for bad in ["a", "3-1", "1-", "0-4000000000", "0-3:0/2", "0-3:3/2", "1,,2", "-1", "N"] {
            assert!(CpuSet::parse(bad).is_err(), "{bad}");
        }
    }
}
