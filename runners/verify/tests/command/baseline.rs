//! `verify baseline`: from the first accept to a miss, and every way in which it goes wrong.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio};

use crate::ground::{Ground, lines, of_kind, shell};

/// Takes some milliseconds and compares them with the baseline, generously.
fn timed(limit: &str) -> String {
    let expect = format!("expect = {{ elapsed = {{ {limit}within = \"100000000 %\" }} }}");
    shell("true", &format!("{expect}\nrepeat = 3")).replace("] }", "], effect = \"loads\" }")
}

fn ground() -> Ground {
    Ground::with(&[("time/spawn", &timed(""))])
}

fn summary(ground: &Ground) -> String {
    fs::read_to_string(ground.path("baselines/box/things.toml")).unwrap()
}

#[test]
fn a_first_run_is_unjudged_until_it_is_accepted() {
    let ground = ground();
    let first = ground.run(&[]).exits(0);
    let said = first.says(&["? unjudged", "no baseline yet", "1 check has no accepted baseline"]);
    assert_eq!(said.out.matches("verify baseline accept").count(), 1, "{}", said.out);
    ground.run(&["--require-baseline"]).exits(3);
    ground.say(&["baseline", "show"]).exits(0).says(&["no baseline is accepted"]);
    ground.say(&["baseline", "diff", "last"]).exits(0).says(&["none yet", "would add 3 units"]);
    assert!(!ground.path("baselines").exists());
    ground.say(&["baseline", "accept", "last", "--reason", "as built"]).exits(0).says(&[
        "time/spawn 3 units, an epoch begins",
        "wrote",
        "baselines/box/things.toml",
    ]);
    assert!(summary(&ground).contains("reason = \"as built\""));
    ground.run(&["--require-baseline"]).exits(0).says(&["✓ pass", "of the baseline"]);
    let record = ground.last();
    let baselines = of_kind(&record, "baseline");
    assert_eq!(baselines.len(), 1);
    assert_eq!((&baselines[0]["field"], &baselines[0]["units"]), (&"elapsed".into(), &3.into()));
    let shown = ground.say(&["baseline", "show", "--check", "time/spawn"]).exits(0);
    shown.says(&["3 units of run", "reason: as built", "elapsed, now: min", "of 3 samples"]);
}

#[test]
fn worse_than_the_baseline_fails_with_its_number_and_what_to_do() {
    let tight = timed("").replace("100000000 %", "50 %");
    let ground = Ground::with(&[("time/spawn", &tight)]);
    ground.run(&[]).exits(0);
    ground.say(&["baseline", "accept", "last", "--reason", "fast"]).exits(0);
    let slow = tight.replace("true", "sleep 0.1");
    ground.suite("things", &[("time/spawn", &slow)]);
    // Other parameters are another question.
    let said = ground.run(&[]).exits(3);
    said.says(&["? unjudged", "taken with another probe or other parameters"])
        .says(&["--check time/spawn --new-epoch"]);
    let refused = ground.say(&["baseline", "accept", "last", "--reason", "slow"]).exits(2);
    refused.complains(&["its probe or parameters changed since its baseline; --new-epoch"]);
    ground.say(&["baseline", "accept", "last", "--new-epoch", "--reason", "slower"]).exits(0);
    ground.run(&[]).exits(0);
    // The same question, answered worse: what the program does changes, not how it is asked.
    let script = ground.path("work.sh");
    let work = |seconds: &str| fs::write(&script, format!("sleep {seconds}\n")).unwrap();
    let asked = tight.replace("true", &format!("sh {}", ground.text("work.sh")));
    ground.suite("things", &[("time/spawn", &asked)]);
    work("0");
    ground.run(&[]);
    ground.say(&["baseline", "accept", "last", "--new-epoch", "--reason", "work"]).exits(0);
    work("0.3");
    let said = ground.run(&[]).exits(1);
    said.says(&["✗ fail", "within 50 % of the baseline", "ms", "Fix of time/spawn."])
        .says(&["if this is the new normal: verify baseline accept 0"])
        .says(&["--check time/spawn --rebase-anchor --reason TEXT"]);
    ground.say(&["baseline", "diff", "last"]).exits(0).says(&["% worse", "refused:"]);
    let before = summary(&ground);
    let refused = ground.say(&["baseline", "accept", "last", "--reason", "hm"]).exits(2);
    refused.complains(&["elapsed: it is", "% worse than its baseline at first", "--rebase-anchor"]);
    let wrong = ["baseline", "accept", "last", "--reason", "x", "--rebase-anchor", "net/*"];
    ground.say(&wrong).exits(2).complains(&["no check here matches `net/*`"]);
    assert_eq!(summary(&ground), before);
    let dry = ["baseline", "accept", "last", "--rebase-anchor", "--dry-run"];
    ground.say(&dry).exits(0).says(&["the anchor and an epoch begin anew", "units 3 -> 3"]);
    assert_eq!(summary(&ground), before);
    let named = ["baseline", "accept", "last", "--reason", "x", "--rebase-anchor", "time/*"];
    ground.say(&named).exits(0).says(&["3 units, the anchor and an epoch begin anew"]);
    assert!(summary(&ground).contains("anchor-epoch = "));
    ground.run(&[]).exits(0);
}

