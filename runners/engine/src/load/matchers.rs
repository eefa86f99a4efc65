//! Decodes the demands on one field: which matchers fit its kind, and their operands.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use verify_model::{
    field::FieldKind,
    matcher::{Literal, Matcher},
    quantity::Quantity,
    unit::{Dimension, Unit},
    version::VersionReq,
};

use super::{
    diagnostic::did_you_mean,
    keys::{COMPARING, MATCHERS, MatcherKey, Operand},
    literal::{last_line, literal, quantity},
    reader::{Raw, Reader},
};

/// Knows the kinds of the probe's fields.
pub type KindOf<'k> = dyn Fn(&str) -> Option<FieldKind> + 'k;

/// Decodes the value of one field under `expect` or `advise`; `source` is taken off by the caller.
pub fn decode(
    reader: &mut Reader<'_>,
    kind: &FieldKind,
    value: &Spanned<DeValue<'_>>,
    kind_of: &KindOf<'_>,
) -> Vec<Matcher> {
    let Some(table) = value.get_ref().as_table() else {
        let raw = reader.raw(value);
        return one(reader, value.span(), literal(kind, &raw).map(Matcher::Is))
            .into_iter()
            .collect();
    };
    let matchers = decode_table(reader, kind, table, kind_of);
    if matchers.is_empty() && !table.iter().any(|(name, _)| name.get_ref() != "source") {
        reader.error(
            value.span(),
            "an expectation that demands nothing",
            "add a matcher",
            Some("`at-least = ...`, `is = ...`, ...".into()),
        );
    }
    matchers
}

fn decode_table(
    reader: &mut Reader<'_>,
    kind: &FieldKind,
    table: &DeTable<'_>,
    kind_of: &KindOf<'_>,
) -> Vec<Matcher> {
    let mut matchers = Vec::new();
    for (name, value) in table {
        let written: &str = name.get_ref();
        if written == "source" || COMPARING.iter().any(|key| key.name == written) {
            continue;
        }
        let Some(key) = MATCHERS.iter().find(|m| m.name == written) else {
            let help = did_you_mean(written, MATCHERS.iter().map(|m| m.name)).map_or_else(
                || {
                    format!(
                        "matchers are: {}",
                        MATCHERS.iter().map(|m| m.name).collect::<Vec<_>>().join(", ")
                    )
                },
                |close| format!("did you mean `{close}`?"),
            );
            reader.error(
                name.span(),
                format!("unknown matcher `{written}`"),
                "not a matcher",
                Some(help),
            );
            continue;
        };
        if !fits(key.operand, kind) {
            let label = format!("does not apply to a {}", kind.name());
            reader.error(
                name.span(),
                format!("`{written}` cannot be asked of this field"),
                label,
                Some(hint(kind)),
            );
            continue;
        }
        let decoded = operand(reader, key, kind, value, kind_of);
        matchers.extend(decoded);
    }
    matchers
}

/// Tells whether a matcher makes sense for a kind.
fn fits(operand: Operand, kind: &FieldKind) -> bool {
    use FieldKind as K;
    match operand {
        Operand::Value | Operand::Values | Operand::Field => true,
        Operand::Order | Operand::Pair => {
            matches!(kind, K::Integer | K::Quantity(_) | K::Metric(..) | K::Any)
        }
        Operand::Part => matches!(kind, K::Text | K::Cpus | K::List(_) | K::Any),
        Operand::Regex => matches!(kind, K::Text | K::Version | K::Any),
        Operand::Version => matches!(kind, K::Text | K::Version | K::Any),
        Operand::Count => matches!(kind, K::List(_) | K::Cpus | K::Any),
        Operand::Elements => matches!(kind, K::List(_) | K::Any),
        Operand::Tolerance => matches!(kind, K::Quantity(_) | K::Metric(..)),
    }
}

fn hint(kind: &FieldKind) -> String {
    let fitting: Vec<&str> =
        MATCHERS.iter().filter(|m| fits(m.operand, kind)).map(|m| m.name).collect();
    format!("it takes: {}", fitting.join(", "))
}

fn operand(
    reader: &mut Reader<'_>,
    key: &MatcherKey,
    kind: &FieldKind,
    value: &Spanned<DeValue<'_>>,
    kind_of: &KindOf<'_>,
) -> Option<Matcher> {
    let span = value.span();
    if matches!(key.operand, Operand::Count | Operand::Elements) {
        return nested(reader, key, kind, value, kind_of);
    }
    let raw = reader.raw(value);
    let matcher = match key.operand {
        Operand::Value => literal(kind, &raw)
            .map(|l| if key.name == "is" { Matcher::Is(l) } else { Matcher::IsNot(l) }),
        Operand::Values => literals(kind, &raw).map(Matcher::OneOf),
        Operand::Order => order(kind, &raw).map(|q| match key.name {
            "at-least" => Matcher::AtLeast(q),
            "at-most" => Matcher::AtMost(q),
            "above" => Matcher::Above(q),
            _ => Matcher::Below(q),
        }),
        Operand::Pair => pair(kind, &raw),
        Operand::Part => part(kind, &raw).map(Matcher::Contains),
        Operand::Regex => text(&raw).and_then(|pattern| match regex::Regex::new(&pattern) {
            Ok(_) => Ok(Matcher::Matches(pattern)),
            Err(error) => {
                Err(format!("not a regular expression: {}", last_line(&error.to_string())))
            }
        }),
        Operand::Version => {
            text(&raw).and_then(|t| t.parse::<VersionReq>().map(|_| Matcher::Version(t)))
        }
        Operand::Field => text(&raw).and_then(|other| match kind_of(&other) {
            None => Err(format!("the probe has no field `{other}`")),
            Some(theirs) if compatible(kind, &theirs) => Ok(Matcher::AgreesWith(other)),
            Some(theirs) => Err(format!(
                "`{other}` is a {}, and this field is a {}",
                theirs.name(),
                kind.name()
            )),
        }),
        Operand::Tolerance => tolerance(kind, &raw).map(Matcher::Within),
        Operand::Count | Operand::Elements => return None,
    };
    one(reader, span, matcher)
}

