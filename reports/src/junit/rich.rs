//! The rich dialect: properties, `file` and `line`, real counts, for readers that show them.
//!
//! Written with `quick-junit`, which deletes tabs: the cleaner has expanded them before. Time stamp
//! and host come from the record, never from this machine.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use verify_model::{
    exit::Element,
    run::{Run, RunCheck},
    verdict::{Reading, Role},
};

use super::{
    LONGEST_VALUE, OWN_SUITE,
    case::Case,
    suite::{Suite, suites},
};
use crate::{Format, FormatSpec, RenderError, clean::one_line};

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
        let mut case = case_of(case);
        case.set_classname(suite.name.as_str());
        out.add_test_case(case);
    }
    out.set_time(out.test_cases.iter().filter_map(|c| c.time).sum());
    out
}

fn case_of(case: &Case<'_>) -> TestCase {
    let mut out = TestCase::new(case.name.as_str(), status(case));
    out.set_time(Duration::from_millis(case.elapsed_ms));
    if let Some(check) = case.check {
        describe(&mut out, check);
    }
    if !case.output.is_empty() {
        out.set_system_out(case.output.as_str());
    }
    out
}

fn describe(out: &mut TestCase, check: &RunCheck) {
    let location = &check.planned.check.location;
    out.extra.insert("file".into(), one_line(&location.file, LONGEST_VALUE).into());
    out.extra.insert("line".into(), location.line.to_string().into());
    out.add_property(property("outcome", check.verdict.outcome.name()));
    if check.verdict.attempts > 1 {
        out.add_property(property("attempts", &check.verdict.attempts.to_string()));
    }
    readings(out, &check.verdict.readings);
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

/// Adds value, unit, limit, baseline and samples of each field, each name once.
fn readings(out: &mut TestCase, readings: &[Reading]) {
    let mut known: Vec<&str> = Vec::new();
    for reading in readings {
        let field = reading.field.as_str();
        let mut add = |suffix: &str, value: &str| {
            out.add_property(property(&format!("{field}{suffix}"), value));
        };
        let demand = match reading.role {
            Role::Advise => ".advice",
            _ => ".limit",
        };
        if let Some(expected) = &reading.expected {
            add(demand, expected);
        }
        // A field may be demanded and advised; its value is one.
        if known.contains(&field) {
            continue;
        }
        known.push(field);
        match reading.quantity {
            Some(quantity) => {
                add("", &quantity.value().to_string());
                add(".unit", quantity.unit().symbol());
            }
            None => add("", &reading.observed),
        }
        if reading.samples > 0 {
            add(".samples", &reading.samples.to_string());
        }
        if let Some(baseline) = &reading.baseline {
            add(".baseline", &baseline.to_string());
        }
    }
}

fn property(name: &str, value: &str) -> Property {
    Property::new(one_line(name, LONGEST_VALUE), one_line(value, LONGEST_VALUE))
}
