//! Answers whether the drives are well, by what they say of themselves (SMART).
//!
//! `failing` is known only where every drive that has SMART has answered: one that may not be
//! asked or does not answer makes it unreadable, so that silence never counts as health. Drives
//! without SMART (virtual ones, some behind USB) are listed and count as neither.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Integer, List, Quantity as Amount},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::count,
    parse::{
        instrument,
        smartctl::{self, Health, Unknown},
    },
    probe::{Probe, ProbeSpec, With, failed, field, texts},
};

pub(super) struct Smart;

const NAME: &str = "smart";
const BY: &str = "smartctl --json -a";
/// Limit of all drives together; a sleeping disk needs ten seconds to spin up. *Units*: ms.
const LIMIT_MS: u64 = 60_000;

static SPEC: ProbeSpec = ProbeSpec {
    name: "smart",
    summary: "Whether the drives are well, by what they say of themselves (SMART).",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("answered", || Integer, BY, "Number of drives that told their health."),
        field("failing", texts, BY, "Drives to replace, each with the reasons."),
        field("unsupported", texts, BY, "Drives without SMART, as smartctl sees them."),
        field("noted", texts, BY, "What happened to drives in the past."),
        field("media-errors", || Integer, BY, "Errors that no drive could correct, of all."),
        field("hottest", || Amount("°C"), BY, "Temperature of the hottest drive."),
        field("most-used", || Amount("%"), BY, "Share of its rated endurance of the most used."),
        field("drives.name", texts, "/sys/block", "Names of the drives."),
        field("drives.health", texts, BY, "`passed`, or the reasons to replace the drive."),
        field("drives.temperature", || List(Box::new(Amount("°C"))), BY, "Temperatures."),
        field("drives.used", || List(Box::new(Amount("%"))), BY, "Shares of rated endurance."),
        field("drives.spare", || List(Box::new(Amount("%"))), BY, "Spare space of NVMe drives."),
        field("drives.media-errors", || List(Box::new(Integer)), BY, "Uncorrected errors."),
        field("drives.power-on", || List(Box::new(Amount("h"))), BY, "Time under power."),
    ],
    example: r"expect = { answered = { at-least = 2 }, failing = { count = 0 }, media-errors = 0 }",
};

impl Probe for Smart {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::Instrument { argv: vec![NAME.to_owned()], limit_ms: LIMIT_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [piece] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "the instrument was not gathered"));
        };
        let result = instrument::result(piece, NAME)?;
        let with_ask = |code, why: String| failed(code, format!("{}: {why}", piece.ask));
        let listed = result.get("drives").and_then(Json::as_array);
        let listed = listed.ok_or_else(|| {
            with_ask(FindingCode::OutputUnreadable, "it lists no drives".to_owned())
        })?;
        if listed.iter().any(|drive| drive.get("missing").is_some()) {
            return Err(with_ask(FindingCode::ToolMissing, "smartctl was not found".to_owned()));
        }
        if result.get("left-out").and_then(Json::as_i64) != Some(0) {
            let why = "some drives were left out".to_owned();
            return Err(with_ask(FindingCode::OutputUnreadable, why));
        }
        let drives: Option<Vec<Drive<'_>>> = listed.iter().map(Drive::read).collect();
        let drives = drives.ok_or_else(|| {
            with_ask(FindingCode::OutputUnreadable, "a drive has no name".to_owned())
        })?;
        let denied = drives.iter().find_map(|drive| match &drive.health {
            Err(Unknown::Denied(why)) => Some(format!("{}: {why}", drive.name)),
            _ => None,
        });
        match denied {
            Some(why) if drives.iter().all(|drive| drive.health.is_err()) => {
                Err(with_ask(FindingCode::PermissionDenied, why))
            }
            _ => Ok(observe(&drives)),
        }
    }
}

struct Drive<'a> {
    name: &'a str,
    health: Result<Health, Unknown>,
}

impl<'a> Drive<'a> {
    fn read(json: &'a Json) -> Option<Self> {
        let text = |key: &str| json.get(key).and_then(Json::as_str);
        let exit = json.get("exit").and_then(Json::as_i64);
        let output = text("output").unwrap_or_default();
        let health = text("failed").map_or_else(
            || smartctl::read(output, exit),
            |why| Err(Unknown::Failed(format!("smartctl cannot be started: {why}"))),
        );
        Some(Self { name: text("name")?, health })
    }

