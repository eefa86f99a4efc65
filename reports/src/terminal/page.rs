//! How lines are laid out: indent, wrap with a hanging indent, colour, links. Cleans all that it is given.
//!
//! Width is what a terminal shows: colour and links have none, a wide character has two columns.

use super::{Links, Style, paint::Paint};
use crate::clean::{self, one_line, width_of};

const NARROWEST: usize = 40;
/// Width from which details stand under the id.
const ROOMY: usize = 72;
const NARROW_INDENT: usize = 6;
/// Bounds one text. *Units*: characters.
const LONGEST: usize = 400;
/// Bounds one text where everything is wanted. *Units*: characters.
const LONGEST_VERBOSE: usize = 4000;

/// Collects the lines of a page.
pub struct Page {
    color: bool,
    width: usize,
    /// Whether everything is wanted.
    pub(super) verbose: bool,
    /// Whether a word that is longer than a line is broken.
    breaks: bool,
    links: Links,
    out: String,
}

impl Page {
    /// Opens a page.
    pub fn new(style: &Style) -> Self {
        let width = style.width.max(NARROWEST);
        Self {
            color: style.color,
            width,
            verbose: style.verbose,
            breaks: true,
            links: Links::new(),
            out: String::new(),
        }
    }

    /// Knows where places lie, so that a terminal can open them.
    #[must_use]
    pub fn linked(self, links: &Links) -> Self {
        Self { links: links.clone(), ..self }
    }

