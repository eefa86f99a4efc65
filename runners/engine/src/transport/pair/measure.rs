//! Measures one link: both ends are looked at, then a server and a client for each transfer.
//!
//! Nothing is sent unless both ends reach each other directly. The server is a private one that
//! serves one client, on a port that was free; it is ended with the transfer, whatever happened, and
//! that it is gone is looked up. The one wall clock is here: a client whose data vanish never ends.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use verify_model::{
    ask::Ask,
    evidence::{Captured, Failure, FailureKind, Stream},
    link::{End, Transfer},
};

use super::{
    super::{Cancel, Transport, shell::nonce},
    now,
    step::{self, Client},
};
use crate::parse::{
    between::{Between, Moved, PROTOCOL, Try, is_busy, process},
    end_survey::{Survey, kind},
};

/// How often a transfer is tried where a port or server is taken.
const TRIES: usize = 3;
/// Ports that are tried: below those that systems give away themselves. *Source*: `ip(7)`,
/// `ip_local_port_range` from 32768; macOS from 49152.
const PORTS: std::ops::Range<u16> = 24_000..28_000;
/// Time beyond omitted and measured seconds until a client is ended: the connection, 2 s; the
/// exchange of results; a login.
const SLACK: Duration = Duration::from_secs(15);
/// Time for the server to end by itself, once its client is through.
const LINGER: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_millis(50);

/// Holds what one measurement needs.
pub(super) struct Measurement<'a> {
    pub(super) ends: &'a [End; 2],
    pub(super) transports: [Arc<dyn Transport>; 2],
    pub(super) seconds: u32,
    pub(super) omit_s: u32,
    pub(super) limit: Duration,
    pub(super) cancel: &'a Cancel,
}

impl Measurement<'_> {
    /// Measures, and returns the document; a failure where an end cannot be asked.
    pub(super) fn run(&self, transfers: &[Transfer]) -> Captured {
        let deadline = now() + self.limit;
        let each = Duration::from_secs(u64::from(self.seconds) + u64::from(self.omit_s));
        let count = u32::try_from(transfers.len()).unwrap_or(u32::MAX);
        let least = each.saturating_mul(count);
        if least + Duration::from_secs(5) > self.limit {
            let message = format!(
                "{count} transfers of {} s do not fit into the limit of {} s: give the check a longer `limit`",
                each.as_secs(),
                self.limit.as_secs()
            );
            return Captured::Failed(Failure::new(FailureKind::TimedOut, message));
        }
        let before = self.look(true);
        for (captured, end) in before.iter().zip(self.ends) {
            if let Captured::Failed(failure) = captured {
                let who = if end.node.is_empty() { &end.address } else { &end.node };
                let message = format!("{who}: {}", failure.message);
                return Captured::Failed(Failure::new(failure.kind, message));
            }
        }
        let mut document =
            Between { protocol: PROTOCOL.to_owned(), before, moved: Vec::new(), after: None };
        if let Some(taken) = self.may_send(&document.before) {
            let mut ports = Ports::new(taken);
            for transfer in transfers {
                let moved = self.transfer(*transfer, &mut ports, deadline);
                let through = moved.tries.last().is_some_and(worked);
                document.moved.push(moved);
                if self.cancel.requested() {
                    let message = "the run was interrupted";
                    return Captured::Failed(Failure::new(FailureKind::Interrupted, message));
                }
                if !through {
                    break;
                }
            }
            document.after = Some(self.look(true));
        }
        match serde_json::to_string(&document) {
            Ok(text) => Captured::Exec {
                exit: Some(0),
                signal: None,
                stdout: Stream::whole(text.as_bytes()),
                stderr: Stream::default(),
            },
            Err(error) => Captured::Failed(Failure::new(FailureKind::Other, error.to_string())),
        }
    }

    /// Looks at both ends at the same time.
    fn look(&self, idle: bool) -> [Captured; 2] {
        let [one, other] = self.ends;
        let other_end =
            start(&self.transports[1], step::survey(other, one, idle), self.cancel.clone());
        let own = self.transports[0].gather(&step::survey(one, other, idle), self.cancel);
        [own, other_end.wait()]
    }

    /// Tells whether anything may be sent: returns the ports of the server's end that are taken.
    fn may_send(&self, before: &[Captured; 2]) -> Option<Vec<u16>> {
        let loopback = self.ends[0] == self.ends[1];
        let mut taken = Vec::new();
        for (captured, end) in before.iter().zip(self.ends) {
            let survey = Survey::read(captured).ok()?;
            survey.version().ok()??;
            let wanted = if loopback { "local" } else { "direct" };
            let route = survey.route().ok()?;
            if kind(&route, end) != wanted {
                return None;
            }
            taken = survey.listening();
        }
        Some(taken)
    }

    fn transfer(&self, transfer: Transfer, ports: &mut Ports, deadline: Instant) -> Moved {
        let mut tries = Vec::new();
        while tries.len() < TRIES && !self.cancel.requested() {
            let last = self.try_on(ports.next(), transfer, deadline);
            let another = last.client.as_ref().is_none_or(is_busy);
            tries.push(last);
            if !another {
                break;
            }
        }
        Moved { transfer, tries }
    }

    fn try_on(&self, port: u16, transfer: Transfer, deadline: Instant) -> Try {
        let [one, other] = self.ends;
        let own_limit =
            Duration::from_secs(u64::from(self.seconds) + u64::from(self.omit_s)) + SLACK;
        let limit = own_limit.min(deadline.saturating_duration_since(now()));
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let end = Cancel::default();
        let serving = step::server(other, port, ms(limit + LINGER));
        let mut server = start(&self.transports[1], serving, end.clone());
        let listens = self.await_server(&mut server, port);
        let up = matches!(listens, Captured::Exec { exit: Some(0), .. }) && !server.has_ended();
        let client = up.then(|| {
            let ends = [one, other];
            let (streams, reverse) = (transfer.streams, transfer.inbound);
            let (seconds, omit_s) = (self.seconds, self.omit_s);
            let client = Client { ends, port, streams, reverse, seconds, omit_s };
            self.transports[0].gather(&client.ask(ms(limit)), self.cancel)
        });
        let until = now() + LINGER;
        // Without a client there is nothing that it would still say.
        while client.is_some() && now() < until && !self.cancel.requested() && !server.has_ended() {
        }
        end.request();
        let server = server.wait();
        // Also after an interrupt: what was started is looked for.
        let gone = step::gone(port, process(&server));
        let gone = self.transports[1].gather(&gone, &Cancel::default());
        Try { port, server, listens, client, gone }
    }

    /// Waits until the server listens; one that has ended will not.
    fn await_server(&self, server: &mut Started, port: u16) -> Captured {
        let waiting = Cancel::default();
        let mut listens = start(&self.transports[1], step::listens(port), waiting.clone());
        while !listens.has_ended() {
            if server.has_ended() || self.cancel.requested() {
                waiting.request();
            }
        }
        listens.wait()
    }
}

