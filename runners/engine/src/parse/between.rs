//! The document that a measurement between two nodes leaves: what each end said at each step, raw.
//!
//! One document, so that a record holds it as one piece of evidence. Who measures writes it, the
//! probe reads it; nothing in it is interpreted but what decides whether the next step may be
//! taken.

use serde::{Deserialize, Serialize};
use verify_model::{evidence::Captured, link::Transfer};

/// Form of the document that this version writes and reads.
pub(crate) const PROTOCOL: &str = "verify-between/1";

/// Holds the whole measurement.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Between {
    pub(crate) protocol: String,
    /// What each end said before.
    pub(crate) before: [Captured; 2],
    /// What was transferred; empty where nothing may be sent.
    pub(crate) moved: Vec<Moved>,
    /// What each end said after; absent where nothing was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<[Captured; 2]>,
}

/// Holds one transfer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Moved {
    pub(crate) transfer: Transfer,
    /// Every port that it was tried on.
    pub(crate) tries: Vec<Try>,
}

/// Holds one try of a transfer: a server of its own, one client, and how both were cleared away.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Try {
    pub(crate) port: u16,
    pub(crate) server: Captured,
    /// Whether the server listened.
    pub(crate) listens: Captured,
    /// Absent where there was no server to connect to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<Captured>,
    /// Whether port and process are gone afterwards.
    pub(crate) gone: Captured,
}

/// Returns what a program printed, of one that ran.
pub(crate) fn printed(captured: &Captured) -> Option<(&str, &str)> {
    match captured {
        Captured::Exec { stdout, stderr, .. } => Some((&stdout.text, &stderr.text)),
        _ => None,
    }
}

/// Returns the pid of the server and its start, as our script prints them.
pub(crate) fn process(captured: &Captured) -> Option<(String, String)> {
    let (_, said) = printed(captured)?;
    let line = said.lines().find_map(|line| line.strip_prefix("verify: pid "))?;
    let (pid, born) = line.split_once(' ')?;
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    is_number(pid).then(|| (pid.to_owned(), born.trim().to_owned()))
}

/// Tells whether iperf3 found the server busy, whoever's it is. *Source*: iperf3 3.9 to 3.21; 3.9
/// has no `error` and says it on standard error.
pub(crate) fn is_busy(captured: &Captured) -> bool {
    let busy = |text: &str| text.contains("the server is busy running a test");
    printed(captured).is_some_and(|(out, err)| busy(out) || busy(err))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_named_by_a_pid_and_its_start_or_nobody_is() {
        let said = |stderr: &str| {
            let stream = |text: &str| serde_json::json!({ "text": text });
            let exec = serde_json::json!({ "exec": {
                "exit": 0, "signal": null, "stdout": stream(""), "stderr": stream(stderr),
            } });
            process(&serde_json::from_value(exec).unwrap())
        };
        let one = Some(("417".to_owned(), "99120".to_owned()));
        assert_eq!(said("a warning\nverify: pid 417 99120\n"), one);
        let start = Some(("417".to_owned(), "Sat Nov 28 10:00:00 2026".to_owned()));
        assert_eq!(said("verify: pid 417 Sat Nov 28 10:00:00 2026"), start);
        for nobody in
            ["", "verify: pid 417", "verify: pid  417", "verify: pid -1 5", "verify: pid x 5"]
        {
            assert_eq!(said(nobody), None, "{nobody}");
        }
    }
}
