//! The fingerprint of a machine as one short text, so that two reports can be told to be of the same.
//!
//! Only what is known counts: a field that could not be read today is no other machine.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use verify_model::fingerprint::Fingerprint;

/// Returns the SHA-256 of all known fields, in hex; nothing where none is known.
///
/// *Shape*: `PATH NUL VALUE NUL` for each field, in the order of paths.
pub(crate) fn digest(fingerprint: &Fingerprint) -> Option<String> {
    let mut hash = Sha256::new();
    let mut known = 0_usize;
    for (path, value) in &fingerprint.0 {
        if let Some(value) = value {
            for part in [path, value] {
                hash.update(part.as_bytes());
                hash.update([0]);
            }
            known += 1;
        }
    }
    (known > 0).then(|| hex(hash))
}

/// Returns the SHA-256 of a text, in hex.
pub(crate) fn of_text(text: &str) -> String {
    hex(Sha256::new_with_prefix(text.as_bytes()))
}

fn hex(hash: Sha256) -> String {
    let mut hex = String::new();
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(fields: &[(&str, Option<&str>)]) -> Option<String> {
        let field =
            |(path, value): &(&str, Option<&str>)| ((*path).to_owned(), value.map(str::to_owned));
        digest(&Fingerprint(fields.iter().map(field).collect::<BTreeMap<_, _>>()))
    }

    #[test]
    fn only_what_is_known_counts_and_order_does_not() {
        let one = of(&[("cpu.model", Some("7970X")), ("bios.version", Some("1.2"))]);
        assert_eq!(one.as_ref().map(String::len), Some(64));
        let unknown = [("bios.version", Some("1.2")), ("cpu.model", Some("7970X")), ("x", None)];
        assert_eq!(of(&unknown), one);
        assert_ne!(of(&[("cpu.model", Some("7970X")), ("bios.version", Some("1.3"))]), one);
        // Where a path ends and a value begins is part of it.
        assert_ne!(of(&[("a", Some("bc"))]), of(&[("ab", Some("c"))]));
        assert_eq!(of(&[("x", None)]), None);
    }
}
