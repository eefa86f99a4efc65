//! Counts that the kernel keeps for each cpu: `/proc/interrupts` and `/proc/softirqs`.
//!
//! The header names the columns: interrupts has one for each online cpu only, so with cpu 1
//! offline the second column is cpu 2. Lines with fewer counts (`ERR`, `MIS`) are of no cpu.

use std::{collections::BTreeMap, fs};

/// Holds one table at one time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// The cpu of each column.
    cpus: Vec<u32>,
    rows: BTreeMap<String, Row>,
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    what: String,
    counts: Vec<u64>,
}

/// Tells how much one line counted on one cpu.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The label, such as `LOC` or `36`.
    pub(super) name: String,
    /// What the line is about, in the kernel's words.
    pub(super) what: String,
    /// How much it counted.
    pub(super) count: u64,
}

impl Change {
    /// Returns what a reader needs to know the line: a number says nothing without its device.
    pub(super) fn line(&self) -> String {
        let numbered = self.name.chars().all(|c| c.is_ascii_digit());
        if numbered { format!("{} {}", self.name, self.what) } else { self.name.clone() }
    }

    /// Tells whether a device made the interrupt: such lines have a number.
    pub(super) fn of_device(&self) -> bool {
        self.name.chars().all(|c| c.is_ascii_digit()) && !self.of_tick()
    }

    /// Tells whether the line counts timer ticks: `LOC` on x86, the timer's own line elsewhere.
    pub(super) fn of_tick(&self) -> bool {
        self.name == "LOC" || self.what.split_whitespace().any(|word| word == "arch_timer")
    }
}

impl Table {
    /// Reads the table of a file.
    ///
    /// *Errors*: it cannot be read or is no table, in one sentence.
    pub(super) fn read(path: &str) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Self::parse(&text).map_err(|why| format!("{path}: {why}"))
    }

    /// Reads a table.
    ///
    /// *Errors*: the header names no cpu, in one sentence.
    fn parse(text: &str) -> Result<Self, String> {
        let (header, body) = text.split_once('\n').unwrap_or((text, ""));
        let cpu = |word: &str| word.strip_prefix("CPU")?.parse().ok();
        let cpus: Option<Vec<u32>> = header.split_whitespace().map(cpu).collect();
        let cpus = cpus.filter(|cpus| !cpus.is_empty());
        let cpus =
            cpus.ok_or_else(|| format!("expected `CPU0 CPU1`, found `{}`", header.trim()))?;
        let row = |line: &str| {
            let (name, rest) = line.split_once(':')?;
            let mut words = rest.split_whitespace();
            let counts: Option<Vec<u64>> =
                words.by_ref().take(cpus.len()).map(|word| word.parse().ok()).collect();
            let counts = counts.filter(|counts| counts.len() == cpus.len())?;
            let what = words.collect::<Vec<_>>().join(" ");
            Some((name.trim().to_owned(), Row { what, counts }))
        };
        let rows = body.lines().filter_map(row).collect();
        Ok(Self { cpus, rows })
    }

    /// Lists what counted on a cpu between two tables, in the order of labels; lines that did not
    /// count are left out.
    ///
    /// *Errors*: the cpu has no column, or the columns changed, in one sentence.
    pub(super) fn changes(&self, since: &Self, cpu: u32) -> Result<Vec<Change>, String> {
        if self.cpus != since.cpus {
            return Err("a cpu went online or offline in the meantime".to_owned());
        }
        let column = self.cpus.iter().position(|column| *column == cpu);
        let column = column.ok_or_else(|| format!("cpu {cpu} has no column: it is offline"))?;
        let count = |row: Option<&Row>| row.and_then(|row| row.counts.get(column)).copied();
        let change = |(name, row): (&String, &Row)| {
            // A line that is new began at zero.
            let before = count(since.rows.get(name)).unwrap_or(0);
            let count = difference(count(Some(row))?, before);
            (count > 0).then(|| Change { name: name.clone(), what: row.what.clone(), count })
        };
        Ok(self.rows.iter().filter_map(change).collect())
    }

    /// Tells whether a line counts ticks at all.
    pub(super) fn has_tick(&self) -> bool {
        self.rows.iter().any(|(name, row)| {
            Change { name: name.clone(), what: row.what.clone(), count: 0 }.of_tick()
        })
    }
}

/// The kernel counts in 32 bits, which a busy line fills within weeks.
fn difference(after: u64, before: u64) -> u64 {
    if after < before {
        after.saturating_add(1 << 32).saturating_sub(before)
    } else {
        after - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_wrapped_is_no_zero() {
        assert_eq!(difference(3, (1 << 32) - 2), 5);
        assert_eq!((difference(5, 5), difference(9, 5)), (0, 4));
    }

    const BEFORE: &str = "           CPU0       CPU2       CPU3
 24:          1          0          7   IO-APIC   5-edge      ACPI:Ged
LOC:       1000       2000       3000   Local timer interrupts
RES:          5          5          5   Rescheduling interrupts
ERR:          0
MIS:          0
";

    #[test]
    fn a_cpu_that_is_offline_shifts_no_column() {
        let after = BEFORE.replace("      3000   Local", "      3001   Local");
        let after = after.replace("          7   IO-APIC", "         19   IO-APIC");
        let (before, after) = (Table::parse(BEFORE).unwrap(), Table::parse(&after).unwrap());
        let changes = after.changes(&before, 3).unwrap();
        let named: Vec<(&str, u64)> =
            changes.iter().map(|change| (change.name.as_str(), change.count)).collect();
        assert_eq!(named, [("24", 12), ("LOC", 1)]);
        assert!(changes[0].of_device() && changes[1].of_tick() && !changes[1].of_device());
        assert_eq!(changes[0].line(), "24 IO-APIC 5-edge ACPI:Ged");
        assert_eq!(changes[1].line(), "LOC");
        assert_eq!(after.changes(&before, 2), Ok(vec![]));
        assert!(after.changes(&before, 1).unwrap_err().contains("offline"));
        assert!(after.has_tick());
    }

    #[test]
    fn columns_that_changed_and_texts_without_a_header_are_refused() {
        let fewer = Table::parse("     CPU0\nLOC:   1   x\n").unwrap();
        let before = Table::parse(BEFORE).unwrap();
        assert!(fewer.changes(&before, 0).unwrap_err().contains("meantime"));
        for bad in ["", "\n", "LOC: 1 2\n", "CPU0 CPUx\n"] {
            assert!(Table::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_timer_of_other_architectures_is_no_device() {
        let text =
            "  CPU0 CPU1\n 11:  5  6  GICv3  26 Level  arch_timer\nIPI0:  1  2  Rescheduling\n";
        let table = Table::parse(text).unwrap();
        let none = Table::parse("  CPU0 CPU1\n").unwrap();
        let changes = table.changes(&none, 1).unwrap();
        assert!(table.has_tick() && changes[0].of_tick() && !changes[0].of_device());
        assert!(!changes[1].of_device());
        assert!(!none.has_tick());
    }
}
