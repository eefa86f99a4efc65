//! What libtest hears of a verdict: passed, ignored or failed, by the element of the exit table.

use std::collections::BTreeSet;

use libtest_mimic::{Completion, Failed};
use verify_model::{
    exit::{Element, Situation},
    run::{Run, RunCheck},
    verdict::{CheckKey, Verdict},
};
use verify_reports::terminal::alone;

/// Says to whom answers are shown.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    /// Whether the runner takes what is ignored while it runs for a pass.
    pub(crate) nextest: bool,
    /// Every check whose answer is shown; other ones are asked because these are after them.
    pub(crate) shown: BTreeSet<CheckKey>,
}

/// Turns a verdict into what libtest shows; `forced` where the trial was ignored from the start and
/// somebody wanted it all the same.
///
/// *Errors*: all that must not look well, with the outcome as its first word.
pub(crate) fn answer(
    run: &Run,
    check: &RunCheck,
    audience: &Audience,
    forced: bool,
) -> Result<Completion, Failed> {
    let element = Situation::of(&check.verdict, run.header.require_baseline).element();
    let open = !audience.nextest && !forced && is_told(run, &check.verdict, audience);
    match element {
        Element::None => Ok(Completion::Completed),
        Element::Skipped if open => Ok(Completion::ignored_with(alone::reason(run, check))),
        // Cleaned there: libtest writes it raw.
        Element::Skipped | Element::Failure | Element::Error => Err(alone::text(run, check).into()),
    }
}

/// Tells whether what blocks a check is shown itself, or excused; all else speaks for itself.
fn is_told(run: &Run, verdict: &Verdict, audience: &Audience) -> bool {
    let Some(by) = &verdict.blocked_by else { return true };
    let cause = CheckKey::new(&verdict.key.node, by);
    let excused = |v: &Verdict| Situation::of(v, run.header.require_baseline).exit() == 0;
    audience.shown.contains(&cause) || run.verdicts().any(|v| v.key == cause && excused(v))
}