/// Tells whether a client came to its end; what it measured is the probe's affair.
fn worked(tried: &Try) -> bool {
    matches!(&tried.client, Some(Captured::Exec { .. }))
        && !tried.client.as_ref().is_some_and(is_busy)
}

/// Gives ports that nobody listens on.
struct Ports {
    taken: Vec<u16>,
    at: u16,
}

impl Ports {
    /// Begins anywhere, so that two who measure at the same time rarely meet.
    fn new(taken: Vec<u16>) -> Self {
        let drawn =
            nonce().bytes().fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let at = PORTS.start + drawn % (PORTS.end - PORTS.start);
        Self { taken, at }
    }

    fn next(&mut self) -> u16 {
        for _ in PORTS {
            self.at = if self.at + 1 < PORTS.end { self.at + 1 } else { PORTS.start };
            if !self.taken.contains(&self.at) {
                break;
            }
        }
        self.at
    }
}

/// Holds an ask that is being answered.
struct Started {
    answers: Receiver<Captured>,
    answered: Option<Captured>,
    thread: Option<JoinHandle<()>>,
}

/// Has an ask answered by a thread of its own.
fn start(transport: &Arc<dyn Transport>, ask: Ask, cancel: Cancel) -> Started {
    let (say, answers) = bounded(1);
    let transport = Arc::clone(transport);
    // Where there is no thread, nobody says anything, and that is heard.
    let thread = std::thread::Builder::new().spawn(move || {
        let _ = say.send(transport.gather(&ask, &cancel));
    });
    Started { answers, answered: None, thread: thread.ok() }
}

impl Started {
    /// Waits a moment for the answer; tells whether it is there.
    fn has_ended(&mut self) -> bool {
        if self.answered.is_none() {
            self.answered = match self.answers.recv_timeout(TICK) {
                Ok(captured) => Some(captured),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(broken()),
            };
        }
        self.answered.is_some()
    }

    fn wait(mut self) -> Captured {
        let answered = self.answered.take();
        let captured = answered.unwrap_or_else(|| self.answers.recv().unwrap_or_else(|_| broken()));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        captured
    }
}

fn broken() -> Captured {
    let message = "a defect of verify: the transport broke; report it with the run record";
    Captured::Failed(Failure::new(FailureKind::Other, message))
}
