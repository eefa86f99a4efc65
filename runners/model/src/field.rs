//! What a probe declares about each field of its answer.
//!
//! The loader checks expectations against this table before anything runs, the schema and the
//! probe catalogue are generated from it, and `read` must fill every field that it names.

use crate::{metric::Direction, unit::Unit, value::Value};

/// Names the kind of value that a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A yes or no.
    Bool,
    /// A whole number without a unit.
    Integer,
    /// A text.
    Text,
    /// A version, compared by its numbers.
    Version,
    /// A set of cpus.
    Cpus,
    /// A fact with a unit; holds the unit's symbol.
    Quantity(&'static str),
    /// A measured metric with a unit; holds the unit's symbol and the direction.
    Metric(&'static str, Direction),
    /// A list of values of one kind.
    List(Box<FieldKind>),
    /// A kind that depends on the answer; only `command` and its like may declare it.
    Any,
}

impl FieldKind {
    /// Tells whether a value is of this kind, or is none; a path through a list gives one value for each
    /// element.
    pub fn holds(&self, value: &Value) -> bool {
        match (value, self) {
            (Value::Absent(_) | Value::Unreadable(_), _)
            | (_, Self::Any)
            | (Value::Bool(_), Self::Bool)
            | (Value::Integer(_), Self::Integer)
            | (Value::Text(_), Self::Text | Self::Version)
            | (Value::Cpus(_), Self::Cpus) => true,
            (Value::Quantity(quantity), Self::Quantity(_) | Self::Metric(..)) => {
                self.unit().is_some_and(|unit| unit.dimension() == quantity.dimension())
            }
            (Value::List(items), Self::List(inner)) => items.iter().all(|item| inner.holds(item)),
            (Value::List(items), _) => items.iter().all(|item| self.holds(item)),
            _ => false,
        }
    }

    /// Returns the unit of a quantity or metric.
    pub fn unit(&self) -> Option<Unit> {
        match self {
            Self::Quantity(symbol) | Self::Metric(symbol, _) => Unit::parse(symbol),
            Self::List(inner) => inner.unit(),
            _ => None,
        }
    }

    /// Names the kind in words, for messages and the catalogue.
    pub fn name(&self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Integer => "whole number".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Version => "version".to_owned(),
            Self::Cpus => "cpu list".to_owned(),
            Self::Quantity(symbol) => format!("quantity in {symbol}"),
            Self::Metric(symbol, _) => format!("metric in {symbol}"),
            Self::List(inner) => format!("list of: {}", inner.name()),
            Self::Any => "any".to_owned(),
        }
    }
}

/// Describes one field of a probe's answer.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Dotted path, such as `gpus.name`.
    pub path: &'static str,
    /// Builds the kind; a function so that tables can be constants.
    pub kind: fn() -> FieldKind,
    /// One sentence: what it is.
    pub doc: &'static str,
    /// Where the value comes from on the node.
    pub source: &'static str,
}
