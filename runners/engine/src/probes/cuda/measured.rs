//! What of the measurements can be trusted: the slowest of each, unless one is missing or too fast.

use serde_json::Value as Json;
use verify_model::{
    metric::{Direction, Metric, quantile},
    observation::Observation,
    unit::Unit,
    value::Value,
};

use super::{
    field::{ROWS, Row},
    trouble,
};

/// How much above its memory's rate a card may measure. *Source*: clocks and events are rounded.
const TOLERANCE: f64 = 1.02;
const GROUPS: [&str; 5] = ["memory", "host", "peers", "launch", "burn"];

/// Holds the result, to be read part by part.
pub(super) struct Measured<'a> {
    result: &'a Json,
}

impl<'a> Measured<'a> {
    pub(super) fn of(result: &'a Json) -> Self {
        Self { result }
    }

    /// Lists the parts of a group; `None` where it was not asked for.
    fn parts(&self, group: &str) -> Option<&'a Vec<Json>> {
        self.result.get(group).and_then(Json::as_array)
    }

    /// Says of each ordered pair whether the first reaches the second.
    pub(super) fn pairs(&self) -> Value {
        let Some(parts) = self.parts("peers") else {
            let absent = || Value::Absent("not asked for".to_owned());
            return Value::record([("cards", absent()), ("access", absent())]);
        };
        let access = |part: &Json| match (part.get("access").and_then(Json::as_bool), trouble(part))
        {
            (Some(access), _) => Value::Bool(access),
            (None, Some((_, why))) => Value::Unreadable(why),
            (None, None) => Value::Unreadable("it is not said".to_owned()),
        };
        Value::record([
            ("cards", Value::List(parts.iter().map(|part| Value::text(name(part))).collect())),
            ("access", Value::List(parts.iter().map(access).collect())),
        ])
    }

    /// Lists what came out wrong.
    pub(super) fn wrong(&self) -> Value {
        let mut asked = false;
        let mut all = Vec::new();
        for group in GROUPS {
            for part in self.parts(group).into_iter().flatten() {
                let Some(wrong) = part.get("wrong") else { continue };
                asked = true;
                match wrong {
                    Json::Object(by_name) if by_name.contains_key("words") => {
                        all.push(self.in_words(part, group, wrong));
                    }
                    Json::Object(by_name) => {
                        let words = |(what, wrong): (&String, _)| self.in_words(part, what, wrong);
                        all.extend(by_name.iter().map(words));
                    }
                    _ => {}
                }
            }
        }
        if asked {
            Value::List(all.into_iter().map(Value::Text).collect())
        } else {
            Value::Absent("nothing was compared".to_owned())
        }
    }

    /// Lists what could not be measured.
    pub(super) fn unmeasured(&self) -> Value {
        let mut all = Vec::new();
        for group in GROUPS {
            for part in self.parts(group).into_iter().flatten() {
                if let Some(why) = missing(part) {
                    all.push(Value::Text(format!("{} {group}: {why}", self.named(part))));
                }
            }
        }
        Value::List(all)
    }

    /// Names the card or the pair of a part with its place on the bus: CUDA's order need not be the
    /// one in which other tools count.
    fn named(&self, part: &Json) -> String {
        let devices = self.result.get("devices").and_then(Json::as_array);
        let place = |key: &str| {
            let index = part.get(key)?;
            let own = |device: &&Json| device.get("index") == Some(index);
            devices?.iter().find(own)?.get("pci")?.as_str()
        };
        match (place("device"), place("from"), place("to")) {
            (Some(at), ..) => format!("{} at {at}", name(part)),
            (_, Some(from), Some(to)) => format!("{} ({from} to {to})", name(part)),
            _ => name(part),
        }
    }

    fn in_words(&self, part: &Json, what: &str, wrong: &Json) -> String {
        let said = |key: &str| match wrong.get(key) {
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "?".to_owned(),
        };
        format!(
            "{}, {what}: {} wrong words of 4 B, the first at byte {}: expected {}, found {} (bits {})",
            self.named(part),
            said("words"),
            said("first-byte"),
            said("expected"),
            said("found"),
            said("differing-bits")
        )
    }

    /// Adds every metric.
    pub(super) fn rates(&self, seen: Observation) -> Observation {
        ROWS.iter().fold(seen, |seen, row| match self.slowest(row) {
            Ok(metric) => seen.metric(row.field, metric),
            Err(value) => seen.fact(row.field, value),
        })
    }

    /// Returns the samples of the slowest card or pair.
    ///
    /// *Errors*: as a value: nothing was asked, one was not measured, or one is too fast.
    fn slowest(&self, row: &Row) -> Result<Metric, Value> {
        let Some(parts) = self.parts(row.group) else {
            return Err(Value::Absent("not asked for".to_owned()));
        };
        if parts.is_empty() {
            let what = if row.group == "peers" { "pair of cards" } else { "card" };
            return Err(Value::Absent(format!("there is no {what}")));
        }
        let mut slowest: Option<(f64, Vec<f64>)> = None;
        for part in parts {
            let samples = self.samples(part, row)?;
            let median = quantile(&samples, 0.5);
            let slower = |known: f64| if row.more { median < known } else { median > known };
            if slowest.as_ref().is_none_or(|(known, _)| slower(*known)) {
                slowest = Some((median, samples));
            }
        }
        let samples = slowest.map(|(_, samples)| samples).unwrap_or_default();
        let direction = if row.more { Direction::HigherIsBetter } else { Direction::LowerIsBetter };
        let unit = Unit::parse(row.unit).ok_or_else(|| unreadable("an unknown unit"))?;
        Metric::new(unit, direction, samples).map_err(|error| unreadable(&error.to_string()))
    }

    fn samples(&self, part: &Json, row: &Row) -> Result<Vec<f64>, Value> {
        if let Some(why) = missing(part) {
            return Err(unreadable(&format!("{}: {why}", name(part))));
        }
        let samples: Option<Vec<f64>> = match part.get(row.key) {
            Some(Json::Null) if row.field == "peer-latency" => {
                return Err(Value::Absent(format!("{}: no access", name(part))));
            }
            Some(Json::Array(samples)) => samples.iter().map(sound).collect(),
            Some(one) => sound(one).map(|one| vec![one]),
            None => None,
        };
        let samples = samples.filter(|samples| !samples.is_empty());
        let samples =
            samples.ok_or_else(|| unreadable(&format!("{}: no `{}`", name(part), row.key)))?;
        if row.group == "memory" {
            self.possible(part, row, &samples)?;
        }
        Ok(samples.into_iter().map(|sample| sample * row.scale).collect())
    }

    /// Demands that a card's memory was not faster than it can be.
    fn possible(&self, part: &Json, row: &Row, samples: &[f64]) -> Result<(), Value> {
        let devices = self.result.get("devices").and_then(Json::as_array).into_iter().flatten();
        let mut own = devices.filter(|device| device.get("index") == part.get("device"));
        let limit = own.next().and_then(|device| device.get("memory-limit-gb-per-s")?.as_f64());
        let fastest = samples.iter().copied().fold(0.0, f64::max);
        match limit {
            Some(limit) if fastest > limit * TOLERANCE => Err(unreadable(&format!(
                "{}: {} of {fastest:.0} GB/s is more than its memory carries ({limit:.0} GB/s): the data was in a cache, or a clock is wrong",
                name(part),
                row.field
            ))),
            _ => Ok(()),
        }
    }
}

fn unreadable(why: &str) -> Value {
    Value::Unreadable(why.to_owned())
}

/// Reads a sample, which is a number above zero.
fn sound(value: &Json) -> Option<f64> {
    value.as_f64().filter(|number| *number > 0.0)
}

/// Says why a part was not measured, where it was not.
fn missing(part: &Json) -> Option<String> {
    let little = part.get("too-little-memory").and_then(Json::as_str);
    little.map(|why| format!("too little memory: {why}")).or_else(|| Some(trouble(part)?.1))
}

/// Names the card or the pair of a part.
fn name(part: &Json) -> String {
    let number = |key: &str| part.get(key).map_or_else(|| "?".to_owned(), Json::to_string);
    match part.get("from") {
        Some(_) => format!("{} to {}", number("from"), number("to")),
        None => format!("card {}", number("device")),
    }
}