#[test]
fn several_runs_are_accepted_at_once_and_dropped_again() {
    let ground = ground();
    for _ in 0..3 {
        ground.run(&[]).exits(0);
    }
    let ids: Vec<String> = ground
        .records()
        .iter()
        .map(|path| path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let [one, two, three] = &ids[..] else { panic!("{ids:?}") };
    // In any order, and one of them twice.
    let accept = ["baseline", "accept", three, "last", one, two, "--reason", "as built"];
    let diff = ["baseline", "diff", one, two, three];
    ground.say(&diff).exits(0).says(&["3 runs", "units 0 -> 9, sessions 0 -> 1", "add 9 units"]);
    ground.say(&accept).exits(0).says(&[&format!("of 3 runs, {one} to {three}"), "9 units"]);
    let shown = ground.say(&["baseline", "show"]).exits(0);
    shown.says(&["9 units of 3 runs", "in 1 session", "thin baseline: 9 units, 10 are enough"]);
    ground.say(&accept).exits(0).says(&["accepted before, nothing is new"]);
    let drop = |rest: &[&str]| {
        let all = [&["baseline", "drop", "--reason", "a backup ran"], rest].concat();
        ground.say(&all)
    };
    drop(&[]).exits(2).complains(&["--check GLOB"]);
    drop(&["--check", "net/*"]).exits(2).complains(&["no check here matches", "time/spawn"]);
    drop(&["--check", "time/*", "--node", "other"]).exits(2).complains(&["no baseline like that"]);
    drop(&["--check", "time/*", "--run", "0"]).exits(2).complains(&["names no run"]);
    drop(&["--check", "time/*", "--run", "0000"]).exits(2).complains(&["no unit of run 0000"]);
    let said = drop(&["--check", "time/*", "--run", two]).exits(0);
    said.says(&["3 units of 1 session", two, "6 count still", "git checkout -- ", "a backup ran"]);
    ground.say(&["baseline", "show"]).exits(0).says(&["6 units of 2 runs"]);
    drop(&["--check", "*"]).exits(0).says(&["6 units", "none is left"]);
    ground.say(&["baseline", "show"]).exits(0).says(&["no baseline is accepted"]);
    ground.run(&["--require-baseline"]).exits(3);
}

#[test]
fn what_is_no_measure_of_normal_is_named_and_the_rest_is_taken() {
    let ground = Ground::with(&[
        ("time/good", &timed("")),
        ("time/slow", &timed("at-most = \"1 ns\", ")),
        ("time/missing", &timed("").replace("\"sh\"", "\"no-such-program-of-verify\"")),
        ("state/file", "probe = \"file\"\nwith = { path = \"/\" }\nexpect = { exists = true }"),
    ]);
    ground.run(&[]).exits(1);
    let said = ground.say(&["baseline", "accept", "last", "--reason", "x"]).exits(0);
    said.says(&["time/good 3 units", "refused:", "time/slow, elapsed: it misses a fixed limit"])
        .says(&["time/missing, repeat 1: it gave an error"]);
    let kept = summary(&ground);
    assert!(kept.contains("time/good") && !kept.contains("time/slow"), "{kept}");
    // A replay measures nothing.
    ground.run(&["--via", "replay:last"]);
    let said = ground.say(&["baseline", "accept", "last", "--reason", "x"]).exits(2);
    said.complains(&["a replay of", "nothing was changed"]);
    let only = ["baseline", "accept", "last", "--check", "state/*", "--reason", "x"];
    ground.say(&only).exits(2).complains(&["measured nothing that a baseline could keep"]);
}

#[test]
fn bad_usage_is_explained_and_changes_nothing() {
    let ground = ground();
    ground.run(&[]).exits(0);
    for (args, words) in [
        (vec!["accept", "last"], "--reason"),
        (vec!["accept", "last", "--reason", "  "], "--reason is empty"),
        (vec!["accept", "last", "--reason", "\u{200b}\u{2060}"], "--reason is empty"),
        (vec!["accept", "nonesuch", "--reason", "x"], "no run `nonesuch`"),
        (vec!["accept", "last", "--check", "no/*", "--reason", "x"], "there are: time/spawn"),
        (vec!["accept", "last", "--check", "[", "--reason", "x"], "is not a pattern"),
        (vec!["merge"], "there is no baseline like that"),
        (vec!["merge", "x.runs.jsonl"], "--node"),
        (vec!["merge", "--node", "box", "--suite", "things", "x.runs.jsonl"], "there is no ledger"),
        (vec!["merge", "--node", "box", "--suite", "../x", "x.runs.jsonl"], "no suite is named"),
    ] {
        let all: Vec<&str> = std::iter::once("baseline").chain(args).collect();
        ground.say(&all).exits(2).complains(&[words]);
    }
    assert!(!ground.path("baselines/box").exists());
    let long = "x".repeat(501);
    let said = ground.say(&["baseline", "accept", "last", "--reason", &long]).exits(2);
    said.complains(&["501 characters"]);
}

#[test]
fn a_record_that_is_cut_is_no_measure_of_normal() {
    let ground = ground();
    ground.run(&[]).exits(0);
    let record = ground.records().pop().unwrap();
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, &text[..text.len() - 20]).unwrap();
    let said = ground.say(&["baseline", "accept", "last", "--reason", "x"]).exits(2);
    said.complains(&["the record ends in the middle"]);
}

