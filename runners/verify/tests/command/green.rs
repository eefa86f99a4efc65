//! What once looked green and was not: each test is an input that a reviewer found.

use std::fs;

use crate::ground::{FAILS, Ground, PASSES, of_kind, shell};

#[test]
fn a_program_that_failed_says_nothing_by_what_it_left_out() {
    for demand in [
        "expect = { lines = { count = { at-most = 0 } } }",
        "expect = { elapsed = { at-most = \"10 s\" } }",
        "expect = { stdout = { matches = \"^$\" } }",
        "record = [\"stdout\"]",
    ] {
        let ground =
            Ground::with(&[("a/one", &shell("echo no right to read >&2; exit 2", demand))]);
        ground.run(&[]).exits(3).says(&["error a/one", "exit status 2"]);
    }
}

#[test]
fn output_that_was_still_open_is_not_taken_for_whole() {
    let line = "(sleep 600; echo late) & echo fine";
    let ground = Ground::with(&[("a/one", &shell(line, "expect = { stdout = \"fine\" }"))]);
    ground.run(&[]).exits(3).says(&["error a/one", "left out"]);
}

#[test]
fn state_from_before_a_change_does_not_answer_for_after() {
    let ground = Ground::empty();
    let file = ground.text("there");
    fs::write(&file, "x").unwrap();
    let asks = |rest: &str| format!("probe = \"file\"\nwith = {{ path = \"{file}\" }}\n{rest}");
    let removes = format!(
        "after = [\"a/before\"]\nprobe = \"command\"\nwith = {{ argv = [\"rm\", \"{file}\"], effect = \"mutates\" }}\nexpect = {{ exit-code = 0 }}"
    );
    let checks = [
        ("a/before", asks("expect = { exists = true }")),
        ("a/removes", removes),
        ("a/gone", asks("after = [\"a/removes\"]\nexpect = { exists = true }")),
    ];
    let checks: Vec<(&str, &str)> =
        checks.iter().map(|(id, lines)| (*id, lines.as_str())).collect();
    ground.suite("things", &checks);
    ground.run(&["--allow-mutation"]).exits(1).says(&["pass a/before", "fail a/gone"]);
}

#[test]
fn a_need_that_nobody_looked_for_is_an_error_and_no_skip() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.run(&[]).exits(0);
    ground.suite("things", &[("a/one", &format!("when = [\"tool:true\"]\n{PASSES}"))]);
    ground.run(&["--via", "replay:last"]).exits(3).says(&["error a/one", "not known"]);
}

#[test]
fn a_node_of_which_nothing_would_be_asked_is_refused() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.node("idle", "");
    let said = ground.say(&["--node", "box,idle", "--via", "local"]).exits(2);
    said.complains(&["no check for node idle is selected"]);
    assert_eq!(ground.records().len(), 0);
}

#[test]
fn fail_fast_stops_every_node() {
    let ground = Ground::with(&[("a/one", FAILS)]);
    ground.node("other", "");
    let suite = fs::read_to_string(ground.path("suites/things.toml")).unwrap();
    ground.suite_text("more", suite.replace("\"box\"", "\"other\""));
    let said = ground.say(&["--node", "box,other", "--via", "local", "--fail-fast"]).exits(1);
    said.says(&["fail a/one", "skipped 1: an earlier check failed"]);
    assert_eq!(of_kind(&ground.last(), "attempted").len(), 1);
}

#[test]
fn a_report_goes_through_a_link_and_never_replaces_a_pipe_or_device() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::write(ground.path("real.xml"), "old").unwrap();
    std::os::unix::fs::symlink("real.xml", ground.path("link.xml")).unwrap();
    ground.run(&["--report", &format!("junit={}", ground.text("link.xml"))]).exits(0);
    assert!(ground.path("link.xml").is_symlink());
    assert!(fs::read_to_string(ground.path("real.xml")).unwrap().contains("<testsuites"));
    let said = ground.run(&["--report", "junit=/dev/stdout"]).exits(0);
    said.says(&["<testsuites", "pass a/one"]);
}

