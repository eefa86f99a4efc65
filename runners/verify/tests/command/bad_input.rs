//! What bad input gives: exit 2, a message on standard error that says what to do, nothing lost.
//!
//! Nothing is asked and nothing is recorded: an input that is wrong is found before the run.

use std::fs;

use crate::ground::{Ground, PASSES, Said, check, said, shell};

/// Demands a refusal with words on standard error, nothing on standard output and no new record.
#[track_caller]
fn refused(ground: &Ground, args: &[&str], words: &[&str]) -> Said {
    let before = ground.records();
    let said = ground.say(args).exits(2).complains(words);
    assert_eq!(said.out, "", "{args:?}");
    assert_eq!(ground.records(), before, "{args:?}");
    said
}

const RUN: [&str; 2] = ["--node", "box"];

#[test]
fn an_unknown_node_names_the_nodes_that_there_are() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    refused(&ground, &["--node", "elsewhere"], &["no node is named `elsewhere`", "nodes are: box"]);
}

#[test]
fn an_unreadable_suite_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::with(&[("a/one", PASSES)]);
    let path = ground.path("suites/things.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let Some(said) = ground.say_as_nobody(&RUN) else { return };
    said.exits(2).complains(&["cannot read", "things.toml", "check its permissions"]);
    assert_eq!(ground.records().len(), 0);
}

#[test]
fn a_suite_that_is_a_folder_or_a_dead_link_is_named() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::create_dir(ground.path("suites/folder.toml")).unwrap();
    std::os::unix::fs::symlink("nowhere", ground.path("suites/link.toml")).unwrap();
    refused(&ground, &RUN, &["cannot read", "folder.toml", "link.toml"]);
}

#[test]
fn a_binary_suite_is_no_text() {
    let ground = Ground::empty();
    ground.suite_text("things", b"[suite]\ntitle = \"\0\"\n");
    refused(&ground, &RUN, &["things.toml is not a text file: byte 17 is NUL", "TOML in UTF-8"]);
    ground.suite_text("things", b"[suite]\ntitle = \"\xff\"\n");
    refused(&ground, &RUN, &["things.toml is not UTF-8: byte 17 is wrong"]);
}

#[test]
fn ten_thousand_errors_are_counted_and_not_all_shown() {
    let ground = Ground::empty();
    let mut text = "[suite]\ntitle = \"Bad\"\nnodes = [\"box\"]\n".to_owned();
    for number in 0..10_000 {
        text += &check(&format!("a/n{number}"), &PASSES.replace("\"file\"", "\"fiel\""));
    }
    ground.suite_text("things", text);
    let said = refused(&ground, &RUN, &["10000 errors in suites/things.toml"]);
    said.complains(&[
        "unknown probe `fiel`",
        "did you mean `file`?",
        "more errors in suites/things",
    ]);
}

#[test]
fn every_error_of_every_file_is_said_at_once_with_its_line() {
    let ground = Ground::empty();
    ground.suite("one", &[("a/one", &format!("afer = []\n{PASSES}"))]);
    ground.suite("two", &[("a/two", "probe = \"file\"\nwith = { path = \"/\" }\nexpect = { size = { at-least = \"3 ms\" } }")]);
    ground.node("box", "roel = \"production\"");
    let said = refused(&ground, &RUN, &["3 errors in 3 files"]);
    said.complains(&["suites/one.toml:11", "did you mean `after`?", "suites/two.toml:13", "roel"]);
}

#[test]
fn a_circle_of_after_is_shown_as_one() {
    let ground = Ground::empty();
    let after = |id: &str| format!("after = [\"{id}\"]\n{PASSES}");
    ground.suite("things", &[("a/one", &after("a/two")), ("a/two", &after("a/one"))]);
    let words = ["`after` goes round in a circle", "a/one -> a/two -> a/one"];
    refused(&ground, &RUN, &words);
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_anything_is_asked() {
    let ground = Ground::empty();
    let asks = shell(&format!("touch {}", ground.text("asked")), "expect = { exit-code = 0 }");
    ground.suite("things", &[("a/one", &asks)]);
    fs::write(ground.path("file"), "").unwrap();
    for (report, word) in [
        ("junit=file/out.xml", "cannot write report file/out.xml"),
        ("junit=suites", "it is a folder; name a file"),
        ("junit=/proc/out.xml", "cannot write report /proc/out.xml"),
        ("junit=", "name a file behind it, as `junit=PATH`"),
        ("out.xml", "write `junit=out.xml` or"),
        ("out", "--report takes FORMAT=PATH"),
        ("junti=out.xml", "unknown report format `junti`; formats are:"),
    ] {
        refused(&ground, &["--node", "box", "--report", report], &[word]);
    }
    assert!(!ground.path("asked").try_exists().unwrap());
    assert!(!ground.path("out.xml").try_exists().unwrap());
}

#[test]
fn two_reports_to_one_file_are_refused() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let args = ["--node", "box", "--report", "junit=out", "--report", "jsonl=./out"];
    refused(&ground, &args, &["two reports"]);
}

