//! Text from a node is hostile: whatever it sends, XML stays well-formed and terminals stay calm.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod told;
mod tree;

use proptest::prelude::*;
use quick_junit::Report;
use tree::{Element, parse};
use verify_model::run::Run;
use verify_reports::{
    FORMATS,
    clean::width_of,
    find,
    terminal::{Style, alone, render},
};

const DIALECTS: [&str; 2] = ["junit", "junit-strict"];

fn xml(format: &str, run: &Run) -> String {
    String::from_utf8(find(format).unwrap().render(run).unwrap()).unwrap()
}

/// Counts the cases of which an element says that they did not pass.
fn counted(document: &Element, kinds: &[&str]) -> usize {
    let named = |c: &&Element| c.result().is_some_and(|r| kinds.contains(&r.name.as_str()));
    document.cases().into_iter().filter(named).count()
}

/// Tells whether XML 1.0 allows every character, and no terminal obeys one.
fn is_calm(text: &str) -> bool {
    text.chars().all(|c| {
        (c == '\n' || !c.is_control())
            && !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[test]
fn one_check_alone_is_calm_and_begins_with_what_came_out() {
    for (name, run) in corpus::all() {
        for check in &run.checks {
            let (reason, text) = (alone::reason(&run, check), alone::text(&run, check));
            assert!(is_calm(&text) && is_calm(&reason) && !reason.contains('\n'), "{name}: {text}");
            let outcome =
                if check.verdict.is_waived() { "waived" } else { check.verdict.outcome.name() };
            for said in [reason, text] {
                assert!(said.starts_with(&format!("{outcome}: ")), "{name}: {said}");
            }
        }
    }
}

#[test]
fn junit_holds_each_check_once_and_its_writer_reads_it_back() {
    for (name, run) in corpus::all() {
        for format in DIALECTS {
            let xml = xml(format, &run);
            assert!(is_calm(&xml), "{name} as {format}");
            let document = parse(&xml).unwrap();
            let own = document.named("testsuite").filter(|s| s.attribute("name") == Some("verify"));
            let own: usize = own.map(|suite| suite.children.len()).sum();
            assert!(document.cases().len() >= run.checks.len(), "{name} as {format}");
            assert!(document.cases().len() <= run.checks.len() + own, "{name} as {format}");
        }
        let report = Report::deserialize_from_str(&xml("junit", &run));
        let report = report.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            report.tests,
            report.test_suites.iter().map(|s| s.test_cases.len()).sum::<usize>()
        );
    }
}

#[test]
fn every_case_has_a_unique_name_a_class_a_time_and_one_line_of_message() {
    for (format, (name, run)) in
        DIALECTS.into_iter().flat_map(|f| corpus::all().into_iter().map(move |r| (f, r)))
    {
        let document = parse(&xml(format, &run)).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for suite in document.named("testsuite") {
            for case in suite.named("testcase") {
                let known = |attribute| case.attribute(attribute).unwrap().to_owned();
                let (class, node) = (known("classname"), suite.attribute("name").unwrap());
                let own = class == "verify" && node == "verify";
                assert!(own || class.starts_with(&format!("{node}.")), "{name}: {class}");
                assert!(names.insert((known("classname"), known("name"))), "{name}");
                assert!(known("time").parse::<f64>().is_ok(), "{name}: {}", known("name"));
                let Some(result) = case.result() else { continue };
                let message = result.attribute("message").unwrap();
                assert!(!message.is_empty() && !message.contains('\n'), "{name}: {message}");
                assert!(!result.attribute("type").unwrap().is_empty(), "{name}: {message}");
                assert!(!result.text.trim().is_empty(), "{name}: {message}");
            }
        }
    }
}

#[test]
fn suites_that_read_alike_keep_their_cases_apart() {
    let mut run = corpus::all_pass();
    for (check, (node, suite)) in run.checks.iter_mut().zip([("a.b", "c"), ("a", "b.c")]) {
        check.planned.node = node.into();
        check.planned.check.suite = suite.into();
        check.planned.check.id = "same/id".into();
    }
    for format in DIALECTS {
        let document = parse(&xml(format, &run)).unwrap();
        let suites = document.named("testsuite").map(|s| s.attribute("name").unwrap());
        assert_eq!(suites.collect::<Vec<_>>(), ["a.b", "a", "nvidia"]);
        let classes = document.cases().into_iter().map(|c| c.attribute("classname").unwrap());
        assert_eq!(classes.collect::<Vec<_>>(), ["a.b.c", "a.b.c (2)", "nvidia.machine"]);
    }
}

#[test]
fn a_node_that_is_called_as_the_program_does_not_hide_what_is_said_of_the_run() {
    let mut run = corpus::interrupted();
    for check in &mut run.checks {
        check.planned.node = "verify".into();
    }
    for format in DIALECTS {
        let document = parse(&xml(format, &run)).unwrap();
        let suites = document.named("testsuite").map(|s| s.attribute("name").unwrap());
        assert_eq!(suites.collect::<Vec<_>>(), ["verify (2)", "verify"], "{format}");
    }
}

#[test]
fn a_run_that_does_not_exit_with_zero_has_a_failure_or_an_error() {
    let mut runs = corpus::all();
    runs.push(("interrupted-at-the-end", corpus::interrupted_at_the_end()));
    for (name, run) in runs {
        for format in DIALECTS {
            let document = parse(&xml(format, &run)).unwrap();
            let grave = counted(&document, &["failure", "error"]);
            assert_eq!(grave > 0, run.exit_code() != 0 || !run.complete, "{name} as {format}");
        }
    }
}

#[test]
fn what_a_node_leaves_open_swallows_no_word_of_ours() {
    for open in ["\u{1b}", "\u{1b}[", "\u{1b}]0;", "\u{9d}", "\u{1b}P"] {
        let run = corpus::hostile::run_of(&format!("seen{open}"), "no answer", "A check");
        for format in DIALECTS {
            let xml = xml(format, &run);
            assert!(xml.contains("answer: fine expected, seen"), "{open:?} in {xml}");
            assert!(xml.contains(" observed"), "{open:?} in {xml}");
            assert!(xml.contains(", expected fine"), "{open:?} in {xml}");
        }
    }
}

#[test]
fn the_terminal_never_says_that_all_passed_when_something_did_not() {
    for (name, run) in corpus::all() {
        let text = render(&run, &Style { color: false, width: 80, verbose: true });
        assert!(is_calm(&text), "{name}");
        let counts = run.counts();
        let answered = counts.total() - counts.skip - counts.blocked;
        let says_all = text.contains("All ") || text.contains("The one answered check passed");
        assert_eq!(says_all, answered > 0 && counts.pass == answered && run.complete, "{name}");
    }
}

/// Asserts what must hold of a format whatever a node says: calm, and each line begins as ours do.
fn assert_format(format: &str, run: &Run) {
    let text = told::bytes(format, run).replace("\r\n", "\n");
    assert!(is_calm(&text), "{format}: {text}");
    let begins = |line: &str, with: &[&str]| with.iter().any(|start| line.starts_with(start));
    let lines: Vec<&str> = text.lines().collect();
    match format {
        "github" => {
            let own = ["verify: ", "::error ", "::warning ", "::notice "];
            assert!(lines.iter().all(|line| begins(line, &own)), "{text}");
            assert!(!text.contains("##["), "{text}");
        }
        "tap" => {
            let own = ["TAP version 14", "1..", "# ", "ok ", "not ok ", "  ---", "  ...", "  "];
            let bails = |line: &&str| line.starts_with("Bail out!");
            assert!(lines.iter().all(|line| begins(line, &own) || bails(line)), "{text}");
            assert_eq!(
                lines.iter().filter(|line| bails(line)).count(),
                usize::from(run.interrupted)
            );
        }
        "nagios" => {
            assert!(text.starts_with("VERIFY ") && text.len() <= 8_192, "{}", text.len());
            assert_eq!((lines.len(), text.matches('|').count()), (1, 1), "{text}");
        }
        "csv" => {
            for (name, cell) in told::rows(&text).into_iter().flatten() {
                let number = cell.parse::<f64>().is_ok();
                assert!(number || !begins(&cell, &["=", "+", "-", "@"]), "{name}: {cell}");
            }
        }
        "prometheus" => {
            assert!(lines.iter().all(|line| begins(line, &["# ", "verify_"])), "{text}");
        }
        "markdown" => assert!(text.len() <= 65_536, "{}", text.len()),
        "ocp" => {
            for line in lines {
                assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
            }
        }
        _ => {}
    }
}

#[test]
fn every_format_is_calm_and_keeps_its_form_for_every_run_of_the_corpus() {
    for (_, run) in corpus::all() {
        for format in FORMATS.iter().map(|format| format.spec().name) {
            // The record holds what came, escaped as JSON does.
            if format != "jsonl" {
                assert_format(format, &run);
            }
        }
    }
}

#[test]
fn a_long_line_makes_no_long_report() {
    let long = "A|`<@#".repeat(20_000);
    let run = corpus::hostile::run_of(&long, &long, &long);
    for format in FORMATS.iter().map(|format| format.spec().name) {
        if !["jsonl", "text"].contains(&format) {
            let size = told::bytes(format, &run).len();
            assert!(size < 400_000, "{format}: {size} bytes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_node_sends_reports_stay_well_formed(
        observed in corpus::hostile::hostile_text(),
        message in corpus::hostile::hostile_text(),
        title in corpus::hostile::hostile_text(),
    ) {
        let run = corpus::hostile::run_of(&observed, &message, &title);
        for format in DIALECTS {
            prop_assert!(is_calm(&xml(format, &run)));
        }
        for format in ["markdown", "github", "tap", "csv", "prometheus", "nagios", "ocp"] {
            assert_format(format, &run);
        }
        let report = Report::deserialize_from_str(&xml("junit", &run));
        prop_assert!(report.is_ok(), "{:?}", report.err());
        for width in [40, 80] {
            for color in [false, true] {
                let text = render(&run, &Style { color, width, verbose: true });
                let plain = if color { verify_reports::clean::clean(&text) } else { text };
                prop_assert!(is_calm(&plain));
                prop_assert!(plain.lines().all(|line| width_of(line) <= width));
            }
        }
    }

    #[test]
    fn cleaning_twice_changes_nothing_more(text in corpus::hostile::hostile_text()) {
        let once = verify_reports::clean::clean(&text);
        prop_assert_eq!(verify_reports::clean::clean(&once), once);
    }
}
