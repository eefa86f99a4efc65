//! Latency by percentile: how slow the slowest share was, each nine as wide as the one before.
//!
//! *Source*: the axis of HdrHistogram's plots, 1/(1-p) by ratio. A curve ends where the samples do: with a
//! hundred there is no 99.9 %. What was accepted as normal lies behind, where the record holds it.

use std::fmt::Write as _;

use hdrhistogram::Histogram;
use verify_model::{
    baseline::Baseline,
    check::Expectation,
    metric::Direction,
    run::{Run, RunCheck},
    unit::{Dimension, Unit},
    value::Value,
};

use super::{
    Picture,
    axis::{Measure, Plot, Scale, Tick, nines},
    histogram,
    mark::{LINES, Sample, legend},
    source::{Found, found, limit, list, text},
    svg::{Anchor, Svg},
};
use crate::sentence::count;

/// Fewest samples of which a distribution says more than a number.
const FEWEST: usize = 20;
/// Most pictures of one check.
const PICTURES: usize = 4;
/// Most curves in one picture, the longest tails.
const CURVES: usize = 4;
/// Points of a curve.
const POINTS: u32 = 120;
/// Field of the instrument that holds histograms, and what one count is. *Units*: ps.
const RECORDED: &str = "histogram";

/// Holds one curve: where, in nines, and what.
struct Curve {
    label: String,
    samples: u64,
    points: Vec<(f64, f64)>,
    /// Median and 90 %, exactly; the points lie beside them.
    said: (f64, f64),
}

/// Holds the demands on points of a curve: nines, value, words.
type Limits = Vec<(f64, f64, String)>;

/// Draws what a check says of latencies.
pub(super) fn of_check(run: &Run, check: &RunCheck) -> Vec<Picture> {
    let Some(found) = found(check) else { return Vec::new() };
    let is_latency = |name: &str, unit: Unit| {
        let metric = found.last().and_then(|last| last.metrics.get(name));
        unit.dimension() == Dimension::Time
            && metric.is_some_and(|metric| metric.direction() == Direction::LowerIsBetter)
    };
    let mut pictures: Vec<Picture> = found
        .metrics()
        .into_iter()
        .filter(|(name, unit, samples)| samples.len() >= FEWEST && is_latency(name, *unit))
        .take(PICTURES)
        .map(|(name, unit, samples)| sampled(run, check, &found, name, unit, samples))
        .collect();
    pictures.extend(recorded(check, &found));
    pictures
}

#[expect(clippy::cast_precision_loss, reason = "no run has 2^53 samples")]
fn nines_of(samples: u64) -> f64 {
    (samples.max(1) as f64).log10()
}

fn places(end: f64) -> impl Iterator<Item = f64> {
    (0..=POINTS).map(move |at| end * f64::from(at) / f64::from(POINTS))
}

fn curve_of_samples(label: String, mut samples: Vec<f64>) -> Curve {
    samples.sort_by(f64::total_cmp);
    let number = u64::try_from(samples.len()).unwrap_or(u64::MAX);
    let end = nines_of(number);
    let last = samples.len().saturating_sub(1);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among the samples"
    )]
    let value = |nines: f64| {
        // Type 7, as all quantiles of verify; the last place is the maximum.
        let position = (1.0 - 10_f64.powf(-nines)) * last as f64;
        let low = samples[(position.floor() as usize).min(last)];
        let high = samples[(position.ceil() as usize).min(last)];
        low + (high - low) * position.fract()
    };
    let mut points: Vec<(f64, f64)> = places(end).map(|at| (at, value(at))).collect();
    points.push((end, samples[last]));
    let said = (value(2_f64.log10()), value(1.0));
    Curve { label, samples: number, points, said }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are kept")]
fn curve_of_counts(label: String, counts: &Histogram<u64>, unit: Unit) -> Curve {
    let end = nines_of(counts.len());
    let value = |steps: u64| unit.from_base(steps as f64 * 1e-12);
    let at = |nines: f64| value(counts.value_at_quantile(1.0 - 10_f64.powf(-nines)));
    let mut points: Vec<(f64, f64)> = places(end).map(|nines| (nines, at(nines))).collect();
    points.push((end, value(counts.max())));
    let said = (at(2_f64.log10()), at(1.0));
    Curve { label, samples: counts.len(), points, said }
}