#[test]
fn an_unknown_format_of_a_record_names_those_that_there_are() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.run(&[]).exits(0);
    let said = ["unknown report format `htm`; formats are: text, html, junit"];
    refused(&ground, &["report", "last", "--format", "htm"], &said);
}

/// Makes a run and leaves only the part of its record that `keep` returns.
fn damaged(keep: impl Fn(&str) -> String) -> Ground {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.run(&[]).exits(0);
    let record = ground.records()[0].clone();
    let text = fs::read_to_string(&record).unwrap();
    fs::write(record, keep(&text)).unwrap();
    ground
}

const REPLAY: [&str; 4] = ["--node", "box", "--via", "replay:last"];

#[test]
fn a_record_with_a_torn_line_is_not_replayed_but_shown_and_judged_as_errors() {
    let at = |text: &str| text.find("{\"event\":\"answered\"").unwrap() + 30;
    let ground = damaged(|text| text[..at(text)].to_owned());
    let lines = fs::read_to_string(&ground.records()[0]).unwrap().lines().count() - 1;
    let whole = format!("({lines} whole lines)");
    refused(&ground, &REPLAY, &["cannot replay", "the record ends in the middle", &whole]);
    let said = ground.say(&["judge", "last"]).exits(3);
    said.complains(&["the last line is torn"]).says(&["error a/one"]);
}

#[test]
fn a_record_without_its_end_is_not_replayed() {
    let ground = damaged(|text| text[..text.find("{\"event\":\"finished\"").unwrap()].to_owned());
    let lines = fs::read_to_string(&ground.records()[0]).unwrap().lines().count();
    refused(
        &ground,
        &REPLAY,
        &["the record ends in the middle", &format!("({lines} whole lines)")],
    );
}

#[test]
fn a_record_that_is_damaged_in_the_middle_is_refused_with_its_line() {
    let ground = damaged(|text| text.replacen("{\"event\":\"planned\"", "{\"event\":\"plane\"", 1));
    for args in [&REPLAY[..], &["judge", "last"], &["report", "last"]] {
        refused(&ground, args, &["run.jsonl:", "the record is damaged, restore it or run again"]);
    }
    ground.say(&["runs"]).exits(0).says(&["unreadable: "]);
}

#[test]
fn a_record_that_ends_before_the_plan_is_refused() {
    let ground = damaged(|text| text.split_inclusive('\n').take(2).collect());
    refused(&ground, &["judge", "last"], &["the record ends before the plan is complete"]);
    let ground = damaged(|_| String::new());
    refused(&ground, &["judge", "last"], &["no run `last`"]);
}

#[test]
fn a_record_of_a_later_format_is_refused() {
    let ground = damaged(|text| text.replacen("verify-run/1", "verify-run/9", 1));
    refused(&ground, &["judge", "last"], &["`verify-run/9`", "this version reads `verify-run/1`"]);
}

#[test]
fn what_is_no_record_is_refused() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::write(ground.path("notes.txt"), "a note\n").unwrap();
    refused(&ground, &["judge", "./notes.txt"], &["notes.txt:1: not a line of a run record"]);
    refused(&ground, &["judge", "./missing"], &["no run `./missing`", "`verify runs` lists them"]);
    refused(&ground, &["judge", "last"], &["no run `last`"]);
}

#[test]
fn a_root_that_is_none_is_refused() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::create_dir(ground.path("empty")).unwrap();
    for root in ["empty", "missing"] {
        let args = ["--root", root, "--node", "box"];
        refused(&ground, &args, &[&format!("{root} is not a root"), "`suites/`"]);
    }
}

#[test]
fn a_way_that_is_none_is_refused() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    refused(&ground, &["--node", "box", "--via", "smoke"], &["unknown way `smoke`", "replay:RUN"]);
}

#[test]
fn a_place_for_records_that_is_none_is_refused_before_anything_is_asked() {
    let ground = Ground::empty();
    let asks = shell(&format!("touch {}", ground.text("asked")), "expect = { exit-code = 0 }");
    ground.suite("things", &[("a/one", &asks)]);
    let mut command = ground.command(&RUN);
    let said = said(command.env("VERIFY_STATE", "/proc/none")).exits(2);
    assert_eq!(said.complains(&["the run cannot be recorded"]).out, "");
    assert!(!ground.path("asked").try_exists().unwrap());
}

#[test]
fn a_place_for_records_that_is_relative_is_refused() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let mut command = ground.command(&RUN);
    said(command.env("VERIFY_STATE", "state")).exits(2).complains(&["VERIFY_STATE", "absolute"]);
}
