//! What needs somebody: one article for each cause, the worst first, with the next action.

use std::collections::BTreeSet;

use verify_model::{
    exit::Situation,
    run::{Run, RunCheck},
};

use super::{
    anchor::Anchors,
    check::{Said, said},
    mark::{self, Mark},
    text::{LONGEST_NAME, line, markup},
};
use crate::{
    cause::{Cause, causes},
    detail,
    draw::{self, Picture},
    sentence::{cut_short, situation_of},
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
    /// What is said where there is none.
    pub(super) calm: &'static str,
    pub(super) left_out: usize,
    /// Ids of the checks whose pictures stand with their cause.
    pub(super) pictured: BTreeSet<String>,
    /// What to do first, headline and next action, as markup.
    pub(super) first: Option<(String, String)>,
}

/// Holds one cause.
pub(super) struct Article {
    pub(super) mark: Mark,
    /// What they say, as markup.
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
    let shown: Vec<Article> =
        causes.iter().take(CAUSES_SHOWN).map(|cause| article(run, cause, anchors)).collect();
    let pictured = shown.iter().filter(|article| !article.pictures.is_empty());
    Findings {
        pictured: pictured.flat_map(|a| &a.checks).map(|check| check.anchor.clone()).collect(),
        first: first.map(|cause| (markup(&cause.headline), markup(&cause.next))),
        calm: calm(run),
        left_out: causes.len().saturating_sub(CAUSES_SHOWN),
        causes: shown,
    }
}

/// Says that nothing needs somebody, no more than is so.
fn calm(run: &Run) -> &'static str {
    let is_aside = |check: &RunCheck| {
        matches!(situation_of(run, check), Situation::Waived | Situation::NoBaseline)
    };
    match run.exit_code() {
        0 if run.checks.iter().any(is_aside) => {
            "Nothing now. What is waived or has no baseline yet is said with its check."
        }
        0 => "Nothing: no check failed, none was without an answer, and each could be judged.",
        _ => "No check of its own; the verdict says what is wrong with the whole run.",
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
    let is_new =
        |line: &&detail::Line| !ELSEWHERE.contains(&line.label) && line.text != cause.headline;
    Article {
        mark: mark::of_situation(cause.situation),
        headline: markup(&cause.headline),
        code: cause.code.map_or("", |code| code.row().name),
        title: first.map_or_else(String::new, |c| line(&c.planned.check.title, LONGEST_NAME)),
        checks,
        more_checks,
        lines: lines.iter().filter(is_new).map(said).collect(),
        next: markup(&cause.next),
        blocked,
        more_blocked,
        pictures: alone.map(|check| draw::of_check(run, check)).unwrap_or_default(),
    }
}
