//! Whether a command printed what the book shows.
//!
//! `…` stands for any text within a line, and alone on a line for any lines. Runs of white space are
//! one blank, for widths of columns hang on names. Nothing else is forgiven.

/// Says where what was printed leaves what is shown; `None` where it does not.
pub(crate) fn differs(shown: &str, printed: &str) -> Option<String> {
    let shown: Vec<String> = shown.lines().map(flat).filter(|line| !line.is_empty()).collect();
    let printed: Vec<String> = printed.lines().map(flat).filter(|line| !line.is_empty()).collect();
    if !shown.iter().any(|line| line.chars().any(char::is_alphanumeric)) {
        return Some("nothing is shown but wildcards".to_owned());
    }
    // Lines before a wildcard are looked for from the top; the first place that fits is the best one.
    let mut at = 0;
    let groups: Vec<&[String]> = shown.split(|line| line == "…").collect();
    let last = groups.len() - 1;
    for (number, group) in groups.iter().enumerate() {
        let fits = |from: usize| {
            printed.get(from..from + group.len()).is_some_and(|lines| {
                group.iter().zip(lines).all(|(pattern, line)| matches(pattern, line))
            })
        };
        let place = if number == last && last > 0 {
            printed.len().checked_sub(group.len()).filter(|from| *from >= at && fits(*from))
        } else if number == 0 {
            Some(0).filter(|from| fits(*from))
        } else {
            (at..=printed.len()).find(|from| fits(*from))
        };
        let Some(place) = place else {
            return Some(format!("not found in this place:\n{}", group.join("\n")));
        };
        at = place + group.len();
    }
    (last == 0 && at != printed.len()).then(|| "more was printed than is shown".to_owned())
}

fn flat(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Tells whether a line is as its pattern says.
fn matches(pattern: &str, line: &str) -> bool {
    let parts: Vec<&str> = pattern.split('…').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    if parts.len() == 1 {
        return pattern == line;
    }
    let Some(mut rest) = line.strip_prefix(first.trim_end()) else { return false };
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part.trim()) else { return false };
        rest = &rest[at + part.trim().len()..];
    }
    rest.ends_with(last.trim_start())
}

#[test]
fn a_wildcard_stands_for_text_or_lines_and_all_else_must_be_there() {
    assert_eq!(differs("a  b\n", "a b\n"), None);
    assert_eq!(differs("run …, 3 pass\n", "run 01K5, 3 pass\n"), None);
    assert_eq!(differs("…\nx\n…\n", "1\nx\n2\n"), None);
    assert_eq!(differs("x\n…\n", "x\n"), None);
    assert_eq!(differs("…\nlast\n", "last\nmore\nlast\n"), None);
    for (shown, printed) in [
        ("a\n", "b\n"),
        ("a\n", "a\nb\n"),
        ("…\na\n", "a\nb\n"),
        ("a\n…\n", "b\na\n"),
        ("…\n", "anything\n"),
        ("…\nb\n…\na\n…\n", "a\nb\n"),
        ("3 … fail\n", "4 pass, 1 fail\n"),
    ] {
        assert!(differs(shown, printed).is_some(), "{shown} against {printed}");
    }
}
