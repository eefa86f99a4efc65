//! When metrics changed for good.

use verify_engine::history::{HistoryError, Index, Series};

use super::wanted::Metrics;

/// Shows changes.
pub(super) fn page(
    _index: &Index,
    _chosen: &[Series],
    _metrics: &Metrics<'_>,
    _ascii: bool,
) -> Result<String, HistoryError> {
    Ok(String::new())
}
