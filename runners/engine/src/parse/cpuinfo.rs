//! What `/proc/cpuinfo` says about the cpus that are online.
//!
//! The file has one block for each cpu that is online, none for the others: never count cpus by
//! it. The keys differ between architectures; ARM has neither `model name` nor `vendor_id`.

use std::collections::BTreeSet;

use verify_model::ask::Ask;

/// Names the file.
pub const PATH: &str = "/proc/cpuinfo";
/// Bounds how much is kept: a cpu takes up to 3 KiB. *Units*: B.
const CAP: u64 = 8 * 1024 * 1024;

/// Asks for the file.
pub fn ask() -> Ask {
    Ask::ReadFile { path: PATH.to_owned(), cap: CAP }
}

/// Holds the keys and values of all cpus, in the order of the file.
#[derive(Debug)]
pub struct CpuInfo<'a>(Vec<(&'a str, &'a str)>);

impl<'a> CpuInfo<'a> {
    /// Reads the file.
    ///
    /// *Errors*: no cpu is described.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let pairs: Vec<_> = lines.map(|(key, value)| (key.trim(), value.trim())).collect();
        let is_cpu = |(key, value): &(&str, &str)| *key == "processor" && is_number(value);
        if pairs.iter().any(is_cpu) {
            Ok(Self(pairs))
        } else {
            Err(format!("{PATH} describes no cpu"))
        }
    }

    fn distinct(&self, key: &str) -> Vec<&'a str> {
        let mut values = Vec::new();
        for (_, value) in self.0.iter().filter(|(name, value)| *name == key && !value.is_empty()) {
            if !values.contains(value) {
                values.push(*value);
            }
        }
        values
    }

    /// Returns what the cpus say under a key; where they differ, all of it, parted by ` + `.
    pub fn say(&self, key: &str) -> Option<String> {
        let values = self.distinct(key);
        (!values.is_empty()).then(|| values.join(" + "))
    }

    /// Tells whether the machine is x86: only its cpus have `flags`.
    pub fn is_x86(&self) -> bool {
        self.0.iter().any(|(key, _)| *key == "flags")
    }

    /// Returns the flags (ARM: features) that every cpu has, sorted.
    pub fn flags(&self) -> Option<BTreeSet<&'a str>> {
        let key = if self.is_x86() { "flags" } else { "Features" };
        let sets = self.distinct(key).into_iter().map(|text| text.split_whitespace().collect());
        sets.reduce(|all: BTreeSet<&str>, one| all.intersection(&one).copied().collect())
    }

    /// Derives the architecture as `uname -m` writes it; `None` where the keys do not tell.
    pub fn arch(&self) -> Option<&'static str> {
        if self.flags().is_some_and(|flags| flags.contains("lm")) {
            return Some("x86_64");
        }
        let is_v8 = self.distinct("CPU architecture").contains(&"8");
        (is_v8 && self.say("CPU implementer").is_some()).then_some("aarch64")
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_counts_when_every_cpu_has_it() {
        let text = "processor\t: 0\nflags\t\t: lm tsc avx\n\nprocessor\t: 1\nflags\t\t: lm tsc\n";
        let info = CpuInfo::parse(text).unwrap();
        assert_eq!(info.flags().unwrap().into_iter().collect::<Vec<_>>(), ["lm", "tsc"]);
        assert_eq!(info.arch(), Some("x86_64"));
    }

    #[test]
    fn differing_cpus_are_all_named() {
        let text = "processor: 0\nmicrocode: 0x1\n\nprocessor: 1\nmicrocode: 0x2\n";
        assert_eq!(CpuInfo::parse(text).unwrap().say("microcode").unwrap(), "0x1 + 0x2");
        assert!(CpuInfo::parse("processor: none\n").is_err());
    }
}
