//! `verify history` in a build without the index, as it is copied to nodes: a word, and nothing kept.

use std::path::Path;

use verify_engine::record::Store;
use verify_model::run::Run;

use crate::cli::HistoryArgs;

/// Says that there is none.
///
/// *Errors*: always.
pub(crate) fn history(_args: &HistoryArgs) -> anyhow::Result<u8> {
    anyhow::bail!(
        "this verify was built without history, to be copied to nodes; use one that was built with it"
    )
}

/// Keeps nothing.
pub(crate) fn keep(_run: &Run, _record: &Path) {}

/// Forgets nothing.
pub(crate) fn forget(_store: &Store, _ids: &[String]) {}
