//! Whether real shells complete what is there, quote what is odd, and start nothing else.
//!
//! Bash and zsh are typed to on a terminal of their own, Enter included: what counts is what the
//! command would have been given. Fish says itself what it would offer.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use crate::ground::{Ground, PASSES};

/// Names that a shell could take for something else.
const ODD: [&str; 7] =
    ["odd name", "it's", "$(touch ran)", "`touch ran`", "x;touch ran", "*", "!b"];

/// Stops a shell that waits for a quote to be closed. *Units*: s.
const LIMIT: &str = "30";

fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let there = there.is_ok_and(|output| output.status.success());
    if !there {
        // Not `eprintln!`: what a passing test prints is swallowed.
        writeln!(std::io::stderr(), "skipped: needs {program}").unwrap();
    }
    there
}

/// Builds a shell that finds this `verify` in PATH.
fn shell(ground: &Ground, program: &str) -> Command {
    let folder = Path::new(env!("CARGO_BIN_EXE_verify")).parent().unwrap().to_str().unwrap();
    let mut command = Command::new(program);
    command.current_dir(ground.path("")).env_clear();
    for (name, value) in ground.command(&[]).get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
        .env("PATH", format!("{folder}:/usr/bin:/bin"))
        .env("TERM", "dumb")
        .env("LC_ALL", "C.UTF-8");
    command
}

