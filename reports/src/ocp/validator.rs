//! What a measurement is validated by: the range of the check, as the validators of the specification.

use serde_json::{Value, json};
use verify_model::{
    check::Check,
    matcher::{Literal, Matcher},
    quantity::Quantity,
    unit::Unit,
    verdict::Role,
};

/// Lists the validators of a demanded quantity, in its unit; what has no word there is left to the metadata.
pub(super) fn validators(check: &Check, field: &str, role: Role, unit: Unit) -> Vec<Value> {
    if role != Role::Expect {
        return Vec::new();
    }
    let of_field = check.expect.iter().filter(|expectation| expectation.field == field);
    of_field.flat_map(|expectation| &expectation.matchers).flat_map(|m| of(m, unit)).collect()
}

fn of(matcher: &Matcher, unit: Unit) -> Vec<Value> {
    let one = |kind: &str, limit: &Quantity| {
        let value = limit.to(unit)?.value();
        Some(json!({"type": kind, "value": value}))
    };
    let found = match matcher {
        Matcher::AtLeast(low) => vec![one("GREATER_THAN_OR_EQUAL", low)],
        Matcher::AtMost(high) => vec![one("LESS_THAN_OR_EQUAL", high)],
        Matcher::Above(low) => vec![one("GREATER_THAN", low)],
        Matcher::Below(high) => vec![one("LESS_THAN", high)],
        Matcher::Between(low, high) => {
            vec![one("GREATER_THAN_OR_EQUAL", low), one("LESS_THAN_OR_EQUAL", high)]
        }
        Matcher::Is(Literal::Quantity(value)) => vec![one("EQUAL", value)],
        Matcher::IsNot(Literal::Quantity(value)) => vec![one("NOT_EQUAL", value)],
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}
