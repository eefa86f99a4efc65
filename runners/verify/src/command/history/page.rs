//! One metric over time: a line that shows its course, and a table.
//!
//! Where two values are not of one kind, a line across the table says what lies between them.

use std::fmt::Write as _;

use verify_engine::history::{HistoryError, Index, Known, Point, Series, Wanted, differences};
use verify_model::{metric::Direction, quantity::Quantity};
use verify_reports::clean::one_line;

use super::{
    NAME,
    draw::{rule, sparkline},
    nothing, when,
};

/// Characters of a run's id that are shown: those that hold its time.
pub(super) const ID: usize = 10;
/// Longest difference on a line of its own. *Units*: characters.
const WORDS: usize = 70;
/// Differences that are shown at one place; more are counted.
const MOST: usize = 8;

/// Shows metrics, one below the other.
pub(super) fn page(
    index: &Index,
    chosen: &[Series],
    wanted: &Wanted,
    ascii: bool,
) -> Result<String, HistoryError> {
    if chosen.is_empty() {
        return nothing(index);
    }
    let mut text = String::new();
    for (at, series) in chosen.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let known = index.points(series, wanted)?;
        let _ = writeln!(text, "{}", title(series, known.points.last()));
        if known.points.is_empty() {
            let _ = writeln!(text, "  no value");
        } else {
            write_course(&mut text, &known, ascii);
            write_table(&mut text, index, &known.points, ascii)?;
        }
        text += &left_out(&known);
    }
    Ok(text)
}

/// Names a metric, its unit and which way it is better.
pub(super) fn title(series: &Series, newest: Option<&Point>) -> String {
    let (check, field) = (one_line(&series.check, NAME), one_line(&series.field, NAME));
    let better = match newest.map(|point| point.direction) {
        Some(Direction::HigherIsBetter) => ", higher is better",
        Some(Direction::LowerIsBetter) => ", lower is better",
        Some(Direction::Neutral) | None => "",
    };
    format!("{check}:{field}  on {}{better}", one_line(&series.node, NAME))
}

/// Says what is not shown.
pub(super) fn left_out(known: &Known) -> String {
    if known.left_out.is_empty() {
        return String::new();
    }
    let counted: Vec<String> =
        known.left_out.iter().map(|(why, count)| format!("{count} {why}")).collect();
    format!("  left out: {} (--all shows them)\n", counted.join(", "))
}

fn write_course(text: &mut String, known: &Known, ascii: bool) {
    let Some(newest) = known.points.last() else { return };
    let dimension = newest.quantity.dimension();
    let mut segments: Vec<Vec<f64>> = Vec::new();
    let mut before: Option<&Point> = None;
    for point in known.points.iter().filter(|point| point.quantity.dimension() == dimension) {
        let joins = before.is_some_and(|before| before.is_comparable(point));
        let value = point.quantity.base();
        match segments.last_mut().filter(|_| joins) {
            Some(segment) => segment.push(value),
            None => segments.push(vec![value]),
        }
        before = Some(point);
    }
    let (drawn, each) = sparkline(&segments, ascii);
    let count: usize = segments.iter().map(Vec::len).sum();
    let all = || segments.iter().flatten().copied();
    let unit = newest.quantity.unit();
    let shown = |base: f64| {
        Quantity::new(unit.from_base(base), unit)
            .map_or_else(|_| "?".to_owned(), |quantity| quantity.humanized().to_string())
    };
    let low = shown(all().fold(f64::INFINITY, f64::min));
    let high = shown(all().fold(f64::NEG_INFINITY, f64::max));
    let range = if low == high { low } else { format!("{low} to {high}") };
    let newest = if known.more { "the newest " } else { "" };
    let values = if count == 1 { "1 value".to_owned() } else { format!("{newest}{count} values") };
    let marks = if each > 1 { format!(", a mark for {each}") } else { String::new() };
    let _ = writeln!(text, "  {drawn}\n  {range}, {values}{marks}");
}

fn write_table(
    text: &mut String,
    index: &Index,
    points: &[Point],
    ascii: bool,
) -> Result<(), HistoryError> {
    let _ = writeln!(text, "  {:<16}  {:<ID$}  {:>14}  outcome", "when (UTC)", "run", "value");
    let mut before: Option<&Point> = None;
    for point in points {
        if let Some(before) = before {
            for line in across(index, before, point)? {
                let _ = writeln!(text, "{}", rule(&line, ascii));
            }
        }
        let run: String = one_line(&point.run, NAME).chars().take(ID).collect();
        let value = point.quantity.humanized().to_string();
        let flag = point.flags.word().map_or(String::new(), |word| format!(", {word}"));
        let at = when(point.started_ms);
        let _ = writeln!(text, "  {at:<16}  {run:<ID$}  {value:>14}  {}{flag}", point.outcome);
        before = Some(point);
    }
    Ok(())
}

/// Says what lies between two values, a line each.
pub(super) fn across(
    index: &Index,
    before: &Point,
    after: &Point,
) -> Result<Vec<String>, HistoryError> {
    let all = differences(index, before, after)?;
    let more = all.len().saturating_sub(MOST);
    let mut lines: Vec<String> = all
        .iter()
        .take(MOST)
        .map(|one| {
            let shown = |value: &str| one_line(value, WORDS / 3);
            let name = one_line(&one.what, WORDS / 3);
            if one.before.is_empty() && one.after.is_empty() {
                return name;
            }
            format!("{name}: {} -> {}", shown(&one.before), shown(&one.after))
        })
        .collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Ok(lines)
}
