//! What holds in Rust source: shape, size, names, leftovers, and which code may touch the world.
//!
//! Sizes and shape hold in every Rust file; who may touch the world only in what ships, since
//! tests start the command and write files. A crate's dependencies are the matter of `manifest`.

use crate::{
    code::{functions, has_word, line_of, masked, std_paths, without_tests},
    tree::{File, Finding, demand_none, files},
};

const HEADER_LINES: usize = 15;
const FILE_LINES: usize = 500;
const MAIN_LINES: usize = 80;
const FUNCTION_LINES: usize = 70;

/// Files (`path`) and functions (`path#name`) that are over their size. May only shrink.
const EXCEPTIONS: [&str; 0] = [];

/// Names that say nothing about what a module answers.
const EMPTY_NAMES: [&str; 9] =
    ["common", "helper", "helpers", "manager", "managers", "misc", "shared", "util", "utils"];

/// Code that must not land, with what to do instead.
const LEFTOVERS: [(&str, &str); 4] = [
    ("todo!", "write the code, or return an error that says what is missing"),
    ("unimplemented!", "write the code, or return an error that says what is missing"),
    ("dbg!", "remove it"),
    ("thread::sleep", "wait on a channel or a Condvar with a named limit"),
];

/// The one place that starts processes and opens connections.
const TRANSPORT: &str = "runners/engine/src/transport";

/// The place from which an instrument starts a program that it watches over.
const TOOL: &str = "runners/instruments/src/linux/tool.rs";

/// The place from which an instrument starts a server that it measures, and speaks with it.
const SERVER: &str = "runners/instruments/src/linux/model_server/";

/// What only these may name.
const WORLD: [&str; 7] = [
    "process::Command",
    "duct",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
];

/// Pure code, and the modules of `std` that it must not name.
const PURE: [(&str, &[&str]); 4] = [
    ("runners/model/src/", &["env", "fs", "io", "net", "os", "process", "thread"]),
    ("runners/engine/src/probe", &["env", "fs", "net", "os", "process", "thread"]),
    ("runners/engine/src/fingerprint", &["env", "fs", "net", "os", "process", "thread"]),
    ("reports/src/", &["env", "fs", "net", "os", "process", "thread"]),
];

fn header(file: &File) -> Option<Finding> {
    let lines = file.text.lines().take_while(|line| line.starts_with("//!")).count();
    let action = "open the file with `//!`: which question it answers, why so, what it leaves out";
    match lines {
        0 => Some(Finding::new(file, 1, "the file does not open with `//!`", action)),
        1..=HEADER_LINES => None,
        _ => {
            let found = format!("a header of {lines} lines, at most {HEADER_LINES} expected");
            Some(Finding::new(file, 1, found, "say less, or move it to ARCHITECTURE.md"))
        }
    }
}

/// Files and functions over their size, each with the key that `EXCEPTIONS` would name.
fn oversize(file: &File) -> Vec<(String, Finding)> {
    let limit = if file.path.ends_with("src/main.rs") { MAIN_LINES } else { FILE_LINES };
    let lines = file.text.lines().count();
    let mut found = Vec::new();
    if lines > limit {
        let expected = format!("{lines} lines, at most {limit} expected");
        let action = "split it by question: one main type a file";
        found.push((file.path.clone(), Finding::new(file, limit + 1, expected, action)));
    }
    for function in functions(&masked(&file.text)) {
        let (name, lines) = (&function.name, function.lines);
        if lines > FUNCTION_LINES {
            let expected =
                format!("`{name}` takes {lines} lines, at most {FUNCTION_LINES} expected");
            let finding = Finding::new(file, function.line, expected, "name its parts");
            found.push((format!("{}#{name}", file.path), finding));
        }
    }
    found
}

fn stale_exceptions(exceptions: &[&str], oversize: &[(String, Finding)]) -> Vec<String> {
    let needed = |key: &&&str| oversize.iter().any(|(found, _)| found == **key);
    exceptions.iter().filter(|key| !needed(key)).map(|key| (*key).to_owned()).collect()
}

