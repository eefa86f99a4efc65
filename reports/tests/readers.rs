//! Both JUnit dialects through readers that we did not write, where they are installed: what they find
//! is what the run holds, to the counts, names, times, messages and types.
//!
//! Two read everything; the libraries of two actions are called as these call them, and count alike.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod reader;

use std::path::PathBuf;

use reader::{has_node, has_program, has_python, node, python, written};
use serde_json::{Value, json};
use verify_model::{
    exit::{Element, Situation},
    finding::FindingCode,
    run::{Run, RunCheck},
};
use verify_reports::{
    clean::{block, one_line},
    sentence::sentence,
};

const DIALECTS: [&str; 2] = ["junit", "junit-strict"];

/// Prints what junitparser sees, in the shape that `same` wants.
const JUNITPARSER: &str = "
import sys, json, junitparser
def case_of(case):
    assert len(case.result) < 2
    result = case.result[0] if case.result else None
    return dict(name=case.name, classname=case.classname, time=case.time,
        element=type(result).__name__.lower() if result else 'none',
        type=result.type if result else None, message=result.message if result else None,
        text=result.text if result else None, output=case.system_out)
def suite_of(suite):
    return dict(name=suite.name, time=suite.time, cases=[case_of(case) for case in suite],
        counts=[suite.tests, suite.failures, suite.errors, suite.skipped])
files = [junitparser.JUnitXml.fromfile(path) for path in sys.argv[1:]]
print(json.dumps([[suite_of(suite) for suite in file] for file in files]))
";

/// Prints what junit2json sees.
const JUNIT2JSON: &str = "
const {readFileSync} = require('fs'), {parse} = require('junit2json')
Promise.all(process.argv.slice(1).map(path => parse(readFileSync(path, 'utf8'))))
  .then(files => console.log(JSON.stringify(files)))
";

/// Reads as mikepenz/action-junit-report does: compact, a result by its presence, `file` of the case.
const ACTION_JUNIT_REPORT: &str = "
const {readFileSync} = require('fs'), {xml2json} = require('xml-js')
const list = value => value === undefined ? [] : Array.isArray(value) ? value : [value]
const case_of = suite => one => {
  const failure = list(one.failure)[0] ?? one.error, about = one._attributes
  return {suite: suite._attributes.name, name: about.name, classname: about.classname,
    level: one.skipped ? 'skipped' : failure ? 'failure' : 'success',
    message: failure?._attributes.message, details: failure && (failure._cdata || failure._text).toString(),
    time: parseFloat(about.time), file: about.file, line: about.line && parseInt(about.line)}
}
console.log(JSON.stringify(process.argv.slice(1).map(path => {
  const report = JSON.parse(xml2json(readFileSync(path, 'utf8'), {compact: true}))
  return list(report.testsuites.testsuite).flatMap(s => list(s.testcase).map(case_of(s)))
})))
";

/// Reads as dorny/test-reporter does: lists everywhere, a result by its presence, a missing time is NaN.
const TEST_REPORTER: &str = "
const {readFileSync} = require('fs'), {parseStringPromise} = require('xml2js')
const case_of = suite => one => {
  const failure = (one.failure ?? one.error)?.[0]
  return {suite: suite.$.name.trim(), name: one.$.name.trim(), classname: one.$.classname,
    level: failure ? 'failure' : one.skipped ? 'skipped' : 'success', details: failure?._,
    message: failure?.$.message, time: parseFloat(one.$.time), file: one.$.file,
    line: one.$.line && parseInt(one.$.line)}
}
Promise.all(process.argv.slice(1).map(async path => {
  const report = await parseStringPromise(readFileSync(path, 'utf8'))
  return (report.testsuites.testsuite ?? []).flatMap(s => (s.testcase ?? []).map(case_of(s)))
})).then(files => console.log(JSON.stringify(files)))
";

/// Prints what junit2html shows: the numbers of its table, and the page.
const JUNIT2HTML: &str = "
import sys, json
from junit2htmlreport.parser import Junit
def file_of(path):
    report = Junit(filename=path)
    count = lambda name: sum(len(getattr(suite, name)()) for suite in report.suites)
    return dict(counts=[count('failed'), count('skipped'), count('passed')], page=report.html())
print(json.dumps([file_of(path) for path in sys.argv[1:]]))
";

fn suites_of_junit2json(file: &Value) -> Value {
    list(&file["testsuite"]).map(suite_of_junit2json).collect()
}

fn suite_of_junit2json(suite: &Value) -> Value {
    let cases: Vec<Value> = list(&suite["testcase"]).map(case_of_junit2json).collect();
    let counts = ["tests", "failures", "errors", "skipped"].map(|name| &suite[name]);
    json!({"name": suite["name"], "time": suite["time"], "cases": cases, "counts": counts})
}

