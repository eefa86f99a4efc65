//! The run for CI systems: JUnit XML in two dialects, for no single file serves all its readers.
//!
//! `rich` carries properties, `file` and `line`; `strict` nothing that a validating reader refuses.
//! What both say (suites, cases, elements, words) is gathered once, in `suite` and `case`; a
//! dialect only writes it down.

mod case;
mod property;
mod rich;
mod strict;
mod suite;

pub(crate) use rich::Junit;
pub(crate) use strict::JunitStrict;

/// Bounds a value in an attribute. *Units*: characters.
const LONGEST_VALUE: usize = 400;
