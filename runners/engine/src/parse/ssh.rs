//! What ssh says when it gives no answer, and which names it takes for those of hosts.
//!
//! Its status is 255 for every trouble of its own, and for a remote program that ends with 255 or
//! by a signal, so the status decides nothing: its words do. *Source*: OpenSSH 9.2, the messages of
//! `ssh` at `LogLevel INFO` in the C locale.

use verify_model::evidence::{Failure, FailureKind};

/// Texts by which ssh says what went wrong, the more telling ones first.
const TEXTS: &[(&str, FailureKind)] = &[
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", FailureKind::HostKeyChanged),
    ("differs from the key for the IP address", FailureKind::HostKeyChanged),
    ("host key is known for", FailureKind::HostKeyUnknown),
    ("Host key verification failed", FailureKind::HostKeyUnknown),
    ("Could not resolve hostname", FailureKind::NameUnknown),
    ("Permission denied (", FailureKind::AuthenticationRefused),
    ("Too many authentication failures", FailureKind::AuthenticationRefused),
    ("Connection refused", FailureKind::LoginRefused),
    ("No route to host", FailureKind::NoRoute),
    ("Network is unreachable", FailureKind::NoRoute),
    ("Host is down", FailureKind::NoRoute),
    ("timed out", FailureKind::LoginTimedOut),
    ("during banner exchange", FailureKind::LoginTimedOut),
    ("not responding", FailureKind::ConnectionLost),
    ("closed by remote host", FailureKind::ConnectionLost),
    ("Connection reset", FailureKind::ConnectionLost),
    ("reset by peer", FailureKind::ConnectionLost),
    ("Broken pipe", FailureKind::ConnectionLost),
];

/// Names what ssh complained of; `None` where its words tell nothing.
pub(crate) fn trouble(said: &str) -> Option<Failure> {
    let found = TEXTS.iter().find(|(text, _)| said.contains(text))?;
    let line = said.lines().rev().find(|line| line.contains(found.0)).unwrap_or(said);
    Some(Failure::new(found.1, line.trim()))
}

/// Tells whether ssh takes a name as that of a host and not as an option or two words.
pub(crate) fn is_alias(alias: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@:[]%".contains(c);
    !alias.is_empty() && !alias.starts_with('-') && alias.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_has_its_own_name() {
        for (said, kind) in [
            (
                "ssh: Could not resolve hostname no-such: Name or service not known",
                FailureKind::NameUnknown,
            ),
            (
                "ssh: connect to host 127.0.0.1 port 1: Connection refused",
                FailureKind::LoginRefused,
            ),
            ("ssh: connect to host x port 22: Connection timed out", FailureKind::LoginTimedOut),
            ("Connection timed out during banner exchange", FailureKind::LoginTimedOut),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
                FailureKind::HostKeyChanged,
            ),
            (
                "No ED25519 host key is known for lab and you have requested strict checking.\nHost key verification failed.",
                FailureKind::HostKeyUnknown,
            ),
            ("Host key verification failed.", FailureKind::HostKeyUnknown),
            ("nobody@lab: Permission denied (publickey).", FailureKind::AuthenticationRefused),
            ("Timeout, server lab not responding.", FailureKind::ConnectionLost),
            ("Connection to 127.0.0.1 closed by remote host.", FailureKind::ConnectionLost),
        ] {
            assert_eq!(trouble(said).unwrap().kind, kind, "{said}");
        }
        assert_eq!(trouble("hello"), None);
    }

    #[test]
    fn a_name_that_ssh_would_take_otherwise_is_none() {
        for good in ["linode", "user@host.example", "10.0.0.2", "::1", "a_b-c"] {
            assert!(is_alias(good), "{good}");
        }
        for bad in ["", "-oProxyCommand=x", "a b", "a;b", "a'b", "a\nb", "$(a)"] {
            assert!(!is_alias(bad), "{bad}");
        }
    }
}
