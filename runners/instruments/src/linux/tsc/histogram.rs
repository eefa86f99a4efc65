//! How often each length came: counted in cycles in the hot loop, read out in nanoseconds.
//!
//! Log-linear, 32 buckets an octave, so a length is known to 3.1 %; below 64 cycles exactly. 15 KiB
//! in use stay in the first cache level, where one increment hides behind the reading of the
//! counter. What leaves is a histogram that other tools read.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram as Counts,
    serialization::{Serializer, V2DeflateSerializer},
};

/// Buckets; a length of 64 bits needs 1920.
pub(super) const BUCKETS: usize = 2048;
/// Significant digits of the histogram that leaves; finer than the buckets.
const DIGITS: u8 = 3;
/// Steps in a nanosecond of the histogram that leaves: one is a picosecond.
const STEPS: f64 = 1e3;

/// Holds the counts.
pub(super) type Buckets = [u64; BUCKETS];

/// Returns the bucket of a length in cycles; below [`BUCKETS`] for every length.
#[allow(clippy::inline_always, reason = "stands in the hot loop")]
#[inline(always)]
pub(super) fn bucket(length: u64) -> usize {
    // Below 64 cycles the shift is 0 and the bucket is the length. Nothing here can overflow, and
    // a build that checks would pay for it in each iteration.
    let shift = (length | 32).ilog2().wrapping_sub(5);
    let octave = u64::from(shift) << 5;
    #[expect(clippy::cast_possible_truncation, reason = "at most 1919")]
    let index = octave.wrapping_add(length.wrapping_shr(shift)) as usize;
    index & (BUCKETS - 1)
}

/// Returns the shortest and the longest length of a bucket. *Units*: cycles.
pub(super) fn bounds(bucket: usize) -> (u64, u64) {
    let bucket = bucket as u64;
    if bucket < 64 {
        return (bucket, bucket);
    }
    let shift = (bucket >> 5) - 1;
    let low = ((bucket & 31) | 32) << shift;
    (low, low + ((1_u64 << shift) - 1))
}

/// Reads counts out.
pub(super) struct Reading<'a> {
    counts: &'a Buckets,
    /// Longest length, where it is known better than by its bucket.
    longest: Option<u64>,
    cycles_per_ns: f64,
}

impl<'a> Reading<'a> {
    pub(super) fn new(counts: &'a Buckets, longest: Option<u64>, cycles_per_ns: f64) -> Self {
        Self { counts, longest, cycles_per_ns }
    }

    /// Goes through what was counted, the shortest first: middle, longest and count.
    fn filled(&self) -> impl Iterator<Item = (f64, f64, u64)> + '_ {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(bucket, count)| {
            let (low, high) = bounds(bucket);
            let high = self.longest.map_or(high, |longest| high.min(longest.max(low)));
            (f64_of(low).midpoint(f64_of(high)), f64_of(high), *count)
        })
    }

    /// Returns the shortest length. *Units*: cycles.
    pub(super) fn shortest(&self) -> Option<u64> {
        self.counts.iter().position(|count| *count > 0).map(|bucket| bounds(bucket).0)
    }

    /// Returns the longest length. *Units*: ns.
    pub(super) fn longest_ns(&self) -> Option<f64> {
        self.filled().last().map(|(_, high, _)| high / self.cycles_per_ns)
    }

    /// Returns the length that a share of all samples does not exceed. *Units*: ns.
    pub(super) fn by_sample(&self, share: f64) -> Option<f64> {
        self.quantile(share, |_, count| count)
    }

    /// Returns the length that a share of all time is spent in lengths of at most. *Units*: ns.
    pub(super) fn by_time(&self, share: f64) -> Option<f64> {
        self.quantile(share, |middle, count| middle * count)
    }

    fn quantile(&self, share: f64, weight: impl Fn(f64, f64) -> f64) -> Option<f64> {
        let whole: f64 = self.filled().map(|(middle, _, n)| weight(middle, f64_of(n))).sum();
        let mut seen = 0.0;
        for (middle, high, count) in self.filled() {
            seen += weight(middle, f64_of(count));
            if seen >= whole * share {
                return Some(high / self.cycles_per_ns);
            }
        }
        self.longest_ns()
    }

    /// Encodes all of it in picoseconds: HdrHistogram V2, deflate, base64.
    pub(super) fn encode(&self) -> Option<String> {
        let mut counts: Counts<u64> = Counts::new(DIGITS).ok()?;
        for (middle, _, count) in self.filled() {
            let steps = (middle / self.cycles_per_ns * STEPS).round();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cast of doubles saturates, and lengths are positive"
            )]
            counts.record_n(steps as u64, count).ok()?;
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&counts, &mut bytes).ok()?;
        Some(STANDARD.encode(bytes))
    }
}

/// Converts a count or a length in cycles.
pub(super) fn f64_of(number: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 cycles are a month")]
    let number = number as f64;
    number
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;

    use super::*;

    #[test]
    fn every_length_is_within_the_bounds_of_its_bucket_to_one_part_in_32() {
        let powers = (0..64).map(|e| 1_u64 << e);
        let lengths = (0..5000).chain(powers.flat_map(|p| [p - 1, p, p + 1, p + p / 3]));
        for length in lengths.chain([u64::MAX]) {
            let (low, high) = bounds(bucket(length));
            assert!((low..=high).contains(&length), "{length}: {low}..={high}");
            assert!(high - low <= low / 32, "{length}: {low}..={high}");
        }
    }

    #[test]
    fn buckets_follow_each_other_without_a_hole() {
        for bucket in 0..1919 {
            assert_eq!(bounds(bucket).1 + 1, bounds(bucket + 1).0);
        }
        assert_eq!(bounds(1919).1, u64::MAX);
    }

    #[test]
    fn weighted_by_time_one_long_gap_is_not_hidden_by_many_samples() {
        let mut counts = [0; BUCKETS];
        counts[bucket(20)] = 1_000_000;
        counts[bucket(20_000_000)] = 1;
        let reading = Reading::new(&counts, Some(20_000_000), 2.0);
        assert_eq!(reading.shortest(), Some(20));
        assert_eq!(reading.by_sample(0.99999), Some(10.0));
        assert_eq!(reading.by_time(0.99), Some(1e7));
        assert_eq!(reading.longest_ns(), Some(1e7));
        let empty = [0; BUCKETS];
        let empty = Reading::new(&empty, None, 2.0);
        assert_eq!((empty.by_time(0.5), empty.by_sample(0.5)), (None, None));
    }

    #[test]
    fn other_tools_read_the_histogram_back() {
        let mut counts = [0; BUCKETS];
        counts[bucket(26)] = 90;
        counts[bucket(2600)] = 10;
        let encoded = Reading::new(&counts, None, 2.6).encode().unwrap();
        assert!(encoded.starts_with("HISTF"), "{encoded}");
        let bytes = STANDARD.decode(&encoded).unwrap();
        let read: Counts<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
        assert_eq!(read.len(), 100);
        assert!(read.equivalent(read.value_at_quantile(0.5), 10_000));
        let long = f64_of(read.max());
        assert!((long / 1e6 - 1.0).abs() < 0.04, "{long}");
    }
}
