//! The fields as they are written down: every path is one of the table, every text is one line.

use std::collections::BTreeMap;

use verify_model::{
    fingerprint::{Fingerprint, is_known},
    value::Value,
};

/// Longest text that is kept; a kernel command line has up to 4096. *Units*: characters.
const LONGEST: usize = 4096;

/// Collects fields.
#[derive(Debug, Default)]
pub(super) struct Page(BTreeMap<String, Option<String>>);

impl Page {
    /// Puts down a field; what says nothing is unknown.
    pub(super) fn put(&mut self, path: &str, text: Option<String>) {
        let path = one_line(path);
        if is_known(&path) {
            self.0.insert(path, text.map(|text| one_line(&text)).filter(|text| !text.is_empty()));
        }
    }

    /// Returns what was put down.
    pub(super) fn print(self) -> Fingerprint {
        Fingerprint(self.0)
    }
}

/// Returns a value that is known as a text.
pub(super) fn known(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Quantity(quantity) => Some(quantity.to_string()),
        _ => None,
    }
}

/// Keeps no control character and no run of blanks.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(LONGEST).collect()
}
