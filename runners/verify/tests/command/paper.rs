//! Whether the manual pages read well for readers that we did not write, and the version and the
//! help say what the exit table and the build say.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use verify_model::exit::MEANINGS;

use crate::ground::Ground;

/// What `mandoc` finds that does not change a page: no date, since the same sources give the same
/// page, and breaks beside a space that the crate writes.
const HARMLESS: [&str; 3] = ["missing date", "br before sp", "br after sp"];

fn pages(ground: &Ground) -> Vec<(String, String)> {
    let dir = ground.text("man/man1");
    ground.say(&["man", "--dir", &dir]).exits(0).complains(&["manual pages: "]);
    let mut found: Vec<(String, String)> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

/// Hands a page to a reader; `None`, said aloud, where there is no such reader.
fn read(program: &str, args: &[&str], page: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args).env("MANWIDTH", "80").env("LC_ALL", "C.UTF-8");
    let started =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = started else {
        // Not `eprintln!`: what a passing test prints is swallowed.
        writeln!(std::io::stderr(), "skipped: needs {program}").unwrap();
        return None;
    };
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn every_manual_page_is_clean_for_mandoc() {
    let pages = pages(&Ground::empty());
    assert!(pages.iter().any(|(name, _)| name == "verify-runs-prune.1"));
    for (name, page) in pages {
        let Some(said) = read("mandoc", &["-T", "lint", "-W", "warning"], &page) else { return };
        let wrong: Vec<&str> = said
            .lines()
            .filter(|line| !HARMLESS.iter().any(|harmless| line.contains(harmless)))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
}

/// Undoes bold as a terminal does: a letter, a backspace, the letter again.
fn plain(seen: &str) -> String {
    let mut text = String::new();
    for character in seen.chars() {
        if character == '\u{8}' {
            text.pop();
        } else {
            text.push(character);
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_manual_page_has_every_section() {
    let page = Ground::empty().say(&["man"]).exits(0).out;
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    let (first, rest) = headings.split_at(5);
    assert_eq!(first, ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SUBCOMMANDS"]);
    let expected = ["EXAMPLES", "NOTES", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES", "\"SEE ALSO\""];
    assert_eq!(rest, expected);
}

#[test]
fn a_reader_of_the_manual_page_sees_exit_codes_and_variables() {
    let ground = Ground::empty();
    let page = crate::ground::said(ground.command(&["man", "run"]).env("VERIFY_NODE", "secret"));
    let page = page.exits(0).out;
    assert!(!page.contains("secret"), "the page is about the command, not about this machine");
    let Some(seen) = read("mandoc", &["-T", "ascii"], &page) else { return };
    let seen = plain(&seen);
    for (code, meaning) in MEANINGS {
        assert!(seen.contains(&format!("{code} {meaning}")), "{code} is not in\n{seen}");
    }
    for name in ["NODE", "VIA", "REPORT", "QUICK", "ALLOW_MUTATION", "REQUIRE_BASELINE", "ROOT"] {
        let flag = name.to_lowercase().replace('_', "-");
        let stands = format!("VERIFY_{name} Stands for --{flag}.");
        assert!(seen.contains(&stands), "{stands}\n{seen}");
    }
}

#[test]
fn the_help_of_what_judges_says_every_exit_code() {
    let ground = Ground::empty();
    for args in [&["--help"][..], &["-h"], &["run", "--help"], &["judge", "-h"]] {
        let help = ground.say(args).exits(0).out;
        let (_, below) = help.split_once("\nExit codes:\n").unwrap();
        let said: Vec<(String, &str)> = below
            .lines()
            .map(|line| {
                let (code, meaning) = line.trim().split_once(' ').unwrap();
                (code.to_owned(), meaning.trim())
            })
            .collect();
        let expected = MEANINGS.map(|(code, meaning)| (code.to_string(), meaning));
        assert_eq!(said, expected, "{args:?}");
    }
}

#[test]
fn manual_pages_go_to_a_folder_and_to_nothing_else() {
    let ground = Ground::empty();
    fs::write(ground.path("file"), "kept").unwrap();
    let said = ground.say(&["man", "--dir", "file"]).exits(2);
    said.complains(&["cannot write manual pages to file: it is a file; name a folder"]);
    assert_eq!(fs::read_to_string(ground.path("file")).unwrap(), "kept");
    ground.say(&["man", "--dir", "file/below"]).exits(2).complains(&["it cannot be made"]);
    ground.say(&["man", "rnu"]).exits(2).complains(&["did you mean `run`?"]);
    ground.say(&["man", "run", "--dir", "x"]).exits(2).complains(&["cannot be used with"]);
    let first = pages(&ground);
    assert_eq!(first, pages(&ground), "the same pages, and no leftovers");
}

#[test]
fn the_version_names_the_build_and_no_place_or_time() {
    let ground = Ground::empty();
    let short = ground.say(&["-V"]).exits(0).out;
    assert_eq!(short, format!("verify {}\n", env!("CARGO_PKG_VERSION")));
    let long = ground.say(&["--version"]).exits(0).out;
    let mut lines = long.lines();
    assert_eq!(lines.next(), short.lines().next());
    let facts: Vec<(&str, &str)> =
        lines.map(|line| line.split_once(' ').unwrap()).map(|(k, v)| (k, v.trim())).collect();
    let names: Vec<&str> = facts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["commit", "profile", "target", "compiler", "record", "suites"]);
    assert!(facts.iter().all(|(_, value)| !value.is_empty() && !value.contains('/') || *value == "verify-run/1"));
    assert!(facts[3].1.starts_with("rustc 1."), "{long}");
    assert_eq!(facts[4].1, "verify-run/1");
}