    /// Returns one value of the drive, or why there is none.
    fn value(&self, of: impl Fn(&Health) -> Option<Value>) -> Value {
        match &self.health {
            Ok(health) => {
                of(health).unwrap_or_else(|| Value::Absent(format!("{} does not say", self.name)))
            }
            Err(Unknown::Unsupported(why)) => Value::Absent(why.clone()),
            Err(unknown) => Value::Unreadable(unknown.why().to_owned()),
        }
    }
}

fn amount(number: Option<f64>, unit: &str) -> Option<Value> {
    Some(match Quantity::of(number?, unit) {
        Ok(quantity) => Value::Quantity(quantity),
        Err(error) => Value::Unreadable(error.to_string()),
    })
}

fn observe(drives: &[Drive<'_>]) -> Observation {
    let well: Vec<(&str, &Health)> =
        drives.iter().filter_map(|drive| Some((drive.name, drive.health.as_ref().ok()?))).collect();
    let each = |of: fn(&Health) -> Option<Value>| {
        Value::List(drives.iter().map(|drive| drive.value(of)).collect())
    };
    let lines = |of: fn(&Health) -> &Vec<String>| {
        let told = well.iter().filter(|(_, health)| !of(health).is_empty());
        let line = |(name, health): &(&str, &Health)| {
            Value::Text(format!("{name}: {}", of(health).join("; ")))
        };
        Value::List(told.map(line).collect())
    };
    let unsupported = drives.iter().filter_map(|drive| match &drive.health {
        Err(Unknown::Unsupported(why)) => Some(Value::Text(format!("{}: {why}", drive.name))),
        _ => None,
    });
    let passed = |health: &Health| {
        let why = format!("failing: {}", health.failing.join("; "));
        Some(Value::Text(if health.failing.is_empty() { "passed".to_owned() } else { why }))
    };
    let largest = |of: fn(&Health) -> Option<f64>, unit: &str| {
        let found = well.iter().filter_map(|(_, health)| of(health)).max_by(f64::total_cmp);
        amount(found, unit).unwrap_or_else(|| Value::Absent("no drive says".to_owned()))
    };
    let failing = lines(|health| &health.failing);
    Observation::default()
        .fact("answered", count(well.len()))
        .fact("failing", known(drives, failing))
        .fact("unsupported", Value::List(unsupported.collect()))
        .fact("noted", known(drives, lines(|health| &health.notes)))
        .fact("media-errors", media_errors(drives, &well))
        .fact("hottest", largest(|health| health.temperature, "°C"))
        .fact("most-used", largest(|health| health.used, "%"))
        .fact(
            "drives",
            Value::record([
                ("name", Value::List(drives.iter().map(|d| Value::text(d.name)).collect())),
                ("health", each(passed)),
                ("temperature", each(|health| amount(health.temperature, "°C"))),
                ("used", each(|health| amount(health.used, "%"))),
                ("spare", each(|health| amount(health.spare, "%"))),
                ("media-errors", each(|health| health.media_errors.map(Value::Integer))),
                ("power-on", each(|health| amount(health.hours, "h"))),
            ]),
        )
}

/// Returns a list that is whole only where every drive with SMART has answered.
fn known(drives: &[Drive<'_>], list: Value) -> Value {
    let silent = drives.iter().find_map(|drive| match &drive.health {
        Err(Unknown::Denied(why) | Unknown::Failed(why)) => Some(format!("{}: {why}", drive.name)),
        _ => None,
    });
    match (&list, silent) {
        // What is bad already is not made unknown by a drive that is silent.
        (Value::List(items), Some(why)) if items.is_empty() => Value::Unreadable(why),
        (Value::List(_), _) if drives.iter().all(|drive| drive.health.is_err()) => {
            Value::Absent("no drive has SMART".to_owned())
        }
        _ => list,
    }
}

/// Adds up the errors of all drives that count them.
fn media_errors(drives: &[Drive<'_>], well: &[(&str, &Health)]) -> Value {
    let counts: Vec<i64> = well.iter().filter_map(|(_, health)| health.media_errors).collect();
    let sum = counts.iter().try_fold(0_i64, |sum, n| sum.checked_add(*n));
    match (sum, counts.is_empty()) {
        (_, true) => match known(drives, Value::List(Vec::new())) {
            Value::List(_) => Value::Absent("no drive counts them".to_owned()),
            why => why,
        },
        (Some(0), _) => match known(drives, Value::List(Vec::new())) {
            Value::List(_) => Value::Integer(0),
            why => why,
        },
        (Some(sum), _) => Value::Integer(sum),
        (None, _) => Value::Unreadable("too many errors to add up".to_owned()),
    }
}