/// Types each line with a Tab behind it, then Enter; returns what the command was given.
fn typed(ground: &Ground, start: &str, setup: &str, lines: &[&str]) -> Vec<String> {
    let mut text =
        format!("{setup}\neval \"$(command verify completions {})\"\n", &start[..4].trim());
    text += "verify() { printf '<%s>' \"$@\" >> given; echo >> given; }\n";
    text.extend(lines.iter().flat_map(|line| [line, "\t\n"]));
    text += "exit\n";
    let mut command = shell(ground, "timeout");
    command.args([LIMIT, "script", "-qec", start, "/dev/null"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let given = fs::read_to_string(ground.path("given")).unwrap_or_default();
    let given: Vec<String> = given.lines().map(str::to_owned).collect();
    let screen = String::from_utf8_lossy(&output.stdout);
    assert_eq!(given.len(), lines.len(), "{given:#?}\n--- screen\n{screen}");
    given
}

fn in_bash(ground: &Ground, lines: &[&str]) -> Option<Vec<String>> {
    let there = has("script") && has("bash");
    there.then(|| typed(ground, "bash --norc --noprofile -i", "unset PROMPT_COMMAND", lines))
}

fn in_zsh(ground: &Ground, lines: &[&str]) -> Option<Vec<String>> {
    let there = has("script") && has("zsh");
    there.then(|| typed(ground, "zsh -f -i", "autoload -Uz compinit && compinit -u -D", lines))
}

/// Returns what fish would offer behind a line.
fn in_fish(ground: &Ground, line: &str) -> Option<Vec<String>> {
    if !has("fish") {
        return None;
    }
    let mut command = shell(ground, "fish");
    command.args(["--no-config", "-c"]);
    command.arg("command verify completions fish | source; complete -C $argv[1]").arg(line);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect())
}

fn odd_ground() -> Ground {
    let ground = Ground::with(&[("a/one", PASSES), ("a/two", PASSES)]);
    for name in ODD {
        ground.node(name, "");
    }
    ground
}

const LINES: [(&str, &str); 10] = [
    ("verify --node lin", "<--node><linode>"),
    ("verify --node=lin", "<--node=linode>"),
    ("verify --node box,lin", "<--node><box,linode>"),
    ("verify --check a/o", "<--check><a/one>"),
    ("verify --via replay:l", "<--via><replay:last>"),
    ("verify --via=replay:l", "<--via=replay:last>"),
    ("verify --report junit-", "<--report><junit-strict=>"),
    ("verify --report junit=su", "<--report><junit=suites/>"),
    ("verify explain tool-m", "<explain><tool-missing>"),
    ("verify --node nothing-like-it", "<--node><nothing-like-it>"),
];

/// Lines that end within an odd name, and the name.
const ODD_LINES: [(&str, &str); 9] = [
    ("verify --node odd", "odd name"),
    ("verify --node 'od", "odd name"),
    ("verify --node \"od", "odd name"),
    ("verify --node it", "it's"),
    ("verify --node \\$", "$(touch ran)"),
    ("verify --node '$", "$(touch ran)"),
    ("verify --node \\`", "`touch ran`"),
    ("verify --node x", "x;touch ran"),
    ("verify --node \\*", "*"),
];

#[test]
fn bash_and_zsh_complete_what_is_there() {
    for shell in [in_bash, in_zsh] {
        let ground = Ground::with(&[("a/one", PASSES), ("b/two", PASSES)]);
        ground.run(&[]).exits(0);
        let Some(given) = shell(&ground, &LINES.map(|(line, _)| line)) else { continue };
        for ((line, expected), given) in LINES.iter().zip(given) {
            assert_eq!(given, *expected, "{line}");
        }
    }
}

#[test]
fn bash_and_zsh_insert_an_odd_name_as_itself_and_run_nothing() {
    for shell in [in_bash, in_zsh] {
        let ground = odd_ground();
        let Some(given) = shell(&ground, &ODD_LINES.map(|(line, _)| line)) else { continue };
        for ((line, name), given) in ODD_LINES.iter().zip(given) {
            assert_eq!(given, format!("<--node><{name}>"), "{line}");
        }
        assert!(!ground.path("ran").try_exists().unwrap(), "completing ran something");
    }
}

#[test]
fn fish_offers_what_is_there() {
    let ground = Ground::with(&[("a/one", PASSES), ("b/two", PASSES)]);
    ground.run(&[]).exits(0);
    for (line, expected) in LINES {
        let Some(offered) = in_fish(&ground, line) else { return };
        if line.ends_with("nothing-like-it") {
            assert!(offered.is_empty(), "{offered:?}");
        } else {
            let last = expected.rsplit('<').next().unwrap().trim_end_matches('>');
            assert_eq!(offered, [last], "{line}");
        }
    }
}

#[test]
fn fish_offers_an_odd_name_as_itself_and_runs_nothing() {
    let ground = odd_ground();
    for line in ["verify --node ", "verify --node $(touch ran) --node "] {
        let Some(offered) = in_fish(&ground, line) else { return };
        for name in ODD {
            assert!(offered.iter().any(|found| found == name), "{name} is not in {offered:?}");
        }
    }
    assert!(!ground.path("ran").try_exists().unwrap(), "completing ran something");
}

/// Asks as a script does; demands that nothing goes wrong aloud.
fn offered(ground: &Ground, words: &[&str], change: impl Fn(&mut Command)) -> Vec<String> {
    let mut command = ground.command(&["__complete", "zsh", "verify"]);
    change(command.args(words));
    let said = crate::ground::said(&mut command).exits(0);
    assert_eq!(said.err, "");
    said.out.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn names_come_from_the_root_and_the_nodes_on_the_line() {
    let ground = Ground::with(&[("a/one", PASSES), ("a/two", PASSES), ("b/one", PASSES)]);
    ground.node("other", "");
    ground.suite_text(
        "more",
        format!(
            "[suite]\ntitle = \"t\"\nnodes = [\"other\"]\ntags = [\"odd-tag\"]\n{}",
            crate::ground::check("c/one", PASSES)
        ),
    );
    let offered = |words: &[&str]| offered(&ground, words, |_| ());
    assert_eq!(offered(&["--node", "box", "--check", ""]), ["a/*", "a/one", "a/two", "b/one"]);
    assert_eq!(offered(&["-nother", "--check", ""]), ["c/one"]);
    assert_eq!(offered(&["--node=other", "--suite", ""]), ["more"]);
    assert_eq!(offered(&["--tag", "odd"]), ["odd-tag"]);
    assert_eq!(offered(&["explain", "c/"]), ["c/one"]);
    assert_eq!(offered(&["explain", "comm"]), ["command"]);
    assert_eq!(offered(&["--root", "/nowhere", "--node", ""]), [""; 0]);
    assert_eq!(offered(&["runs", "p"]), ["prune"]);
    assert_eq!(offered(&["--node", "box", "pla"]), [""; 0], "`--node box plan` is refused");
}

#[test]
fn runs_are_offered_newest_first_and_completing_records_none() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    let offered = |words: &[&str]| offered(&ground, words, |_| ());
    assert!(offered(&["judge", ""]).iter().all(|found| found.starts_with("--")));
    assert!(!ground.path("state").try_exists().unwrap());
    ground.run(&[]).exits(0);
    ground.run(&[]).exits(0);
    let ids: Vec<String> = ground
        .records()
        .iter()
        .map(|path| path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(offered(&["judge", ""]), ["last", ids[1].as_str(), ids[0].as_str()]);
    assert_eq!(offered(&["report", &ids[0][..26]]), [ids[0].as_str()]);
    assert_eq!(offered(&["--via", "replay:la"]), ["replay:last"]);
    assert_eq!(ground.records().len(), 2);
}

#[test]
fn what_is_broken_is_left_out_and_never_said() {
    let ground = Ground::with(&[("a/one", PASSES)]);
    ground.suite_text("broken", "[suite\ntitle = \"t");
    ground.suite_text("binary", b"\0\xff");
    ground.suite_text("half", "[suite]\ntitle = \"t\"\nnodes = [\"box\"]\n[[check]]\nid = 3\n");
    fs::write(ground.path("runners/nodes/bad.toml"), "title = 3\n[[[").unwrap();
    std::os::unix::fs::symlink("nowhere", ground.path("suites/link.toml")).unwrap();
    let made = Command::new("mkfifo").arg(ground.path("suites/pipe.toml")).status();
    assert!(made.unwrap().success());
    assert_eq!(offered(&ground, &["-n", "box", "-c", "a"], |_| ()), ["a/one"]);
    assert_eq!(offered(&ground, &["--node", "b"], |_| ()), ["bad", "box"]);
    ground.run(&[]).exits(2).complains(&["pipe.toml: it is no file", "suites/binary.toml"]);
    // Wrong words in the environment are said when the command is run, not while it is typed.
    for (name, value) in
        [("VERIFY_QUICK", "perhaps"), ("VERIFY_REPEAT", "x"), ("VERIFY_STATE", "x")]
    {
        let found = offered(&ground, &["--node", "bo"], |command| {
            command.env(name, value);
        });
        assert_eq!(found, ["box"], "{name}");
    }
    let bare = |command: &mut Command| {
        command.env_clear().current_dir("/");
    };
    assert_eq!(offered(&ground, &["--node", "lin"], bare), ["linode"]);
    assert_eq!(offered(&ground, &["judge", "0"], bare), [""; 0]);
}
