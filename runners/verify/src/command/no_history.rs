//! `verify history` in a build without the index, as it is copied to nodes: a word, and nothing kept.

use std::path::Path;

use verify_engine::record::Store;
use verify_model::{event::Event, run::Run, trend::Trend};

use crate::cli::HistoryArgs;

/// Says that there is none.
///
/// *Errors*: always.
pub(crate) fn history(_args: &HistoryArgs) -> anyhow::Result<u8> {
    anyhow::bail!(
        "this verify was built without history, to be copied to nodes; use one that was built with it"
    )
}

/// Knows nothing of earlier runs.
#[derive(Debug, Default)]
pub(crate) struct Before {}

impl Before {
    /// Notes nothing.
    #[expect(clippy::unused_self, reason = "as in a build with the index")]
    pub(crate) fn hear(&mut self, _event: &Event) {}

    /// Says nothing.
    #[expect(clippy::unused_self, reason = "as in a build with the index")]
    pub(crate) fn told(self) -> Vec<Trend> {
        Vec::new()
    }
}

/// Keeps nothing.
pub(crate) fn keep(_run: &Run, _record: &Path) {}

/// Forgets nothing.
pub(crate) fn forget(_store: &Store, _ids: &[String]) {}
