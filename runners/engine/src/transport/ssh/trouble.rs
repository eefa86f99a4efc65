//! Says why ssh gave no answer: a server with too many logins, or a shell that runs nothing.
//!
//! What ssh complains of itself stands in [`crate::parse::ssh`], for checks read it, too.

use verify_model::evidence::{Failure, FailureKind};

pub(super) use crate::parse::ssh::trouble as of_ssh;

/// Messages of a server that takes no more logins at the moment. *Source*: `sshd_config(5)`,
/// `MaxStartups`.
const CROWDED: &[&str] =
    &["kex_exchange_identification: Connection closed", "kex_exchange_identification: read:"];

/// Tells whether the server had too many logins at once, which passes.
pub(super) fn is_crowded(said: &str) -> bool {
    CROWDED.iter().any(|text| said.contains(text))
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
    fn a_shell_that_runs_nothing_is_quoted() {
        let shell = of_shell("This account is currently not available.", "");
        assert!(shell.message.contains("it said: This account"), "{}", shell.message);
    }
}
