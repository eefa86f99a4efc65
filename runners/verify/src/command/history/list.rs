//! Which metrics there are, with their last values.

use std::fmt::Write as _;

use verify_engine::history::{HistoryError, Index, Series, Wanted};
use verify_reports::clean::one_line;

use super::{NAME, nothing, when};

/// Lists metrics that have values of the wanted kind, check by check.
pub(super) fn page(
    index: &Index,
    chosen: &[Series],
    wanted: &Wanted,
) -> Result<String, HistoryError> {
    if chosen.is_empty() {
        return nothing(index);
    }
    let everything = wanted.machine.is_none() && wanted.since_ms.is_none();
    // Of all that there is, the last value and a count are enough.
    let wanted = if everything {
        Wanted { last: Some(1), all: true, ..Wanted::default() }
    } else {
        Wanted { machine: wanted.machine.clone(), ..*wanted }
    };
    let width = |series: &Series| one_line(&series.field, NAME).chars().count();
    let width = chosen.iter().map(width).max().unwrap_or_default().min(30);
    let mut text = String::new();
    let mut above: Option<(&str, &str)> = None;
    for series in chosen {
        let points = index.points(series, &wanted)?.points;
        if points.is_empty() {
            continue;
        }
        let head = (series.check.as_str(), series.node.as_str());
        if above != Some(head) {
            let gap = if above.is_some() { "\n" } else { "" };
            let (check, node) = (one_line(head.0, NAME), one_line(head.1, NAME));
            let _ = writeln!(text, "{gap}{check}  on {node}");
            above = Some(head);
        }
        let count = if everything { index.count(series)? } else { points.len() };
        let values = match count {
            1 => "1 value".to_owned(),
            count => format!("{count} values"),
        };
        let field = one_line(&series.field, NAME);
        for point in points.iter().rev().take(1) {
            let value = point.quantity.humanized().to_string();
            let flag = point.flags.word().map_or(String::new(), |word| format!(" {word}"));
            let at = when(point.started_ms);
            let _ = writeln!(text, "  {field:<width$}  {value:>14}{flag}  {at}  {values}");
        }
    }
    if text.is_empty() {
        return nothing(index);
    }
    Ok(text)
}
