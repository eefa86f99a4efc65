//! Takes secrets out of what was captured, before it is recorded and before any probe reads it.
//!
//! A record is sent to people and kept for years. Known are shapes that their makers document, long
//! enough that a checksum or a name is none, and the values of variables of this process that are named
//! as secrets. Each becomes `[redacted: KIND]`, so text stays JSON where it was; taken out again, nothing
//! changes. A check that judges a secret itself cannot: what it reads is the mark, in the record as at
//! first. What a file asks is refused where it holds one (`kind_in`): a question is never changed.

use std::{
    borrow::Cow,
    ops::Range,
    path::Path,
    sync::{LazyLock, OnceLock},
};

use aho_corasick::AhoCorasick;
use regex::{Captures, Regex, RegexSet};
use verify_model::evidence::{Captured, Failure, Stream};

use judge::is_secret;
use shapes::{HINTS, SHAPES};

mod judge;
mod shapes;
#[cfg(test)]
mod tests;

/// Looks for the words of which each shape has one; nothing where they make no automaton.
static HINTED: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(HINTS).ok());

/// Looks for all shapes at once; nothing where they make no set.
static ANY: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(SHAPES.iter().map(|(_, pattern)| pattern)).ok());

/// Holds each shape alone, made when one is there: most runs see none, and all of them take as long to
/// make as a hundred small files to read.
static EACH: [OnceLock<Option<Regex>>; SHAPES.len()] = [const { OnceLock::new() }; SHAPES.len()];

/// Ends of the names of variables whose values are secrets.
const SECRET_NAMES: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "secret_key",
    "private_key",
    "credentials",
    "pass",
    "pwd",
    "_pat",
];
/// Names of variables that end so and hold a folder.
const FOLDERS: [&str; 2] = ["pwd", "oldpwd"];
/// Shortest value of a variable that is looked for. *Units*: B.
const SHORTEST: usize = 8;

/// Values of variables of this process that are secrets, the longest first: one may hold another.
static VALUES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = std::env::vars_os();
    let texts =
        all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    values(texts)
});

/// Chooses the values that are secrets; a word, a number or the path of something is none.
fn values(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let is_named = |name: &str| {
        let name = name.to_ascii_lowercase();
        SECRET_NAMES.iter().any(|end| name.ends_with(end)) && !FOLDERS.contains(&name.as_str())
    };
    let is_mixed = |value: &str| {
        let kinds = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
        kinds.iter().filter(|is| value.bytes().any(|byte| is(&byte))).count() > 1
    };
    // Base64 can begin as a path does.
    let is_path = |value: &str| {
        value.starts_with('/') && Path::new(value).try_exists().is_ok_and(|there| there)
    };
    let secret = variables.filter(|(name, value)| {
        is_named(name) && value.len() >= SHORTEST && is_mixed(value) && !is_path(value)
    });
    let mut values: Vec<String> = secret.map(|(_, value)| value).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

/// Names the first kind of secret that a text of a suite or node file holds; several texts are parted
/// by NUL. What is filled in over there, such as `password=$(cat file)`, is none.
pub(crate) fn kind_in(text: &str) -> Option<&'static str> {
    let Some(there) = shapes_in(text) else { return Some("everything") };
    there.into_iter().find_map(|(kind, shape)| {
        shape.captures_iter(text).any(|found| is_secret(kind, &found, text)).then_some(kind)
    })
}

/// Names the first kind of secret that texts hold, parted by NUL, of which each is what `name` is given.
pub(crate) fn kind_of(name: &str, texts: &str) -> Option<&'static str> {
    let name = name.replace('-', "_");
    kind_in(texts).or_else(|| texts.split('\0').find_map(|text| kind_in(&format!("{name}={text}"))))
}

/// Returns a text that is shown with an error, with asterisks in the place of its secrets: as many bytes,
/// and every line where it was.
pub(crate) fn masked(text: &str, hidden: &[Range<usize>]) -> String {
    let mut spans = hidden.to_vec();
    match shapes_in(text) {
        None => spans.push(0..text.len()),
        Some(there) => {
            for (kind, shape) in there {
                let found = shape.captures_iter(text).filter(|found| is_secret(kind, found, text));
                spans.extend(found.filter_map(|found| {
                    let all = found.get(0)?;
                    let part = |name| found.name(name).map_or(0, |part| part.len());
                    Some(all.start() + part("keep")..all.end() - part("after"))
                }));
            }
        }
    }
    let mut text = text.to_owned();
    for span in spans {
        let Some(secret) = text.get(span.clone()) else { continue };
        let stars: String = secret.bytes().map(|b| if b == b'\n' { '\n' } else { '*' }).collect();
        text.replace_range(span, &stars);
    }
    text
}

