//! All samples of a metric as an HdrHistogram: V2, deflated, base64, as HdrHistogram tools read it.
//!
//! Such a histogram counts whole numbers, so a sample is counted in steps that are fine for its
//! dimension; the step stands beside it. Three significant digits: 0.1 % whatever the value is. It
//! answers quantiles of merged units; the median of one unit is kept exactly elsewhere.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram as Counts,
    serialization::{Deserializer, Serializer, V2DeflateSerializer},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use verify_model::{
    metric::Metric,
    unit::{Dimension, Unit},
};

/// Significant decimal digits.
const DIGITS: u8 = 3;

/// Holds the encoded samples of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Histogram {
    /// What one count stands for, in the base unit of the dimension.
    pub step: f64,
    /// HdrHistogram V2, deflate, base64.
    pub v2: String,
}

/// Says why a histogram cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the histogram cannot be read: {0}")]
pub struct HistogramError(String);

/// Returns what one count stands for, in the base unit of the dimension.
///
/// *Source*: three digits hold from a thousand steps on, so a step is a thousandth of the smallest
/// value worth telling apart: 1 ns, 1 mW, one in a million.
fn step(dimension: Dimension) -> f64 {
    match dimension {
        Dimension::Time => 1e-12,
        Dimension::Ratio => 1e-9,
        Dimension::Power => 1e-6,
        Dimension::Data | Dimension::DataRate | Dimension::Frequency | Dimension::TransferRate => {
            1.0
        }
        Dimension::Temperature
        | Dimension::Count
        | Dimension::EventRate
        | Dimension::OperationRate
        | Dimension::TokenRate => 1e-3,
    }
}

impl Histogram {
    /// Counts the samples of a metric; `None` where one is negative or too great to be counted.
    pub fn of(metric: &Metric) -> Option<Self> {
        let unit = metric.unit();
        let step = step(unit.dimension());
        let mut counts: Counts<u64> = Counts::new(DIGITS).ok()?;
        for sample in metric.samples() {
            let steps = (unit.to_base(*sample) / step).round();
            // Above that, doubles are no longer whole steps; the histogram itself ends at 2^63.
            if !(0.0..9e18).contains(&steps) {
                return None;
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked just above"
            )]
            counts.record(steps as u64).ok()?;
        }
        Self::encode(&counts, step)
    }

    fn encode(counts: &Counts<u64>, step: f64) -> Option<Self> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(counts, &mut bytes).ok()?;
        Some(Self { step, v2: STANDARD.encode(bytes) })
    }

    fn decode(&self) -> Result<Counts<u64>, HistogramError> {
        let bytes = STANDARD.decode(&self.v2).map_err(|error| HistogramError(error.to_string()))?;
        let read = Deserializer::new().deserialize(&mut bytes.as_slice());
        read.map_err(|error| HistogramError(error.to_string()))
    }

    /// Returns how many samples it holds.
    ///
    /// *Errors*: it cannot be read.
    pub fn samples(&self) -> Result<u64, HistogramError> {
        Ok(self.decode()?.len())
    }

    /// Merges histograms that count in the same steps.
    ///
    /// *Errors*: one cannot be read, or the steps differ.
    pub fn merge<'h>(
        parts: impl IntoIterator<Item = &'h Self>,
    ) -> Result<Option<Self>, HistogramError> {
        let mut merged: Option<(Counts<u64>, f64)> = None;
        for part in parts {
            let counts = part.decode()?;
            match &mut merged {
                None => merged = Some((counts, part.step)),
                #[expect(clippy::float_cmp, reason = "steps come from one table")]
                Some((_, step)) if *step != part.step => {
                    let (one, other) = (*step, part.step);
                    return Err(HistogramError(format!("steps of {one} and {other} differ")));
                }
                Some((sum, _)) => {
                    sum.auto(true);
                    sum.add(counts).map_err(|error| HistogramError(error.to_string()))?;
                }
            }
        }
        Ok(merged.and_then(|(counts, step)| Self::encode(&counts, step)))
    }

    /// Returns how many samples it holds, and the value that each of the shares does not exceed: those
    /// for which there are enough samples, and the greatest value last.
    pub(super) fn shares(&self, unit: Unit, shares: &[f64]) -> Option<(u64, Vec<(f64, f64)>)> {
        let counts = self.decode().ok().filter(|counts| !counts.is_empty())?;
        #[expect(clippy::cast_precision_loss, reason = "three digits are kept")]
        let of = |steps: u64| unit.from_base(steps as f64 * self.step);
        #[expect(clippy::cast_precision_loss, reason = "no ledger has 2^53 samples")]
        let is_held = |share: &&f64| (1.0 - **share) * counts.len() as f64 >= 1.0;
        let value = |share: &f64| (*share, of(counts.value_at_quantile(*share)));
        let mut all: Vec<(f64, f64)> = shares.iter().filter(is_held).map(value).collect();
        all.push((1.0, of(counts.max())));
        Some((counts.len(), all))
    }

    /// Returns a summary by name (`median`, `min`, `max`, `p99.9`) in a unit.
    pub fn quantile(&self, name: &str, unit: Unit) -> Option<f64> {
        let probability = match name {
            "median" => 0.5,
            "min" => 0.0,
            "max" => 1.0,
            other => {
                let percent: f64 = other.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0).contains(&percent).then_some(percent / 100.0)?
            }
        };
        let counts = self.decode().ok().filter(|counts| !counts.is_empty())?;
        #[expect(clippy::cast_precision_loss, reason = "three digits are kept")]
        let steps = counts.value_at_quantile(probability) as f64;
        Some(unit.from_base(steps * self.step))
    }
}

