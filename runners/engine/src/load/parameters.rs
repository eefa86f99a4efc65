//! Decodes how a check asks: its probe, the probe's parameters, the time limit, the needs.

use std::ops::Range;

use toml::{Spanned, de::DeTable};
use verify_model::{check::Params, matcher::Literal, node::Facts, unit::Dimension};

use super::{
    diagnostic::did_you_mean,
    link, literal,
    reader::{Raw, Reader},
};
use crate::{
    capability,
    probe::{ParamKind, Probe, With},
    probes,
};

/// Time limit of an attempt, unless the check gives one. *Units*: ms.
const DEFAULT_LIMIT_MS: u64 = 10_000;
/// Longest time limit. *Units*: ms. *Source*: a day; nothing that a check does should take longer.
const MAX_LIMIT_MS: f64 = 86_400_000.0;

/// Reports capabilities that nothing provides.
pub(super) fn check_capabilities(reader: &mut Reader<'_>, when: &[(String, Range<usize>)]) {
    for (name, span) in when {
        if let Some(help) = capability::instead_of(name) {
            reader.error(
                span.clone(),
                format!("unknown capability `{name}`"),
                "nothing provides it",
                Some(help),
            );
        }
    }
}

/// Reads the time limit. *Units*: ms.
pub(super) fn limit(reader: &mut Reader<'_>, table: &DeTable<'_>) -> u64 {
    let Some(value) = table.get("limit") else { return DEFAULT_LIMIT_MS };
    let raw = reader.raw(value);
    match literal::quantity(Some(Dimension::Time), &raw) {
        Ok(quantity) if (1.0..=MAX_LIMIT_MS).contains(&(quantity.base() * 1e3)) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "within 1..=a day"
            )]
            let limit_ms = (quantity.base() * 1e3).round() as u64;
            limit_ms
        }
        Ok(_) => {
            reader.error(
                value.span(),
                "`limit` is out of range",
                "expected a time from 1 ms to 1 d",
                None,
            );
            DEFAULT_LIMIT_MS
        }
        Err(expected) => {
            reader.error(
                value.span(),
                "`limit` is not a time",
                expected,
                Some("such as `limit = \"60 s\"`".into()),
            );
            DEFAULT_LIMIT_MS
        }
    }
}

/// Finds the probe that is named.
pub(super) fn probe(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<&'static dyn Probe> {
    let name = reader.text(table, "probe")?;
    let found = probes::find(&name);
    if found.is_none() {
        let names = probes::PROBES.iter().map(|p| p.spec().name);
        let help = did_you_mean(&name, names).map_or_else(
            || "`verify list probes` lists them".to_owned(),
            |close| format!("did you mean `{close}`?"),
        );
        let span = table.get("probe").map_or(0..0, Spanned::span);
        reader.error(span, format!("unknown probe `{name}`"), "no such probe", Some(help));
    }
    found
}

/// Reads the parameters of a probe, and lets it say whether it can use them.
pub(super) fn parameters(
    reader: &mut Reader<'_>,
    probe: &dyn Probe,
    table: &DeTable<'_>,
    span: Range<usize>,
) -> Params {
    let spec = probe.spec();
    let mut with = Params::new();
    let before = reader.errors.len();
    let empty = DeTable::new();
    let given = match table.get("with") {
        None => &empty,
        Some(value) => {
            if let Some(given) = value.get_ref().as_table() {
                given
            } else {
                reader.wrong_type(value, "a table of parameters");
                return with;
            }
        }
    };
    for (name, value) in given {
        let written: &str = name.get_ref();
        let Some(param) = spec.params.iter().find(|p| p.name == written) else {
            let names = spec.params.iter().map(|p| p.name);
            let help = did_you_mean(written, names.clone()).map_or_else(
                || match names.collect::<Vec<_>>().join(", ") {
                    none if none.is_empty() => {
                        format!("`{}` takes no parameters: take `with` out", spec.name)
                    }
                    names => format!("parameters of `{}` are: {names}", spec.name),
                },
                |close| format!("did you mean `{close}`?"),
            );
            reader.error(
                name.span(),
                format!("the probe `{}` has no parameter `{written}`", spec.name),
                "unknown parameter",
                Some(help),
            );
            reader.demand_no_secret(written, value);
            continue;
        };
        let raw = reader.raw(value);
        reader.demand_no_secret(written, value);
        match typed(reader, param.kind, &raw) {
            Ok(literal) => {
                with.insert(written.to_owned(), literal);
            }
            Err(expected) => reader.error(
                value.span(),
                format!("`{written}` is not usable"),
                expected,
                Some(param.doc.to_owned()),
            ),
        }
    }
    for param in spec.params.iter().filter(|p| p.required && !given.contains_key(p.name)) {
        let title = format!("the probe `{}` needs the parameter `{}`", spec.name, param.name);
        reader.error(span.clone(), title, "missing here", Some(param.doc.to_owned()));
    }
    if reader.errors.len() == before
        && let Err(message) = probe.asks(With(&with), &Facts::default())
    {
        let span = table.get("with").map_or(span, Spanned::span);
        reader.error(span, "the parameters cannot be used", message, None);
    }
    with
}

/// Types a parameter; the names of links become the links.
fn typed(reader: &Reader<'_>, kind: ParamKind, raw: &Raw) -> Result<Literal, String> {
    match (kind, reader.links()) {
        (ParamKind::Link | ParamKind::Links, Some((node, links))) => {
            link::parameter(kind, raw, node, links)
        }
        _ => literal::parameter(kind, raw),
    }
}