fn behind(run: &Run, check: &RunCheck, name: &str, unit: Unit) -> Option<Curve> {
    let of_metric = |baseline: &&Baseline| {
        let rest = baseline.field.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let own = Baseline::of(&run.baselines, &check.planned.key());
    let compares = |baseline: &&Baseline| baseline.mismatch.is_none();
    own.iter().filter(of_metric).filter(compares).find_map(|baseline| {
        let known = baseline.distribution.as_ref()?;
        let end = nines_of(known.samples);
        let from = Unit::parse(&known.unit).filter(|from| from.dimension() == unit.dimension())?;
        let point = |(share, value): &(f64, f64)| {
            let nines = -(1.0 - share).max(1e-18).log10();
            (nines.min(end), unit.from_base(from.to_base(*value)))
        };
        let points: Vec<_> = known.shares.iter().map(point).collect();
        let label = format!("baseline, {} samples", known.samples);
        let said = (f64::NAN, f64::NAN);
        Some(Curve { label, samples: known.samples, points, said })
            .filter(|one| one.points.len() > 1)
    })
}

fn limits(check: &RunCheck, name: &str, unit: Unit) -> Limits {
    let of = |demand: &Expectation| {
        let rest = demand.field.strip_prefix(name)?;
        // The metric itself stands for its median.
        let point = if rest.is_empty() { "median" } else { rest.strip_prefix(['.', '-'])? };
        let nines = match point {
            "median" => 2_f64.log10(),
            "max" => f64::INFINITY,
            percent => {
                let percent: f64 = percent.strip_prefix('p')?.replace('-', ".").parse().ok()?;
                (0.0..100.0).contains(&percent).then(|| -(1.0 - percent / 100.0).log10())?
            }
        };
        let (value, words) = limit(demand, unit)?;
        Some((nines, value, words))
    };
    check.planned.check.expect.iter().filter_map(of).collect()
}

fn sampled(
    run: &Run,
    check: &RunCheck,
    found: &Found<'_>,
    name: &str,
    unit: Unit,
    samples: Vec<f64>,
) -> Picture {
    let curve = curve_of_samples("this run".to_owned(), samples);
    let repeats = found.attempts.len();
    let of = if repeats > 1 { format!(" of {repeats} repeats") } else { String::new() };
    let said = format!("{} samples{of}", curve.samples);
    let behind = behind(run, check, name, unit);
    let title = format!("{name} by percentile{}", found.note);
    let limits = limits(check, name, unit);
    draw(check, name, &title, &said, unit, &[curve], behind.as_ref(), &limits)
}

/// Draws the histograms that an instrument recorded, one curve a cpu.
fn recorded(check: &RunCheck, found: &Found<'_>) -> Option<Picture> {
    if check.planned.check.probe != "tsc" {
        return None;
    }
    let last = found.last()?;
    let texts = list(last.facts.get(RECORDED)?);
    let cpus: Vec<u32> = match last.facts.get("cpus") {
        Some(Value::Cpus(cpus)) => cpus.iter().collect(),
        _ => Vec::new(),
    };
    let unit = Unit::parse("us")?;
    let read: Vec<Option<Curve>> = texts
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let counts = histogram::read(text(one)?)?;
            let label =
                cpus.get(at).map_or_else(|| format!("no. {}", at + 1), |c| format!("cpu {c}"));
            Some(curve_of_counts(label, &counts, unit))
        })
        .collect();
    let broken = read.iter().filter(|one| one.is_none()).count();
    let mut curves: Vec<Curve> = read.into_iter().flatten().collect();
    if curves.is_empty() && broken == 0 {
        return None;
    }
    let all = curves.len();
    let longest = |curve: &Curve| curve.points.last().map_or(0.0, |(_, value)| *value);
    curves.sort_by(|one, other| longest(other).total_cmp(&longest(one)));
    curves.truncate(CURVES);
    let mut said = format!("Every iteration of the loop on {}", count(all, "cpu"));
    if all > CURVES {
        let _ = write!(said, ", of which the {CURVES} with the longest are drawn");
    }
    if broken > 0 {
        let _ = write!(said, "; {} cannot be read", count(broken, "histogram"));
    }
    let title = format!("Length of an iteration by percentile{}", found.note);
    Some(draw(check, RECORDED, &title, &said, unit, &curves, None, &Vec::new()))
}

