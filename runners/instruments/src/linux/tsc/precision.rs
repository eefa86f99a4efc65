//! How fine the counter is: lengths between two readings back to back.

use super::{
    counter,
    histogram::{BUCKETS, Buckets, bucket},
};

/// Pairs of readings, some 20 ms.
const PAIRS: u32 = 1 << 20;

/// Holds the lengths between two readings.
pub(super) struct Precision {
    pub counts: Box<Buckets>,
    pub pairs: u32,
    /// Pairs of which the second reading was the lower one.
    pub backwards: u64,
}

/// Reads the counter twice, again and again.
#[inline(never)]
pub(super) fn measure() -> Precision {
    let mut counts = Box::new([0; BUCKETS]);
    let mut backwards = 0;
    for _ in 0..PAIRS {
        let first = counter::now();
        let second = counter::now();
        match second.checked_sub(first) {
            Some(length) => counts[bucket(length)] += 1,
            None => backwards += 1,
        }
    }
    Precision { counts, pairs: PAIRS, backwards }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(not(target_arch = "x86_64"), should_panic = "x86-64")]
    fn every_pair_is_counted() {
        let precision = measure();
        let counted: u64 = precision.counts.iter().sum();
        assert_eq!(counted + precision.backwards, u64::from(precision.pairs));
    }
}
