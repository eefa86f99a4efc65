//! One value out of a file with one key a line.
//!
//! Which of a repeated key counts depends on who reads the file: a shell takes the last, sshd the
//! first. So only `=` has a rule, and elsewhere repeats that differ are an error, never a guess.

use super::os_release::unquote;

/// Returns the value of a key; quotes around it are taken off, comments are passed over.
///
/// *Errors*: a quote is open, or the key stands there with different values and no rule to choose.
pub(crate) fn find(text: &str, key: &str, separator: &str) -> Result<Option<String>, String> {
    let mut values = text.lines().filter_map(|line| {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return None;
        }
        let rest = line.strip_prefix(key)?;
        let value = match separator {
            " " => rest.strip_prefix([' ', '\t'])?,
            other => rest.trim_start().strip_prefix(other)?,
        };
        Some(value.trim())
    });
    if separator == "=" {
        return values.next_back().map(unquote).transpose();
    }
    let Some(first) = values.next() else { return Ok(None) };
    match values.find(|other| *other != first) {
        Some(other) => Err(format!("`{key}` is given as `{first}` and as `{other}`")),
        None => unquote(first).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_the_last_and_nobody_guesses_elsewhere() {
        let found = |text: &str, separator: &str| find(text, "K", separator);
        assert_eq!(found("K=a\nKX=c\n K = 'b \\$'\n", "="), Ok(Some("b \\$".to_owned())));
        assert_eq!(found("# K a\nK\ta\nK a\n", " "), Ok(Some("a".to_owned())));
        assert_eq!(found("#K=a\n", "="), Ok(None));
        assert!(found("K yes\nMatch User x\n  K no\n", " ").is_err());
        assert!(found("K: 1\nK: 2\n", ":").is_err());
        assert!(found("K=\"open\n", "=").is_err());
    }
}
