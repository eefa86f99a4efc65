//! Decodes what a check demands and records: field paths against what its probe declares.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use verify_model::{
    check::{Expectation, Params},
    field::FieldKind,
    metric::{Direction, SPREAD, SPREAD_UNIT},
};

use super::{
    comparing,
    diagnostic::did_you_mean,
    matchers,
    reader::{Raw, Reader},
};
use crate::probe::{Probe, With};

/// Names the summaries of a metric that may stand as dotted keys; others are quoted.
pub const SUMMARIES: [&str; 7] = ["median", "min", "max", "p50", "p90", "p99", SPREAD];

/// Returns the kind of a field path, a summary of a metric included.
fn kind_of(probe: &dyn Probe, with: With<'_>, path: &str) -> Option<FieldKind> {
    let fields = probe.spec().fields;
    if let Some(field) = fields.iter().find(|f| f.path == path) {
        return Some(probe.kind(field, with));
    }
    fields.iter().find_map(|field| {
        let summary = path.strip_prefix(field.path)?.strip_prefix('.')?;
        let kind = probe.kind(field, with);
        if summary == SPREAD && matches!(kind, FieldKind::Metric(..)) {
            return Some(FieldKind::Metric(SPREAD_UNIT, Direction::LowerIsBetter));
        }
        let known = matches!(summary, "median" | "min" | "max")
            || summary
                .strip_prefix('p')
                .and_then(|p| p.parse::<f64>().ok())
                .is_some_and(|p| (0.0..=100.0).contains(&p));
        (matches!(kind, FieldKind::Metric(..)) && known).then_some(kind)
    })
}

fn unknown_field(reader: &mut Reader<'_>, probe: &dyn Probe, path: &str, span: Range<usize>) {
    let names = probe.spec().fields.iter().map(|f| f.path);
    let help = did_you_mean(path, names.clone()).map_or_else(
        || {
            format!(
                "fields of `{}` are: {}",
                probe.spec().name,
                names.collect::<Vec<_>>().join(", ")
            )
        },
        |close| format!("did you mean `{close}`?"),
    );
    reader.error(
        span,
        format!("the probe `{}` has no field `{path}`", probe.spec().name),
        "unknown field",
        Some(help),
    );
}

/// Reads the demands under `expect` or `advise`.
pub(super) fn expectations(
    reader: &mut Reader<'_>,
    probe: &dyn Probe,
    with: &Params,
    table: &DeTable<'_>,
    key: &str,
) -> Vec<Expectation> {
    let Some(value) = table.get(key) else { return Vec::new() };
    let Some(fields) = value.get_ref().as_table() else {
        reader.wrong_type(value, "a table of fields");
        return Vec::new();
    };
    if fields.is_empty() {
        let help =
            Some("a check that demands nothing would pass whatever the node answers".to_owned());
        reader.error(value.span(), format!("`{key}` is empty"), "demands nothing", help);
    }
    let mut flat = Vec::new();
    flatten("", fields, probe, &mut flat);
    let mut expectations = Vec::new();
    for (path, span, value) in flat {
        reader.demand_no_secret(&path, value);
        let Some(kind) = kind_of(probe, With(with), &path) else {
            unknown_field(reader, probe, &path, span);
            continue;
        };
        let lookup = |other: &str| kind_of(probe, With(with), other);
        let matchers = matchers::decode(reader, &kind, value, &lookup);
        let source = value
            .get_ref()
            .as_table()
            .and_then(|t| t.contains_key("source").then(|| reader.text(t, "source")))
            .flatten();
        let own = value.get_ref().as_table();
        let comparing = own.map(|own| comparing::decode(reader, &kind, own, &matchers));
        let comparing = comparing.unwrap_or_default();
        let location = reader.location(&span);
        expectations.push(Expectation { field: path, matchers, source, comparing, location });
    }
    expectations
}

/// Joins dotted keys (`latency.p99 = ...` nests tables) into field paths.
fn flatten<'t, 'i>(
    prefix: &str,
    table: &'t DeTable<'i>,
    probe: &dyn Probe,
    flat: &mut Vec<(String, Range<usize>, &'t Spanned<DeValue<'i>>)>,
) {
    for (name, value) in table {
        let path = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        let below = format!("{path}.");
        let is_prefix = probe.spec().fields.iter().any(|f| f.path.starts_with(&below));
        let is_field = probe.spec().fields.iter().any(|f| f.path == path);
        let summaries = |t: &DeTable<'_>| {
            !t.is_empty() && t.iter().all(|(k, _)| SUMMARIES.contains(&k.get_ref().as_ref()))
        };
        match value.get_ref().as_table() {
            Some(inner) if (is_prefix && !is_field) || (is_field && summaries(inner)) => {
                flatten(&path, inner, probe, flat);
            }
            _ => flat.push((path, name.span(), value)),
        }
    }
}

/// Reads the fields to record.
pub(super) fn recorded(
    reader: &mut Reader<'_>,
    probe: &dyn Probe,
    with: &Params,
    table: &DeTable<'_>,
) -> Vec<String> {
    let fields = reader.texts(table, "record");
    if fields.is_empty()
        && let Some(value) = table.get("record")
        && matches!(reader.raw(value), Raw::List(_))
    {
        reader.error(value.span(), "`record` is empty", "name at least one field", None);
    }
    for (path, span) in &fields {
        if kind_of(probe, With(with), path).is_none() {
            unknown_field(reader, probe, path, span.clone());
        }
    }
    fields.into_iter().map(|(path, _)| path).collect()
}
