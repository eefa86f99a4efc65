//! Makes the two sides of one comparison, or says why there can be none.

use super::{About, Comparison, Sides, exact, is_demanded, worse_up};
use crate::{
    baseline::{Baseline, Past},
    check::Expectation,
    finding::FindingCode,
    metric::{Direction, SPREAD_SAMPLES},
    observation::Observation,
    quantity::Quantity,
    statistics::{self, Question, Scale, Transform},
    unit::{Dimension, Unit},
    value::Value,
    verdict::Role,
};

/// Row of noise where the suite names none.
const UNKNOWN: &str = "unknown";
/// Change from which a first look is enough, unless the suite says otherwise. *Source*: a reboot or
/// another thermal state moves hardly anything by a fifth; the specification ships this value.
const DISASTER: f64 = 0.2;
/// The same on a linear scale. *Units*: tolerances.
const DISASTER_TOLERANCES: f64 = 10.0;

/// Least noise that is expected on a linear scale, as a share of the tolerance: the table speaks of
/// shares of a value, which may be zero here. Proposed; whoever sets a tolerance sets it above the noise.
const LINEAR_NOISE: f64 = 0.25;

/// Says what becomes of a demand that compares.
pub(crate) enum Built {
    /// It is decided with all others.
    Compared(Box<Comparison>),
    /// Every value is the same as every accepted one, so there is nothing to decide.
    Equal,
    /// It cannot be compared.
    Not(FindingCode, String),
}

/// Makes the comparison of a metric; `seen` are the attempts that count.
pub(crate) fn build(
    expectation: &Expectation,
    role: Role,
    seen: &[&Observation],
    baseline: &Baseline,
    tolerance: Quantity,
) -> Built {
    let not = |why: String| Built::Not(FindingCode::NotComparable, why);
    if let Some(why) = &baseline.mismatch {
        return not(why.clone());
    }
    let unit = baseline.centre.unit();
    let direction = exact::direction(&expectation.field, seen);
    let values = match values(&expectation.field, seen, unit) {
        Ok(values) => values,
        Err(why) => return not(why.replace("BASELINE", &baseline.centre.to_string())),
    };
    if let Some(why) = too_few_samples(&expectation.field, seen) {
        return Built::Not(FindingCode::TooFewSamples, why);
    }
    let sides = Values { now: &values, baseline };
    if sides.are_equal() && values.contains(&0.0) {
        return Built::Equal;
    }
    let scale = scale_of(tolerance);
    let Some(transform) = Transform::of(direction, scale) else {
        return not("no way of it is better, so a change is no loss".to_owned());
    };
    let built = sides_of(expectation, &sides, transform, tolerance, scale);
    let Some(mut sides) = built else {
        let own = unit.dimension() == Dimension::Ratio;
        let hint = if own { "" } else { ": give `within` in its unit" };
        return not(format!("a share of a value that is zero or less says nothing{hint}"));
    };
    sides.about = About {
        source: expectation.source.clone(),
        location: expectation.location.clone(),
        ..About::default()
    };
    Built::Compared(Box::new(Comparison {
        field: expectation.field.clone(),
        demanded: is_demanded(role),
        then: Some(baseline.centre),
        now: Quantity::new(crate::metric::quantile(&values, 0.5), unit).ok(),
        tolerance: Some(tolerance),
        relative: scale == Scale::Log,
        worse_up: worse_up(direction),
        class: expectation.comparing.class.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
        changed: baseline.changed.clone(),
        adjusted: 1.0,
        sides: Some(Box::new(sides)),
        ..Comparison::default()
    }))
}

/// Makes the question of a demand that compares, from accepted units and those that are to stand beside
/// them (`earlier` of the baseline); nothing where a value has no place on the scale.
pub fn question(
    expectation: &Expectation,
    direction: Direction,
    baseline: &Baseline,
    tolerance: Quantity,
) -> Option<(Question, Transform)> {
    let scale = scale_of(tolerance);
    let transform = Transform::of(direction, scale)?;
    let values = Values { now: &[], baseline };
    let sides = sides_of(expectation, &values, transform, tolerance, scale)?;
    Some((sides.current, transform))
}

fn scale_of(tolerance: Quantity) -> Scale {
    if tolerance.dimension() == Dimension::Ratio { Scale::Log } else { Scale::Linear }
}

/// Holds the numbers of both sides.
struct Values<'a> {
    now: &'a [f64],
    baseline: &'a Baseline,
}

