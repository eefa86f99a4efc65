//! Which checks are asked: by name, by what they do to a node, and after a first failure.

use crate::ground::{FAILS, Ground, PASSES, of_kind, outcomes, said, shell};

fn asked(ground: &Ground) -> Vec<String> {
    outcomes(&ground.last()).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn selecting_a_check_selects_what_it_is_after() {
    let after = |id: &str| format!("after = [\"{id}\"]\n{PASSES}");
    let ground = Ground::with(&[
        ("a/one", PASSES),
        ("a/two", &after("a/one")),
        ("a/three", &after("a/two")),
        ("b/other", PASSES),
    ]);
    ground.run(&["--check", "a/three"]).exits(0);
    assert_eq!(asked(&ground), ["a/one", "a/two", "a/three"]);
    ground.run(&["--check", "b/*"]).exits(0);
    assert_eq!(asked(&ground), ["b/other"]);
}

#[test]
fn suites_and_tags_select() {
    let ground =
        Ground::with(&[("a/one", PASSES), ("a/two", &format!("tags = [\"slow\"]\n{PASSES}"))]);
    ground.suite("more", &[("b/one", PASSES)]);
    ground.run(&["--suite", "more"]).exits(0);
    assert_eq!(asked(&ground), ["b/one"]);
    ground.run(&["--tag", "slow"]).exits(0);
    assert_eq!(asked(&ground), ["a/two"]);
}

#[test]
fn an_unknown_name_exits_2_with_the_one_that_was_meant() {
    let ground = Ground::with(&[("a/one", &format!("tags = [\"slow\"]\n{PASSES}"))]);
    for (args, meant) in [
        (["--node", "boxx"], "did you mean `box`?"),
        (["--suite", "thing"], "did you mean `things`?"),
        (["--check", "a/on"], "did you mean `a/one`?"),
        (["--tag", "slo"], "did you mean `slow`?"),
        (["--check", "gpu/count"], "it is for nvidia, nvidia-sim: add `--node nvidia`"),
        (
            ["--suite", "gpuu"],
            "did you mean `gpu`? it is for nvidia, nvidia-sim: add `--node nvidia`",
        ),
        (["--check", "gpu/coun"], "did you mean `gpu/count`? it is for nvidia"),
        (["--suite", "gpu"], "it is for nvidia, nvidia-sim: add `--node nvidia`"),
    ] {
        let mut all = vec!["--node", "box"];
        if args[0] == "--node" {
            all.clear();
        }
        all.extend(args);
        let said = ground.say(&all).exits(2).complains(&[meant]);
        assert_eq!(said.out, "", "{args:?}");
    }
    assert!(ground.records().is_empty(), "nothing was run, so nothing is recorded");
}

#[test]
fn the_environment_says_what_the_flag_says() {
    let ground = Ground::with(&[("a/one", PASSES), ("b/two", FAILS)]);
    let by_flag = ground.run(&["--check", "a/*"]).exits(0);
    let by_flag = (by_flag.out.lines().next().map(str::to_owned), asked(&ground));
    let mut command = ground.command(&[]);
    let by_name = said(command.env("VERIFY_NODE", "box").env("VERIFY_CHECK", "a/*")).exits(0);
    assert_eq!((by_name.out.lines().next().map(str::to_owned), asked(&ground)), by_flag);
    // The flag is nearer than the environment.
    let mut command = ground.command(&["--node", "box"]);
    said(command.env("VERIFY_NODE", "no-such-node")).exits(1);
}

#[test]
fn run_is_what_no_subcommand_means() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.say(&["run", "--node", "box"]).exits(0).says(&["pass a/one"]);
}

/// A check that leaves a file behind when it is asked.
fn leaves(ground: &Ground, name: &str, effect: &str) -> String {
    let line = format!("touch {}", ground.text(name));
    let asks = shell(&line, "expect = { exit-code = 0 }");
    asks.replace("with = {", &format!("with = {{ effect = \"{effect}\","))
}

#[test]
fn quick_leaves_out_what_loads_the_node() {
    let ground = Ground::empty();
    ground
        .suite("things", &[("a/reads", PASSES), ("a/loads", &leaves(&ground, "loaded", "loads"))]);
    ground.run(&["--quick"]).exits(0).says(&["1 skip", "--quick only reads"]);
    assert!(!ground.path("loaded").try_exists().unwrap());
    ground.run(&[]).exits(0).says(&["2 pass"]);
    assert!(ground.path("loaded").try_exists().unwrap());
}

