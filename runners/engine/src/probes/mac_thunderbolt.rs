//! Answers which Thunderbolt ports a Mac has, and what is at the other end of them.
//!
//! An empty port tells the speed that it could have (`Up to 40 Gb/s`), which proves no link; so a
//! speed is given of ports alone where something is connected. Identifiers of ports and devices are
//! in the evidence as the program prints them. Written from documents: it was never run on a Mac.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Integer, List, Quantity as Amount, Text},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::{Gathered, count},
    probe::{Probe, ProbeSpec, With, failed, field, text_of},
};

pub(super) struct MacThunderbolt;

const TYPE: &str = "SPThunderboltDataType";
const ARGV: [&str; 3] = ["system_profiler", "-json", TYPE];
/// It wakes a daemon first. *Units*: ms.
const LIMIT_MS: u64 = 30_000;

static SPEC: ProbeSpec = ProbeSpec {
    name: "mac-thunderbolt",
    summary: "Which Thunderbolt ports a Mac has, and what is connected to them.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("buses", || Integer, "system_profiler", "Number of Thunderbolt buses."),
        field("ports", || Integer, "system_profiler", "Number of ports."),
        field("connected", || Integer, "system_profiler", "Ports where something is connected."),
        field(
            "devices",
            || List(Box::new(Text)),
            "system_profiler",
            "Names of what is connected, as it gives them.",
        ),
        field(
            "speed",
            || Amount("Gbit/s"),
            "system_profiler",
            "Speed of the slowest port where something is connected.",
        ),
    ],
    example: r#"expect = { connected = { at-least = 1 }, speed = { at-least = "40 Gbit/s" } }"#,
};

impl Probe for MacThunderbolt {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::exec(ARGV).limited_to(LIMIT_MS)])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let text = text_of(Gathered(evidence).program(&ARGV)?)?;
        let unreadable = |why: String| failed(FindingCode::OutputUnreadable, why);
        let said: Json = serde_json::from_str(text)
            .map_err(|error| unreadable(format!("system_profiler: not JSON: {error}")))?;
        let buses = said.get(TYPE).and_then(Json::as_array);
        let buses = buses.ok_or_else(|| unreadable(format!("it says nothing of {TYPE}")))?;
        let mut ports = Vec::new();
        let mut devices = Vec::new();
        for bus in buses {
            let bus = bus.as_object().ok_or_else(|| unreadable("a bus is no object".to_owned()))?;
            ports.extend(bus.iter().filter(|(key, _)| is_port(key)).map(|(_, port)| port));
            named(bus.get("_items"), &mut devices);
        }
        let used: Result<Vec<&Json>, String> = ports
            .iter()
            .filter_map(|port| is_used(port).map(|used| used.then_some(*port)).transpose())
            .collect();
        let connected =
            used.as_ref().map_or_else(|w| Value::Unreadable(w.clone()), |u| count(u.len()));
        Ok(Observation::default()
            .fact("buses", count(buses.len()))
            .fact("ports", count(ports.len()))
            .fact("connected", connected)
            .fact("devices", Value::List(devices))
            .fact("speed", used.map_or_else(Value::Unreadable, |used| slowest(&used))))
    }
}

fn is_port(key: &str) -> bool {
    key.starts_with("receptacle_") && key.ends_with("_tag")
}

/// Tells whether something is connected to a port.
///
/// *Errors*: it says something else than is known.
fn is_used(port: &Json) -> Result<bool, String> {
    match port.get("receptacle_status_key").and_then(Json::as_str) {
        Some("receptacle_no_devices_connected") => Ok(false),
        Some("receptacle_connected") => Ok(true),
        Some(other) => Err(format!("the state `{other}` of a port is not known")),
        None => Err("a port without its state".to_owned()),
    }
}

/// Collects the names of devices, and of those behind them, a dozen deep: as long as a chain gets.
fn named(items: Option<&Json>, names: &mut Vec<Value>) {
    let mut level: Vec<&Json> = items.and_then(Json::as_array).into_iter().flatten().collect();
    for _ in 0..12 {
        let name = |item: &&Json| Some(Value::text(item.get("_name")?.as_str()?));
        names.extend(level.iter().filter_map(name));
        let below = level.iter().filter_map(|item| item.get("_items")?.as_array());
        level = below.flatten().collect();
    }
}

fn slowest(used: &[&Json]) -> Value {
    let speeds: Option<Vec<f64>> = used
        .iter()
        .map(|port| port.get("current_speed_key").and_then(Json::as_str).and_then(gigabits))
        .collect();
    let Some(speeds) = speeds else {
        return Value::Unreadable("a port does not tell its speed".to_owned());
    };
    match speeds.into_iter().reduce(f64::min) {
        None => Value::Absent("nothing is connected to a Thunderbolt port".to_owned()),
        Some(speed) => Quantity::of(speed, "Gbit/s")
            .map_or_else(|error| Value::Unreadable(error.to_string()), Value::Quantity),
    }
}

/// Reads `Up to 40 Gb/s x1` and `40 Gb/s`.
fn gigabits(text: &str) -> Option<f64> {
    let (before, _) = text.split_once("Gb/s")?;
    let number = before.split_whitespace().next_back()?;
    number.parse().ok().filter(|speed: &f64| (0.0..100_000.0).contains(speed))
}
