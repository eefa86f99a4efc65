//! The limit of a metric, from how far runs lie apart.
//!
//! A run is one value, the median of its repeats. The limit lies as far from their median as the smallest
//! change that three new runs against these show for certain: (3.72 + 1.645) s sqrt(1/n + 1/3), with s
//! the standard deviation of the logarithms of n runs. A metric that scatters more than that is worth
//! gets none.
//!
//! *Source*: `statistics.md`, section 14: 1 % false alarms over 50 metrics, 95 % power.

use verify_model::{
    metric::{Direction, quantile},
    observation::Observation,
    quantity::Quantity,
    unit::Unit,
    value::Value,
};

/// Fewest runs of which a limit is taken.
pub const FEWEST_RUNS: usize = 5;
/// New runs with which the limit is thought to be compared.
const NEW_RUNS: f64 = 3.0;
/// What a certain change takes, in standard deviations of a difference.
const CERTAIN: f64 = 3.72 + 1.645;
/// Tolerances that are proposed. *Units*: %.
const STEPS: &[f64] = &[1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0];

/// Holds a proposed limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Matcher, `at-least` or `at-most`.
    pub matcher: &'static str,
    /// Limit.
    pub value: String,
    /// Tolerance that it follows from. *Units*: %.
    pub within: f64,
    /// Median of the runs.
    pub centre: Quantity,
    /// Standard deviation of the logarithms. *Units*: %.
    pub spread: f64,
    /// Number of runs.
    pub runs: usize,
}

/// Proposes the limit of a field.
///
/// *Errors*: why there is none, in one phrase.
pub fn limit(path: &str, seen: &[Vec<&Observation>]) -> Result<Limit, String> {
    let newest = seen.last().and_then(|repeats| repeats.first()).ok_or("no answer")?;
    let direction = newest.metric_at(path).ok_or("it was not measured")?.direction();
    let runs = seen.len();
    if runs < FEWEST_RUNS {
        let missing = FEWEST_RUNS - runs;
        return Err(format!(
            "{runs} of {FEWEST_RUNS} runs: {missing} more, then a limit is proposed"
        ));
    }
    let (unit, values) = values(path, seen)?;
    let matcher = match direction {
        Direction::HigherIsBetter => "at-least",
        Direction::LowerIsBetter => "at-most",
        Direction::Neutral => return Err("neither more nor less of it is better".to_owned()),
    };
    if values.iter().any(|value| *value <= 0.0) {
        return Err("zero or less has no share of itself".to_owned());
    }
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let count = real(runs);
    let mean = logs.iter().sum::<f64>() / count;
    let spread = (logs.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let shift = CERTAIN * spread * (1.0 / count + 1.0 / NEW_RUNS).sqrt();
    let within = shift.exp_m1() * 100.0;
    let Some(within) = STEPS.iter().copied().find(|step| within <= *step) else {
        return Err(format!(
            "it scatters by {} %, too much for a limit: {} % would be tolerated",
            rounded(spread * 100.0),
            rounded(within)
        ));
    };
    let median = quantile(&values, 0.5);
    let factor = 1.0 + within / 100.0;
    // Runs that were seen hold, however few of them lie far out.
    let value = match direction {
        Direction::HigherIsBetter => values.iter().copied().fold(median / factor, f64::min),
        _ => values.iter().copied().fold(median * factor, f64::max),
    };
    let value = lenient(value, direction == Direction::HigherIsBetter);
    Ok(Limit {
        matcher,
        value: format!("{value} {}", unit.symbol()).trim_end().to_owned(),
        within,
        centre: Quantity::new(median, unit).map_err(|error| error.to_string())?,
        spread: spread * 100.0,
        runs,
    })
}

/// Returns one value a run, all in the unit of the newest.
fn values(path: &str, seen: &[Vec<&Observation>]) -> Result<(Unit, Vec<f64>), String> {
    let mut quantities: Vec<Vec<Quantity>> = Vec::new();
    for repeats in seen {
        let mut own = Vec::new();
        for observation in repeats {
            match observation.resolve(path) {
                Value::Quantity(quantity) => own.push(quantity),
                _ => return Err("it was not measured in every run".to_owned()),
            }
        }
        quantities.push(own);
    }
    let unit = quantities.last().and_then(|own| own.first()).ok_or("no answer")?.unit();
    let mut values = Vec::new();
    for own in quantities {
        let own: Option<Vec<f64>> =
            own.into_iter().map(|quantity| quantity.to(unit).map(Quantity::value)).collect();
        let own = own.ok_or("its unit changed between runs")?;
        values.push(quantile(&own, 0.5));
    }
    Ok((unit, values))
}

/// Rounds to three digits, away from what was seen.
fn lenient(value: f64, down: bool) -> f64 {
    let step = 10_f64.powf(2.0 - value.abs().log10().floor());
    let rounded = if down { (value * step).floor() } else { (value * step).ceil() } / step;
    // What a power of ten cannot hold stays as it is.
    if rounded.is_finite() { rounded } else { value }
}

/// Rounds to two digits, for people.
pub(super) fn rounded(value: f64) -> String {
    verify_model::quantity::display_number((value * 100.0).round() / 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 runs")]
fn real(count: usize) -> f64 {
    count as f64
}