#[expect(clippy::too_many_arguments, reason = "the one place where it is drawn")]
fn draw(
    check: &RunCheck,
    name: &str,
    title: &str,
    said: &str,
    unit: Unit,
    curves: &[Curve],
    behind: Option<&Curve>,
    limits: &Limits,
) -> Picture {
    let mut svg = Svg::default();
    let key = [&check.planned.node, &check.planned.check.id, "percentile", name];
    let Some(first) = curves.first() else {
        svg.text("label", Anchor::Start, (0.0, 20.0), "The recorded histogram cannot be read.");
        return svg.finish(&key, title, &format!("Nothing is drawn: {said}."), 32.0);
    };
    let shown = || curves.iter().chain(behind);
    let values = || shown().flat_map(|curve| curve.points.iter().map(|(_, value)| *value));
    let limit_values = || limits.iter().map(|(_, value, _)| *value);
    let measure = Measure::new(unit, values());
    let all: Vec<f64> = values().chain(limit_values()).map(|value| measure.of(value)).collect();
    let y = Scale::wide(all.iter().copied());
    let end =
        shown().filter_map(|curve| curve.points.last()).map(|(at, _)| *at).fold(1.0, f64::max);
    let plot = Plot { corner: (66.0, 24.0), size: (404.0, 190.0), x: Scale::Linear(0.0, end), y };
    let ticks: Vec<Tick> = (0..=20)
        .take_while(|nine| f64::from(*nine) <= end + 1e-9)
        .map(|nine| Tick { value: f64::from(nine), label: nines(nine) })
        .collect();
    let y_ticks = measure.ticks(y);
    let title_y = measure.title("at most", y);
    plot.draw(&mut svg, (&ticks, "share of samples"), (&y_ticks, &title_y));
    let line = |curve: &Curve| -> Vec<(f64, f64)> {
        curve.points.iter().map(|(at, value)| plot.at(*at, measure.of(*value))).collect()
    };
    let mut entries = Vec::new();
    if let Some(behind) = behind {
        svg.path("series behind", &line(behind));
        entries.push((Sample::Line("series behind"), behind.label.clone()));
    }
    for (at, curve) in curves.iter().enumerate() {
        let class = LINES[at % LINES.len()];
        svg.path(class, &line(curve));
        let most = curve.points.last().map_or(0.0, |(_, value)| *value);
        entries
            .push((Sample::Line(class), format!("{}, most {}", curve.label, measure.words(most))));
    }
    for (nines, value, words) in limits {
        let (x, y) = plot.at((*nines).min(end), measure.of(*value));
        svg.line("limit", (x - 22.0, y), ((x + 22.0).min(plot.right()), y));
        svg.text("tick", Anchor::Middle, (x.min(plot.right() - 40.0), y - 5.0), words);
    }
    let bottom = legend(&mut svg, plot.bottom() + 42.0, &entries);
    let most = first.points.last().map_or(0.0, |(_, value)| *value);
    let (median, ninety) = (measure.words(first.said.0), measure.words(first.said.1));
    let beside = if behind.is_some() { " The accepted baseline lies behind it." } else { "" };
    let summary = format!(
        "{said}: half are at most {median}, 90 % at most {ninety}, the slowest is {}.{beside}",
        measure.words(most)
    );
    svg.finish(&key, title, &summary, bottom + 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_and_ninety_are_those_of_the_samples_and_not_of_the_nearest_point() {
        let samples = [vec![10.0; 51], vec![1000.0; 49]].concat();
        let curve = curve_of_samples("this run".to_owned(), samples);
        assert!(curve.said.0 < 11.0 && curve.said.1 > 999.0, "{:?}", curve.said);
    }
}
