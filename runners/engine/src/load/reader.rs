//! Reads TOML tables by key table, collecting every error with its place.
//!
//! Decoding is by hand because serde loses the places of values inside flattened tables. Nothing
//! here knows what a check is.

use std::{ops::Range, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use verify_model::{
    check::{Location, Params},
    matcher::Literal,
};

use super::{
    diagnostic::{Diagnostic, Source, did_you_mean},
    embedded,
    keys::Key,
    link::Inventory,
    root::EMBEDDED,
};
use crate::redact;

/// Holds a value as it stands in a file, variables filled in.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, as written.
    Float(String),
    /// A yes or no.
    Bool(bool),
    /// Several values.
    List(Vec<Raw>),
    /// Something else: a table or a date.
    Other(&'static str),
}

impl Raw {
    /// Shows the value as it would be written.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("\"{text}\""),
            Self::Integer(number) => number.to_string(),
            Self::Float(text) => text.clone(),
            Self::Bool(flag) => flag.to_string(),
            Self::List(items) => {
                let texts: Vec<String> = items.iter().map(Self::shown).collect();
                format!("[{}]", texts.join(", "))
            }
            Self::Other(what) => (*what).to_owned(),
        }
    }

    /// Returns every text and whole number in it, parted by NUL.
    fn texts(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(items) => items.iter().map(Self::texts).collect::<Vec<_>>().join("\0"),
            Self::Integer(number) => number.to_string(),
            Self::Float(_) | Self::Bool(_) | Self::Other(_) => String::new(),
        }
    }
}

/// Says at a span that its variable is unknown: said once a variable, wherever it stands.
pub const UNKNOWN_VARIABLE: &str = "unknown variable";

/// Says at a span that it holds a secret: whatever is wrong with the file, it is not shown.
pub const HIDDEN: &str = "not shown here";

/// Reads one file and collects its errors.
pub struct Reader<'a> {
    /// The file.
    pub source: Arc<Source>,
    /// Errors so far.
    pub errors: Vec<Diagnostic>,
    variables: Option<(&'a str, &'a Params)>,
    links: Option<&'a Inventory>,
}

impl<'a> Reader<'a> {
    /// Begins to read a file; variables belong to the named node.
    pub fn new(source: &Arc<Source>, variables: Option<(&'a str, &'a Params)>) -> Self {
        Self { source: Arc::clone(source), errors: Vec::new(), variables, links: None }
    }

    /// Names the links that checks may be about.
    #[must_use]
    pub fn with_links(mut self, links: &'a Inventory) -> Self {
        self.links = Some(links);
        self
    }

    /// Returns the node that is meant, and all links.
    pub fn links(&self) -> Option<(&'a str, &'a Inventory)> {
        Some((self.variables?.0, self.links?))
    }

    /// Adds an error; what follows from an unknown variable, or from a secret, in the same place is not said.
    pub fn error(
        &mut self,
        span: Range<usize>,
        title: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        let unfilled = |error: &Diagnostic| {
            [UNKNOWN_VARIABLE, HIDDEN].contains(&error.label.as_str())
                && span.start <= error.span.start
                && error.span.end <= span.end
        };
        if self.errors.iter().any(unfilled) {
            return;
        }
        self.errors.push(Diagnostic {
            source: Arc::clone(&self.source),
            span,
            title: title.into(),
            label: label.into(),
            help,
        });
    }

    /// Returns the place of a span.
    pub fn location(&self, span: &Range<usize>) -> Location {
        self.source.location(span.start)
    }

    /// Reports keys that the table does not know and required ones that are missing.
    pub fn check_keys(
        &mut self,
        table: &DeTable<'_>,
        keys: &[Key],
        what: &str,
        span: Range<usize>,
    ) {
        for (name, value) in table {
            let written: &str = name.get_ref();
            if keys.iter().any(|key| key.name == written) {
                continue;
            }
            let help = did_you_mean(written, keys.iter().map(|k| k.name)).map_or_else(
                || {
                    let names: Vec<&str> = keys.iter().map(|k| k.name).collect();
                    format!("known keys are: {}", names.join(", "))
                },
                |name| format!("did you mean `{name}`?"),
            );
            self.error(
                name.span(),
                format!("unknown key `{written}` in {what}"),
                "not a key here",
                Some(help),
            );
            self.demand_no_secret(written, value);
        }
        for key in keys.iter().filter(|key| key.required) {
            if !table.contains_key(key.name) {
                let help = format!("add `{} = ...`: {}", key.name, key.doc);
                self.error(
                    span.clone(),
                    format!("{what} has no `{}`", key.name),
                    "missing here",
                    Some(help),
                );
            }
        }
    }

    /// Reports a value that holds a secret, or is one by its name, however deep: it would stand in the
    /// record. No error shows the place.
    pub fn demand_no_secret(&mut self, name: &str, value: &Spanned<DeValue<'_>>) {
        if let Some(table) = value.get_ref().as_table() {
            for (name, value) in table {
                self.demand_no_secret(name.get_ref(), value);
            }
            return;
        }
        if let Some(items) = value.get_ref().as_array() {
            for item in items.iter().filter(|item| item.get_ref().is_table()) {
                self.demand_no_secret(name, item);
            }
        }
        // What is part of the binary was looked at by the tests, as files below a root.
        if self.source.file.starts_with(EMBEDDED) {
            return;
        }
        let raw = self.raw(value);
        let Some(kind) = redact::kind_of(name, &raw.texts()) else { return };
        self.error(
            value.span(),
            format!("`{name}` holds a secret ({kind}), which would stand in the record"),
            HIDDEN,
            Some("let the program read it over there, from a file or its environment".to_owned()),
        );
    }