/// Takes secrets out of a line about something.
pub(crate) fn line(from: &str) -> Cow<'_, str> {
    text(from).map_or(Cow::Borrowed(from), |(clean, _)| Cow::Owned(clean))
}

/// Returns the shapes that a text has; nothing where they cannot be made.
fn shapes_in(text: &str) -> Option<Vec<(&'static str, &'static Regex)>> {
    // Most texts have no such word, and one look at them is much cheaper than all shapes at once.
    if HINTED.as_ref().is_some_and(|words| !words.is_match(text)) {
        return Some(Vec::new());
    }
    let there = ANY.as_ref()?.matches(text);
    let each = SHAPES.iter().zip(&EACH).enumerate().filter(|(at, _)| there.matched(*at));
    let made = each.map(|(_, ((kind, pattern), shape))| {
        Some((*kind, shape.get_or_init(|| Regex::new(pattern).ok()).as_ref()?))
    });
    made.collect()
}

/// Takes secrets out of an argument vector.
pub fn words(argv: Vec<String>) -> Vec<String> {
    let joined = argv.join("\0");
    text(&joined).map_or(argv, |(clean, _)| clean.split('\0').map(str::to_owned).collect())
}

/// Takes secrets out of whatever was captured.
pub(crate) fn captured(found: Captured) -> Captured {
    match found {
        Captured::Exec { exit, signal, stdout, stderr } => {
            Captured::Exec { exit, signal, stdout: stream(stdout), stderr: stream(stderr) }
        }
        Captured::File(file) => Captured::File(stream(file)),
        Captured::Files(files) => {
            let files = files.into_iter();
            Captured::Files(
                files.map(|(path, read)| (path, read.map(stream).map_err(failure))).collect(),
            )
        }
        Captured::Failed(why) => Captured::Failed(failure(why)),
        found @ (Captured::Listing(_)
        | Captured::Stat { .. }
        | Captured::Found(_)
        | Captured::Connected
        | Captured::Rounds(_)) => found,
    }
}

fn stream(mut from: Stream) -> Stream {
    if let Some((text, count)) = text(&from.text) {
        from.text = text;
        from.redacted = from.redacted.saturating_add(count);
    }
    from
}

fn failure(mut from: Failure) -> Failure {
    if let Some((text, _)) = text(&from.message) {
        from.message = text;
    }
    from
}

/// Returns the text without its secrets and how many there were; nothing where it has none. Without
/// the shapes no text is safe to keep.
fn text(from: &str) -> Option<(String, u32)> {
    let (mut text, mut count) = valued(from, &VALUES);
    let Some(there) = shapes_in(&text) else {
        return Some(("[redacted: everything]".to_owned(), 1));
    };
    for (kind, shape) in there {
        let mark = |found: &Captures<'_>| {
            if !is_secret(kind, found, &text) {
                return found.get(0).map_or("", |all| all.as_str()).to_owned();
            }
            count += 1;
            let part = |name| found.name(name).map_or("", |part| part.as_str());
            format!("{}[redacted: {kind}]{}", part("keep"), part("after"))
        };
        text = Cow::Owned(shape.replace_all(&text, mark).into_owned());
    }
    (count > 0).then(|| (text.into_owned(), count))
}

/// Takes values out of a text, and counts them.
fn valued<'t>(text: &'t str, values: &[String]) -> (Cow<'t, str>, u32) {
    let mut found = (Cow::Borrowed(text), 0_u32);
    for value in values.iter().filter(|value| text.contains(value.as_str())) {
        let times = found.0.matches(value.as_str()).count();
        found.1 = found.1.saturating_add(u32::try_from(times).unwrap_or(u32::MAX));
        found.0 = Cow::Owned(found.0.replace(value.as_str(), "[redacted: environment]"));
    }
    found
}
