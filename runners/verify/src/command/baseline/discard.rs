//! `verify baseline drop`: units taken out, and how to get them back.
//!
//! What is dropped is gone from the files alone: they stand in version control, with the commit that
//! says why. The files of a place of which nothing is left stay, empty, so that both are replaced at once.

use std::fmt::Write as _;

use anyhow::bail;
use verify_engine::{
    baseline::{Ledger, Place, Unit},
    load::root::Root,
};
use verify_reports::clean::{block, one_line};

use verify_model::number_of;

use super::{NAME, explained, reason, sessions, shelf, validate, wanted};
use crate::{cli::DropArgs, output};

/// Fewest characters of an id that name a run.
const SHORTEST: usize = 4;

/// Takes units out; returns the exit code.
pub(super) fn discard(root: &Root, args: &DropArgs) -> anyhow::Result<u8> {
    if args.chosen.checks.is_empty() {
        bail!("nothing names what to drop: give --check GLOB; '*' means every check");
    }
    let reason = reason(&args.reason)?;
    let shelf = shelf(root)?;
    let matches = wanted(&args.chosen.checks)?;
    let is_meant = |place: &Place| {
        (args.nodes.is_empty() || args.nodes.contains(&place.node))
            && (args.suites.is_empty() || args.suites.contains(&place.suite))
    };
    let places: Vec<Place> = shelf.places()?.into_iter().filter(is_meant).collect();
    if places.is_empty() {
        bail!("there is no baseline like that below {}", shelf.dir().display());
    }
    let lock = shelf.lock().map_err(explained)?;
    let read = |place: Place| shelf.read_locked(&lock, &place).map(|ledger| (place, ledger));
    let ledgers = places.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<String> = ledgers
        .iter()
        .flat_map(|(_, ledger)| ledger.checks().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    validate(&args.chosen.checks, ids.iter().map(String::as_str))?;
    let mut text = format!("root: {}\ndropped: {reason}\n", root.label());
    let mut changed: Vec<(Place, Ledger)> = Vec::new();
    for (place, mut ledger) in ledgers {
        let checks: Vec<String> =
            ledger.checks().filter(|id| matches(id)).map(str::to_owned).collect();
        let before = changed.len();
        for check in &checks {
            let gone = removed(&mut ledger, check, args.run.as_deref())?;
            if !gone.is_empty() {
                write_gone(&mut text, &place, &ledger, &gone);
                changed.truncate(before);
                changed.push((place.clone(), ledger.clone()));
            }
        }
    }
    if changed.is_empty() {
        let run = args.run.as_deref().unwrap_or_default();
        bail!(
            "no unit of run {run} is accepted for these checks; `verify baseline show --json` lists runs"
        );
    }
    shelf.write(&lock, &changed).map_err(explained)?;
    let mut paths = Vec::new();
    for (place, _) in &changed {
        paths.extend([shelf.summary_path(place), shelf.ledger_path(place)]);
    }
    for path in &paths {
        let _ = writeln!(text, "wrote {}", path.display());
    }
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let _ = writeln!(text, "to get them back: git checkout -- {}", shown.join(" "));
    output::print(&block(&text))?;
    Ok(0)
}

/// Takes out the units of a check, or of one run of it.
///
/// *Errors*: a beginning that two runs share, or that is too short.
fn removed(ledger: &mut Ledger, check: &str, run: Option<&str>) -> anyhow::Result<Vec<Unit>> {
    let Some(begin) = run else { return Ok(ledger.remove(check, None)) };
    if begin.len() < SHORTEST {
        bail!("`{begin}` names no run: expected at least {SHORTEST} characters of its id");
    }
    let mut runs: Vec<String> = ledger.runs(check).map(str::to_owned).collect();
    runs.retain(|id| id.starts_with(begin));
    match runs.as_slice() {
        [] => Ok(Vec::new()),
        [only] => Ok(ledger.remove(check, Some(only))),
        [one, other, ..] => bail!("`{begin}` may be run {one} or {other}; write more of it"),
    }
}

fn write_gone(text: &mut String, place: &Place, left: &Ledger, gone: &[Unit]) {
    let Some(first) = gone.first() else { return };
    let units: Vec<&Unit> = gone.iter().collect();
    let mut runs: Vec<&str> = gone.iter().map(|unit| unit.run.as_str()).collect();
    runs.dedup();
    let remain = left.history(&first.check).map_or(0, |history| history.current.len());
    let remain =
        if remain == 0 { "none is left".to_owned() } else { format!("{remain} count still") };
    let _ = writeln!(
        text,
        "  {}  {}: {} of {}, {}; {remain}",
        place.node,
        one_line(&first.check, NAME),
        number_of(gone.len(), "unit"),
        number_of(sessions(&units), "session"),
        match runs.as_slice() {
            [only] => format!("run {only}"),
            all => format!("{} runs, {} to {}", all.len(), all[0], all[all.len() - 1]),
        }
    );
}
