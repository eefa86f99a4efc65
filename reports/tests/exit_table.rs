//! The exit table to the letter: one test a row, exit code and JUnit element together, and that every
//! other format tells the same.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod told;
mod tree;

use std::collections::BTreeMap;

use corpus::build::{Builder, blocked, disturb, expect, fact, failed, metric, need_absent, passed};
use tree::{Element, parse};
use verify_model::{
    exit::{INTERRUPTED, exit_code},
    finding::FindingCode,
    fingerprint::Fingerprint,
    metric::Direction,
    outcome::Outcome,
    run::Run,
    value::Value,
    verdict::{Answer, Verdict},
    waiver::Waiver,
};
use verify_reports::find;

const DIALECTS: [&str; 2] = ["junit", "junit-strict"];

fn xml(format: &str, run: &Run) -> String {
    String::from_utf8(find(format).unwrap().render(run).unwrap()).unwrap()
}

/// Names the element of each case, with its type: `failure fail/expectation-missed`.
fn elements(format: &str, run: &Run) -> Vec<String> {
    parse(&xml(format, run)).unwrap().cases().into_iter().map(element).collect()
}

fn element(case: &Element) -> String {
    case.result().map_or_else(
        || "none".to_owned(),
        |result| format!("{} {}", result.name, result.attribute("type").unwrap_or_default()),
    )
}

fn add(run: &mut Builder, id: &str, answer: Answer) {
    run.check(id, "A check", vec![expect("version", "version", "570")], answer);
}

fn run_of(answers: impl IntoIterator<Item = Answer>) -> Run {
    let mut run = Builder::new();
    for (at, answer) in answers.into_iter().enumerate() {
        add(&mut run, &format!("a/check-{at}"), answer);
    }
    run.finish()
}

fn fail() -> Answer {
    fact("version", Value::text("550"))
}

fn error() -> Answer {
    failed(FindingCode::TimedOut, "no answer within 10 s", 1)
}

fn skip() -> Answer {
    need_absent("nvml", "not found", false)
}

fn disturbed() -> Answer {
    let mut answer = passed();
    disturb(&mut answer, "the GPU was busy");
    answer
}

fn without_baseline(require: bool) -> Run {
    let mut run = Builder::new();
    run.run.header.require_baseline = require;
    let answer = metric("p99", "us", Direction::LowerIsBetter, &[50.0]);
    run.check("a/new", "A check", vec![expect("p99", "within", "5 %")], answer);
    run.finish()
}

fn waived(expires: &str, strict: bool, answer: Answer) -> Run {
    let mut run = Builder::new();
    run.run.nodes[0].file.waivers = vec![Waiver {
        node: "nvidia".into(),
        check: "a/waived".into(),
        reason: "known".into(),
        owner: "ana".into(),
        expires: expires.into(),
        strict,
        only: BTreeMap::new(),
        location: None,
    }];
    add(&mut run, "a/waived", answer);
    run.finish()
}

fn assert_row(run: &Run, exit: u8, expected: &[&str]) {
    assert_eq!(run.exit_code(), exit);
    for format in DIALECTS {
        assert_eq!(elements(format, run), expected, "{format}");
    }
    told::assert_told(run, expected);
}

#[test]
fn every_format_tells_of_every_run_of_the_corpus_what_junit_tells() {
    let mut runs = corpus::all();
    runs.push(("interrupted-at-the-end", corpus::interrupted_at_the_end()));
    for (_, run) in runs {
        let elements = elements("junit", &run);
        let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
        told::assert_told(&run, &in_plan_order(&run, &elements));
    }
}

/// Brings the elements of a report, which go by node, into the order of the plan.
fn in_plan_order<'e>(run: &Run, elements: &[&'e str]) -> Vec<&'e str> {
    let mut nodes: Vec<&str> = Vec::new();
    for check in &run.checks {
        if !nodes.contains(&check.planned.node.as_str()) {
            nodes.push(&check.planned.node);
        }
    }
    let mut order: Vec<usize> = (0..run.checks.len()).collect();
    order.sort_by_key(|at| nodes.iter().position(|n| *n == run.checks[*at].planned.node));
    let mut sorted: Vec<(usize, &str)> = order.into_iter().zip(elements.iter().copied()).collect();
    sorted.sort_unstable();
    let own = elements[run.checks.len()..].iter().copied();
    sorted.into_iter().map(|(_, element)| element).chain(own).collect()
}

