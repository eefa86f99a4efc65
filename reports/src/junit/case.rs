//! One check as a JUnit case, in words that both dialects write: element, type, message, detail.
//!
//! Readers differ in what they show, so what a dialect has as properties stands in the output too.

use std::fmt::Write as _;

use verify_model::{
    exit::{Element, Situation},
    run::{Run, RunCheck},
};

use super::LONGEST_VALUE;
use crate::{
    brief::simulated_by,
    clean::{block, one_line},
    detail::{self, Line},
    own::OWN_SUITE,
};

/// Bounds a labelled line. *Units*: characters.
const LONGEST_LINE: usize = 8_000;

/// Holds one case; every text is clean.
pub(super) struct Case<'r> {
    /// `<node>.<suite>`; `verify` where the run itself is spoken of.
    pub(super) class: String,
    /// Id of the check, unique within its suite.
    pub(super) name: String,
    /// What the exit table says that it carries.
    pub(super) element: Element,
    /// Outcome and finding: `fail/expectation-missed`, `skip/need-absent`, `waived`.
    pub(super) kind: String,
    /// Why, in one line.
    pub(super) message: String,
    /// Why, in full.
    pub(super) detail: String,
    /// Readings and remarks, one a line.
    pub(super) output: String,
    /// Time that its attempts took, rounded.
    pub(super) elapsed_ms: u64,
    /// The check; absent where the run itself is spoken of.
    pub(super) check: Option<&'r RunCheck>,
}

impl<'r> Case<'r> {
    /// Says what came out of a check; its name is not yet unique.
    pub(super) fn of(run: &Run, check: &'r RunCheck, situation: Situation, class: String) -> Self {
        let planned = &check.planned.check;
        let mut lines = vec![Line { label: "title", text: planned.title.clone() }];
        let why = detail::lines(run, check);
        if why.is_empty() && situation.element() == Element::Skipped {
            // Not every reader shows the message of a skipped case.
            lines.push(Line { label: "reason", text: detail::headline(run, check) });
        }
        lines.extend(why);
        lines.extend(detail::compared(check));
        lines.extend(detail::remarks(run, check));
        lines.extend(detail::evidence(run, check));
        let kind = kind(check, situation);
        let message = match one_line(&detail::headline(run, check), LONGEST_VALUE) {
            // Nothing is left of a message that was control sequences only.
            empty if empty.is_empty() => kind.clone(),
            message => message,
        };
        Self {
            class,
            name: one_line(&planned.id, LONGEST_VALUE),
            element: situation.element(),
            kind,
            message,
            detail: text_of(&lines),
            output: output(run, check),
            elapsed_ms: check.verdict.elapsed_us.saturating_add(500) / 1000,
            check: Some(check),
        }
    }

    /// Says something of the run itself.
    pub(super) fn own(element: Element, name: &str, sentence: &str) -> Self {
        Self {
            class: OWN_SUITE.to_owned(),
            name: name.to_owned(),
            element,
            kind: name.to_owned(),
            message: one_line(sentence, LONGEST_VALUE),
            detail: block(sentence),
            output: String::new(),
            elapsed_ms: 0,
            check: None,
        }
    }
}

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

fn output(run: &Run, check: &RunCheck) -> String {
    let mut out = String::new();
    if let Some(scenario) = simulated_by(run, check) {
        out.push_str(&text_of(&[Line { label: "simulated", text: scenario.to_owned() }]));
    }
    for reading in &check.verdict.readings {
        out.push_str(&one_line(&detail::reading(reading), LONGEST_VALUE));
        out.push('\n');
    }
    out.push_str(&text_of(&detail::compared(check)));
    out.push_str(&text_of(&detail::remarks(run, check)));
    block(&out)
}

/// Cuts what nobody reads in a CI system; the record holds it all.
fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Writes labelled lines, cleaned.
pub(super) fn text_of(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:<9} {}", format!("{}:", line.label), cut(block(&line.text)));
    }
    block(&out)
}
