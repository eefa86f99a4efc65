//! A recorded run to bytes: one file a format, one line in `FORMATS`.
//!
//! Pure: same run, same bytes. A report sees only the run; it never asks a node, a clock or a
//! terminal. Every text passes [`clean`], for text from a node is hostile. What is a failure, an
//! error or a skip is said by [`verify_model::exit`] alone.

mod brief;
mod cause;
mod changed;
pub mod clean;
mod csv;
mod detail;
mod digest;
mod draw;
mod github;
mod html;
mod junit;
mod markdown;
mod measured;
mod nagios;
mod names;
mod ocp;
mod own;
mod prometheus;
mod record;
pub mod sentence;
mod tap;
pub mod terminal;
mod times;

use verify_model::run::Run;

/// Describes a format.
#[derive(Debug, PartialEq, Eq)]
pub struct FormatSpec {
    /// Name, as `--report NAME=PATH` takes it.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Usual ending of its files, without the dot.
    pub extension: &'static str,
}

/// Turns a run into bytes. Pure: same run, same bytes.
pub trait Format: Sync {
    /// Describes the format.
    fn spec(&self) -> &'static FormatSpec;

    /// Renders a run.
    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError>;
}

/// Says why a run could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The JUnit writer refused.
    #[error("the JUnit report could not be written")]
    Junit(#[from] quick_junit::SerializeError),
    /// The strict JUnit writer refused.
    #[error("the strict JUnit report could not be written")]
    JunitStrict(#[from] junit_report::Error),
    /// What the strict JUnit writer wrote could not be read back.
    #[error("the strict JUnit report could not be counted")]
    JunitCount(#[from] quick_xml::Error),
    /// The template of the page refused.
    #[error("the page could not be written")]
    Page(#[from] askama::Error),
    /// The CSV writer refused.
    #[error("the table could not be written")]
    Csv(#[from] ::csv::Error),
    /// The JSON writer refused.
    #[error("the record could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Holds every format, in the order in which they are listed.
pub static FORMATS: &[&dyn Format] = &[
    &terminal::Text,
    &html::Html,
    &junit::Junit,
    &junit::JunitStrict,
    &markdown::Markdown,
    &github::Github,
    &tap::Tap,
    &csv::Csv,
    &prometheus::Prometheus,
    &nagios::Nagios,
    &ocp::Ocp,
    &record::JsonLines,
];

/// Finds a format by its name.
pub fn find(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.spec().name == name)
}
