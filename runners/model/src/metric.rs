//! A measured quantity: its samples, unit and direction.
//!
//! A metric always has at least one sample and every sample is finite; neither code nor a record
//! can build another one. The order of samples never matters to its summary.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    quantity::{Quantity, QuantityError},
    unit::Unit,
};

/// Name of the summary that says how far samples scatter.
pub const SPREAD: &str = "spread";
/// Unit of the spread.
pub const SPREAD_UNIT: &str = "x";
/// Fewest samples whose spread is compared. *Source*: `runners/model/STATISTICS.md`.
pub const SPREAD_SAMPLES: usize = 100;

/// Says which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// More is better, such as throughput.
    HigherIsBetter,
    /// Less is better, such as latency.
    LowerIsBetter,
    /// Neither: a change in any direction is a change.
    Neutral,
}

/// Holds the samples of one named quantity of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "RawMetric", into = "RawMetric")]
#[schemars(with = "RawMetric")]
pub struct Metric {
    unit: Unit,
    direction: Direction,
    samples: Vec<f64>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Metric")]
struct RawMetric {
    unit: String,
    direction: Direction,
    samples: Vec<f64>,
}

/// Says why samples do not make a metric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// There is no sample.
    #[error("a metric needs at least one sample")]
    NoSample,
    /// A sample or the unit is not usable.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
}

impl Metric {
    /// Builds a metric from samples in one unit.
    ///
    /// *Errors*: no sample, or one that is not finite.
    pub fn new(unit: Unit, direction: Direction, samples: Vec<f64>) -> Result<Self, MetricError> {
        if samples.is_empty() {
            return Err(MetricError::NoSample);
        }
        for sample in &samples {
            Quantity::new(*sample, unit)?;
        }
        Ok(Self { unit, direction, samples })
    }

    /// Returns the unit of all samples.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Returns which way is better.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns the samples in the order in which they were taken.
    pub fn samples(&self) -> &[f64] {
        &self.samples
    }

    /// Returns a summary by name: `median`, `min`, `max`, a percentile such as `p99` or `p99.9`, or
    /// `spread`, the logarithm of the third quartile over the first.
    ///
    /// *Units*: those of the metric; of the spread, [`SPREAD_UNIT`].
    ///
    /// *Source*: quantiles of type 7 (linear interpolation; the default of R and numpy).
    pub fn summary(&self, name: &str) -> Option<Quantity> {
        if name == SPREAD {
            let [first, third] = [0.25, 0.75].map(|at| quantile(&self.samples, at));
            let spread = (third / first).ln();
            return Quantity::of(spread, SPREAD_UNIT).ok().filter(|_| first > 0.0 && spread > 0.0);
        }
        let probability = match name {
            "median" => 0.5,
            "min" => 0.0,
            "max" => 1.0,
            other => {
                let percent: f64 = other.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0).contains(&percent).then_some(percent / 100.0)?
            }
        };
        Quantity::new(quantile(&self.samples, probability), self.unit).ok()
    }
}

/// Computes a type 7 quantile; the samples need not be sorted and must not be empty.
pub fn quantile(samples: &[f64], probability: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    #[expect(clippy::cast_precision_loss, reason = "no run has 2^53 samples")]
    let position = probability * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "position is within 0..=last"
    )]
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (position - position.floor())
}

impl TryFrom<RawMetric> for Metric {
    type Error = MetricError;

    fn try_from(raw: RawMetric) -> Result<Self, Self::Error> {
        let unit = Quantity::of(0.0, &raw.unit)?.unit();
        Self::new(unit, raw.direction, raw.samples)
    }
}

impl From<Metric> for RawMetric {
    fn from(metric: Metric) -> Self {
        Self {
            unit: metric.unit.symbol().to_owned(),
            direction: metric.direction,
            samples: metric.samples,
        }
    }
}
