//! Whether libtest shows what `verify run` says: names, what is asked, and never a skip as a pass.

use std::{io::Write as _, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ground::{ERRS, FAILS, Ground, PASSES, SKIPS, Said, of_kind, outcomes, said, shell},
    pipe::Pipe,
};

fn test(ground: &Ground, libtest: &[&str]) -> Said {
    let mut args = vec!["test", "--node", "box", "--"];
    args.extend(libtest);
    ground.say(&args)
}

/// Asks for one trial as nextest does.
fn nextest(ground: &Ground, name: &str, more: &[&str]) -> Said {
    let mut command = ground.command(&["test", "--node", "box", "--allow-none", "--"]);
    command.args([name, "--nocapture", "--exact"]).args(more);
    said(command.env("NEXTEST", "1"))
}

fn after(id: &str) -> String {
    format!("after = [\"{id}\"]\n{PASSES}")
}

fn loads(line: &str) -> String {
    let asks = shell(line, "expect = { exit-code = 0 }");
    asks.replace("with = {", "with = { effect = \"loads\",")
}

fn asked(ground: &Ground) -> Vec<String> {
    outcomes(&ground.last()).into_iter().map(|(id, _)| id).collect()
}

/// Excuses a check on node `box`.
fn waive(ground: &Ground, check: &str) {
    let text = format!(
        "[[waiver]]\ncheck = \"{check}\"\nreason = \"On order.\"\nowner = \"ops\"\nexpires = \"2999-12-31\""
    );
    ground.node("box", &text);
}

#[test]
fn names_are_ids_and_what_loads_says_so() {
    let ground = Ground::with(&[("a/one", PASSES), ("a/skips", SKIPS), ("b/two", &loads("true"))]);
    let listed = test(&ground, &["--list", "--format", "terse"]).exits(0);
    assert_eq!(listed.out, "a/one: test\na/skips: test\nload::b/two: test\n");
    let ignored = test(&ground, &["--list", "--format", "terse", "--ignored"]).exits(0);
    assert_eq!(ignored.out, "a/skips: test\n");
    assert!(ground.records().is_empty(), "a list asks nothing");
}

#[test]
fn names_of_several_nodes_begin_with_the_node() {
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", &loads("true"))]);
    ground.node("other", "");
    let suite = std::fs::read_to_string(ground.path("suites/things.toml")).unwrap();
    ground.suite_text("things", suite.replace("[\"box\"]", "[\"box\", \"other\"]"));
    let said = ground.say(&["test", "--node", "box,other", "--", "--list"]).exits(0);
    let names =
        "box::a/one: test\nload::box::a/two: test\nother::a/one: test\nload::other::a/two: test\n";
    assert_eq!(said.out, names);
    let said = ground.say(&["test", "--node", "box,other", "--", "other::"]).exits(101);
    said.says(&[
        "test other::a/one ... FAILED",
        "test load::other::a/two ... ok",
        "2 filtered out",
    ]);
    assert_eq!(of_kind(&ground.last(), "node").len(), 1, "nobody wanted anything of box");
}

#[test]
fn two_checks_of_one_name_are_refused() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.node("box", "has = [\"tool:no-such+\", \"tool:no-such-\"]");
    let said = test(&ground, &["--list"]).exits(2);
    said.complains(&["two checks are called `has/tool-no-such-`"]);
}

#[test]
fn a_trial_whose_line_has_begun_is_not_interrupted_by_progress() {
    let ground = Ground::with(&[("b/two", &loads("true"))]);
    let said = test(&ground, &["--test-threads", "1"]).exits(0);
    assert!(!said.err.contains("asking") && said.out.contains("test load::b/two ... ok"));
    test(&ground, &["--test-threads", "2"]).exits(0).complains(&["asking b/two"]);
}

