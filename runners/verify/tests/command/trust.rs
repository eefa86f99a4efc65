//! Whether suites are run that somebody else could have written: with the digest of what was read.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::ground::{Ground, PASSES, shell};

fn mode(ground: &Ground, below: &str, mode: u32) {
    fs::set_permissions(ground.path(below), fs::Permissions::from_mode(mode)).unwrap();
}

/// Finds the digest that a refusal names.
fn digest(said: &str) -> String {
    let words = said.split_whitespace();
    words.skip_while(|word| *word != "--trust").nth(1).unwrap().to_owned()
}

#[test]
fn a_suite_that_everybody_can_write_is_shown_and_run_only_with_its_digest() {
    let touches = |ground: &Ground| {
        let line = format!("touch {}", ground.text("touched"));
        ground.suite("things", &[("a/one", &shell(&line, "expect = { exit-code = 0 }"))]);
    };
    let ground = Ground::empty();
    touches(&ground);
    mode(&ground, "suites/things.toml", 0o666);
    for subcommand in ["run", "plan"] {
        let said = ground.say(&[subcommand, "--node", "box"]).exits(2);
        let said = said.complains(&["suites/things.toml can be written by everybody (mode 666)"]);
        assert!(!ground.path("touched").exists() && said.out.is_empty(), "{}", said.out);
    }
    ground.say(&["list", "checks", "--node", "box"]).exits(0).says(&["a/one"]);
    ground.say(&["explain", "a/one"]).exits(0);
    let trusted = digest(&ground.run(&[]).exits(2).err);
    ground.run(&["--trust", &trusted]).exits(0);
    assert!(ground.path("touched").exists());
    let mut command = ground.command(&["--node", "box"]);
    assert!(command.env("VERIFY_TRUST", &trusted).output().unwrap().status.success());
    ground.suite("more", &[("b/two", PASSES)]);
    ground
        .run(&["--trust", &trusted])
        .exits(2)
        .complains(&["have another digest", "read what changed"]);
}

#[test]
fn a_folder_that_everybody_can_write_is_as_its_files_and_a_digest_counts_everywhere() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.run(&["--trust", "0123"]).exits(2).complains(&["have another digest"]);
    ground.run(&[]).exits(0);
    mode(&ground, "runners/nodes", 0o777);
    ground.run(&[]).exits(2).complains(&["runners/nodes can be written by everybody"]);
}

#[test]
fn baselines_and_the_folder_above_the_node_files_are_trusted_as_suites_are() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    fs::create_dir_all(ground.path("baselines/box")).unwrap();
    fs::write(ground.path("baselines/box/other.toml"), "").unwrap();
    ground.run(&[]).exits(0);
    let places = [("runners", 0o777), ("baselines", 0o777), ("baselines/box", 0o777)];
    for (below, open) in places.into_iter().chain([("baselines/box/other.toml", 0o666)]) {
        let before = fs::metadata(ground.path(below)).unwrap().permissions();
        mode(&ground, below, open);
        let said = ground.run(&[]).exits(2);
        let said = said.complains(&[&format!("{below} can be written by everybody")]);
        ground.run(&["--trust", &digest(&said.err)]).exits(0);
        fs::set_permissions(ground.path(below), before).unwrap();
    }
    ground.run(&[]).exits(0);
    let trusted = digest(&{
        mode(&ground, "baselines", 0o777);
        ground.run(&[]).exits(2).err
    });
    ground.run(&["--trust", &trusted]).exits(0);
    fs::write(ground.path("baselines/box/other.toml"), "# changed\n").unwrap();
    ground.run(&["--trust", &trusted]).exits(2).complains(&["have another digest"]);
}

#[test]
fn a_folder_among_the_suites_that_is_never_read_is_not_doubted() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    for below in ["suites/drafts", "runners/nodes/old"] {
        fs::create_dir(ground.path(below)).unwrap();
        mode(&ground, below, 0o777);
    }
    ground.run(&[]).exits(0);
}
