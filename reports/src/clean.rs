//! How hostile text is made harmless: the one cleaner of all formats.
//!
//! Terminal control sequences are dropped, whole; what remains of control characters, of characters
//! that XML 1.0 forbids and of characters that reorder the line becomes U+FFFD, so that it is seen
//! that something stood there. Markup is not this file's matter: each writer escapes its own.

/// Stands for a character that was taken out.
const REPLACED: char = '\u{fffd}';
/// Distance of tab stops, in columns.
const TAB_STOP: usize = 8;

/// Drops control sequences and replaces what no report may carry; tab, newline and return stay.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    out.extend(Cleaned { rest: text });
    out
}

/// Walks the characters of a text that stay, and those that stand for what does not.
struct Cleaned<'t> {
    rest: &'t str,
}

impl Iterator for Cleaned<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        loop {
            let first = self.rest.chars().next()?;
            let sequence = sequence_length(self.rest);
            self.rest = &self.rest[sequence.unwrap_or(first.len_utf8())..];
            if sequence.is_none() {
                return Some(if is_harmless(first) { first } else { REPLACED });
            }
        }
    }
}

/// Cleans a text into one line of at most `max` characters; what is cut off leaves `…`.
///
/// It reads no further than it writes: a node may send megabytes in one line.
pub fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let (mut length, mut space) = (0_usize, false);
    for character in (Cleaned { rest: text }) {
        if character.is_whitespace() {
            space = length > 0;
            continue;
        }
        if space {
            line.push(' ');
            length += 1;
            space = false;
        }
        line.push(character);
        length += 1;
        if length > max {
            let mut cut: String = line.chars().take(max.saturating_sub(1)).collect();
            cut.push('…');
            return cut;
        }
    }
    line
}

/// Measures a text as a terminal shows it. *Units*: columns.
pub fn width_of(text: &str) -> usize {
    text.chars().map(column_width).sum()
}

/// Finds how much of a text fits into so many columns, at least one character. *Units*: bytes.
pub(crate) fn fitting(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, character) in text.char_indices() {
        used += column_width(character);
        if used > columns && at > 0 {
            return at;
        }
    }
    text.len()
}

/// Cleans a text into one line of at most so many columns; what is cut off leaves `…`.
pub fn fit(text: &str, columns: usize) -> String {
    // No need to clean what is never shown; a column has at most a few characters.
    let line = one_line(text, columns.saturating_mul(4).max(1));
    if width_of(&line) <= columns {
        return line;
    }
    let Some(room) = columns.checked_sub(1).filter(|room| *room > 0) else {
        return String::new();
    };
    // A character of two columns does not fit into one.
    let kept = &line[..fitting(&line, room)];
    let kept = if width_of(kept) > room { "" } else { kept };
    format!("{}…", kept.trim_end())
}

fn column_width(character: char) -> usize {
    unicode_width::UnicodeWidthChar::width(character).unwrap_or_default()
}

/// Cleans a text of several lines: newlines only, tabs as spaces.
pub fn block(text: &str) -> String {
    let cleaned = clean(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(cleaned.len());
    let mut column = 0;
    for character in cleaned.chars() {
        match character {
            '\t' => {
                let width = TAB_STOP - column % TAB_STOP;
                out.extend(std::iter::repeat_n(' ', width));
                column += width;
            }
            '\n' => {
                out.push('\n');
                column = 0;
            }
            other => {
                out.push(other);
                column += 1;
            }
        }
    }
    out
}

/// Tells whether a character may reach a report.
///
/// *Source*: XML 1.0, production 2 (Char); stricter in that DEL and C1 are out, as terminals obey
/// them, and so are the bidirectional embeddings, overrides and isolates (CVE-2021-42574).
fn is_harmless(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => false,
        other => !other.is_control(),
    }
}

/// Measures the control sequence that a text starts with, in bytes. *Source*: ECMA-48.
fn sequence_length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let introducer = first.len_utf8();
    match (first, text.as_bytes().get(1)) {
        ('\u{9b}', _) => Some(csi_end(text, introducer)),
        ('\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}', _) => {
            Some(string_end(text, introducer))
        }
        ('\u{1b}', Some(b'[')) => Some(csi_end(text, 2)),
        ('\u{1b}', Some(b']' | b'P' | b'X' | b'^' | b'_')) => Some(string_end(text, 2)),
        ('\u{1b}', Some(_)) => {
            let middle = skip(text, 1, 0x20..=0x2f);
            let end = skip_one(text, middle, 0x30..=0x7e);
            (end > 1).then_some(end)
        }
        _ => None,
    }
}

/// Finds the end of a control sequence: parameters, intermediates, one final byte.
fn csi_end(text: &str, from: usize) -> usize {
    let parameters = skip(text, from, 0x30..=0x3f);
    let intermediates = skip(text, parameters, 0x20..=0x2f);
    skip_one(text, intermediates, 0x40..=0x7e)
}

/// Finds the end of a string sequence, such as a window title.
///
/// A string that nobody ends is dropped up to the end of its line, so that it cannot hide more.
fn string_end(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    for (at, character) in rest.char_indices() {
        match character {
            '\u{7}' | '\u{9c}' => return from + at + character.len_utf8(),
            '\u{1b}' if rest[at..].starts_with("\u{1b}\\") => return from + at + 2,
            '\u{1b}' | '\n' => return from + at,
            _ => {}
        }
    }
    text.len()
}

fn skip(text: &str, from: usize, range: std::ops::RangeInclusive<u8>) -> usize {
    from + text.as_bytes()[from..].iter().take_while(|byte| range.contains(byte)).count()
}

fn skip_one(text: &str, from: usize, range: std::ops::RangeInclusive<u8>) -> usize {
    from + usize::from(text.as_bytes().get(from).is_some_and(|byte| range.contains(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_are_dropped_whole() {
        for (hostile, harmless) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9d}0;title\u{9c}text", "text"),
            ("\u{1b}Pq#0\u{1b}\\text", "text"),
            ("\u{1b}(Btext\u{1b}c", "text"),
            ("text\u{1b}[3", "text"),
            ("text\u{1b}]0;never ended", "text"),
            ("\u{1b}]0;never ended\nnext", "\nnext"),
            ("\u{1b}[1\u{1b}[2Jtext", "text"),
        ] {
            assert_eq!(clean(hostile), harmless, "{hostile:?}");
        }
    }

    #[test]
    fn what_no_report_may_carry_is_seen_to_be_missing() {
        assert_eq!(clean("a\0b\u{7f}c\u{85}d\u{fffe}e\u{1b}"), "a�b�c�d�e�");
        assert_eq!(clean("\u{202e}gpj.exe\u{2066}"), "�gpj.exe�");
        assert_eq!(clean("tab\tnew\nreturn\r größe 日本"), "tab\tnew\nreturn\r größe 日本");
    }

    #[test]
    fn a_line_is_cut_by_what_a_terminal_shows() {
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!((fit("日本語", 3), fit("日本語", 2)), ("日…".into(), "…".into()));
        assert_eq!(fit("a\u{1b}[31m b\n c", 9), "a b c");
        assert_eq!(fit("ab", 1), "");
        assert_eq!((width_of("日本 a\u{301}"), width_of("\u{1b}")), (6, 0));
    }

    #[test]
    fn lines_are_joined_and_cut_and_blocks_keep_their_columns() {
        assert_eq!(one_line("  a\n\tb\u{2028}c ", 80), "a b c");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(block("a\tb\r\n\tc\rd"), "a       b\n        c\nd");
    }
}
