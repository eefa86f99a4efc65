//! Both JUnit dialects through two readers that we did not write, where they are installed: what
//! they find is what the run holds, to the counts, names, times, messages and types.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "starts readers and writes temporary files")]

mod corpus;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use verify_model::{
    exit::{Element, Situation},
    finding::FindingCode,
    run::{Run, RunCheck},
};
use verify_reports::{
    clean::{block, one_line},
    find,
    sentence::sentence,
};

/// Prints what junitparser sees, in the shape that `expected` builds.
const JUNITPARSER: &str = "
import sys, json, junitparser
suites = []
for suite in junitparser.JUnitXml.fromfile(sys.argv[1]):
    cases = []
    for case in suite:
        result = case.result[0] if case.result else None
        assert len(case.result) < 2
        cases.append(dict(name=case.name, classname=case.classname, time=case.time,
            element=type(result).__name__.lower() if result else 'none',
            type=result.type if result else None, message=result.message if result else None,
            text=result.text if result else None, output=case.system_out))
    suites.append(dict(name=suite.name, time=suite.time, cases=cases,
        counts=[suite.tests, suite.failures, suite.errors, suite.skipped]))
print(json.dumps(suites))
";

fn with_junitparser(path: &Path) -> Value {
    answer(Command::new("python3").args(["-c", JUNITPARSER]).arg(path))
}

fn with_junit2json(path: &Path) -> Value {
    let read = answer(Command::new("junit2json").arg(path));
    list(&read["testsuite"]).map(suite_of_junit2json).collect()
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

fn answer(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Tells whether a program answers; says so where it does not.
fn is_there(program: &str, args: &[&str], needs: &str) -> bool {
    let there = Command::new(program).args(args).output().is_ok_and(|o| o.status.success());
    if !there {
        // Not `println!`: what a passing test prints is swallowed.
        let mut terminal = std::io::stderr();
        writeln!(terminal, "skipped: needs {needs}").unwrap();
    }
    there
}

#[test]
fn junitparser_finds_in_both_dialects_what_the_run_holds() {
    let needs = "junitparser (pip install junitparser)";
    if is_there("python3", &["-c", "import junitparser"], needs) {
        compare("junitparser", with_junitparser);
    }
}

#[test]
fn junit2json_finds_in_both_dialects_what_the_run_holds() {
    let needs = "junit2json (npm install --global junit2json)";
    if is_there("junit2json", &["--version"], needs) {
        compare("junit2json", with_junit2json);
    }
}

fn compare(reader: &str, read: fn(&Path) -> Value) {
    for (name, run) in corpus::all() {
        for format in ["junit", "junit-strict"] {
            let file = format!("{reader}-{name}.{format}.xml");
            let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
            std::fs::write(&path, find(format).unwrap().render(&run).unwrap()).unwrap();
            let about = format!("{name} as {format}");
            same(&run, &read(&path), &about);
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
            suite["name"] == group.as_str() && text(&case["name"]).trim_end_matches(" (2)") == id
        };
        let found = cases.iter().find(is_it).unwrap_or_else(|| panic!("{about}: no {id}"));
        assert_eq!(found.1["classname"], group.as_str(), "{about}");
        same_case(run, check, found.1, &format!("{about}: {id}"));
    }
}

fn own_cases(run: &Run, seen: &[&Value], about: &str) {
    let all = [
        (run.checks.is_empty() || run.counts().skip + run.counts().blocked == run.checks.len())
            .then_some("nothing-answered"),
        run.interrupted.then_some("interrupted"),
        (!run.complete).then_some("incomplete"),
    ];
    let names: Vec<&str> = all.into_iter().flatten().collect();
    assert_eq!(seen.iter().map(|c| text(&c["name"])).collect::<Vec<_>>(), names, "{about}");
    for case in seen {
        assert_eq!(case["element"], "error", "{about}");
        assert_eq!(case["message"], one_line(&sentence(run), 400).as_str(), "{about}");
    }
}

fn same_case(run: &Run, check: &RunCheck, seen: &Value, about: &str) {
    let situation = Situation::of(&check.verdict, run.header.require_baseline);
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
