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
