//! How one text becomes one value: the parameters `as` and `unit`, shared by the generic probes.

use regex::Regex;
use verify_model::{
    field::FieldKind, quantity::Quantity, unit::UNITS, value::Value, version::Version,
};

use crate::{
    parse::{cpu_list, json},
    probe::{ParamKind, ParamSpec, With},
};

/// Says how a text is read.
pub const AS: ParamSpec = ParamSpec {
    name: "as",
    kind: ParamKind::Choice(&["text", "integer", "bool", "cpu-list", "version"]),
    required: false,
    doc: "How the text is read; `text` unless given.",
};

/// Says in which unit a number is written.
pub const UNIT: ParamSpec = ParamSpec {
    name: "unit",
    kind: ParamKind::Text,
    required: false,
    doc: "Unit of the number, such as `kB`; makes the value a quantity.",
};

/// Returns the kind of the value under these parameters.
pub fn kind(with: With<'_>) -> FieldKind {
    if let Some(row) =
        with.text("unit").and_then(|unit| UNITS.iter().find(|row| row.symbol() == unit))
    {
        return FieldKind::Quantity(row.symbol());
    }
    match with.text("as") {
        Some("integer") => FieldKind::Integer,
        Some("bool") => FieldKind::Bool,
        Some("cpu-list") => FieldKind::Cpus,
        Some("version") => FieldKind::Version,
        _ => FieldKind::Text,
    }
}

/// Reads a text under these parameters.
///
/// *Errors*: the text is not what `as` or `unit` says.
pub fn parse(with: With<'_>, text: &str) -> Result<Value, String> {
    // Texts of the device tree end in a NUL.
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    if let Some(unit) = with.text("unit") {
        let number: f64 = bare_number(text, unit)
            .parse()
            .map_err(|_| format!("expected a number in {unit}, found `{text}`"))?;
        return Quantity::of(number, unit).map(Value::Quantity).map_err(|e| e.to_string());
    }
    match with.text("as") {
        Some("integer") => text
            .parse()
            .map(Value::Integer)
            .map_err(|_| format!("expected a whole number, found `{text}`")),
        Some("bool") => match text {
            "1" | "Y" | "y" | "yes" | "true" | "on" | "enabled" => Ok(Value::Bool(true)),
            "0" | "N" | "n" | "no" | "false" | "off" | "disabled" => Ok(Value::Bool(false)),
            _ => Err(format!("expected yes or no, found `{text}`")),
        },
        Some("cpu-list") => cpu_list::list(text),
        Some("version") if Version::parse(text).is_none() => {
            Err(format!("expected a version, found `{text}`"))
        }
        _ => Ok(Value::text(text)),
    }
}

/// Reads the single value at a JSON pointer.
pub fn at_pointer(with: With<'_>, text: &str, pointer: &str) -> Value {
    match json::at(text, pointer) {
        Ok(Some(found)) => parse(with, &found).unwrap_or_else(Value::Unreadable),
        Ok(None) => Value::Absent(format!("the JSON has nothing at `{pointer}`")),
        Err(why) => Value::Unreadable(why),
    }
}

/// Reads what a regular expression finds: its first group, else the whole match; `what` names the
/// text in messages.
pub fn at_match(with: With<'_>, text: &str, pattern: &str, what: &str) -> Value {
    let Ok(regex) = Regex::new(pattern) else {
        return Value::Unreadable(format!("/{pattern}/ is not a regular expression"));
    };
    // A group that took no part must not turn into the whole match.
    let group = usize::from(regex.captures_len() > 1);
    match regex.captures(text).and_then(|groups| groups.get(group)) {
        Some(found) => parse(with, found.as_str()).unwrap_or_else(Value::Unreadable),
        None => Value::Absent(format!("/{pattern}/ finds nothing in {what}")),
    }
}

/// Takes off the unit where the text repeats it, as `/proc/meminfo` does; another unit stays.
fn bare_number<'a>(text: &'a str, unit: &str) -> &'a str {
    match text.split_once(' ') {
        // The kernel writes kB and means KiB. *Source*: Documentation/filesystems/proc.rst.
        Some((number, "kB")) if unit == "KiB" => number,
        Some((number, written)) if written == unit => number,
        _ => text,
    }
}

/// Checks that the parameters can be used.
///
/// *Errors*: the unit is not in the table; the sentence suggests one where it can.
pub fn usable(with: With<'_>) -> Result<(), String> {
    match with.text("unit") {
        Some(unit) => Quantity::of(0.0, unit).map(drop).map_err(|e| e.to_string()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use verify_model::{check::Params, matcher::Literal};

    use super::*;

    fn read(name: &str, how: &str, text: &str) -> Result<String, String> {
        let params = Params::from([(name.to_owned(), Literal::Text(how.to_owned()))]);
        parse(With(&params), text).map(|value| value.to_string())
    }

    #[test]
    fn a_repeated_unit_is_taken_off_and_another_one_is_refused() {
        assert_eq!(read("unit", "KiB", "  2048 kB").as_deref(), Ok("2048 KiB"));
        assert_eq!(read("unit", "MHz", "2400").as_deref(), Ok("2400 MHz"));
        for bad in ["2048 kB", "", "nan", "inf", "N/A"] {
            assert!(read("unit", "MHz", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_of_the_kind_is_refused() {
        assert_eq!(read("as", "cpu-list", "(null)").as_deref(), Ok("none"));
        for (how, bad) in
            [("cpu-list", "null"), ("version", "unknown"), ("bool", "maybe"), ("integer", "1.5")]
        {
            assert!(read("as", how, bad).is_err(), "{how} {bad}");
        }
    }

    #[test]
    fn an_unknown_unit_is_refused_before_anything_is_asked() {
        let params = Params::from([("unit".to_owned(), Literal::Text("KB".to_owned()))]);
        assert!(usable(With(&params)).is_err());
        assert!(usable(With(&Params::new())).is_ok());
    }
}
