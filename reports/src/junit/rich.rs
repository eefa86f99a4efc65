//! The rich dialect: properties, `file` and `line`, real counts, for readers that show them.
//!
//! Written with `quick-junit`, which deletes tabs: the cleaner has expanded them before. Time stamp
//! and host come from the record, never from this machine.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use verify_model::{
    exit::Element,
    run::{Run, RunCheck},
};

use super::{
    LONGEST_VALUE,
    case::Case,
    property::properties,
    suite::{Suite, about_text, suites},
};
use crate::{Format, FormatSpec, RenderError, brief, clean::one_line, own::OWN_SUITE};

/// Writes JUnit XML.
pub(crate) struct Junit;

impl Format for Junit {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "junit",
            summary: "JUnit XML for CI systems, with properties, file and line",
            extension: "xml",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        let mut report = Report::new(OWN_SUITE);
        report.timestamp = run.header.started_at.parse().ok();
        report.set_time(Duration::from_millis(run.elapsed_ms));
        report.add_test_suites(suites(run).iter().map(|suite| suite_of(run, suite)));
        let mut out = Vec::new();
        report.serialize(&mut out)?;
        Ok(out)
    }
}

fn suite_of(run: &Run, suite: &Suite<'_>) -> TestSuite {
    let mut out = TestSuite::new(suite.name.as_str());
    out.timestamp = run.header.started_at.parse().ok();
    for (name, value) in &suite.about {
        out.add_property(property(name, value));
    }
    if let Some(hostname) = &suite.hostname {
        out.extra.insert("hostname".into(), hostname.as_str().into());
    }
    for case in &suite.cases {
        out.add_test_case(case_of(run, case));
    }
    out.set_system_out(about_text(suite).as_str());
    out.set_time(out.test_cases.iter().filter_map(|c| c.time).sum());
    out
}

fn case_of(run: &Run, case: &Case<'_>) -> TestCase {
    let mut out = TestCase::new(case.name.as_str(), status(case));
    out.set_classname(case.class.as_str());
    out.set_time(Duration::from_millis(case.elapsed_ms));
    if let Some(check) = case.check {
        describe(&mut out, run, check);
    }
    if !case.output.is_empty() {
        out.set_system_out(case.output.as_str());
    }
    out
}

fn describe(out: &mut TestCase, run: &Run, check: &RunCheck) {
    let location = &check.planned.check.location;
    if let Some(file) = brief::file(location) {
        out.extra.insert("file".into(), one_line(file, LONGEST_VALUE).into());
        out.extra.insert("line".into(), location.line.to_string().into());
    }
    for (name, value) in properties(run, check) {
        out.add_property(property(&name, &value));
    }
}

fn status(case: &Case<'_>) -> TestCaseStatus {
    let mut status = match case.element {
        Element::None => return TestCaseStatus::success(),
        Element::Failure => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Element::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        Element::Skipped => TestCaseStatus::skipped(),
    };
    status.set_type(case.kind.as_str());
    status.set_message(case.message.as_str());
    status.set_description(case.detail.as_str());
    status
}

fn property(name: &str, value: &str) -> Property {
    Property::new(one_line(name, LONGEST_VALUE), one_line(value, LONGEST_VALUE))
}
