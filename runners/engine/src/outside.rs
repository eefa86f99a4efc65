//! What reads text from outside and has no other way in: for the fuzz targets of `verify-fuzz`.
//!
//! No part of the interface; each is one call of what the engine itself calls.

use std::sync::Arc;

use verify_model::{ask::Ask, evidence::Captured};

use crate::{
    baseline::{self, Summary},
    load::diagnostic::{LoadError, Source},
    transport::shell_tried as shell,
};

/// Tells whether a summary says what was computed from its ledger.
///
/// *Errors*: every place where it does not.
pub fn agrees(said: &Arc<Source>, computed: &Summary) -> Result<(), LoadError> {
    baseline::agree(said, computed)
}

/// Returns the pieces of a framed stream that arrives in steps, and the noise before them.
pub fn pieces(nonce: &str, stream: &[u8], step: usize) -> (Vec<String>, String) {
    shell::pieces(nonce, stream, step)
}

/// Returns what is captured for an ask if both streams of a shell say this.
pub fn answered(nonce: &str, ask: &Ask, stream: &[u8]) -> Captured {
    shell::answered(nonce, ask, stream)
}