#[test]
fn a_production_node_is_loaded_only_where_it_is_allowed_by_name() {
    let ground = Ground::empty();
    ground.node("box", "role = \"production\"");
    ground
        .suite("things", &[("a/reads", PASSES), ("a/loads", &leaves(&ground, "loaded", "loads"))]);
    ground.run(&[]).exits(0).says(&["1 skip", "box is in production"]);
    ground.run(&["--allow-load", "local"]).exits(0).says(&["1 skip"]);
    assert!(!ground.path("loaded").try_exists().unwrap());
    ground.run(&["--allow-load", "bix"]).exits(2).complains(&["did you mean `box`?"]);
    ground.run(&["--allow-load", "box"]).exits(0).says(&["2 pass"]);
    assert!(ground.path("loaded").try_exists().unwrap());
}

#[test]
fn a_node_is_changed_only_where_that_is_allowed() {
    let ground = Ground::empty();
    ground.suite("things", &[("a/changes", &leaves(&ground, "changed", "mutates"))]);
    ground.run(&[]).exits(4).says(&["changes the node"]);
    assert!(!ground.path("changed").try_exists().unwrap());
    ground.run(&["--allow-mutation"]).exits(0);
    assert!(ground.path("changed").try_exists().unwrap());
}

#[test]
fn permission_to_change_a_node_is_no_permission_to_load_production() {
    let ground = Ground::empty();
    ground.node("box", "role = \"production\"");
    ground.suite("things", &[("a/changes", &leaves(&ground, "changed", "mutates"))]);
    ground.run(&["--allow-mutation"]).exits(4).says(&["box is in production"]);
    ground.run(&["--allow-mutation", "--quick", "--allow-load", "box"]).exits(4);
    assert!(!ground.path("changed").try_exists().unwrap());
    ground.run(&["--allow-mutation", "--allow-load", "box"]).exits(0);
}

#[test]
fn fail_fast_asks_nothing_more_and_says_why() {
    let ground = Ground::empty();
    let checks = [("a/fails", FAILS), ("a/loads", &*leaves(&ground, "loaded", "loads"))];
    ground.suite("things", &checks);
    ground.run(&["--fail-fast"]).exits(1).says(&["1 fail", "1 skip", "an earlier check failed"]);
    assert!(!ground.path("loaded").try_exists().unwrap());
    ground.run(&[]).exits(1).says(&["1 pass", "1 fail"]);
}

#[test]
fn plan_asks_nothing_and_names_what_is_left_out() {
    let ground = Ground::empty();
    ground
        .suite("things", &[("a/reads", PASSES), ("a/loads", &leaves(&ground, "loaded", "loads"))]);
    ground.say(&["plan", "--node", "box"]).exits(0).says(&[
        "reads a/reads",
        "loads a/loads",
        "2 checks: 2 asked, 0 left out; 1 load the node",
    ]);
    ground.say(&["plan", "--node", "box", "--quick"]).exits(0).says(&["1 asked, 1 left out"]);
    assert!(!ground.path("loaded").try_exists().unwrap());
    assert!(ground.records().is_empty());
}

#[test]
fn a_node_that_is_named_twice_is_asked_once() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.say(&["--node", "box,box", "--node", "box"]).exits(0);
    assert_eq!(of_kind(&ground.last(), "node").len(), 1);
}

#[test]
fn a_flag_before_a_subcommand_holds_for_all_of_them_or_is_refused() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let root = ground.text("");
    ground.say(&["--root", &root, "--color", "never", "list", "nodes"]).exits(0).says(&["box"]);
    ground.say(&["--root", &root, "run", "--node", "box"]).exits(0);
    for subcommand in ["plan", "run"] {
        let said = ground.say(&["--node", "box", subcommand]).exits(2);
        said.complains(&["--node stands before", "would be ignored"]);
    }
    // What the environment says is for whom it concerns.
    said(ground.command(&["list", "nodes"]).env("VERIFY_CHECK", "a/*")).exits(0);
}
