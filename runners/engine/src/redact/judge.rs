//! Whether what has the shape of a secret is one: of outputs and of files the same.
//!
//! A number, a path, a placeholder is none: benchmarks count tokens, models name them, and help texts
//! explain options. A word of letters is none either, but as a password, unless it says that there is none.

use regex::Captures;

/// Kinds that letters or digits beside them make part of a longer word.
const ALONE: &[&str] = &["aws-key", "api-key", "hugging-face-token", "cut"];

/// Openings of what is filled in, or read, over there. `pass:` is none: openssl has the password itself
/// behind it.
const READ: &[&str] = &[
    "$", "<", "{", "*", "(", "/", "./", "../", "~/", "@", "file:", "env:", "id=", "vault:",
    "op://", "os.", "self.", "args.", "config.",
];

/// Words of at least six letters that say that there is no password, or what one would be.
const NO_PASSWORD: &[&str] = &[
    "disabled",
    "enabled",
    "not-set",
    "not_set",
    "notset",
    "string",
    "required",
    "optional",
    "default",
    "hidden",
    "redacted",
    "masked",
    "missing",
    "unknown",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "prompt",
    "always",
    "undefined",
    "changed",
    "unchanged",
    "expired",
    "invalid",
    "incorrect",
    "failed",
    "denied",
    "accepted",
    "sufficient",
    "requisite",
    "prohibit-password",
    "your-password",
];

/// Units behind a number.
const UNITS: &[&str] = &[
    "%", "ns", "us", "µs", "μs", "ms", "s", "min", "h", "d", "x", "b", "k", "m", "g", "t", "kb",
    "mb", "gb", "tb", "kib", "mib", "gib", "tib", "mj", "j", "w", "tok", "token", "tokens",
];

/// Longest piece of a name that is a word, such as those of `eos-token-id`. *Units*: letters.
const WORD: usize = 20;

/// Tells whether what was found in a text is a secret.
pub(super) fn is_secret(kind: &str, found: &Captures<'_>, text: &str) -> bool {
    let group = |name| found.name(name).map(|part| part.as_str());
    if let Some(login) = group("login") {
        return !login.starts_with(['$', '*']) && !is_port(login);
    }
    if let Some(rest) = group("rest") {
        let kinds = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
        return kinds.iter().all(|is| rest.bytes().any(|byte| is(&byte)));
    }
    if let (Some(key), Some(value)) = (group("key"), group("value")) {
        return is_value(&key.to_ascii_lowercase(), value);
    }
    if let (Some(_), Some(value)) = (group("said"), group("value")) {
        return is_value("token", value);
    }
    !ALONE.contains(&kind) || found.get(0).is_none_or(|all| is_alone(text, all.start(), all.end()))
}

/// Tells whether no letter or digit stands beside a part of a text; that of `\n` is none.
fn is_alone(text: &str, start: usize, end: usize) -> bool {
    let (before, after) =
        (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    let is_joined = before.ends_with(|c: char| c.is_ascii_alphanumeric());
    let is_escape = ["\\n", "\\t", "\\r"].iter().any(|escape| before.ends_with(escape));
    (!is_joined || is_escape) && !after.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Tells whether a value beside a key, in lower case, is a secret.
fn is_value(key: &str, value: &str) -> bool {
    let value = value.trim_end_matches([')', '}', '>', '.', ':', '`']);
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    // The key of AWS has 40 characters, and any of them can come first.
    if key.contains("access") && value.len() == 40 && value.chars().all(is_base64) {
        return true;
    }
    let is_encoded =
        value.as_bytes().get(1..3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if READ.iter().any(|opening| value.starts_with(opening))
        || (value.starts_with('%') && !is_encoded)
    {
        return false;
    }
    if key.starts_with("pass") {
        return !NO_PASSWORD.contains(&value.to_ascii_lowercase().as_str());
    }
    !is_number(value) && !is_word(value)
}

/// Tells whether a text is words of letters, joined as names are.
fn is_word(text: &str) -> bool {
    text.split(['-', '_', '.', ':', '|']).all(is_piece)
}

/// Tells whether letters are a word: of one case, or with few capitals among many small letters.
fn is_piece(text: &str) -> bool {
    let capitals = text.bytes().filter(u8::is_ascii_uppercase).count();
    text.len() <= WORD
        && text.bytes().all(|b| b.is_ascii_alphabetic())
        && (capitals == text.len() || capitals <= 1 + text.len() / 4)
}

/// Tells whether a text is a number, with point, exponent or unit.
fn is_number(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-', '~']);
    let is_part = |c: char| c.is_ascii_digit() || "._,".contains(c);
    let end = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
    let (digits, mut unit) = text.split_at(end);
    if let Some(power) = unit.strip_prefix(['e', 'E']) {
        let power = power.trim_start_matches(['+', '-']);
        let rest = power.trim_start_matches(|c: char| c.is_ascii_digit());
        unit = if rest.len() < power.len() { rest } else { unit };
    }
    let is_unit = |part: &str| part.is_empty() || UNITS.contains(&part.to_lowercase().as_str());
    digits.bytes().any(|b| b.is_ascii_digit()) && unit.split('/').all(is_unit)
}

/// Tells whether a text begins with a port and goes on as no password does.
fn is_port(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < text.len() && rest.starts_with([',', ';', '?', '#', '&', '|'])
}
