//! One line as a monitoring plugin prints it: state, text, and what was measured as performance data.
//!
//! The state follows from the exit code of the run: a failed check is CRITICAL; what could not be
//! answered, judged or reached is UNKNOWN; a run in which nothing passed though nothing failed is
//! WARNING. The exit code of the command stays that of verify; a wrapper of one line turns the second
//! word into the code of a plugin (0, 1, 2, 3).

use std::collections::BTreeSet;

use verify_model::{
    quantity::Quantity,
    run::{Run, RunCheck},
    unit::{Dimension, Unit},
    verdict::{Reading, Role},
};

use crate::{
    Format, FormatSpec, RenderError, brief,
    clean::one_line,
    measured::{Range, number, quantity, range},
    names::{names, unique},
    sentence::sentence,
};

/// Bounds the line. *Units*: bytes. *Source*: Nagios Core reads 8 KiB of a plugin's output.
const LONGEST: usize = 8_000;
/// Bounds its text. *Units*: characters.
const LONGEST_TEXT: usize = 600;

/// Writes a plugin line.
pub(crate) struct Nagios;

impl Format for Nagios {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "nagios",
            summary: "one line as a monitoring plugin prints it, with performance data",
            extension: "txt",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        // Where no machine answered stands first: nothing of it may be cut.
        let mut said = brief::simulations(run);
        said.extend([sentence(run), format!("{}.", brief::counts(&run.checks.iter()))]);
        let text = one_line(&said.join(" ").replace('|', "/"), LONGEST_TEXT);
        let mut line = format!("VERIFY {} - {text}", state(run));
        let (mut data, all) = (String::new(), performance(run));
        let mut left_out = 0_usize;
        for one in &all {
            // Room for the word about what is left out.
            if left_out == 0 && line.len() + data.len() + one.len() + 64 < LONGEST {
                data = format!("{data} {one}");
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            line = format!("{line} ({left_out} values left out)");
        }
        Ok(format!("{line} |{data}\n").into_bytes())
    }
}

/// *Source*: Monitoring Plugins Development Guidelines, "Plugin Return Codes".
fn state(run: &Run) -> &'static str {
    match run.exit_code() {
        // What failed before the run was cut short has failed.
        _ if brief::fails(run) => "CRITICAL",
        0 if run.counts().pass == 0 => "WARNING",
        0 => "OK",
        1 => "CRITICAL",
        _ => "UNKNOWN",
    }
}

/// Lists counts and values, each label once.
fn performance(run: &Run) -> Vec<String> {
    let counts = run.counts();
    let mut taken = BTreeSet::new();
    let mut all: Vec<String> = verify_model::outcome::Outcome::ALL
        .iter()
        .map(|outcome| {
            let label = unique(&mut taken, outcome.name());
            format!("'{label}'={};;;0;{}", counts.get(*outcome), counts.total())
        })
        .collect();
    for (check, name) in run.checks.iter().zip(names(run)) {
        let mut known: Vec<&str> = Vec::new();
        for reading in &check.verdict.readings {
            let Some(quantity) =
                quantity(check, reading).filter(|_| !known.contains(&&*reading.field))
            else {
                continue;
            };
            known.push(&reading.field);
            let label = format!("{}/{name}/{}", check.planned.node, reading.field);
            let label = unique(&mut taken, &label_of(&label));
            all.push(format!("'{label}'={}", value(check, reading, quantity)));
        }
    }
    all
}

/// Cleans a label: a quote is doubled, and what separates is replaced.
fn label_of(text: &str) -> String {
    one_line(text, LONGEST_TEXT).replace(['=', '|'], "_").replace('\'', "''")
}

/// Writes value, unit and the ranges that are acceptable: advised as warning, demanded as critical.
fn value(check: &RunCheck, reading: &Reading, quantity: Quantity) -> String {
    let (unit, symbol) = unit_of(quantity);
    let shown = quantity.to(unit).unwrap_or(quantity).value();
    let ends = |role| range_in(&range(check, &reading.field, role), unit);
    let (warning, critical) = (ends(Role::Advise), ends(Role::Expect));
    let text = format!("{}{symbol};{warning};{critical}", number(shown));
    text.trim_end_matches(';').to_owned()
}

/// *Source*: the guidelines know `s`, `%`, `B` and `c`; all else is a plain number.
fn unit_of(quantity: Quantity) -> (Unit, &'static str) {
    let base = quantity.unit();
    let (symbol, shown) = match quantity.dimension() {
        Dimension::Time => ("s", "s"),
        Dimension::Ratio => ("%", "%"),
        Dimension::Data => ("B", "B"),
        Dimension::DataRate => ("B/s", ""),
        Dimension::Frequency => ("Hz", ""),
        Dimension::Power => ("W", ""),
        Dimension::Temperature => ("°C", ""),
        _ => (base.symbol(), ""),
    };
    (Unit::parse(symbol).unwrap_or(base), shown)
}

/// *Source*: the guidelines, "Threshold and Ranges": an alert outside of `low:high`, `~` is no end.
fn range_in(range: &Range, unit: Unit) -> String {
    let end = |end: Option<Quantity>| Some(number(end?.to(unit)?.value()));
    match (end(range.low), end(range.high)) {
        (None, None) => String::new(),
        (low, high) => {
            format!("{}:{}", low.unwrap_or_else(|| "~".to_owned()), high.unwrap_or_default())
        }
    }
}
