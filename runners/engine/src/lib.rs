//! Everything between a suite file and a judged run: load, plan, execute, record.
//!
//! Reading order: [`load`] (files to a catalog), [`facts`] (what a node is), [`mod@plan`] (what is
//! asked), [`execute`] (asking), [`transport`] (where asks are answered), [`record`] (what is kept).
//! [`probe`] says how one kind of answer is got, and [`probes`] is the table of them.

pub mod baseline;
pub(crate) mod boot;
pub mod capability;
pub mod catalogue;
pub mod doctor;
pub mod execute;
pub mod facts;
#[cfg(feature = "faults")]
pub mod fault;
pub mod fingerprint;
pub mod gathered;
#[cfg(feature = "history")]
pub mod history;
pub mod learn;
pub mod listening;
pub mod load;
#[doc(hidden)]
pub mod outside;
pub mod parse;
pub mod plan;
pub mod probe;
pub mod probes;
pub mod python;
pub mod record;
pub mod redact;
pub mod scalar;
pub mod script;
pub mod session;
pub mod transport;
pub mod whole;
