//! How a value stands to its baseline.
//!
//! Medians are compared for now; the statistics come later on the same files. Only what got worse
//! misses; where neither way is better, every change does. What cannot be compared is never judged.

use crate::{
    baseline::Baseline,
    check::Expectation,
    finding::{Finding, FindingCode},
    matcher::Matcher,
    metric::{Direction, Metric},
    observation::Observation,
    quantity::{Quantity, display_number},
    value::Value,
};

/// Says how a value stands to its baseline.
pub(crate) enum Compared {
    /// Not worse than is tolerated.
    Within,
    /// Worse; holds the baseline.
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

/// Returns which way a field is better; of a fact nobody says so.
pub(crate) fn direction(field: &str, seen: &[&Observation]) -> Direction {
    let metric = seen.iter().find_map(|o| o.metric_at(field));
    metric.map_or(Direction::Neutral, Metric::direction)
}

/// Returns by how much a value is worse than its baseline, as a share of it; better is negative.
///
/// *Errors*: why the two cannot be compared.
fn loss(observed: Quantity, baseline: &Baseline, direction: Direction) -> Result<f64, String> {
    if let Some(why) = &baseline.mismatch {
        return Err(why.clone());
    }
    if observed.dimension() != baseline.centre.dimension() {
        return Err(format!("its baseline is {}, of another kind", baseline.centre));
    }
    let (value, centre) = (observed.base(), baseline.centre.base());
    if centre == 0.0 && value != 0.0 {
        return Err("a share of its baseline, which is 0, says nothing".to_owned());
    }
    let worse = match direction {
        Direction::HigherIsBetter => centre - value,
        Direction::LowerIsBetter => value - centre,
        Direction::Neutral => (value - centre).abs(),
    };
    Ok(if centre == 0.0 { 0.0 } else { worse / centre.abs() })
}

/// Compares a value with its baseline.
pub(crate) fn within(
    value: &Value,
    tolerance: Quantity,
    baseline: Option<&Baseline>,
    direction: Direction,
) -> Compared {
    let Some(baseline) = baseline else { return Compared::NoBaseline };
    let Value::Quantity(observed) = value else { return Compared::NoQuantity };
    match loss(*observed, baseline, direction) {
        Ok(loss) if loss <= tolerance.base() * (1.0 + 1e-12) => Compared::Within,
        Ok(_) => Compared::Off(baseline.centre),
        Err(why) => Compared::NotComparable(why),
    }
}

/// Says that a value is better than its baseline by more than is tolerated the other way.
pub(crate) fn improvement(
    expectation: &Expectation,
    value: &Value,
    baseline: Option<&Baseline>,
    seen: &[&Observation],
) -> Option<Finding> {
    let (Value::Quantity(observed), Some(baseline)) = (value, baseline) else { return None };
    let tolerance = expectation.matchers.iter().find_map(|matcher| match matcher {
        Matcher::Within(tolerance) => Some(tolerance.base()),
        _ => None,
    })?;
    let loss = loss(*observed, baseline, direction(&expectation.field, seen)).ok()?;
    if loss >= -tolerance {
        return None;
    }
    let gain = display_number(-loss * 100.0);
    let message = format!(
        "`{}` is {}, {gain} % better than its baseline {}",
        expectation.field,
        value.shown(),
        baseline.centre
    );
    let mut finding = Finding::new(FindingCode::Improved, message);
    finding.field = Some(expectation.field.clone());
    Some(finding)
}
