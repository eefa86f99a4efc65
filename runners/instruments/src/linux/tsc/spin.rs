//! The loop that notices when it is not running, and the bare loop that it is held against.
//!
//! Between the first and the last reading there is no system call, allocation or lock. The end of
//! the window is looked for once a batch, and the time that takes is counted like any other.

use super::{
    counter,
    histogram::{Buckets, bucket},
};

/// Iterations between two looks at the end of the window, some 10 us.
const BATCH: u64 = 1024;

/// Holds one time in which the loop did not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gap {
    /// Last reading before it. *Units*: cycles.
    pub start: u64,
    /// Until the first reading after it. *Units*: cycles.
    pub length: u64,
}

/// Keeps gaps, as many as there is room for, and counts all.
pub(super) struct Ring {
    room: Vec<Gap>,
    used: usize,
    /// Gaps for which there was no room.
    pub lost: u64,
    /// Length of all gaps together. *Units*: cycles.
    pub sum: u64,
    /// Longest gap. *Units*: cycles.
    pub longest: u64,
}

impl Ring {
    /// Makes room and touches it, so that no page is missing in the loop.
    pub(super) fn new(room: usize) -> Self {
        let mut room = vec![Gap { start: 1, length: 1 }; room];
        room.fill(Gap::default());
        Self { room, used: 0, lost: 0, sum: 0, longest: 0 }
    }

    /// Forgets what it holds.
    pub(super) fn clear(&mut self) {
        (self.used, self.lost, self.sum, self.longest) = (0, 0, 0, 0);
    }

    #[cold]
    #[inline(never)]
    fn keep(&mut self, start: u64, length: u64) {
        self.sum = self.sum.saturating_add(length);
        self.longest = self.longest.max(length);
        match self.room.get_mut(self.used) {
            Some(place) => {
                *place = Gap { start, length };
                self.used += 1;
            }
            None => self.lost += 1,
        }
    }

    /// Returns the gaps that were kept, in the order of time.
    pub(super) fn kept(&self) -> &[Gap] {
        &self.room[..self.used]
    }

    /// Returns how many gaps there were, kept or not.
    pub(super) fn count(&self) -> u64 {
        self.used as u64 + self.lost
    }
}

/// Holds what the loop saw beside gaps and counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub start: u64,
    pub end: u64,
    pub iterations: u64,
    /// Cost of an iteration in the fastest batch. *Units*: cycles.
    pub fastest: f64,
}

impl Window {
    fn new(start: u64, end: u64, iterations: u64, batch: u64) -> Self {
        let fastest = super::histogram::f64_of(batch) / super::histogram::f64_of(BATCH);
        Self { start, end, iterations, fastest }
    }
}

/// Reads the counter for a number of cycles, counting every length and keeping every gap.
#[inline(never)]
pub(super) fn watch(counts: &mut Buckets, ring: &mut Ring, threshold: u64, cycles: u64) -> Window {
    let start = counter::now();
    let end = start.saturating_add(cycles);
    let mut last = counter::now();
    let mut length = last.wrapping_sub(start);
    if length > threshold {
        ring.keep(start, length);
    }
    let mut batch_start = last;
    let (mut iterations, mut fastest) = (1, u64::MAX);
    loop {
        for _ in 0..BATCH {
            let now = counter::now();
            // The length before is counted while the counter is being read: what waits for the
            // reading itself would make each iteration longer by its own latency.
            // As in `bucket`, an overflow is not looked for.
            let count = &mut counts[bucket(length)];
            *count = count.wrapping_add(1);
            length = now.wrapping_sub(last);
            if length > threshold {
                ring.keep(last, length);
            }
            last = now;
        }
        iterations += BATCH;
        fastest = fastest.min(last.wrapping_sub(batch_start));
        batch_start = last;
        if last >= end {
            counts[bucket(length)] += 1;
            return Window::new(start, last, iterations, fastest);
        }
    }
}

/// Reads the counter and does nothing else: the limit that no loop can beat.
#[inline(never)]
pub(super) fn bare(cycles: u64) -> Window {
    let start = counter::now();
    let end = start.saturating_add(cycles);
    let (mut last, mut batch_start) = (start, start);
    let (mut iterations, mut fastest) = (0, u64::MAX);
    loop {
        for _ in 0..BATCH {
            last = counter::now();
        }
        iterations += BATCH;
        fastest = fastest.min(last.wrapping_sub(batch_start));
        batch_start = last;
        if last >= end {
            return Window::new(start, last, iterations, fastest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::histogram::BUCKETS;
    use super::*;

    #[test]
    #[cfg_attr(not(target_arch = "x86_64"), should_panic = "x86-64")]
    fn every_cycle_of_the_window_is_counted_once() {
        let mut counts = [0; BUCKETS];
        let mut ring = Ring::new(64);
        let window = watch(&mut counts, &mut ring, 1_000, 2_000_000);
        assert!(window.end - window.start >= 2_000_000);
        assert_eq!(counts.iter().sum::<u64>(), window.iterations);
        assert!(ring.sum <= window.end - window.start);
        assert!(window.fastest > 0.0);
    }

    #[test]
    fn a_gap_without_room_is_counted_as_lost_and_still_summed() {
        let mut ring = Ring::new(1);
        ring.keep(10, 5);
        ring.keep(20, 7);
        assert_eq!((ring.count(), ring.lost, ring.sum, ring.longest), (2, 1, 12, 7));
        assert_eq!(ring.kept(), [Gap { start: 10, length: 5 }]);
        ring.clear();
        assert_eq!((ring.count(), ring.kept().len()), (0, 0));
    }
}
