//! The Test Anything Protocol, version 14: a test point a check, with what was found as YAML.
//!
//! Flat, for older readers know no subtests; the description names the node. What the exit table calls a
//! failure or an error is `not ok`; a waived failure is `not ok` and TODO; skipped, blocked and never
//! compared is `ok` and SKIP. What is said of the run itself is a test point, and an interrupted run
//! bails out.

use std::fmt::Write as _;

use verify_model::{
    exit::{Element, Situation},
    run::{Run, RunCheck},
};

use crate::{
    Format, FormatSpec, RenderError, brief,
    clean::one_line,
    detail,
    names::names,
    own::{OWN_SUITE, own},
    sentence::{sentence, situation_of},
};

/// Bounds a text. *Units*: characters.
const LONGEST: usize = 400;

/// Writes TAP.
pub(crate) struct Tap;

impl Format for Tap {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "tap",
            summary: "Test Anything Protocol, version 14, with YAML diagnostics",
            extension: "tap",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        let own = own(run);
        let mut out = format!("TAP version 14\n1..{}\n", run.checks.len() + own.len());
        let about = [sentence(run), brief::counts(&run.checks.iter())];
        for said in about.into_iter().chain(brief::simulations(run)) {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "# {}", one_line(&said, LONGEST));
        }
        for (at, (check, name)) in run.checks.iter().zip(names(run)).enumerate() {
            out += &point(run, check, at + 1, &name);
        }
        for (at, (_, name)) in own.iter().enumerate() {
            let number = run.checks.len() + at + 1;
            let _ = writeln!(out, "not ok {number} - {OWN_SUITE}: {name}");
            out += &diagnostics(&[("message", one_line(&sentence(run), LONGEST))]);
        }
        if run.interrupted {
            out += "Bail out! The run was interrupted\n";
        }
        Ok(out.into_bytes())
    }
}

fn point(run: &Run, check: &RunCheck, number: usize, name: &str) -> String {
    let situation = situation_of(run, check);
    let reason = || escaped(&one_line(&detail::headline(run, check), LONGEST));
    let (result, directive) = match (situation, situation.element()) {
        (Situation::Waived, _) => ("not ok", format!(" # TODO {}", reason())),
        (_, Element::Failure | Element::Error) => ("not ok", String::new()),
        (_, Element::Skipped) => ("ok", format!(" # SKIP {}", reason())),
        (_, Element::None) => ("ok", String::new()),
    };
    let node = escaped(&one_line(&check.planned.node, LONGEST));
    let mut out = format!("{result} {number} - {node}: {}{directive}\n", escaped(name));
    let found = found(run, check, situation);
    out += &diagnostics(&found);
    out
}

/// Lists what is known of a check, each name once, values in one clean line.
fn found(run: &Run, check: &RunCheck, situation: Situation) -> Vec<(&'static str, String)> {
    let verdict = &check.verdict;
    let location = &check.planned.check.location;
    let mut all = vec![("outcome", brief::word(situation).to_owned())];
    if situation != Situation::Pass {
        all.push(("message", detail::headline(run, check)));
    }
    if let Some(code) = verdict.decided_by {
        all.push(("finding", code.row().name.to_owned()));
    }
    if let Some(finding) = verdict.main_finding() {
        all.extend(finding.expected.iter().map(|text| ("expected", text.clone())));
        all.extend(finding.observed.iter().map(|text| ("observed", text.clone())));
    }
    if situation.exit() != 0 {
        all.extend(detail::next(run, check).map(|text| ("next", text)));
    }
    all.push(("at", format!("{}:{}", location.file, location.line)));
    all.extend(brief::simulated_by(run, check).map(|scenario| ("simulated", scenario.to_owned())));
    let readings: Vec<String> = verdict.readings.iter().map(detail::reading).collect();
    if !readings.is_empty() {
        all.push(("readings", readings.join("; ")));
    }
    let remarks = detail::remarks(run, check);
    let remarks: Vec<String> =
        remarks.iter().map(|line| format!("{}: {}", line.label, line.text)).collect();
    if !remarks.is_empty() {
        all.push(("remarks", remarks.join("; ")));
    }
    all
}

/// Writes a YAML block. A string of JSON is one of YAML, whatever it holds.
fn diagnostics(found: &[(&str, String)]) -> String {
    let mut out = "  ---\n".to_owned();
    for (name, value) in found {
        let value = serde_json::Value::from(one_line(value, LONGEST));
        let _ = writeln!(out, "  {name}: {value}");
    }
    out + "  ...\n"
}

/// *Source*: TAP 14, "Escapes": `#` would begin a directive.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#")
}
