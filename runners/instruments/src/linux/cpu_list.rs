//! Sets of cpus as the kernel writes them: `0-3,6`.

use std::collections::BTreeSet;

use super::Arguments;

/// Bounds a cpu's number, so that a list cannot fill the memory. *Source*: the model's bound; eight
/// times the largest `NR_CPUS`, 8192.
pub(super) const MAX: u32 = 65_535;

/// Reads a list; an empty text and `(null)` name no cpu. `None` where it is no list.
pub(super) fn parse(text: &str) -> Option<BTreeSet<u32>> {
    let text = text.trim();
    let mut cpus = BTreeSet::new();
    if text.is_empty() || text == "(null)" {
        return Some(cpus);
    }
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last > MAX {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// Returns the cpus that an argument names.
///
/// *Errors*: it names none, in one sentence.
pub(super) fn given(given: &Arguments<'_>, name: &str) -> Result<Option<BTreeSet<u32>>, String> {
    let named = |text: &str| parse(text).filter(|cpus| !cpus.is_empty());
    given.value(name, "a list of cpus such as 0-3,6", named)
}

/// Writes a list; empty where there is no cpu.
pub(super) fn show(cpus: &BTreeSet<u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for cpu in cpus {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *cpu => *last = *cpu,
            _ => ranges.push((*cpu, *cpu)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    });
    shown.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written_and_what_is_none_is_refused() {
        for text in ["", "3", "0-3,6", "1,3,5-7", "65535"] {
            assert_eq!(show(&parse(text).unwrap()), text);
        }
        assert_eq!(show(&parse("2,1,0,1-2\n").unwrap()), "0-2");
        assert_eq!(parse("(null)\n"), Some(BTreeSet::new()));
        for bad in ["x", "3-1", "1-", "-1", "-", "1,", "1,,2", "0-99999999999", "65536", "1;2"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
