//! Throughput by interval: whether a rate held all the time, or was the mean of fast and stalled.
//!
//! Out is a line with circles, in is a dashed one with squares; an interval of nothing has a word of
//! its own. The limit is that of the demand on the whole, for nothing is demanded of an interval.

use verify_model::{
    run::RunCheck,
    unit::{Dimension, Unit},
};

use super::{
    Picture,
    axis::{Measure, Plot, Scale, Tick},
    mark::{LINES, Sample, legend, mark, shape},
    source::{Found, found, limit, quantity},
    svg::{Anchor, Svg},
};
use crate::sentence::count;

/// What the names of such metrics end with.
const SUFFIX: &str = "-intervals";
/// Most intervals that are drawn one by one; of more, the least of some neighbours.
const INTERVALS: usize = 120;
/// Demands that hold for the whole, and words for them.
const WHOLES: [&str; 3] = ["throughput", "outbound", "inbound"];

/// Holds one direction.
struct Series<'r> {
    name: &'r str,
    unit: Unit,
    values: Vec<f64>,
}

/// Draws the intervals of a check that measured some.
pub(super) fn of_check(check: &RunCheck) -> Option<Picture> {
    let found = found(check)?;
    let last = found.last()?;
    let mut series: Vec<Series<'_>> = last
        .metrics
        .iter()
        .filter(|(_, metric)| metric.unit().dimension() == Dimension::DataRate)
        .filter_map(|(name, metric)| {
            let name = name.strip_suffix(SUFFIX)?;
            Some(Series { name, unit: metric.unit(), values: metric.samples().to_vec() })
        })
        .filter(|one| one.values.len() > 1)
        .collect();
    let unit = series.first()?.unit;
    series.retain(|one| one.unit == unit);
    series.truncate(LINES.len());
    // Out before in, as people say it.
    series.sort_by_key(|one| one.name.starts_with("in"));
    Some(draw(check, &found, unit, &series))
}

/// Says what is demanded of the whole, each direction in its own words.
fn demanded(check: &RunCheck, unit: Unit) -> Vec<(f64, String)> {
    let demands = check.planned.check.expect.iter();
    let own = demands.filter(|demand| WHOLES.contains(&demand.field.as_str()));
    let said = own.filter_map(|demand| {
        let (value, words) = limit(demand, unit)?;
        Some((value, format!("{} {words}", demand.field)))
    });
    said.collect()
}

/// Takes the least of neighbours, so that no stall is lost.
fn thinned(values: &[f64]) -> (Vec<f64>, usize) {
    let each = values.len().div_ceil(INTERVALS).max(1);
    let least = |some: &[f64]| some.iter().copied().fold(f64::INFINITY, f64::min);
    (values.chunks(each).map(least).collect(), each)
}

fn draw(check: &RunCheck, found: &Found<'_>, unit: Unit, series: &[Series<'_>]) -> Picture {
    let mut svg = Svg::default();
    let key = [&check.planned.node, &check.planned.check.id, "throughput"];
    let title = format!("Throughput, interval by interval{}", found.note);
    let demanded = demanded(check, unit);
    let ceiling = found.last().and_then(|last| quantity(last.facts.get("ceiling")?)?.to(unit));
    let ceiling = ceiling.map(verify_model::quantity::Quantity::value);
    let values = || series.iter().flat_map(|one| one.values.iter().copied());
    let beside = demanded.iter().map(|(value, _)| *value).chain(ceiling);
    let measure = Measure::new(unit, values().chain(beside.clone()));
    let y = Scale::from_zero(values().chain(beside).map(|value| measure.of(value)));
    let longest = series.iter().map(|one| one.values.len()).max().unwrap_or(1);
    #[expect(clippy::cast_precision_loss, reason = "no measurement has 2^53 intervals")]
    let place = |at: usize| at as f64 + 0.5;
    let x = Scale::Linear(0.0, place(longest) - 0.5);
    let plot = Plot { corner: (50.0, 24.0), size: (420.0, 170.0), x, y };
    let ticks: Vec<Tick> = x.values().into_iter().map(whole_tick).collect();
    let name = measure.title("", y);
    let name = name.trim_start_matches(", ");
    let each = if check.planned.check.probe == "iperf3" { "second" } else { "interval" };
    plot.draw(&mut svg, (&ticks, each), (&measure.ticks(y), name));
    if let Some(ceiling) = ceiling {
        let at = plot.py(measure.of(ceiling));
        svg.line("ceiling", (plot.corner.0, at), (plot.right(), at));
    }
    for (value, _) in &demanded {
        let at = plot.py(measure.of(*value));
        svg.line("limit", (plot.corner.0, at), (plot.right(), at));
    }
    let mut entries = Vec::new();
    for (kind, one) in series.iter().enumerate() {
        let (values, each) = thinned(&one.values);
        let points: Vec<(f64, f64)> = values
            .iter()
            .enumerate()
            .map(|(at, value)| plot.at(place(at * each + each / 2), measure.of(*value)))
            .collect();
        svg.path(LINES[kind % LINES.len()], &points);
        for (value, at) in values.iter().zip(points) {
            if *value > 0.0 {
                if values.len() <= 40 {
                    mark(&mut svg, shape(kind), at, 3.0);
                }
            } else {
                svg.circle("hollow bad", at, 5.0);
                svg.text("tick bad-text", Anchor::Middle, (at.0, at.1 - 8.0), "0");
            }
        }
        entries.push((Sample::Mark(shape(kind)), one.name.to_owned()));
    }
    if !demanded.is_empty() {
        let words: Vec<&str> = demanded.iter().map(|(_, words)| words.as_str()).collect();
        entries.push((Sample::Line("limit"), format!("limit: {}", words.join(", "))));
    }
    if let Some(ceiling) = ceiling {
        entries.push((
            Sample::Line("ceiling"),
            format!("the link's most: {}", measure.words(ceiling)),
        ));
    }
    let bottom = legend(&mut svg, plot.bottom() + 42.0, &entries);
    svg.finish(&key, &title, &summary(series, &measure), bottom + 4.0)
}

fn whole_tick(value: f64) -> Tick {
    let label = if value.fract() == 0.0 { format!("{value:.0}") } else { String::new() };
    Tick { value, label }
}

fn summary(series: &[Series<'_>], measure: &Measure) -> String {
    let each = series.iter().map(|one| {
        let least = one.values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = one.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let zeros = one.values.iter().filter(|value| **value <= 0.0).count();
        let zeros = match zeros {
            0 => String::new(),
            number => format!(", {} of nothing", count(number, "interval")),
        };
        format!(
            "{}: {}, from {} to {}{zeros}",
            one.name,
            count(one.values.len(), "interval"),
            measure.words(least),
            measure.words(most)
        )
    });
    format!("{}.", each.collect::<Vec<_>>().join("; "))
}
