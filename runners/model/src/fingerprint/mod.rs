//! What a machine is made of, as it was gathered at the start of a run.
//!
//! One text for each field, named by a dotted path such as `cpu.microcode`. A field that was looked
//! for and could not be read is unknown, which is never a change; what was looked for and is not
//! there is known to be [`NONE`], or its group counts one thing less. Which fields a metric depends
//! on is its probe's to say.

mod change;
mod group;
mod thing;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use change::{Change, Changes, changes, differences};
pub use group::{GROUPS, Group, Things, group, is_known};

/// Stands where a thing was looked for and is not there.
pub const NONE: &str = "none";

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

    /// Returns the fields that a metric depends on.
    #[must_use]
    pub fn of(&self, depends: &[Depends]) -> Self {
        let wanted = |path: &&String| depends.iter().any(|depends| depends.covers(path));
        let names: Vec<&String> = self.0.keys().filter(wanted).collect();
        Self(names.into_iter().map(|path| (path.clone(), self.0[path].clone())).collect())
    }
}

/// Says what a change of a field means for what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Part of the machine or of what is tested on it: compared all the same, and named beside the
    /// effect.
    Cause,
    /// What it is measured with: results across it are not comparable.
    Ruler,
}

impl Role {
    /// Names the role as the catalogue writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Ruler => "ruler",
        }
    }
}

/// Names fields that the metrics of a probe depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depends {
    /// Group such as `cpu`, or one field of it such as `tool.fio`.
    pub group: &'static str,
    /// What a change of it means.
    pub role: Role,
}

impl Depends {
    /// Names what is compared all the same.
    pub const fn cause(group: &'static str) -> Self {
        Self { group, role: Role::Cause }
    }

    /// Names what it is measured with.
    pub const fn ruler(group: &'static str) -> Self {
        Self { group, role: Role::Ruler }
    }

    /// Tells whether a path is one of the fields.
    pub fn covers(&self, path: &str) -> bool {
        path.strip_prefix(self.group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}