    /// Keeps words whole that are longer than a line: what is copied must not be broken.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { breaks: false, ..self }
    }

    /// Returns the text.
    pub fn finish(self) -> String {
        self.out
    }

    /// Writes an empty line.
    pub fn blank(&mut self) {
        self.out.push('\n');
    }

    /// Counts the lines so far.
    pub(super) fn lines(&self) -> usize {
        self.out.matches('\n').count()
    }

    /// Returns the width of the page. *Units*: columns.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Writes lines as they are, at an indent: what is copied, and what is drawn.
    pub fn verbatim(&mut self, paint: Paint, indent: usize, text: &str) {
        for line in clean::block(text).lines() {
            let line = format!("{}{}", " ".repeat(indent), paint.on(line.trim_end(), self.color));
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
    }

    /// Returns the indent of what stands under a check: at its id, or further left where it is narrow.
    pub(super) fn detail_indent(&self, id_column: usize) -> usize {
        if self.width >= ROOMY { id_column } else { NARROW_INDENT }
    }

    /// Writes a text whose leading spaces are its indent.
    pub fn text(&mut self, paint: Paint, hang: usize, text: &str) {
        let indent = text.chars().take_while(|c| *c == ' ').count();
        self.lead(indent, &[], hang.max(indent), (paint, text));
    }

    /// Writes painted pieces, a space apart, then a text that hangs at a column.
    pub fn lead(
        &mut self,
        indent: usize,
        pieces: &[(Paint, &str)],
        hang: usize,
        text: (Paint, &str),
    ) {
        self.write(indent, pieces, hang, |page, line, part| page.paint(line, text.0, part), text.1);
    }

    /// Writes the same with a text of places, each a link where it is known where it lies.
    pub(super) fn places(
        &mut self,
        indent: usize,
        pieces: &[(Paint, &str)],
        hang: usize,
        text: &str,
    ) {
        self.write(indent, pieces, hang, Self::link, text);
    }

    fn write(
        &mut self,
        indent: usize,
        pieces: &[(Paint, &str)],
        hang: usize,
        paint_text: impl Fn(&Self, &mut String, &str),
        text: &str,
    ) {
        let longest = if self.verbose { LONGEST_VERBOSE } else { LONGEST };
        let mut line = " ".repeat(indent);
        let mut column = indent;
        for (paint, piece) in pieces {
            let padding = piece.chars().rev().take_while(|c| *c == ' ').count();
            let piece = one_line(piece, longest);
            let room = self.width.saturating_sub(column);
            for (at, part) in self.wrap(&piece, room, self.width - indent).into_iter().enumerate() {
                if at > 0 {
                    self.close(&mut line);
                    line.push_str(&" ".repeat(indent));
                    column = indent;
                }
                column += width_of(&part);
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
        let text_line = one_line(text, longest);
        let room = self.width.saturating_sub(column);
        for (at, part) in self.wrap(&text_line, room, self.width - hang).into_iter().enumerate() {
            if at > 0 {
                self.close(&mut line);
                line.push_str(&" ".repeat(hang));
            }
            paint_text(self, &mut line, &part);
        }
        self.close(&mut line);
    }

    fn paint(&self, line: &mut String, paint: Paint, text: &str) {
        line.push_str(&paint.on(text, self.color));
    }

    /// Writes words, those that are places as links. *Source*: OSC 8, as terminals agree on it.
    fn link(&self, line: &mut String, text: &str) {
        for (at, word) in text.split(' ').enumerate() {
            if at > 0 {
                line.push(' ');
            }
            let place = word.trim_end_matches(',');
            let file = place.rsplit_once(':').map_or(place, |(file, _)| file);
            match self.links.get(file).filter(|url| is_clean(url)) {
                Some(url) => {
                    line.push_str(&linked(url, place));
                    line.push_str(&word[place.len()..]);
                }
                None => line.push_str(word),
            }
        }
    }

    fn wrap(&self, text: &str, first: usize, rest: usize) -> Vec<String> {
        wrap(text, first, rest, self.breaks)
    }

    fn close(&mut self, line: &mut String) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
        line.clear();
    }
}

/// Makes a text a link.
pub fn linked(url: &str, text: &str) -> String {
    format!("\u{1b}]8;;{url}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
}

/// Tells whether an address may stand within a control sequence.
fn is_clean(url: &str) -> bool {
    !url.is_empty() && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Breaks one line at spaces, and where `breaks` says so a word that is longer than a line anywhere.
///
/// `first` is the room on the first line, `rest` that on every other one.
fn wrap(text: &str, first: usize, rest: usize, breaks: bool) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    let mut room = first;
    for word in text.split(' ') {
        let mut word = word;
        let gap = usize::from(used > 0);
        let width = width_of(word);
        if used + gap + width > room && (used > 0 || lines.len() == 1) {
            // A word that fits nowhere may as well begin here, if there is some room.
            if width <= rest || room < rest / 2 || used > 0 {
                lines.push(String::new());
                (used, room) = (0, rest);
            }
        }
        while breaks && width_of(word) > room.max(1) {
            let (head, tail) = word.split_at(clean::fitting(word, room.max(1)));
            push(&mut lines, head);
            lines.push(String::new());
            (word, used, room) = (tail, 0, rest);
        }
        if used > 0 {
            push(&mut lines, " ");
            used += 1;
        }
        push(&mut lines, word);
        used += width_of(word);
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(last) = lines.last_mut() {
        last.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(wrap("one two three", 7, 9, true), ["one two", "three"]);
        assert_eq!(wrap("one", 2, 9, true), ["", "one"]);
        assert_eq!(wrap("abcdefghij k", 4, 4, true), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("a abcdefghij k", 4, 4, false), ["a", "abcdefghij", "k"]);
        assert_eq!(wrap("", 4, 4, true), [""]);
        assert_eq!(wrap("日本語 ab", 4, 4, true), ["日本", "語", "ab"]);
    }

    #[test]
    fn colour_surrounds_words_and_takes_no_width() {
        let mut page = Page::new(&Style { color: true, width: 40, verbose: false });
        page.lead(2, &[(Paint::Good, "pass   ")], 12, (Paint::Plain, "a\u{1b}[31mb"));
        assert_eq!(page.finish(), "  \u{1b}[36mpass\u{1b}[0m      ab\n");
    }

    #[test]
    fn a_place_is_a_link_that_takes_no_width_and_an_unclean_address_is_none() {
        let links = [("a.toml", "file://h/r/a.toml"), ("b.toml", "file://h/\u{1b}]8;;")];
        let links: Links = links.map(|(file, url)| (file.to_owned(), url.to_owned())).into();
        let style = Style { color: true, width: 40, verbose: false };
        let mut page = Page::new(&style).linked(&links);
        page.places(2, &[(Paint::Plain, "where")], 8, "a.toml:3,7, b.toml:1, c.toml:2, d.toml:14");
        let text = page.finish();
        let link = linked("file://h/r/a.toml", "a.toml:3,7");
        assert_eq!(text, format!("  where {link}, b.toml:1, c.toml:2,\n        d.toml:14\n"));
        assert_eq!(clean::clean(&text).lines().map(width_of).max(), Some(39));
    }
}
