//! What one fact about a node can be, its absence included.
//!
//! Three things are never mixed up: a value, "the node says there is none" (`Absent`, which can
//! fail a check) and "we could not read it" (`Unreadable`, which is an error). Neither of the last
//! two is ever a zero or an empty text.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{cpu_set::CpuSet, quantity::Quantity};

/// Holds one observed fact, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// A yes or no.
    Bool(bool),
    /// A whole number without a unit.
    Integer(i64),
    /// A text, as the node wrote it.
    Text(String),
    /// A number with a unit.
    Quantity(Quantity),
    /// A set of cpus.
    Cpus(CpuSet),
    /// Several values of one kind.
    List(Vec<Value>),
    /// Named values.
    Record(BTreeMap<String, Value>),
    /// The node answered that there is no such thing. Holds how it said so.
    Absent(String),
    /// The value could not be read. Holds why.
    Unreadable(String),
}

impl Value {
    /// Builds a text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Builds a record from pairs.
    pub fn record<const N: usize>(pairs: [(&str, Value); N]) -> Self {
        Self::Record(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    /// Follows a dotted path; a list on the way is walked element by element.
    ///
    /// A missing name gives `Unreadable`, for a probe must fill every field that it declares.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Value {
        let Some((name, rest)) = path.split_first() else {
            return self.clone();
        };
        match self {
            Self::Record(fields) => match fields.get(*name) {
                Some(value) => value.at(rest),
                None => Self::Unreadable(format!("the probe gave no `{name}`")),
            },
            Self::List(items) => Self::List(items.iter().map(|item| item.at(path)).collect()),
            Self::Absent(_) | Self::Unreadable(_) => self.clone(),
            _ => Self::Unreadable(format!("`{name}` does not exist in {self}")),
        }
    }

    /// Finds the first part that could not be read, however deep, and says why.
    pub fn unreadable(&self) -> Option<&str> {
        match self {
            Self::Unreadable(why) => Some(why),
            Self::List(items) => items.iter().find_map(Self::unreadable),
            Self::Record(fields) => fields.values().find_map(Self::unreadable),
            _ => None,
        }
    }

    /// Tells whether a part is absent, however deep.
    pub fn has_absent(&self) -> bool {
        match self {
            Self::Absent(_) => true,
            Self::List(items) => items.iter().any(Self::has_absent),
            Self::Record(fields) => fields.values().any(Self::has_absent),
            _ => false,
        }
    }

    /// Shows the value for people: a quantity in the unit in which it reads best.
    pub fn shown(&self) -> String {
        match self {
            Self::Quantity(quantity) => quantity.humanized().to_string(),
            other => other.to_string(),
        }
    }

    /// Shows the value beside a demand that it misses: with all its digits where rounding would
    /// make both look the same.
    pub fn shown_against(&self, demand: &str) -> String {
        let shown = self.shown();
        match self {
            Self::Quantity(quantity) if demand.contains(&shown) => {
                let quantity = quantity.humanized();
                format!("{} {}", quantity.value(), quantity.unit())
            }
            _ => shown,
        }
    }

    /// Tells whether a value is there: neither absent nor unreadable.
    pub fn is_present(&self) -> bool {
        !matches!(self, Self::Absent(_) | Self::Unreadable(_))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("yes"),
            Self::Bool(false) => f.write_str("no"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) if text.is_empty() => f.write_str("(empty)"),
            Self::Text(text) => f.write_str(text),
            Self::Quantity(quantity) => write!(f, "{quantity}"),
            Self::Cpus(cpus) => write!(f, "{cpus}"),
            Self::List(items) if items.is_empty() => f.write_str("none"),
            Self::List(items) => write_list(f, items),
            Self::Record(fields) => {
                let texts: Vec<String> = fields.iter().map(|(k, v)| format!("{k} {v}")).collect();
                write!(f, "{{{}}}", texts.join(", "))
            }
            Self::Absent(how) => write!(f, "absent ({how})"),
            Self::Unreadable(why) => write!(f, "unreadable ({why})"),
        }
    }
}

/// Shows a list with equal neighbours folded: `performance x16`.
fn write_list(f: &mut fmt::Formatter<'_>, items: &[Value]) -> fmt::Result {
    const SHOWN: usize = 12;
    let mut runs: Vec<(String, usize)> = Vec::new();
    for item in items {
        let text = item.to_string();
        match runs.last_mut() {
            Some((last, count)) if *last == text => *count += 1,
            _ => runs.push((text, 1)),
        }
    }
    let shown: Vec<String> = runs
        .iter()
        .take(SHOWN)
        .map(|(text, count)| if *count == 1 { text.clone() } else { format!("{text} x{count}") })
        .collect();
    f.write_str(&shown.join(", "))?;
    if runs.len() > SHOWN {
        write!(f, ", and {} more", runs.len() - SHOWN)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_that_rounds_to_the_limit_shows_all_its_digits() {
        let value = Value::Quantity("9.3999 Gbit/s".parse().unwrap());
        assert_eq!(value.shown(), "9.4 Gbit/s");
        assert_eq!(value.shown_against("at least 9.4 Gbit/s"), "9.3999 Gbit/s");
        assert_eq!(value.shown_against("at least 20 Gbit/s"), "9.4 Gbit/s");
    }
}
