//! Why there is no program of ours on a node, each with what to do about it.

use verify_model::evidence::{Captured, Failure, FailureKind};

use super::{
    super::shell::exchange::End,
    look::{Look, PROTOCOLS},
    payload::Payloads,
    stage::of_end,
};

/// Says why a payload is not on a node.
#[derive(Debug)]
pub(super) enum Refused {
    /// Another payload would fare alike.
    Final(Failure),
    /// Another payload may do: why this one does not.
    Other(String),
}

/// What the system says where nothing more can be written. *Source*: strerror(3).
const FULL: [&str; 2] = ["No space left on device", "Disk quota exceeded"];
/// What to do where nothing can be kept.
const INSTALL: &str = "install verify there, in a folder of PATH";

/// Tells whether words of the system say that a disk is full.
pub(super) fn is_full(said: &str) -> bool {
    FULL.iter().any(|text| said.contains(text))
}

/// Says why there is nothing that could measure on the node.
pub(super) fn none(look: &Look, payloads: &Payloads, refused: &[String]) -> Failure {
    let machine = format!("{} {}", look.system, look.machine);
    let installed = match &look.installed {
        None => "no `verify` is installed there (in its PATH or the usual folders)".to_owned(),
        Some((path, said)) if said.is_empty() => {
            format!(
                "{path} there is no verify of this protocol (it says nothing), so it is not used"
            )
        }
        Some((path, said)) => {
            format!("{path} there speaks {said}, this one speaks {PROTOCOLS}, so it is not used")
        }
    };
    let triples = look.triples();
    let sent = if triples.is_empty() {
        format!("and nothing of ours is built for {}", machine.trim())
    } else if refused.is_empty() {
        format!("and there is nothing to send ({})", payloads.looked_for(triples))
    } else {
        format!("and what was sent does not run there: {}", refused.join("; "))
    };
    let next = if triples.is_empty() || !refused.is_empty() {
        "install one there that does (cargo install --path runners/verify), or run it there with --via local"
    } else {
        "build it with `just payloads`, or install verify there (cargo install --path runners/verify)"
    };
    let message = format!("nothing measures there: {installed}, {sent}; {next}");
    Failure::new(FailureKind::NotFound, message)
}

/// Says that root's rights are not for a program that others can change.
pub(super) fn open_to_others(path: &str) -> String {
    format!(
        "sudo is only for a verify that nobody but root can change, and others can change {path}: \
         `sudo chown root {path}; sudo chmod go-w {path}` there, or take `sudo` out of the node file"
    )
}

/// Says that there is no program that sudo could be asked for.
pub(super) fn none_for_sudo(look: &Look) -> String {
    let found = look.installed.as_ref().map_or_else(
        || "none is installed there".to_owned(),
        |(path, said)| format!("{path} there speaks another protocol ({said})"),
    );
    format!(
        "this needs root, and sudo is only for an installed verify, never for a copy: {found}; \
         `sudo install -m 0755 verify /usr/local/bin/verify` there, or take `sudo` out of the node file"
    )
}

/// Says why a copy was not heard of.
pub(super) fn unheard(end: End) -> Refused {
    Refused::Final(of_end(end))
}

/// Says that a copy came to no end in time, or to one that is none.
pub(super) fn late(said: Captured, size: u64) -> Refused {
    Refused::Final(match said {
        Captured::Failed(failure) if failure.kind == FailureKind::TimedOut => {
            let message = format!(
                "copying {size} bytes there took too long ({}); {INSTALL}",
                failure.message
            );
            Failure::new(FailureKind::TimedOut, message)
        }
        Captured::Failed(failure) => failure,
        _ => Failure::new(FailureKind::ConnectionLost, "the node answered nonsense to a copy"),
    })
}

/// Says why a copy failed, by the status of its script and what the system said.
pub(super) fn of_copy(exit: Option<i32>, stderr: &str) -> Refused {
    let said = stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no message");
    let other = |message: String| Refused::Final(Failure::new(FailureKind::Other, message));
    if is_full(stderr) {
        let message = format!(
            "no room for a copy of verify: {said}; make room there (`df -h ~`, `quota`), or {INSTALL}"
        );
        return Refused::Final(Failure::new(FailureKind::DiskFull, message));
    }
    match exit {
        Some(2) => other(format!(
            "the account has no home folder to keep a copy of verify in: give it one, or {INSTALL}"
        )),
        Some(3) if stderr.contains("Read-only file system") => other(format!(
            "no copy of verify can be kept: the home folder is read-only ({said}); {INSTALL}"
        )),
        Some(3) if stderr.contains("Permission denied") => {
            let message = format!(
                "no copy of verify can be kept: {said}; let the account write below its home folder, or {INSTALL}"
            );
            Refused::Final(Failure::new(FailureKind::PermissionDenied, message))
        }
        Some(4) => other(
            "the folder for copies of verify belongs to somebody else there, or is a link: \
             remove ~/.cache/verify there"
                .to_owned(),
        ),
        Some(5) => {
            let message = "the copy of verify did not arrive whole; run it again".to_owned();
            Refused::Final(Failure::new(FailureKind::ConnectionLost, message))
        }
        Some(6) => other(
            "the copy of verify is not what was sent: its hash differs there, so it was removed \
             and not run; run it again, and look at the disk of the node"
                .to_owned(),
        ),
        Some(7) if stderr.contains("Permission denied") => Refused::Other(format!(
            "nothing may be run from the home folder there (mounted noexec?): {said}; {INSTALL}"
        )),
        Some(7) => Refused::Other(format!("it does not run: {said}")),
        Some(8) => other(format!(
            "a copy of verify cannot be checked there: none of sha256sum, shasum and openssl is \
             installed; install one of them, or {INSTALL}"
        )),
        _ => other(format!("no copy of verify can be kept there: {said}; {INSTALL}")),
    }
}
