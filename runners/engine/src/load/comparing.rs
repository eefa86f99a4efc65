//! Decodes what stands beside `within`: how noisy the field is, and what people want to see of it.
//!
//! The tolerance alone says what matters. Which row of noise stands in until the machine's own is
//! known, and the step in which the tool counts, are the suite's to say.

use toml::de::DeTable;
use verify_model::{
    check::Comparing,
    field::FieldKind,
    matcher::Matcher,
    metric::Direction,
    quantity::Quantity,
    statistics,
    unit::{Dimension, Unit},
};

use super::{diagnostic::did_you_mean, keys::COMPARING, literal::quantity, reader::Reader};

/// Reads the keys beside `within`; `matchers` are those of the same table.
pub fn decode(
    reader: &mut Reader<'_>,
    kind: &FieldKind,
    table: &DeTable<'_>,
    matchers: &[Matcher],
) -> Comparing {
    let within = matchers.iter().find_map(|matcher| match matcher {
        Matcher::Within(tolerance) => Some(*tolerance),
        _ => None,
    });
    if within.is_some() && matches!(kind, FieldKind::Metric(_, Direction::Neutral)) {
        neutral(reader, table);
    }
    let Some(tolerance) = within else {
        without_within(reader, table);
        return Comparing::default();
    };
    let own = kind.unit().map(Unit::dimension);
    Comparing {
        class: class(reader, table),
        detect: ratio(reader, table, "detect", Some(tolerance.dimension())),
        disaster: ratio(reader, table, "disaster", Some(tolerance.dimension())),
        resolution: ratio(reader, table, "resolution", own),
    }
}

fn without_within(reader: &mut Reader<'_>, table: &DeTable<'_>) {
    for (name, _) in table {
        if COMPARING.iter().any(|key| key.name == name.get_ref()) {
            let help = Some("add `within = \"2 %\"`, or take it out".to_owned());
            let title = "it says how `within` compares";
            reader.error(name.span(), title, "there is no `within` here", help);
        }
    }
}

fn neutral(reader: &mut Reader<'_>, table: &DeTable<'_>) {
    let Some((name, _)) = table.iter().find(|(name, _)| name.get_ref() == "within") else { return };
    let help = "name it under `record`: it is stored and shown".to_owned();
    reader.error(
        name.span(),
        "`within` cannot be asked of this field",
        "neither way of it is better, so a change is no loss",
        Some(help),
    );
}

fn class(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<String> {
    let name = reader.text(table, "class")?;
    if statistics::class(&name).is_some() {
        return Some(name);
    }
    let known = statistics::CLASSES.iter().map(|class| class.name);
    let help = did_you_mean(&name, known.clone()).map_or_else(
        || format!("classes are: {}", known.collect::<Vec<_>>().join(", ")),
        |close| format!("did you mean `{close}`?"),
    );
    let span = table.get("class").map(toml::Spanned::span).unwrap_or_default();
    reader.error(span, format!("unknown class `{name}`"), "not a row of noise", Some(help));
    None
}

fn ratio(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    key: &str,
    dimension: Option<Dimension>,
) -> Option<Quantity> {
    let value = table.get(key)?;
    let raw = reader.raw(value);
    let read = quantity(dimension, &raw).and_then(|q| {
        (q.difference() > 0.0).then_some(q).ok_or_else(|| "expected a value above zero".to_owned())
    });
    read.map_err(|why| reader.error(value.span(), format!("`{key}` cannot be used"), why, None))
        .ok()
}
