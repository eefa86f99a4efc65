//! How lines are laid out: indent, wrap with a hanging indent, colour. Cleans all that it is given.
//!
//! Colour never counts as width, and never carries what the words do not say.

use super::Style;
use crate::clean::one_line;

const NARROWEST: usize = 40;
/// Width from which details stand under the id.
const ROOMY: usize = 72;
const NARROW_INDENT: usize = 6;
/// Bounds one text. *Units*: characters.
const LONGEST: usize = 400;
/// Bounds one text where everything is wanted. *Units*: characters.
const LONGEST_VERBOSE: usize = 4000;

/// Names what a piece of text is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Doubtful,
    Aside,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\u{1b}[1m",
            Self::Dim => "\u{1b}[2m",
            Self::Good => "\u{1b}[32m",
            Self::Bad => "\u{1b}[1;31m",
            Self::Doubtful => "\u{1b}[33m",
            Self::Aside => "\u{1b}[36m",
        }
    }
}

const RESET: &str = "\u{1b}[0m";

/// Collects the lines of a report.
pub(super) struct Page {
    color: bool,
    width: usize,
    /// Whether everything is wanted.
    pub(super) verbose: bool,
    out: String,
}

impl Page {
    pub(super) fn new(style: &Style) -> Self {
        let width = style.width.max(NARROWEST);
        Self { color: style.color, width, verbose: style.verbose, out: String::new() }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// Returns the indent of what stands under a check: at its id, or further left where it is narrow.
    pub(super) fn detail_indent(&self, id_column: usize) -> usize {
        if self.width >= ROOMY { id_column } else { NARROW_INDENT }
    }

    /// Writes a text whose leading spaces are its indent.
    pub(super) fn text(&mut self, paint: Paint, hang: usize, text: &str) {
        let indent = text.chars().take_while(|c| *c == ' ').count();
        self.lead(indent, &[], hang.max(indent), (paint, text));
    }

    /// Writes painted pieces, a space apart, then a text that hangs at a column.
    pub(super) fn lead(
        &mut self,
        indent: usize,
        pieces: &[(Paint, &str)],
        hang: usize,
        text: (Paint, &str),
    ) {
        let longest = if self.verbose { LONGEST_VERBOSE } else { LONGEST };
        let mut line = " ".repeat(indent);
        let mut column = indent;
        for (paint, piece) in pieces {
            let padding = piece.chars().rev().take_while(|c| *c == ' ').count();
            let piece = one_line(piece, longest);
            let room = self.width.saturating_sub(column);
            for (at, part) in wrap(&piece, room, self.width - indent).into_iter().enumerate() {
                if at > 0 {
                    self.close(&mut line);
                    line.push_str(&" ".repeat(indent));
                    column = indent;
                }
                column += part.chars().count();
                self.paint(&mut line, *paint, &part);
            }
            line.push_str(&" ".repeat(padding + 1));
            column += padding + 1;
        }
        // A narrow page hangs less, so that words stay whole.
        let hang = hang.min(self.width / 2);
        if column < hang && !pieces.is_empty() {
            line.push_str(&" ".repeat(hang - column));
            column = hang;
        }
        let text_line = one_line(text.1, longest);
        let room = self.width.saturating_sub(column);
        for (at, part) in wrap(&text_line, room, self.width - hang).into_iter().enumerate() {
            if at > 0 {
                self.close(&mut line);
                line.push_str(&" ".repeat(hang));
            }
            self.paint(&mut line, text.0, &part);
        }
        self.close(&mut line);
    }

    fn paint(&self, line: &mut String, paint: Paint, text: &str) {
        if self.color && paint != Paint::Plain && !text.is_empty() {
            line.push_str(paint.code());
            line.push_str(text);
            line.push_str(RESET);
        } else {
            line.push_str(text);
        }
    }

    fn close(&mut self, line: &mut String) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
        line.clear();
    }
}

/// Breaks one line at spaces, and a word that is longer than a line anywhere.
///
/// `first` is the room on the first line, `rest` that on every other one.
fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    let mut room = first;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let gap = usize::from(used > 0);
        if used + gap + word.len() > room && (used > 0 || lines.len() == 1) {
            // A word that fits nowhere may as well begin here, if there is some room.
            if word.len() <= rest || room < rest / 2 || used > 0 {
                lines.push(String::new());
                (used, room) = (0, rest);
            }
        }
        while word.len() > room.max(1) {
            let tail = word.split_off(room.max(1));
            push(&mut lines, &word);
            lines.push(String::new());
            (word, used, room) = (tail, 0, rest);
        }
        if used > 0 {
            push(&mut lines, &[' ']);
            used += 1;
        }
        push(&mut lines, &word);
        used += word.len();
    }
    lines
}

fn push(lines: &mut [String], characters: &[char]) {
    if let Some(last) = lines.last_mut() {
        last.extend(characters);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(wrap("one two three", 7, 9), ["one two", "three"]);
        assert_eq!(wrap("one", 2, 9), ["", "one"]);
        assert_eq!(wrap("abcdefghij k", 4, 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4, 4), [""]);
    }

    #[test]
    fn colour_surrounds_words_and_takes_no_width() {
        let mut page = Page::new(&Style { color: true, width: 40, verbose: false });
        page.lead(2, &[(Paint::Good, "pass   ")], 12, (Paint::Plain, "a\u{1b}[31mb"));
        assert_eq!(page.finish(), "  \u{1b}[32mpass\u{1b}[0m      ab\n");
    }
}