#[test]
fn words_of_a_node_are_cleaned_wherever_they_are_shown() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.run(&[]).exits(0);
    let record = ground.records()[0].clone();
    let text = fs::read_to_string(&record).unwrap();
    let at = text.find("\"hostname\":\"").unwrap() + "\"hostname\":\"".len();
    let hostile = format!("{}\\u001b[31m\\u001b]0;x\\u0007\\u009b1m{}", &text[..at], &text[at..]);
    fs::write(record, hostile).unwrap();
    for args in [["runs"].as_slice(), &["report", "last"], &["judge", "last"]] {
        let said = ground.say(args);
        let said = format!("{}{}", said.out, said.err);
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{args:?}: {said:?}");
    }
}

#[test]
fn a_command_line_that_is_not_text_is_recorded_all_the_same() {
    use std::os::unix::ffi::OsStrExt;
    let ground = Ground::with(&[("a/one", PASSES)]);
    let odd = ground.path("").join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    std::os::unix::fs::symlink(".", &odd).unwrap();
    let mut command = ground.command(&["--node", "box"]);
    let output = command.arg("--root").arg(&odd).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let started = ground.last()[0].clone();
    assert!(started["command"].to_string().contains("odd\u{fffd}"), "{started}");
}

#[test]
fn a_promise_that_no_check_needs_is_kept_or_fails() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.node("box", "has = [\"tool:no-such-program-of-verify\"]");
    ground.run(&[]).exits(1).says(&["fail has/tool-no-such-program-of-verify", "pass a/one"]);
    ground.node("box", "has = [\"tool:true\"]");
    ground.run(&[]).exits(0);
}

#[test]
fn a_report_to_standard_output_adds_to_the_file_behind_it() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::write(ground.path("log.txt"), "first\n").unwrap();
    let log = fs::OpenOptions::new().append(true).open(ground.path("log.txt")).unwrap();
    let mut command = ground.command(&["--node", "box", "--report", "junit=/dev/stdout"]);
    assert!(command.stdout(log).stderr(std::process::Stdio::null()).status().unwrap().success());
    let text = fs::read_to_string(ground.path("log.txt")).unwrap();
    assert!(
        text.starts_with("first\n") && text.contains("pass") && text.contains("<testsuites"),
        "{text}"
    );
}

#[test]
fn a_report_to_a_pipe_that_nobody_reads_is_said_and_not_waited_for() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let fifo = ground.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let said = ground.run(&["--report", &format!("junit={}", fifo.display())]).exits(3);
    said.says(&["pass a/one"]).complains(&["cannot write"]);
}

#[test]
fn two_reports_to_one_file_by_a_link_and_a_folder_to_be_are_refused() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    std::os::unix::fs::symlink("a.xml", ground.path("l.xml")).unwrap();
    let [a, l] = ["a.xml", "l.xml"].map(|name| ground.text(name));
    let twice = [format!("junit={a}"), format!("jsonl={l}")];
    ground.run(&["--report", &twice[0], "--report", &twice[1]]).exits(2);
    ground.run(&["--report", "junit=newdir/"]).exits(2).complains(&["it is a folder"]);
    ground.run(&["--report", &twice[1]]).exits(0);
    assert!(ground.path("l.xml").is_symlink() && ground.path("a.xml").is_file());
}

#[test]
fn output_that_is_lost_is_no_mistake_of_the_user() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.run(&[]).exits(0);
    let mut command = ground.command(&["report", "last"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to standard output"));
    ground.say(&["judge", "last", "--report", "junit=/dev/full"]).exits(3);
}

#[test]
fn one_broken_promise_is_one_failure_and_blocks_what_comes_after() {
    let needs = format!("when = [\"tool:no-such-program-of-verify\"]\n{PASSES}");
    let after = |id: &str| format!("after = [\"{id}\"]\n{needs}");
    let (second, third) = (after("a/first"), after("a/second"));
    let ground = Ground::with(&[("a/first", &needs), ("a/second", &second), ("a/third", &third)]);
    ground.node("box", "has = [\"tool:no-such-program-of-verify\"]");
    let said = ground.run(&[]).exits(1);
    said.says(&["fail a/first", "blocks 2 checks: a/second, a/third", "1 fail", "2 blocked"]);
    // Where nothing is promised, each says for itself what it lacks.
    ground.node("box", "");
    ground.run(&[]).exits(4).says(&["3 skip", "0 blocked"]);
}
