//! Text from a node is hostile: whatever it sends, XML stays well-formed and terminals stay calm.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;

use corpus::build::{Builder, expect, fact, failed, need_absent};
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use verify_model::{finding::FindingCode, run::Run, value::Value};
use verify_reports::{
    find,
    terminal::{Style, render},
};

fn junit(run: &Run) -> String {
    String::from_utf8(find("junit").unwrap().render(run).unwrap()).unwrap()
}

/// Counts cases, failures, errors and skips by looking at the cases.
fn counted(report: &Report) -> [usize; 4] {
    let mut counts = [0; 4];
    for case in report.test_suites.iter().flat_map(|s| &s.test_cases) {
        counts[0] += 1;
        match &case.status {
            TestCaseStatus::Success { .. } => {}
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => counts[1] += 1,
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => counts[2] += 1,
            TestCaseStatus::Skipped { .. } => counts[3] += 1,
        }
    }
    counts
}

/// Tells whether XML 1.0 allows every character, and no terminal obeys one.
fn is_calm(text: &str) -> bool {
    text.chars().all(|c| {
        (c == '\n' || !c.is_control())
            && !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[test]
fn junit_is_well_formed_and_its_counts_are_those_of_its_cases() {
    for (name, run) in corpus::all() {
        let xml = junit(&run);
        assert!(is_calm(&xml), "{name}");
        let report = Report::deserialize_from_str(&xml).unwrap_or_else(|e| panic!("{name}: {e}"));
        let [tests, failures, errors, skipped] = counted(&report);
        assert_eq!(report.tests, tests, "{name}");
        assert_eq!(report.failures, failures, "{name}");
        assert_eq!(report.errors, errors, "{name}");
        assert_eq!(report.skipped, skipped, "{name}");
        let sums = report.test_suites.iter().fold([0; 4], |sum, suite| {
            [
                sum[0] + suite.tests,
                sum[1] + suite.failures,
                sum[2] + suite.errors,
                sum[3] + suite.skipped,
            ]
        });
        assert_eq!(sums, [tests, failures, errors, skipped], "{name}");
    }
}

#[test]
fn every_case_has_a_unique_name_a_class_a_time_and_one_line_of_message() {
    for (name, run) in corpus::all() {
        let report = Report::deserialize_from_str(&junit(&run)).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for suite in &report.test_suites {
            for case in &suite.test_cases {
                let class = case.classname.as_ref().unwrap().as_str().to_owned();
                assert_eq!(class, suite.name.as_str(), "{name}");
                assert!(names.insert((class, case.name.as_str().to_owned())), "{name}");
                assert!(case.time.is_some(), "{name}: {}", case.name.as_str());
                let message = match &case.status {
                    TestCaseStatus::Success { .. } => continue,
                    TestCaseStatus::NonSuccess { message, .. }
                    | TestCaseStatus::Skipped { message, .. } => message.as_ref().unwrap().as_str(),
                };
                assert!(!message.is_empty() && !message.contains('\n'), "{name}: {message}");
            }
        }
    }
}

#[test]
fn a_run_that_does_not_exit_with_zero_has_a_failure_or_an_error() {
    let mut runs = corpus::all();
    runs.push(("interrupted-at-the-end", corpus::interrupted_at_the_end()));
    for (name, run) in runs {
        let [_, failures, errors, _] =
            counted(&Report::deserialize_from_str(&junit(&run)).unwrap());
        if run.exit_code() != 0 {
            assert!(failures + errors > 0, "{name}");
        } else if run.complete {
            assert_eq!(failures + errors, 0, "{name}");
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

/// Draws text in which control sequences, markup and invalid characters are likely.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        prop::sample::select(&corpus::HOSTILE[..]).prop_map(str::to_owned),
        prop::sample::select(vec![
            "\u{1b}", "\u{1b}[", "\u{9b}", "\u{1b}]", "]]>", "<", "&", "\0", "\u{fffe}", "\r\n",
            "\t"
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_node_sends_reports_stay_well_formed(
        observed in hostile_text(),
        message in hostile_text(),
        title in hostile_text(),
    ) {
        let mut run = Builder::new();
        run.hostile_node(&observed);
        let demand = vec![expect("answer", "is", "fine")];
        run.check("a/fact", &title, demand.clone(), fact("answer", Value::text(&observed)));
        let evidence = run.exec(&["cat", &message], 1, &observed);
        run.check("a/error", &title, demand, failed(FindingCode::GatherFailed, &message, evidence));
        run.check("a/skip", &title, vec![], need_absent(&observed, &message, false));
        run.check(&format!("a/{message}"), &title, vec![], need_absent(&observed, &message, true));
        let run = run.finish();

        let xml = junit(&run);
        prop_assert!(is_calm(&xml));
        let report = Report::deserialize_from_str(&xml);
        prop_assert!(report.is_ok(), "{:?}", report.err());
        for width in [40, 80] {
            for color in [false, true] {
                let text = render(&run, &Style { color, width, verbose: true });
                let plain = if color { verify_reports::clean::clean(&text) } else { text };
                prop_assert!(is_calm(&plain));
                prop_assert!(plain.lines().all(|line| line.chars().count() <= width));
            }
        }
    }

    #[test]
    fn cleaning_twice_changes_nothing_more(text in hostile_text()) {
        let once = verify_reports::clean::clean(&text);
        prop_assert_eq!(verify_reports::clean::clean(&once), once);
    }
}
