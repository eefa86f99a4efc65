//! The course of a metric: earlier values by time, what was accepted as normal, where the level changed.
//!
//! The band is the accepted centre with the tolerance of the demand, or, where nothing is demanded, what
//! the middle half of the accepted units scatter. Places are equally wide, for runs come in bursts: the
//! days stand below. This run's value is the last one, and larger.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use verify_model::{
    baseline::Baseline,
    comparison::{Comparison, Standing},
    exit::Situation,
    outcome::Outcome,
    quantity::Quantity,
    run::{Run, RunCheck},
    trend::{Trend, TrendChange},
    unit::Unit,
    verdict::{Reading, Role},
};

use super::{
    Picture,
    axis::{Measure, Plot, Scale},
    mark::{Sample, Shape, legend, mark},
    svg::{Anchor, Svg, width_of},
};
use crate::{
    clean::one_line,
    sentence::{count, situation_of},
};

/// Most pictures of one check.
const PICTURES: usize = 4;
/// Fewest earlier values that make a course, where there is no baseline to see them beside.
const FEWEST: usize = 3;
/// Most values in one picture, the newest.
const POINTS: usize = verify_model::trend::POINTS;

/// Holds what is drawn, in the unit of the trend.
struct Course<'r> {
    trend: &'r Trend,
    unit: Unit,
    now: f64,
    /// Lower end, centre and upper end of what is normal; all one where the scatter is not known.
    normal: Option<(f64, f64, f64)>,
    /// Whether the accepted baseline is of something else.
    mismatch: bool,
    /// Whether this value missed its demand.
    missed: bool,
    /// Whether that is excused.
    waived: bool,
}

/// Draws the courses of the metrics of a check.
pub(super) fn of_check(run: &Run, check: &RunCheck) -> Vec<Picture> {
    let key = check.planned.key();
    let own = run.trends.iter().filter(|trend| trend.key == key);
    let courses = own.filter_map(|trend| course(run, check, trend));
    courses.take(PICTURES).map(|one| draw(run, check, &one)).collect()
}

fn course<'r>(run: &'r Run, check: &'r RunCheck, trend: &'r Trend) -> Option<Course<'r>> {
    let unit = Unit::parse(&trend.unit)?;
    let verdict = &check.verdict;
    let reading: &Reading = verdict.readings.iter().find(|one| one.field == trend.field)?;
    let now = reading.quantity?.to(unit)?.value();
    let finite = |value: f64| Quantity::new(value, unit).is_ok();
    if !trend.points.iter().all(|point| finite(point.value)) {
        return None;
    }
    let own = Baseline::of(&run.baselines, &check.planned.key());
    let accepted = own.iter().find(|one| one.field == trend.field);
    let baseline = accepted.filter(|one| one.mismatch.is_none());
    let compared = verdict.comparisons.iter().find(|one| one.field == trend.field);
    let normal = baseline.and_then(|baseline| normal(baseline, compared, unit));
    let fewest = if normal.is_some() { 1 } else { FEWEST };
    if trend.points.len() < fewest {
        return None;
    }
    let lost = compared.is_some_and(|c| c.demanded && c.standing == Standing::Regressed);
    let missed = verdict.readings.iter().any(|one| one.field == trend.field && is_missed(one));
    Some(Course {
        trend,
        unit,
        now,
        normal,
        mismatch: accepted.is_some() && baseline.is_none(),
        missed: missed || lost,
        waived: situation_of(run, check) == Situation::Waived,
    })
}

fn is_missed(reading: &Reading) -> bool {
    reading.role == Role::Expect && reading.held == Some(false)
}

