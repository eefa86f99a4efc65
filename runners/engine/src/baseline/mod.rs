//! What is normal: accepted baselines, from their files to what `judge` compares with.
//!
//! Reading order: `unit` (one line), `ledger` (all lines of a suite on a node), `summary` (what people
//! review) and its `comment`s, `witness` (the two agree), `shelf` (the files), `proposal` (from a run),
//! `accept` (into the files), `session` (which units belong together), `ratchet` (not worse than at
//! first), `compared` (for a plan), `earlier` (sessions that count beside a new one).

mod accept;
mod comment;
mod compared;
mod distribution;
mod earlier;
mod histogram;
mod ledger;
mod proposal;
mod ratchet;
mod session;
mod shelf;
mod summary;
mod unit;
mod witness;

pub use accept::{Acceptance, Change, Rebase, Taken, accept, change, comparable};
pub use compared::{Accepted, accepted};
pub use earlier::add_earlier;
pub use histogram::{Histogram, HistogramError};
pub use ledger::{ANCHOR_UNITS, CURRENT_UNITS, Conflict, EPOCHS, History, Ledger};
pub use proposal::{Compares, Proposal, Refused, propose};
pub use session::sessions;
pub use shelf::{BASELINES_DIR, Lock, MAX_LEDGER, Place, Shelf, ShelfError, is_plain};
pub use summary::{Centre, CheckSummary, MetricSummary, SUMMARY_FORMAT, Summary, centre};
pub use unit::{LEDGER_FORMAT, Sampled, Unit, UnitId, definition, metrics};
pub(crate) use witness::agree;
