//! Every run of the corpus in every format, as people and CI systems get it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;

use verify_reports::{
    FORMATS, Format,
    terminal::{Style, render},
};

/// Runs whose pages are kept: a page is long, and what it holds of every run is tested in `page.rs`.
const PAGES: [&str; 2] = ["all-pass", "every-outcome"];

/// Leaves out what is in files of its own, and the hashes that follow from it.
fn without_style_and_script(page: &str) -> String {
    let mut page = page.to_owned();
    for name in ["style", "script"] {
        let start = page.find(&format!("<{name}>")).unwrap() + name.len() + 2;
        let end = page.find(&format!("</{name}>")).unwrap();
        page.replace_range(start..end, "…");
    }
    let hash = regex::Regex::new("sha256-[A-Za-z0-9+/=]+").unwrap();
    hash.replace_all(&page, "sha256-…").into_owned()
}

#[test]
fn every_run_of_the_corpus_reads_as_reviewed_in_every_format() {
    for (name, run) in corpus::all() {
        for format in FORMATS {
            let bytes = format.render(&run).unwrap();
            let mut text = String::from_utf8(bytes).unwrap();
            if format.spec().name == "html" {
                if !PAGES.contains(&name) {
                    continue;
                }
                text = without_style_and_script(&text);
            }
            insta::assert_snapshot!(format!("{name}.{}", format.spec().name), text);
        }
    }
}

#[test]
fn a_narrow_and_a_verbose_terminal_read_as_reviewed() {
    let run = corpus::every_outcome();
    for (name, width, verbose) in
        [("narrow", 60, false), ("usual", 80, false), ("verbose", 80, true)]
    {
        let text = render(&run, &Style { color: false, width, verbose });
        insta::assert_snapshot!(format!("every-outcome.terminal-{name}"), text);
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for format in FORMATS {
        for (name, run) in corpus::all() {
            let (first, second) =
                (format.render(&run).unwrap(), format.render(&run.clone()).unwrap());
            assert_eq!(first, second, "{name} as {}", format.spec().name);
        }
    }
}

#[test]
fn colour_adds_nothing_that_the_words_do_not_say() {
    for (name, run) in corpus::all() {
        let plain = render(&run, &Style { color: false, width: 80, verbose: false });
        let color = render(&run, &Style { color: true, width: 80, verbose: false });
        assert!(color.contains('\u{1b}'), "{name}");
        assert_eq!(verify_reports::clean::clean(&color), plain, "{name}");
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for (name, run) in corpus::all() {
        for width in [40, 60, 80, 120] {
            for verbose in [false, true] {
                let text = render(&run, &Style { color: false, width, verbose });
                for line in text.lines() {
                    assert!(line.chars().count() <= width, "{name} at {width}: {line}");
                }
            }
        }
    }
}

#[test]
fn every_format_is_found_by_its_name() {
    for format in FORMATS {
        let spec = format.spec();
        assert_eq!(verify_reports::find(spec.name).map(Format::spec), Some(spec));
    }
    assert!(verify_reports::find("pdf").is_none());
}
