//! Types a raw value by the kind of the field or parameter that it belongs to.
//!
//! A quantity always carries a unit, the unit must fit, and the error names the units that would.

use verify_model::{
    cpu_set::CpuSet,
    field::FieldKind,
    matcher::Literal,
    quantity::{Quantity, QuantityError},
    unit::{Dimension, Unit},
};

use super::reader::Raw;
use crate::probe::ParamKind;

/// Types a value by the kind of a field.
///
/// *Errors*: what was expected, in one phrase.
pub fn literal(kind: &FieldKind, raw: &Raw) -> Result<Literal, String> {
    match (kind, raw) {
        (FieldKind::Bool | FieldKind::Any, Raw::Bool(flag)) => Ok(Literal::Bool(*flag)),
        (FieldKind::Integer | FieldKind::Any, Raw::Integer(number)) => {
            Ok(Literal::Integer(*number))
        }
        (FieldKind::Text | FieldKind::Version | FieldKind::Any, Raw::Text(text)) => {
            Ok(Literal::Text(text.clone()))
        }
        (FieldKind::Cpus, Raw::Text(text)) => CpuSet::parse(text).map(Literal::Cpus),
        (FieldKind::Quantity(_) | FieldKind::Metric(..), _) => {
            quantity(kind.unit().map(Unit::dimension), raw).map(Literal::Quantity)
        }
        (FieldKind::List(inner), Raw::List(items)) => {
            let typed: Result<Vec<_>, _> = items.iter().map(|item| literal(inner, item)).collect();
            typed.map(Literal::List)
        }
        (FieldKind::Any, Raw::List(items)) => {
            let typed: Result<Vec<_>, _> = items.iter().map(|item| literal(kind, item)).collect();
            typed.map(Literal::List)
        }
        _ => Err(format!("expected {}, found {}", article(&kind.name()), raw.shown())),
    }
}

/// Reads a quantity; a plain whole number is a count. `None` accepts any dimension.
///
/// *Errors*: what was expected, in one phrase.
pub fn quantity(dimension: Option<Dimension>, raw: &Raw) -> Result<Quantity, String> {
    let units = || match dimension {
        None => "with its unit".to_owned(),
        Some(Dimension::Count) => "a plain number".to_owned(),
        Some(dimension) => one_of(&dimension.symbols()),
    };
    let quantity = match raw {
        Raw::Text(text) => text.parse::<Quantity>().map_err(|error| match error {
            QuantityError::UnknownUnit { symbol, suggestion: None } => {
                format!(
                    "unknown unit `{symbol}`: {} is written {}",
                    dimension.map_or("a quantity", Dimension::name),
                    units()
                )
            }
            other => other.to_string(),
        })?,
        #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
        Raw::Integer(number) => Quantity::of(*number as f64, "").map_err(|e| e.to_string())?,
        Raw::Float(number) => {
            let what = dimension.map_or("a quantity", Dimension::name);
            return Err(format!("{number} needs a unit: {what} is written {}", units()));
        }
        other => {
            return Err(format!(
                "expected a quantity such as \"9.4 Gbit/s\", found {}",
                other.shown()
            ));
        }
    };
    match dimension {
        Some(wanted) if wanted != quantity.dimension() => {
            let found = if quantity.unit().symbol().is_empty() {
                "a number without a unit".to_owned()
            } else {
                format!("a {}", quantity.dimension().name())
            };
            Err(format!("expected a {} ({}), found {found}", wanted.name(), units()))
        }
        _ => Ok(quantity),
    }
}

/// Types a parameter of a probe.
///
/// *Errors*: what was expected, in one phrase.
pub fn parameter(kind: ParamKind, raw: &Raw) -> Result<Literal, String> {
    match (kind, raw) {
        (ParamKind::Text, Raw::Text(text)) => Ok(Literal::Text(text.clone())),
        (ParamKind::Choice(words), Raw::Text(text)) if words.contains(&text.as_str()) => {
            Ok(Literal::Text(text.clone()))
        }
        (ParamKind::Choice(words), _) => {
            Err(format!("expected one of {}, found {}", one_of(words), raw.shown()))
        }
        (ParamKind::Texts, Raw::List(items)) => {
            let texts = items.iter().map(|item| match item {
                Raw::Text(text) => Ok(Literal::Text(text.clone())),
                other => Err(format!("expected a text, found {}", other.shown())),
            });
            texts.collect::<Result<Vec<_>, _>>().map(Literal::List)
        }
        (ParamKind::Integer, Raw::Integer(number)) => Ok(Literal::Integer(*number)),
        (ParamKind::Bool, Raw::Bool(flag)) => Ok(Literal::Bool(*flag)),
        (ParamKind::Quantity(unit), _) => {
            quantity(Unit::parse(unit).map(Unit::dimension), raw).map(Literal::Quantity)
        }
        (ParamKind::Cpus, Raw::Text(text)) => CpuSet::parse(text).map(Literal::Cpus),
        (ParamKind::Regex, Raw::Text(text)) => match regex::Regex::new(text) {
            Ok(_) => Ok(Literal::Text(text.clone())),
            Err(error) => {
                Err(format!("not a regular expression: {}", last_line(&error.to_string())))
            }
        },
        _ => Err(format!("expected {}, found {}", param_name(kind), raw.shown())),
    }
}

/// Names a parameter's kind in words.
pub fn param_name(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Text => "a text",
        ParamKind::Choice(_) => "one of some words",
        ParamKind::Texts => "a list of texts",
        ParamKind::Integer => "a whole number",
        ParamKind::Bool => "true or false",
        ParamKind::Quantity(_) => "a quantity",
        ParamKind::Cpus => "a cpu list",
        ParamKind::Regex => "a regular expression",
        ParamKind::Link => "the name of a link",
        ParamKind::Links => "names of links",
    }
}

/// Returns the line of a regex error that says what is wrong.
pub fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

fn article(name: &str) -> String {
    if name == "true or false" { name.to_owned() } else { format!("a {name}") }
}
