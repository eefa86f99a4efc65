//! What each format tells of a run, read back without our code: the cases in plan order and the whole,
//! held against the JUnit elements that the exit table asks for.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test binary uses a part of it")]

use serde_json::Value;
use verify_model::{outcome::Outcome, run::Run};
use verify_reports::find;

pub(crate) fn bytes(format: &str, run: &Run) -> String {
    String::from_utf8(find(format).unwrap().render(run).unwrap()).unwrap()
}

/// Asserts that every format tells what the elements say: `none`, `failure …`, `error …`, `skipped …`,
/// those of the run itself last.
pub(crate) fn assert_told(run: &Run, elements: &[&str]) {
    let kinds: Vec<&str> = elements.iter().map(|e| e.split(' ').next().unwrap()).collect();
    let of_checks = &kinds[..run.checks.len()];
    tap(run, &kinds);
    csv(run, &kinds);
    github(run, &kinds);
    prometheus(run, of_checks);
    ocp(run, of_checks);
    nagios(run, &kinds);
    markdown(run, of_checks);
}

fn is_grave(kind: &str) -> bool {
    matches!(kind, "failure" | "error")
}

fn number_of(kinds: &[&str], is: impl Fn(&str) -> bool) -> usize {
    kinds.iter().filter(|kind| is(kind)).count()
}

fn tap(run: &Run, kinds: &[&str]) {
    let text = bytes("tap", run);
    let points: Vec<&str> =
        text.lines().filter(|l| l.starts_with("ok ") || l.starts_with("not ok ")).collect();
    assert!(text.contains(&format!("\n1..{}\n", points.len())), "{text}");
    assert_eq!(points.len(), kinds.len(), "{text}");
    for (point, kind) in points.iter().zip(kinds) {
        let (fails, todo) = (point.starts_with("not ok"), point.contains(" # TODO "));
        assert_eq!(fails && !todo, is_grave(kind), "{point}");
        assert_eq!(point.contains(" # SKIP ") || todo, *kind == "skipped", "{point}");
    }
    assert_eq!(text.contains("\nBail out!"), run.interrupted, "{text}");
}

fn csv(run: &Run, kinds: &[&str]) {
    let mut told: Vec<((String, String), &str)> = Vec::new();
    for row in rows(&bytes("csv", run)) {
        let cell = |name: &str| row.iter().find(|(known, _)| known == name).unwrap().1.clone();
        let kind = match (cell("exit").as_str(), cell("outcome").as_str()) {
            ("0", "pass") => "none",
            ("0", _) => "skipped",
            (_, "pass") => panic!("{row:?}"),
            _ => "grave",
        };
        let key = (cell("node"), cell("check"));
        if told.iter().all(|(known, _)| *known != key) {
            told.push((key, kind));
        }
    }
    let told: Vec<&str> = told.into_iter().map(|(_, kind)| kind).collect();
    let expected = kinds.iter().map(|kind| if is_grave(kind) { "grave" } else { kind });
    assert_eq!(told, expected.collect::<Vec<_>>());
}

/// Reads a table with its header, each row as names and values.
pub(crate) fn rows(text: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let row = |record: ::csv::StringRecord| {
        names.iter().cloned().zip(record.iter().map(str::to_owned)).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn github(run: &Run, kinds: &[&str]) {
    let text = bytes("github", run);
    let errors = text.lines().filter(|line| line.starts_with("::error ")).count();
    assert_eq!(errors, number_of(kinds, is_grave).min(10), "{text}");
    assert_eq!(errors > 0, run.exit_code() != 0, "{text}");
}

fn prometheus(run: &Run, kinds: &[&str]) {
    let text = bytes("prometheus", run);
    let series = |name: &str| {
        let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let exit = series("verify_run_exit_code");
    assert_eq!(exit.len(), 1, "{text}");
    assert!(exit[0].ends_with(&format!("}} {}", run.exit_code())), "{exit:?}");
    let (outcomes, exits) = (series("verify_check_outcome"), series("verify_check_exit_code"));
    assert_eq!((outcomes.len(), exits.len()), (kinds.len(), kinds.len()), "{text}");
    for ((outcome, exit), kind) in outcomes.iter().zip(exits).zip(kinds) {
        assert_eq!(outcome.contains(",outcome=\"pass\""), *kind == "none", "{outcome}");
        assert_eq!(!exit.ends_with("} 0"), is_grave(kind), "{exit}");
    }
}

fn ocp(run: &Run, kinds: &[&str]) {
    let text = bytes("ocp", run);
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (at, artifact) in all.iter().enumerate() {
        assert_eq!(artifact["sequenceNumber"], at, "{artifact}");
    }
    let steps = all.iter().map(|artifact| &artifact["testStepArtifact"]);
    for (at, (kind, check)) in kinds.iter().zip(&run.checks).enumerate() {
        let id = at.to_string();
        let of_step = steps.clone().filter(|step| step["testStepId"] == id.as_str());
        let of_step: Vec<&Value> = of_step.collect();
        let found = |pointer: &str, value: &str| {
            of_step.iter().filter(|step| step.pointer(pointer).is_some_and(|v| v == value)).count()
        };
        assert_eq!(found("/diagnosis/type", "PASS"), usize::from(*kind == "none"), "{of_step:?}");
        assert_eq!(found("/diagnosis/type", "FAIL"), usize::from(*kind == "failure"));
        let complete = found("/testStepEnd/status", "COMPLETE") == 1;
        let answered =
            matches!(check.verdict.outcome, Outcome::Pass | Outcome::Fail | Outcome::Unjudged);
        assert_eq!(complete, answered, "{of_step:?}");
        if check.verdict.outcome == Outcome::Error {
            assert_eq!(of_step.iter().filter(|s| s["error"].is_object()).count(), 1);
        }
    }
    let end = &all.last().unwrap()["testRunArtifact"]["testRunEnd"];
    let passes = run.exit_code() == 0 && kinds.contains(&"none");
    assert_eq!(end["result"] == "PASS", passes, "{end}");
    assert_eq!(end["result"] == "FAIL", fails(kinds), "{end}");
    assert_eq!(end["result"] == "NOT_APPLICABLE", end["status"] != "COMPLETE", "{end}");
}

/// Tells whether a check failed, also in a run that was cut short.
fn fails(kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| kind.starts_with("failure"))
}

fn nagios(run: &Run, kinds: &[&str]) {
    let text = bytes("nagios", run);
    let state = text.split(' ').nth(1).unwrap();
    let expected = match run.exit_code() {
        _ if fails(kinds) => "CRITICAL",
        0 if run.counts().pass == 0 => "WARNING",
        0 => "OK",
        _ => "UNKNOWN",
    };
    assert_eq!(state, expected, "{text}");
    assert_eq!(text.matches('|').count(), 1, "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

fn markdown(run: &Run, kinds: &[&str]) {
    let text = bytes("markdown", run);
    assert!(text.contains(&format!("(exit code {})", run.exit_code())), "{text}");
    let passes = text.lines().filter(|line| line.starts_with("| pass |")).count();
    assert_eq!(passes, number_of(kinds, |kind| kind == "none"), "{text}");
    let needs = text.contains("### What needs somebody");
    assert_eq!(needs, kinds.iter().any(|kind| is_grave(kind)), "{text}");
}
