//! The single steps of a measurement, each one program on one end.
//!
//! Every one is a small `sh` program with arguments, so that all transports and systems run it, and
//! nothing that a node or a suite says is part of its text.

use verify_model::{ask::Ask, link::End};

const SURVEY: &str = include_str!("survey.sh");
const RUN: &str = include_str!("run.sh");
const PORT: &str = include_str!("port.sh");

/// Bounds a look at one end, the second of watching included. *Units*: ms.
const LOOK_MS: u64 = 15_000;
/// Bounds what one step prints: iperf3 says some 2 kB for each stream and second. *Units*: B.
const CAP: u64 = 4 * 1024 * 1024;

fn sh<'a>(script: &'a str, args: impl IntoIterator<Item = &'a str>, limit_ms: u64) -> Ask {
    let words = ["sh", "-c", script, "verify"].into_iter().chain(args);
    Ask::Exec { argv: words.map(str::to_owned).collect(), env: Vec::new(), limit_ms, cap: CAP }
}

/// Asks one end for route, iperf3 and interface; `idle`: also how busy it is, which takes a second.
pub(super) fn survey(own: &End, other: &End, idle: bool) -> Ask {
    let when = if idle { "idle" } else { "after" };
    sh(SURVEY, [own.address.as_str(), &other.address, when], LOOK_MS)
}

/// Waits until a port is listened on.
pub(super) fn listens(port: u16) -> Ask {
    sh(PORT, ["wait", &port.to_string()], LOOK_MS)
}

/// Waits until a port is free and a process gone; in the end it is ended.
pub(super) fn gone(port: u16, process: Option<(String, String)>) -> Ask {
    let (pid, born) = process.unwrap_or_default();
    sh(PORT, ["free", &port.to_string(), &pid, &born], LOOK_MS)
}

/// Serves one client and ends.
pub(super) fn server(own: &End, port: u16, limit_ms: u64) -> Ask {
    let port = port.to_string();
    sh(RUN, ["server", "-s", "-1", "-J", "-p", &port, "-B", &own.address], limit_ms)
}

/// What one transfer is asked for.
pub(super) struct Client<'a> {
    pub(super) ends: [&'a End; 2],
    pub(super) port: u16,
    pub(super) streams: u32,
    /// Whether the server sends. One end listens in both directions: a firewall that lets in one
    /// way only is no slow link, and who receives says what arrived.
    pub(super) reverse: bool,
    pub(super) seconds: u32,
    pub(super) omit_s: u32,
}

impl Client<'_> {
    pub(super) fn ask(&self, limit_ms: u64) -> Ask {
        let [own, server] = self.ends;
        let number = |number: u32| number.to_string();
        let (port, streams) = (self.port.to_string(), number(self.streams));
        let (seconds, omit) = (number(self.seconds), number(self.omit_s));
        let mut args = vec!["client", "-c", &server.address, "-B", &own.address, "-p", &port, "-J"];
        args.extend(["-t", &seconds, "-O", &omit, "-P", &streams]);
        if self.reverse {
            args.push("-R");
        }
        sh(RUN, args, limit_ms)
    }
}
