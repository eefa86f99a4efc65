//! `verify learn`: from runs to a suite that a person applies, and that holds on the same machine.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use crate::ground::{FAILS, Ground, PASSES, outcomes, shell};

fn ground() -> Ground {
    let known = shell("echo as built", "record = [\"value\"]\nexpect = { exit-code = 0 }")
        .replace("] }", "], as = \"text\" }");
    let absent = format!("when = [\"tool:no-such-program-of-verify\"]\n{PASSES}");
    Ground::with(&[("a/known", &known), ("a/fails", FAILS), ("a/absent", &absent)])
}

/// Applies a difference as a person would; tells by what.
fn apply(ground: &Ground, difference: &str) -> bool {
    for (program, args) in [("git", &["apply", "-"][..]), ("patch", &["-p1"])] {
        let mut command = Command::new(program);
        command.args(args).current_dir(ground.path("")).stdin(Stdio::piped());
        let Ok(mut child) = command.stdout(Stdio::null()).spawn() else { continue };
        child.stdin.take().unwrap().write_all(difference.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{program} takes it: {difference}");
        return true;
    }
    writeln!(std::io::stderr(), "skipped: needs git or patch").unwrap();
    false
}

#[test]
fn what_is_learned_is_applied_loads_is_planned_and_passes_on_the_same_answers() {
    let ground = ground();
    for _ in 0..2 {
        ground.run(&[]).exits(1);
    }
    let said = ground.say(&["learn", "box"]).exits(0);
    let said = said.complains(&["1 checks from 2 runs", "3 more runs", "git apply"]);
    let said =
        said.says(&["+++ b/suites/learned-box.toml", "a/absent: skipped: needs `tool:no-such"]);
    let said = said.says(&["a/fails: it failed", "value = { is = \"as built\""]);
    assert!(!ground.path("suites/learned-box.toml").exists(), "nothing is written unasked");
    if !apply(&ground, &said.out) {
        return;
    }
    ground.say(&["list", "checks", "--node", "box"]).exits(0).says(&["learned/a-known"]);
    ground.say(&["plan", "--node", "box", "--suite", "learned-box"]).exits(0).says(&["1 asked"]);
    let replay = ["--suite", "learned-box", "--via", "replay:last"];
    ground.run(&replay).exits(0).says(&["1 pass"]);
    assert_eq!(outcomes(&ground.last()), [("learned/a-known".to_owned(), "pass".to_owned())]);
    ground.run(&["--suite", "learned-box"]).exits(0);
    // What was learned is no source to learn from, and the difference goes against what is there.
    ground.run(&[]).exits(1);
    let again = ground.say(&["learn", "box"]).exits(0);
    let again = again.says(&["--- a/suites/learned-box.toml"]);
    assert!(!again.out.contains("learned/learned"), "{}", again.out);
    assert!(apply(&ground, &again.out));
    let same = ground.say(&["learn", "box"]).exits(0).complains(&["nothing to change"]);
    assert_eq!(same.out, "");
}

#[test]
fn a_file_is_written_whole_where_one_is_named() {
    let ground = ground();
    ground.run(&[]).exits(1);
    let path = ground.text("suites/learned-box.toml");
    let said = ground.say(&["learn", "box", "--runs", "last", "--output", &path]).exits(0);
    assert_eq!(said.out, "");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("#:schema ./suite.schema.json\n") && text.contains("nodes = [\"box\"]")
    );
    let names = fs::read_dir(ground.path("suites")).unwrap().count();
    assert_eq!(names, 2, "nothing is left beside it");
    ground.say(&["list", "checks", "--node", "box"]).exits(0);
    ground.say(&["learn", "box", "--output", "/no/such/folder/x.toml"]).exits(3);
}

#[test]
fn without_runs_it_says_how_to_get_them() {
    let ground = ground();
    ground.say(&["learn", "box"]).exits(2).complains(&["verify run --node box", "5 of them"]);
    ground.say(&["learn", "bx"]).exits(2).complains(&["did you mean `box`?"]);
    ground.say(&["learn", "box", "--runs", "01K"]).exits(2);
}
