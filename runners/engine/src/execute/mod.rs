//! Execute: asks a node what its plan says, and reports every event as it happens.
//!
//! State checks go in waves: all that are ready, their equal asks gathered once, by a bounded pool.
//! Load checks go alone, a machine is asked by one node at a time ([`Floor`]). What a check is after decides whether it is asked at all. Order is that of
//! the plan, so that the same plan gives the same record.

mod conditions;
mod floor;
mod gather;
mod node;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Instant,
};

use verify_model::{event::Event, verdict::CheckKey};

pub use floor::Floor;
pub use gather::Gatherer;
pub use node::{More, Setting, run_more, run_node};

use crate::{session::Claims, transport::Cancel};

/// Hears of what happens while a node is asked.
pub trait Observer {
    /// Takes one event of the record.
    fn event(&mut self, event: Event);

    /// A check is about to be asked; for progress only.
    fn asking(&mut self, key: &CheckKey, effect: verify_model::effect::Effect);

    /// These checks are measured again, for they are not decided yet; for progress only.
    fn looking(&mut self, _open: &[&CheckKey]) {}

    /// A node has answered all that it will; for progress only.
    fn ended(&mut self, _node: &str) {}
}

/// Holds what all nodes of a run share.
#[derive(Clone, Debug)]
pub struct Context {
    /// Start of the run, for times in the record.
    pub started: Instant,
    /// The same, RFC 3339 in UTC; empty where nothing is compared.
    pub started_at: String,
    /// Whether the run shall end.
    pub cancel: Cancel,
    /// Whether the first failure ends the asking.
    pub fail_fast: bool,
    /// Whether a check failed that no waiver excuses, on any node.
    pub failed: Arc<AtomicBool>,
    /// Which machines are being asked at the moment.
    pub floor: Arc<Floor>,
    /// Which machines no other run may load meanwhile.
    pub claims: Claims,
}

impl Context {
    /// Begins a run.
    pub fn new(started: Instant, cancel: Cancel, fail_fast: bool) -> Self {
        let (failed, floor) = (Arc::default(), Arc::default());
        let claims = Claims::default();
        Self { started, started_at: String::new(), cancel, fail_fast, failed, floor, claims }
    }

    /// Keeps other runs from loading what this one loads.
    #[must_use]
    pub fn claiming(self, claims: Claims) -> Self {
        Self { claims, ..self }
    }

    /// Returns the time since the start. *Units*: ms.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Numbers the evidence of one node: no number is another node's, and the same plan gives the same
/// numbers, whichever node is faster.
#[derive(Clone, Debug)]
pub struct Ids {
    first: u32,
    step: u32,
    drawn: Arc<AtomicU32>,
}

impl Ids {
    /// Builds the numbers of the node at a place among so many nodes.
    pub fn new(place: usize, nodes: usize) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self { first: number(place), step: number(nodes.max(1)), drawn: Arc::default() }
    }

    /// Draws some numbers; returns the place of the first one.
    fn draw(&self, count: usize) -> u32 {
        self.drawn.fetch_add(u32::try_from(count).unwrap_or(u32::MAX), Ordering::SeqCst)
    }

    /// Returns the number at a place.
    fn at(&self, place: u32) -> u32 {
        place.saturating_mul(self.step).saturating_add(self.first)
    }
}
