//! `verify baseline`: what is normal, and who said so.
//!
//! `accept` is the only way in and `drop` the only way out; the other actions show, compare and repair.

mod accept;
mod diff;
mod discard;
mod merge;
mod show;

use std::path::Path;

use anyhow::Context as _;
use verify_engine::{
    baseline::{Shelf, ShelfError, sessions},
    load::{diagnostic::LoadError, root::Root},
    plan, record,
};
use verify_model::run::Run;
use verify_reports::clean::one_line;

use crate::{cli::BaselineAction, output::Lost, place};

/// Longest name of a machine, a check or a field on a page. *Units*: characters.
const NAME: usize = 200;
/// Longest reason. *Units*: characters.
const REASON: usize = 500;

/// Runs one action; returns its exit code.
pub(crate) fn baseline(root: Option<&Path>, action: &BaselineAction) -> anyhow::Result<u8> {
    let root = place::root(root)?;
    match action {
        BaselineAction::Accept(args) => accept::accept(&root, args),
        BaselineAction::Show(args) => show::show(&root, args),
        BaselineAction::Diff(args) => diff::diff(&root, args),
        BaselineAction::Drop(args) => discard::discard(&root, args),
        BaselineAction::Merge(args) => merge::merge(&root, args),
    }
}

/// Returns the folder of baselines.
///
/// *Errors*: nobody knows where it would be.
fn shelf(root: &Root) -> anyhow::Result<Shelf> {
    root.shelf().context(
        "no place for baselines: there is no root and neither XDG_CONFIG_HOME nor HOME is set; give one with --root DIR",
    )
}

/// Reads a run that asked only nodes which this root knows.
///
/// *Errors*: there is no such run, it is cut, or it asked another node.
fn run_of(root: &Root, name: &str) -> anyhow::Result<Run> {
    let run = record::read_whole(&place::store()?.find(name)?)?;
    let nodes = root.nodes()?;
    for node in &run.nodes {
        let name = &node.file.name;
        if !nodes.contains_key(name) {
            let known: Vec<&str> = nodes.keys().map(String::as_str).collect();
            anyhow::bail!(
                "run {} asked node {name}, which the root {} does not have (it has {}); choose another with --root DIR",
                run.header.id,
                root.label(),
                known.join(", ")
            );
        }
    }
    Ok(run)
}

/// Reads runs, each once, oldest first, whatever the order in which they were typed.
///
/// *Errors*: those of each of them.
fn runs_of(root: &Root, names: &[String]) -> anyhow::Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    for name in names {
        let run = run_of(root, name)?;
        if !runs.iter().any(|known| known.header.id == run.header.id) {
            runs.push(run);
        }
    }
    runs.sort_by(|one, other| one.header.id.cmp(&other.header.id));
    Ok(runs)
}

/// Reads a reason as one line.
///
/// *Errors*: it says nothing, or too much.
fn reason(text: &str) -> anyhow::Result<String> {
    let reason = one_line(text, usize::MAX);
    // Characters without width would be an empty reason, too.
    if !reason.chars().any(char::is_alphanumeric) {
        anyhow::bail!("--reason is empty: say why, for whoever reviews the change");
    }
    let length = reason.chars().count();
    if length > REASON {
        anyhow::bail!(
            "--reason has {length} characters: at most {REASON} are kept; say it shorter"
        );
    }
    Ok(reason)
}

/// Builds a filter of check ids.
///
/// *Errors*: a pattern that is none.
fn wanted(patterns: &[String]) -> Result<impl Fn(&str) -> bool, LoadError> {
    let globs = plan::globs(patterns)?;
    let everything = patterns.is_empty();
    Ok(move |id: &str| everything || globs.is_match(id))
}

/// Demands that every pattern means a check.
///
/// *Errors*: one matches none of the ids.
fn validate<'i>(
    patterns: &[String],
    ids: impl Iterator<Item = &'i str> + Clone,
) -> anyhow::Result<()> {
    for pattern in patterns {
        let globs = plan::globs(std::slice::from_ref(pattern))?;
        if !ids.clone().any(|id| globs.is_match(id)) {
            let known: std::collections::BTreeSet<&str> = ids.collect();
            let known: Vec<&str> = known.into_iter().collect();
            anyhow::bail!("no check here matches `{pattern}`; there are: {}", known.join(", "));
        }
    }
    Ok(())
}

/// Tells a disk that refuses from input that is wrong: the former is exit 3.
fn explained(error: ShelfError) -> anyhow::Error {
    let lost = match &error {
        ShelfError::Load(_) => None,
        ShelfError::Busy(_) => Some("the baseline was not accepted"),
        ShelfError::Io { .. } | ShelfError::Half { .. } => {
            Some("the baseline cannot be written (--root DIR names another place)")
        }
    };
    match (lost, error) {
        (_, ShelfError::Load(load)) => load.into(),
        (Some(what), error) => anyhow::Error::new(error).context(Lost(what.to_owned())),
        (None, error) => error.into(),
    }
}
