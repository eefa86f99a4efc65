//! What needs somebody: one article for each cause, the worst first, with the next action.

use verify_model::run::{Run, RunCheck};

use super::{
    anchor::Anchors,
    check::{Said, said},
    mark::{self, Mark},
    text::{LONGEST_LINE, LONGEST_NAME, line, markup},
};
use crate::{
    cause::{Cause, causes},
    detail,
    draw::{self, Picture},
    sentence::cut_short,
};

/// Bounds how many causes have an article; the others stand at their checks.
const CAUSES_SHOWN: usize = 200;
/// Bounds how many checks of one cause are named.
const CHECKS_SHOWN: usize = 40;
/// Lines that an article shows in a place of their own.
const ELSEWHERE: [&str; 1] = ["next"];

/// Holds everything that needs somebody.
pub(super) struct Findings {
    pub(super) causes: Vec<Article>,
    pub(super) left_out: usize,
    /// What to do first, in one line: headline and next action.
    pub(super) first: Option<(String, String)>,
}

/// Holds one cause.
pub(super) struct Article {
    pub(super) mark: Mark,
    pub(super) headline: String,
    /// Code of the catalogue.
    pub(super) code: &'static str,
    pub(super) title: String,
    pub(super) checks: Vec<Named>,
    pub(super) more_checks: usize,
    pub(super) lines: Vec<Said>,
    /// What to do, as markup; empty where nothing is known.
    pub(super) next: String,
    pub(super) blocked: Vec<Named>,
    pub(super) more_blocked: usize,
    pub(super) pictures: Vec<Picture>,
}

/// Holds a check by its name.
pub(super) struct Named {
    pub(super) anchor: String,
    pub(super) id: String,
    /// Node, where the run has several.
    pub(super) node: String,
}

/// Gathers what needs somebody.
pub(super) fn of(run: &Run, anchors: &Anchors<'_>) -> Findings {
    let causes = causes(run);
    let first = causes.iter().find(|cause| !cause.next.is_empty());
    Findings {
        first: first.map(|cause| (line(&cause.headline, LONGEST_NAME), markup(&cause.next))),
        left_out: causes.len().saturating_sub(CAUSES_SHOWN),
        causes: causes.iter().take(CAUSES_SHOWN).map(|c| article(run, c, anchors)).collect(),
    }
}

/// Names checks, the first ones of many.
pub(super) fn named(run: &Run, checks: &[&RunCheck], anchors: &Anchors<'_>) -> (Vec<Named>, usize) {
    let several = run.nodes.len() > 1;
    let one = |check: &&RunCheck| Named {
        anchor: anchors.of(check),
        id: line(&check.planned.check.id, LONGEST_NAME),
        node: if several { line(&check.planned.node, LONGEST_NAME) } else { String::new() },
    };
    let shown = checks.iter().take(CHECKS_SHOWN).map(one).collect();
    (shown, checks.len().saturating_sub(CHECKS_SHOWN))
}

fn article(run: &Run, cause: &Cause<'_>, anchors: &Anchors<'_>) -> Article {
    let (checks, more_checks) = named(run, &cause.checks, anchors);
    let (blocked, more_blocked) = named(run, &cause.blocked, anchors);
    let alone = (cause.checks.len() == 1).then(|| cause.checks[0]);
    let first = cause.checks.first();
    let mut lines = first.map(|check| detail::lines(run, check)).unwrap_or_default();
    if let Some(check) = alone {
        lines.extend(detail::compared(check));
    }
    if first.is_some_and(|check| cut_short(&check.verdict)) {
        lines.clear();
    }
    let is_own = |line: &&detail::Line| !ELSEWHERE.contains(&line.label);
    Article {
        mark: mark::of_situation(cause.situation),
        headline: line(&cause.headline, LONGEST_LINE),
        code: cause.code.map_or("", |code| code.row().name),
        title: first.map_or_else(String::new, |c| line(&c.planned.check.title, LONGEST_NAME)),
        checks,
        more_checks,
        lines: lines.iter().filter(is_own).map(said).collect(),
        next: markup(&cause.next),
        blocked,
        more_blocked,
        pictures: alone.map(|check| draw::of_check(run, check)).unwrap_or_default(),
    }
}
