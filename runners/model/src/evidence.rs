//! What was captured for one ask, kept whole enough to be judged again.
//!
//! Evidence is raw: exit status, bytes, times, truncation. A refusal by the node (no such file,
//! permission denied) is evidence too; interpreting it is the probe's work.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ask::Ask;

/// Numbers one piece of evidence within a run.
pub type EvidenceId = u32;

/// Holds what one ask brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Evidence {
    /// Number within the run.
    pub id: EvidenceId,
    /// Node that was asked.
    pub node: String,
    /// What was asked.
    pub ask: Ask,
    /// When, since the run's start. *Units*: ms.
    pub at_ms: u64,
    /// How long it took. *Units*: us.
    pub elapsed_us: u64,
    /// What came back.
    pub captured: Captured,
}

/// Holds what came back for an ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Captured {
    /// A program ran and ended.
    Exec {
        /// Exit status, if it exited.
        exit: Option<i32>,
        /// Signal that ended it, if one did.
        signal: Option<i32>,
        /// Standard output.
        stdout: Stream,
        /// Standard error.
        stderr: Stream,
    },
    /// A file's content.
    File(Stream),
    /// The contents of the files that a pattern named, sorted by path.
    Files(Vec<FileContent>),
    /// The names in a folder, sorted.
    Listing(Vec<String>),
    /// What stands at a path.
    Stat {
        /// `file`, `folder`, `link` or `other`.
        kind: String,
        /// Permission bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Size. *Units*: B.
        size: u64,
    },
    /// Where a program was found.
    Found(String),
    /// A connection was opened.
    Connected,
    /// Words that went to the node and came back, in order.
    Rounds(Vec<Round>),
    /// Nothing was gathered.
    Failed(Failure),
}

/// Holds one word that went to the node and came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Round {
    /// Clock of this machine when it was sent. *Units*: us since 1970.
    pub sent_us: u64,
    /// Time until it was back. *Units*: ns.
    pub elapsed_ns: u64,
    /// Clock of the node when it answered. *Units*: us since 1970.
    pub said_us: u64,
}

/// Holds one file of a pattern: its path and its content.
pub type FileContent = (String, Result<Stream, Failure>);

/// Holds captured bytes as text, with a mark where something was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Stream {
    /// The text; invalid UTF-8 is replaced, and `lossy` says so.
    pub text: String,
    /// Bytes left out of the middle. *Units*: B.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub truncated: u64,
    /// Whether bytes were not UTF-8.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lossy: bool,
    /// How many secrets were taken out, each with a mark in its place.
    #[serde(default, skip_serializing_if = "is_none")]
    pub redacted: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_none(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Stream {
    /// Builds a stream from bytes that were captured whole.
    pub fn whole(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let lossy = matches!(text, std::borrow::Cow::Owned(_));
        Self { text: text.into_owned(), truncated: 0, lossy, redacted: 0 }
    }

    /// Builds a stream of which only head and tail were kept.
    pub fn cut(head: &[u8], tail: &[u8], truncated: u64) -> Self {
        let (head, tail) = (Self::whole(head), Self::whole(tail));
        let text = format!("{}\n[... {truncated} bytes left out ...]\n{}", head.text, tail.text);
        Self { text, truncated, lossy: head.lossy || tail.lossy, redacted: 0 }
    }
}

/// Says why nothing was gathered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// The system's own words.
    pub message: String,
}

/// Names the ways in which gathering fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// No such file, folder or program: an answer of the node.
    NotFound,
    /// Not permitted.
    PermissionDenied,
    /// The connection was refused: an answer of the node.
    Refused,
    /// The time limit passed; everything that was started has been ended.
    TimedOut,
    /// The time limit passed, and a process could not be ended even by SIGKILL.
    Unkillable,
    /// The run was interrupted.
    Interrupted,
    /// The recorded run holds no answer to this ask.
    NotRecorded,
    /// The scenario that stands in for a node holds no answer to this ask.
    NotSimulated,
    /// The node cannot be asked this way.
    Unsupported,
    /// Nobody knows the name of the node.
    NameUnknown,
    /// No way leads to the node.
    NoRoute,
    /// The node takes no logins: nothing listens there.
    LoginRefused,
    /// The node did not answer the login in time.
    LoginTimedOut,
    /// The node's key is not known, so nothing was sent.
    HostKeyUnknown,
    /// The node has another key than it had, so nothing was sent.
    HostKeyChanged,
    /// The node does not let this user in.
    AuthenticationRefused,
    /// The scheduler of the cluster gave no place on the node.
    NotScheduled,
    /// The login shell of the node runs nothing that it is given.
    ShellBroken,
    /// The connection was lost before the answer was whole.
    ConnectionLost,
    /// Nothing more can be written there: the disk is full, or the user's share of it.
    DiskFull,
    /// Anything else, such as an input or output error.
    Other,
}

impl FailureKind {
    /// Tells whether it is about the way to the node, so that every ask would fare alike.
    pub fn is_of_the_link(self) -> bool {
        matches!(
            self,
            Self::NameUnknown
                | Self::NoRoute
                | Self::LoginRefused
                | Self::LoginTimedOut
                | Self::HostKeyUnknown
                | Self::HostKeyChanged
                | Self::AuthenticationRefused
                | Self::NotScheduled
                | Self::ShellBroken
                | Self::ConnectionLost
        )
    }
}

impl Failure {
    /// Builds a failure.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Evidence {
    /// Returns the failure, if nothing was gathered.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.captured {
            Captured::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}
