//! The rule that compares a new measurement with what was accepted as normal.
//!
//! All of it is a function of stored numbers: no clock, no random draw, no table made at run time, so a
//! verdict can be computed again years later. Values are y, the cost: it grows when things get worse
//! ([`Transform`]). Start with [`Question::estimate`], which says what was found, and
//! [`Estimate::word`], which says what that is called. It leaves out suites, units and text: those
//! who ask build the [`Question`] and say the answer in their words.
//!
//! *Source*: `runners/model/STATISTICS.md`, which also says how well it does.

mod beta;
mod class;
mod detectable;
mod drift;
mod estimate;
mod family;
mod gamma;
mod learn;
mod location;
mod quantile;
mod question;
mod ratchet;
mod schedule;
mod student;
mod transform;
mod word;

pub use class::{CLASSES, Class, Prior, class};
pub use detectable::LONGEST;
pub use drift::{Drift, Guard};
pub use estimate::Estimate;
pub use family::{Decision, adjusted, sequence};
pub use learn::{PriorFit, fit_prior, session_sd};
pub use location::Side;
pub use quantile::{harrell_davis, quantile_needs, spread};
pub use question::{Question, UnitKind};
pub use ratchet::both;
pub use schedule::{FIXED, FWER, Look, RUNS, SESSIONS, Schedule, look};
pub use student::Student;
pub use transform::{Scale, Transform, floor};
pub use word::{FEWEST_NEW_RUNS, Keys, Word};

/// Returns a number of things as a number to compute with.
#[expect(clippy::cast_precision_loss, reason = "nobody measures 2^53 times")]
fn real(count: usize) -> f64 {
    count as f64
}
