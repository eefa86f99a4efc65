//! Reads the JUnit report with a reader that we did not write, where it is installed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "starts python and writes a temporary file")]

mod corpus;

use std::{io::Write as _, path::PathBuf, process::Command};

use verify_reports::find;

const COUNT: &str = "
import sys, junitparser
xml = junitparser.JUnitXml.fromfile(sys.argv[1])
kinds = dict(failure=0, error=0, skipped=0)
tests = 0
for suite in xml:
    for case in suite:
        tests += 1
        assert case.name and case.classname and case.time is not None
        for result in case.result:
            kinds[type(result).__name__.lower()] += 1
assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (tests, *kinds.values()), 'counts'
print(tests, *kinds.values())
";

#[test]
fn another_reader_counts_what_the_run_holds() {
    let there = Command::new("python3").args(["-c", "import junitparser"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        // Not `println!`: what a passing test prints is swallowed.
        let said = "skipped: needs junitparser (pip install junitparser)";
        writeln!(std::io::stderr(), "{said}").unwrap();
        return;
    }
    for (name, run) in corpus::all() {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.xml"));
        std::fs::write(&path, find("junit").unwrap().render(&run).unwrap()).unwrap();
        let output = Command::new("python3").args(["-c", COUNT]).arg(&path).output().unwrap();
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {err}");
        let counts: Vec<usize> = out.split_whitespace().map(|n| n.parse().unwrap()).collect();
        let own = usize::from(run.interrupted)
            + usize::from(!run.complete)
            + usize::from(run.exit_code() == 4);
        assert_eq!(counts[0], run.checks.len() + own, "{name}");
        assert_eq!(counts[1], run.counts().fail - waived(&run), "{name}");
    }
}

fn waived(run: &verify_model::run::Run) -> usize {
    run.verdicts().filter(|v| v.is_waived()).count()
}
