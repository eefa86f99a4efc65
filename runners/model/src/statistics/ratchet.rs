//! The newest baseline and the first one, together.
//!
//! A machine that loses half a percent a month is never worse than its last baseline. The anchor, which
//! nobody moves in passing, sees it.

use super::Word;

/// Joins what a measurement is called against the newest baseline and against the anchor.
///
/// Each comparison has half the level.
pub fn both(current: Word, anchor: Word) -> Word {
    match (current, anchor) {
        (Word::Regressed, _) | (_, Word::Regressed) => Word::Regressed,
        (word, _) => word,
    }
}