#[test]
fn a_filter_chooses_and_what_that_is_after_is_asked_once() {
    let file = "probe = \"command\"\nwith = { argv = [\"sh\", \"-c\", \"echo x >> asked\"] }\nexpect = { exit-code = 0 }";
    let ground = Ground::empty();
    let file = file.replace("asked", &ground.text("asked"));
    let checks =
        [("a/first", file.as_str()), ("b/two", &after("a/first")), ("b/three", &after("a/first"))];
    ground.suite("things", &checks);
    test(&ground, &["b/"]).exits(0).says(&["running 2 tests", "2 passed", "1 filtered out"]);
    assert_eq!(asked(&ground), ["a/first", "b/two", "b/three"]);
    assert_eq!(std::fs::read_to_string(ground.path("asked")).unwrap(), "x\n");
    test(&ground, &["b/t", "--skip", "three"]).exits(0).says(&["1 passed", "2 filtered out"]);
    let two = test(&ground, &["b/two", "a/first", "--exact"]).exits(0);
    two.says(&["2 passed", "1 filtered out"]);
    assert_eq!(test(&ground, &["three", "first", "--list"]).exits(0).out.lines().count(), 2);
    test(&ground, &["b/two", "--exact"]).exits(0).says(&["1 passed"]);
    test(&ground, &["b", "--exact", "--test-threads", "1"]).exits(4).says(&["running 0 tests"]);
}

#[test]
fn what_cannot_be_asked_is_ignored_and_never_ok() {
    let chain = after("a/skips");
    let ground = Ground::with(&[("a/one", PASSES), ("a/skips", SKIPS), ("a/waits", &chain)]);
    let said = test(&ground, &[]).exits(0);
    said.says(&[
        "test a/skips ... ignored",
        "test a/waits ... ignored",
        "1 passed; 0 failed; 2 ign",
    ])
    .complains(&[
        "ignored a/skips: skip: needs `tool:",
        "waits for a/skips",
        "1 pass · 0 fail",
    ]);
    for how in ["--ignored", "--include-ignored"] {
        let said = test(&ground, &[how]).exits(101);
        said.says(&["test a/skips ... FAILED", "--- skip: needs `tool:", "--- skip: waits for"]);
    }
    let said = test(&ground, &["--format", "json"]).exits(0);
    // JSON has no place for the reason.
    let json = said.complains(&["ignored a/skips: skip: needs `tool:"]).out;
    assert!(json.contains("\"name\": \"a/skips\", \"event\": \"ignored\""), "{json}");
}

#[test]
fn a_run_that_answers_nothing_is_no_success_unless_cargo_filtered_it() {
    let ground = Ground::with(&[("a/one", PASSES), ("b/skips", SKIPS)]);
    for args in [&["b/"][..], &["no-such-check"], &["--skip", "a/"], &["--bench"]] {
        test(&ground, args).exits(4).complains(&["nothing was answered"]);
        let mut command = ground.command(&["test", "--node", "box", "--allow-none", "--"]);
        said(command.args(args)).exits(0);
        let mut command = ground.command(&["test", "--node", "box", "--allow-none", "--"]);
        said(command.args(args).env("NEXTEST", "1")).exits(4);
    }
    ground.suite("things", &[("b/skips", SKIPS)]);
    ground.say(&["test", "--node", "box", "--allow-none"]).exits(4).says(&["1 ignored"]);
}

#[test]
fn a_failure_says_what_verify_run_says_with_the_outcome_first() {
    let ground = Ground::with(&[("a/fails", FAILS), ("b/errs", ERRS)]);
    let said = test(&ground, &[]).exits(101);
    said.says(&[
        "---- a/fails ---- fail: exists: no expected, yes observed",
        "check a/fails on box: Title of a/fails",
        "expected exists: no",
        "observed yes",
        "why Why of a/fails.",
        "next Fix of a/fails.",
        "source Source of a/fails",
        "where suites/things.toml:",
        "---- b/errs ---- error: ",
        "no-such-program-of-verify",
    ]);
    ground.say(&["report", "last"]).exits(0).says(&["1 fail", "1 error", "fail a/fails"]);
    assert_eq!(ground.last().last().unwrap()["exit"], 1, "the record is that of `verify run`");
}

