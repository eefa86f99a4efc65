//! What must hold of a record, whatever became of its run.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::ground::Ground;

/// Says how many whole lines a record has at the moment.
pub(crate) fn lines(path: &Path) -> usize {
    fs::read(path).unwrap_or_default().split(|byte| *byte == b'\n').skip(1).count()
}

/// Checks one record; says what is lost.
///
/// A run that was killed before its plan was written asked nothing, and its record says no more.
pub(crate) fn lost(ground: &Ground, path: &Path, at_least: usize) -> Option<String> {
    let bytes = fs::read(path).unwrap_or_default();
    let whole: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let mut events = Vec::new();
    for line in whole.iter().filter(|line| line.ends_with(b"\n")) {
        match serde_json::from_slice::<Value>(line) {
            Ok(event) => events.push(event),
            Err(error) => return Some(format!("a line is none: {error}")),
        }
    }
    if events.len() < at_least {
        return Some(format!("{} lines, and there were {at_least}", events.len()));
    }
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    let key = |event: &Value| format!("{} {}", event["node"], event["check"]["id"]);
    let planned: Vec<String> =
        events.iter().filter(|event| event["event"] == "planned").map(key).collect();
    if planned.iter().collect::<BTreeSet<_>>().len() != planned.len() {
        return Some(format!("planned twice: {planned:?}"));
    }
    let id = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let shown = ground.say(&["report", id, "--format", "jsonl"]);
    let judged = ground.say(&["judge", id]);
    if named("plan-ready") == 0 {
        let asked = ["attempted", "verdict", "evidence"].map(named).iter().sum::<usize>();
        let says = shown.err.contains("nothing was asked");
        return (asked > 0 || !says).then(|| format!("without a plan: {}", shown.err));
    }
    if shown.code != Some(0) {
        return Some(format!("report: {:?} {}", shown.code, shown.err));
    }
    if !matches!(judged.code, Some(0 | 1 | 3 | 130)) {
        return Some(format!("judge: {:?} {}", judged.code, judged.err));
    }
    let verdicts = shown.out.lines().filter(|line| line.contains("\"event\":\"verdict\"")).count();
    // What a node adds to the plan comes before any of it is answered.
    (verdicts != planned.len()).then(|| format!("{verdicts} verdicts of {} planned", planned.len()))
}