fn empty_names(file: &File) -> Vec<Finding> {
    let action = "name the module after the question that it answers";
    let mut found = Vec::new();
    for part in file.path.trim_end_matches(".rs").split('/') {
        if EMPTY_NAMES.contains(&part) {
            found.push(Finding::new(file, 1, format!("a module called `{part}`"), action));
        }
    }
    for (index, line) in masked(&file.text).lines().enumerate() {
        for name in EMPTY_NAMES {
            if has_word(line, &format!("mod {name}")) {
                let expected = format!("a module called `{name}`");
                found.push(Finding::new(file, index + 1, expected, action));
            }
        }
    }
    found
}

fn leftovers(file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in masked(&file.text).lines().enumerate() {
        for (word, action) in LEFTOVERS.iter().filter(|(word, _)| line.contains(word)) {
            found.push(Finding::new(file, index + 1, format!("`{word}` is left over"), action));
        }
        if line.trim_start().starts_with("#[") && has_word(line, "ignore") {
            let action = "make the test run everywhere, or give it an explicit need";
            found.push(Finding::new(file, index + 1, "an ignored test", action));
        }
    }
    found
}

fn world(file: &File) -> Vec<Finding> {
    if file.path.starts_with(TRANSPORT) || file.path == TOOL || file.path.starts_with(SERVER) {
        return Vec::new();
    }
    let code = without_tests(&masked(&file.text));
    let mut found: Vec<(usize, String)> = std_paths(&code);
    found.retain(|(_, path)| path == "process::Command" || path.starts_with("process::Command::"));
    for (index, line) in code.lines().enumerate() {
        let words = WORLD.iter().filter(|word| has_word(line, word));
        found.extend(words.map(|word| (index + 1, (*word).to_owned())));
    }
    found.sort();
    found.dedup_by_key(|(line, _)| *line);
    let action = "describe what to gather as an `Ask` and let the transport do it";
    let finding = |(line, word)| Finding::new(file, line, outside(word), action);
    found.into_iter().map(finding).collect()
}

fn outside(word: impl std::fmt::Display) -> String {
    format!("`{word}` outside {TRANSPORT}: only the transport touches the world")
}

fn impure(file: &File) -> Vec<Finding> {
    let Some((zone, modules)) = PURE.iter().find(|(zone, _)| file.path.starts_with(zone)) else {
        return Vec::new();
    };
    let code = without_tests(&masked(&file.text));
    let mut named: Vec<(usize, String)> = std_paths(&code);
    named.retain(|(_, path)| {
        let mut parts = path.split("::");
        match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
            ("time", item) => ["Instant", "SystemTime"].contains(&item),
            (module, _) => modules.contains(&module),
        }
    });
    let clocks = code.match_indices("::now(");
    named.extend(clocks.map(|(at, _)| (line_of(&code, at), "now".to_owned())));
    let finding = |(line, what)| {
        let expected = format!("`{what}` in pure code: {zone} touches neither node nor clock");
        Finding::new(file, line, expected, "take the value as a parameter")
    };
    named.into_iter().map(finding).collect()
}

fn rust() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.is_rust())
}

fn shipped() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.is_shipped_rust())
}

#[test]
fn every_rust_file_opens_by_saying_which_question_it_answers() {
    demand_none(rust().filter_map(header));
}

#[test]
fn a_missing_or_endless_header_is_found() {
    assert!(header(&File::sample("a/src/lib.rs", "use x;\n")).is_some());
    assert!(header(&File::sample("a/src/lib.rs", &"//! x\n".repeat(16))).is_some());
    assert!(header(&File::sample("a/src/lib.rs", "//! Which.\n\nuse x;\n")).is_none());
}

#[test]
fn no_file_or_function_is_over_its_size() {
    let found = rust().flat_map(oversize);
    let unlisted = found.filter(|(key, _)| !EXCEPTIONS.contains(&key.as_str()));
    demand_none(unlisted.map(|(_, finding)| finding));
}

#[test]
fn every_exception_to_the_sizes_is_still_needed() {
    let found: Vec<_> = rust().flat_map(oversize).collect();
    let stale = stale_exceptions(&EXCEPTIONS, &found);
    assert!(stale.is_empty(), "no longer over its size, remove it from EXCEPTIONS: {stale:?}");
}

