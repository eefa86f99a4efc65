//! What the ranks measured, as fields; a part that is missing or impossible has no figure.
//!
//! Alone, the fastest rank counts, and together the slowest: a card that is slow, or slow alone,
//! does not make the speed-up look better. Results are whole numbers, so equal means equal.

use serde_json::Value as Json;
use verify_model::{
    metric::{Direction, Metric, quantile},
    observation::Observation,
    quantity::Quantity,
    unit::Unit,
    value::Value,
};

/// Holds what each rank told.
pub(super) struct Measured<'a> {
    ranks: Vec<&'a Json>,
}

impl<'a> Measured<'a> {
    /// Takes the answers of all ranks.
    ///
    /// *Errors*: there are not as many as were asked for.
    pub(super) fn of(said: &'a Json, expected: i64) -> Result<Self, String> {
        let ranks: Vec<&Json> =
            said.get("ranks").and_then(Json::as_array).into_iter().flatten().collect();
        if i64::try_from(ranks.len()) != Ok(expected) {
            return Err(format!("{} ranks answered, expected {expected}", ranks.len()));
        }
        Ok(Self { ranks })
    }

    /// Adds every field of the measurement.
    pub(super) fn add(&self, seen: Observation) -> Observation {
        let alone = self.chosen(|rank| rank.get("alone-seconds"), false);
        let together = self.chosen(|rank| rank.get("together-seconds"), true);
        let speed_up = alone.as_ref().map_err(Clone::clone).and_then(|alone| {
            let together = together.as_ref().map_err(Clone::clone)?;
            let one = quantile(alone, 0.5);
            Ok(together.iter().map(|seconds| one / seconds).collect())
        });
        let scaled = |samples: Result<Vec<f64>, String>, factor: f64| {
            samples.map(|all| all.into_iter().map(|sample| sample * factor).collect())
        };
        let seen = metric(seen, "alone", "ms", Direction::LowerIsBetter, scaled(alone, 1e3));
        let seen = metric(seen, "together", "ms", Direction::LowerIsBetter, scaled(together, 1e3));
        let seen = metric(seen, "speed-up", "x", Direction::HigherIsBetter, speed_up);
        metric(seen, "all-reduce", "GB/s", Direction::HigherIsBetter, self.bus())
            .fact("all-reduce-size", self.size())
            .fact("all-reduce-wrong", self.sum("/all-reduce/wrong"))
            .fact("differing", self.differing())
            .fact("devices", self.devices())
    }

    /// Returns the samples of the slowest or the fastest rank, by the median. *Units*: s.
    fn chosen(
        &self,
        of: impl Fn(&'a Json) -> Option<&'a Json>,
        slowest: bool,
    ) -> Result<Vec<f64>, String> {
        let mut chosen: Option<(f64, Vec<f64>)> = None;
        for (at, rank) in self.ranks.iter().enumerate() {
            let samples = of(rank).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            let sound = |sample: &Json| sample.as_f64().filter(|seconds| *seconds > 0.0);
            let samples: Option<Vec<f64>> = samples.iter().map(sound).collect();
            let samples = samples.filter(|samples| !samples.is_empty());
            let samples = samples.ok_or_else(|| format!("rank {at} gives no times above zero"))?;
            let median = quantile(&samples, 0.5);
            let better = |known: f64| if slowest { median > known } else { median < known };
            if chosen.as_ref().is_none_or(|(known, _)| better(*known)) {
                chosen = Some((median, samples));
            }
        }
        chosen.map(|(_, samples)| samples).ok_or_else(|| "no rank answered".to_owned())
    }

    /// Returns the rate at which each byte had to travel. *Units*: GB/s.
    ///
    /// *Source*: nccl-tests, doc/PERFORMANCE.md: busbw = algbw x 2(n-1)/n.
    fn bus(&self) -> Result<Vec<f64>, String> {
        let bytes = self.bytes().ok_or("the ranks do not say how much they summed")?;
        let seconds = self.chosen(|rank| rank.pointer("/all-reduce/seconds"), true)?;
        #[expect(clippy::cast_precision_loss, reason = "2 to 8")]
        let ranks = self.ranks.len() as f64;
        let factor = 2.0 * (ranks - 1.0) / ranks;
        Ok(seconds.iter().map(|seconds| bytes / seconds * factor / 1e9).collect())
    }

    /// Returns the size that all summed; nothing where they differ. *Units*: B.
    fn bytes(&self) -> Option<f64> {
        let mut all = self.ranks.iter().map(|rank| rank.pointer("/all-reduce/bytes")?.as_u64());
        let first = all.next()?.filter(|bytes| *bytes > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "at most 1 GiB was asked for")]
        let bytes = first as f64;
        all.all(|bytes| bytes == Some(first)).then_some(bytes)
    }

    fn size(&self) -> Value {
        let size = self.bytes().and_then(|bytes| Quantity::of(bytes, "B").ok());
        let why = "the ranks do not say how much they summed";
        size.map_or_else(|| Value::Unreadable(why.to_owned()), Value::Quantity)
    }

    /// Adds a count of all ranks up.
    fn sum(&self, at: &str) -> Value {
        let count = |rank: &&Json| rank.pointer(at)?.as_i64().filter(|count| *count >= 0);
        let all: Option<Vec<i64>> = self.ranks.iter().map(count).collect();
        let sum = all.and_then(|all| all.iter().try_fold(0_i64, |sum, n| sum.checked_add(*n)));
        let why = || Value::Unreadable(format!("a rank does not say how many ({at})"));
        sum.map_or_else(why, Value::Integer)
    }

    /// Counts elements that differ; a result of zeros alone is no result.
    fn differing(&self) -> Value {
        let number = |rank: &&Json, key: &str| rank.get(key)?.as_i64();
        let worked = |rank: &&Json| number(rank, "not-zero").is_some_and(|count| count > 0);
        if !self.ranks.iter().all(worked) {
            return Value::Unreadable("the result of a rank is empty or all zeros".to_owned());
        }
        self.sum("/differing")
    }

    fn devices(&self) -> Value {
        let name = |rank: &&Json| match rank.get("device").and_then(Json::as_str) {
            Some(name) => Value::text(name),
            None => Value::Unreadable("a rank does not name its device".to_owned()),
        };
        Value::List(self.ranks.iter().map(name).collect())
    }

    /// Names the type in which all computed, and the version of torch.
    pub(super) fn said(&self, key: &str) -> Option<&'a str> {
        self.ranks.first()?.get(key)?.as_str()
    }
}

fn metric(
    seen: Observation,
    field: &str,
    unit: &str,
    direction: Direction,
    samples: Result<Vec<f64>, String>,
) -> Observation {
    let built = samples.and_then(|samples| {
        let unit = Unit::parse(unit).ok_or("an unknown unit")?;
        Metric::new(unit, direction, samples).map_err(|error| error.to_string())
    });
    match built {
        Ok(metric) => seen.metric(field, metric),
        Err(why) => seen.fact(field, Value::Unreadable(why)),
    }
}
