//! How many cycles a second has, by `CLOCK_MONOTONIC_RAW`, and how sure that is.
//!
//! Each end is the tightest of many readings of the clock between two readings of the counter; the
//! two widths bound the error. While the kernel keeps time by the TSC this is circular: the clock
//! is the counter times a constant, so the constant is verified and not the crystal.

use super::{counter, histogram::f64_of};

/// Readings at each end. *Source*: with the tightest of 50, ends differ by tens of nanoseconds.
const TRIES: usize = 50;

/// Holds the clock and the counter at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Middle of the two readings of the counter. *Units*: cycles.
    cycles: f64,
    /// Half of what lies between them. *Units*: cycles.
    doubt: f64,
    /// `CLOCK_MONOTONIC_RAW`. *Units*: ns.
    raw_ns: u64,
}

/// Holds a rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub hz: f64,
    /// Largest error that the readings leave open. *Units*: ppm.
    pub error_ppm: f64,
    /// Time between the two moments. *Units*: ns.
    pub over_ns: u64,
}

impl Moment {
    /// Takes the tightest of many readings.
    pub(super) fn take() -> Self {
        let mut best = Self::once();
        for _ in 1..TRIES {
            let next = Self::once();
            if next.doubt < best.doubt {
                best = next;
            }
        }
        best
    }

    fn once() -> Self {
        let before = counter::fenced();
        let raw_ns = clock_ns(libc::CLOCK_MONOTONIC_RAW);
        let after = counter::fenced();
        let doubt = f64_of(after.saturating_sub(before)) / 2.0;
        Self { cycles: f64_of(before) + doubt, doubt, raw_ns }
    }
}

impl Rate {
    /// Derives the rate between two moments; `None` where no time lies between them.
    pub(super) fn between(first: &Moment, last: &Moment) -> Option<Self> {
        let over_ns = last.raw_ns.checked_sub(first.raw_ns).filter(|ns| *ns > 0)?;
        let cycles = last.cycles - first.cycles;
        if cycles <= 0.0 {
            return None;
        }
        let hz = cycles / f64_of(over_ns) * 1e9;
        let error_ppm = (first.doubt + last.doubt) / cycles * 1e6;
        Some(Self { hz, error_ppm, over_ns })
    }

    /// Spins for a while and derives the rate.
    pub(super) fn over(time_ns: u64) -> Option<Self> {
        let first = Moment::take();
        while clock_ns(libc::CLOCK_MONOTONIC_RAW) < first.raw_ns.saturating_add(time_ns) {
            core::hint::spin_loop();
        }
        Self::between(&first, &Moment::take())
    }

    /// Returns cycles in a nanosecond.
    pub(super) fn per_ns(&self) -> f64 {
        self.hz / 1e9
    }

    /// Returns a time in cycles.
    pub(super) fn cycles(&self, time_ns: u64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of doubles saturates, and both factors are positive"
        )]
        let cycles = (f64_of(time_ns) * self.per_ns()) as u64;
        cycles
    }
}

/// Reads a clock; 0 where there is no such clock.
pub(super) fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid place for the answer.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    let (seconds, rest) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    seconds.unwrap_or(0) * 1_000_000_000 + rest.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_carries_the_error_that_its_readings_leave_open() {
        let moment = |cycles, raw_ns| Moment { cycles, doubt: 26.0, raw_ns };
        let rate = Rate::between(&moment(1e6, 1_000), &moment(261e6, 100_001_000)).unwrap();
        assert!((rate.hz - 2.6e9).abs() < 1.0, "{rate:?}");
        assert!((rate.error_ppm - 0.2).abs() < 1e-9, "{rate:?}");
        assert_eq!(rate.cycles(1_000), 2_600);
        assert!(Rate::between(&moment(1.0, 5), &moment(2.0, 5)).is_none());
        assert!(Rate::between(&moment(2.0, 5), &moment(1.0, 9)).is_none());
    }
}
