//! Whether a JUnit reader that we did not write counts what the run holds.

use std::{io::Write as _, process::Command};

use crate::ground::{ERRS, FAILS, Ground, PASSES, SKIPS};

const COUNT: &str = "
import sys, junitparser
xml = junitparser.JUnitXml.fromfile(sys.argv[1])
kinds = dict(Failure=0, Error=0, Skipped=0)
tests = 0
for suite in xml:
    for case in suite:
        tests += 1
        for result in case.result:
            kinds[type(result).__name__] += 1
names = ('tests', 'failures', 'errors', 'skipped')
declared = tuple(sum(getattr(suite, name) for suite in xml) for name in names)
assert declared == (tests, *kinds.values()), (declared, tests, kinds)
whole = tuple(getattr(xml, name) for name in names)
assert whole == declared, (whole, declared)
print(*declared)
";

#[test]
fn another_reader_counts_what_the_run_holds() {
    let there = Command::new("python3").args(["-c", "import junitparser"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        // Not `eprintln!`: what a passing test prints is swallowed.
        writeln!(std::io::stderr(), "skipped: needs junitparser (pip install junitparser)")
            .unwrap();
        return;
    }
    let after = format!("after = [\"a/two\"]\n{PASSES}");
    let ground = Ground::with(&[("a/one", PASSES), ("a/two", FAILS), ("a/three", &after)]);
    ground.suite("more", &[("b/one", ERRS), ("b/two", SKIPS), ("b/three", PASSES)]);
    for report in ["junit=out.xml", "junit-strict=out.xml"] {
        ground.run(&["--report", report]).exits(1);
        assert_eq!(count(&ground), "6 1 1 2", "{report}");
        ground.run(&["--report", report, "--check", "b/two"]).exits(4);
        // A run without an answer has an error of its own.
        assert_eq!(count(&ground), "2 0 1 1", "{report}");
    }
}

fn count(ground: &Ground) -> String {
    let read = Command::new("python3").args(["-c", COUNT]).arg(ground.path("out.xml")).output();
    let read = read.unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    String::from_utf8(read.stdout).unwrap().trim().to_owned()
}
