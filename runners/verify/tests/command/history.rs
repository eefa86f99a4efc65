//! What recorded runs say over time, and that no run depends on being able to say it.

use std::{
    fs,
    process::{Child, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::ground::{Ground, PASSES, shell};

/// A check that measures how long it takes, and one that reads a number.
fn ground() -> Ground {
    let ground = Ground::empty();
    let spawn = shell("true", "expect = { elapsed = { at-most = \"60 s\" } }");
    ground.suite("things", &[("time/spawn", &spawn), ("a/passes", PASSES)]);
    ground
}

fn runs(ground: &Ground, count: usize) {
    for _ in 0..count {
        ground.run(&[]).exits(0);
    }
}

/// Copies a record under ids that sort behind it, each with another start, node and value.
fn copies(ground: &Ground, count: u32) {
    let record = fs::read_to_string(&ground.records()[0]).unwrap();
    let id = record.split("\"id\":\"").nth(1).unwrap()[..26].to_owned();
    for number in 0..count {
        let other = format!("7Z{number:024}");
        let folder = ground.path(&format!("state/runs/{other}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("run.jsonl"), record.replace(&id, &other)).unwrap();
    }
}

#[test]
fn every_run_is_in_the_history_and_a_metric_has_a_course_and_a_table() {
    let ground = ground();
    ground.say(&["history"]).exits(0).says(&["no run is recorded yet"]);
    runs(&ground, 3);
    assert!(ground.path("state/history.sqlite").try_exists().unwrap());
    ground.say(&["history"]).exits(0).says(&["time/spawn on box", "elapsed", "3 values"]);
    let page = ground.say(&["history", "time/*", "--ascii"]).exits(0);
    let page = page.says(&["time/spawn:elapsed on box, lower is better", "3 values", "when (UTC)"]);
    assert_eq!(page.out.lines().filter(|line| line.ends_with("  pass")).count(), 3);
    assert!(page.out.is_ascii() && page.out.lines().all(|line| line.chars().count() <= 80));
    let drawn = ground.say(&["history", "time/spawn:elapsed", "--last", "2"]);
    drawn.exits(0).says(&["the newest 2 values"]);
    let mut command = ground.command(&["history", "time/spawn"]);
    let drawn = crate::ground::said(command.env("LC_ALL", "C.UTF-8"));
    assert!(drawn.out.contains(['▁', '▄', '█']), "{}", drawn.out);
}

#[test]
fn what_was_simulated_or_replayed_is_left_out_aloud() {
    let ground = ground();
    runs(&ground, 2);
    ground.run(&["--via", "replay:last"]).exits(0);
    ground.say(&["history", "time/spawn"]).exits(0).says(&["2 values", "left out: 1 replayed"]);
    let all = ground.say(&["history", "time/spawn", "--all"]).exits(0);
    all.says(&["3 values", "pass, replayed", "asked: local -> replay of"]);
}

#[test]
fn what_is_named_wrongly_is_exit_2_with_what_there_is() {
    let ground = ground();
    runs(&ground, 1);
    for (args, words) in [
        (vec!["nope"], "no metric is named `nope`; there are: time/spawn:elapsed"),
        (vec!["--node", "nope"], "no value of node `nope`; there are: box"),
        (vec!["--since", "soon"], "--since `soon` is no day: expected one such as"),
        (vec!["[", "x"], "is not a pattern"),
        (vec!["--last", "0", "x"], "0 is not in 1..="),
    ] {
        let said = ground.say(&[vec!["history"], args].concat()).exits(2);
        said.complains(&[words]);
    }
}

#[test]
fn pruned_runs_leave_and_what_is_missing_is_read_from_the_records() {
    let ground = ground();
    runs(&ground, 3);
    ground.say(&["runs", "prune", "--keep", "2"]).exits(0);
    ground.say(&["history"]).exits(0).says(&["2 values"]);
    fs::remove_file(ground.path("state/history.sqlite")).unwrap();
    ground.say(&["history"]).exits(0).says(&["2 values"]);
    ground.say(&["history", "rebuild"]).exits(0).says(&["2 runs are in the index"]);
}

#[test]
fn a_record_that_cannot_be_read_is_named() {
    let ground = ground();
    runs(&ground, 2);
    fs::write(&ground.records()[0], "\u{1b}[31mred\n").unwrap();
    let rebuilt = ground.say(&["history", "rebuild"]).exits(0);
    let rebuilt =
        rebuilt.says(&["1 runs are in the index", "not read: ", "not a line of a run record"]);
    assert!(!rebuilt.out.contains('\u{1b}'));
    let shown = ground.say(&["history"]).exits(0).says(&["1 value"]);
    shown.complains(&["warning: records that cannot be read are left out: 1"]);
}

#[test]
fn a_run_that_cannot_be_indexed_has_the_same_exit_code_and_one_warning() {
    let ground = ground();
    fs::create_dir_all(ground.path("state/history.sqlite/x")).unwrap();
    let said = ground.run(&[]).exits(0);
    let warnings = said.err.lines().filter(|line| line.starts_with("warning:")).count();
    assert_eq!(warnings, 1, "{}", said.err);
    said.complains(&["the run is recorded, but not in the index of runs"]);
    let shown = ground.say(&["history"]).exits(0).says(&["1 value"]);
    shown.complains(&["the records are read for this once, without an index"]);
    ground
        .say(&["history", "rebuild"])
        .exits(3)
        .complains(&["the index of runs cannot be written"]);
}

#[test]
fn a_folder_that_is_read_only_is_asked_all_the_same() {
    let ground = ground();
    runs(&ground, 1);
    let Some(said) = ground.say_as_nobody(&["history"]) else { return };
    // The records are their user's alone, so somebody else sees that there are none for him.
    assert!(matches!(said.code, Some(0 | 2)), "{said:?}");
}

#[test]
fn damage_is_said_once_and_a_rebuild_that_was_killed_goes_on() {
    let ground = ground();
    runs(&ground, 1);
    copies(&ground, 40);
    let index = ground.path("state/history.sqlite");
    // What the journal holds whole is not lost with the file.
    fs::write(&index, "this is no database at all, no, it is not").unwrap();
    assert_eq!(ground.say(&["history"]).exits(0).says(&["41 values"]).err, "");
    fs::write(&index, "this is no database at all, no, it is not").unwrap();
    fs::remove_file(ground.path("state/history.sqlite-wal")).unwrap();
    let shown = ground.say(&["history"]).exits(0).says(&["41 values"]);
    shown.complains(&[
        "warning: the index of runs is damaged",
        "history.sqlite.corrupt-1, built anew",
    ]);
    assert_eq!(ground.say(&["history"]).exits(0).err, "");
    let mut rebuilding: Vec<Child> = (0..3)
        .map(|_| {
            let mut command = ground.command(&["history", "rebuild"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    // Wherever it is at the moment.
    let first = Pid::from_raw(rebuilding[0].id().try_into().unwrap()).unwrap();
    let _ = kill_process(first, Signal::KILL);
    rebuilding[0].wait().unwrap();
    for other in &mut rebuilding[1..] {
        assert!(other.wait().unwrap().success());
    }
    let shown = ground.say(&["history"]).exits(0).says(&["41 values"]);
    assert_eq!(shown.err, "");
}

#[test]
fn values_are_exported_with_units_and_no_formula() {
    let ground = ground();
    runs(&ground, 2);
    let record = fs::read_to_string(&ground.records()[0]).unwrap();
    let host =
        record.split("\"hostname\":\"").last().unwrap().split('"').next().unwrap().to_owned();
    let record =
        record.replace(&format!("\"hostname\":\"{host}\""), "\"hostname\":\"=cmd|'x'!A1\"");
    fs::write(&ground.records()[0], record).unwrap();
    ground.say(&["history", "rebuild"]).exits(0);
    let csv = ground.say(&["history", "export", "--format", "csv"]).exits(0).out;
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "a head, two values, an end: {csv}");
    assert!(lines[0].starts_with("started-at,run,node,machine"), "{csv}");
    assert!(lines[1].contains(",\"'=cmd|'x'!A1\","), "{csv}");
    ground.say(&["history", "export", "--format", "json", "time/*", "-o", "out.json"]).exits(0);
    let list: Value =
        serde_json::from_str(&fs::read_to_string(ground.path("out.json")).unwrap()).unwrap();
    let one = &list[1];
    assert_eq!(
        (one["check"].as_str(), one["better"].as_str()),
        (Some("time/spawn"), Some("lower"))
    );
    assert!(one["value"].as_f64().unwrap() > 0.0 && !one["unit"].as_str().unwrap().is_empty());
}

#[test]
fn changes_are_looked_for_and_what_cannot_be_judged_says_why() {
    let ground = ground();
    runs(&ground, 2);
    ground
        .say(&["history", "--changes"])
        .exits(0)
        .says(&["not judged:", "time/spawn:elapsed on box: fewer than six values of one kind"]);
    copies(&ground, 8);
    ground.say(&["history", "--changes"]).exits(0).says(&["no change:", "would show"]);
}

#[test]
fn trials_are_in_the_history_too() {
    let ground = ground();
    ground.say(&["test", "--node", "box"]).exits(0);
    ground.say(&["history"]).exits(0).says(&["1 value"]);
}
