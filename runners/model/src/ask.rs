//! One thing to gather from a node, as data.
//!
//! Probes return asks, transports answer them. Equal asks are gathered once, whoever asks, and an
//! ask can be sent to another machine or answered from a recorded run. Limits are part of the ask:
//! everything that waits or grows has one.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::link::{End, Transfer};

/// Bounds how much of a file or stream is kept. *Units*: B.
pub const DEFAULT_CAP: u64 = 1024 * 1024;
/// Bounds a single state ask. *Units*: ms.
pub const DEFAULT_LIMIT_MS: u64 = 10_000;
/// Bounds how many files one pattern may name.
pub const MAX_FILES: usize = 50_000;
/// Bounds how much one ask may bring that is no output of a program. *Units*: B.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Holds one thing to gather.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Runs a program, never through a shell.
    Exec {
        /// Program and arguments.
        argv: Vec<String>,
        /// Variables set for it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        env: Vec<(String, String)>,
        /// Time limit. *Units*: ms.
        limit_ms: u64,
        /// How much of each stream is kept. *Units*: B.
        cap: u64,
    },
    /// Reads one file.
    ReadFile {
        /// Absolute path.
        path: String,
        /// How much is kept. *Units*: B.
        cap: u64,
    },
    /// Reads every file that a pattern names; `*` stands for any part of one path component.
    ReadFiles {
        /// Absolute path with `*`.
        pattern: String,
        /// How much of each is kept. *Units*: B.
        cap: u64,
    },
    /// Lists the names in a folder.
    List {
        /// Absolute path.
        path: String,
    },
    /// Asks what kind of thing stands at a path.
    Stat {
        /// Absolute path.
        path: String,
    },
    /// Finds a program where people have it: `PATH` and the usual folders.
    Which {
        /// Name of the program.
        tool: String,
    },
    /// Opens a TCP connection and closes it again.
    Connect {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// Time limit. *Units*: ms.
        limit_ms: u64,
    },
    /// Sends words to the node and has them back, one after the other.
    Echo {
        /// How often.
        rounds: u32,
        /// Time limit. *Units*: ms.
        limit_ms: u64,
    },
    /// Runs one of our own measuring programs.
    Instrument {
        /// Name and arguments.
        argv: Vec<String>,
        /// Time limit. *Units*: ms.
        limit_ms: u64,
    },
    /// Runs one of our own Python programs, which the interpreter gets on its standard input.
    Script {
        /// Interpreter: a name, or an absolute path such as that of a virtual environment.
        interpreter: String,
        /// Name of the program.
        name: String,
        /// Its arguments.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        args: Vec<String>,
        /// Time limit. *Units*: ms.
        limit_ms: u64,
    },
    /// Measures a link with iperf3: a server on the second end, a client on the first. The only
    /// ask that two nodes answer.
    Between {
        /// The two ends; equal ones are a loopback.
        ends: [End; 2],
        /// What is transferred, one after the other.
        transfers: Vec<Transfer>,
        /// How long each is measured. *Units*: s.
        seconds: u32,
        /// How long each runs before that. *Units*: s.
        omit_s: u32,
        /// Time limit of all. *Units*: ms.
        limit_ms: u64,
    },
}

impl Ask {
    /// Reads a file with the default cap.
    pub fn file(path: impl Into<String>) -> Self {
        Self::ReadFile { path: path.into(), cap: DEFAULT_CAP }
    }

    /// Reads the files of a pattern, 64 KiB of each.
    pub fn files(pattern: impl Into<String>) -> Self {
        Self::ReadFiles { pattern: pattern.into(), cap: 64 * 1024 }
    }

    /// Returns the time limit, of asks that have one of their own. *Units*: ms.
    pub fn limit_ms(&self) -> Option<u64> {
        match self {
            Self::Exec { limit_ms, .. }
            | Self::Connect { limit_ms, .. }
            | Self::Echo { limit_ms, .. }
            | Self::Instrument { limit_ms, .. }
            | Self::Script { limit_ms, .. }
            | Self::Between { limit_ms, .. } => Some(*limit_ms),
            Self::ReadFile { .. }
            | Self::ReadFiles { .. }
            | Self::List { .. }
            | Self::Stat { .. }
            | Self::Which { .. } => None,
        }
    }

    /// Returns the ask with another time limit, where it has one. *Units*: ms.
    #[must_use]
    pub fn limited_to(mut self, ms: u64) -> Self {
        if let Self::Exec { limit_ms, .. }
        | Self::Connect { limit_ms, .. }
        | Self::Instrument { limit_ms, .. }
        | Self::Script { limit_ms, .. }
        | Self::Between { limit_ms, .. } = &mut self
        {
            *limit_ms = ms;
        }
        self
    }

    /// Names the nodes that it loads, beside the one that is asked where that is no end.
    pub fn nodes(&self) -> Vec<&str> {
        let Self::Between { ends, .. } = self else { return Vec::new() };
        ends.iter().map(|end| end.node.as_str()).filter(|node| !node.is_empty()).collect()
    }

    /// Runs a program with the default limits.
    pub fn exec<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        let argv = argv.into_iter().map(Into::into).collect();
        Self::Exec { argv, env: Vec::new(), limit_ms: DEFAULT_LIMIT_MS, cap: DEFAULT_CAP }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exec { argv, .. } => write!(f, "run `{}`", argv.join(" ")),
            Self::ReadFile { path, .. } => write!(f, "read {path}"),
            Self::ReadFiles { pattern, .. } => write!(f, "read {pattern}"),
            Self::List { path } => write!(f, "list {path}"),
            Self::Stat { path } => write!(f, "stat {path}"),
            Self::Which { tool } => write!(f, "find the program {tool}"),
            Self::Connect { host, port, .. } => write!(f, "connect to {host}:{port}"),
            Self::Echo { rounds, .. } => write!(f, "send and have back {rounds} words"),
            Self::Instrument { argv, .. } => write!(f, "measure with `{}`", argv.join(" ")),
            Self::Script { interpreter, name, args, .. } => {
                write!(f, "run our Python program `{name}")?;
                args.iter().try_for_each(|word| write!(f, " {word}"))?;
                write!(f, "` with {interpreter}")
            }
            Self::Between { ends: [one, other], .. } if one == other => {
                write!(f, "measure the loopback {} with iperf3", one.address)
            }
            Self::Between { ends: [one, other], .. } => {
                let (a, b) = (&one.node, &other.node);
                let (a_at, b_at) = (&one.address, &other.address);
                write!(f, "measure the link from {a} ({a_at}) to {b} ({b_at}) with iperf3")
            }
        }
    }
}
