//! `--until-decided` and `--with`: more runs where they tell more, and sessions side by side.

use serde_json::Value;

use crate::ground::{Ground, of_kind, shell};

/// Takes a moment and compares it with its baseline.
fn timed(tolerance: &str) -> String {
    let expect = format!("expect = {{ elapsed = {{ within = \"{tolerance}\" }} }}\nrepeat = 4");
    shell("true", &expect).replace("] }", "], effect = \"loads\" }")
}

/// A check that was accepted already.
fn accepted(tolerance: &str) -> Ground {
    let ground = Ground::with(&[("time/spawn", &timed(tolerance))]);
    ground.run(&[]).exits(0);
    ground.say(&["baseline", "accept", "last", "--reason", "as built"]).exits(0);
    ground
}

fn attempts(record: &[Value]) -> usize {
    of_kind(record, "attempted").len()
}

fn last_id(ground: &Ground) -> String {
    of_kind(&ground.last(), "started")[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_decided_at_the_first_look_is_measured_three_times() {
    let ground = accepted("100000000 %");
    let said = ground.run(&["--until-decided"]).exits(0);
    said.says(&["✓ pass", "same:", "tolerance 100000000 %", "thin baseline"]);
    let record = ground.last();
    assert_eq!(attempts(&record), 3);
    assert_eq!(of_kind(&record, "started")[0]["until-decided"], true);
    // The record alone comes to the same.
    ground.say(&["judge", "last"]).exits(0).says(&["✓ pass", "same:"]);
    ground.run(&["-v"]).exits(0).says(&["4 runs) v 1 session (4 runs)"]);
}

#[test]
fn what_stays_open_is_measured_up_to_the_last_look_and_says_so() {
    let ground = accepted("0.001 %");
    let said = ground.run(&["--until-decided"]);
    said.complains(&["1 check is not decided yet: more runs"]);
    let record = ground.last();
    let (runs, verdicts) = (attempts(&record), of_kind(&record, "verdict").len());
    assert!([5, 7, 10, 14, 20].contains(&runs), "{runs} runs");
    assert!(verdicts > 1, "{verdicts} looks");
    let report = ground.say(&["report", "last"]).exits(0);
    report.says(&[&format!("v 1 session ({runs} runs)"), "of 6;"]);
}

#[test]
fn without_a_baseline_nothing_more_is_measured_than_the_suite_says() {
    let ground = Ground::with(&[("time/spawn", &timed("10 %"))]);
    ground.run(&["--until-decided"]).exits(0).says(&["no baseline yet"]);
    assert_eq!(attempts(&ground.last()), 4);
    let both = ground.run(&["--until-decided", "--repeat", "3"]).exits(2);
    both.complains(&["--until-decided", "--repeat"]);
}

#[test]
fn sessions_of_earlier_runs_count_beside_a_new_one() {
    let ground = accepted("100000000 %");
    let base = last_id(&ground);
    ground.run(&["--with", &base]).exits(2).complains(&["is part of the baseline"]);
    ground.run(&[]).exits(0);
    let earlier = last_id(&ground);
    let said = ground.run(&["-v", "--with", &earlier]).exits(0);
    // The same boot, a moment later: one session of twice as many runs.
    said.says(&["v 1 session (8 runs)"]);
    ground.say(&["judge", "last"]).exits(0);
    ground.suite("things", &[("other/spawn", &timed("10 %"))]);
    ground.run(&[]);
    let other = last_id(&ground);
    ground.suite("things", &[("time/spawn", &timed("100000000 %"))]);
    ground
        .run(&["--with", &other])
        .exits(2)
        .complains(&["has nothing that is compared on node box"]);
    ground.run(&["--with", "nonesuch"]).exits(2).complains(&["no run `nonesuch`"]);
}

#[test]
fn what_the_suite_says_beside_within_is_checked_and_explained() {
    for (beside, word) in [
        ("class = \"latency-p5\"", "did you mean `latency-p50`?"),
        ("class = \"nonesuch\"", "classes are: device-bandwidth"),
        ("detect = \"0 %\"", "expected a value above zero"),
        ("resolution = \"5 %\"", "`resolution` cannot be used"),
    ] {
        let check = timed("10 %").replace("\"10 %\"", &format!("\"10 %\", {beside}"));
        let ground = Ground::with(&[("time/spawn", &check)]);
        ground.run(&[]).exits(2).complains(&[word, "suites/things.toml"]);
    }
    let lone = timed("10 %").replace("within = \"10 %\"", "at-most = \"1 h\", class = \"unknown\"");
    let ground = Ground::with(&[("time/spawn", &lone)]);
    ground.run(&[]).exits(2).complains(&["it says how `within` compares"]);
}