#[test]
fn words_of_a_node_reach_libtest_clean() {
    let line = "printf \"\\033[31mred\\033]0;title\\007\\r\\302\\233mx\"";
    let expect = "expect = { stdout = \"other\" }";
    let ground = Ground::with(&[("a/one", &shell(line, expect))]);
    for format in ["pretty", "json"] {
        let said = test(&ground, &["--format", format, "--color", "never"]).exits(101);
        let text = format!("{}{}", said.out, said.err);
        assert!(text.contains("red") && !text.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{text:?}");
        assert!(!text.contains("u001b") && !text.contains("u0007"), "{text:?}");
    }
}

#[test]
fn what_is_blocked_is_ignored_where_its_cause_is_shown_and_fails_elsewhere() {
    let ground = Ground::with(&[("a/fails", FAILS), ("b/waits", &after("a/fails"))]);
    let said = test(&ground, &[]).exits(101);
    said.says(&["test b/waits ... ignored (blocked: ", "1 failed; 1 ignored"]);
    let said = test(&ground, &["b/"]).exits(101);
    said.says(&["test b/waits ... FAILED", "---- b/waits ---- blocked: ", "a/fails"]);
    nextest(&ground, "b/waits", &[]).exits(101).says(&["---- b/waits ---- blocked: "]);
    nextest(&ground, "a/fails", &[]).exits(101).says(&["---- a/fails ---- fail: "]);
    assert_eq!(ground.records().len(), 2, "nextest leaves none");
}

#[test]
fn a_skip_found_only_while_it_runs_fails_under_nextest() {
    // What blocks is excused, so `verify run` exits 0.
    let ground =
        Ground::with(&[("a/fails", FAILS), ("b/waits", &after("a/fails")), ("c/one", PASSES)]);
    waive(&ground, "a/fails");
    ground.run(&[]).exits(0);
    let said = test(&ground, &[]).exits(0);
    said.says(&["test a/fails ... ignored (waived: ", "test b/waits ... ignored (blocked: "]);
    test(&ground, &["b/"]).exits(4);
    nextest(&ground, "b/waits", &[]).exits(101).says(&["blocked: "]);
}

#[test]
fn what_a_waiver_excuses_is_known_when_nextest_lists() {
    let ground = Ground::with(&[("a/fails", FAILS), ("b/one", PASSES)]);
    waive(&ground, "a/fails");
    let mut command = ground.command(&["test", "--node", "box", "--", "--list", "--ignored"]);
    assert_eq!(said(command.env("NEXTEST", "1")).exits(0).out, "a/fails: test\n");
    assert_eq!(test(&ground, &["--list", "--ignored"]).exits(0).out, "");
    nextest(&ground, "a/fails", &["--ignored"]).exits(101).says(&["---- waived: by ops until"]);
    // Listed before, gone since: never a pass.
    nextest(&ground, "a/fails", &[]).exits(4);
    nextest(&ground, "a/gone", &[]).exits(4);
    nextest(&ground, "b/one", &[]).exits(0).says(&["test b/one ... ok"]);
}

#[test]
fn what_has_no_baseline_is_not_ok() {
    let within = "probe = \"command\"\nwith = { argv = [\"true\"] }\nrepeat = 2\nexpect = { elapsed = { within = \"50 %\" } }";
    let ground = Ground::with(&[("a/new", within)]);
    ground.run(&[]).exits(0);
    test(&ground, &[]).exits(0).says(&["test a/new ... ignored (unjudged: "]);
    let said = ground.say(&["test", "--node", "box", "--require-baseline"]).exits(101);
    said.says(&["---- a/new ---- unjudged: "]);
    nextest(&ground, "a/new", &[]).exits(101).says(&["---- a/new ---- unjudged: "]);
}

#[test]
fn checks_that_load_run_alone_whatever_the_number_of_threads() {
    let ground = Ground::empty();
    let (lock, busy) = (ground.text("lock"), "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done");
    let takes = format!("mkdir {lock} || exit 9; {busy}; rmdir {lock}");
    let looks = shell(&format!("! test -e {lock}"), "expect = { exit-code = 0 }");
    let loads = loads(&takes);
    let checks: Vec<(String, &str)> = (0..3)
        .flat_map(|n| [(format!("a/loads{n}"), loads.as_str()), (format!("a/looks{n}"), &looks)])
        .collect();
    let checks: Vec<(&str, &str)> =
        checks.iter().map(|(id, lines)| (id.as_str(), *lines)).collect();
    ground.suite("things", &checks);
    test(&ground, &["--test-threads", "6"])
        .exits(0)
        .says(&["6 passed", "test load::a/loads2 ... ok"]);
    let at = |line: &serde_json::Value, name: &str| line[name].as_u64().unwrap();
    let lines = ground.last();
    let mut spans: Vec<(u64, u64)> = of_kind(&lines, "evidence")
        .into_iter()
        .filter(|line| line["ask"].to_string().contains("mkdir"))
        .map(|line| (at(line, "at-ms"), at(line, "at-ms") + at(line, "elapsed-us") / 1000))
        .collect();
    spans.sort_unstable();
    assert!(spans.len() == 3 && spans.windows(2).all(|two| two[0].1 <= two[1].0), "{spans:?}");
}

#[test]
fn what_libtest_or_verify_does_not_know_exits_2_before_anything_is_asked() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    for args in [&["--report-time"][..], &["--shuffle"], &["--format", "junit"]] {
        assert_eq!(test(&ground, args).exits(2).out, "", "{args:?}");
    }
    let unknown = ground.say(&["test", "--node", "box", "--check", "a/on"]).exits(2);
    unknown.complains(&["did you mean `a/one`?"]);
    test(&ground, &["--logfile", &ground.text("no/such/folder")]).exits(2).complains(&["log file"]);
    ground.say(&["test", "--node", "box", "a/one"]).exits(2);
    assert!(ground.records().is_empty());
    test(&ground, &["--no-capture"]).exits(0).says(&["1 passed"]);
    test(&ground, &["--help"]).exits(0).says(&["--test-threads", "--skip"]);
}

