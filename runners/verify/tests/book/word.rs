//! Whether the words of the book are those of the command: subcommands, flags, formats, exit codes.
//!
//! What runs proves itself; this is for prose and for what is only shown. Flags are looked up in the
//! manual pages, which are made from the command line's own table.

use std::{collections::BTreeMap, fs, process::Command};

use verify_model::{
    exit::{Element, MEANINGS, Situation},
    outcome::Outcome,
};
use verify_reports::FORMATS;

use crate::stage::checkout;

/// What the book calls each row of the exit table, in the order of the table.
const ROWS: [(Situation, &str); 10] = [
    (Situation::Pass, "pass"),
    (Situation::Fail, "fail, or its waiver has expired"),
    (Situation::Waived, "fail under a valid waiver"),
    (Situation::Error, "error"),
    (Situation::Unjudged, "unjudged: conditions, too few samples, not comparable"),
    (Situation::NoBaseline, "unjudged: no baseline yet"),
    (Situation::BaselineRequired, "the same, under `--require-baseline`"),
    (Situation::Skip, "skip"),
    (Situation::Blocked, "blocked"),
    (Situation::NothingAnswered, "nothing gave pass, fail, error or unjudged"),
];

fn book() -> Vec<(String, String)> {
    let mut found = vec![("README.md".to_owned(), read("README.md"))];
    for entry in fs::read_dir(checkout("docs")).unwrap() {
        let name = format!("docs/{}", entry.unwrap().file_name().to_str().unwrap());
        found.push((name.clone(), read(&name)));
    }
    found.sort();
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(checkout(path)).unwrap()
}

/// Returns each subcommand (`runs prune`, and the empty one) with its manual page, unescaped.
fn manual() -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
    let said = command.args(["man", "--dir"]).arg(dir.path()).output().unwrap();
    assert!(said.status.success());
    let page = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().trim_start_matches("verify");
        let mut text = fs::read_to_string(&path).unwrap();
        for mark in ["\\fB", "\\fI", "\\fR", "\\"] {
            text = text.replace(mark, "");
        }
        (name.trim_start_matches('-').replace('-', " "), text)
    };
    fs::read_dir(dir.path()).unwrap().map(page).collect()
}

/// Returns what a text says to type: each line of its blocks and each span of code that begins with
/// `verify`, up to where the shell goes on with something else.
fn typed(text: &str) -> Vec<Vec<String>> {
    let mut said = Vec::new();
    let mut fence: Option<&str> = None;
    let joined = text.replace("\\\n", " ");
    for line in joined.lines() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(kind) };
        } else if fence == Some("text") {
            // What was printed, by a command that was run.
        } else if fence.is_some() {
            said.extend(line.find("verify ").map(|at| line[at..].to_owned()));
        } else {
            let spans = line.split('`').skip(1).step_by(2);
            said.extend(spans.filter(|span| span.starts_with("verify ")).map(str::to_owned));
        }
    }
    let ends = |word: &&str| !["|", ">", "<", "&&", "||", ";", "#", "2>"].contains(word);
    let words = |line: &String| {
        line.split_whitespace().take_while(ends).skip(1).map(str::to_owned).collect()
    };
    said.iter().map(words).collect()
}

/// Says which flag of a command no manual page of it has.
fn unknown<'w>(words: &'w [String], manual: &BTreeMap<String, String>) -> Vec<&'w str> {
    let mut name = String::new();
    for word in words {
        let longer = format!("{name} {word}").trim().to_owned();
        if !manual.contains_key(&longer) {
            break;
        }
        name = longer;
    }
    // What stands behind the name of an instrument, or behind `--`, is not ours to know.
    if name == "instrument" {
        return Vec::new();
    }
    let page = &manual[&name];
    let known = |flag: &str| {
        let rest = |at: usize| page[at + flag.len()..].chars().next();
        page.match_indices(flag)
            .any(|(at, _)| !rest(at).is_some_and(|c| c == '-' || c.is_ascii_alphanumeric()))
    };
    let typed = words.iter().take_while(|word| *word != "--").map(String::as_str);
    let flags = typed.filter(|word| word.starts_with("--")).map(|word| {
        let end = word[2..].find(|c: char| !c.is_ascii_lowercase() && c != '-');
        end.map_or(word, |end| &word[..end + 2])
    });
    flags.filter(|flag| !known(flag)).collect()
}

#[test]
fn every_flag_that_the_book_names_exists() {
    let manual = manual();
    let all: String = manual.values().cloned().collect();
    for (path, text) in book() {
        for words in typed(&text) {
            assert_eq!(unknown(&words, &manual), [""; 0], "{path}: verify {}", words.join(" "));
        }
        for span in text.split('`').filter(|span| span.starts_with("--") && span.len() < 40) {
            let flag = span.split([' ', '=']).next().unwrap();
            assert!(all.contains(flag), "{path}: no manual page has `{flag}`");
        }
    }
}

#[test]
fn a_flag_that_does_not_exist_is_found() {
    let manual = manual();
    let tried = |line: &str| {
        let words = typed(&format!("`{line}`")).remove(0);
        unknown(&words, &manual).len()
    };
    assert_eq!(tried("verify --node nvidia --via=local"), 0);
    assert_eq!(tried("verify runs prune --keep 20 | head --lines 3"), 0);
    assert_eq!(tried("verify test -- --list"), 0);
    assert_eq!(tried("verify --nod nvidia"), 1);
    assert_eq!(tried("verify runs prune --check x"), 1);
}

#[test]
fn every_subcommand_and_every_format_stands_in_the_book() {
    let whole: String =
        book().into_iter().filter(|(path, _)| path != "README.md").map(|(_, text)| text).collect();
    for name in manual().keys().filter(|name| !name.is_empty()) {
        assert!(whole.contains(&format!("verify {name}")), "the book never says `verify {name}`");
    }
    for format in FORMATS {
        let name = format.spec().name;
        let said = [format!("`{name}`"), format!("{name}="), format!("--format {name}")];
        assert!(said.iter().any(|word| whole.contains(word)), "the book never says `{name}`");
    }
}

#[test]
fn outcomes_and_exit_codes_in_the_book_are_those_of_the_command() {
    let page = read("docs/exit-codes.md");
    let row = |cells: &str| assert!(page.contains(&format!("\n| {cells} |\n")), "no row `{cells}`");
    for (code, meaning) in MEANINGS {
        row(&format!("{code} | {meaning}"));
    }
    assert_eq!(ROWS.map(|(situation, _)| situation), Situation::ALL);
    for (situation, words) in ROWS {
        let element = match situation.element() {
            Element::None => "a case without an element",
            Element::Failure => "`<failure>`",
            Element::Error => "`<error>`",
            Element::Skipped => "`<skipped>`",
        };
        row(&format!("{words} | {} | {element}", situation.exit()));
    }
    for outcome in Outcome::ALL {
        assert!(page.contains(&format!("\n| {outcome} | ")), "no row for {outcome}");
    }
}
