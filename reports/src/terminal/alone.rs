//! One check alone, as a test runner shows it: the words of the whole report, one check at a time.
//!
//! The first word is what came out, since runners cut and search texts by their beginning. No
//! colour: a runner writes the text raw, and into files.

use verify_model::{
    exit::Situation,
    run::{Run, RunCheck},
    verdict::Verdict,
};

use super::{
    Style,
    page::Page,
    paint::{Paint, Sign},
};
use crate::{clean, detail, sentence::situation_of};

/// Width of the text. *Units*: columns.
const WIDTH: usize = 100;
/// Longest reason in one line. *Units*: characters.
const LONGEST_REASON: usize = 300;
const INDENT: usize = 2;
const LABEL_WIDTH: usize = 9;

/// Says in one line what came out of a check and why: `skip: needs …`.
pub fn reason(run: &Run, check: &RunCheck) -> String {
    let situation = situation_of(run, check);
    let word = Sign::of(situation).word;
    let why = match situation {
        Situation::Pass => check.planned.check.title.clone(),
        _ => detail::headline(run, check),
    };
    let why = why.strip_prefix(&format!("{word} ")).unwrap_or(&why);
    clean::one_line(&format!("{word}: {why}"), LONGEST_REASON)
}

/// Says in one line what decided a verdict, while the run still goes on.
pub fn glance(verdict: &Verdict) -> String {
    clean::one_line(&detail::glance(verdict), LONGEST_REASON)
}

/// Says all that there is to know of a check: what came out, finding, demand, answer, what next.
pub fn text(run: &Run, check: &RunCheck) -> String {
    let mut page = Page::new(&Style { color: false, width: WIDTH, verbose: false });
    page.text(Paint::Plain, INDENT, &reason(run, check));
    let planned = &check.planned;
    let what = format!("{} on {}: {}", planned.check.id, planned.node, planned.check.title);
    let mut lines = vec![detail::Line { label: "check", text: what }];
    let said = detail::lines(run, check);
    if said.is_empty() {
        let next = check.verdict.main_finding().map(|finding| finding.next.clone());
        lines.extend(next.map(|text| detail::Line { label: "next", text }));
    }
    lines.extend(said);
    lines.extend(detail::remarks(run, check));
    lines.extend(detail::evidence(run, check));
    for line in lines {
        let label = format!("{:<LABEL_WIDTH$}", line.label);
        let text = (Paint::Plain, line.text.as_str());
        page.lead(INDENT, &[(Paint::Plain, &label)], INDENT + LABEL_WIDTH + 1, text);
    }
    page.finish().trim_end().to_owned()
}