fn compatible(a: &FieldKind, b: &FieldKind) -> bool {
    let dimension = |k: &FieldKind| k.unit().map(Unit::dimension);
    a == b
        || (dimension(a).is_some() && dimension(a) == dimension(b))
        || *a == FieldKind::Any
        || *b == FieldKind::Any
}

/// Decodes `count`, `every`, `some`, `none`: a bare value or a table of matchers.
fn nested(
    reader: &mut Reader<'_>,
    key: &MatcherKey,
    kind: &FieldKind,
    value: &Spanned<DeValue<'_>>,
    kind_of: &KindOf<'_>,
) -> Option<Matcher> {
    let inner = match (key.operand, kind) {
        (Operand::Count, _) => FieldKind::Integer,
        (_, FieldKind::List(inner)) => (**inner).clone(),
        _ => FieldKind::Any,
    };
    let before = reader.errors.len();
    let matchers = decode(reader, &inner, value, kind_of);
    if reader.errors.len() > before || matchers.is_empty() {
        return None;
    }
    Some(match key.name {
        "count" => Matcher::Count(matchers),
        "every" => Matcher::Every(matchers),
        "some" => Matcher::Some(matchers),
        _ => Matcher::None(matchers),
    })
}

fn one<T>(reader: &mut Reader<'_>, span: Range<usize>, decoded: Result<T, String>) -> Option<T> {
    match decoded {
        Ok(value) => Some(value),
        Err(expected) => {
            reader.error(span, "the value does not fit the field", expected, None);
            None
        }
    }
}

fn text(raw: &Raw) -> Result<String, String> {
    match raw {
        Raw::Text(text) => Ok(text.clone()),
        other => Err(format!("expected a text, found {}", other.shown())),
    }
}

fn literals(kind: &FieldKind, raw: &Raw) -> Result<Vec<Literal>, String> {
    match raw {
        Raw::List(items) if items.is_empty() => Err("expected at least one value".to_owned()),
        Raw::List(items) => items.iter().map(|item| literal(kind, item)).collect(),
        other => Err(format!("expected a list of values, found {}", other.shown())),
    }
}

/// Reads the operand of an ordering matcher: a count for whole numbers, else a fitting quantity.
fn order(kind: &FieldKind, raw: &Raw) -> Result<Quantity, String> {
    match kind {
        FieldKind::Integer => quantity(Some(Dimension::Count), raw),
        FieldKind::Any => quantity(None, raw),
        _ => quantity(kind.unit().map(Unit::dimension), raw),
    }
}

/// Reads a ratio, or a quantity of the field's own kind, for values that may be zero.
fn tolerance(kind: &FieldKind, raw: &Raw) -> Result<Quantity, String> {
    let own = kind.unit().map(Unit::dimension);
    let read = quantity(Some(Dimension::Ratio), raw);
    let read = read.or_else(|why| own.map_or(Err(why), |own| quantity(Some(own), raw)));
    match read {
        Ok(q) if q.base() <= 0.0 => Err("expected a ratio above zero".to_owned()),
        read => read,
    }
}

fn pair(kind: &FieldKind, raw: &Raw) -> Result<Matcher, String> {
    let Raw::List(items) = raw else {
        return Err(format!("expected `[low, high]`, found {}", raw.shown()));
    };
    let [low, high] = items.as_slice() else {
        return Err(format!("expected two values, found {}", items.len()));
    };
    let (low, high) = (order(kind, low)?, order(kind, high)?);
    match low.compare(high) {
        Some(std::cmp::Ordering::Greater) => {
            Err(format!("{low} is above {high}: nothing lies between"))
        }
        None => Err(format!("{low} and {high} do not compare")),
        _ => Ok(Matcher::Between(low, high)),
    }
}

fn part(kind: &FieldKind, raw: &Raw) -> Result<Literal, String> {
    match (kind, raw) {
        (FieldKind::List(_), Raw::List(items)) if items.is_empty() => {
            Err("an empty list is contained in anything: name a value".to_owned())
        }
        (FieldKind::List(_), Raw::List(_)) => literal(kind, raw),
        (FieldKind::List(inner), _) => literal(inner, raw),
        (FieldKind::Cpus | FieldKind::Text, Raw::Text(text)) if text.is_empty() => {
            Err("an empty text is contained in anything: name a value".to_owned())
        }
        _ => literal(kind, raw),
    }
}
