//! How one check is shown: a line, and folded under it all that is known of it.

use std::collections::BTreeSet;

use verify_model::{
    comparison::Comparison,
    evidence::EvidenceId,
    exit::Situation,
    finding::FindingCode,
    run::{Run, RunCheck},
    verdict::{Answer, Reading, Role},
};

use super::{
    anchor::Anchors,
    mark::{self, Mark},
    text::{LONGEST_GLANCE, LONGEST_LINE, LONGEST_NAME, line, markup},
};
use crate::{
    detail::{self, Line, duration},
    draw::{self, Picture},
    sentence::{count, cut_short, situation_of},
};

/// Bounds how many pieces of evidence one check links to.
const EVIDENCE_SHOWN: usize = 20;
/// Bounds how many fields are listed for one check.
const READINGS_SHOWN: usize = 200;

/// Holds one check.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that the template asks")]
pub(super) struct CheckView {
    pub(super) anchor: String,
    pub(super) mark: Mark,
    /// Name of the outcome: one of six.
    pub(super) outcome: &'static str,
    pub(super) id: String,
    pub(super) title: String,
    /// What is said beside it, as markup.
    pub(super) glance: String,
    pub(super) time: String,
    /// Whether something is advised, which changes no outcome.
    pub(super) advised: bool,
    pub(super) lines: Vec<Said>,
    pub(super) readings: Vec<ReadingView>,
    pub(super) more_readings: usize,
    /// Whether any reading has a baseline.
    pub(super) compares: bool,
    /// Whether any reading stands on samples.
    pub(super) sampled: bool,
    pub(super) about: Vec<Said>,
    pub(super) evidence: Vec<EvidenceId>,
    pub(super) more_evidence: usize,
    pub(super) pictures: Vec<Picture>,
    /// Whether they stand with the finding instead.
    pub(super) pictured: bool,
}

/// Holds one labelled line, as markup.
pub(super) struct Said {
    pub(super) label: &'static str,
    pub(super) text: String,
}

/// Holds one field that was read.
pub(super) struct ReadingView {
    pub(super) field: String,
    pub(super) observed: String,
    /// What was demanded, as markup.
    pub(super) expected: String,
    pub(super) baseline: String,
    pub(super) change: String,
    pub(super) samples: String,
    pub(super) mark: (&'static str, char, &'static str),
}

/// Gathers a check.
pub(super) fn of(run: &Run, check: &RunCheck, anchors: &Anchors<'_>) -> CheckView {
    let verdict = &check.verdict;
    let readings = verdict.readings.iter().take(READINGS_SHOWN);
    let mut lines = detail::lines(run, check);
    let at =
        lines.iter().position(|line| matches!(line.label, "why" | "next" | "source" | "where"));
    let last = lines.split_off(at.unwrap_or(lines.len()));
    let remarks = detail::remarks(run, check);
    let advised = remarks.iter().any(|line| matches!(line.label, "advice" | "flaky"));
    lines.extend(remarks);
    lines.extend(detail::compared(check));
    lines.extend(last);
    let evidence = evidence_of(check);
    CheckView {
        anchor: anchors.of(check),
        mark: mark::of_check(run, check),
        outcome: verdict.outcome.name(),
        id: line(&check.planned.check.id, LONGEST_NAME),
        title: line(&check.planned.check.title, LONGEST_NAME),
        glance: markup(&line(&glance(run, check), LONGEST_GLANCE)),
        time: if verdict.attempts == 0 { String::new() } else { duration(verdict.elapsed_us) },
        advised,
        about: about(check, &lines),
        lines: lines.iter().map(said).collect(),
        readings: readings.map(|reading| reading_view(check, reading)).collect(),
        more_readings: verdict.readings.len().saturating_sub(READINGS_SHOWN),
        compares: verdict
            .readings
            .iter()
            .any(|r| r.baseline.is_some() || comparison(check, r).is_some()),
        sampled: verdict.readings.iter().any(|reading| reading.samples > 0),
        more_evidence: evidence.len().saturating_sub(EVIDENCE_SHOWN),
        evidence: evidence.into_iter().take(EVIDENCE_SHOWN).collect(),
        pictures: draw::of_check(run, check),
        pictured: false,
    }
}

/// Writes a labelled line as markup.
pub(super) fn said(line: &Line) -> Said {
    Said { label: line.label, text: markup(&line.text) }
}

