//! How an outcome looks: a mark, a word and a class. The word says all; mark and colour help the eye.
//!
//! Mark and word are those of the terminal, so that nobody has to learn two.

use verify_model::{
    exit::Situation,
    outcome::Outcome,
    run::{Run, RunCheck},
};

use crate::{
    sentence::situation_of,
    terminal::paint::{Paint, Sign},
};

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

/// Returns the look of an outcome.
pub(super) fn of_outcome(outcome: Outcome) -> Mark {
    of_situation(match outcome {
        Outcome::Pass => Situation::Pass,
        Outcome::Fail => Situation::Fail,
        Outcome::Error => Situation::Error,
        Outcome::Skip => Situation::Skip,
        Outcome::Unjudged => Situation::Unjudged,
        Outcome::Blocked => Situation::Blocked,
    })
}

/// Returns the look of a row of the exit table: sign and word are those of the terminal.
pub(super) fn of_situation(situation: Situation) -> Mark {
    let Sign { mark: sign, word, paint } = Sign::of(situation);
    let class = match paint {
        Paint::Good => "good",
        Paint::Bad => "bad",
        Paint::Doubtful => "warn",
        Paint::Aside => "aside",
        Paint::Plain | Paint::Bold | Paint::Dim => "calm",
    };
    mark(sign, word, class)
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
