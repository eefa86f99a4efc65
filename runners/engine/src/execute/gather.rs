//! Gathers asks by a bounded pool of threads that a hung read cannot take down.
//!
//! Threads are not scoped: a thread that hangs in the kernel is left there, its ask is answered
//! with `TimedOut`, and the run goes on. Evidence is numbered in the order of asks, not of answers.

use std::{
    sync::Arc,
    thread::Builder,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use verify_model::{
    ask::{Ask, DEFAULT_LIMIT_MS},
    evidence::{Captured, Evidence, Failure, FailureKind},
};

use super::{Context, Ids};
use crate::{
    redact,
    transport::{Cancel, Transport},
};

/// Threads that gather state at the same time; more would disturb what they look at.
const POOL: usize = 4;
/// Time beyond an ask's own limit after which its thread counts as hung.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same where a batch is sent to another machine: logins are tried, and tried again.
const BATCH_PATIENCE: Duration = Duration::from_mins(2);

/// Longest wait between two looks at the interrupt flag.
const TICK: Duration = Duration::from_millis(100);

/// Gathers for one node.
pub struct Gatherer<'a> {
    /// What all nodes share.
    pub context: &'a Context,
    /// Name of the node.
    pub node: &'a str,
    /// How it is asked.
    pub transport: Arc<dyn Transport>,
    /// Numbers of its evidence.
    pub ids: Ids,
}

impl Gatherer<'_> {
    /// Gathers asks, `report` hears of each piece in the order of asks.
    pub fn gather(&self, asks: &[Ask], mut report: impl FnMut(&Evidence)) -> Vec<Evidence> {
        if asks.is_empty() {
            return Vec::new();
        }
        let first = self.ids.draw(asks.len());
        let results = self.start_pool(asks);
        let mut pieces: Vec<Option<Evidence>> = vec![None; asks.len()];
        let (mut reported, mut heard) = (0, now());
        while reported < asks.len() {
            match results.recv_timeout(TICK) {
                Ok(Answer { at, captured, start, elapsed }) => {
                    pieces[at] = Some(self.piece(first, at, &asks[at], captured, start, elapsed));
                    heard = now();
                }
                Err(RecvTimeoutError::Timeout) if self.transport.is_waiting() => heard = now(),
                Err(RecvTimeoutError::Timeout)
                    if heard.elapsed() < self.patience(asks, &pieces) => {}
                Err(_) => break,
            }
            while let Some(Some(piece)) = pieces.get(reported) {
                report(piece);
                reported += 1;
            }
        }
        let whole = pieces.into_iter().enumerate().map(|(at, piece)| {
            let piece = piece.unwrap_or_else(|| self.unanswered(first, at, &asks[at]));
            if at >= reported {
                report(&piece);
            }
            piece
        });
        whole.collect()
    }

    /// Starts threads that answer asks until there are no more.
    fn start_pool(&self, asks: &[Ask]) -> Receiver<Answer> {
        if self.transport.is_batched() {
            return self.start_batch(asks);
        }
        let (jobs, queue) = unbounded::<(usize, Ask)>();
        let (done, results) = unbounded();
        for job in asks.iter().cloned().enumerate() {
            let _ = jobs.send(job);
        }
        for thread in 0..POOL.min(asks.len()) {
            let (queue, answers) = (queue.clone(), done.clone());
            let (transport, cancel) = (Arc::clone(&self.transport), self.context.cancel.clone());
            let started = Builder::new().spawn(move || {
                while let Ok((at, ask)) = queue.recv() {
                    let start = now();
                    let captured = answer(transport.as_ref(), &ask, &cancel);
                    let answer = Answer { at, captured, start, elapsed: start.elapsed() };
                    if answers.send(answer).is_err() {
                        return;
                    }
                }
            });
            // Those that are there answer all.
            if let Err(error) = started
                && thread == 0
            {
                refuse(asks.len(), &error, &done);
                break;
            }
        }
        results
    }

    /// Starts one thread that has all asks answered together.
    fn start_batch(&self, asks: &[Ask]) -> Receiver<Answer> {
        let (done, results) = unbounded();
        let (transport, cancel) = (Arc::clone(&self.transport), self.context.cancel.clone());
        let (count, asks, answers) = (asks.len(), asks.to_vec(), done.clone());
        let started = Builder::new().spawn(move || {
            let mut hear = |at: usize, captured: Captured, elapsed: Duration| {
                let start = now().checked_sub(elapsed).unwrap_or_else(now);
                let _ = answers.send(Answer { at, captured, start, elapsed });
            };
            transport.gather_all(&asks, &cancel, &mut hear);
        });
        if let Err(error) = started {
            refuse(count, &error, &done);
        }
        results
    }

    /// Returns how long nothing may be heard: the longest limit that still runs, and some more.
    fn patience(&self, asks: &[Ask], pieces: &[Option<Evidence>]) -> Duration {
        if self.context.cancel.requested() {
            return PATIENCE;
        }
        let waiting = asks.iter().zip(pieces).filter(|(_, piece)| piece.is_none());
        let more = if self.transport.is_batched() { BATCH_PATIENCE } else { PATIENCE };
        waiting.map(|(ask, _)| limit_of(ask)).max().unwrap_or_default() + more
    }

    fn unanswered(&self, first: u32, at: usize, ask: &Ask) -> Evidence {
        let elapsed = limit_of(ask) + PATIENCE;
        let ms = elapsed.as_millis();
        let message = format!("no answer within {ms} ms; the thread is left in the kernel");
        let captured = Captured::Failed(Failure::new(FailureKind::TimedOut, message));
        self.piece(first, at, ask, captured, now(), elapsed)
    }

    fn piece(
        &self,
        first: u32,
        at: usize,
        ask: &Ask,
        captured: Captured,
        start: Instant,
        elapsed: Duration,
    ) -> Evidence {
        let at_ms = start.saturating_duration_since(self.context.started).as_millis();
        Evidence {
            id: self.ids.at(first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX))),
            node: self.node.to_owned(),
            ask: ask.clone(),
            at_ms: u64::try_from(at_ms).unwrap_or(u64::MAX),
            elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            captured: redact::captured(captured),
        }
    }
}

/// Holds what one thread brings.
struct Answer {
    at: usize,
    captured: Captured,
    start: Instant,
    elapsed: Duration,
}

/// Answers all with why nobody can ask.
fn refuse(count: usize, error: &std::io::Error, done: &Sender<Answer>) {
    let message = format!("no thread can be started to ask: {error}; raise the limit of processes");
    for at in 0..count {
        let captured = Captured::Failed(Failure::new(FailureKind::Other, message.as_str()));
        let _ = done.send(Answer { at, captured, start: now(), elapsed: Duration::ZERO });
    }
}

/// Answers an ask; a transport that breaks is an error of that ask alone.
fn answer(transport: &dyn Transport, ask: &Ask, cancel: &Cancel) -> Captured {
    let gather = std::panic::AssertUnwindSafe(|| transport.gather(ask, cancel));
    std::panic::catch_unwind(gather).unwrap_or_else(|_| {
        let message = "a defect of verify: the transport broke; report it with the run record";
        Captured::Failed(Failure::new(FailureKind::Other, message))
    })
}

fn limit_of(ask: &Ask) -> Duration {
    Duration::from_millis(ask.limit_ms().unwrap_or(DEFAULT_LIMIT_MS))
}

#[allow(clippy::disallowed_methods, reason = "the scheduler keeps the times of the record")]
fn now() -> Instant {
    Instant::now()
}