#[test]
fn the_log_file_holds_what_the_terminal_would() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    assert_eq!(test(&ground, &["--logfile", &ground.text("log")]).exits(0).out, "");
    assert!(std::fs::read_to_string(ground.path("log")).unwrap().contains("test a/one ... ok"));
}

#[test]
fn a_reader_that_leaves_or_a_full_disk_change_no_answer() {
    let ground = Ground::with(&[("a/one", FAILS), ("a/two", PASSES)]);
    for (filter, code) in [("a/one", 101), ("a/two", 0)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = ground.command(&["test", "--node", "box", "--", filter]);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{err}");
        assert!(!err.contains("panicked"), "{err}");
    }
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        writeln!(std::io::stderr(), "skipped: needs /dev/full").unwrap();
        return;
    };
    let mut command = ground.command(&["test", "--node", "box", "--", "a/two"]);
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn ctrl_c_ends_what_runs_and_exits_130() {
    let ground = Ground::empty();
    let pipe = Pipe::new(&ground, "pipe");
    let long = loads(&format!("{} exec sleep 900", pipe.opened()));
    ground.suite("things", &[("a/one", PASSES), ("b/long", &long)]);
    let mut command = ground.command(&["test", "--node", "box"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    pipe.line();
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    pipe.ends();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{out}");
    assert!(out.contains("a/one        ... ok") && out.contains("error: "), "{out}");
    assert_eq!(ground.last().last().unwrap()["exit"], 130);
}

#[test]
fn a_record_that_is_not_wanted_is_not_made() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.say(&["test", "--node", "box", "--no-record"]).exits(0).says(&["1 passed"]);
    assert!(ground.records().is_empty());
}
