//! `verify history`: what all recorded runs say of a metric.
//!
//! The index may be missing, damaged or out of reach: then it is made, kept aside, or built in memory
//! for this once, and one line on standard error says so. It is brought up to date before it is asked.

mod before;
mod changes;
mod draw;
mod export;
mod kept;
mod list;
mod page;
mod wanted;

use verify_engine::history::{HistoryError, Index};

use self::wanted::Metrics;
pub(crate) use self::{
    before::Before,
    kept::{forget, keep},
};
use crate::{
    cli::{HistoryAction, HistoryArgs},
    output, place,
};

/// Longest name of a machine, a check or a field on a page. *Units*: characters.
const NAME: usize = 60;

/// Runs one action; returns its exit code.
pub(crate) fn history(args: &HistoryArgs) -> anyhow::Result<u8> {
    let store = place::store()?;
    match &args.action {
        Some(HistoryAction::Rebuild) => return kept::rebuild(&store),
        Some(HistoryAction::Export(args)) => return export::export(&store, args),
        None => {}
    }
    let metrics = Metrics::of(&args.chosen)?;
    let ascii = args.ascii || !draw::is_utf8();
    let text = kept::with_index(&store, |index| {
        let chosen = metrics.chosen(index)?;
        if args.changes {
            changes::page(index, &chosen, &metrics)
        } else if args.chosen.metrics.is_empty() {
            list::page(index, &chosen, &metrics.wanted(None))
        } else {
            let last = usize::try_from(args.last).unwrap_or(usize::MAX);
            page::page(index, &chosen, &metrics.wanted(Some(last)), ascii)
        }
    })?;
    output::print(&text)?;
    Ok(0)
}

/// Says that there is nothing, and how there comes to be something.
fn nothing(index: &Index) -> Result<String, HistoryError> {
    Ok(match index.runs()? {
        0 => "no run is recorded yet; `verify` makes one\n".to_owned(),
        runs => format!("no check of the {runs} recorded runs gave a number\n"),
    })
}

/// Writes a time as people read it.
fn when(started_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(started_ms).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M").to_string()
}
