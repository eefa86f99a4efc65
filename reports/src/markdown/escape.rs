//! How text becomes Markdown that shows it and means nothing else.
//!
//! Characters that mean something become entities, which no parser takes for markup, whatever stands
//! around them. What GitHub looks for after parsing (mentions, issue numbers, addresses) is broken by a
//! space of no width, so that a report pings nobody.

use std::fmt::Write as _;

use crate::clean::one_line;

/// Breaks what a parser looks for, unseen.
const BREAK: char = '\u{200b}';

/// Writes a text.
pub(super) fn text(text: &str, longest: usize) -> String {
    escaped(&one_line(text, longest))
}

/// Writes a text in the type of code; nothing for nothing.
pub(super) fn code(text: &str, longest: usize) -> String {
    match escaped(&one_line(text, longest)) {
        empty if empty.is_empty() => empty,
        text => format!("<code>{text}</code>"),
    }
}

/// Writes a text in which what stands between backticks is code.
pub(super) fn prose(text: &str, longest: usize) -> String {
    let line = one_line(text, longest);
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped(&line);
    }
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        match (at % 2, part.is_empty()) {
            (0, _) | (_, true) => out += &escaped(part),
            _ => out.extend(["<code>", &escaped(part), "</code>"]),
        }
    }
    out
}

/// *Source*: `CommonMark` 0.31, 2.5 (an entity is never structure); GitHub's autolinked references.
fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        let rest = &line[at + character.len_utf8()..];
        match character {
            '&' | '<' | '>' | '"' | '\'' | '`' | '*' | '_' | '[' | ']' | '\\' | '|' | '~' | '$'
            | '!' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "&#{};", u32::from(character));
            }
            '@' => out.extend(['@', BREAK]),
            '#' => {
                out.push_str("&#35;");
                out.push(BREAK);
            }
            ':' if rest.starts_with("//") => {
                out.push_str("&#58;");
                out.push(BREAK);
            }
            '.' if before.eq_ignore_ascii_case(&'w') => out += "&#46;",
            '-' if before.eq_ignore_ascii_case(&'h')
                && rest.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                out.extend(['-', BREAK]);
            }
            other => {
                out.push(other);
                // GitHub links what may be a commit.
                if !before.is_alphanumeric() && is_hash(&line[at..]) {
                    out.push(BREAK);
                }
            }
        }
        before = character;
    }
    out
}

/// Tells whether a text begins with what may be the hash of a commit; a number is none.
fn is_hash(text: &str) -> bool {
    let word = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let hex = |c: char| c.is_ascii_hexdigit();
    (7..=40).contains(&word.len())
        && word.chars().all(hex)
        && !word.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_written_as_an_entity() {
        assert_eq!(
            text("a|b `c` <d> [e](f) \\", 80),
            "a&#124;b &#96;c&#96; &#60;d&#62; &#91;e&#93;(f) &#92;"
        );
        assert_eq!(text("at 08c6903 of 2684354", 80), "at 0\u{200b}8c6903 of 2684354");
        assert_eq!(text("two\nlines", 80), "two lines");
        assert_eq!(code("", 80), "");
        assert_eq!(code("x_y", 80), "<code>x&#95;y</code>");
    }

    #[test]
    fn nobody_is_pinged_and_nothing_is_linked() {
        assert_eq!(text("@ana fixes #12", 80), "@\u{200b}ana fixes &#35;\u{200b}12");
        assert_eq!(text("https://x www.y", 80), "https&#58;\u{200b}//x www&#46;y");
        assert_eq!(text("GH-12 high-5", 80), "GH-\u{200b}12 high-\u{200b}5");
    }

    #[test]
    fn pairs_of_backticks_are_code_and_a_single_one_is_not() {
        assert_eq!(prose("run `verify plan` now", 80), "run <code>verify plan</code> now");
        assert_eq!(prose("a ` b", 80), "a &#96; b");
        assert_eq!(prose("`<b>`", 80), "<code>&#60;b&#62;</code>");
    }
}
