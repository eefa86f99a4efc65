//! How a fact stands to its baseline: it has no noise, so one value is compared with one value.
//!
//! Nobody says which way a fact is better, so every change beyond the tolerance is one.

use crate::{
    baseline::Baseline,
    metric::{Direction, Metric, SPREAD},
    observation::Observation,
    quantity::Quantity,
    unit::Dimension,
    value::Value,
};

/// Says how a fact stands to its baseline.
pub(crate) enum Compared {
    /// As it was, as far as is tolerated.
    Within,
    /// Another; holds the baseline.
    Off(Quantity),
    /// There is none.
    NoBaseline,
    /// There is one of something else, in words.
    NotComparable(String),
    /// The value is not a quantity.
    NoQuantity,
}

/// Returns the centre of a baseline that may stand beside an answer.
pub(crate) fn comparable(baseline: Option<&Baseline>) -> Option<Quantity> {
    baseline.filter(|b| b.mismatch.is_none()).map(|b| b.centre)
}

/// Tells whether a field is the spread of a metric.
pub(crate) fn is_spread(field: &str) -> bool {
    field.rsplit_once('.').is_some_and(|(_, summary)| summary == SPREAD)
}

/// Returns which way a field is better; of a fact nobody says so.
pub(crate) fn direction(field: &str, seen: &[&Observation]) -> Direction {
    if is_spread(field) {
        return Direction::LowerIsBetter;
    }
    let metric = seen.iter().find_map(|o| o.metric_at(field));
    metric.map_or(Direction::Neutral, Metric::direction)
}

/// Compares a fact with its baseline.
pub(crate) fn within(value: &Value, tolerance: Quantity, baseline: Option<&Baseline>) -> Compared {
    let Some(baseline) = baseline else { return Compared::NoBaseline };
    let Value::Quantity(observed) = value else { return Compared::NoQuantity };
    match distance(*observed, baseline, tolerance.dimension() == Dimension::Ratio) {
        Ok(distance) if distance <= tolerance.difference() * (1.0 + 1e-12) => Compared::Within,
        Ok(_) => Compared::Off(baseline.centre),
        Err(why) => Compared::NotComparable(why),
    }
}

/// Returns how far a value is from its baseline: as a share of it, or in the base unit.
///
/// *Errors*: why the two cannot be compared.
fn distance(observed: Quantity, baseline: &Baseline, share: bool) -> Result<f64, String> {
    if let Some(why) = &baseline.mismatch {
        return Err(why.clone());
    }
    if observed.dimension() != baseline.centre.dimension() {
        return Err(format!("its baseline is {}, of another kind", baseline.centre));
    }
    let (value, centre) = (observed.base(), baseline.centre.base());
    let distance = (value - centre).abs();
    if !share || distance == 0.0 {
        return Ok(distance);
    }
    if centre == 0.0 {
        return Err("a share of its baseline, which is 0, says nothing".to_owned());
    }
    Ok(distance / centre.abs())
}
