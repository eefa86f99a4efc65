//! What stands before an outcome, and with what it is painted.
//!
//! The word says all; mark and paint only help the eye. No two meanings differ by red and green alone:
//! what is well is cyan, what is not is bold, and every one has a mark of its own. The colours are
//! those of any terminal, so that they stand on dark and on light ground.

use verify_model::exit::Situation;

/// Names what a piece of text is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Usual text.
    Plain,
    /// What the eye shall find first.
    Bold,
    /// What may be passed over.
    Dim,
    /// It is well.
    Good,
    /// It is not well.
    Bad,
    /// Nobody knows.
    Doubtful,
    /// It is said beside the matter.
    Aside,
}

/// Ends every paint.
const RESET: &str = "\u{1b}[0m";

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\u{1b}[1m",
            Self::Dim => "\u{1b}[2m",
            Self::Good => "\u{1b}[36m",
            Self::Bad => "\u{1b}[1;31m",
            Self::Doubtful => "\u{1b}[1;35m",
            Self::Aside => "\u{1b}[35m",
        }
    }

    /// Paints a text; nothing is added where there is no colour, or nothing to paint.
    pub fn on(self, text: &str, color: bool) -> String {
        if color && self != Self::Plain && !text.is_empty() {
            format!("{}{text}{RESET}", self.code())
        } else {
            text.to_owned()
        }
    }
}

/// Holds how an outcome is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    /// One character, another one for each word.
    pub mark: char,
    /// The word.
    pub word: &'static str,
    /// The paint of both.
    pub paint: Paint,
}

impl Sign {
    /// Finds the sign of a row of the exit table.
    pub fn of(situation: Situation) -> Self {
        let (mark, word, paint) = match situation {
            Situation::Pass => ('✓', "pass", Paint::Good),
            Situation::Fail => ('✗', "fail", Paint::Bad),
            Situation::Waived => ('~', "waived", Paint::Aside),
            Situation::Error => ('!', "error", Paint::Bad),
            Situation::Unjudged | Situation::NoBaseline | Situation::BaselineRequired => {
                ('?', "unjudged", Paint::Doubtful)
            }
            Situation::Skip => ('-', "skip", Paint::Dim),
            Situation::Blocked | Situation::NothingAnswered => ('|', "blocked", Paint::Dim),
        };
        Self { mark, word, paint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_well_and_what_is_not_differ_without_colour() {
        let (good, bad) = (Sign::of(Situation::Pass), Sign::of(Situation::Fail));
        assert_ne!((good.mark, good.word), (bad.mark, bad.word));
        assert!(Paint::Bad.code().contains("1;") && !Paint::Good.code().contains("32"));
    }

    #[test]
    fn nothing_is_added_where_there_is_nothing_to_paint() {
        assert_eq!(Paint::Bad.on("x", false), "x");
        assert_eq!(Paint::Bad.on("", true), "");
        assert_eq!(Paint::Plain.on("x", true), "x");
        assert_eq!(Paint::Bold.on("x", true), "\u{1b}[1mx\u{1b}[0m");
    }
}
