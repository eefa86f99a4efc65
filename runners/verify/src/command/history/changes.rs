//! When metrics changed for good, and what of the machine changed with them.

use std::fmt::Write as _;

use verify_engine::history::{
    Change, Course, HistoryError, Index, Known, MOST, Point, Series, course, places,
};
use verify_model::{quantity::display_number, statistics::UnitKind};
use verify_reports::clean::one_line;

use super::{
    NAME, nothing,
    page::{ID, across, left_out, title},
    wanted::Metrics,
    when,
};

/// Shows changes, then what did not change, then what nobody can say.
pub(super) fn page(
    index: &Index,
    chosen: &[Series],
    metrics: &Metrics<'_>,
) -> Result<String, HistoryError> {
    if chosen.is_empty() {
        return nothing(index);
    }
    let wanted = metrics.wanted(Some(MOST));
    let read = |series: &Series| index.points(series, &wanted);
    let known: Vec<Known> = chosen.iter().map(read).collect::<Result<_, _>>()?;
    // Many places of many metrics: the level is shared by all of them.
    let all = known.iter().map(|known| places(&known.points)).sum();
    let (mut changed, mut same, mut silent) = (String::new(), String::new(), String::new());
    for (series, known) in chosen.iter().zip(&known) {
        let name = name(series);
        match course(&known.points, all) {
            Course::NotJudged(why) => {
                let _ = writeln!(silent, "  {name}: {why}");
            }
            Course::Judged { changes, tolerance, assumed, detectable } => {
                let note = tolerated(tolerance, assumed);
                if changes.is_empty() {
                    let seen = detectable.map_or_else(
                        || "too few values to see one".to_owned(),
                        |share| format!("one of {} would show", percent(share)),
                    );
                    let count = known.points.len();
                    let _ = writeln!(same, "  {name}\n    {count} values, {seen}; {note}");
                } else {
                    let _ = writeln!(changed, "{}", title(series, known.points.last()));
                    for change in &changes {
                        write_change(&mut changed, index, &known.points, change)?;
                    }
                    let _ = writeln!(changed, "  {note}\n{}", left_out(known));
                }
            }
        }
    }
    let mut text = changed;
    section(&mut text, "no change:", &same);
    section(&mut text, "not judged:", &silent);
    Ok(format!("{}\n", text.trim_end()))
}

fn name(series: &Series) -> String {
    let (check, field) = (one_line(&series.check, NAME), one_line(&series.field, NAME));
    format!("{check}:{field}  on {}", one_line(&series.node, NAME))
}

fn section(text: &mut String, head: &str, lines: &str) {
    if !lines.is_empty() {
        let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
        let _ = write!(text, "{gap}{head}\n{lines}");
    }
}

fn write_change(
    text: &mut String,
    index: &Index,
    points: &[Point],
    change: &Change,
) -> Result<(), HistoryError> {
    let Some((before, after)) = change.at.checked_sub(1).and_then(|at| {
        let [before, after] = points.get(at..=at + 1)? else { return None };
        Some((before, after))
    }) else {
        return Ok(());
    };
    let word = if change.worse { "worse" } else { "better" };
    let sure = if change.possible { "possibly " } else { "" };
    let (low, high) = change.interval;
    let levels = (change.before.humanized(), change.after.humanized());
    let _ = writeln!(
        text,
        "  {sure}{word}: {} -> {}  {} [{}, {}]",
        levels.0,
        levels.1,
        signed(change.change),
        signed(low),
        signed(high)
    );
    let run: String = one_line(&after.run, NAME).chars().take(ID).collect();
    let _ = writeln!(text, "    since {}, run {run}", when(after.started_ms));
    let (old, new, kind) = change.units;
    let sessions = match kind {
        UnitKind::Session => format!(", {old} and {new} boots"),
        UnitKind::Run => String::new(),
    };
    let _ =
        writeln!(text, "    {} values before, {} since{sessions}", change.runs.0, change.runs.1);
    let differences = across(index, before, after)?;
    if differences.is_empty() {
        let _ = writeln!(
            text,
            "    nothing that is known of both runs beside it differs; `verify compare` looks wider"
        );
    }
    for line in differences {
        let _ = writeln!(text, "    changed there: {line}");
    }
    Ok(())
}

fn tolerated(tolerance: f64, assumed: bool) -> String {
    let share = percent(tolerance);
    if assumed {
        return format!(
            "the suite tolerates nothing, so {share}, the assumed\n    scatter of such values, stands for it"
        );
    }
    format!("tolerance {share}")
}

fn percent(share: f64) -> String {
    let rounded = (share * 1000.0).round() / 10.0;
    format!("{} %", display_number(rounded))
}

fn signed(share: f64) -> String {
    let sign = if share > 0.0 { "+" } else { "" };
    format!("{sign}{}", percent(share))
}
