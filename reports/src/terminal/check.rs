//! How one check is shown: one line, and under it what there is to know and to do.

use verify_model::{
    comparison::Comparison,
    exit::Situation,
    finding::FindingCode,
    outcome::Outcome,
    run::{Run, RunCheck},
    verdict::{Reading, Role, Verdict},
};

use super::{
    page::Page,
    paint::{Paint, Sign},
};
use crate::{
    cause::blocks,
    clean,
    detail::{self, Line, duration},
    sentence::{count, cut_short, situation_of},
};

/// Duration from which it is shown beside a check. *Units*: us.
const NOTABLE_US: u64 = 1_000_000;
const WIDEST_ID: usize = 28;
const OUTCOME_WIDTH: usize = 8;
/// Column at which ids start: indent, mark, outcome and the spaces between.
const ID_COLUMN: usize = 4 + 2 + OUTCOME_WIDTH + 1;
const LABEL_WIDTH: usize = 9;
const RECORDED_SHOWN: usize = 3;
/// Longest recorded value in one line. *Units*: characters.
const RECORDED_WIDTH: usize = 40;
const IDS_SHOWN: usize = 8;

/// Computes the width of the column of ids.
pub(super) fn id_width(checks: &[&RunCheck]) -> usize {
    let widths = checks.iter().map(|c| c.planned.check.id.chars().count());
    widths.filter(|width| *width <= WIDEST_ID).max().unwrap_or(0)
}

/// Writes a check.
pub(super) fn write(
    page: &mut Page,
    run: &Run,
    check: &RunCheck,
    blocked: &[&RunCheck],
    width: usize,
) {
    let situation = situation_of(run, check);
    let Sign { mark, word, paint } = Sign::of(situation);
    let outcome = format!("{mark} {word:<OUTCOME_WIDTH$}");
    let id = format!("{:<width$} ", check.planned.check.id);
    let mut text = said_in_one_line(check, situation);
    if check.verdict.elapsed_us >= NOTABLE_US {
        text = format!("{text} · {}", duration(check.verdict.elapsed_us));
    }
    let hang = ID_COLUMN + width + 2;
    page.lead(4, &[(paint, &outcome), (Paint::Plain, &id)], hang, (Paint::Plain, &text));
    if page.verbose {
        for reading in &check.verdict.readings {
            labelled(page, &Line { label: "read", text: detail::reading(reading) });
        }
    }
    let said_once = matches!(situation, Situation::NoBaseline | Situation::BaselineRequired);
    if !said_once && !cut_short(&check.verdict) && (situation != Situation::Waived || page.verbose)
    {
        for line in detail::lines(run, check) {
            labelled(page, &line);
        }
    }
    if page.verbose || matches!(situation, Situation::Fail | Situation::Unjudged) {
        for line in detail::compared(check) {
            labelled(page, &line);
        }
    }
    for line in detail::remarks(run, check) {
        labelled(page, &line);
    }
    if page.verbose {
        for line in detail::evidence(run, check) {
            labelled(page, &line);
        }
    }
    let blocked: Vec<&str> = blocked
        .iter()
        .filter(|other| blocks(check, other))
        .map(|other| other.planned.check.id.as_str())
        .collect();
    if !blocked.is_empty() {
        let text = format!("{}: {}", count(blocked.len(), "check"), ids(page, &blocked));
        labelled(page, &Line { label: "blocks", text });
    }
}

