//! Whether a suite or node file that means harm costs more than an error: it does not.
//!
//! Whoever may write a suite may name programs, so what is held here is that reading one (`list`, `plan`,
//! `explain`) runs nothing, ends, and fills no memory, and that no name in it becomes a path or an option.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Command,
    time::{Duration, Instant},
};

use crate::ground::{ERRS, Ground, PASSES, said, shell};

/// Asks in every way that reads suites; each is refused with these words, soon.
fn refused(ground: &Ground, words: &[&str]) {
    for args in [["list", "checks", "--node", "box"].as_slice(), &["plan", "--node", "box"]] {
        let begun = Instant::now();
        ground.say(args).exits(2).complains(words);
        assert!(begun.elapsed() < Duration::from_mins(1), "{args:?}");
    }
}

#[test]
fn a_suite_that_is_a_device_a_pipe_or_endless_is_refused_and_not_waited_for() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let place = ground.path("suites/hostile.toml");
    for device in ["/dev/zero", "/dev/stdin", "/dev/random"] {
        symlink(device, &place).unwrap();
        refused(&ground, &["suites/hostile.toml"]);
        fs::remove_file(&place).unwrap();
    }
    assert!(Command::new("mkfifo").arg(&place).status().unwrap().success());
    refused(&ground, &["hostile.toml: it is no file"]);
    fs::remove_file(&place).unwrap();
    // A hole in a file takes no room.
    fs::File::create(&place).unwrap().set_len(10 << 30).unwrap();
    refused(&ground, &["expected at most"]);
}

#[test]
fn a_suite_that_is_nested_without_end_is_an_error_and_no_overflow() {
    let deep = 200_000;
    for text in [
        format!("a = {}{}\n", "[".repeat(deep), "]".repeat(deep)),
        format!("a = {}1{}\n", "{a=".repeat(deep), "}".repeat(deep)),
        format!("a{} = 1\n", ".a".repeat(deep)),
        format!("[{}a]\nx = 1\n", "a.".repeat(deep)),
    ] {
        let ground = Ground::empty();
        ground.suite_text("hostile", text);
        refused(&ground, &["suites/hostile.toml"]);
    }
}

#[test]
fn an_id_that_is_a_path_an_option_or_a_command_is_none() {
    for id in [
        "../../x",
        "a/../../x",
        "/a",
        "a/-x",
        "-a/x",
        "a/b c",
        "a/b\\nc",
        "a/\\u0000",
        "a/\\u001b[31m",
    ] {
        refused(&Ground::with(&[(id, PASSES)]), &["is not an id"]);
    }
}

#[test]
fn an_expression_that_explodes_is_refused_or_matched_in_time() {
    let printed = "head -c 900000 /dev/zero | tr \"\\0\" a";
    let check = |expression: &str| {
        let rest = format!("expect = {{ stdout = {{ matches = '{expression}' }} }}");
        Ground::with(&[("a/one", &shell(printed, &rest))])
    };
    for expression in ["(a{1000}){1000}", "(((a{100}){100}){100})"] {
        refused(
            &check(expression),
            &["not a regular expression: Compiled regex exceeds size limit"],
        );
    }
    let begun = Instant::now();
    check("^(a*)*b$").run(&[]).exits(1);
    check("^(a|a)*b$").run(&[]).exits(1);
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
}

#[test]
fn a_variable_is_one_argument_whatever_is_in_it() {
    let ground = Ground::empty();
    ground.node("box", "[variables]\nname = \"-x; touch pwned $(touch pwned) `touch pwned`\"");
    let lines = "probe = \"command\"\nwith = { argv = [\"printf\", \"%s|\", \"${name}\"] }\n\
                 expect = { stdout = \"-x; touch pwned $(touch pwned) `touch pwned`|\" }";
    ground.suite("things", &[("a/one", lines)]);
    ground.run(&[]).exits(0);
    assert!(!ground.path("pwned").try_exists().unwrap());
}

#[test]
fn a_node_file_reaches_ssh_neither_by_its_name_nor_by_its_alias_as_an_option() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let alias = format!("-oProxyCommand=touch {}", ground.text("pwned"));
    ground.node("box", &format!("ssh = \"{alias}\""));
    ground.run(&["--via", "ssh"]).exits(2).complains(&["is no alias of ssh"]);
    let name = "-oProxyCommand=touch pwned;";
    ground.node(name, "");
    let mut suite = fs::read_to_string(ground.path("suites/things.toml")).unwrap();
    suite = suite.replace("[\"box\"]", &format!("[\"{name}\"]"));
    ground.suite_text("things", suite);
    let said = ground.say(&[&format!("--node={name}"), "--via", "ssh"]);
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    assert!(!ground.path("pwned").try_exists().unwrap());
}

#[test]
fn a_program_of_the_current_folder_is_never_taken_for_a_tool() {
    let ground = Ground::with(&[("a/one", ERRS)]);
    let program = ground.path("no-such-program-of-verify");
    fs::write(&program, "#!/bin/sh\ntouch pwned\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    for path in [".:/usr/bin:/bin", ":/usr/bin:/bin", "./:/usr/bin:/bin"] {
        said(ground.command(&["--node", "box"]).env("PATH", path)).exits(3);
    }
    assert!(!ground.path("pwned").try_exists().unwrap());
}
