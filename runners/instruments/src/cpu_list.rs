//! Sets of cpus as the kernel writes them: `0-3,6`.

use std::collections::BTreeSet;

/// More than any kernel is built for. *Source*: `NR_CPUS` is at most 8192.
const MAX: u32 = 8192;

/// Reads a list; empty is the empty set.
///
/// *Errors*: the text is not a list, in one sentence.
pub(crate) fn parse(text: &str) -> Result<BTreeSet<u32>, String> {
    let mut cpus = BTreeSet::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.parse().ok().filter(|cpu: &u32| *cpu < MAX);
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => cpus.extend(first..=last),
            _ => return Err(format!("expected cpus such as `2,4-6`, found `{part}`")),
        }
    }
    Ok(cpus)
}

/// Writes a list.
pub(crate) fn show(cpus: &BTreeSet<u32>) -> String {
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
        for text in ["", "3", "0-3,6", "1,3,5-7"] {
            assert_eq!(show(&parse(text).unwrap()), text);
        }
        assert_eq!(show(&parse("2,1,0\n").unwrap()), "0-2");
        for bad in ["x", "3-1", "1-", "-1", "0-99999999", "1;2"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
