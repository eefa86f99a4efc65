//! What must hold of the record of a run, line by line, and of all that is made of it.
//!
//! A record that is read holds every planned check once, is never a success where it is cut, and
//! every report of it is calm; written as lines again, it is the same run.

use std::{collections::BTreeSet, io::Cursor, path::Path};

use verify_engine::record::read_from;
use verify_model::{finding::FindingCode, outcome::Outcome, run::Run, verdict::Verdict};
use verify_reports::{FORMATS, find};

use crate::shown::is_calm;

/// A small run of everything that a line can be; short, for a fuzzer.
const SEED: &str = include_str!("../seed.run.jsonl");

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let lines: Vec<&str> = SEED.lines().collect();
    let upto = |count: usize| lines[..count].join("\n").into_bytes();
    let mut seeds: Vec<Vec<u8>> = (1..lines.len()).map(upto).collect();
    seeds.push(SEED.as_bytes().to_vec());
    seeds
}

/// Tries bytes as a record.
pub(crate) fn lines(bytes: &[u8]) {
    let recorded = match read_from(Cursor::new(bytes), Path::new("tried.jsonl")) {
        Ok(recorded) => recorded,
        Err(error) => {
            assert!(error.to_string().starts_with("tried.jsonl"), "{error}");
            return;
        }
    };
    let run = &recorded.run;
    let keys: BTreeSet<_> = run.checks.iter().map(|check| check.planned.key()).collect();
    assert_eq!(keys.len(), run.checks.len(), "a check stands twice");
    for check in &run.checks {
        assert_eq!(check.verdict.key.check, check.planned.check.id);
    }
    assert!(run.exit_code() != 0 || run.complete, "a record that is cut is a success");
    assert!(run.exit_code() != 0 || !run.checks.is_empty(), "a run of nothing is a success");
    if run.exit_code() == 0 {
        let bad = run.verdicts().find(|verdict| !is_good(verdict));
        assert!(bad.is_none(), "a success in spite of {bad:?}");
    }
    demand_same(run);
    demand_calm(run);
}

/// Tells whether a run may be a success with this verdict in it.
fn is_good(verdict: &Verdict) -> bool {
    match verdict.outcome {
        Outcome::Pass | Outcome::Skip | Outcome::Blocked => true,
        Outcome::Fail => verdict.waiver.is_some(),
        Outcome::Unjudged => verdict.decided_by == Some(FindingCode::NoBaseline),
        Outcome::Error => false,
    }
}

/// Lines that are written of a run make the same run again.
fn demand_same(run: &Run) {
    let Some(Ok(written)) = find("jsonl").map(|format| format.render(run)) else {
        panic!("the record is not written as lines")
    };
    let again = read_from(Cursor::new(&written), Path::new("again.jsonl"));
    let again = again.unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(&written)));
    assert_eq!(&again.run, run);
}

/// Every format can be written, and holds nothing that a terminal obeys.
fn demand_calm(run: &Run) {
    for format in FORMATS {
        let name = format.spec().name;
        let bytes = format.render(run).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = String::from_utf8(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        // JSON escapes what it holds, for programs; a terminal sees the escape.
        assert!(is_calm(&text) || name == "jsonl" || name == "ocp", "{name}: {text:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_is_a_whole_run_of_all_six_outcomes() {
        let run = read_from(Cursor::new(SEED), Path::new("seed")).unwrap_or_else(|e| panic!("{e}"));
        assert!(run.run.complete && !run.torn, "{run:?}");
        let outcomes: BTreeSet<&str> = run.run.verdicts().map(|v| v.outcome.name()).collect();
        assert_eq!(outcomes.len(), 6, "{outcomes:?}");
    }
}
