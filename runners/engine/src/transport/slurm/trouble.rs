//! Says why srun gave no answer, from its own words.
//!
//! Its status decides nothing: it is 0 for a step whose task was killed, and that of the task
//! otherwise. *Source*: the messages of Slurm 22.05.8 in the C locale, each seen.

use verify_model::evidence::{Failure, FailureKind};

/// Texts by which srun says what went wrong, the more telling ones first.
const TEXTS: &[(&str, FailureKind)] = &[
    ("Unable to allocate resources", FailureKind::NotScheduled),
    ("Unable to confirm allocation", FailureKind::NotScheduled),
    ("Unable to create step", FailureKind::NotScheduled),
    ("Required node not available", FailureKind::NotScheduled),
    ("Unable to contact slurm controller", FailureKind::NotScheduled),
    ("authentication error", FailureKind::NotScheduled),
    ("Could not establish a configuration source", FailureKind::NotScheduled),
    ("Node failure on", FailureKind::ConnectionLost),
    ("Task launch for", FailureKind::ConnectionLost),
    ("Application launch failed", FailureKind::ConnectionLost),
    ("Timed out waiting for job step", FailureKind::ConnectionLost),
    ("DUE TO TIME LIMIT", FailureKind::ConnectionLost),
    ("CANCELLED", FailureKind::ConnectionLost),
    ("step aborted", FailureKind::ConnectionLost),
    ("task 0: ", FailureKind::ConnectionLost),
    ("Socket timed out", FailureKind::ConnectionLost),
    ("Connection refused", FailureKind::ConnectionLost),
];

/// Names what srun complained of; `None` where its words tell nothing.
pub(super) fn of_srun(said: &str) -> Option<Failure> {
    let found = TEXTS.iter().find(|(text, _)| said.contains(text))?;
    let line = said.lines().rev().find(|line| line.contains(found.0)).unwrap_or(said);
    let line = line.trim();
    Some(Failure::new(found.1, format!("Slurm gave no whole answer: {line}")))
}

/// Names a step that ended without a first word.
pub(super) fn of_silence(noise: &str, said: &str) -> Failure {
    let lines = said.lines().rev().chain(noise.lines());
    let first = lines.map(str::trim).find(|line| !line.is_empty());
    let words =
        first.map_or_else(|| "it said nothing".to_owned(), |line| format!("it said: {line}"));
    let message = format!("Slurm ended the step without an answer; {words}");
    Failure::new(FailureKind::ConnectionLost, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_has_its_own_name() {
        for (said, kind) in [
            (
                "srun: job 8 queued and waiting for resources\nsrun: error: Unable to allocate resources: Requested nodes are busy",
                FailureKind::NotScheduled,
            ),
            (
                "srun: error: Unable to allocate resources: Invalid node name specified",
                FailureKind::NotScheduled,
            ),
            ("srun: error: Node failure on n3", FailureKind::ConnectionLost),
            ("srun: error: n1: task 0: Killed", FailureKind::ConnectionLost),
        ] {
            assert_eq!(of_srun(said).unwrap().kind, kind, "{said}");
        }
        assert_eq!(of_srun("srun: job 8 queued and waiting for resources"), None);
        assert!(of_silence("", "a\nb\n").message.ends_with("it said: b"));
    }
}
