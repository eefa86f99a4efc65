//! Whether the book in `docs/` and the README are so: every command in them is run here, in order, in
//! a home of its own, and what they show is what was printed.
//!
//! What cannot be run here says so in a comment above its block, with what it needs; a block that
//! says nothing must run. The simulator answers where a workstation would. Whether the prose is true
//! beyond its commands, formats, flags and exit codes is not known here.
#![allow(clippy::disallowed_methods, reason = "plays what a reader would type, and reads files")]
#![allow(clippy::explicit_write, reason = "what a passing test prints with a macro is swallowed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chapter;
mod page;
mod pattern;
mod readme;
mod stage;
mod word;

use std::{
    fs,
    io::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    chapter::{Played, play},
    stage::{Stage, checkout},
};

/// Every page, and how many commands at least must run and outputs be compared: a page whose blocks
/// all say why they are left out proves nothing. The longest come first.
const PAGES: [(&str, usize, usize); 16] = [
    ("docs/hardware-change.md", 20, 12),
    ("docs/troubleshooting.md", 22, 5),
    ("README.md", 15, 0),
    ("docs/your-own-suite.md", 15, 4),
    ("docs/first-run.md", 10, 2),
    ("docs/methodology.md", 5, 1),
    ("docs/exit-codes.md", 10, 3),
    ("docs/your-own-probe.md", 5, 3),
    ("docs/ci.md", 12, 3),
    ("docs/reading-the-page.md", 4, 0),
    ("docs/several-machines.md", 5, 3),
    ("docs/threat-model.md", 0, 0),
    ("docs/selftest.md", 6, 2),
    ("docs/beside.md", 0, 0),
    ("docs/peers.md", 0, 0),
    ("docs/README.md", 0, 0),
];

fn played(path: &str) -> Played {
    if path == "README.md" {
        return play(path, &readme::NOTES, &Stage::clone_of_the_repository());
    }
    play(path, &[], &Stage::empty())
}

#[test]
fn every_command_of_the_book_does_what_the_book_says() {
    if !cfg!(target_os = "linux") {
        writeln!(std::io::stderr(), "skipped: needs Linux, and the tools of GNU").unwrap();
        return;
    }
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(page) = PAGES.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = played(page.0);
                    all.lock().unwrap().push((page, result));
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap();
    all.sort_by_key(|(page, _)| page.0);
    let mut faults = Vec::new();
    let mut told = Vec::new();
    for ((path, least, shown), played) in all {
        let Played { ran, compared, left_out, faults: found } = played;
        told.push(format!("{path}: {ran} commands run, {compared} outputs compared"));
        told.extend(left_out.iter().map(|left| format!("  left out {left}")));
        if found.is_empty() && (ran < *least || compared < *shown) {
            faults.push(format!(
                "{path}: {ran} commands run and {compared} outputs compared, at least {least} and {shown} expected"
            ));
        }
        faults.extend(found);
    }
    // Not `eprintln!`: what a passing test prints is swallowed.
    writeln!(std::io::stderr(), "{}", told.join("\n")).unwrap();
    assert!(faults.is_empty(), "{} fault(s)\n{}", faults.len(), faults.join("\n\n"));
}

#[test]
fn every_page_of_the_book_is_played_and_stands_in_its_table_of_contents() {
    let contents = fs::read_to_string(checkout("docs/README.md")).unwrap();
    for entry in fs::read_dir(checkout("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("docs/{name}");
        assert!(PAGES.iter().any(|(page, ..)| *page == path), "{path} is no row of PAGES");
        assert!(name == "README.md" || contents.contains(&format!("({name})")), "{name}");
    }
}
