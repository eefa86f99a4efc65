//! Whether a summary says what its ledger says: each is the witness of the other.
//!
//! A number that was changed by hand, a line that was taken out, an accept that was cut between the
//! two files: all of them show here, with the place, before anything is judged by it.

use std::{ops::Range, sync::Arc};

use toml_edit::{Document, Item, Table};

use super::{
    ledger::Ledger,
    summary::{CheckSummary, FORMATS, MetricSummary, SUMMARY_FORMAT, Summary},
};
use crate::load::diagnostic::{Diagnostic, LoadError, Source};

const REPAIR: &str = "restore both files from version control; if the ledger is right, `verify baseline merge` writes the summary anew";

/// Says that one of the two files is missing.
///
/// *Errors*: one is there and the other is not.
pub(super) fn alone(
    ledger: Option<&Source>,
    summary: Option<&Source>,
) -> Result<Ledger, LoadError> {
    let message = match (ledger, summary) {
        (None, Some(summary)) => format!(
            "{} has no ledger beside it: expected a file of the same name that ends in .runs.jsonl; restore it from version control",
            summary.file
        ),
        (Some(ledger), None) => format!(
            "{} has no summary beside it: expected a file of the same name that ends in .toml; `verify baseline merge` writes it",
            ledger.file
        ),
        _ => return Ok(Ledger::default()),
    };
    Err(LoadError::general(message))
}

/// Demands that a summary says what was computed from its ledger.
///
/// *Errors*: it is not a summary, or every place where it differs.
pub(crate) fn agree(source: &Arc<Source>, computed: &Summary) -> Result<(), LoadError> {
    let mut page = Page { source, errors: Vec::new() };
    page.compare(computed);
    if page.errors.is_empty() {
        return Ok(());
    }
    Err(LoadError { diagnostics: page.errors, general: Vec::new() })
}

struct Page<'s> {
    source: &'s Arc<Source>,
    errors: Vec<Diagnostic>,
}

impl Page<'_> {
    fn error(&mut self, span: Option<Range<usize>>, title: String, label: impl Into<String>) {
        self.errors.push(Diagnostic {
            source: Arc::clone(self.source),
            span: span.unwrap_or(0..0),
            title,
            label: label.into(),
            help: Some(REPAIR.to_owned()),
        });
    }

    fn compare(&mut self, computed: &Summary) {
        let document = match Document::parse(self.source.text.as_str()) {
            Ok(document) => document,
            Err(error) => {
                return self.error(error.span(), error.message().to_owned(), "not TOML");
            }
        };
        if let Some(format) = document.get("format").and_then(Item::as_str)
            && !FORMATS.contains(&format)
        {
            let label =
                format!("this version reads up to `{SUMMARY_FORMAT}`; a newer verify may read it");
            let span = document.get("format").and_then(Item::span);
            return self.error(span, format!("the summary has the format `{format}`"), label);
        }
        let said: Summary = match toml::from_str(&self.source.text) {
            Ok(said) => said,
            Err(error) => {
                let label = "as `verify baseline accept` never writes it";
                return self.error(error.span(), error.message().to_owned(), label);
            }
        };
        let tables = tables(document.get("check"));
        for known in &computed.check {
            if !said.check.iter().any(|check| check.id == known.id) {
                let title =
                    format!("the ledger has units of `{}`, and the summary has not", known.id);
                self.error(None, title, "expected a [[check]] of that id");
            }
        }
        for (at, check) in said.check.iter().enumerate() {
            let table = tables.get(at).copied();
            let twice = said.check[..at].iter().any(|other| other.id == check.id);
            match computed.check.iter().find(|known| known.id == check.id) {
                _ if twice => {
                    self.error(
                        span(table, "id"),
                        format!("`{}` stands here twice", check.id),
                        "again",
                    );
                }
                None => {
                    let title =
                        format!("the summary has `{}`, and its ledger has no unit of it", check.id);
                    self.error(span(table, "id"), title, "no such unit");
                }
                Some(known) => self.check(check, known, table),
            }
        }
    }

    fn check(&mut self, said: &CheckSummary, known: &CheckSummary, table: Option<&Table>) {
        if said.digest != known.digest {
            let title = format!("the summary of `{}` does not match its ledger", said.id);
            let label = "lines of the ledger were added, taken out or changed since";
            return self.error(span(table, "digest"), title, label);
        }
        let texts = [
            ("machine", &said.machine, &known.machine),
            ("reason", &said.reason, &known.reason),
            ("epoch", &said.epoch, &known.epoch),
            ("definition", &said.definition, &known.definition),
        ];
        for (key, said_text, known_text) in texts {
            self.same(&said.id, (key, span(table, key)), said_text, known_text);
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let prints = (text(&said.fingerprint), text(&known.fingerprint));
        let place = span(table, "fingerprint").or_else(|| span(table, "id"));
        self.same(&said.id, ("fingerprint", place), &prints.0, &prints.1);
        let runs = (said.runs.join(", "), known.runs.join(", "));
        self.same(&said.id, ("runs", span(table, "runs")), &runs.0, &runs.1);
        let units = (said.units.to_string(), known.units.to_string());
        self.same(&said.id, ("units", span(table, "units")), &units.0, &units.1);
        let rows = tables(table.and_then(|table| table.get("metric")));
        let fields = |check: &CheckSummary| -> Vec<String> {
            check.metric.iter().map(|metric| metric.field.clone()).collect()
        };
        if fields(said) != fields(known) {
            let title = format!("`{}` has other fields than its ledger", said.id);
            let label = format!("expected: {}", fields(known).join(", "));
            return self.error(span(table, "id"), title, label);
        }
        for (at, (said_row, known_row)) in said.metric.iter().zip(&known.metric).enumerate() {
            self.metric(&said.id, said_row, known_row, rows.get(at).copied());
        }
    }

    fn metric(
        &mut self,
        id: &str,
        said: &MetricSummary,
        known: &MetricSummary,
        row: Option<&Table>,
    ) {
        let name = format!("{id}, {}", said.field);
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        self.same(&name, ("centre", span(row, "centre")), &said.centre, &known.centre);
        for (key, said, known) in [
            ("spread", &said.spread, &known.spread),
            ("anchor", &said.anchor, &known.anchor),
            ("better", &said.better, &known.better),
        ] {
            let place = span(row, key).or_else(|| span(row, "field"));
            self.same(&name, (key, place), &text(said), &text(known));
        }
    }

    fn same(&mut self, of: &str, key: (&str, Option<Range<usize>>), said: &str, known: &str) {
        if said != known {
            let title = format!("`{}` of {of} is `{said}`, and its ledger gives `{known}`", key.0);
            self.error(key.1, title, "not what the units give");
        }
    }
}

fn tables(item: Option<&Item>) -> Vec<&Table> {
    item.and_then(Item::as_array_of_tables).map(|list| list.iter().collect()).unwrap_or_default()
}

fn span(table: Option<&Table>, key: &str) -> Option<Range<usize>> {
    let table = table?;
    table.get(key).and_then(Item::span).or_else(|| table.span())
}
