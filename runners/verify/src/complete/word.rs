//! What a word means that stands on a command line with its quotes.
//!
//! Only quotes and backslashes are undone. Nothing is expanded: `$(x)` and `~` stay what they are.

/// Removes quotes and backslashes; a quote that is still open ends with the word.
pub(crate) fn unquoted(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut quote = None;
    let mut characters = word.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, '\\') => out.extend(characters.next()),
            (Some('"'), '\\') => match characters.next() {
                Some(kept @ ('"' | '\\' | '$' | '`')) => out.push(kept),
                other => out.extend(['\\'].into_iter().chain(other)),
            },
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn quotes_are_removed_and_nothing_is_expanded() {
        for (written, meant) in [
            ("nv", "nv"),
            (r"a\ b", "a b"),
            ("'a b", "a b"),
            ("'a b'", "a b"),
            (r#""a b\"c"#, "a b\"c"),
            (r#""a\b""#, r"a\b"),
            (r"it\'s", "it's"),
            ("--node='x", "--node=x"),
            ("$(x) ~ `y`", "$(x) ~ `y`"),
            (r"\", ""),
            ("", ""),
        ] {
            assert_eq!(unquoted(written), meant, "{written}");
        }
    }
}
