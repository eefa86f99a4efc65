//! `verify baseline merge`: ledgers brought together, summaries written from them anew.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use verify_engine::{
    baseline::{Ledger, Place},
    load::root::Root,
};

use verify_model::number_of;

use super::{explained, shelf};
use crate::{cli::MergeArgs, output};

/// Merges or repairs.
pub(super) fn merge(root: &Root, args: &MergeArgs) -> anyhow::Result<u8> {
    let shelf = shelf(root)?;
    let mut text = format!("root: {}\n", root.label());
    let wanted = |place: &Place| {
        args.node.as_ref().is_none_or(|node| *node == place.node)
            && args.suite.as_ref().is_none_or(|suite| *suite == place.suite)
    };
    let mut places: Vec<Place> = shelf.places()?.into_iter().filter(wanted).collect();
    if let (Some(node), Some(suite), true) = (&args.node, &args.suite, places.is_empty())
        && !args.ledgers.is_empty()
    {
        if !root.nodes()?.contains_key(node) {
            bail!("no node is named `{node}`; `verify list nodes` lists them");
        }
        if !root.suites()?.contains_key(suite) {
            bail!("no suite is named `{suite}`; `verify list suites` lists them");
        }
        places.push(Place { node: node.clone(), suite: suite.clone() });
    }
    if places.is_empty() {
        bail!("there is no baseline like that below {}", shelf.dir().display());
    }
    let lock = shelf.lock().map_err(explained)?;
    let mut merged: Vec<(Place, Ledger)> = Vec::new();
    for place in places {
        let path = shelf.ledger_path(&place);
        let is_there = path.try_exists().with_context(|| format!("{}", path.display()))?;
        let mut ledger = match is_there {
            true => shelf.read_ledger(&path)?,
            // There is nothing to repair a summary from.
            false if args.ledgers.is_empty() => {
                bail!("{} is not there: restore it from version control", path.display())
            }
            false => Ledger::default(),
        };
        let mut new = 0;
        for path in &args.ledgers {
            let other = shelf.read_ledger(path)?;
            new += ledger.union(&other).with_context(|| {
                format!(
                    "cannot merge {}: decide which is right and take the other out",
                    path.display()
                )
            })?;
        }
        ledger.trim();
        let (node, suite) = (&place.node, &place.suite);
        let _ = writeln!(
            text,
            "{node}  {suite}: {} added, summary written from the ledger",
            number_of(new, "unit")
        );
        merged.push((place, ledger));
    }
    shelf.write(&lock, &merged).map_err(explained)?;
    output::print(&verify_reports::clean::block(&text))?;
    Ok(0)
}
