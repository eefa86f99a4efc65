//! Readings as families: one for the value in each base unit, others for baseline, limits and change.

use std::collections::BTreeSet;

use verify_model::{
    quantity::Quantity,
    run::RunCheck,
    unit::Dimension,
    verdict::{Reading, Role},
};

use super::family::{Families, Labels};
use crate::{
    clean::one_line,
    measured::{comparison_of, quantity, range},
    names::unique,
};

/// Bounds a field. *Units*: characters.
const LONGEST: usize = 400;

/// Adds what was read by a check.
pub(super) fn of_readings(all: &mut Families, check: &RunCheck, about: &Labels) {
    let mut fields: BTreeSet<String> = BTreeSet::new();
    let mut known: Vec<&str> = Vec::new();
    for reading in &check.verdict.readings {
        // A field that is demanded and advised is one; the demand comes first.
        if known.contains(&reading.field.as_str()) {
            continue;
        }
        let Some(quantity) = quantity(check, reading) else { continue };
        known.push(&reading.field);
        let field = unique(&mut fields, &one_line(&reading.field, LONGEST));
        of_reading(all, check, reading, quantity, &about.clone().with("field", &field));
    }
}

fn of_reading(
    all: &mut Families,
    check: &RunCheck,
    reading: &Reading,
    quantity: Quantity,
    labels: &Labels,
) {
    let unit = unit(quantity.dimension());
    let mut add = |what: &str, help: &str, value: Option<Quantity>| {
        let fits = value.filter(|value| value.dimension() == quantity.dimension());
        if let Some(value) = fits {
            all.add(&format!("verify_metric{what}{unit}"), help, labels, value.base());
        }
    };
    add("", "Value that was read.", Some(quantity));
    add("_baseline", "Accepted baseline of the value.", reading.baseline);
    let range = range(check, &reading.field, Role::Expect);
    add("_lower_limit", "Least value that passes.", range.low);
    add("_upper_limit", "Greatest value that passes.", range.high);
    if let Some(held) = reading.held.filter(|_| reading.role == Role::Expect) {
        let help = "Whether the demand on the value held.";
        all.add("verify_metric_held", help, labels, f64::from(u8::from(held)));
    }
    let Some(comparison) = comparison_of(check, reading) else { return };
    let standing = labels.clone().with("standing", comparison.standing.name());
    let help = "How the value stands to its baseline, as a label.";
    all.add("verify_metric_standing", help, &standing, 1.0);
    if comparison.relative {
        for (name, help, end) in [
            ("change", "Change of the value since its baseline.", comparison.change),
            ("change_low", "Lower end of the 95 % interval of the change.", comparison.low),
            ("change_high", "Upper end of the 95 % interval of the change.", comparison.high),
        ] {
            all.add(&format!("verify_metric_{name}_ratio"), help, labels, end);
        }
    }
}

/// Names the base unit. *Source*: Prometheus, "Metric and label naming", base units.
fn unit(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Data => "_bytes",
        Dimension::DataRate => "_bytes_per_second",
        Dimension::Time => "_seconds",
        Dimension::Frequency => "_hertz",
        Dimension::Temperature => "_celsius",
        Dimension::Power => "_watts",
        Dimension::Ratio => "_ratio",
        Dimension::Count => "",
        Dimension::EventRate => "_events_per_second",
        Dimension::OperationRate => "_operations_per_second",
        Dimension::TransferRate => "_transfers_per_second",
        Dimension::TokenRate => "_tokens_per_second",
    }
}
