//! Answers whether a Mac slows down because it is hot.
//!
//! Two witnesses, neither of which needs root: the level that the thermal daemon publishes by
//! notifyd, and what the power daemon recorded. A level of 0 rests on the daemon: a key that nobody
//! publishes reads 0, too, so without the daemon it is no answer. On Apple silicon the power daemon
//! records no speed limit. Temperatures need root and are not asked. Written from documents: it was
//! never run on a Mac.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence},
    field::FieldKind::{Bool, Integer, Quantity as Amount, Text},
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::{Gathered, reason},
    probe::{Probe, ProbeSpec, With, field, text_of, value_of},
};

pub(super) struct MacThermal;

const KEY: &str = "com.apple.system.thermalpressurelevel";
const LEVEL: [&str; 3] = ["notifyutil", "-g", KEY];
const DAEMON: [&str; 3] = ["pgrep", "-x", "thermalmonitord"];
const POWER: [&str; 3] = ["pmset", "-g", "therm"];

/// Levels of macOS by their number. *Source*: Apple, `libkern/OSThermalNotification.h`.
const LEVELS: [&str; 5] = ["nominal", "moderate", "heavy", "trapping", "sleeping"];

static SPEC: ProbeSpec = ProbeSpec {
    name: "mac-thermal",
    summary: "Whether a Mac slows down because it is hot.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field(
            "pressure",
            || Text,
            "notifyutil -g com.apple.system.thermalpressurelevel",
            "`nominal`, `moderate`, `heavy`, `trapping` or `sleeping`.",
        ),
        field("published", || Bool, "pgrep -x thermalmonitord", "Whether the daemon runs."),
        field(
            "throttled",
            || Bool,
            "pmset -g therm",
            "Whether a warning or a speed limit below 100 % is on record.",
        ),
        field("speed-limit", || Amount("%"), "pmset -g therm", "Speed limit of the processor."),
        field("thermal-warning", || Integer, "pmset -g therm", "Thermal warning level."),
        field("performance-warning", || Integer, "pmset -g therm", "Performance warning level."),
    ],
    example: r#"expect = { pressure = "nominal", throttled = false }"#,
};

impl Probe for MacThermal {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok([LEVEL, DAEMON, POWER].map(Ask::exec).to_vec())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let (level, power) = (gathered.program(&LEVEL)?, gathered.program(&POWER)?);
        let (told, recorded) = (text_of(level), text_of(power));
        if let (Err(error), Err(_)) = (&told, &recorded) {
            return Err(error.clone());
        }
        let published = published(gathered.program(&DAEMON)?);
        let [limit, warning, slow] = [
            ("CPU_Speed_Limit", "No CPU power status"),
            ("Thermal Warning Level", "No thermal warning level"),
            ("Performance Warning Level", "No performance warning level"),
        ]
        .map(|(key, none)| recorded_of(power, key, none));
        Ok(Observation::default()
            .fact("pressure", pressure(level, &published))
            .fact("throttled", throttled(&limit, &[&warning, &slow]))
            .fact("published", published)
            .fact("speed-limit", percent(limit))
            .fact("thermal-warning", warning)
            .fact("performance-warning", slow))
    }
}

/// Tells whether the daemon runs. *Source*: pgrep(1), exit status 1: no process matched.
fn published(evidence: &Evidence) -> Value {
    match &evidence.captured {
        Captured::Exec { exit: Some(0), .. } => Value::Bool(true),
        Captured::Exec { exit: Some(1), .. } => Value::Bool(false),
        _ => {
            let why = text_of(evidence).err().map(|error| error.message);
            Value::Unreadable(why.unwrap_or_else(|| format!("{}: not an answer", evidence.ask)))
        }
    }
}

fn pressure(evidence: &Evidence, published: &Value) -> Value {
    let read = |text: &str| {
        let said = text.trim().strip_prefix(KEY).map(str::trim).unwrap_or_default();
        let number: usize =
            said.parse().map_err(|_| format!("expected `{KEY} NUMBER`, found `{text}`"))?;
        let name = LEVELS.get(number).ok_or_else(|| format!("level {number} is not known"))?;
        if number == 0 && *published != Value::Bool(true) {
            let why = match published {
                Value::Bool(_) => "thermalmonitord does not run".to_owned(),
                other => reason(other.clone()),
            };
            return Err(format!("the level is 0, and nobody is known to publish it: {why}"));
        }
        Ok(Value::text(*name))
    };
    match value_of(evidence, read) {
        // The program belongs to macOS: without it nobody was asked.
        Value::Absent(why) => Value::Unreadable(why),
        value => value,
    }
}

/// Reads a number of `pmset -g therm`: `KEY = 100`, or a note that there is none.
fn recorded_of(evidence: &Evidence, key: &str, none: &str) -> Value {
    let text = match text_of(evidence) {
        Ok(text) => text,
        Err(error) => return Value::Unreadable(error.message),
    };
    let (lower, key) = (text.to_ascii_lowercase(), key.to_ascii_lowercase());
    for line in lower.lines() {
        // A date may stand before it, and `Note:`.
        let Some((_, behind)) = line.split_once(&key) else { continue };
        if let Some(number) = behind.trim_start().strip_prefix(['=', ':']).map(str::trim) {
            return number.parse().map_or_else(
                |_| Value::Unreadable(format!("expected a number, {key} is `{number}`")),
                Value::Integer,
            );
        }
    }
    if text.contains(none) {
        return Value::Absent(format!("{}: {none}", evidence.ask));
    }
    Value::Unreadable(format!("{}: it does not tell {key}", evidence.ask))
}

fn throttled(limit: &Value, warnings: &[&Value]) -> Value {
    let below = matches!(limit, Value::Integer(percent) if *percent < 100);
    let warned = warnings.iter().any(|level| matches!(level, Value::Integer(n) if *n > 0));
    if below || warned {
        return Value::Bool(true);
    }
    let mut all = [limit].into_iter().chain(warnings.iter().copied());
    match all.find_map(Value::unreadable) {
        Some(why) => Value::Unreadable(why.to_owned()),
        None => Value::Bool(false),
    }
}

fn percent(limit: Value) -> Value {
    let Value::Integer(number) = limit else { return limit };
    let found = i32::try_from(number).ok().filter(|percent| (0..=1000).contains(percent));
    match found.map(|percent| Quantity::of(f64::from(percent), "%")) {
        Some(Ok(quantity)) => Value::Quantity(quantity),
        _ => Value::Unreadable(format!("{number} % is no limit")),
    }
}
