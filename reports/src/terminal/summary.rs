//! The last lines: what was slow, what has no baseline, the counts, and the verdict in words.

use verify_model::{
    exit::Situation,
    outcome::Outcome,
    run::{Run, RunCheck},
};

use super::page::{Page, Paint};
use crate::{
    detail::duration,
    sentence::{count, sentence, situation_of},
};

/// Duration from which a check is among the slow ones. *Units*: us.
const SLOW_US: u64 = 100_000;
const SLOWEST_SHOWN: usize = 3;
const LABEL_WIDTH: usize = 9;

/// Writes the summary.
pub(super) fn write(page: &mut Page, run: &Run) {
    no_baseline(page, run);
    slowest(page, run);
    labelled(page, "counts", &counts(run));
    let time = duration(run.elapsed_ms.saturating_mul(1000));
    let time = if run.complete { time } else { "unknown".to_owned() };
    labelled(page, "time", &format!("{time} · run {}", run.header.id));
    let exit = run.exit_code();
    let paint = match exit {
        0 => Paint::Good,
        4 => Paint::Doubtful,
        _ => Paint::Bad,
    };
    page.text(paint, 2, &format!("{} Exit code {exit}.", sentence(run)));
}

fn labelled(page: &mut Page, label: &str, text: &str) {
    let label = format!("{label:<LABEL_WIDTH$}");
    page.lead(0, &[(Paint::Dim, &label)], LABEL_WIDTH + 1, (Paint::Plain, text));
}

fn no_baseline(page: &mut Page, run: &Run) {
    let is_new = |c: &&RunCheck| {
        matches!(situation_of(run, c), Situation::NoBaseline | Situation::BaselineRequired)
    };
    let new = run.checks.iter().filter(is_new).count();
    if new == 0 {
        return;
    }
    let verb = if new == 1 { "has" } else { "have" };
    let required =
        if run.header.require_baseline { ", and --require-baseline demands one" } else { "" };
    let text = format!(
        "{} {verb} no accepted baseline{required}. If the values are as they should be, accept them:",
        count(new, "check"),
    );
    labelled(page, "baseline", &text);
    let command = format!("verify baseline accept {} --reason TEXT", run.header.id);
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
