//! `verify baseline accept`: what was taken, what was refused and why, what was written.

use std::fmt::Write as _;

use anyhow::bail;
use verify_engine::{
    baseline::{self, Acceptance, Change, Refused, Shelf, Taken},
    load::root::Root,
};
use verify_model::run::Run;
use verify_reports::clean::{block, one_line};

use super::{NAME, explained, run_of, shelf, validate, wanted};
use crate::{cli::AcceptArgs, output};

/// Longest reason. *Units*: characters.
const REASON: usize = 500;
/// Longest explanation of a refusal. *Units*: characters.
const WHY: usize = 300;

/// Accepts a run; returns the exit code.
pub(super) fn accept(root: &Root, args: &AcceptArgs) -> anyhow::Result<u8> {
    let reason = reason(&args.reason)?;
    let shelf = shelf(root)?;
    let run = run_of(root, &args.run)?;
    validate(&args.chosen.checks, run.checks.iter().map(|c| c.planned.check.id.as_str()))?;
    let proposal = baseline::propose(&run, wanted(&args.chosen.checks)?, args.allow_simulated);
    let acceptance = Acceptance {
        reason,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        new_epoch: args.new_epoch,
    };
    // Nothing is locked or created for a run of which nothing can be taken.
    let foreseen = baseline::change(&shelf, &proposal, &acceptance).map_err(explained)?;
    if foreseen.taken.is_empty() {
        nothing(&run, &foreseen.refused)?;
    }
    let change = if foreseen.ledgers.is_empty() {
        foreseen
    } else {
        baseline::accept(&shelf, &proposal, &acceptance).map_err(explained)?
    };
    output::print(&block(&report(root, &shelf, &run, &change)))?;
    Ok(0)
}

/// Reads a reason as one line.
///
/// *Errors*: it says nothing, or too much.
fn reason(text: &str) -> anyhow::Result<String> {
    let reason = one_line(text, usize::MAX);
    // Characters without width would be an empty reason, too.
    if !reason.chars().any(char::is_alphanumeric) {
        bail!("--reason is empty: say why these values are normal, for whoever reviews the change");
    }
    let length = reason.chars().count();
    if length > REASON {
        bail!("--reason has {length} characters: at most {REASON} are kept; say it shorter");
    }
    Ok(reason)
}

/// Says why nothing can be taken.
///
/// *Errors*: always.
fn nothing(run: &Run, refused: &[Refused]) -> anyhow::Result<()> {
    if refused.is_empty() {
        bail!(
            "run {} measured nothing that a baseline could keep: its checks read state only; `verify list checks` shows what loads",
            run.header.id
        );
    }
    output::say(refusals(refused).trim_end());
    bail!("nothing of run {} can be accepted, and nothing was changed", run.header.id);
}

fn report(root: &Root, shelf: &Shelf, run: &Run, change: &Change) -> String {
    let mut text = format!("root: {}\n", root.label());
    let new: usize = change.taken.iter().map(|taken| taken.new).sum();
    let _ = match new {
        0 => writeln!(text, "run {} was accepted before: nothing is new", run.header.id),
        _ => writeln!(text, "accepted of run {}:", run.header.id),
    };
    let id = |taken: &Taken| one_line(&taken.key.check, NAME);
    let width = change.taken.iter().map(|taken| id(taken).chars().count()).max().unwrap_or(0);
    for taken in change.taken.iter().filter(|taken| taken.new > 0) {
        let _ = writeln!(text, "  {}  {:<width$}  {}", taken.key.node, id(taken), units(taken));
    }
    if !change.refused.is_empty() {
        text += &refusals(&change.refused);
    }
    for (place, _) in &change.ledgers {
        let _ = writeln!(text, "wrote {}", shelf.summary_path(place).display());
        let _ = writeln!(text, "wrote {}", shelf.ledger_path(place).display());
    }
    text
}

fn units(taken: &Taken) -> String {
    let mut text = format!("{} unit{}", taken.new, if taken.new == 1 { "" } else { "s" });
    if taken.known > 0 {
        let _ = write!(text, ", {} known before", taken.known);
    }
    if taken.begins {
        text += ", an epoch begins";
    }
    text
}

/// Lists what is refused, for people.
pub(super) fn refusals(refused: &[Refused]) -> String {
    let mut text = "refused:\n".to_owned();
    for refusal in refused {
        let repeat = refusal.repeat.map_or_else(String::new, |n| format!(", repeat {n}"));
        let (node, check) = (&refusal.key.node, one_line(&refusal.key.check, NAME));
        let _ = writeln!(text, "  {node}  {check}{repeat}: {}", one_line(&refusal.why, WHY));
    }
    text
}
