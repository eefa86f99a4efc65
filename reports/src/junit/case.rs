//! One check as a JUnit case: element, type, message, detail, properties.
//!
//! Readers differ in what they show, so the readings stand twice: as properties and in
//! `system-out`.

use std::{fmt::Write as _, time::Duration};

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus};
use verify_model::{
    exit::{Element, Situation},
    run::{Run, RunCheck},
    verdict::{Reading, Role},
};

use super::{LONGEST_VALUE, property};
use crate::{
    clean::{block, one_line},
    detail::{self, Line},
};

/// Builds the case of one check; name and class name are the caller's.
pub(super) fn case(run: &Run, check: &RunCheck, situation: Situation) -> TestCase {
    let planned = &check.planned.check;
    let mut lines = vec![Line { label: "title", text: planned.title.clone() }];
    lines.extend(detail::lines(run, check));
    lines.extend(detail::remarks(run, check));
    lines.extend(detail::evidence(run, check));
    let headline = detail::headline(run, check);
    let status = status(situation.element(), &kind(check, situation), &headline, &text_of(&lines));
    let mut case = TestCase::new("", status);
    case.set_time(Duration::from_millis(check.verdict.elapsed_us.saturating_add(500) / 1000));
    case.extra.insert("file".into(), one_line(&planned.location.file, LONGEST_VALUE).into());
    case.extra.insert("line".into(), planned.location.line.to_string().into());
    case.add_property(property("outcome", check.verdict.outcome.name()));
    if check.verdict.attempts > 1 {
        case.add_property(property("attempts", &check.verdict.attempts.to_string()));
    }
    readings(&mut case, &check.verdict.readings);
    let out = output(run, check);
    if !out.is_empty() {
        case.set_system_out(out);
    }
    case
}

/// Builds a case that says something of the run itself.
pub(super) fn own(element: Element, name: &str, sentence: &str) -> TestCase {
    let mut case = TestCase::new(name, status(element, name, sentence, sentence));
    case.set_time(Duration::ZERO);
    case
}

fn status(element: Element, kind: &str, message: &str, detail: &str) -> TestCaseStatus {
    let mut status = match element {
        Element::None => return TestCaseStatus::success(),
        Element::Failure => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Element::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        Element::Skipped => TestCaseStatus::skipped(),
    };
    status.set_type(kind);
    status.set_message(one_line(message, LONGEST_VALUE));
    status.set_description(block(detail));
    status
}

/// Names outcome and finding: `fail/expectation-missed`, `skip/need-absent`, `waived`.
fn kind(check: &RunCheck, situation: Situation) -> String {
    if situation == Situation::Waived {
        return "waived".to_owned();
    }
    let outcome = check.verdict.outcome.name();
    match check.verdict.decided_by {
        Some(code) => format!("{outcome}/{}", code.row().name),
        None => outcome.to_owned(),
    }
}

/// Adds value, unit, limit, baseline and samples of each field, each name once.
fn readings(case: &mut TestCase, readings: &[Reading]) {
    let mut known: Vec<&str> = Vec::new();
    for reading in readings {
        let field = reading.field.as_str();
        let mut add = |suffix: &str, value: &str| {
            case.add_property(property(&format!("{field}{suffix}"), value));
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

fn output(run: &Run, check: &RunCheck) -> String {
    let mut out = String::new();
    for reading in &check.verdict.readings {
        out.push_str(&one_line(&detail::reading(reading), LONGEST_VALUE));
        out.push('\n');
    }
    out.push_str(&text_of(&detail::remarks(run, check)));
    block(&out)
}

fn text_of(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:<9} {}", format!("{}:", line.label), block(&line.text));
    }
    out
}