#[test]
fn a_pass_exits_0_and_carries_no_element() {
    assert_row(&run_of([passed()]), 0, &["none"]);
}

#[test]
fn a_fail_exits_1_and_is_a_failure() {
    assert_row(&run_of([fail()]), 1, &["failure fail/expectation-missed"]);
}

#[test]
fn a_capability_that_the_node_must_have_exits_1_and_is_a_failure() {
    let run = run_of([need_absent("nvml", "not found", true)]);
    assert_row(&run, 1, &["failure fail/expected-capability-missing"]);
}

#[test]
fn a_fail_under_an_expired_waiver_exits_1_and_is_a_failure() {
    let run = waived("2026-01-14", false, fail());
    assert_row(&run, 1, &["failure fail/expectation-missed"]);
}

#[test]
fn a_fail_whose_waiver_is_about_other_hardware_exits_1_and_is_a_failure() {
    let mut run = waived("2026-02-01", false, fail());
    let waiver = &mut run.nodes[0].file.waivers[0];
    waiver.only = BTreeMap::from([("bios.version".into(), "2.0".into())]);
    for (known, why) in [
        (Some("2.1"), "bios.version is 2.1, it names 2.0"),
        (None, "bios.version is not known, it names 2.0"),
    ] {
        let fields = BTreeMap::from([("bios.version".to_owned(), known.map(str::to_owned))]);
        run.nodes[0].fingerprint = Fingerprint(fields);
        run.judge_all();
        assert_row(&run, 1, &["failure fail/expectation-missed"]);
        let verdict = &run.checks[0].verdict;
        assert_eq!(verdict.waiver.as_ref().unwrap().misses.as_deref(), Some(why));
        let said = verdict.findings.iter().find(|f| f.code == FindingCode::WaiverElsewhere);
        assert!(said.unwrap().message.ends_with(why), "{said:?}");
    }
    run.nodes[0].fingerprint.0.insert("bios.version".into(), Some("2.0".into()));
    run.judge_all();
    assert_row(&run, 0, &["skipped waived"]);
}

#[test]
fn an_error_exits_3_and_is_an_error() {
    assert_row(&run_of([error()]), 3, &["error error/timed-out"]);
}

#[test]
fn a_waiver_does_not_excuse_an_error() {
    assert_row(&waived("2026-02-01", false, error()), 3, &["error error/timed-out"]);
}

#[test]
fn unjudged_for_its_conditions_exits_3_and_is_an_error() {
    assert_row(&run_of([disturbed()]), 3, &["error unjudged/conditions-not-held"]);
}

#[test]
fn unjudged_for_too_few_samples_or_another_ruler_exits_3_and_is_an_error() {
    for code in [FindingCode::TooFewSamples, FindingCode::NotComparable] {
        let mut run = without_baseline(false);
        // No probe gives these yet: the statistics come with the ledger.
        run.checks[0].verdict.decided_by = Some(code);
        run.checks[0].verdict.findings[0].code = code;
        assert_row(&run, 3, &[&format!("error unjudged/{}", code.row().name)]);
    }
}

#[test]
fn unjudged_without_a_baseline_exits_0_and_is_skipped() {
    assert_row(&without_baseline(false), 0, &["skipped unjudged/no-baseline"]);
}

#[test]
fn unjudged_without_a_required_baseline_exits_3_and_is_an_error() {
    assert_row(&without_baseline(true), 3, &["error unjudged/no-baseline"]);
}

#[test]
fn a_skip_beside_an_answer_exits_0_and_is_skipped_with_its_reason() {
    assert_row(&run_of([passed(), skip()]), 0, &["none", "skipped skip/need-absent"]);
    for format in DIALECTS {
        let xml = xml(format, &run_of([skip()]));
        assert!(xml.contains("message=\"needs `nvml`: not found\""), "{format}: {xml}");
    }
}

