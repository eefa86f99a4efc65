//! How long work on a device takes, by the device's own events.
//!
//! The stream is held until everything is enqueued, so that no time of the host lies between the
//! events. Copies of pageable memory cannot wait in a stream and are timed by the host's clock.

use std::time::Instant;

use super::{
    context::{Context, Event, Pinned, Stream},
    library::Trouble,
    program::{Program, Word},
};

/// A held stream goes on by itself after this. *Units*: ns.
const HOLD_LIMIT_NS: u64 = 1_000_000_000;

/// Holds what one device needs to be timed.
pub(super) struct Timer<'c> {
    flag: Pinned<'c>,
    start: Event<'c>,
    end: Event<'c>,
}

impl<'c> Timer<'c> {
    pub(super) fn take(context: &'c Context<'c>) -> Result<Self, Trouble> {
        let flag = Pinned::take(context, 1)?;
        Ok(Self { flag, start: Event::take(context)?, end: Event::take(context)? })
    }

    /// Times what is enqueued on a stream. *Units*: s.
    pub(super) fn time(
        &self,
        program: &Program<'_>,
        stream: &Stream<'_>,
        enqueue: impl FnOnce() -> Result<(), Trouble>,
    ) -> Result<f64, Trouble> {
        let enqueued = self.hold(program, stream).and_then(|()| {
            self.start.record(stream)?;
            enqueue()?;
            self.end.record(stream)
        });
        self.flag.signal(1);
        stream.finish()?;
        enqueued?;
        self.end.seconds_since(&self.start)
    }

    /// Times what is enqueued on two streams, from the common start to the later end. *Units*: s.
    pub(super) fn time_both(
        &self,
        program: &Program<'_>,
        [one, other]: [&Stream<'_>; 2],
        other_done: &Event<'_>,
        enqueue: impl FnOnce() -> Result<(), Trouble>,
    ) -> Result<f64, Trouble> {
        let enqueued = self.hold(program, one).and_then(|()| {
            self.start.record(one)?;
            other.wait_for(&self.start)?;
            enqueue()?;
            other_done.record(other)?;
            one.wait_for(other_done)?;
            self.end.record(one)
        });
        self.flag.signal(1);
        one.finish()?;
        other.finish()?;
        enqueued?;
        self.end.seconds_since(&self.start)
    }

    fn hold(&self, program: &Program<'_>, stream: &Stream<'_>) -> Result<(), Trouble> {
        self.flag.signal(0);
        let words = [Word::Long(self.flag.address()), Word::Long(HOLD_LIMIT_NS)];
        program.launch_one(stream, c"hold", &words)
    }
}

/// Times work by the host's clock, until it has returned. *Units*: s.
#[allow(clippy::disallowed_methods, reason = "an instrument reads the clock")]
pub(super) fn by_host(work: impl FnOnce() -> Result<(), Trouble>) -> Result<f64, Trouble> {
    let start = Instant::now();
    work()?;
    let seconds = start.elapsed().as_secs_f64();
    if seconds > 0.0 { Ok(seconds) } else { Err(Trouble::unmade("clock", "it did not move")) }
}

/// Returns a rate. *Units*: GB/s, decimal.
#[expect(clippy::cast_precision_loss, reason = "2^53 bytes are 8 PiB")]
pub(super) fn rate(bytes: usize, seconds: f64) -> f64 {
    bytes as f64 / seconds / 1e9
}
