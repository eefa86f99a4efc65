//! Decodes a suite file for one node: checks, their parameters and their demands.

use std::{ops::Range, sync::Arc};

use toml::{Spanned, de::DeTable};
use verify_model::{check::Check, node::NodeFile};

use super::{
    demands::{expectations, recorded},
    diagnostic::{Diagnostic, Source, did_you_mean},
    keys,
    link::Inventory,
    parameters::{check_capabilities, limit, parameters, probe},
    reader::Reader,
};
use crate::probe::With;

/// Holds the head of a suite file.
#[derive(Clone, Debug)]
pub struct SuiteHead {
    /// Name: the file's name without `.toml`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Patterns of node names, with their places.
    pub nodes: Vec<(String, Range<usize>)>,
    /// Labels for every check.
    pub tags: Vec<String>,
}

/// Holds one decoded check with the places that later stages point at.
#[derive(Clone, Debug)]
pub struct LoadedCheck {
    /// The check.
    pub check: Check,
    /// Where its id stands.
    pub id_span: Range<usize>,
    /// Where each `after` stands.
    pub after_spans: Vec<Range<usize>>,
    /// File that it stands in.
    pub source: Arc<Source>,
}

/// Decodes the head.
pub fn head(
    source: &Arc<Source>,
    name: &str,
    root: &Spanned<DeTable<'_>>,
) -> (Option<SuiteHead>, Vec<Diagnostic>) {
    let mut reader = Reader::new(source, None);
    let table = root.get_ref();
    for (key, value) in table {
        let written: &str = key.get_ref();
        if !matches!(written, "suite" | "check") {
            let help = did_you_mean(written, ["suite", "check"])
                .map(|close| format!("did you mean `{close}`?"));
            reader.error(
                key.span(),
                format!("unknown key `{written}` in a suite file"),
                "expected `[suite]` or `[[check]]`",
                help,
            );
            reader.demand_no_secret(written, value);
        }
    }
    let Some(value) = table.get("suite") else {
        reader.error(
            0..0,
            "the file has no `[suite]`",
            "expected `[suite]` with title and nodes",
            None,
        );
        return (None, reader.errors);
    };
    let Some(suite) = value.get_ref().as_table() else {
        reader.wrong_type(value, "a table `[suite]`");
        return (None, reader.errors);
    };
    reader.check_keys(suite, keys::SUITE, "[suite]", value.span());
    let title = reader.text(suite, "title").unwrap_or_default();
    let nodes = reader.texts(suite, "nodes");
    if nodes.is_empty() && suite.contains_key("nodes") {
        reader.error(value.span(), "the suite is for no node", "name at least one node", None);
    }
    let tags = reader.texts(suite, "tags").into_iter().map(|(tag, _)| tag).collect();
    (Some(SuiteHead { name: name.to_owned(), title, nodes, tags }), reader.errors)
}

/// Decodes the checks of a suite for one node.
pub fn checks(
    source: &Arc<Source>,
    head: &SuiteHead,
    root: &Spanned<DeTable<'_>>,
    node: &NodeFile,
    links: &Inventory,
) -> (Vec<LoadedCheck>, Vec<Diagnostic>) {
    let mut reader = Reader::new(source, Some((&node.name, &node.variables))).with_links(links);
    let Some(value) = root.get_ref().get("check") else {
        let help = Some(
            "add a `[[check]]`: a suite without checks would pass without asking anything"
                .to_owned(),
        );
        reader.error(0..0, "the suite has no check", "expected `[[check]]`", help);
        return (Vec::new(), reader.errors);
    };
    let Some(items) = value.get_ref().as_array() else {
        reader.wrong_type(value, "tables `[[check]]`");
        return (Vec::new(), reader.errors);
    };
    let mut loaded = Vec::new();
    for item in items {
        match item.get_ref().as_table() {
            Some(table) => loaded.extend(check(&mut reader, head, table, item.span())),
            None => reader.wrong_type(item, "a table `[[check]]`"),
        }
    }
    (loaded, reader.errors)
}

fn check(
    reader: &mut Reader<'_>,
    head: &SuiteHead,
    table: &DeTable<'_>,
    span: Range<usize>,
) -> Option<LoadedCheck> {
    let before = reader.errors.len();
    reader.check_keys(table, keys::CHECK, "[[check]]", span.clone());
    let (id, id_span) = id(reader, table, &span);
    let title = reader.text(table, "title").unwrap_or_default();
    let [why, source, fix] =
        ["why", "source", "fix"].map(|key| reader.text(table, key).unwrap_or_default());
    let after = reader.texts(table, "after");
    let when = reader.texts(table, "when");
    check_capabilities(reader, &when);
    let mut tags = head.tags.clone();
    tags.extend(reader.texts(table, "tags").into_iter().map(|(tag, _)| tag));
    let repeat = reader.number(table, "repeat", 1..=1000).unwrap_or(1);
    let retries = reader.number(table, "retries", 0..=10).unwrap_or(0);
    let limit_ms = limit(reader, table);
    let probe = probe(reader, table);
    demands_something(reader, table, &id_span);
    let probe = probe?;
    let with = parameters(reader, probe, table, span.clone());
    let expect = expectations(reader, probe, &with, table, "expect");
    let advise = expectations(reader, probe, &with, table, "advise");
    let record = recorded(reader, probe, &with, table);
    if reader.errors.len() > before {
        return None;
    }
    let after_spans = after.iter().map(|(_, span)| span.clone()).collect();
    let check = Check {
        id,
        suite: head.name.clone(),
        title,
        probe: probe.spec().name.to_owned(),
        effect: probe.effect(With(&with)),
        with,
        after: after.into_iter().map(|(id, _)| id).collect(),
        when: when.into_iter().map(|(name, _)| name).collect(),
        tags,
        why,
        source,
        fix,
        repeat,
        limit_ms,
        retries,
        expect,
        advise,
        record,
        location: reader.location(&span),
    };
    Some(LoadedCheck { check, id_span, after_spans, source: Arc::clone(&reader.source) })
}

/// Reads the id, with its place.
fn id(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Range<usize>) -> (String, Range<usize>) {
    let id = reader.text(table, "id").unwrap_or_default();
    let id_span = table.get("id").map_or(span.clone(), Spanned::span);
    if !id.is_empty() && !is_id(&id) {
        let title = format!("`{id}` is not an id");
        reader.error(id_span.clone(), title, "expected kebab-case `group/name`", None);
    }
    (id, id_span)
}

fn demands_something(reader: &mut Reader<'_>, table: &DeTable<'_>, span: &Range<usize>) {
    if table.contains_key("expect") || table.contains_key("record") {
        return;
    }
    let help = "a check that demands nothing would pass whatever the node answers".to_owned();
    let title = "a check with neither `expect` nor `record`";
    reader.error(span.clone(), title, "demands nothing", Some(help));
}

/// Tells whether a text is a check's id.
pub fn is_id(id: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    id.split_once('/').is_some_and(|(group, name)| word(group) && word(name))
}
