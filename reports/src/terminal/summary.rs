//! The last lines: what was slow, what has no baseline, the counts, what needs somebody most, and the
//! verdict in words.
//!
//! A long report has scrolled away by the time it is read, so its gravest findings are said again where
//! the eye is, each with what to do. What still stands on the screen is not said twice.

use verify_model::{
    finding::FindingCode,
    outcome::Outcome,
    run::{Run, RunCheck},
};

use super::{
    page::Page,
    paint::{Paint, Sign},
};
use crate::{
    cause::{Cause, causes},
    clean,
    detail::duration,
    sentence::{self, count, sentence},
};

/// Duration from which a check is among the slow ones. *Units*: us.
const SLOW_US: u64 = 100_000;
const SLOWEST_SHOWN: usize = 3;
const LABEL_WIDTH: usize = 9;
/// Column at which a finding begins: mark, the longest word, and the spaces between.
const FINDING_COLUMN: usize = 11;
/// Findings that are said again.
const FINDINGS_SHOWN: usize = 3;
/// Lines of a screen, less the prompt and what stands around a report. *Source*: 24 rows of a terminal.
const SCREEN: usize = 20;
/// Names in one line.
const NAMES_SHOWN: usize = 3;
/// Lines that one text may take: the whole of it stands above.
const LINES_SHOWN: usize = 2;
/// The same where nothing stands above.
const LINES_QUIET: usize = 8;

/// Writes the summary.
pub(super) fn write(page: &mut Page, run: &Run) {
    no_baseline(page, run);
    slowest(page, run);
    labelled(page, "counts", &counts(run));
    let time = duration(run.elapsed_ms.saturating_mul(1000));
    let time = if run.complete { time } else { "unknown".to_owned() };
    labelled(page, "time", &format!("{time} · run {}", run.header.id));
    if page.lines() >= SCREEN {
        findings(page, run, FINDINGS_SHOWN, LINES_SHOWN);
    }
    verdict(page, run);
}

/// Writes what needs somebody, all of it, the counts and the verdict.
pub(super) fn brief(page: &mut Page, run: &Run) {
    if run.exit_code() != 0 {
        findings(page, run, usize::MAX, LINES_QUIET);
    }
    labelled(page, "counts", &counts(run));
    verdict(page, run);
}

fn verdict(page: &mut Page, run: &Run) {
    let exit = run.exit_code();
    let paint = match exit {
        0 => Paint::Good,
        4 => Paint::Doubtful,
        _ => Paint::Bad,
    };
    page.text(paint, 2, &format!("{} Exit code {exit}.", sentence(run)));
}

/// Writes the gravest findings, worst first, each with what to do.
fn findings(page: &mut Page, run: &Run, shown: usize, lines: usize) {
    let mut causes = causes(run);
    // What was not reached is counted in the verdict, and there is nothing to find out about it.
    causes.retain(|cause| {
        !matches!(cause.code, Some(FindingCode::Interrupted | FindingCode::NotReached))
    });
    if causes.is_empty() {
        return;
    }
    page.blank();
    for cause in causes.iter().take(shown) {
        finding(page, cause, lines);
    }
    let more = causes.len().saturating_sub(shown);
    if more > 0 {
        page.text(Paint::Dim, 2, &format!("  and {} above", count(more, "more finding")));
    }
    page.blank();
}

fn finding(page: &mut Page, cause: &Cause<'_>, lines: usize) {
    let Sign { mark, word, paint } = Sign::of(cause.situation);
    let most = lines * (page.width() - FINDING_COLUMN);
    let said = format!("{}: {}", named(cause), clean::clean(&cause.headline));
    let text = cut(&said, most);
    let sign = format!("{mark} {word}");
    page.lead(0, &[(paint, &sign)], FINDING_COLUMN, (Paint::Plain, &text));
    if !cause.next.is_empty() {
        let next = cut(&cause.next, most);
        page.lead(2, &[(Paint::Bold, "next")], FINDING_COLUMN, (Paint::Plain, &next));
    }
}

/// Cuts behind a word.
fn cut(text: &str, most: usize) -> String {
    let line = clean::fit(text, most);
    match line.strip_suffix('…').and_then(|cut| cut.rsplit_once(' ')) {
        Some((whole, _)) => format!("{whole} …"),
        None => line,
    }
}

/// Names the checks of a cause and their nodes: `gpu/count, gpu/pcie on nvidia`.
fn named(cause: &Cause<'_>) -> String {
    let list = |names: Vec<&str>| {
        let mut known: Vec<&str> = Vec::new();
        for name in names {
            if !known.contains(&name) {
                known.push(name);
            }
        }
        let more = known.len().saturating_sub(NAMES_SHOWN);
        known.truncate(NAMES_SHOWN);
        let known = clean::clean(&known.join(", "));
        if more > 0 { format!("{known} and {more} more") } else { known }
    };
    let checks = list(cause.checks.iter().map(|c| c.planned.check.id.as_str()).collect());
    let nodes = list(cause.checks.iter().map(|c| c.planned.node.as_str()).collect());
    let blocked = match cause.blocked.len() {
        0 => String::new(),
        some => format!(" (blocks {})", count(some, "check")),
    };
    format!("{checks} on {nodes}{blocked}")
}

fn labelled(page: &mut Page, label: &str, text: &str) {
    let label = format!("{label:<LABEL_WIDTH$}");
    page.lead(0, &[(Paint::Dim, &label)], LABEL_WIDTH + 1, (Paint::Plain, text));
}

fn no_baseline(page: &mut Page, run: &Run) {
    let Some((text, command)) = sentence::no_baseline(run) else { return };
    labelled(page, "baseline", &text);
    page.lead(LABEL_WIDTH + 1, &[], LABEL_WIDTH + 1, (Paint::Bold, &command));
}

fn slowest(page: &mut Page, run: &Run) {
    let mut slow: Vec<&RunCheck> =
        run.checks.iter().filter(|c| c.verdict.elapsed_us > SLOW_US).collect();
    // A stable sort: equal times stay in plan order.
    slow.sort_by_key(|c| std::cmp::Reverse(c.verdict.elapsed_us));
    let shown: Vec<String> = slow
        .into_iter()
        .take(SLOWEST_SHOWN)
        .map(|c| {
            let on =
                if run.nodes.len() > 1 { format!(" on {}", c.planned.node) } else { String::new() };
            format!("{}{on} {}", c.planned.check.id, duration(c.verdict.elapsed_us))
        })
        .collect();
    if !shown.is_empty() {
        labelled(page, "slowest", &shown.join(", "));
    }
}

/// Counts all six outcomes, always.
fn counts(run: &Run) -> String {
    let counts = run.counts();
    let waived = run.verdicts().filter(|v| v.is_waived()).count();
    let parts: Vec<String> = Outcome::ALL
        .iter()
        .map(|outcome| match outcome {
            Outcome::Fail => format!("{} fail ({waived} waived)", counts.fail),
            other => format!("{} {other}", counts.get(*other)),
        })
        .collect();
    parts.join(" · ")
}
