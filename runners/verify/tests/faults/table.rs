//! The table: fault, tries, survived, lost records, orphans, files left.

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _};

/// Counts what came of one fault.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row {
    pub(crate) tries: usize,
    pub(crate) survived: usize,
    pub(crate) lost: usize,
    pub(crate) orphans: usize,
    pub(crate) files: usize,
}

/// Holds what came of all.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<String, Row>,
    /// What went wrong, in words.
    pub(crate) faults: Vec<String>,
}

/// Says what was left of one try.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub(crate) lost: Vec<String>,
    pub(crate) orphans: Vec<String>,
    pub(crate) files: Vec<String>,
    /// What else does not hold.
    pub(crate) other: Vec<String>,
}

impl Table {
    /// Counts one try.
    pub(crate) fn count(&mut self, fault: &str, which: &str, left: Left) {
        let row = self.rows.entry(fault.to_owned()).or_default();
        row.tries += 1;
        row.lost += left.lost.len();
        row.orphans += left.orphans.len();
        row.files += left.files.len();
        let all = [left.lost, left.orphans, left.files, left.other].concat();
        row.survived += usize::from(all.is_empty());
        for word in all {
            let line = format!("{fault}, {which}: {word}");
            let _ = writeln!(std::io::stderr(), "{line}");
            self.faults.push(line);
        }
    }

    /// Returns how many tries there were.
    pub(crate) fn tries(&self) -> usize {
        self.rows.values().map(|row| row.tries).sum()
    }

    /// Returns the table as Markdown.
    pub(crate) fn text(&self) -> String {
        let mut text = "| fault | tries | survived | lost records | orphans | files left |\n\
                        |---|---|---|---|---|---|\n"
            .to_owned();
        let mut sum = Row::default();
        for (fault, row) in &self.rows {
            let Row { tries, survived, lost, orphans, files } = *row;
            let _ =
                writeln!(text, "| {fault} | {tries} | {survived} | {lost} | {orphans} | {files} |");
            sum.tries += tries;
            sum.survived += survived;
            sum.lost += lost;
            sum.orphans += orphans;
            sum.files += files;
        }
        let Row { tries, survived, lost, orphans, files } = sum;
        let _ = writeln!(text, "| all | {tries} | {survived} | {lost} | {orphans} | {files} |");
        text
    }

    /// Prints the table, and demands that nothing went wrong.
    pub(crate) fn demand(&self, seed: u64) {
        let text = self.text();
        let _ = writeln!(std::io::stderr(), "\nseed {seed}\n{text}");
        assert!(self.faults.is_empty(), "seed {seed}:\n{}", self.faults.join("\n"));
    }
}