    /// Reports a value of the wrong type.
    pub fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, expected: &str) {
        let found = value.get_ref().type_str();
        self.error(
            value.span(),
            format!("expected {expected}, found {found}"),
            format!("expected {expected}"),
            None,
        );
    }

    /// Reads a text.
    pub fn text(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        match self.raw(value) {
            Raw::Text(text) if text.trim().is_empty() => {
                self.error(value.span(), format!("`{key}` is empty"), "expected some text", None);
                None
            }
            Raw::Text(text) => Some(text),
            _ => {
                self.wrong_type(value, "a text");
                None
            }
        }
    }

    /// Reads a list of texts, each with its place.
    pub fn texts(&mut self, table: &DeTable<'_>, key: &str) -> Vec<(String, Range<usize>)> {
        let Some(value) = table.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(value, "a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match self.raw(item) {
                Raw::Text(text) => texts.push((text, item.span())),
                _ => self.wrong_type(item, "a text"),
            }
        }
        texts
    }

    /// Reads a yes or no; a missing one is no.
    pub fn flag(&mut self, table: &DeTable<'_>, key: &str) -> bool {
        let Some(value) = table.get(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(value, "true or false");
            false
        })
    }

    /// Reads a whole number within bounds.
    pub fn number(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = table.get(key)?;
        let Raw::Integer(number) = self.raw(value) else {
            self.wrong_type(value, "a whole number");
            return None;
        };
        let fits = u32::try_from(number).ok().filter(|n| range.contains(n));
        if fits.is_none() {
            let label = format!("expected a number from {} to {}", range.start(), range.end());
            self.error(value.span(), format!("`{key}` is out of range"), label, None);
        }
        fits
    }

    /// Turns a value into plain data, variables filled in.
    pub fn raw(&mut self, value: &Spanned<DeValue<'_>>) -> Raw {
        match value.get_ref() {
            DeValue::String(text) => self.fill(text, value.span()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Raw::Other("a number that is too large"), Raw::Integer),
            DeValue::Float(number) => Raw::Float(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Raw::Bool(*flag),
            DeValue::Array(items) => Raw::List(items.iter().map(|item| self.raw(item)).collect()),
            DeValue::Table(_) => Raw::Other("a table"),
            DeValue::Datetime(_) => Raw::Other("a date"),
        }
    }

    /// Fills in `${name}`: a text that is nothing else takes the variable's own type.
    fn fill(&mut self, text: &str, span: Range<usize>) -> Raw {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else {
                self.error(span, "a variable is not closed", "expected `}`", None);
                return Raw::Text(text.to_owned());
            };
            let name = &rest[start + 2..start + length];
            let Some(value) = self.variable(name, &span) else {
                return Raw::Text(text.to_owned());
            };
            if start == 0 && length + 1 == text.len() {
                return value;
            }
            filled += &rest[..start];
            filled += &match value {
                Raw::Text(text) => text,
                other => other.shown(),
            };
            rest = &rest[start + length + 1..];
        }
        filled += rest;
        Raw::Text(filled)
    }

    fn variable(&mut self, name: &str, span: &Range<usize>) -> Option<Raw> {
        let Some((node, variables)) = self.variables else {
            return Some(Raw::Text(format!("${{{name}}}")));
        };
        if let Some(value) = variables.get(name) {
            return Some(from_literal(value));
        }
        let help = did_you_mean(name, variables.keys().map(String::as_str))
            .map_or_else(|| lacking(node, name), |close| format!("did you mean `${{{close}}}`?"));
        self.error(
            span.clone(),
            format!("node {node} has no variable `{name}`"),
            UNKNOWN_VARIABLE,
            Some(help),
        );
        None
    }
}

/// Says what to do about a variable that a node lacks.
fn lacking(node: &str, name: &str) -> String {
    let add = format!("add `{name} = ...` under [variables] in the file of node {node}");
    let shipped = embedded::NODES.iter().find(|(shipped, _)| *shipped == node);
    if shipped.is_some_and(|(_, text)| text.contains(&format!("\n{name} "))) {
        format!("{add}; the shipped one has it: `verify show node {node} --shipped`")
    } else {
        add
    }
}

fn from_literal(literal: &Literal) -> Raw {
    match literal {
        Literal::Bool(flag) => Raw::Bool(*flag),
        Literal::Integer(number) => Raw::Integer(*number),
        Literal::Text(text) => Raw::Text(text.clone()),
        Literal::Quantity(quantity) => Raw::Text(quantity.to_string()),
        Literal::Cpus(cpus) => Raw::Text(cpus.to_string()),
        Literal::List(items) => Raw::List(items.iter().map(from_literal).collect()),
    }
}