fn normal(
    baseline: &Baseline,
    compared: Option<&Comparison>,
    unit: Unit,
) -> Option<(f64, f64, f64)> {
    let centre = baseline.centre.to(unit)?.value();
    let tolerance = compared.and_then(|compared| compared.tolerance);
    let half = match (tolerance, compared.is_some_and(|compared| compared.relative)) {
        (Some(share), true) => centre.abs() * share.base(),
        (Some(amount), false) => amount.to(unit)?.value(),
        (None, _) => {
            // A difference has no zero point, so only the scale of the unit counts.
            let scatter = |spread: Quantity| {
                let from = spread.unit();
                unit.from_base(from.to_base(spread.value())) - unit.from_base(from.to_base(0.0))
            };
            baseline.spread.map_or(0.0, scatter) / 2.0
        }
    };
    Some((centre - half, centre, centre + half))
}

fn day(seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).ok();
    let text = at.and_then(|at| at.format(&Rfc3339).ok());
    text.map_or_else(|| "?".to_owned(), |text| text.chars().take(10).collect())
}

fn draw(run: &Run, check: &RunCheck, course: &Course<'_>) -> Picture {
    let mut svg = Svg::default();
    let trend = course.trend;
    let field = one_line(&trend.field, 40);
    let key = [&check.planned.node, &check.planned.check.id, "trend", trend.field.as_str()];
    let note = if trend.simulated { " (simulated)" } else { "" };
    let title = format!("{field} over time{note}");
    let skipped = trend.points.len().saturating_sub(POINTS);
    let points = trend.points.get(skipped..).unwrap_or_default();
    let band = course.normal.map(|(low, centre, high)| [low, centre, high]);
    let values =
        || points.iter().map(|p| p.value).chain([course.now]).chain(band.into_iter().flatten());
    let measure = Measure::new(course.unit, values());
    let y = Scale::around(values().map(|value| measure.of(value)));
    #[expect(clippy::cast_precision_loss, reason = "thirty places")]
    let place = |at: usize| at as f64;
    let x = Scale::Linear(-0.7, place(points.len()) + 0.7);
    let plot = Plot { corner: (66.0, 24.0), size: (404.0, 150.0), x, y };
    if let Some((low, centre, high)) = course.normal {
        let [low, centre, high] = [low, centre, high].map(|value| plot.py(measure.of(value)));
        let (left, right) = (plot.corner.0, plot.right());
        svg.rect("band", (left, high), (right - left, low - high));
        svg.line("centre", (left, centre), (right, centre));
    }
    let name = measure.title("", y);
    plot.draw(&mut svg, (&[], ""), (&measure.ticks(y), name.trim_start_matches(", ")));
    for change in &trend.changes {
        let Some(at) = change.at.checked_sub(skipped).filter(|at| *at < points.len()) else {
            continue;
        };
        draw_change(&mut svg, &plot, place(at) - 0.5, change);
    }
    let line: Vec<(f64, f64)> =
        points.iter().enumerate().map(|(at, p)| plot.at(place(at), measure.of(p.value))).collect();
    let last = plot.at(place(points.len()), measure.of(course.now));
    let whole: Vec<(f64, f64)> = line.iter().copied().chain([last]).collect();
    svg.path("thin", &whole);
    for (point, at) in points.iter().zip(&line) {
        let words = format!(
            "{} on {}, {}, run {}",
            measure.words(point.value),
            day(point.at),
            point.outcome,
            point.run
        );
        svg.begin(&words);
        mark(&mut svg, mark_of(point.outcome), *at, 3.0);
        svg.end();
    }
    let own = if course.missed { (Shape::Diamond, "bad") } else { (Shape::Circle, "accent") };
    svg.begin(&format!("this run: {}", measure.words(course.now)));
    mark(&mut svg, own, last, 6.0);
    svg.end();
    days(&mut svg, &plot, points, &run.header.started_at);
    let bottom = legend(&mut svg, plot.bottom() + 26.0, &entries(course, own, points, &measure));
    let summary = summary(course, points.len(), &measure);
    svg.finish(&key, &title, &summary, bottom + 4.0)
}

