//! How the samples of all accepted units of a metric are distributed, for the picture in a report.
//!
//! A few shares say it; nothing is judged by them. Units with few samples have no distribution worth
//! a picture, and a histogram that cannot be read is none: the ledger's own checks say so elsewhere.

use verify_model::baseline::Distribution;

use super::{histogram::Histogram, unit::Unit};

/// Fewest samples of a unit.
const FEWEST: usize = 20;
/// Shares that are kept, as far as there are samples for them.
const SHARES: [f64; 14] =
    [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999, 0.99999, 0.999_999];

/// Returns the distribution of the metric that a field is of.
pub(super) fn distribution(units: &[&Unit], field: &str) -> Option<Distribution> {
    let all: Vec<(&str, &Histogram)> =
        units.iter().filter_map(|unit| histogram(unit, field)).collect();
    let (unit, _) = *all.last()?;
    let same = all.iter().filter(|(other, _)| *other == unit).map(|(_, histogram)| *histogram);
    let merged = Histogram::merge(same).ok()??;
    let measure = verify_model::unit::Unit::parse(unit)?;
    let (samples, shares) = merged.shares(measure, &SHARES)?;
    Some(Distribution { unit: unit.to_owned(), samples, shares })
}

fn histogram<'u>(unit: &'u Unit, field: &str) -> Option<(&'u str, &'u Histogram)> {
    let (_, sampled) = unit.metrics.iter().find(|(name, _)| {
        let rest = field.strip_prefix(name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })?;
    let histogram = sampled.histogram.as_ref().filter(|_| sampled.n >= FEWEST)?;
    Some((&sampled.unit, histogram))
}
