//! What travels between a run and a program of ours that answers a whole batch on a node.
//!
//! One line of JSON goes there. Back comes a frame for each ask, in any order, with one line of
//! JSON; a line that begins with the nonce is a mark. A document of another protocol is refused.

use serde::{Deserialize, Serialize};
use verify_model::{ask::Ask, evidence::Captured};

/// Names the form of the document.
pub(super) const PROTOCOL: &str = "verify-gather/1";

/// Holds a batch.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) protocol: String,
    /// What marks begin with.
    pub(super) nonce: String,
    /// Mark of the children, for the sweep.
    pub(super) mark: String,
    /// Asks by number.
    pub(super) asks: Vec<(usize, Ask)>,
}

/// Holds an answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    /// How long it took. *Units*: us.
    pub(super) us: u64,
    pub(super) captured: Captured,
}
