//! What an expectation can demand of one field: a closed list of matchers, as data.
//!
//! Not an expression language: every matcher is one key of the suite schema. `meet` answers
//! whether a present value satisfies a matcher; what absence means is decided in `judge`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{cpu_set::CpuSet, quantity::Quantity, value::Value, version};

/// Holds a value written in a suite, typed by the field that it is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Literal {
    /// A yes or no.
    Bool(bool),
    /// A whole number without a unit.
    Integer(i64),
    /// A text.
    Text(String),
    /// A number with a unit.
    Quantity(Quantity),
    /// A set of cpus.
    Cpus(CpuSet),
    /// Several values.
    List(Vec<Literal>),
}

/// Holds one demand on one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Matcher {
    /// Equals the literal.
    Is(Literal),
    /// Differs from the literal.
    IsNot(Literal),
    /// Not below the quantity.
    AtLeast(Quantity),
    /// Not above the quantity.
    AtMost(Quantity),
    /// Strictly above the quantity.
    Above(Quantity),
    /// Strictly below the quantity.
    Below(Quantity),
    /// Within both ends, ends included.
    Between(Quantity, Quantity),
    /// Equals one of the literals.
    OneOf(Vec<Literal>),
    /// A text contains the text; a list or cpu set contains the value.
    Contains(Literal),
    /// A text matches the regular expression somewhere.
    Matches(String),
    /// A version meets the requirement.
    Version(String),
    /// The number of elements meets every matcher.
    Count(Vec<Matcher>),
    /// Every element meets every matcher, and there is at least one element.
    Every(Vec<Matcher>),
    /// At least one element meets every matcher.
    Some(Vec<Matcher>),
    /// No element meets all the matchers.
    None(Vec<Matcher>),
    /// Equals another field of the same answer.
    AgreesWith(String),
    /// Within a tolerance of the accepted baseline.
    Within(Quantity),
}

/// Says why a value and a matcher do not fit; the check is then an Error, never a Pass or a Fail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// The kinds differ.
    #[error("{value} cannot be compared: {matcher}")]
    Kind {
        /// The value, shown.
        value: String,
        /// The matcher, shown.
        matcher: String,
    },
    /// An element or a part could not be read.
    #[error("{0}")]
    Unreadable(String),
}

impl Literal {
    /// Tells whether a value equals the literal; `None` when the kinds do not compare.
    fn equals(&self, value: &Value) -> Option<bool> {
        match (self, value) {
            (Self::Bool(a), Value::Bool(b)) => Some(a == b),
            (Self::Integer(a), Value::Integer(b)) => Some(a == b),
            (Self::Text(a), Value::Text(b)) => Some(a == b),
            (Self::Quantity(a), _) => {
                as_quantity(value)?.compare(*a).map(std::cmp::Ordering::is_eq)
            }
            (Self::Cpus(a), Value::Cpus(b)) => Some(a == b),
            (Self::List(a), Value::List(b)) => {
                if a.len() != b.len() {
                    return Some(false);
                }
                let equal: Option<Vec<bool>> = a.iter().zip(b).map(|(x, y)| x.equals(y)).collect();
                Some(equal?.into_iter().all(|same| same))
            }
            _ => None,
        }
    }
}

/// Reads a plain count as a quantity, so that limits apply to integers too.
fn as_quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::Quantity(quantity) => Some(*quantity),
        #[expect(clippy::cast_precision_loss, reason = "counts on a node are far below 2^53")]
        Value::Integer(number) => Quantity::of(*number as f64, "").ok(),
        _ => None,
    }
}

impl Matcher {
    /// Tells whether a present value satisfies the matcher.
    ///
    /// `AgreesWith` and `Within` need more than the value and are answered by `judge`.
    ///
    /// *Errors*: the kinds do not compare, or an element could not be read.
    pub fn meet(&self, value: &Value) -> Result<bool, MatchError> {
        // Only the number of elements can be known while one of them is not.
        if let (Some(why), false) = (value.unreadable(), matches!(self, Self::Count(_))) {
            return Err(MatchError::Unreadable(why.to_owned()));
        }
        match self {
            Self::Is(literal) => literal.equals(value).ok_or_else(|| self.kind_error(value)),
            Self::IsNot(literal) => {
                literal.equals(value).map(|same| !same).ok_or_else(|| self.kind_error(value))
            }
            Self::AtLeast(limit) => self.order(value, *limit, std::cmp::Ordering::is_ge),
            Self::AtMost(limit) => self.order(value, *limit, std::cmp::Ordering::is_le),
            Self::Above(limit) => self.order(value, *limit, std::cmp::Ordering::is_gt),
            Self::Below(limit) => self.order(value, *limit, std::cmp::Ordering::is_lt),
            Self::Between(low, high) => Ok(self.order(value, *low, std::cmp::Ordering::is_ge)?
                && self.order(value, *high, std::cmp::Ordering::is_le)?),
            Self::OneOf(literals) => {
                let equal: Option<Vec<bool>> = literals.iter().map(|l| l.equals(value)).collect();
                Ok(equal.ok_or_else(|| self.kind_error(value))?.into_iter().any(|same| same))
            }
            Self::Contains(literal) => self.contains(literal, value),
            Self::Matches(pattern) => match (value, regex::Regex::new(pattern)) {
                (Value::Text(text), Ok(regex)) => Ok(regex.is_match(text)),
                _ => Err(self.kind_error(value)),
            },
            Self::Version(requirement) => match (value, requirement.parse::<version::VersionReq>())
            {
                (Value::Text(text), Ok(requirement)) => version::Version::parse(text)
                    .map(|version| requirement.accepts(&version))
                    .ok_or_else(|| self.kind_error(value)),
                _ => Err(self.kind_error(value)),
            },
            Self::Count(_) | Self::Every(_) | Self::Some(_) | Self::None(_) => {
                self.meet_elements(value)
            }
            Self::AgreesWith(_) | Self::Within(_) => Err(self.kind_error(value)),
        }
    }

