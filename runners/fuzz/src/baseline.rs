//! What must hold of the two files of a baseline: the ledger of units and its summary.
//!
//! A ledger that is read is written back as one that says the same. A summary is believed only
//! where it says what the ledger gives.

use std::{fs, path::PathBuf, sync::OnceLock};

use verify_engine::{
    baseline::{Ledger, Summary},
    load::diagnostic::Source,
    outside,
};

use crate::file::demand_place;

/// Returns the shipped files of one ending, by name.
fn shipped(ending: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../baselines/nvidia-sim");
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    paths.sort();
    paths.iter().filter_map(|path| fs::read(path).ok()).collect()
}

pub(crate) fn ledgers() -> Vec<Vec<u8>> {
    // One line says as much of the format as a file.
    let whole = shipped(".runs.jsonl");
    let lines = whole.iter().flat_map(|file| file.split_inclusive(|byte| *byte == b'\n').take(2));
    lines.map(<[u8]>::to_vec).collect()
}

pub(crate) fn summaries() -> Vec<Vec<u8>> {
    shipped(".toml")
}

/// Tries a text as a ledger.
pub(crate) fn ledger(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let ledger = match Ledger::parse(&Source::new("tried.runs.jsonl", text)) {
        Ok(ledger) => ledger,
        Err(error) => return demand_place(&error, "tried.runs.jsonl", text),
    };
    let rendered = ledger.render();
    let again = Ledger::parse(&Source::new("again.runs.jsonl", rendered.as_str()));
    let again = again.unwrap_or_else(|e| panic!("{}", e.render(false)));
    assert_eq!(again, ledger, "{rendered}");
    assert_eq!(again.render(), rendered);
    let summary = Summary::of(&ledger);
    let written = summary.render("");
    let agreed = outside::agrees(&Source::new("again.toml", written.as_str()), &summary);
    agreed.unwrap_or_else(|e| panic!("{}\n{written}", e.render(false)));
    let mut both = ledger.clone();
    assert_eq!(both.union(&ledger).ok(), Some(0), "a ledger contradicts itself");
    let mut trimmed = ledger.clone();
    trimmed.trim();
    assert_eq!(Summary::of(&trimmed).check.len(), summary.check.len());
}

/// Tries a text as the summary of a shipped ledger.
pub(crate) fn summary(bytes: &[u8]) {
    static SUMMARIES: OnceLock<Vec<Summary>> = OnceLock::new();
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let known = SUMMARIES.get_or_init(|| {
        let texts = shipped(".runs.jsonl").into_iter().filter_map(|b| String::from_utf8(b).ok());
        let read = texts.filter_map(|text| Ledger::parse(&Source::new("shipped", text)).ok());
        read.map(|ledger| Summary::of(&ledger)).collect()
    });
    // The one whose checks it names; a text that names none is no summary of any.
    let named = |summary: &&Summary| summary.check.iter().any(|check| text.contains(&check.id));
    let Some(known) = known.iter().find(named).or_else(|| known.first()) else { return };
    match outside::agrees(&Source::new("tried.toml", text), known) {
        // What is believed is written anew and says the same.
        Ok(()) => {
            let anew = known.render(text);
            let still = outside::agrees(&Source::new("anew.toml", anew.as_str()), known);
            still.unwrap_or_else(|e| panic!("{}\n{anew}", e.render(false)));
        }
        Err(error) => demand_place(&error, "tried.toml", text),
    }
}
