//! The proposed suite as text: every value with where it comes from, every omission with the reason.
//!
//! Texts of nodes stand in comments and in values: they are cleaned and quoted, so that none of them is a
//! line or a key of its own.

use std::fmt::Write as _;

use verify_model::{check::Check, field::FieldKind, matcher::Literal, number_of};

use super::{
    Answers, GROUP, fact, fields,
    limit::{self, limit},
};

/// Longest line of a comment. *Units*: characters.
const WIDTH: usize = 96;

/// Holds what is said once for all checks.
pub(super) struct Head<'h> {
    pub(super) node: &'h str,
    pub(super) machine: &'h str,
    pub(super) runs: Vec<&'h str>,
    pub(super) simulated: Option<&'h str>,
    pub(super) left: &'h [String],
}

impl Head<'_> {
    /// Says where a value comes from that so many runs gave.
    fn source(&self, runs: usize) -> String {
        let (first, last) = (self.runs.first().unwrap_or(&""), self.runs.last().unwrap_or(&""));
        let simulated = self.simulated.map(|by| format!(", simulated by {by}")).unwrap_or_default();
        plain(&format!(
            "learned from {}, {first} to {last}, on {}{simulated}",
            number_of(runs, "run"),
            self.machine
        ))
    }
}

/// Gathers the text of a suite.
pub(super) struct Page<'h> {
    head: &'h Head<'h>,
    checks: String,
    count: usize,
    left: Vec<(String, String)>,
}

impl<'h> Page<'h> {
    pub(super) fn new(head: &'h Head<'h>) -> Self {
        Self { head, checks: String::new(), count: 0, left: Vec::new() }
    }

    /// Counts the checks.
    pub(super) fn checks(&self) -> usize {
        self.count
    }

    /// Says why a check is not part of the suite.
    pub(super) fn leave_out(&mut self, id: &str, why: &str) {
        self.left.push((id.to_owned(), why.to_owned()));
    }

    /// Adds a check.
    pub(super) fn check(&mut self, id: &str, answers: &Answers<'_>) {
        let check = answers.check;
        let runs = answers.seen.len();
        let (mut expect, mut record, mut notes) = (String::new(), Vec::new(), Vec::new());
        for (path, kind) in fields(check) {
            let is_metric = matches!(kind, Some(FieldKind::Metric(..)))
                || answers.seen.iter().flatten().any(|o| o.metric_at(path).is_some());
            let found = if answers.missed.contains(path) {
                Err("it is not as its suite advises".to_owned())
            } else if let Some(why) = fact::ambient(path).filter(|_| is_metric) {
                Err(why)
            } else if is_metric {
                limit(path, &answers.seen).map(|found| {
                    let sessions = answers.sessions.len();
                    notes.push(measured(path, &found, sessions));
                    let value = toml_edit::Value::from(found.value.as_str());
                    format!("{{ {} = {value}, source = {} }}", found.matcher, self.source(runs))
                })
            } else {
                let found = fact::stable(path, kind.as_ref(), &answers.seen);
                if found.is_ok() && answers.sessions.len() < 2 {
                    notes.push(format!(
                        "{path}: seen in one boot only; take it out if a boot changes it"
                    ));
                }
                found.map(|value| format!("{{ is = {value}, source = {} }}", self.source(runs)))
            };
            match found {
                Ok(line) => {
                    let _ = writeln!(expect, "{} = {line}", key(path));
                }
                Err(why) => {
                    notes.push(format!("{path}: recorded only; {why}"));
                    record.push(path);
                }
            }
        }
        if expect.is_empty() && record.is_empty() {
            return self.leave_out(&check.id, "it judges and records no field");
        }
        notes.extend(answers.unused.iter().map(|why| format!("a run does not count: {why}")));
        self.count += 1;
        let out = &mut self.checks;
        let _ = writeln!(
            out,
            "\n# From {} of suite {}.",
            plain_comment(&check.id),
            plain_comment(&check.suite)
        );
        for note in notes {
            comment(out, &note);
        }
        self.write(id, check, &record, &expect, runs);
    }

    fn source(&self, runs: usize) -> String {
        toml_edit::Value::from(self.head.source(runs)).to_string()
    }

