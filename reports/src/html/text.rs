//! How text reaches the page: cleaned, escaped, and no longer than somebody reads.
//!
//! Cleaning is part of the escaper, so a template cannot forget it. Limits are applied before the
//! whole is looked at, for one line of a node may be of ten megabytes.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::clean::{clean, one_line};

/// Bounds a title, an id or a name. *Units*: characters.
pub(super) const LONGEST_NAME: usize = 200;
/// Bounds what stands beside a check that is folded. *Units*: characters.
pub(super) const LONGEST_GLANCE: usize = 240;
/// Bounds any other line. *Units*: characters.
pub(super) const LONGEST_LINE: usize = 2000;

/// Cleans, then escapes: what templates write text with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CleanHtml;

impl Escaper for CleanHtml {
    fn write_escaped_str<W: Write>(&self, dest: W, string: &str) -> fmt::Result {
        if string.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Html.write_escaped_str(dest, string);
        }
        Html.write_escaped_str(dest, &clean(string))
    }
}

/// Makes one clean line of a text, of at most so many characters.
pub(super) fn line(text: &str, max: usize) -> String {
    // Cleaning shortens, so more than what is shown is looked at, but never all of megabytes.
    match text.char_indices().nth(max * 8) {
        None => one_line(text, max),
        Some((end, _)) => {
            let mut cut = one_line(&text[..end], max);
            if !cut.ends_with('…') {
                cut.push('…');
            }
            cut
        }
    }
}

/// Writes a line as markup: what stands between backticks is code.
///
/// *Shape*: safe to stand in the page as it is.
pub(super) fn markup(text: &str) -> String {
    let text = line(text, LONGEST_LINE);
    let pieces: Vec<&str> = text.split('`').collect();
    // An odd one out opens nothing.
    let paired = pieces.len() % 2 == 1;
    let mut out = String::with_capacity(text.len() + 16);
    for (at, piece) in pieces.iter().enumerate() {
        let (open, close) = match (at % 2 == 1, paired) {
            (true, true) => ("<code>", "</code>"),
            (true, false) => ("`", if at + 1 == pieces.len() { "" } else { "`" }),
            (false, _) => ("", ""),
        };
        out.push_str(open);
        // Writing into a text cannot fail.
        let _ = Html.write_escaped_str(&mut out, piece);
        out.push_str(close);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_is_markup() {
        for (text, shown) in [
            ("plain", "plain"),
            ("run `a <b>`.", "run <code>a &#60;b&#62;</code>."),
            ("`a` and `b`", "<code>a</code> and <code>b</code>"),
            ("one ` alone", "one ` alone"),
            ("`a` and ` alone", "`a` and ` alone"),
            ("\u{1b}[31m<script>\u{202e}", "&#60;script&#62;\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(markup(text), shown, "{text}");
        }
    }

    #[test]
    fn a_line_is_cut_and_says_so() {
        assert_eq!(line("short\nline", 20), "short line");
        assert_eq!(line(&"A".repeat(10_000_000), 10), format!("{}…", "A".repeat(9)));
        assert_eq!(line(&format!("\u{1b}]{}", "A".repeat(1000)), 10), "…");
    }
}
