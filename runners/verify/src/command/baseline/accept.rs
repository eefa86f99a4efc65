//! `verify baseline accept`: what was taken, what was refused and why, what was written.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use verify_engine::{
    baseline::{self, Acceptance, Change, Proposal, Rebase, Refused, Shelf, Taken},
    load::{diagnostic::LoadError, root::Root},
    plan,
};
use verify_model::run::Run;
use verify_reports::clean::{block, one_line};

use verify_model::number_of;

use super::{NAME, diff, explained, reason, runs_of, shelf, validate, wanted};
use crate::{
    cli::{AcceptArgs, Accepted},
    output,
};

/// Longest explanation of a refusal. *Units*: characters.
const WHY: usize = 300;

/// Accepts runs; returns the exit code.
pub(super) fn accept(root: &Root, args: &AcceptArgs) -> anyhow::Result<u8> {
    if args.dry_run {
        return diff::show(root, &args.what);
    }
    let given = args.reason.as_deref().context("--reason is missing")?;
    let reason = reason(given)?;
    let shelf = shelf(root)?;
    let runs = runs_of(root, &args.what.runs)?;
    let proposal = propose(&runs, &args.what)?;
    let acceptance = Acceptance { reason, ..terms(&args.what)? };
    // Nothing is locked or created for a run of which nothing can be taken.
    let foreseen = baseline::change(&shelf, &proposal, &acceptance).map_err(explained)?;
    if foreseen.taken.is_empty() {
        nothing(&runs, &foreseen.refused)?;
    }
    let change = if foreseen.ledgers.is_empty() {
        foreseen
    } else {
        baseline::accept(&shelf, &proposal, &acceptance).map_err(explained)?
    };
    output::print(&block(&report(root, &shelf, &runs, &change)))?;
    Ok(0)
}

/// Chooses from runs what may become normal.
///
/// *Errors*: a pattern that is none, or that no check of any run matches.
pub(super) fn propose(runs: &[Run], what: &Accepted) -> anyhow::Result<Proposal> {
    let ids = runs.iter().flat_map(|run| run.checks.iter().map(|c| c.planned.check.id.as_str()));
    validate(&what.chosen.checks, ids.clone())?;
    let rebased: Vec<String> = globs_of(what).cloned().collect();
    validate(&rebased, ids)?;
    let wanted = wanted(&what.chosen.checks)?;
    let mut proposal = Proposal::default();
    for run in runs {
        proposal.add(baseline::propose(run, &wanted, what.allow_simulated));
    }
    Ok(proposal)
}

/// Reads the terms, without a reason.
///
/// *Errors*: a pattern that is none.
pub(super) fn terms(what: &Accepted) -> Result<Acceptance, LoadError> {
    let globs: Vec<String> = globs_of(what).cloned().collect();
    let rebase = match (what.rebase_anchor.is_empty(), globs.is_empty()) {
        (true, _) => Rebase::Never,
        (false, true) => Rebase::WhereWorse,
        (false, false) => Rebase::These(plan::globs(&globs)?),
    };
    Ok(Acceptance {
        reason: String::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        new_epoch: what.new_epoch,
        rebase,
    })
}

fn globs_of(what: &Accepted) -> impl Iterator<Item = &String> {
    what.rebase_anchor.iter().filter(|glob| !glob.is_empty())
}

/// Names runs.
pub(super) fn named(runs: &[Run]) -> String {
    match runs {
        [only] => format!("run {}", only.header.id),
        [first, .., last] => {
            format!("{} runs, {} to {}", runs.len(), first.header.id, last.header.id)
        }
        [] => "no run".to_owned(),
    }
}

/// Says why nothing can be taken.
///
/// *Errors*: always.
fn nothing(runs: &[Run], refused: &[Refused]) -> anyhow::Result<()> {
    let named = named(runs);
    if refused.is_empty() {
        bail!(
            "{named} measured nothing that a baseline could keep: checks that only read state have none; `verify list checks` shows what loads"
        );
    }
    output::say(refusals(refused).trim_end());
    bail!("nothing of {named} can be accepted, and nothing was changed");
}

fn report(root: &Root, shelf: &Shelf, runs: &[Run], change: &Change) -> String {
    let mut text = format!("root: {}\n", root.label());
    let new: usize = change.taken.iter().map(|taken| taken.new).sum();
    let _ = match new {
        0 => writeln!(text, "{}: accepted before, nothing is new", named(runs)),
        _ => writeln!(text, "accepted of {}:", named(runs)),
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

/// Says what becomes of the units of a check.
pub(super) fn units(taken: &Taken) -> String {
    let mut text = number_of(taken.new, "unit");
    if taken.known > 0 {
        let _ = write!(text, ", {} known before", taken.known);
    }
    if taken.rebased {
        text += ", the anchor and an epoch begin anew";
    } else if taken.begins {
        text += ", an epoch begins";
    }
    text
}

/// Lists what is refused, for people; runs are named where there are several.
pub(super) fn refusals(refused: &[Refused]) -> String {
    let mut text = "refused:\n".to_owned();
    let several = refused.windows(2).any(|pair| pair[0].run != pair[1].run);
    for refusal in refused {
        let Refused { key, run, repeat, metric, why } = refusal;
        let metric = metric.as_ref().map(|name| format!(", {}", one_line(name, NAME)));
        let repeat = repeat.map(|number| format!(", repeat {number}"));
        let run = several.then(|| format!(", run {run}"));
        let which: String = [metric, run, repeat].into_iter().flatten().collect();
        let (node, check) = (&key.node, one_line(&key.check, NAME));
        let _ = writeln!(text, "  {node}  {check}{which}: {}", one_line(why, WHY));
    }
    text
}
