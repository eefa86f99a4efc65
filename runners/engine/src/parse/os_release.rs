//! What an os-release file says.
//!
//! *Source*: os-release(5): assignments in a subset of the shell's language. Nothing is expanded,
//! nothing is run; a value with an open quote is an error of that value alone.

use std::collections::BTreeMap;

/// Lists the places of the file; the second counts only where the first does not exist.
pub const PATHS: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// Reads the assignments; the last of a repeated name counts.
///
/// *Errors*: there is no assignment at all.
pub fn parse(text: &str) -> Result<BTreeMap<&str, Result<String, String>>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('=')).filter(|(name, _)| is_name(name));
    let found: BTreeMap<_, _> = pairs.map(|(name, value)| (name, unquote(value))).collect();
    if found.is_empty() { Err("no NAME=value line".to_owned()) } else { Ok(found) }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Takes the quotes off a value as the shell would.
///
/// *Errors*: the quote is not closed.
pub(crate) fn unquote(value: &str) -> Result<String, String> {
    let open = || format!("the quote is not closed: `{value}`");
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.strip_suffix('\'').map(str::to_owned).ok_or_else(open);
    }
    let Some(rest) = value.strip_prefix('"') else {
        return Ok(value.to_owned());
    };
    let mut plain = String::new();
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok(plain),
            '\\' => match letters.next().ok_or_else(open)? {
                escaped @ ('"' | '$' | '\\' | '`') => plain.push(escaped),
                other => plain.extend(['\\', other]),
            },
            _ => plain.push(letter),
        }
    }
    Err(open())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_follow_the_manual_page() {
        let text = "# a comment\nID=debian\nNAME='A \"B\"'\nPRETTY_NAME=\"say \\\"hi\\\" \\$5\"\nX=\"open\n";
        let found = parse(text).unwrap();
        let get = |name: &str| found[name].clone();
        assert_eq!(get("ID").unwrap(), "debian");
        assert_eq!(get("NAME").unwrap(), "A \"B\"");
        assert_eq!(get("PRETTY_NAME").unwrap(), "say \"hi\" $5");
        assert!(get("X").is_err() && parse("nothing here").is_err());
    }
}