fn case_of_junit2json(case: &Value) -> Value {
    let kinds = ["failure", "error", "skipped"];
    let element = kinds.into_iter().find(|kind| list(&case[kind]).next().is_some());
    let result = element.map_or(&Value::Null, |element| &case[element][0]);
    json!({
        "name": case["name"], "classname": case["classname"], "time": case["time"],
        "element": element.unwrap_or("none"), "type": result["type"], "text": result["inner"],
        "message": result["message"], "output": case["system-out"][0],
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[test]
fn junitparser_finds_in_both_dialects_what_the_run_holds() {
    if has_python("junitparser") {
        each("junitparser", |paths| python(JUNITPARSER, paths), same);
    }
}

#[test]
fn junit2json_finds_in_both_dialects_what_the_run_holds() {
    if has_node("junit2json") {
        let read = |run: &Run, seen: &Value, about: &str| {
            same(run, &suites_of_junit2json(seen), about);
        };
        each("junit2json", |paths| node(JUNIT2JSON, paths), read);
    }
}

#[test]
fn action_junit_report_shows_every_check_with_its_file_and_line() {
    if has_node("xml-js") {
        each("xml-js", |paths| node(ACTION_JUNIT_REPORT, paths), same_level);
    }
}

#[test]
fn test_reporter_shows_every_check_with_its_time() {
    if has_node("xml2js") {
        each("xml2js", |paths| node(TEST_REPORTER, paths), same_level);
    }
}

#[test]
fn junit2html_shows_the_right_counts_and_no_markup_of_a_node() {
    let needs = "junit2html (pip install junit2html)";
    if has_program("python3", &["-c", "import junit2htmlreport"], needs) {
        each(
            "junit2html",
            |paths| python(JUNIT2HTML, paths),
            |run, seen, about| {
                let of = |wanted: &[Element]| {
                    let is = |c: &&RunCheck| wanted.contains(&situation(run, c).element());
                    run.checks.iter().filter(is).count()
                };
                let failed = of(&[Element::Failure, Element::Error]) + own_names(run).len();
                let counts = json!([failed, of(&[Element::Skipped]), of(&[Element::None])]);
                assert_eq!(seen["counts"], counts, "{about}");
                let page = text(&seen["page"]);
                assert!(!page.contains("<script>alert"), "{about}");
                for check in &run.checks {
                    let id = one_line(&check.planned.check.id, 400);
                    assert!(!id.is_ascii() || page.contains(id.as_str()), "{about}: {id}");
                }
            },
        );
    }
}

/// Compares each run of the corpus in both dialects with what a reader sees.
fn each(
    reader: &str,
    read: impl Fn(&[PathBuf]) -> Vec<Value>,
    compare: impl Fn(&Run, &Value, &str),
) {
    let mut paths = Vec::new();
    let mut about = Vec::new();
    let runs = corpus::all();
    for (name, run) in &runs {
        for format in DIALECTS {
            paths.push(written(reader, name, run, format));
            about.push((run, format!("{name} as {format}")));
        }
    }
    let seen = read(&paths);
    assert_eq!(seen.len(), about.len());
    for (seen, (run, about)) in seen.iter().zip(about) {
        compare(run, seen, &about);
    }
}

fn situation(run: &Run, check: &RunCheck) -> Situation {
    Situation::of(&check.verdict, run.header.require_baseline)
}

/// What an action shows: suite, name, place, message, and one of three levels.
fn same_level(run: &Run, seen: &Value, about: &str) {
    let all: Vec<&Value> = list(seen).collect();
    let own = all.iter().filter(|case| case["suite"] == "verify").count();
    assert_eq!(own, own_names(run).len(), "{about}");
    assert_eq!(all.len() - own, run.checks.len(), "{about}");
    for (check, seen) in run.checks.iter().zip(&all) {
        let id = one_line(&check.planned.check.id, 400);
        assert!(text(&seen["name"]).starts_with(&id), "{about}: {seen}");
        assert_eq!(seen["suite"], check.planned.node.as_str(), "{about}: {id}");
        assert!(seen["time"].as_f64().is_some(), "{about}: {id}");
        let (situation, location) = (situation(run, check), &check.planned.check.location);
        let level = match situation.element() {
            Element::None => "success",
            Element::Failure | Element::Error => "failure",
            Element::Skipped => "skipped",
        };
        assert_eq!(seen["level"], level, "{about}: {id}");
        if !about.ends_with("strict") {
            assert_eq!(seen["file"], location.file.as_str(), "{about}: {id}");
            assert_eq!(seen["line"], location.line, "{about}: {id}");
        }
        if level == "failure" {
            same_message(check, situation, &text(&seen["message"]), &format!("{about}: {id}"));
            assert!(text(&seen["details"]).contains("title:"), "{about}: {seen}");
        }
    }
}

fn same(run: &Run, seen: &Value, about: &str) {
    let mut cases: Vec<(&Value, &Value)> = Vec::new();
    for suite in list(seen) {
        let of_suite: Vec<&Value> = list(&suite["cases"]).collect();
        let of = |element: &str| of_suite.iter().filter(|c| c["element"] == element).count();
        let counts = json!([of_suite.len(), of("failure"), of("error"), of("skipped")]);
        assert_eq!(suite["counts"], counts, "{about}: {}", suite["name"]);
        let sum: f64 = of_suite.iter().map(|c| c["time"].as_f64().unwrap()).sum();
        assert!((suite["time"].as_f64().unwrap() - sum).abs() < 0.000_5, "{about}");
        cases.extend(of_suite.into_iter().map(|case| (suite, case)));
    }
    let is_own = |case: &&(&Value, &Value)| case.0["name"] == "verify";
    let own: Vec<&Value> = cases.iter().filter(is_own).map(|(_, case)| *case).collect();
    own_cases(run, &own, about);
    assert_eq!(cases.len() - own.len(), run.checks.len(), "{about}");
    for check in &run.checks {
        let group = format!("{}.{}", check.planned.node, check.planned.check.suite);
        let id = one_line(&check.planned.check.id, 400);
        // Ids that cleaning makes equal are numbered.
        let is_it = |(suite, case): &&(&Value, &Value)| {
            suite["name"] == check.planned.node.as_str()
                && case["classname"] == group.as_str()
                && text(&case["name"]).trim_end_matches(" (2)") == id
        };
        let found = cases.iter().find(is_it).unwrap_or_else(|| panic!("{about}: no {id}"));
        same_case(run, check, found.1, &format!("{about}: {id}"));
    }
}

fn own_cases(run: &Run, seen: &[&Value], about: &str) {
    let names = own_names(run);
    assert_eq!(seen.iter().map(|c| text(&c["name"])).collect::<Vec<_>>(), names, "{about}");
    for case in seen {
        assert_eq!(case["element"], "error", "{about}");
        assert_eq!(case["message"], one_line(&sentence(run), 400).as_str(), "{about}");
    }
}

/// Names what is said of the run itself.
fn own_names(run: &Run) -> Vec<&'static str> {
    let all = [
        (run.checks.is_empty() || run.counts().skip + run.counts().blocked == run.checks.len())
            .then_some("nothing-answered"),
        run.interrupted.then_some("interrupted"),
        (!run.complete).then_some("incomplete"),
    ];
    all.into_iter().flatten().collect()
}

fn same_case(run: &Run, check: &RunCheck, seen: &Value, about: &str) {
    let situation = situation(run, check);
    let element = match situation.element() {
        Element::None => "none",
        Element::Failure => "failure",
        Element::Error => "error",
        Element::Skipped => "skipped",
    };
    assert_eq!(seen["element"], element, "{about}");
    let elapsed_s = std::time::Duration::from_micros(check.verdict.elapsed_us).as_secs_f64();
    // Rounded; the strict dialect may add two milliseconds to a suite.
    let more_s = seen["time"].as_f64().unwrap() - elapsed_s;
    assert!((-0.000_501..0.002_501).contains(&more_s), "{about}: {more_s} s");
    let output = text(&seen["output"]);
    for reading in &check.verdict.readings {
        assert!(output.contains(&one_line(&reading.field, 400)), "{about}: {output}");
    }
    if element == "none" {
        return;
    }
    let outcome = check.verdict.outcome.name();
    let kind = match check.verdict.decided_by {
        _ if situation == Situation::Waived => "waived".to_owned(),
        Some(code) => format!("{outcome}/{}", code.row().name),
        None => outcome.to_owned(),
    };
    assert_eq!(seen["type"], kind.as_str(), "{about}");
    let title = block(&check.planned.check.title);
    assert!(text(&seen["text"]).contains(&title), "{about}: {}", seen["text"]);
    same_message(check, situation, &text(&seen["message"]), about);
}

/// The message says what was found, or demand and answer where that is all that was found.
fn same_message(check: &RunCheck, situation: Situation, seen: &str, about: &str) {
    let verdict = &check.verdict;
    let waived = verdict.findings.iter().find(|f| f.code == FindingCode::Waived);
    let finding = match situation {
        Situation::Waived => waived.unwrap(),
        _ => verdict.main_finding().unwrap(),
    };
    if seen == one_line(&finding.message, 400) {
        return;
    }
    let part = |text: &Option<String>| one_line(text.as_deref().unwrap(), 40);
    for part in [part(&finding.expected), part(&finding.observed)] {
        assert!(seen.contains(part.trim_end_matches('…')), "{about}: {seen}");
    }
}

/// Shows a value as text: junit2json takes a name of digits for a number.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
