//! Tries the instrument on this machine's compiler and on what is no program for it.

use std::io::Write as _;

use serde_json::Value;

use super::INSTRUMENT;

fn asked(words: &[&str]) -> Result<Value, String> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    INSTRUMENT.document(&words).map(|mut document| document["result"].take())
}

/// Builds with g++ under some flags; `None` where there is none.
fn built(flags: &str) -> Option<Value> {
    let found = asked(&["--family", "gcc", "--names", "g++", "--flags", flags]).unwrap();
    if found.get("missing").is_some() || found["compile"]["exit"] != 0 {
        let _ = writeln!(std::io::stderr(), "skipped: needs g++ that compiles C++23");
        return None;
    }
    Some(found)
}

fn holds(list: &Value, name: &str) -> bool {
    list.as_array().unwrap().iter().any(|one| one == name)
}

#[test]
#[cfg(target_arch = "x86_64")]
fn what_a_build_needs_comes_from_its_flags_and_its_file() {
    let Some(plain) = built("-O2") else { return };
    assert!(holds(&plain["elf"]["needed"], "libc.so.6"), "{plain}");
    assert!(holds(&plain["cpu"]["defines"], "__SSE2__"));
    assert!(!holds(&plain["cpu"]["added"], "__AVX2__"));
    let newer = built("-O2 -march=x86-64-v4").unwrap();
    assert!(holds(&newer["cpu"]["added"], "__AVX512F__"), "{newer}");
    let whole = built("-static").unwrap();
    if whole["compile"]["exit"] == 0 {
        assert_eq!(whole["elf"]["needed"], serde_json::json!([]), "{whole}");
    }
    assert!(whole.get("remote").is_none());
}

#[test]
fn a_binary_that_is_there_is_read_and_one_that_is_not_is_named() {
    let own = std::env::current_exe().unwrap();
    let found = asked(&["--binary", own.to_str().unwrap()]).unwrap();
    assert_eq!(found["elf"]["class"], 64, "{found}");
    let found = asked(&["--binary", "/no/such/program", "--ssh", "nowhere"]).unwrap();
    assert!(found["elf"]["unread"].is_string() && found.get("remote").is_none(), "{found}");
}

#[test]
fn arguments_that_it_cannot_use_are_refused_by_name() {
    for (bad, named) in [
        ("", "--family"),
        ("--family nvcc --names nvcc", "makes no program"),
        ("--binary here", "an absolute path"),
        ("--binary /bin/true --ssh -oProxyCommand=touch", "does not begin with `-`"),
        ("--binary /bin/true --ssh a;b", "found `a;b`"),
        ("--binary /bin/true --program-args $(id)", "holds `$(id)`"),
    ] {
        let why = INSTRUMENT.tried(bad).unwrap_err();
        assert!(why.contains(named), "{bad}: {why}");
    }
}