#[test]
fn a_long_file_a_long_function_and_a_stale_exception_are_found() {
    let long = format!("fn long() {{\n{}}}\n", "    a();\n".repeat(69));
    let found = oversize(&File::sample("a/src/b.rs", &long));
    assert_eq!(found[0].0, "a/src/b.rs#long");
    assert!(oversize(&File::sample("a/src/b.rs", &long.replacen("    a();\n", "", 1))).is_empty());
    assert_eq!(oversize(&File::sample("a/src/b.rs", &"\n".repeat(501))).len(), 1);
    assert_eq!(oversize(&File::sample("a/src/main.rs", &"\n".repeat(81))).len(), 1);
    assert_eq!(stale_exceptions(&["a/src/b.rs#long", "gone.rs"], &found), ["gone.rs"]);
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    demand_none(rust().flat_map(empty_names));
}

#[test]
fn an_empty_name_is_found_in_path_and_code() {
    assert_eq!(empty_names(&File::sample("a/src/util.rs", "")).len(), 1);
    assert_eq!(empty_names(&File::sample("a/src/helpers/b.rs", "")).len(), 1);
    assert_eq!(empty_names(&File::sample("a/src/lib.rs", "pub mod misc {}\n")).len(), 1);
    assert!(empty_names(&File::sample("a/src/utility.rs", "mod helper_like;\n")).is_empty());
}

#[test]
fn nothing_unfinished_sleeping_or_ignored_is_left() {
    demand_none(rust().flat_map(leftovers));
}

#[test]
fn each_leftover_is_found_in_code_but_not_in_text() {
    for bad in ["todo!()", "unimplemented!(\"x\")", "dbg!(a)", "std::thread::sleep(x)"] {
        assert_eq!(leftovers(&File::sample("a/src/b.rs", bad)).len(), 1, "{bad}");
    }
    assert_eq!(leftovers(&File::sample("a/src/b.rs", "  #[ignore = \"slow\"]\n")).len(), 1);
    assert!(leftovers(&File::sample("a/src/b.rs", "// todo!() and \"dbg!\"\n")).is_empty());
    assert!(leftovers(&File::sample("a/src/b.rs", "#[arg(ignore_case = true)]\n")).is_empty());
}

#[test]
fn only_the_transport_starts_processes_and_opens_connections() {
    demand_none(shipped().flat_map(world));
}

#[test]
fn a_process_or_connection_outside_the_transport_is_found() {
    let tried = |path: &str, text: &str| world(&File::sample(path, text)).len();
    let probe = "runners/engine/src/probes/cpu.rs";
    for bad in [
        "use std::process::Command;",
        "use std::{\n    fmt,\n    process::{Child, Command},\n};",
        "process::Command::new(a)",
        "duct::cmd!(a)",
        "use std::net::TcpStream;",
        "fn a(b: TcpListener) {}",
    ] {
        assert_eq!(tried(probe, bad), 1, "{bad}");
        assert_eq!(tried("runners/engine/src/transport/local.rs", bad), 0, "{bad}");
        assert_eq!(tried(TOOL, bad), 0, "{bad}");
        assert_eq!(tried(&format!("{SERVER}keeper.rs"), bad), 0, "{bad}");
        assert_eq!(tried("runners/instruments/src/linux/fio.rs", bad), 1, "{bad}");
        assert_eq!(tried(probe, &format!("#[cfg(test)]\nmod tests {{\n{bad}\n}}")), 0, "{bad}");
    }
    assert_eq!(tried("runners/verify/src/cli.rs", "use clap::Command; // duct"), 0);
}

#[test]
fn pure_code_touches_neither_node_nor_clock() {
    demand_none(shipped().flat_map(impure));
}

#[test]
fn impure_code_is_found_where_it_must_be_pure() {
    let tried = |path: &str, text: &str| impure(&File::sample(path, text)).len();
    for bad in
        ["use std::fs;", "use std::{fmt, env};", "std::time::SystemTime::UNIX_EPOCH", "T::now()"]
    {
        for (zone, _) in PURE {
            assert_eq!(tried(&format!("{zone}/a.rs"), bad), 1, "{zone} {bad}");
        }
        assert_eq!(tried("runners/engine/src/record.rs", bad), 0, "{bad}");
    }
    assert_eq!(tried("runners/model/src/a.rs", "use std::{io, time::Duration};"), 1);
    assert_eq!(tried("reports/src/a.rs", "use std::{io::Write, time::Duration};"), 0);
}