/// Names the evidence of a check, that of its findings first.
pub(super) fn evidence_of(check: &RunCheck) -> Vec<EvidenceId> {
    let mut seen = BTreeSet::new();
    let findings = check.verdict.findings.iter().flat_map(|finding| &finding.evidence);
    let attempts = match &check.answer {
        Answer::Attempted(attempts) => attempts.as_slice(),
        _ => &[],
    };
    let attempts = attempts.iter().flat_map(|attempt| &attempt.evidence);
    findings.chain(attempts).copied().filter(|id| seen.insert(*id)).collect()
}

/// Says a check in one line.
fn glance(run: &Run, check: &RunCheck) -> String {
    let verdict = &check.verdict;
    match situation_of(run, check) {
        Situation::Pass => {
            let flaky = verdict.findings.iter().any(|f| f.code == FindingCode::Flaky);
            let recorded = if verdict.recorded_only { "recorded: " } else { "" };
            let again = if flaky { "; answered only when tried again" } else { "" };
            format!("{recorded}{}{again}", measured(check))
        }
        Situation::NoBaseline | Situation::BaselineRequired => {
            let new = |r: &&Reading| r.role == Role::Expect && r.held.is_none();
            let main = verdict.readings.iter().find(new);
            let main = main.map(|r| format!("{} {}, ", r.field, r.observed));
            format!("{}no baseline yet", main.unwrap_or_default())
        }
        Situation::Blocked => {
            format!("waits for {}", verdict.blocked_by.as_deref().unwrap_or("another check"))
        }
        _ if cut_short(verdict) => "not reached".to_owned(),
        _ => detail::headline(run, check),
    }
}

/// Says what a passed check measured: the demanded quantity if there is one, else what was read.
fn measured(check: &RunCheck) -> String {
    let readings = &check.verdict.readings;
    let main = readings.iter().find(|r| r.role == Role::Expect && r.quantity.is_some());
    let main = main.or_else(|| readings.iter().find(|r| r.role == Role::Expect));
    let Some(main) = main.or_else(|| readings.first()) else { return String::new() };
    let own = comparison(check, main).filter(|comparison| comparison.demanded);
    own.map_or_else(|| detail::reading(main), Comparison::glance)
}

fn comparison<'r>(check: &'r RunCheck, reading: &Reading) -> Option<&'r Comparison> {
    check.verdict.comparisons.iter().find(|comparison| comparison.field == reading.field)
}

fn reading_view(check: &RunCheck, reading: &Reading) -> ReadingView {
    let compared = comparison(check, reading);
    let expected = markup(reading.expected.as_deref().unwrap_or_default());
    let baseline = reading.baseline.or_else(|| compared.and_then(|c| c.then));
    ReadingView {
        field: line(&reading.field, LONGEST_NAME),
        observed: line(&reading.observed, LONGEST_LINE),
        expected: match reading.role {
            Role::Expect => expected,
            Role::Advise => format!("advised {expected}"),
            Role::Record => "recorded".to_owned(),
        },
        baseline: baseline.map_or_else(String::new, |baseline| baseline.to_string()),
        change: compared.map_or_else(String::new, |c| {
            format!("{} {}, {}", c.shift(), c.interval(), c.standing.name())
        }),
        samples: match reading.samples {
            0 => String::new(),
            some => some.to_string(),
        },
        mark: match (reading.held, reading.role) {
            (Some(true), _) => ("good", '✓', "held"),
            (Some(false), Role::Advise) => ("warn", '!', "not as advised"),
            (Some(false), _) => ("bad", '✗', "missed"),
            (None, Role::Record) => ("calm", '·', "not judged"),
            (None, _) => ("warn", '?', "not judged"),
        },
    }
}

/// Says what was asked, as far as the lines do not say it yet.
fn about(check: &RunCheck, lines: &[Line]) -> Vec<Said> {
    let planned = &check.planned.check;
    let place = format!("{}:{}", planned.location.file, planned.location.line);
    let asked = match check.verdict.attempts {
        0 => format!("`{}`, {}; not asked", planned.probe, planned.effect.name()),
        number => format!(
            "`{}`, {}; {}, at most {} each",
            planned.probe,
            planned.effect.name(),
            count(number, "attempt"),
            duration(planned.limit_ms.saturating_mul(1000))
        ),
    };
    let about = [
        ("why", planned.why.clone()),
        ("source", planned.source.clone()),
        ("where", place),
        ("probe", asked),
    ];
    let is_new = |(label, text): &(&'static str, String)| {
        !text.is_empty() && lines.iter().all(|line| line.label != *label)
    };
    let about = about.into_iter().filter(is_new);
    about.map(|(label, text)| Said { label, text: markup(&text) }).collect()
}
