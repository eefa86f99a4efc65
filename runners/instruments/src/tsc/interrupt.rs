//! How many interrupts one cpu has had, by line, as `/proc/interrupts` and `/proc/softirqs` say.
//!
//! The header names the cpus that are online, so the column is found there and never counted. Lines
//! such as `ERR` and `MIS` count for the whole machine and are left out.

use std::collections::BTreeMap;

/// Returns the counts of one cpu by line; the key of a numbered line carries its description.
pub(super) fn of_cpu(text: &str, cpu: usize) -> Option<BTreeMap<String, u64>> {
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next()?.split_whitespace().collect();
    let wanted = format!("CPU{cpu}");
    let column = columns.iter().position(|name| *name == wanted)?;
    let mut counts = BTreeMap::new();
    for line in lines {
        let Some((name, rest)) = line.split_once(':') else { continue };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let numbers = words.iter().take_while(|word| word.parse::<u64>().is_ok()).count();
        if numbers < columns.len() {
            continue;
        }
        let Some(count) = words.get(column).and_then(|word| word.parse().ok()) else { continue };
        let name = name.trim();
        let numbered = name.bytes().all(|byte| byte.is_ascii_digit());
        let described = words[columns.len()..].join(" ");
        let key = if numbered { format!("{name} {described}") } else { name.to_owned() };
        counts.insert(key, count);
    }
    Some(counts)
}

/// Returns what was added, by line; lines without any are left out.
pub(super) fn added(
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    let more = after.iter().map(|(name, count)| {
        let added = count.saturating_sub(before.get(name).copied().unwrap_or(0));
        (name.clone(), added)
    });
    more.filter(|(_, added)| *added > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cpu 1 is offline: written by hand in the kernel's format.
    const TEXT: &str = "            CPU0       CPU2       CPU3
   1:          9          0          7   IO-APIC   1-edge      i8042
 LOC:        100        200        300   Local timer interrupts
 ERR:          4
 MIS:          0
";

    #[test]
    fn an_offline_cpu_shifts_no_column() {
        let counts = of_cpu(TEXT, 3).unwrap();
        assert_eq!(counts["LOC"], 300);
        assert_eq!(counts["1 IO-APIC 1-edge i8042"], 7);
        assert_eq!(counts.len(), 2, "{counts:?}");
        assert_eq!(of_cpu(TEXT, 2).unwrap()["LOC"], 200);
        assert_eq!(of_cpu(TEXT, 1), None);
        assert_eq!(of_cpu("", 0), None);
    }

    #[test]
    fn only_what_was_added_is_named() {
        let (before, after) = (of_cpu(TEXT, 0).unwrap(), of_cpu(TEXT, 3).unwrap());
        assert_eq!(added(&before, &after), BTreeMap::from([("LOC".to_owned(), 200)]));
    }
}