impl Values<'_> {
    fn are_equal(&self) -> bool {
        let then = self.current();
        let others = [&then, &self.baseline.earlier, &self.baseline.anchor];
        let others = others.into_iter().flatten().map(|past| past.value);
        let mut all = self.now.iter().copied().chain(others);
        let first = all.next();
        all.all(|value| Some(value) == first)
    }

    /// Returns the accepted units; of an old record, its centre.
    fn current(&self) -> Vec<Past> {
        if self.baseline.current.is_empty() {
            return vec![Past { session: 1, value: self.baseline.centre.value() }];
        }
        self.baseline.current.clone()
    }
}

fn sides_of(
    expectation: &Expectation,
    values: &Values<'_>,
    transform: Transform,
    tolerance: Quantity,
    scale: Scale,
) -> Option<Sides> {
    let unit = values.baseline.centre.unit();
    let shift = |q: Quantity| match scale {
        Scale::Log => transform.tol(q.difference()),
        Scale::Linear => q.difference() / unit.scale(),
    };
    let comparing = &expectation.comparing;
    let class = comparing.class.as_deref().unwrap_or(UNKNOWN);
    let class = statistics::class(class).or_else(|| statistics::class(UNKNOWN))?;
    let tol = shift(tolerance);
    let mut prior = class.prior;
    if scale == Scale::Linear {
        let around = prior.around(values.baseline.centre.value());
        prior.s_run = around.s_run.max(tol * LINEAR_NOISE);
        prior.s_sess = around.s_sess.max(tol * LINEAR_NOISE / 2.0);
    }
    let resolution = comparing.resolution.and_then(|q| q.difference_in(unit));
    let floor = statistics::floor(resolution, values.baseline.centre.value(), scale);
    let sessions = |past: &[Past]| -> Option<Vec<Vec<f64>>> {
        let mut sessions: Vec<(u32, Vec<f64>)> = Vec::new();
        for unit in past {
            let y = transform.y(unit.value)?;
            match sessions.last_mut().filter(|(session, _)| *session == unit.session) {
                Some((_, units)) => units.push(y),
                None => sessions.push((unit.session, vec![y])),
            }
        }
        Some(sessions.into_iter().map(|(_, units)| units).collect())
    };
    // Units of this very session carry no number of their own.
    let own = values.now.iter().map(|value| Past { session: 0, value: *value });
    let new: Vec<Past> = values.baseline.earlier.iter().copied().chain(own).collect();
    let question = |past: &[Past]| {
        Some(Question {
            baseline: sessions(past)?,
            new: sessions(&new)?,
            prior,
            floor,
            tol,
            interleaved: false,
        })
    };
    let anchor = match values.baseline.anchor.as_slice() {
        [] => None,
        anchor => Some(question(anchor)?),
    };
    let disaster = match scale {
        Scale::Log => comparing.disaster.map_or(transform.tol(DISASTER), shift),
        Scale::Linear => comparing.disaster.map_or(DISASTER_TOLERANCES * tol, shift),
    };
    Some(Sides {
        current: question(&values.current())?,
        anchor,
        transform,
        learned: class.prior.learned,
        disaster,
        goal: comparing.detect.map(shift),
        about: About::default(),
    })
}

fn values(field: &str, seen: &[&Observation], unit: Unit) -> Result<Vec<f64>, String> {
    let value = |observation: &&Observation| match observation.resolve(field) {
        Value::Quantity(quantity) => match quantity.to(unit) {
            Some(same) => Ok(same.value()),
            None => Err(format!("its baseline is BASELINE, of another kind than {quantity}")),
        },
        other => Err(format!("one of its repeats is {other}")),
    };
    seen.iter().map(value).collect()
}

/// Says why a quantile of so few samples is none.
fn too_few_samples(field: &str, seen: &[&Observation]) -> Option<String> {
    let fewest = seen.iter().filter_map(|o| Some(o.metric_at(field)?.samples().len())).min()?;
    let (summary, needs) = if exact::is_spread(field) {
        ("spread".to_owned(), SPREAD_SAMPLES)
    } else {
        let (_, percent) = field.rsplit_once(".p")?;
        let quantile = percent.parse::<f64>().ok().filter(|percent| *percent > 50.0)? / 100.0;
        (format!("p{percent}"), statistics::quantile_needs(quantile))
    };
    (fewest < needs).then(|| {
        format!("the {summary} of {fewest} samples is too uncertain to compare: it needs {needs}")
    })
}
