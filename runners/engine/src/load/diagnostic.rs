//! What is wrong with an input file, where, and what to do: rustc style, all errors at once.
//!
//! A diagnostic points at a span of a source. Rendering shows the first [`SHOWN`] of a file and
//! counts the rest, so that a file with 10,000 errors is still a page that a person can read.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    ops::Range,
    sync::Arc,
};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use verify_model::{check::Location, number_of};

use super::reader::HIDDEN;
use crate::redact;

/// Bounds how many errors of one file are shown in full.
pub const SHOWN: usize = 20;

/// Holds one input file.
#[derive(Debug)]
pub struct Source {
    /// Path relative to the root, or as given.
    pub file: String,
    /// Whole text.
    pub text: String,
    line_starts: Vec<usize>,
}

impl Source {
    /// Builds a source.
    pub fn new(file: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let text = text.into();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let line_starts = starts.collect();
        Arc::new(Self { file: file.into(), text, line_starts })
    }

    /// Returns the place of a byte.
    pub fn location(&self, at: usize) -> Location {
        let line = self.line_starts.partition_point(|start| *start <= at);
        Location { file: self.file.clone(), line: u32::try_from(line).unwrap_or(u32::MAX) }
    }
}

/// Holds one error in one file.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// File that it is in.
    pub source: Arc<Source>,
    /// Bytes that it points at.
    pub span: Range<usize>,
    /// What is wrong, in one line.
    pub title: String,
    /// What was expected at the span.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

/// Holds every error that was found while loading.
#[derive(Debug, Default)]
pub struct LoadError {
    /// Errors that point into a file, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Errors about whole files or names, in one line each, with what to do.
    pub general: Vec<String>,
}

impl LoadError {
    /// Builds an error that points at no file.
    pub fn general(message: impl Into<String>) -> Self {
        Self { diagnostics: Vec::new(), general: vec![message.into()] }
    }

    /// Tells whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty() && self.general.is_empty()
    }

    /// Counts the errors.
    pub fn len(&self) -> usize {
        self.diagnostics.len() + self.general.len()
    }

    /// Renders the errors for a person, without any secret of the files.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for message in &self.general {
            let message = redact::line(message);
            let group = Level::ERROR.primary_title(&*message);
            out += &renderer.render(&[annotate_snippets::Group::with_title(group)]);
            out += "\n\n";
        }
        let mut shown: Vec<(&str, usize)> = Vec::new();
        let mut masked: BTreeMap<&str, String> = BTreeMap::new();
        for diagnostic in &self.diagnostics {
            let file = diagnostic.source.file.as_str();
            match shown.last_mut() {
                Some((last, count)) if *last == file => *count += 1,
                _ => shown.push((file, 1)),
            }
            if shown.last().is_some_and(|(_, count)| *count <= SHOWN) {
                let text = masked.entry(file).or_insert_with(|| self.masked(&diagnostic.source));
                out += &render_one(&renderer, diagnostic, text);
                out += "\n\n";
            }
        }
        for (file, count) in shown.into_iter().filter(|(_, count)| *count > SHOWN) {
            let _ = write!(out, "... and {} more errors in {file}\n\n", count - SHOWN);
        }
        out
    }

    /// Returns the text of a file without its secrets, also those that another error is about.
    fn masked(&self, source: &Source) -> String {
        let hidden =
            self.diagnostics.iter().filter(|d| d.label == HIDDEN && d.source.file == source.file);
        let spans: Vec<Range<usize>> = hidden.map(|d| d.span.clone()).collect();
        redact::masked(&source.text, &spans)
    }
}

/// Renders one error with the lines of `text` that it points at only: a file may be very long.
fn render_one(renderer: &Renderer, diagnostic: &Diagnostic, text: &str) -> String {
    let start = diagnostic.span.start.min(text.len());
    let end = diagnostic.span.end.clamp(start, text.len());
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let to = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let line = diagnostic.source.location(start).line as usize;
    let label = redact::line(&diagnostic.label);
    let snippet = Snippet::source(&text[from..to])
        .line_start(line)
        .path(diagnostic.source.file.as_str())
        .annotation(AnnotationKind::Primary.span(start - from..end - from).label(&*label));
    let title = redact::line(&diagnostic.title);
    let mut group = Level::ERROR.primary_title(&*title).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(redact::line(help)));
    }
    renderer.render(&[group])
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: std::collections::BTreeSet<_> =
            self.diagnostics.iter().map(|d| d.source.file.as_str()).collect();
        let errors = number_of(self.len(), "error");
        match files.len() {
            0 => f.write_str(&errors),
            1 => write!(f, "{errors} in {}", files.first().unwrap_or(&"")),
            many => write!(f, "{errors} in {many} files"),
        }
    }
}

impl std::error::Error for LoadError {}

/// Finds the name that a person most likely meant.
pub fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = names.into_iter().map(|name| (strsim::damerau_levenshtein(wrong, name), name));
    close.filter(|(distance, name)| *distance <= 1 + name.len() / 4).min().map(|(_, name)| name)
}