fn mark_of(outcome: Outcome) -> (Shape, &'static str) {
    match outcome {
        Outcome::Pass => (Shape::Circle, "aside"),
        Outcome::Fail => (Shape::Diamond, "bad"),
        _ => (Shape::Cross, "muted"),
    }
}

fn draw_change(svg: &mut Svg, plot: &Plot, at: f64, change: &TrendChange) {
    let x = plot.px(at);
    let kind = if change.worse { "change broken" } else { "change" };
    svg.line(kind, (x, plot.corner.1), (x, plot.bottom()));
    let sure = if change.possible { "?" } else { "" };
    let word = if change.worse { "worse" } else { "better" };
    let words = format!("{:+.1} % {word}{sure}", (change.change * 100.0).clamp(-1e4, 1e4));
    let half = width_of(&words) / 2.0;
    let middle = x.clamp(plot.corner.0 + half, plot.right() - half);
    svg.text("tick", Anchor::Middle, (middle, plot.corner.1 - 4.0), &words);
}

/// Writes the first and the last day, and that of this run.
fn days(svg: &mut Svg, plot: &Plot, points: &[verify_model::trend::TrendPoint], started: &str) {
    let y = plot.bottom() + 17.0;
    if let Some(first) = points.first() {
        svg.text("tick", Anchor::Start, (plot.corner.0, y), &day(first.at));
    }
    let today: String = started.chars().take(10).collect();
    svg.text("tick", Anchor::End, (plot.right(), y), &format!("this run, {today}"));
}

fn entries(
    course: &Course<'_>,
    own: (Shape, &'static str),
    points: &[verify_model::trend::TrendPoint],
    measure: &Measure,
) -> Vec<(Sample, String)> {
    let missed = match (course.missed, course.waived) {
        (false, _) => "",
        (true, false) => ", missed its demand",
        (true, true) => ", missed its demand (waived)",
    };
    let now = measure.words(course.now);
    let mut entries = vec![(Sample::Mark(own), format!("this run, {now}{missed}"))];
    for (outcomes, word) in [
        (&[Outcome::Pass][..], "earlier, passed"),
        (&[Outcome::Fail], "earlier, failed"),
        (
            &[Outcome::Unjudged, Outcome::Error, Outcome::Skip, Outcome::Blocked],
            "earlier, not judged",
        ),
    ] {
        if let Some(point) = points.iter().find(|point| outcomes.contains(&point.outcome)) {
            entries.push((Sample::Mark(mark_of(point.outcome)), word.to_owned()));
        }
    }
    match course.normal {
        Some((low, _, high)) if low < high => {
            entries.push((Sample::Box("band", false), "accepted as normal".to_owned()));
        }
        Some(_) => entries.push((Sample::Line("centre"), "accepted as normal".to_owned())),
        None => {}
    }
    entries
}

fn summary(course: &Course<'_>, points: usize, measure: &Measure) -> String {
    let normal = match course.normal {
        None if course.mismatch => "what is accepted does not compare with it".to_owned(),
        None => "no baseline is accepted".to_owned(),
        Some((low, centre, high)) if low < high => {
            let (low, high) = (measure.words(low), measure.words(high));
            format!("normal is {}, from {low} to {high}", measure.words(centre))
        }
        Some((_, centre, _)) => {
            format!("normal is {}, and its scatter is not known", measure.words(centre))
        }
    };
    // Where none is named, nobody said that there is none: it takes enough values to look for one.
    let skipped = course.trend.points.len().saturating_sub(points);
    let drawn = |change: &&TrendChange| (skipped..skipped + points).contains(&change.at);
    let changes = match course.trend.changes.iter().filter(drawn).count() {
        0 => String::new(),
        number => format!("; {} of the level", count(number, "change")),
    };
    format!(
        "This run {} after {}; {normal}{changes}.",
        measure.words(course.now),
        count(points, "earlier value")
    )
}
