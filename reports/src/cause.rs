//! What needs somebody: the grave answers of a run, those of one cause together, the worst first.
//!
//! All formats for people say it in this order, so that page, summary and terminal agree. What is
//! blocked stands under the check that it waits for. Nothing is left out here; who has little room
//! cuts, and says how much.

use verify_model::{
    exit::Situation,
    finding::FindingCode,
    outcome::Outcome,
    run::{Run, RunCheck},
};

use crate::{detail, sentence::situation_of};

/// Order in which situations are told; what is not listed needs nobody.
const GRAVE: [Situation; 4] =
    [Situation::Fail, Situation::Error, Situation::Unjudged, Situation::BaselineRequired];

/// Holds the checks that say the same for the same reason.
pub(crate) struct Cause<'r> {
    /// Row of the exit table that they share.
    pub(crate) situation: Situation,
    /// What decided them.
    pub(crate) code: Option<FindingCode>,
    /// What they say in one line, not yet cleaned.
    pub(crate) headline: String,
    /// What to do, not yet cleaned; empty where nothing is known.
    pub(crate) next: String,
    /// The checks, in plan order, never none.
    pub(crate) checks: Vec<&'r RunCheck>,
    /// What waits for them.
    pub(crate) blocked: Vec<&'r RunCheck>,
}

/// Lists what needs somebody, the worst first; of equal weight in plan order.
pub(crate) fn causes(run: &Run) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for check in &run.checks {
        let situation = situation_of(run, check);
        if !GRAVE.contains(&situation) {
            continue;
        }
        let cause = cause_of(run, check, situation);
        match causes.iter_mut().find(|known| is_same(known, &cause)) {
            Some(known) => known.checks.push(check),
            None => causes.push(cause),
        }
    }
    let waiting: Vec<&RunCheck> =
        run.checks.iter().filter(|c| c.verdict.outcome == Outcome::Blocked).collect();
    for cause in &mut causes {
        let waits = |check: &&&RunCheck| cause.checks.iter().any(|one| blocks(one, check));
        cause.blocked = waiting.iter().filter(waits).copied().collect();
    }
    // A stable sort: equal weight stays in plan order.
    causes.sort_by_key(|cause| GRAVE.iter().position(|grave| *grave == cause.situation));
    causes
}

/// Tells whether one check is the named cause of another one's being blocked.
pub(crate) fn blocks(cause: &RunCheck, check: &RunCheck) -> bool {
    check.verdict.outcome == Outcome::Blocked
        && cause.verdict.outcome != Outcome::Blocked
        && cause.planned.node == check.planned.node
        && check.verdict.blocked_by.as_deref() == Some(cause.planned.check.id.as_str())
}

fn cause_of<'r>(run: &Run, check: &'r RunCheck, situation: Situation) -> Cause<'r> {
    Cause {
        situation,
        code: check.verdict.decided_by,
        headline: detail::headline(run, check),
        next: detail::next(run, check).unwrap_or_default(),
        checks: vec![check],
        blocked: Vec::new(),
    }
}

fn is_same(one: &Cause<'_>, other: &Cause<'_>) -> bool {
    one.situation == other.situation
        && one.code == other.code
        && one.headline == other.headline
        && one.next == other.next
}