#[test]
fn a_damaged_baseline_stops_a_run_before_anything_is_asked() {
    let ground = ground();
    ground.run(&[]).exits(0);
    ground.say(&["baseline", "accept", "last", "--reason", "x"]).exits(0);
    let path = ground.path("baselines/box/things.toml");
    let text = summary(&ground);
    fs::write(&path, text.replace("units = 3", "units = many")).unwrap();
    let records = ground.records().len();
    for args in [vec!["--node", "box"], vec!["plan", "--node", "box"], vec!["baseline", "show"]] {
        ground.say(&args).exits(2).complains(&["baselines/box/things.toml:", "restore both files"]);
    }
    assert_eq!(ground.records().len(), records);
    let said = ground.say(&["baseline", "merge"]).exits(0);
    said.says(&["summary written from the ledger"]);
    assert_eq!(summary(&ground), text);
    ground.run(&[]).exits(0);
}

#[test]
fn two_peoples_ledgers_merge_into_one() {
    let ground = ground();
    let mut copies = Vec::new();
    for who in ["mine", "theirs"] {
        ground.run(&[]).exits(0);
        ground.say(&["baseline", "accept", "last", "--reason", who]).exits(0);
        copies.push(ground.text(&format!("{who}.runs.jsonl")));
        fs::copy(ground.path("baselines/box/things.runs.jsonl"), copies.last().unwrap()).unwrap();
        fs::remove_dir_all(ground.path("baselines")).unwrap();
    }
    let mut args = vec!["baseline", "merge", "--node", "box", "--suite", "things"];
    args.extend(copies.iter().map(String::as_str));
    ground.say(&args).exits(0).says(&["6 units added"]);
    ground.say(&["baseline", "show"]).exits(0).says(&["reason: theirs"]);
    let ledger = lines(&ground.path("baselines/box/things.runs.jsonl"));
    assert_eq!(ledger.len(), 6);
    ground.say(&args).exits(0).says(&["0 units added"]);
}

#[test]
fn a_baseline_of_another_machine_is_never_compared_in_silence() {
    let ground = ground();
    ground.run(&[]).exits(0);
    let record = ground.records().pop().unwrap();
    let text = fs::read_to_string(&record).unwrap();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let moved =
        text.replace(&format!("\"hostname\":\"{host}\""), "\"hostname\":\"another-machine\"");
    assert_ne!(moved, text);
    let elsewhere = ground.text("elsewhere.jsonl");
    fs::write(&elsewhere, moved).unwrap();
    ground.say(&["baseline", "accept", &elsewhere, "--reason", "x"]).exits(0);
    ground.run(&[]).exits(3).says(&["its baseline is of machine `another-machine`"]);
}

