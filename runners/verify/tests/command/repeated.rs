//! What happens when a question is asked again: retries, repeats, and time limits.

use crate::{
    ground::{Ground, of_kind, shell},
    pipe::Pipe,
};

/// A line of shell that counts its own calls in `$n`.
fn counting(ground: &Ground, line: &str) -> String {
    let file = ground.text("count");
    format!("n=$(cat {file} 2>/dev/null || echo 0); n=$((n+1)); echo $n > {file}; {line}")
}

#[test]
fn an_error_that_goes_away_when_tried_again_passes_and_is_called_flaky() {
    let ground = Ground::empty();
    let line = counting(&ground, "[ $n -gt 1 ] || kill -9 $$");
    let asks = |rest: &str| shell(&line, &format!("{rest}expect = {{ exit-code = 0 }}"));
    ground.suite("things", &[("a/one", &asks("retries = 2\n"))]);
    ground.run(&[]).exits(0).says(&["pass a/one", "answered after 1 failed attempt"]);
    let lines = ground.last();
    assert_eq!(of_kind(&lines, "attempted").len(), 2);
    let verdict = of_kind(&lines, "verdict")[0].clone();
    assert!(verdict.to_string().contains("\"flaky\""), "{verdict}");
}

#[test]
fn without_retries_the_same_error_stays_one() {
    let ground = Ground::empty();
    let line = counting(&ground, "[ $n -gt 1 ] || kill -9 $$");
    ground.suite("things", &[("a/one", &shell(&line, "expect = { exit-code = 0 }"))]);
    ground.run(&[]).exits(3).says(&["error a/one", "ended by signal 9"]);
}

#[test]
fn a_failure_is_never_tried_again() {
    let ground = Ground::empty();
    let line = counting(&ground, "[ $n -gt 1 ]");
    ground.suite("things", &[("a/one", &shell(&line, "retries = 3\nexpect = { exit-code = 0 }"))]);
    ground.run(&[]).exits(1);
    assert_eq!(std::fs::read_to_string(ground.path("count")).unwrap(), "1\n");
}

#[test]
fn repeats_combine_by_the_median_never_by_the_best() {
    for (slow, code) in [("-eq 2", 0), ("-ge 2", 1)] {
        let ground = Ground::empty();
        let line = counting(&ground, &format!("[ $n {slow} ] && exec sleep 2; true"));
        let rest = "repeat = 3\nexpect = { elapsed = { at-most = \"1900 ms\" } }";
        ground.suite("things", &[("a/one", &shell(&line, rest))]);
        ground.run(&[]).exits(code);
        assert_eq!(of_kind(&ground.last(), "attempted").len(), 3);
    }
}

#[test]
fn a_fact_must_hold_in_every_repeat() {
    let ground = Ground::empty();
    let line = counting(&ground, "[ $n -ne 2 ]");
    ground.suite("things", &[("a/one", &shell(&line, "expect = { exit-code = 0 }"))]);
    ground.run(&["--repeat", "3"]).exits(1).says(&["fail a/one"]);
}

#[test]
fn a_time_limit_is_an_error_and_leaves_no_process() {
    let ground = Ground::empty();
    let pipe = Pipe::new(&ground, "pipe");
    // One child in the group, one that left it, and a shell that ignores the polite signal.
    let line = format!("{} trap '' TERM; sleep 600 & setsid sleep 600 & wait", pipe.opened());
    let rest = "limit = \"1 s\"\nexpect = { exit-code = 0 }";
    ground.suite("things", &[("a/one", &shell(&line, rest))]);
    let said = ground.run(&[]).exits(3);
    said.says(&["error a/one", "no end within 1000 ms"]);
    let verdict = of_kind(&ground.last(), "verdict")[0].to_string();
    assert!(verdict.contains("\"timed-out\""), "{verdict}");
    pipe.ends();
}

#[test]
fn a_program_that_ends_leaves_no_process_either() {
    let ground = Ground::empty();
    let pipe = Pipe::new(&ground, "pipe");
    let line = format!("{} sleep 600 & setsid sleep 600 & true", pipe.opened());
    ground.suite("things", &[("a/one", &shell(&line, "expect = { exit-code = 0 }"))]);
    ground.run(&[]).exits(0);
    pipe.ends();
}
