//! `verify baseline diff`: a run beside what is normal, and what accepting it would change.

use std::fmt::Write as _;

use verify_engine::{
    baseline::{self, Acceptance, Centre, History, Place, Unit, centre, comparable},
    load::root::Root,
};
use verify_model::{metric::Direction, quantity::display_number};
use verify_reports::clean::{block, one_line};

use super::{NAME, accept::refusals, explained, run_of, shelf, validate, wanted};
use crate::{cli::DiffArgs, output};

/// Shows the difference.
pub(super) fn diff(root: &Root, args: &DiffArgs) -> anyhow::Result<u8> {
    let shelf = shelf(root)?;
    let run = run_of(root, &args.run)?;
    validate(&args.chosen.checks, run.checks.iter().map(|c| c.planned.check.id.as_str()))?;
    let proposal = baseline::propose(&run, wanted(&args.chosen.checks)?, false);
    let dry = Acceptance { reason: String::new(), version: String::new(), new_epoch: false };
    let change = baseline::change(&shelf, &proposal, &dry).map_err(explained)?;
    let mut text = format!("root: {}\nrun {} beside its baselines:\n", root.label(), run.header.id);
    let mut rows = Vec::new();
    for (place, units) in &proposal.units {
        rows.extend(rows_of(&shelf, place, units)?);
    }
    if rows.is_empty() && change.refused.is_empty() {
        text += "  it measured nothing that a baseline could keep\n";
    }
    text += &table(&rows);
    if !change.refused.is_empty() {
        text += &refusals(&change.refused);
    }
    let new: usize = change.taken.iter().map(|taken| taken.new).sum();
    let _ = match new {
        0 => writeln!(text, "accepting it would change nothing"),
        _ => writeln!(
            text,
            "accepting it would add {new} unit(s): verify baseline accept {}{} --reason TEXT",
            run.header.id,
            args.chosen
                .checks
                .iter()
                .flat_map(|glob| [" --check '", glob, "'"])
                .collect::<String>()
        ),
    };
    output::print(&block(&text))?;
    Ok(0)
}

type Row = [String; 5];

fn rows_of(shelf: &baseline::Shelf, place: &Place, units: &[Unit]) -> anyhow::Result<Vec<Row>> {
    let ledger = shelf.read(place)?;
    let mut rows = Vec::new();
    let mut checks: Vec<&str> = Vec::new();
    for unit in units {
        if checks.contains(&unit.check.as_str()) {
            continue;
        }
        checks.push(&unit.check);
        let own: Vec<&Unit> = units.iter().filter(|other| other.check == unit.check).collect();
        let history = ledger.history(&unit.check);
        let newest = history.as_ref().and_then(History::newest);
        // Why not, is said among what is refused.
        let is_comparable = newest.is_none_or(|newest| comparable(newest, unit).is_ok());
        for (field, direction) in unit.shown() {
            let Some(now) = centre(&own, &field) else { continue };
            let then = history.as_ref().and_then(|history| centre(&history.current, &field));
            let change = match then {
                None => String::new(),
                Some(then) if is_comparable => moved(then, now, direction),
                Some(_) => "not comparable".to_owned(),
            };
            rows.push([
                format!("{}  {}", place.node, one_line(&unit.check, NAME)),
                one_line(&field, NAME),
                then.map_or_else(|| "none yet".to_owned(), |then| then.centre.to_string()),
                now.centre.to_string(),
                change,
            ]);
        }
    }
    Ok(rows)
}

/// Says by how much a value moved, and whether that is better.
fn moved(then: Centre, now: Centre, direction: Option<Direction>) -> String {
    let (old, new) = (then.centre.base(), now.centre.base());
    if old == 0.0 {
        return String::new();
    }
    let share = (new - old) / old.abs();
    let word = match direction {
        _ if share == 0.0 => "",
        Some(Direction::HigherIsBetter) if share > 0.0 => " better",
        Some(Direction::LowerIsBetter) if share < 0.0 => " better",
        Some(Direction::HigherIsBetter | Direction::LowerIsBetter) => " worse",
        Some(Direction::Neutral) | None => "",
    };
    let sign = if share > 0.0 { "+" } else { "" };
    let percent = (share * 1000.0).round() / 10.0;
    format!("{sign}{} %{word}", display_number(percent))
}

fn table(rows: &[Row]) -> String {
    let head: Row = ["check", "field", "baseline", "run", "change"].map(str::to_owned);
    let width = |at: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[at].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    if rows.is_empty() {
        return text;
    }
    for row in std::iter::once(&head).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "  {}", line.trim_end());
    }
    text
}
