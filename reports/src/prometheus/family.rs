//! Families of metrics as the text format wants them: each together, with its help, no series twice.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::{clean::one_line, measured::number};

/// Bounds a label. *Units*: characters.
const LONGEST: usize = 400;

/// Holds names and values of labels, escaped, in the order in which they were given.
#[derive(Clone, Default)]
pub(super) struct Labels(String);

impl Labels {
    /// Adds a label; one without a value is left out, which is the same to Prometheus.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let value = escaped(&one_line(value, LONGEST));
        if !value.is_empty() {
            let comma = if self.0.is_empty() { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(self.0, "{comma}{name}=\"{value}\"");
        }
        self
    }
}

/// Holds all families, in the order in which they were first named.
#[derive(Default)]
pub(super) struct Families(Vec<Family>);

struct Family {
    name: String,
    help: String,
    series: BTreeSet<String>,
    lines: String,
}

impl Families {
    /// Adds a series; one that is there already, or that is not a number, is left out.
    pub(super) fn add(&mut self, name: &str, help: &str, labels: &Labels, value: f64) {
        if !value.is_finite() {
            return;
        }
        let at = self.0.iter().position(|family| family.name == name).unwrap_or_else(|| {
            let (name, help) = (name.to_owned(), help.to_owned());
            self.0.push(Family { name, help, series: BTreeSet::new(), lines: String::new() });
            self.0.len() - 1
        });
        let family = &mut self.0[at];
        if family.series.insert(labels.0.clone()) {
            // Writing to a String cannot fail.
            let _ = writeln!(family.lines, "{name}{{{}}} {}", labels.0, number(value));
        }
    }

    /// Writes all families.
    pub(super) fn text(&self) -> String {
        let one = |family: &Family| {
            let Family { name, help, lines, .. } = family;
            format!("# HELP {name} {help}\n# TYPE {name} gauge\n{lines}")
        };
        self.0.iter().map(one).collect()
    }
}

/// *Source*: Prometheus, "Exposition formats": backslash, quote and line feed of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_stands_once_and_never_without_a_number() {
        let mut all = Families::default();
        let labels = Labels::default().with("a", "x\\y \"z\"\n").with("empty", "");
        for value in [1.5, 2.5, f64::NAN, f64::INFINITY] {
            all.add("m_seconds", "Help.", &labels, value);
        }
        let series = r#"m_seconds{a="x\\y \"z\""} 1.5"#;
        let head = "# HELP m_seconds Help.\n# TYPE m_seconds gauge\n";
        assert_eq!(all.text(), format!("{head}{series}\n"));
    }
}