    fn order(
        &self,
        value: &Value,
        limit: Quantity,
        holds: fn(std::cmp::Ordering) -> bool,
    ) -> Result<bool, MatchError> {
        as_quantity(value)
            .and_then(|quantity| quantity.compare(limit))
            .map(holds)
            .ok_or_else(|| self.kind_error(value))
    }

    fn contains(&self, literal: &Literal, value: &Value) -> Result<bool, MatchError> {
        match (value, literal) {
            (Value::Text(text), Literal::Text(part)) => Ok(text.contains(part.as_str())),
            (Value::Cpus(cpus), Literal::Cpus(part)) => Ok(cpus.is_superset(part)),
            (Value::List(items), Literal::List(parts)) => {
                let has = |part: &Literal| items.iter().any(|item| part.equals(item) == Some(true));
                Ok(parts.iter().all(has))
            }
            (Value::List(items), literal) => {
                Ok(items.iter().any(|item| literal.equals(item) == Some(true)))
            }
            _ => Err(self.kind_error(value)),
        }
    }

    fn meet_elements(&self, value: &Value) -> Result<bool, MatchError> {
        let size = match value {
            Value::List(items) => items.len(),
            Value::Cpus(cpus) => cpus.len(),
            _ => return Err(self.kind_error(value)),
        };
        if let Self::Count(matchers) = self {
            let size = Value::Integer(i64::try_from(size).unwrap_or(i64::MAX));
            return meet_all(matchers, &size);
        }
        let Value::List(items) = value else {
            return Err(self.kind_error(value));
        };
        let (Self::Every(matchers) | Self::Some(matchers) | Self::None(matchers)) = self else {
            return Err(self.kind_error(value));
        };
        let met: Vec<bool> = items
            .iter()
            .map(|item| match item {
                // An absent element meets nothing, and it is no proof that none meets it.
                Value::Absent(_) => Ok(matches!(self, Self::None(_))),
                present => meet_all(matchers, present),
            })
            .collect::<Result<_, _>>()?;
        Ok(match self {
            Self::Every(_) => !met.is_empty() && met.iter().all(|m| *m),
            Self::Some(_) => met.iter().any(|m| *m),
            _ => !met.iter().any(|m| *m),
        })
    }

    fn kind_error(&self, value: &Value) -> MatchError {
        MatchError::Kind { value: value.to_string(), matcher: self.to_string() }
    }
}

/// Tells whether a value meets every matcher; an empty list of matchers is never met.
fn meet_all(matchers: &[Matcher], value: &Value) -> Result<bool, MatchError> {
    let met: Vec<bool> = matchers.iter().map(|m| m.meet(value)).collect::<Result<_, _>>()?;
    Ok(!met.is_empty() && met.into_iter().all(|m| m))
}

/// Shows matchers as one phrase, such as `at least 9.4 Gbit/s and below 12 Gbit/s`.
pub fn phrase(matchers: &[Matcher]) -> String {
    let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    texts.join(" and ")
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("yes"),
            Self::Bool(false) => f.write_str("no"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) if text.is_empty() => f.write_str("(empty)"),
            Self::Text(text) => f.write_str(text),
            Self::Quantity(quantity) => write!(f, "{quantity}"),
            Self::Cpus(cpus) => write!(f, "{cpus}"),
            Self::List(items) => {
                let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join(", "))
            }
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(literal) => write!(f, "{literal}"),
            Self::IsNot(literal) => write!(f, "not {literal}"),
            Self::AtLeast(limit) => write!(f, "at least {limit}"),
            Self::AtMost(limit) => write!(f, "at most {limit}"),
            Self::Above(limit) => write!(f, "above {limit}"),
            Self::Below(limit) => write!(f, "below {limit}"),
            Self::Between(low, high) => write!(f, "between {low} and {high}"),
            Self::OneOf(literals) => {
                let texts: Vec<String> = literals.iter().map(ToString::to_string).collect();
                write!(f, "one of: {}", texts.join(", "))
            }
            Self::Contains(literal) => write!(f, "contains {literal}"),
            Self::Matches(pattern) => write!(f, "matches /{pattern}/"),
            Self::Version(requirement) => write!(f, "version {requirement}"),
            Self::Count(matchers) => write!(f, "count {}", phrase(matchers)),
            Self::Every(matchers) => write!(f, "every one {}", phrase(matchers)),
            Self::Some(matchers) => write!(f, "some {}", phrase(matchers)),
            Self::None(matchers) => write!(f, "none {}", phrase(matchers)),
            Self::AgreesWith(path) => write!(f, "agrees with `{path}`"),
            Self::Within(tolerance) => write!(f, "within {tolerance} of the baseline"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_may_ignore_case() {
        let matcher = Matcher::Matches("(?i)ryzen 9".to_owned());
        assert_eq!(matcher.meet(&Value::text("AMD RYZEN 9 5900X")), Ok(true));
    }
}
