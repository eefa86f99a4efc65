//! The first thing in a text that looks like a version.

/// Returns the first dotted number, such as `12.4` in `release 12.4, V12.4.131`; else the first number.
pub(crate) fn first(text: &str) -> Option<String> {
    let numbers: Vec<&str> = text
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|part| part.trim_matches('.'))
        .filter(|part| !part.is_empty() && !part.contains(".."))
        .collect();
    let dotted = numbers.iter().find(|part| part.contains('.'));
    dotted.or_else(|| numbers.first()).map(|part| (*part).to_owned())
}
