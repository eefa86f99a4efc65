//! `verify baseline diff`: runs beside what is normal, and what accepting them would change.

use std::fmt::Write as _;

use verify_engine::{
    baseline::{self, Centre, Change, History, Ledger, Place, Shelf, Unit, centre, comparable},
    load::root::Root,
};
use verify_model::{metric::Direction, number_of, quantity::display_number};
use verify_reports::clean::{block, one_line};

use super::{
    NAME,
    accept::{named, propose, refusals, terms, units},
    explained, runs_of, sessions, shelf,
};
use crate::{
    cli::{Accepted, DiffArgs},
    output,
};

/// Shows the difference.
pub(super) fn diff(root: &Root, args: &DiffArgs) -> anyhow::Result<u8> {
    show(root, &args.what)
}

/// Shows what accepting would change.
pub(super) fn show(root: &Root, what: &Accepted) -> anyhow::Result<u8> {
    let shelf = shelf(root)?;
    let runs = runs_of(root, &what.runs)?;
    let proposal = propose(&runs, what)?;
    let change = baseline::change(&shelf, &proposal, &terms(what)?).map_err(explained)?;
    let mut text = format!("root: {}\n{} beside the baselines:\n", root.label(), named(&runs));
    let mut rows = Vec::new();
    for (place, units) in &proposal.units {
        rows.extend(rows_of(&shelf, place, units)?);
    }
    if rows.is_empty() && change.refused.is_empty() {
        text += "  nothing was measured that a baseline could keep\n";
    }
    text += &table(&rows);
    if !change.refused.is_empty() {
        text += &refusals(&change.refused);
    }
    let new: usize = change.taken.iter().map(|taken| taken.new).sum();
    if new == 0 {
        text += "accepting would change nothing\n";
    } else {
        let _ = writeln!(text, "accepting would add {}:", number_of(new, "unit"));
        after(&mut text, &shelf, &change)?;
        let _ = writeln!(text, "accept: {}", command(what));
    }
    output::print(&block(&text))?;
    Ok(0)
}

/// Writes what each check is, and what it would be.
fn after(text: &mut String, shelf: &Shelf, change: &Change) -> anyhow::Result<()> {
    for taken in change.taken.iter().filter(|taken| taken.new > 0) {
        let key = &taken.key;
        let own = |(place, ledger): &&(Place, Ledger)| {
            place.node == key.node && ledger.history(&key.check).is_some()
        };
        let Some((place, ledger)) = change.ledgers.iter().find(own) else { continue };
        let old = shelf.read(place)?;
        let (then, now) = (old.history(&key.check), ledger.history(&key.check));
        let Some(now) = now else { continue };
        let was = then.as_ref().map_or(&[][..], |then| &then.current);
        let _ = writeln!(text, "  {}  {}: {}", key.node, one_line(&key.check, NAME), units(taken));
        let _ = writeln!(
            text,
            "    units {} -> {}, sessions {} -> {}",
            was.len(),
            now.current.len(),
            sessions(was),
            sessions(&now.current)
        );
        let Some(newest) = now.newest() else { continue };
        for (field, _) in newest.shown() {
            let Some(new) = centre(&now.current, &field) else { continue };
            let field = one_line(&field, NAME);
            let Some(old) = centre(was, &field) else {
                let _ = writeln!(text, "    {field}: {}, {}", new.centre, spread(new));
                continue;
            };
            let _ = writeln!(
                text,
                "    {field}: {} -> {}, {} -> {}",
                old.centre,
                new.centre,
                spread(old),
                spread(new)
            );
        }
    }
    Ok(())
}

/// Says how far units lie from each other.
fn spread(centre: Centre) -> String {
    centre.spread.map_or_else(
        || "spread not known".to_owned(),
        |spread| format!("middle half within {spread}"),
    )
}

/// Says what to type.
fn command(what: &Accepted) -> String {
    let mut text = format!("verify baseline accept {}", what.runs.join(" "));
    for glob in &what.chosen.checks {
        let _ = write!(text, " --check '{glob}'");
    }
    for glob in &what.rebase_anchor {
        text += " --rebase-anchor";
        if !glob.is_empty() {
            let _ = write!(text, " '{glob}'");
        }
    }
    for (flag, given) in
        [(" --new-epoch", what.new_epoch), (" --allow-simulated", what.allow_simulated)]
    {
        text += if given { flag } else { "" };
    }
    text + " --reason TEXT"
}

type Row = [String; 5];

fn rows_of(shelf: &Shelf, place: &Place, units: &[Unit]) -> anyhow::Result<Vec<Row>> {
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
