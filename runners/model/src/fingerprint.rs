//! What a machine is made of, as it was gathered at the start of a run.
//!
//! One text for each field, named by a dotted path such as `cpu.microcode`. A field that was looked for
//! and not gathered is unknown, which is never a change. Which fields a metric depends on is its
//! probe's to say.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Holds the fields of one machine, by path; `None` is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Fingerprint(pub BTreeMap<String, Option<String>>);

impl Fingerprint {
    /// Tells whether nothing was looked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a field that is known.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path)?.as_deref()
    }
}