#[cfg(test)]
mod tests {
    use verify_model::metric::Direction;

    use super::*;

    fn metric(unit: &str, samples: &[f64]) -> Metric {
        let unit = Unit::parse(unit).unwrap();
        Metric::new(unit, Direction::LowerIsBetter, samples.to_vec()).unwrap()
    }

    #[test]
    fn values_come_back_to_three_digits_in_every_unit() {
        for (unit, value) in [
            ("ns", 9.87),
            ("us", 1020.5),
            ("h", 3.25),
            ("GB/s", 52.12),
            ("%", 0.0123),
            ("°C", 65.4),
            ("W", 351.7),
            ("", 3.0),
            ("token/s", 41.27),
            ("x", 0.0),
        ] {
            let histogram = Histogram::of(&metric(unit, &[value])).unwrap();
            assert!(histogram.v2.starts_with("HISTF"), "{}", histogram.v2);
            let read = histogram.quantile("median", Unit::parse(unit).unwrap()).unwrap();
            assert!((read - value).abs() <= 1e-3 * value.abs(), "{unit}: {value} came as {read}");
        }
    }

    #[test]
    fn merged_units_hold_the_samples_of_all() {
        let parts = [metric("us", &[1.0, 2.0]), metric("us", &[1000.0]), metric("us", &[3.0])];
        let parts: Vec<Histogram> = parts.iter().map(|m| Histogram::of(m).unwrap()).collect();
        let merged = Histogram::merge(&parts).unwrap().unwrap();
        assert_eq!(merged.samples(), Ok(4));
        let us = Unit::parse("us").unwrap();
        let near = |name: &str, value: f64| {
            let read = merged.quantile(name, us).unwrap();
            assert!((read - value).abs() <= 1e-3 * value, "{name}: {read}");
        };
        near("min", 1.0);
        near("median", 2.0);
        near("max", 1000.0);
        assert_eq!(Histogram::merge([]), Ok(None));
    }

    #[test]
    fn what_cannot_be_counted_has_no_histogram_and_nonsense_is_refused() {
        assert_eq!(Histogram::of(&metric("°C", &[-1.0])), None);
        let broken = |v2: &str| Histogram { step: 1.0, v2: v2.to_owned() };
        for nonsense in ["", "HISTF", "not base64!", "SElTVEY="] {
            assert!(broken(nonsense).samples().is_err(), "{nonsense}");
            assert_eq!(broken(nonsense).quantile("median", Unit::parse("s").unwrap()), None);
        }
        let seconds = Histogram::of(&metric("s", &[1.0])).unwrap();
        let bytes = Histogram::of(&metric("B", &[1.0])).unwrap();
        assert!(Histogram::merge([&seconds, &bytes]).is_err());
    }
}
