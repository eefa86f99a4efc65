//! The order of a measurement: what is taken, what is read when, and what is given back.
//!
//! All allocation and all reading of files lies before and after the window. The trace is made
//! first, so that its guard has neither the cpu nor the priority; both are given back before the
//! long work of reading the trace.

use serde_json::Value;

use super::{
    argument::Asked,
    attribution::Own,
    calibrate::{Moment, Rate},
    histogram::{BUCKETS, Buckets, Reading, f64_of},
    place,
    precision::{self, Precision},
    report,
    spin::{self, Ring, Window},
    surroundings::{self, Snapshot},
    trace::{Trace, Traced},
};
use crate::linux::{
    Refusal, affinity,
    cpu::Cpus,
    real_time::{self, Fifo},
};

/// First look at the rate, for lengths alone. *Units*: ns. *Source*: within 1 ppm on most machines.
const GLANCE_NS: u64 = 10_000_000;
/// Time for the bare loop, before and after. *Units*: ns. *Source*: ten thousand batches.
const BARE_NS: u64 = 100_000_000;
/// Gaps are longer than that many iterations. *Source*: twice what an unlucky iteration takes.
const THRESHOLD_MINIMA: f64 = 8.0;
/// Longest threshold that is chosen. *Units*: ns. *Source*: what `oslat` can tell apart.
const THRESHOLD_MOST_NS: u64 = 1_000;

/// Holds all that was measured.
pub(super) struct Measured {
    pub cpu: u32,
    pub clock: Value,
    pub knobs: Value,
    pub memory: Result<(), Refusal>,
    pub idle: Result<(), Refusal>,
    pub priority: Result<Option<i32>, Refusal>,
    pub rate: Rate,
    pub precision: Precision,
    pub bare: [Window; 2],
    pub window: Window,
    pub counts: Box<Buckets>,
    pub ring: Ring,
    /// *Units*: cycles.
    pub threshold: u64,
    pub around: Value,
    pub traced: Result<Traced, Refusal>,
    pub own: Own,
}

/// Measures and returns the result of the document. What is refused but the cpu is noted and the
/// loop runs all the same: the reader sees how it was measured.
///
/// *Errors*: the cpu is refused, or the counter stands still.
pub(super) fn measure(asked: &Asked) -> Result<Value, Refusal> {
    let cpu = place::choose(&Cpus::read()?, &affinity::allowed()?, asked.cpu, &asked.beside)?;
    let (clock, knobs) = (surroundings::clock(), surroundings::knobs(cpu));
    let trace = if asked.trace { Trace::start(cpu) } else { Err(not_asked()) };
    let mut ring = Ring::new(asked.ring);
    let mut counts = Box::new([0; BUCKETS]);
    affinity::pin(&[cpu].into())?;
    // Nothing is allocated in the window, so what comes later need not be locked.
    let memory = real_time::lock_all();
    let no_idle = real_time::forbid_idle();
    let held = asked.priority.map(Fifo::take).transpose();

    let begin = Moment::take();
    let glance = Rate::over(GLANCE_NS).ok_or_else(stands_still)?;
    let precision = precision::measure();
    let bare = spin::bare(glance.cycles(BARE_NS));
    let warm = spin::watch(&mut counts, &mut ring, u64::MAX, glance.cycles(asked.warm_up_ns));
    let threshold = threshold(asked, &glance, &warm);
    counts.fill(0);
    ring.clear();

    let recording = trace.and_then(|trace| trace.record(true).map(|()| trace));
    let before = Snapshot::before(cpu);
    let window = spin::watch(&mut counts, &mut ring, threshold, glance.cycles(asked.window_ns));
    let after = Snapshot::after(cpu);
    let recording = recording.and_then(|trace| trace.record(false).map(|()| trace));
    let bare = [bare, spin::bare(glance.cycles(BARE_NS))];
    let rate = Rate::between(&begin, &Moment::take()).ok_or_else(stands_still)?;

    let real_time = matches!(held, Ok(Some(_)));
    let priority = held.map(|held| held.and(asked.priority));
    let idle = no_idle.map(drop);
    let own = Own { task: i64::from(std::process::id()), real_time };
    let measured = Measured {
        cpu,
        clock,
        knobs,
        memory,
        idle,
        priority,
        rate,
        precision,
        bare,
        window,
        counts,
        ring,
        threshold,
        around: after.since(&before),
        traced: recording.and_then(Trace::read),
        own,
    };
    Ok(report::report(&measured, asked.gaps))
}

fn threshold(asked: &Asked, rate: &Rate, warm: &Window) -> u64 {
    if let Some(time_ns) = asked.threshold_ns {
        return rate.cycles(time_ns);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of doubles saturates, and a cost is positive"
    )]
    let chosen = (warm.fastest * THRESHOLD_MINIMA) as u64;
    chosen.min(rate.cycles(THRESHOLD_MOST_NS))
}

fn not_asked() -> Refusal {
    Refusal::of("mkdir", 0, "a trace was not asked for")
}

fn stands_still() -> Refusal {
    Refusal::of("rdtsc", libc::EIO, "counter and clock do not go forward together")
}

impl Measured {
    /// Reads the counts of the window out.
    pub(super) fn reading(&self) -> Reading<'_> {
        let longest = (self.ring.count() > 0).then_some(self.ring.longest);
        Reading::new(&self.counts, longest, self.rate.per_ns())
    }

    /// Tells whether there is no trace because none was asked for.
    pub(super) fn asked_no_trace(&self) -> bool {
        self.traced.as_ref().is_err_and(|refusal| refusal.errno == 0)
    }

    /// Returns the least that the bare loop cost before and after. *Units*: cycles.
    pub(super) fn bare_fastest(&self) -> f64 {
        self.bare[0].fastest.min(self.bare[1].fastest)
    }

    /// Returns the share of the window that the gaps took, beyond the loop's own minimum.
    pub(super) fn stolen_share(&self, minimum: u64) -> f64 {
        let own = self.ring.count().saturating_mul(minimum);
        let stolen = f64_of(self.ring.sum.saturating_sub(own));
        stolen / f64_of(self.window.end.saturating_sub(self.window.start).max(1))
    }
}
