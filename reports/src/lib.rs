//! A recorded run to bytes: one file a format, one line in `FORMATS`.
//!
//! Pure: same run, same bytes. A report sees only the run; it never asks a node, a clock or a
//! terminal. Every text passes [`clean`], for text from a node is hostile. What is a failure, an
//! error or a skip is said by [`verify_model::exit`] alone.

mod cause;
#[allow(dead_code, reason = "the formats that use it follow")]
mod changed;
pub mod clean;
mod detail;
#[allow(dead_code, reason = "the page that uses it follows")]
mod draw;
mod junit;
mod record;
pub mod sentence;
pub mod terminal;

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
    /// The JSON writer refused.
    #[error("the record could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Holds every format, in the order in which they are listed.
pub static FORMATS: &[&dyn Format] =
    &[&terminal::Text, &junit::Junit, &junit::JunitStrict, &record::JsonLines];

/// Finds a format by its name.
pub fn find(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.spec().name == name)
}
