//! How an instrument is called on a node: which program, and with whose rights.
//!
//! Root's rights are only ever those of an installed program that nobody but root can change. What
//! measures a right of the user (scheduling, sandbox) must not have them: it would say yes to
//! everything.

use verify_model::{
    ask::Ask,
    evidence::{Captured, Failure, FailureKind},
};

/// Instruments whose answer needs root: drives tell nobody else of their health, and the wake-up
/// latency of cpus is opened by root alone.
pub(in crate::transport) const NEEDS_ROOT: &[&str] = &["smart", "tsc"];
/// Words by which sudo refuses. *Source*: sudo 1.9, messages in the C locale.
const REFUSALS: &[&str] = &[
    "a password is required",
    "a terminal is required",
    "is not in the sudoers file",
    "is not allowed to",
    "may not run sudo",
    "you must have a tty",
    "no new privileges",
];

/// Holds the program that measures on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::transport) struct Tool {
    /// Its path over there.
    pub(in crate::transport) path: String,
    /// Whether it also answers a whole batch.
    pub(in crate::transport) gathers: bool,
    pub(in crate::transport) root: Root,
}

/// Says by what right an instrument runs that needs root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Root {
    /// By that of the account: it is root, or sudo is not allowed by the node file.
    Account,
    /// By sudo: the program with its links followed, and the account.
    Sudo(String, String),
    /// Sudo is allowed, and there is no program that it may run: why.
    Refused(String),
}

/// Says how one instrument is called.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::transport) enum Call<'t> {
    Plain(&'t str),
    Sudo(&'t str),
}

fn needs_root(ask: &Ask) -> Option<&str> {
    let Ask::Instrument { argv, .. } = ask else { return None };
    argv.first().map(String::as_str).filter(|name| NEEDS_ROOT.contains(name))
}

impl Tool {
    /// Says how an ask is called.
    pub(in crate::transport) fn call(&self, ask: &Ask) -> Call<'_> {
        match (&self.root, needs_root(ask)) {
            (Root::Sudo(path, _), Some(_)) => Call::Sudo(path),
            _ => Call::Plain(&self.path),
        }
    }

    /// Returns why an ask cannot be called with the right that it needs.
    pub(in crate::transport) fn refusal(&self, ask: &Ask) -> Option<Failure> {
        let Root::Refused(why) = &self.root else { return None };
        needs_root(ask).map(|_| Failure::new(FailureKind::PermissionDenied, why.as_str()))
    }

    /// Turns what sudo refused into a failure that says what to allow.
    pub(in crate::transport) fn settled(&self, ask: &Ask, captured: Captured) -> Captured {
        if let Captured::Failed(Failure { kind: FailureKind::NotFound, .. }) = &captured
            && matches!(ask, Ask::Instrument { .. })
        {
            let gone = match self.call(ask) {
                Call::Sudo(_) => "`sudo` is not installed there, and the node file allows it",
                Call::Plain(_) => {
                    "the program that measures was there a moment ago and is gone; run it again"
                }
            };
            return Captured::Failed(Failure::new(FailureKind::NotFound, gone));
        }
        let (Root::Sudo(path, user), Some(name)) = (&self.root, needs_root(ask)) else {
            return captured;
        };
        let Captured::Exec { stderr, stdout, .. } = &captured else { return captured };
        let refused = |line: &&str| REFUSALS.iter().any(|words| line.contains(words));
        match stderr.text.lines().find(refused) {
            Some(said) if stdout.text.is_empty() => {
                let why = format!(
                    "sudo refused ({}); allow it in a file below /etc/sudoers.d (visudo -f): \
                     {user} ALL=(root) NOPASSWD: {path} instrument --lifeline {name} *, \
                     {path} instrument --lifeline {name}",
                    said.trim()
                );
                Captured::Failed(Failure::new(FailureKind::PermissionDenied, why))
            }
            _ => captured,
        }
    }
}

#[cfg(test)]
mod tests {
    use verify_model::evidence::Stream;

    use super::*;

    fn ask(name: &str) -> Ask {
        Ask::Instrument { argv: vec![name.to_owned()], limit_ms: 1 }
    }

    fn tool(root: Root) -> Tool {
        Tool { path: "/home/lab/verify".to_owned(), gathers: true, root }
    }

    #[test]
    fn only_what_needs_root_is_called_by_sudo_and_never_what_is_kept_in_the_cache() {
        let sudo = tool(Root::Sudo("/usr/bin/verify".to_owned(), "lab".to_owned()));
        assert_eq!(sudo.call(&ask("smart")), Call::Sudo("/usr/bin/verify"));
        assert_eq!(sudo.call(&ask("scheduling")), Call::Plain("/home/lab/verify"));
        let account = tool(Root::Account);
        assert_eq!(account.call(&ask("smart")), Call::Plain("/home/lab/verify"));
        let refused = tool(Root::Refused("why".to_owned()));
        assert!(refused.refusal(&ask("smart")).is_some());
        assert!(refused.refusal(&ask("nvml")).is_none());
    }

    #[test]
    fn a_refusal_of_sudo_names_the_line_to_allow_and_other_words_stay() {
        let sudo = tool(Root::Sudo("/usr/bin/verify".to_owned(), "lab".to_owned()));
        let said = |text: &str| Captured::Exec {
            exit: Some(1),
            signal: None,
            stdout: Stream::default(),
            stderr: Stream::whole(text.as_bytes()),
        };
        let refused = said("sudo: a password is required\n");
        let Captured::Failed(failure) = sudo.settled(&ask("smart"), refused) else { panic!() };
        let line = "lab ALL=(root) NOPASSWD: /usr/bin/verify instrument --lifeline smart *";
        assert!(failure.message.contains(line), "{}", failure.message);
        let other = said("smartctl: no such device\n");
        assert_eq!(sudo.settled(&ask("smart"), other.clone()), other);
        assert_eq!(
            sudo.settled(&ask("nvml"), said("a password is required")),
            said("a password is required")
        );
    }
}
