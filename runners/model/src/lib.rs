//! The nouns of `verify`, and its judgement.
//!
//! No I/O, no clock, no randomness: a verdict can be recomputed from a recorded run years later.
//! Start with [`check::Check`] (the question), [`observation::Attempt`] (the answer),
//! [`judge::judge`] and [`settle::settle`] (the verdict) and [`run::Run`] (the record).

pub mod ask;
pub mod baseline;
pub mod check;
pub mod comparison;
pub mod cpu_set;
pub mod effect;
pub mod event;
pub mod evidence;
pub mod exit;
mod expectation;
pub mod field;
pub mod finding;
pub mod fingerprint;
pub mod judge;
pub mod link;
pub mod matcher;
pub mod metric;
pub mod node;
mod number_of;
pub mod observation;
pub mod outcome;
pub mod quantity;
pub mod run;
pub mod settle;
pub mod statistics;
pub mod trend;
pub mod unit;
pub mod value;
pub mod verdict;
pub mod version;
pub mod waiver;

pub use number_of::number_of;
