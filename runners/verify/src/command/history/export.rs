//! Values for other programs: CSV by RFC 4180, or JSON. Numbers in full, each with its unit.
//!
//! Text came from nodes: control sequences are cleaned away, and what a spreadsheet would take for a
//! formula gets an apostrophe before it. Numbers are numbers and stay as they are.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use verify_engine::{
    history::{Point, Series},
    record::Store,
};
use verify_model::metric::Direction;
use verify_reports::clean::one_line;

use super::{kept::with_index, wanted::Metrics};
use crate::{
    cli::{ExportArgs, Notation},
    output, target,
};

/// Longest text of a field. *Units*: characters.
const TEXT: usize = 1000;

/// Columns, in order.
const COLUMNS: [&str; 16] = [
    "started-at",
    "run",
    "node",
    "machine",
    "boot",
    "via",
    "check",
    "field",
    "value",
    "unit",
    "better",
    "outcome",
    "left-out-as",
    "tolerance",
    "definition",
    "verify",
];

/// Writes the values that were chosen.
///
/// *Errors*: what was chosen is not there, or the file cannot be written.
pub(super) fn export(store: &Store, args: &ExportArgs) -> anyhow::Result<u8> {
    let metrics = Metrics::of(&args.chosen)?;
    let wanted = metrics.wanted(None);
    let (text, left_out) = with_index(store, |index| {
        let (mut rows, mut left_out) = (Vec::new(), BTreeMap::<&str, usize>::new());
        for series in metrics.chosen(index)? {
            let known = index.points(&series, &wanted)?;
            rows.extend(known.points.iter().map(|point| row(&series, point)));
            for (why, count) in known.left_out {
                *left_out.entry(why).or_default() += count;
            }
        }
        let text = match args.notation {
            Notation::Csv => csv(&rows),
            Notation::Json => format!("{:#}\n", Value::from(rows)),
        };
        Ok((text, left_out))
    })?;
    if let Some(path) = &args.output {
        target::write(path, text.as_bytes())?;
        output::say(&format!("values: {}", path.display()));
    } else {
        output::print(&text)?;
    }
    if !left_out.is_empty() {
        let counted: Vec<String> =
            left_out.iter().map(|(why, count)| format!("{count} {why}")).collect();
        output::say(&format!("left out: {} (--all takes them, too)", counted.join(", ")));
    }
    Ok(0)
}

fn row(series: &Series, point: &Point) -> Value {
    let text = |text: &str| one_line(text, TEXT);
    let at = jiff::Timestamp::from_millisecond(point.started_ms).unwrap_or_default();
    let better = match point.direction {
        Direction::HigherIsBetter => "higher",
        Direction::LowerIsBetter => "lower",
        Direction::Neutral => "",
    };
    let values = [
        json!(at.to_string()),
        json!(text(&point.run)),
        json!(text(&series.node)),
        json!(text(&point.machine)),
        json!(text(&point.boot)),
        json!(text(&point.via)),
        json!(text(&series.check)),
        json!(text(&series.field)),
        json!(point.quantity.value()),
        json!(point.quantity.unit().symbol()),
        json!(better),
        json!(point.outcome.name()),
        json!(point.flags.word().unwrap_or_default()),
        json!(point.tolerance),
        json!(text(&point.definition)),
        json!(text(&point.version)),
    ];
    let names = COLUMNS.iter().map(|name| (*name).to_owned());
    Value::Object(names.zip(values).collect::<Map<_, _>>())
}

fn csv(rows: &[Value]) -> String {
    let mut text = COLUMNS.join(",") + "\r\n";
    for row in rows {
        let cells = COLUMNS.iter().map(|name| match &row[*name] {
            Value::String(words) => quoted(words),
            Value::Null => String::new(),
            number => number.to_string(),
        });
        text += &cells.collect::<Vec<_>>().join(",");
        text += "\r\n";
    }
    text
}

/// Writes a text as one cell that is no formula.
///
/// *Source*: RFC 4180; OWASP, CSV injection.
fn quoted(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) || is_formula {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        for (text, cell) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+2", "\"'=1+2\""),
            ("@x", "\"'@x\""),
            ("-1,=2", "\"'-1,=2\""),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(quoted(text), cell);
        }
    }
}
