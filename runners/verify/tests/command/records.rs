//! What a record is good for without its node: judging, reporting, replaying, listing, pruning.

use std::fs;

use crate::ground::{ERRS, FAILS, Ground, PASSES, SKIPS, of_kind, outcomes, shell};

/// A run of every outcome that a machine without baselines can give; the file `fact` holds 1.
fn ground() -> Ground {
    let ground = Ground::empty();
    fs::write(ground.path("fact"), "1\n").unwrap();
    let blocked = format!("after = [\"a/fails\"]\n{PASSES}");
    let reads = format!(
        "probe = \"file\"\nwith = {{ path = \"{}\" }}\nexpect = {{ content = \"1\" }}",
        ground.text("fact")
    );
    let says = shell(
        &format!("cat {}", ground.text("fact")),
        "expect = { stdout = \"1\" }\nrecord = [\"elapsed\"]",
    );
    ground.suite(
        "things",
        &[
            ("a/reads", &reads),
            ("a/says", &says),
            ("a/fails", FAILS),
            ("a/errs", ERRS),
            ("a/skips", SKIPS),
            ("a/blocked", &blocked),
        ],
    );
    ground
}

#[test]
fn judging_a_record_gives_the_same_page_and_exit_code_and_asks_nobody() {
    let ground = ground();
    let live = ground.run(&[]).exits(1);
    let before = fs::read(&ground.records()[0]).unwrap();
    // Whatever would be asked now has another answer, and the suites are gone.
    fs::write(ground.path("fact"), "2\n").unwrap();
    fs::remove_file(ground.path("suites/things.toml")).unwrap();
    let again = ground.say(&["judge", "last"]).exits(1);
    assert_eq!(again.out, live.out);
    assert_eq!(fs::read(&ground.records()[0]).unwrap(), before, "judging changes no record");
    assert_eq!(ground.records().len(), 1, "judging makes no record");
}

#[test]
fn a_report_of_a_record_has_the_bytes_that_the_run_wrote() {
    let ground = ground();
    for format in ["junit", "junit-strict", "jsonl", "text"] {
        let path = format!("out.{format}");
        ground.run(&["--report", &format!("{format}={path}")]).exits(1);
        let written = fs::read_to_string(ground.path(&path)).unwrap();
        let shown = ground.say(&["report", "last", "--format", format]).exits(0);
        if format != "text" {
            assert_eq!(shown.out, written, "{format}");
        }
        ground.say(&["report", "last", "--format", format, "--output", "again"]).exits(0);
        assert_eq!(fs::read_to_string(ground.path("again")).unwrap(), written, "{format}");
    }
}

#[test]
fn a_report_of_a_report_is_the_same() {
    let ground = ground();
    ground.run(&["--report", "jsonl=run.jsonl"]).exits(1);
    let of_record = ground.say(&["report", "last", "--format", "junit"]).exits(0);
    let of_report = ground.say(&["report", "./run.jsonl", "--format", "junit"]).exits(0);
    assert_eq!(of_report.out, of_record.out);
}

#[test]
fn a_replay_gives_the_same_verdicts_and_asks_nobody() {
    let ground = ground();
    ground.run(&[]).exits(1);
    let live = ground.last();
    fs::write(ground.path("fact"), "2\n").unwrap();
    let id = live[0]["id"].as_str().unwrap();
    ground
        .run(&["--via", &format!("replay:{id}")])
        .exits(1)
        .says(&[&format!("via replay of {id}")]);
    let replayed = ground.last();
    assert_ne!(replayed[0]["id"], live[0]["id"]);
    assert_eq!(outcomes(&replayed), outcomes(&live));
    for (live, replayed) in of_kind(&live, "verdict").iter().zip(of_kind(&replayed, "verdict")) {
        assert_eq!(live["findings"], replayed["findings"]);
    }
}

#[test]
fn a_replay_of_another_question_is_an_error_never_a_pass() {
    let ground = ground();
    ground.run(&[]).exits(1);
    ground.suite("things", &[("a/new", &shell("true", "expect = { exit-code = 0 }"))]);
    let said = ground.run(&["--via", "replay:last"]).exits(3);
    said.says(&["error a/new", "holds no answer to", "next Replay with the suites of that run"]);
    assert!(of_kind(&ground.last(), "verdict")[0].to_string().contains("\"not-recorded\""));
}

#[test]
fn a_replay_needs_a_node_of_that_run() {
    let ground = ground();
    ground.run(&[]).exits(1);
    ground.node("other", "");
    let said = ground.say(&["--node", "other", "--via", "replay:last"]).exits(2);
    said.complains(&["did not ask node other, but box"]);
}

#[test]
fn runs_are_listed_found_by_the_beginning_of_their_id_and_pruned() {
    let ground = ground();
    ground.say(&["runs"]).exits(0).says(&["no runs are recorded in"]);
    for _ in 0..3 {
        ground.run(&[]).exits(1);
    }
    let ids: Vec<String> = ground
        .records()
        .iter()
        .map(|path| path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let listed = ground.say(&["runs", "list"]).exits(0);
    let begun = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with(' '));
        lines.map(|line| line[..26].to_owned()).collect()
    };
    let listed = begun(&listed.out);
    assert_eq!(listed, ids);
    ground.say(&["report", &ids[0].to_lowercase()]).exits(0).says(&[&ids[0]]);
    ground.say(&["report", &ids[0][..3]]).exits(2).complains(&["the beginning of 3 runs"]);
    ground.say(&["runs", "prune", "--keep", "1"]).exits(0).says(&["removed 2 runs"]);
    assert_eq!(begun(&ground.say(&["runs"]).out).len(), 1);
    ground.say(&["report", "last"]).exits(0).says(&[&ids[2]]);
    ground.say(&["report", &ids[0]]).exits(2).complains(&["no run", "`verify runs` lists them"]);
}

#[test]
fn pruning_leaves_what_is_no_run() {
    let ground = ground();
    ground.run(&[]).exits(1);
    fs::create_dir_all(ground.path("state/runs/mine")).unwrap();
    fs::write(ground.path("state/runs/mine/notes"), "keep").unwrap();
    ground.say(&["runs", "prune", "--keep", "0"]).exits(0).says(&["removed 1 run"]);
    assert!(ground.path("state/runs/mine/notes").try_exists().unwrap());
}
