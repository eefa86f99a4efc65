//! Our own measuring code: what no tool says and no file shows, asked of the kernel directly.
//!
//! Each instrument runs in a process of its own (`verify instrument NAME`), started through the
//! transport like any program, and prints one JSON document. What it takes (a priority, locked
//! memory, a ring) ends with the process. `unsafe` lives here. It knows nothing of suites. How each
//! measures and what misleads stands in `METHOD.md`.

mod argument;
#[cfg(target_os = "linux")]
mod linux;

use serde_json::{Value, json};

pub use argument::Arguments;
#[cfg(target_os = "linux")]
pub use linux::INSTRUMENTS;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub use linux::outside;

/// Holds every instrument of this build: all of them ask Linux.
#[cfg(not(target_os = "linux"))]
pub static INSTRUMENTS: &[Instrument] = &[];

/// Names the form of the document; a reader refuses what it does not know.
pub const PROTOCOL: &str = "verify-instrument/1";

/// Says how each probe that loads measures and what misleads, in Markdown, a section a probe.
pub const METHOD: &str = include_str!("../METHOD.md");

/// Describes one instrument.
pub struct Instrument {
    /// Name, kebab-case.
    pub name: &'static str,
    /// One sentence: what it measures.
    pub summary: &'static str,
    /// Arguments that it takes, one a line with their defaults.
    pub arguments: &'static str,
    /// Measures.
    ///
    /// *Errors*: arguments that it cannot use, in one sentence.
    pub run: fn(&Arguments<'_>) -> Result<Value, String>,
}

/// Finds an instrument by name.
pub fn find(name: &str) -> Option<&'static Instrument> {
    INSTRUMENTS.iter().find(|instrument| instrument.name == name)
}

impl Instrument {
    /// Measures and returns the document.
    ///
    /// *Shape*: `protocol`, `instrument`, `result`.
    ///
    /// *Errors*: arguments that it does not take, in one sentence.
    pub fn document(&self, words: &[String]) -> Result<Value, String> {
        let result = (self.run)(&Arguments::parse(self.arguments, words)?)?;
        Ok(json!({ "protocol": PROTOCOL, "instrument": self.name, "result": result }))
    }

    /// Measures as a line of the shell would have it and returns the result alone.
    #[cfg(test)]
    #[allow(dead_code, reason = "without instruments there are no tests of them")]
    pub(crate) fn tried(&self, line: &str) -> Result<Value, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        self.document(&words).map(|mut document| document["result"].take())
    }
}
