//! How an outcome looks: a mark, a word and a class. The word says all; mark and colour help the eye.

use verify_model::{
    exit::Situation,
    outcome::Outcome,
    run::{Run, RunCheck},
};

use crate::sentence::situation_of;

/// Holds the look of an outcome.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// One character, not read aloud.
    pub(super) sign: char,
    /// The word.
    pub(super) word: &'static str,
    /// Class of the style sheet.
    pub(super) class: &'static str,
}

const fn mark(sign: char, word: &'static str, class: &'static str) -> Mark {
    Mark { sign, word, class }
}

/// Looks of the six outcomes, in the order of [`Outcome::ALL`].
const OF_OUTCOMES: [Mark; 6] = [
    mark('✓', "pass", "good"),
    mark('✗', "fail", "bad"),
    mark('!', "error", "bad"),
    mark('–', "skip", "calm"),
    mark('?', "unjudged", "warn"),
    mark('|', "blocked", "calm"),
];
const WAIVED: Mark = mark('~', "waived", "aside");

/// Returns the look of an outcome.
pub(super) fn of_outcome(outcome: Outcome) -> Mark {
    let at = Outcome::ALL.iter().position(|known| *known == outcome);
    OF_OUTCOMES[at.unwrap_or(2)]
}

/// Returns the look of a row of the exit table.
pub(super) fn of_situation(situation: Situation) -> Mark {
    of_outcome(match situation {
        Situation::Waived => return WAIVED,
        Situation::Pass => Outcome::Pass,
        Situation::Fail => Outcome::Fail,
        Situation::Error => Outcome::Error,
        Situation::Unjudged | Situation::NoBaseline | Situation::BaselineRequired => {
            Outcome::Unjudged
        }
        Situation::Skip => Outcome::Skip,
        Situation::Blocked | Situation::NothingAnswered => Outcome::Blocked,
    })
}

/// Returns the look of a check.
pub(super) fn of_check(run: &Run, check: &RunCheck) -> Mark {
    of_situation(situation_of(run, check))
}

/// Returns the look of a whole run, whose word is left to its sentence.
pub(super) fn of_run(run: &Run) -> Mark {
    match run.exit_code() {
        0 => mark('✓', "", "good"),
        1 => mark('✗', "", "bad"),
        4 => mark('?', "", "warn"),
        _ => mark('!', "", "bad"),
    }
}
