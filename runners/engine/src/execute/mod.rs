//! Execute: asks a node what its plan says, and reports every event as it happens.
//!
//! State checks go in waves: all that are ready, their equal asks gathered once, by a bounded pool.
//! Load checks go alone. What a check is after decides whether it is asked at all. Order is that of
//! the plan, so that the same plan gives the same record.

mod gather;
mod node;

use std::{sync::Arc, time::Instant};

use verify_model::{event::Event, verdict::CheckKey};

pub use gather::Gatherer;
pub use node::{Setting, run_node};

use crate::transport::Cancel;

/// Hears of what happens while a node is asked.
pub trait Observer {
    /// Takes one event of the record.
    fn event(&mut self, event: Event);

    /// A check is about to be asked; for progress only.
    fn asking(&mut self, key: &CheckKey, effect: verify_model::effect::Effect);
}

/// Holds what all nodes of a run share.
#[derive(Clone, Debug)]
pub struct Context {
    /// Start of the run, for times in the record.
    pub started: Instant,
    /// Whether the run shall end.
    pub cancel: Cancel,
    /// Next number of a piece of evidence.
    pub next_evidence: Arc<std::sync::atomic::AtomicU32>,
    /// Whether the first failure ends the asking.
    pub fail_fast: bool,
}

impl Context {
    /// Begins a run.
    pub fn new(started: Instant, cancel: Cancel, fail_fast: bool) -> Self {
        Self { started, cancel, next_evidence: Arc::default(), fail_fast }
    }

    /// Returns the time since the start. *Units*: ms.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
