//! What was read as a table, one row a reading, for spreadsheets and data frames.
//!
//! A check without a reading has one row that says its outcome, and what is said of the run itself has
//! one, too: nothing that was planned is missing. A text that a spreadsheet would take for a formula
//! begins with an apostrophe; numbers are never touched.

use csv::{Terminator, Writer, WriterBuilder};
use verify_model::{
    quantity::Quantity,
    run::{Run, RunCheck},
    verdict::{Reading, Role},
};

use crate::{
    Format, FormatSpec, RenderError, brief,
    clean::one_line,
    measured::{comparison_of, interval, number, quantity},
    names::names,
    own::{OWN_SUITE, own},
    sentence::situation_of,
};

/// Bounds a cell. *Units*: characters.
const LONGEST: usize = 2_000;

/// Names the columns; `low` and `high` are the ends of the 95 % interval of `change`.
const COLUMNS: [&str; 29] = [
    "run",
    "started_at",
    "verify",
    "node",
    "host",
    "simulated",
    "suite",
    "check",
    "outcome",
    "waived",
    "finding",
    "exit",
    "field",
    "role",
    "value",
    "unit",
    "observed",
    "samples",
    "expected",
    "held",
    "baseline",
    "tolerance",
    "change",
    "low",
    "high",
    "change_unit",
    "standing",
    "adjusted_p",
    "level",
];

/// Writes CSV.
pub(crate) struct Csv;

impl Format for Csv {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "csv",
            summary: "every reading as a row, with unit, limit, baseline and interval",
            extension: "csv",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        // *Source*: RFC 4180, lines end in CRLF.
        let mut out = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        out.write_record(COLUMNS)?;
        for (check, name) in run.checks.iter().zip(names(run)) {
            let readings = &check.verdict.readings;
            for reading in readings {
                write(&mut out, row(run, check, &name).with(check, reading))?;
            }
            if readings.is_empty() {
                write(&mut out, row(run, check, &name))?;
            }
        }
        for (situation, name) in own(run) {
            let mut row = Row::of(run);
            row.text("suite", OWN_SUITE);
            row.text("check", name);
            row.text("outcome", brief::word(situation));
            row.number("exit", run.exit_code().to_string());
            write(&mut out, row)?;
        }
        out.into_inner().map_err(|e| RenderError::Csv(e.into_error().into()))
    }
}

fn write(out: &mut Writer<Vec<u8>>, row: Row) -> Result<(), csv::Error> {
    out.write_record(row.0)
}

fn row(run: &Run, check: &RunCheck, name: &str) -> Row {
    let verdict = &check.verdict;
    let mut row = Row::of(run);
    let node = run.nodes.iter().find(|node| node.file.name == check.planned.node);
    row.text("node", &check.planned.node);
    row.text("host", node.map_or("", |node| &node.facts.hostname));
    row.text("simulated", brief::simulated_by(run, check).unwrap_or_default());
    row.text("suite", &check.planned.check.suite);
    row.text("check", name);
    row.text("outcome", verdict.outcome.name());
    row.text("waived", if verdict.is_waived() { "true" } else { "false" });
    row.text("finding", verdict.decided_by.map_or("", |code| code.row().name));
    row.number("exit", situation_of(run, check).exit().to_string());
    row
}

/// Holds the cells of a row, in the order of the columns.
struct Row(Vec<String>);

impl Row {
    fn of(run: &Run) -> Self {
        let mut row = Self(vec![String::new(); COLUMNS.len()]);
        row.text("run", &run.header.id);
        row.text("started_at", &run.header.started_at);
        row.text("verify", &run.header.version);
        row
    }

    fn with(mut self, check: &RunCheck, reading: &Reading) -> Self {
        self.text("field", &reading.field);
        self.text("role", role(reading.role));
        self.text("observed", &reading.observed);
        self.text("expected", reading.expected.as_deref().unwrap_or_default());
        if let Some(held) = reading.held {
            self.text("held", if held { "true" } else { "false" });
        }
        if reading.samples > 0 {
            self.number("samples", reading.samples.to_string());
        }
        let Some(quantity) = quantity(check, reading) else { return self };
        self.number("value", number(quantity.value()));
        self.text("unit", quantity.unit().symbol());
        // In the unit of the value, so that the two can be divided.
        let baseline = reading.baseline.and_then(|baseline| baseline.to(quantity.unit()));
        self.number("baseline", baseline.map(Quantity::value).map(number).unwrap_or_default());
        self.compared(check, reading);
        self
    }

    fn compared(&mut self, check: &RunCheck, reading: &Reading) {
        let Some(comparison) = comparison_of(check, reading) else { return };
        self.text("standing", comparison.standing.name());
        let tolerance = comparison.tolerance.map(|tolerance| tolerance.to_string());
        self.text("tolerance", &tolerance.unwrap_or_default());
        if let Some(interval) = interval(comparison) {
            self.number("change", number(interval.change));
            self.number("low", number(interval.low));
            self.number("high", number(interval.high));
            self.text("change_unit", interval.unit);
        }
        if comparison.level > 0.0 && comparison.adjusted.is_finite() {
            self.number("adjusted_p", number(comparison.adjusted));
            self.number("level", number(comparison.level));
        }
    }

    /// Fills in a text, made harmless. *Source*: OWASP, "CSV Injection".
    fn text(&mut self, column: &str, text: &str) {
        let text = one_line(text, LONGEST);
        let formula = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
        self.number(column, if formula { format!("'{text}") } else { text });
    }

    fn number(&mut self, column: &str, number: String) {
        if let Some(at) = COLUMNS.iter().position(|known| *known == column) {
            self.0[at] = number;
        }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Expect => "expect",
        Role::Advise => "advise",
        Role::Record => "record",
    }
}