    fn write(&mut self, id: &str, check: &Check, record: &[&str], expect: &str, runs: usize) {
        let source = self.source(runs);
        let out = &mut self.checks;
        let text = |text: &str| toml_edit::Value::from(literal_text(text)).to_string();
        let list = |texts: &[&str]| {
            texts
                .iter()
                .copied()
                .map(toml_edit::Value::from)
                .collect::<toml_edit::Array>()
                .to_string()
        };
        let _ = writeln!(out, "[[check]]\nid = \"{id}\"");
        let _ = writeln!(out, "title = {}", text(&format!("As learned: {}", check.title)));
        let _ = writeln!(out, "probe = {}", text(&check.probe));
        if !check.with.is_empty() {
            let with =
                check.with.iter().map(|(name, value)| format!("{} = {}", key(name), param(value)));
            let _ = writeln!(out, "with = {{ {} }}", with.collect::<Vec<_>>().join(", "));
        }
        if !check.when.is_empty() {
            let when: Vec<&str> = check.when.iter().map(String::as_str).collect();
            let _ = writeln!(out, "when = {}", list(&when));
        }
        let _ = writeln!(out, "why = {}", text(&check.why));
        let _ = writeln!(out, "source = {source}");
        let _ = writeln!(out, "fix = {}", text(&check.fix));
        if check.repeat > 1 {
            let _ = writeln!(out, "repeat = {}", check.repeat);
        }
        if check.retries > 0 {
            let _ = writeln!(out, "retries = {}", check.retries);
        }
        let _ = writeln!(out, "limit = \"{} ms\"", check.limit_ms);
        if !record.is_empty() {
            let _ = writeln!(out, "record = {}", list(record));
        }
        if !expect.is_empty() {
            let _ = write!(out, "[check.expect]\n{expect}");
        }
    }

    /// Returns the whole text.
    pub(super) fn finish(self) -> String {
        let Head { node, machine, runs, simulated, left } = self.head;
        let mut out = "#:schema ./suite.schema.json\n".to_owned();
        comment(
            &mut out,
            &format!(
                "Proposed by `verify learn {node}` from what the machine {machine} said in {} runs; edit it, it is no judgement. What it expects is how the machine was, not how it should be.",
                runs.len()
            ),
        );
        comment(
            &mut out,
            "Limits of metrics: median of the runs and the change that three new runs show for certain, (3.72 + 1.645) s sqrt(1/n + 1/3), with s the standard deviation of the logarithms of n runs (statistics.md, section 14), rounded up.",
        );
        if let Some(by) = simulated {
            comment(&mut out, &format!("SIMULATED by {by}: it says nothing about hardware."));
        }
        for why in *left {
            comment(&mut out, &format!("Not used: {why}"));
        }
        let title = toml_edit::Value::from(plain(&format!("What {node} was when it was learned")));
        let _ =
            write!(out, "\n[suite]\ntitle = {title}\nnodes = [\"{node}\"]\ntags = [\"{GROUP}\"]\n");
        out += &self.checks;
        if !self.left.is_empty() {
            out += "\n# Not learned:\n";
            for (id, why) in &self.left {
                comment(&mut out, &format!("{id}: {why}"));
            }
        }
        out
    }
}

/// Says what a limit rests on, and what else may be said.
fn measured(path: &str, found: &limit::Limit, sessions: usize) -> String {
    let runs = found.runs;
    let boots = if sessions == 1 {
        "; all in one session, so how boots differ is not in it".to_owned()
    } else {
        format!(" in {sessions} sessions")
    };
    format!(
        "{path}: median {}, s {} % over {runs} runs{boots}. Against an accepted baseline instead: within = \"{} %\"",
        found.centre,
        limit::rounded(found.spread),
        found.within
    )
}

/// Writes a comment, broken into lines.
fn comment(out: &mut String, text: &str) {
    let mut line = String::new();
    for word in plain_comment(text).split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() > WIDTH {
            let _ = writeln!(out, "# {line}");
            "  ".clone_into(&mut line);
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "# {line}");
}

/// Tells whether a character is one that a person sees: no control, and nothing that turns a line round.
pub(super) fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Keeps a text on one line of a comment, and free of what a terminal would obey.
fn plain_comment(text: &str) -> String {
    text.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect()
}

/// Keeps a text that is a value on one line; `${` would be a variable.
fn plain(text: &str) -> String {
    plain_comment(text).replace("${", "$ {")
}

/// Keeps the lines of a suite's own text.
fn literal_text(text: &str) -> String {
    text.replace("${", "$ {")
}

fn key(path: &str) -> String {
    let bare = path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare && !path.is_empty() {
        path.to_owned()
    } else {
        toml_edit::Value::from(path).to_string()
    }
}

/// Writes a parameter as a suite does.
fn param(value: &Literal) -> String {
    match value {
        Literal::Bool(flag) => flag.to_string(),
        Literal::Integer(number) => number.to_string(),
        Literal::Text(text) => toml_edit::Value::from(text.as_str()).to_string(),
        Literal::Quantity(quantity) if quantity.unit().symbol().is_empty() => {
            quantity.value().to_string()
        }
        Literal::Quantity(quantity) => {
            format!("\"{} {}\"", quantity.value(), quantity.unit().symbol())
        }
        Literal::Cpus(cpus) if cpus.is_empty() => "\"\"".to_owned(),
        Literal::Cpus(cpus) => format!("\"{cpus}\""),
        Literal::List(items) => {
            format!("[{}]", items.iter().map(param).collect::<Vec<_>>().join(", "))
        }
    }
}
