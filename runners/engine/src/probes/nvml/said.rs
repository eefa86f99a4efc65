//! What became of one question to the driver: a value, absent, or not readable.

use serde_json::Value as Json;
use verify_model::{quantity::Quantity, value::Value};

/// Words of `state` by which the node says itself that there is nothing to ask.
const ABSENT: [&str; 4] = ["no-library", "not-a-library", "driver-not-loaded", "version-mismatch"];

/// Holds the document of the instrument.
pub(super) struct Answers<'a> {
    result: &'a Json,
    pub(super) state: &'a str,
}

impl<'a> Answers<'a> {
    /// Takes a document.
    ///
    /// *Errors*: it says nothing of its state.
    pub(super) fn of(result: &'a Json) -> Result<Self, String> {
        let state = result.get("state").and_then(Json::as_str).filter(|state| !state.is_empty());
        let state =
            state.ok_or_else(|| "it does not say whether the driver answered".to_owned())?;
        Ok(Self { result, state })
    }

    /// Says what happened; `none` where the driver answered.
    pub(super) fn trouble(&self) -> Value {
        match (self.state, self.result.get("trouble")) {
            ("ok", None) => Value::text("none"),
            (_, Some(Json::String(trouble))) => Value::text(trouble),
            (_, Some(trouble)) => Value::text(trouble.to_string()),
            (_, None) => Value::Unreadable("the instrument does not say what happened".to_owned()),
        }
    }

    /// Stands for what was not read.
    pub(super) fn none(&self) -> Value {
        let trouble = match self.trouble() {
            Value::Text(trouble) if self.state != "ok" => format!("{}: {trouble}", self.state),
            _ => "the instrument does not say it".to_owned(),
        };
        if ABSENT.contains(&self.state) {
            Value::Absent(trouble)
        } else {
            Value::Unreadable(trouble)
        }
    }

    /// Returns a list of the document; it is there even when it is empty.
    pub(super) fn list(&self, key: &str) -> Result<Vec<&'a Json>, Value> {
        let list = self.result.get(key).and_then(Json::as_array).ok_or_else(|| self.none())?;
        // A call hung before the list was whole.
        if key == "pairs" && self.state != "ok" {
            return Err(self.none());
        }
        Ok(list.iter().collect())
    }

    /// Reads one answer.
    pub(super) fn said(
        &self,
        part: Option<&Json>,
        read: impl FnOnce(&Json) -> Option<Value>,
    ) -> Value {
        let Some(part) = part else { return self.none() };
        let word = |key: &str| part.get(key).and_then(Json::as_str);
        if let Some(value) = part.get("value") {
            return read(value)
                .unwrap_or_else(|| Value::Unreadable(format!("not what was expected: {value}")));
        }
        if let Some(call) = word("not-supported") {
            return Value::Absent(format!("{call}: this card does not offer it"));
        }
        if let Some(path) = word("not-there") {
            return Value::Absent(format!("{path} does not exist"));
        }
        if let Some(call) = word("no-symbol") {
            return Value::Absent(format!("the library of this driver has no {call}"));
        }
        match (word("error"), word("call"), word("unreadable")) {
            (Some(error), Some(call), _) => Value::Unreadable(format!("{call}: {error}")),
            (_, _, Some(why)) => Value::Unreadable(why.to_owned()),
            _ => Value::Unreadable(format!("not an answer: {part}")),
        }
    }

    /// Reads a text that is not empty.
    pub(super) fn text(&self, of: Option<&Json>, key: &str) -> Value {
        self.said(of.and_then(|of| of.get(key)), text)
    }

    /// Reads a whole number.
    pub(super) fn number(&self, of: Option<&Json>, key: &str) -> Value {
        self.said(of.and_then(|of| of.get(key)), |value| value.as_i64().map(Value::Integer))
    }

    /// Reads a number with a unit.
    pub(super) fn quantity(&self, of: Option<&Json>, key: &str, scale: f64, unit: &str) -> Value {
        self.said(of.and_then(|of| of.get(key)), |value| amount(value, scale, unit))
    }

    /// Reads a switch, which is 0 or 1.
    pub(super) fn switch(&self, of: Option<&Json>, key: &str) -> Value {
        self.said(of.and_then(|of| of.get(key)), |value| match value.as_u64()? {
            0 => Some(Value::Bool(false)),
            1 => Some(Value::Bool(true)),
            _ => None,
        })
    }

    /// Reads a number that stands for a word; one without a word keeps its number.
    pub(super) fn word(&self, of: Option<&Json>, key: &str, words: &[(u64, &str)]) -> Value {
        self.said(of.and_then(|of| of.get(key)), |value| {
            let number = value.as_u64()?;
            let known = words.iter().find(|(known, _)| *known == number);
            let word =
                known.map_or_else(|| format!("unknown-{number}"), |(_, word)| (*word).into());
            Some(Value::Text(word))
        })
    }
}

/// Reads a number with a unit.
pub(super) fn amount(value: &Json, scale: f64, unit: &str) -> Option<Value> {
    Quantity::of(value.as_f64()? * scale, unit).ok().map(Value::Quantity)
}

/// Reads a text that is not empty.
pub(super) fn text(value: &Json) -> Option<Value> {
    value.as_str().filter(|text| !text.is_empty()).map(Value::text)
}
