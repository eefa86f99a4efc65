//! How Rust text is read without a parser.
//!
//! Comments and literals are blanked first, so that a word in a message is never taken for code and
//! braces match. The rest is exact for formatted code. No macro is expanded.

/// A function with a body: its name, its line and how many lines it takes, signature included.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// Blanks comments and literals; lines and columns stay.
pub(crate) fn masked(text: &str) -> String {
    let source: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = source.get(at) {
        if let Some(end) = opaque_end(&source, at) {
            out.extend(source[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(c);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that starts here ends.
fn opaque_end(source: &[char], at: usize) -> Option<usize> {
    let rest = &source[at..];
    let length = match rest {
        ['/', '/', ..] => rest.iter().position(|c| *c == '\n'),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => quoted(rest),
        ['\'', '\\', _, tail @ ..] => tail.iter().position(|c| *c == '\'').map(|end| end + 4),
        ['\'', _, '\'', ..] => Some(3),
        ['r', '"' | '#', ..] if starts_literal(&source[..at]) => return raw(rest).map(|n| at + n),
        _ => return None,
    };
    Some(length.map_or(source.len(), |length| at + length))
}

fn block_comment(rest: &[char]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') if depth == 1 => return Some(at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    None
}

fn quoted(rest: &[char]) -> Option<usize> {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

fn raw(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    let open = 1 + hashes;
    if rest.get(open) != Some(&'"') {
        return None;
    }
    let closes = |at: &usize| {
        let tail = &rest[at + 1..];
        rest[*at] == '"' && tail.len() >= hashes && tail[..hashes].iter().all(|c| *c == '#')
    };
    Some((open + 1..rest.len()).find(closes).map_or(rest.len(), |at| at + 1 + hashes))
}

/// Tells whether an `r` after these characters can open a raw string (`r"`, `br"`, `cr"`).
fn starts_literal(before: &[char]) -> bool {
    let fresh = |chars: &[char]| chars.last().is_none_or(|c| !is_word(*c));
    fresh(before) || matches!(before, [start @ .., 'b' | 'c'] if fresh(start))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Tells whether a word stands in the text, bounded on both sides.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The line number of a byte position, counted from one.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where the item that begins here opens its body, if it has one, and where it ends.
fn item_span(masked: &str, from: usize) -> (Option<usize>, usize) {
    let (mut nesting, mut braces, mut open) = (0_i32, 0_i32, None);
    for (at, c) in masked[from..].char_indices().map(|(at, c)| (from + at, c)) {
        match c {
            '(' | '[' => nesting += 1,
            ')' | ']' => nesting -= 1,
            ';' if nesting == 0 && open.is_none() => return (None, at + 1),
            '{' if nesting == 0 || open.is_some() => {
                open = open.or(Some(at));
                braces += 1;
            }
            '}' if open.is_some() => {
                braces -= 1;
                if braces == 0 {
                    return (open, at + 1);
                }
            }
            _ => {}
        }
    }
    (open, masked.len())
}

/// Blanks every item under `#[cfg(test)]`.
pub(crate) fn without_tests(masked: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = masked.to_owned();
    for (at, _) in masked.match_indices(MARK) {
        let (_, end) = item_span(masked, at + MARK.len());
        let blank = masked[at..end].chars().map(|c| if c == '\n' { "\n" } else { " " });
        // Masked code may hold names beyond ASCII: pad to the same number of bytes.
        let blank: String = blank.collect();
        let padding = " ".repeat(end - at - blank.len());
        out.replace_range(at..end, &format!("{padding}{blank}"));
    }
    out
}

/// Every function that has a body.
pub(crate) fn functions(masked: &str) -> Vec<Function> {
    let mut found = Vec::new();
    let mut start = 0;
    for (index, line) in masked.split('\n').enumerate() {
        if let Some(name) = function_name(line)
            && let (Some(_), end) = item_span(masked, start)
        {
            let lines = line_of(masked, end) - index;
            found.push(Function { name: name.to_owned(), line: index + 1, lines });
        }
        start += line.len() + 1;
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(tail) = rest.strip_prefix("pub(") {
        rest = tail.split_once(')')?.1.trim_start();
    }
    for qualifier in ["pub ", "default ", "const ", "async ", "unsafe ", "safe ", "extern "] {
        rest = rest.strip_prefix(qualifier).unwrap_or(rest).trim_start();
    }
    let name = rest.strip_prefix("fn ")?;
    Some(&name[..name.find(|c| !is_word(c))?])
}

/// Every path below `std` that the code names, use trees unfolded: `fs::read`, `process::Command`.
pub(crate) fn std_paths(masked: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, mark) in masked.match_indices("std::") {
        if !masked[..at].chars().next_back().is_some_and(is_word) {
            let mut paths = Vec::new();
            unfold(&masked[at + mark.len()..], "", &mut paths);
            found.extend(paths.into_iter().map(|path| (line_of(masked, at), path)));
        }
    }
    found
}

/// Unfolds one branch of a use tree, tells how many bytes it took.
fn unfold(text: &str, prefix: &str, found: &mut Vec<String>) -> usize {
    let mut at = text.len() - text.trim_start().len();
    if text[at..].starts_with('{') {
        at += 1;
        while at < text.len() && !text[at..].starts_with('}') {
            let taken = unfold(&text[at..], prefix, found);
            at += taken;
            // The comma, a renaming, white space: whatever parts two branches.
            let gap = text[at..].find([',', '}']).unwrap_or(text.len() - at);
            at += gap + usize::from(text[at + gap..].starts_with(','));
            at += text[at..].len() - text[at..].trim_start().len();
        }
        return at + 1;
    }
    let word: &str = text[at..].split(|c| !is_word(c)).next().unwrap_or_default();
    let path = if prefix.is_empty() { word.to_owned() } else { format!("{prefix}::{word}") };
    at += word.len();
    if let Some(rest) = text[at..].strip_prefix("::").filter(|_| !word.is_empty()) {
        return at + 2 + unfold(rest, &path, found);
    }
    if !word.is_empty() {
        found.push(path);
    }
    at
}

#[test]
fn comments_and_literals_are_blanked_and_lines_stay() {
    let text = "let a = \"x\\\"{\"; // {\nlet b = br#\"\"{\"#; /* { /* { */ { */ let c = '{';\n";
    let text = format!("{text}let d = '\\''; let e: &'static str = r\"{{\"; let r#fn = 1;");
    let code = masked(&text);
    assert!(!code.contains('{'), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(code.contains("let e: &'static str") && code.contains("let r#fn = 1"), "{code}");
}

#[test]
fn functions_are_measured_from_signature_to_closing_brace() {
    let text =
        "fn a() {}\npub(crate) const fn b(\n    x: [u8; 2],\n) -> u8 {\n    x[0]\n}\nfn c();\n";
    let found: Vec<_> =
        functions(text).into_iter().map(|found| (found.name, found.line, found.lines)).collect();
    assert_eq!(found, [("a".to_owned(), 1, 1), ("b".to_owned(), 2, 5)]);
}

#[test]
fn test_modules_are_blanked() {
    let code = without_tests("fn é() {}\n#[cfg(test)]\nmod tests {\n    use x;\n}\nfn b() {}\n");
    assert!(!code.contains("use x") && code.contains("fn b()"), "{code}");
    assert_eq!(code.lines().count(), 6);
}

#[test]
fn use_trees_are_unfolded() {
    let code =
        "use std::{\n    fs::{self, File as F},\n    process::{Child, Command},\n    fmt,\n};\n";
    let paths: Vec<String> = std_paths(code).into_iter().map(|(_, path)| path).collect();
    let expected = ["fs::self", "fs::File", "process::Child", "process::Command", "fmt"];
    assert_eq!(paths, expected);
    assert_eq!(std_paths("a(std::env::var_os())")[0].1, "env::var_os");
    assert!(std_paths("use my_std::fs;").is_empty());
}
