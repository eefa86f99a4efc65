//! What `nvidia-smi` prints, across generations of the driver: text in, values out.
//!
//! The tool says that it has no value in many words, glues units to numbers, and prints zeros where
//! a call failed. What no card can be (0 MiB of memory, generation 0) is therefore not believed,
//! and every word is classed here once: the card does not offer it, or it could not be read.

use verify_model::{quantity::Quantity, value::Value};

pub(crate) mod nvlink;
pub(crate) mod query;
pub(crate) mod topology;
pub(crate) mod trouble;

/// Words for what a card or this driver does not offer, in lower case.
const NOT_OFFERED: [&str; 5] = [
    "n/a",
    "none",
    "not supported",
    "not available",
    "requested functionality has been deprecated",
];
/// Words for what could not be asked or is hidden, in lower case.
const UNKNOWN: [&str; 8] = [
    "redacted",
    "unknown",
    "unknown error",
    "err!",
    "gpu is lost",
    "gpu requires reset",
    "insufficient permissions",
    "no permission",
];

/// Says whether a word is a value; one in brackets is as one without.
///
/// *Errors*: `Absent` or `Unreadable`, with the word.
pub(crate) fn said(word: &str) -> Result<&str, Value> {
    let word = word.trim();
    let bare = word.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if NOT_OFFERED.contains(&bare.as_str()) {
        return Err(Value::Absent(format!("nvidia-smi says `{word}`")));
    }
    if word.is_empty() || UNKNOWN.contains(&bare.as_str()) {
        let shown = if word.is_empty() { "nothing" } else { word };
        return Err(Value::Unreadable(format!("nvidia-smi says `{shown}`")));
    }
    Ok(word)
}

/// Reads a text.
pub(crate) fn text(word: &str) -> Value {
    said(word).map_or_else(|none| none, Value::text)
}

/// Says whether zero can be what a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zero {
    /// It can: a counter, or a load.
    Usual,
    /// It cannot: then a call failed, and its answer was printed all the same.
    Impossible,
}

/// Reads a number with its unit glued on: `350.00 W`, `32 C`, `24576 MiB`.
pub(crate) fn quantity(word: &str, unit: &str, zero: Zero) -> Value {
    let read = |word: &str| {
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let number: f64 = word.get(..end)?.parse().ok()?;
        let written = match word.get(end..)?.trim() {
            "C" => "°C",
            other => other,
        };
        (written == unit).then_some(number)
    };
    match said(word) {
        Err(none) => none,
        Ok(word) => match read(word) {
            Some(number) if number <= 0.0 && zero == Zero::Impossible => disbelieved(word),
            Some(number) => Quantity::of(number, unit)
                .map_or_else(|why| Value::Unreadable(why.to_string()), Value::Quantity),
            None => Value::Unreadable(format!("expected a number in {unit}, found `{word}`")),
        },
    }
}

/// Reads a whole number, `16x` for lanes among them.
pub(crate) fn integer(word: &str, zero: Zero) -> Value {
    match said(word) {
        Err(none) => none,
        Ok(word) => match word.strip_suffix('x').unwrap_or(word).parse::<u32>() {
            Ok(0) if zero == Zero::Impossible => disbelieved(word),
            Ok(number) => Value::Integer(i64::from(number)),
            Err(_) => Value::Unreadable(format!("expected a whole number, found `{word}`")),
        },
    }
}

/// Reads one of two words.
pub(crate) fn switch(word: &str) -> Value {
    match said(word) {
        Err(none) => none,
        Ok("Enabled" | "Active" | "Yes") => Value::Bool(true),
        Ok("Disabled" | "Not Active" | "No") => Value::Bool(false),
        Ok(word) => Value::Unreadable(format!("expected yes or no, found `{word}`")),
    }
}

fn disbelieved(word: &str) -> Value {
    Value::Unreadable(format!("nvidia-smi says `{word}`, which no card is: a call failed"))
}

/// Takes out control sequences, which underline headings even in a pipe.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            rest.find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_no_value_are_never_values() {
        for word in ["N/A", "[N/A]", "None", "[Not Supported]", "Not Supported"] {
            assert!(matches!(said(word), Err(Value::Absent(_))), "{word}");
        }
        assert!(matches!(
            said("Requested functionality has been deprecated"),
            Err(Value::Absent(_))
        ));
        for word in ["", " ", "[REDACTED]", "Unknown Error", "[GPU is lost]", "ERR!"] {
            assert!(matches!(said(word), Err(Value::Unreadable(_))), "{word}");
        }
    }

    #[test]
    fn glued_units_are_read_and_other_units_are_refused() {
        assert_eq!(quantity("350.00 W", "W", Zero::Impossible).to_string(), "350 W");
        assert_eq!(quantity("32 C", "°C", Zero::Impossible).to_string(), "32 °C");
        assert_eq!(quantity("24576MiB", "MiB", Zero::Impossible).to_string(), "24576 MiB");
        assert_eq!(integer("16x", Zero::Impossible), Value::Integer(16));
        for bad in ["350.00 mW", "W", "-3 W", "3.5.1 W", "1e400 W", "350,00 W"] {
            assert!(!quantity(bad, "W", Zero::Usual).is_present(), "{bad}");
        }
        for bad in ["x", "-1", "16xx", "99999999999"] {
            assert!(!integer(bad, Zero::Usual).is_present(), "{bad}");
        }
    }

    #[test]
    fn a_zero_that_no_card_can_be_is_not_believed() {
        assert!(!quantity("0 MiB", "MiB", Zero::Impossible).is_present());
        assert!(!integer("0x", Zero::Impossible).is_present());
        assert_eq!(integer("0", Zero::Usual), Value::Integer(0));
    }

    #[test]
    fn control_sequences_are_taken_out() {
        assert_eq!(plain("\u{1b}[4m\tGPU0\u{1b}[0m\u{1b}"), "\tGPU0");
    }
}