#[test]
fn a_place_that_cannot_be_written_is_said_and_nothing_is_left() {
    let ground = ground();
    ground.run(&[]).exits(0);
    let folder = ground.path("baselines");
    fs::create_dir(&folder).unwrap();
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    for below in ["state", "state/runs"] {
        open(&ground.path(below), 0o755).unwrap();
    }
    let record = ground.records().pop().unwrap();
    open(record.parent().unwrap(), 0o755).unwrap();
    open(&record, 0o644).unwrap();
    open(&folder, 0o555).unwrap();
    let said = ground.say_as_nobody(&["baseline", "accept", "last", "--reason", "x"]);
    open(&folder, 0o755).unwrap();
    let Some(said) = said else { return };
    said.exits(3).complains(&["baselines/box", "Permission denied", "--root DIR"]);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn accepts_at_once_lose_nothing() {
    let ground = ground();
    for _ in 0..4 {
        ground.run(&[]).exits(0);
    }
    let records = ground.records();
    let children: Vec<_> = records
        .iter()
        .map(|record| {
            let args = ["baseline", "accept", record.to_str().unwrap(), "--reason", "race"];
            ground.command(&args).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let ledger = lines(&ground.path("baselines/box/things.runs.jsonl"));
    assert_eq!(ledger.len(), 12);
    ground.run(&["--require-baseline"]).exits(0);
}

#[test]
fn without_a_root_baselines_go_below_the_users_own_folder() {
    let ground = Ground::empty();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let alone = |args: &[&str]| {
        let mut command = ground.command(args);
        command.env_remove("VERIFY_ROOT").env("HOME", home).current_dir(home);
        crate::ground::said(&mut command)
    };
    alone(&["--check", "system/spawn"]).exits(0).says(&["embedded in the binary"]);
    let said = alone(&["baseline", "accept", "last", "--reason", "x"]).exits(0);
    said.says(&[".config/verify/baselines/local/local.toml"]);
    assert!(home.join(".config/verify/baselines/local/local.runs.jsonl").is_file());
    alone(&["--check", "system/spawn"]).exits(0).says(&["(baseline", ".config/verify"]);
    alone(&["baseline", "show"]).exits(0).says(&["root:", ".config/verify", "system/spawn"]);
}

#[test]
fn without_any_place_for_baselines_accept_says_what_to_set() {
    let ground = Ground::empty();
    let home = tempfile::tempdir().unwrap();
    let homeless = |args: &[&str]| {
        let mut command = ground.command(args);
        command.env_remove("VERIFY_ROOT").env_remove("HOME").env_remove("XDG_CONFIG_HOME");
        crate::ground::said(command.current_dir(home.path()))
    };
    homeless(&["--check", "system/spawn"]).exits(0);
    let said = homeless(&["baseline", "accept", "last", "--reason", "x"]).exits(2);
    said.complains(&["no place for baselines", "HOME", "--root DIR"]);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_run_of_a_node_that_this_root_does_not_have_is_refused() {
    let ground = ground();
    ground.run(&[]).exits(0);
    let other = Ground::empty();
    fs::remove_file(other.path("runners/nodes/box.toml")).unwrap();
    let record = ground.records().pop().unwrap();
    let args = ["baseline", "accept", record.to_str().unwrap(), "--reason", "x"];
    other.say(&args).exits(2).complains(&["asked node box", "does not have", "--root DIR"]);
    assert!(!other.path("baselines").exists());
}

#[test]
fn what_a_node_says_reaches_no_page_as_a_control_sequence() {
    let ground = ground();
    ground.run(&[]).exits(0);
    let record = ground.records().pop().unwrap();
    let text = fs::read_to_string(&record).unwrap();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let evil = "ev\\u001b[31mil\\u009b31m\\u202e\\n  reason: trust me";
    let moved =
        text.replace(&format!("\"hostname\":\"{host}\""), &format!("\"hostname\":\"{evil}\""));
    assert_ne!(moved, text);
    let elsewhere = ground.text("elsewhere.jsonl");
    fs::write(&elsewhere, moved).unwrap();
    ground.say(&["baseline", "accept", &elsewhere, "--reason", "\u{1b}[31mred"]).exits(0);
    for args in [vec!["show"], vec!["diff", &elsewhere], vec!["diff", "last"]] {
        let all: Vec<&str> = std::iter::once("baseline").chain(args).collect();
        let said = ground.say(&all).exits(0);
        let is_plain = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
        assert!(said.out.chars().all(is_plain), "{:?}", said.out);
        assert!(!said.out.contains("\n  reason: trust me"), "{}", said.out);
    }
    let refused = ground.say(&["baseline", "accept", "last", "--reason", "x"]).exits(2);
    assert!(refused.err.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", refused.err);
}

#[test]
fn a_difference_has_every_field_that_is_compared_and_none_that_cannot_be() {
    let quantile =
        "record = [\"elapsed.p90\"]\nexpect = { \"elapsed.p90\" = { within = \"100000000 %\" } }";
    let check = |line: &str| shell(line, quantile).replace("] }", "], effect = \"loads\" }");
    let ground = Ground::with(&[("time/spawn", &check("true"))]);
    ground.run(&[]).exits(0);
    ground.say(&["baseline", "diff", "last"]).exits(0).says(&["elapsed.p90", "none yet"]);
    ground.say(&["baseline", "accept", "last", "--reason", "x"]).exits(0);
    ground.suite("things", &[("time/spawn", &check("sleep 0.1"))]);
    ground.run(&[]).exits(3);
    let said = ground.say(&["baseline", "diff", "last"]).exits(0);
    said.says(&["elapsed.p90", "not comparable", "its probe or parameters changed"]);
    ground.suite("things", &[("time/spawn", &check("true"))]);
    ground.run(&[]);
    let said = ground.say(&["baseline", "diff", "last", "--check", "time/*"]).exits(0);
    said.says(&["--check 'time/*' --reason TEXT"]);
}
