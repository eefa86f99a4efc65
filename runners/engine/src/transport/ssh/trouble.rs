//! Says why ssh gave no answer, from its own words.
//!
//! Its status is 255 for every trouble of its own, and for a remote program that ends with 255 or
//! by a signal, so the status decides nothing. *Source*: OpenSSH 9.2, the messages of `ssh` at
//! `LogLevel INFO` in the C locale.

use verify_model::evidence::{Failure, FailureKind};

/// Texts by which ssh says what went wrong, the more telling ones first.
const TEXTS: &[(&str, FailureKind)] = &[
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", FailureKind::HostKeyChanged),
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
    ("Broken pipe", FailureKind::ConnectionLost),
];

/// Messages of a server that takes no more logins at the moment. *Source*: `sshd_config(5)`,
/// `MaxStartups`.
const CROWDED: &[&str] =
    &["kex_exchange_identification: Connection closed", "kex_exchange_identification: read:"];

/// Tells whether the server had too many logins at once, which passes.
pub(super) fn is_crowded(said: &str) -> bool {
    CROWDED.iter().any(|text| said.contains(text))
}

/// Names what ssh complained of; `None` where its words tell nothing.
pub(super) fn of_ssh(said: &str) -> Option<Failure> {
    let found = TEXTS.iter().find(|(text, _)| said.contains(text))?;
    let line = said.lines().rev().find(|line| line.contains(found.0)).unwrap_or(said);
    Some(Failure::new(found.1, line.trim()))
}

/// Names a login shell that did not let the script run.
pub(super) fn of_shell(noise: &str, said: &str) -> Failure {
    let first = noise.lines().chain(said.lines()).map(str::trim).find(|line| !line.is_empty());
    let words =
        first.map_or_else(|| "it said nothing".to_owned(), |line| format!("it said: {line}"));
    let message = format!("the remote login shell is broken or restricted; {words}");
    Failure::new(FailureKind::ShellBroken, message)
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
            ("Host key verification failed.", FailureKind::HostKeyUnknown),
            ("nobody@lab: Permission denied (publickey).", FailureKind::AuthenticationRefused),
            ("Timeout, server lab not responding.", FailureKind::ConnectionLost),
            ("Connection to 127.0.0.1 closed by remote host.", FailureKind::ConnectionLost),
        ] {
            assert_eq!(of_ssh(said).unwrap().kind, kind, "{said}");
        }
        assert_eq!(of_ssh("hello"), None);
        let shell = of_shell("This account is currently not available.", "");
        assert!(shell.message.contains("it said: This account"), "{}", shell.message);
    }
}