/// Writes what was not asked, under the reasons.
pub(super) fn write_skips(page: &mut Page, run: &Run, checks: &[&RunCheck]) {
    let mut reasons: Vec<(String, FindingCode, Vec<&str>)> = Vec::new();
    for check in checks.iter().filter(|c| c.verdict.outcome == Outcome::Skip) {
        let reason = detail::headline(run, check);
        let code = check.verdict.decided_by.unwrap_or(FindingCode::NeedAbsent);
        let id = check.planned.check.id.as_str();
        match reasons.iter_mut().find(|(known, with, _)| *known == reason && *with == code) {
            Some((_, _, ids)) => ids.push(id),
            None => reasons.push((reason, code, vec![id])),
        }
    }
    for (reason, code, skipped) in reasons {
        let outcome = format!("- skipped {}:", skipped.len());
        let next = if code == FindingCode::NeedAbsent { "" } else { code.row().next };
        let text = if next.is_empty() { reason } else { format!("{reason}. {next}") };
        page.lead(2, &[(Paint::Dim, &outcome)], 4, (Paint::Plain, &text));
        page.lead(4, &[], 4, (Paint::Dim, &ids(page, &skipped)));
    }
}

fn said_in_one_line(check: &RunCheck, situation: Situation) -> String {
    let verdict = &check.verdict;
    let title = &check.planned.check.title;
    let measured = |role: Role| move |r: &&Reading| r.role == role && r.quantity.is_some();
    match situation {
        Situation::Pass if verdict.recorded_only => format!("recorded: {}", recorded(verdict)),
        Situation::Pass => {
            let main = verdict.readings.iter().find(measured(Role::Expect));
            let main = main.map(|reading| {
                let own = |c: &&Comparison| c.demanded && c.field == reading.field;
                let compared = verdict.comparisons.iter().find(own).map(Comparison::glance);
                compared.map_or_else(|| detail::reading(reading), |text| clean::clean(&text))
            });
            let also = || Some(recorded(verdict)).filter(|text| !text.is_empty());
            main.or_else(also).unwrap_or_else(|| title.clone())
        }
        Situation::NoBaseline | Situation::BaselineRequired => {
            let new = |r: &&Reading| r.role == Role::Expect && r.held.is_none();
            let main =
                verdict.readings.iter().find(new).map(|r| format!("{} {}", r.field, r.observed));
            format!("{}, no baseline yet", main.unwrap_or_else(|| title.clone()))
        }
        Situation::Blocked => {
            let cause = verdict.blocked_by.as_deref().unwrap_or("another check");
            format!("waits for {cause}: {title}")
        }
        _ if cut_short(verdict) => format!("{title}: not reached"),
        _ => title.clone(),
    }
}

/// Names the first recorded fields with their values, each cut to a glance; what is not there is
/// said below.
fn recorded(verdict: &Verdict) -> String {
    let missing = |field: &str| {
        let mut findings = verdict.findings.iter();
        findings
            .any(|f| f.code == FindingCode::AdviceUnanswered && f.field.as_deref() == Some(field))
    };
    let readings = verdict.readings.iter();
    let readings = readings.filter(|r| r.role == Role::Record && !missing(&r.field));
    let texts = readings.take(RECORDED_SHOWN).map(|r| {
        let baseline = r.baseline.map_or_else(String::new, |b| format!(" (baseline {b})"));
        format!("{} {}{baseline}", r.field, clean::one_line(&r.observed, RECORDED_WIDTH))
    });
    texts.collect::<Vec<_>>().join("; ")
}

fn labelled(page: &mut Page, line: &Line) {
    let label = format!("{:<LABEL_WIDTH$}", line.label);
    let paint = match line.label {
        "next" => Paint::Bold,
        "advice" | "flaky" | "waived" => Paint::Aside,
        "why" | "source" | "where" | "evidence" | "read" | "sees" => Paint::Dim,
        _ => Paint::Plain,
    };
    let indent = page.detail_indent(ID_COLUMN);
    let (pieces, hang) = ([(paint, label.as_str())], indent + LABEL_WIDTH + 1);
    if line.label == "where" {
        page.places(indent, &pieces, hang, &line.text);
    } else {
        page.lead(indent, &pieces, hang, (Paint::Plain, &line.text));
    }
}

fn ids(page: &Page, ids: &[&str]) -> String {
    if page.verbose || ids.len() <= IDS_SHOWN {
        return ids.join(", ");
    }
    format!("{} and {} more", ids[..IDS_SHOWN].join(", "), ids.len() - IDS_SHOWN)
}