#[test]
fn a_blocked_check_exits_as_its_cause_and_is_skipped_naming_it() {
    let below = |outcome| blocked("a/check-0", outcome);
    let skipped = "skipped blocked/blocked";
    let run = run_of([fail(), below(Outcome::Fail)]);
    assert_row(&run, 1, &["failure fail/expectation-missed", skipped]);
    let run = run_of([error(), below(Outcome::Error)]);
    assert_row(&run, 3, &["error error/timed-out", skipped]);
    for format in DIALECTS {
        let xml = xml(format, &run);
        assert!(xml.contains("waits for a/check-0, which gave error"), "{format}: {xml}");
    }
}

#[test]
fn a_check_blocked_by_a_waived_fail_exits_0() {
    let mut run = waived("2026-02-01", false, fail());
    let other = run_of([blocked("a/waived", Outcome::Fail)]);
    run.checks.extend(other.checks);
    run.judge_all();
    assert_row(&run, 0, &["skipped waived", "skipped blocked/blocked"]);
}

#[test]
fn a_fail_under_a_valid_waiver_exits_0_and_is_skipped_as_waived() {
    assert_row(&waived("2026-02-01", false, fail()), 0, &["skipped waived"]);
    // The last day counts.
    assert_row(&waived("2026-01-15", false, fail()), 0, &["skipped waived"]);
}

#[test]
fn a_waived_check_that_passes_again_exits_0_with_advice() {
    let run = waived("2026-02-01", false, passed());
    assert_row(&run, 0, &["none"]);
    assert!(run.checks[0].verdict.findings.iter().any(|f| f.code == FindingCode::RemoveWaiver));
}

#[test]
fn a_strictly_waived_check_that_passes_again_exits_1_and_is_a_failure() {
    let run = waived("2026-02-01", true, passed());
    assert_row(&run, 1, &["failure fail/waiver-unneeded"]);
}

#[test]
fn a_run_in_which_nothing_was_answered_exits_4_with_one_error_case() {
    let skipped = "skipped skip/need-absent";
    assert_row(&run_of([skip(), skip()]), 4, &[skipped, skipped, "error nothing-answered"]);
    assert_row(&run_of([]), 4, &["error nothing-answered"]);
}

#[test]
fn an_interrupted_run_exits_130_and_what_was_not_answered_is_an_error() {
    let mut run = run_of([passed(), Answer::Interrupted]);
    run.interrupted = true;
    assert_row(&run, 130, &["none", "error error/interrupted", "error interrupted"]);
    let mut run = run_of([passed()]);
    run.interrupted = true;
    assert_row(&run, 130, &["none", "error interrupted"]);
}

#[test]
fn a_record_without_its_end_has_an_error_case() {
    let mut run = run_of([passed(), Answer::NotReached]);
    run.complete = false;
    assert_row(&run, 3, &["none", "error error/not-reached", "error incomplete"]);
}

#[test]
fn precedence_is_130_over_1_over_3_over_4_over_0() {
    let verdicts = |answers: &[fn() -> Answer]| -> Vec<Verdict> {
        run_of(answers.iter().map(|answer| answer())).verdicts().cloned().collect()
    };
    let everything = verdicts(&[passed, fail, error, skip, disturbed]);
    assert_eq!(exit_code(&everything, false, true), INTERRUPTED);
    assert_eq!(exit_code(&everything, false, false), 1);
    assert_eq!(exit_code(&verdicts(&[passed, error, skip]), false, false), 3);
    assert_eq!(exit_code(&verdicts(&[passed, disturbed, skip]), false, false), 3);
    assert_eq!(exit_code(&verdicts(&[error, skip]), false, false), 3);
    assert_eq!(exit_code(&verdicts(&[skip]), false, false), 4);
    assert_eq!(exit_code(&verdicts(&[passed, skip]), false, false), 0);
    assert_eq!(exit_code(&[], false, false), 4);
    assert_eq!(exit_code(&[], false, true), INTERRUPTED);
}
