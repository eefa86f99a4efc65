//! Answers what GPUs do when they are asked to, by the instrument `cuda`.
//!
//! A rate is that of the slowest card or pair: one slow card is what a program waits for. If one of
//! them could not be measured, there is no slowest one, and the field says why. A rate above what
//! the memory can carry is an error of the measurement. Wrong data stands under `wrong`, each with
//! its place and bits.

mod field;
mod measured;

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    finding::FindingCode,
    fingerprint::Depends,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use self::{field::FIELDS, measured::Measured};
use super::nvml;
use crate::{
    gathered::count,
    parse::instrument,
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed},
};

pub(super) struct Cuda;

pub(super) const NAME: &str = "cuda";
const TESTS: &[&str] = &["memory", "host", "peer", "launch", "burn"];
/// Limit beside the length of the load. *Units*: ms.
const LIMIT_MS: u64 = 120_000;
/// *Source*: `cuda.h`, `CUDA_ERROR_NO_DEVICE`.
pub(super) const NO_DEVICE: i64 = 100;

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "What GPUs do when asked: memory, links to the host and to each other, arithmetic.",
    effect: Effect::Loads,
    depends: &[
        Depends::cause("gpu"),
        Depends::cause("bridge"),
        Depends::cause("driver"),
        Depends::cause("cuda"),
        Depends::cause("cpu"),
        Depends::cause("memory"),
        Depends::cause("bios"),
        Depends::cause("kernel"),
    ],
    params: &[
        ParamSpec {
            name: "tests",
            kind: ParamKind::Texts,
            required: false,
            doc: "Of memory, host, peer, launch and burn; all unless given.",
        },
        ParamSpec {
            name: "passes",
            kind: ParamKind::Integer,
            required: false,
            doc: "Counted passes of each copy, 3 to 50; 7 unless given.",
        },
        ParamSpec {
            name: "for",
            kind: ParamKind::Quantity("s"),
            required: false,
            doc: "Length of `burn`, 1 s to 300 s; 5 s unless given.",
        },
    ],
    fields: FIELDS,
    example: r#"with = { tests = ["memory"] }
expect = { copy = { at-least = "796 GB/s" }, wrong = { count = 0 }, unmeasured = { count = 0 } }"#,
};

impl Probe for Cuda {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let tests = with.texts("tests");
        if let Some(other) = tests.iter().find(|test| !TESTS.contains(test)) {
            let known = TESTS.join(", ");
            return Err(format!("`tests` names `{other}`; there are {known}"));
        }
        let passes = with.integer("passes").unwrap_or(7);
        if !(3..=50).contains(&passes) {
            return Err(format!("`passes` is {passes}; 3 to 50 can be counted"));
        }
        let seconds = with.quantity("for").map_or(5.0, Quantity::base);
        if !(1.0..=300.0).contains(&seconds) {
            return Err(format!("`for` is {seconds} s; 1 s to 300 s can be asked for"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 300")]
        let seconds = seconds.round() as u64;
        let tests = if tests.is_empty() { TESTS.join(",") } else { tests.join(",") };
        let argv = [
            NAME,
            "--tests",
            &tests,
            "--passes",
            &passes.to_string(),
            "--seconds",
            &seconds.to_string(),
        ];
        let argv = argv.map(str::to_owned).to_vec();
        Ok(vec![Ask::Instrument { argv, limit_ms: LIMIT_MS + seconds * 1000 }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [piece] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "the instrument was not gathered"));
        };
        let result = instrument::result(piece, NAME)?;
        if let Some(who) = others(&result) {
            return Err(failed(FindingCode::ConditionsNotHeld, who));
        }
        let mut seen = match trouble(&result) {
            None => read_all(&result).map_err(|why| {
                failed(FindingCode::OutputUnreadable, format!("{}: {why}", piece.ask))
            })?,
            Some((NO_DEVICE, why)) => nothing(&why),
            Some((_, why)) => {
                return Err(failed(FindingCode::GatherFailed, format!("{}: {why}", piece.ask)));
            }
        };
        seen.simulated = result.get("simulated").and_then(Json::as_str).map(str::to_owned);
        Ok(seen)
    }
}

/// Says what went wrong with a part of the result: the driver's number, and all in words.
pub(super) fn trouble(part: &Json) -> Option<(i64, String)> {
    let trouble = part.get("trouble")?;
    let text = |key: &str| trouble.get(key).and_then(Json::as_str).unwrap_or("unknown");
    let code = trouble.get("code").and_then(Json::as_i64).unwrap_or(0);
    let number = if code == 0 { String::new() } else { format!(" ({code})") };
    Some((code, format!("{}: {}{number}", text("call"), text("name"))))
}

/// Names who computes already, or why that is not known: then nothing was measured.
pub(super) fn others(result: &Json) -> Option<String> {
    if let Some(why) = result.pointer("/others/unknown").and_then(Json::as_str) {
        return Some(format!("who computes is not known, and nothing was measured: {why}"));
    }
    let others = result.get("others")?.as_array().filter(|others| !others.is_empty())?;
    let name = |other: &Json| {
        let name = other.get("name").and_then(Json::as_str).unwrap_or("a process");
        let number = |key: &str| other.get(key).map_or_else(|| "?".to_owned(), Json::to_string);
        format!("{name} ({}) computes on card {}", number("pid"), number("card"))
    };
    let names: Vec<String> = others.iter().map(name).collect();
    Some(format!("{}; nothing was measured beside it", names.join(", ")))
}

/// Answers for a driver without a card.
fn nothing(why: &str) -> Observation {
    let mut seen = Observation::default();
    for known in FIELDS.iter().filter(|field| !field.path.contains('.')) {
        let value = match known.path {
            "count" => Value::Integer(0),
            _ => Value::Absent(format!("CUDA shows no card: {why}")),
        };
        seen = seen.fact(known.path, value);
    }
    for group in ["cards", "pairs", "loaded"] {
        seen = seen.fact(group, Value::Absent(format!("CUDA shows no card: {why}")));
    }
    seen
}

fn read_all(result: &Json) -> Result<Observation, String> {
    let list = |key: &str| result.get(key).and_then(Json::as_array);
    let cards = list("devices").ok_or("it lists no devices")?;
    let texts = |key: &str| {
        let all = cards.iter().map(|card| said(card.get(key), |text| Value::text(text)));
        Value::List(all.collect())
    };
    let memory = |card: &Json| match card.get("memory-bytes").and_then(Json::as_f64) {
        Some(bytes) => Quantity::of(bytes, "B")
            .map_or_else(|e| Value::Unreadable(e.to_string()), Value::Quantity),
        None => Value::Unreadable("the size of its memory".to_owned()),
    };
    let mut seen = Observation::default()
        .fact("count", count(cards.len()))
        .fact("driver", version(result))
        .fact("visible", shown(result))
        .fact(
            "cards",
            Value::record([
                ("name", texts("name")),
                ("uuid", texts("uuid")),
                ("capability", texts("compute-capability")),
                ("memory", Value::List(cards.iter().map(memory).collect())),
            ]),
        );
    let loaded = match result.get("under-load") {
        Some(state) => nvml::cards_of(state),
        None => Value::Absent("not asked for".to_owned()),
    };
    let measured = Measured::of(result);
    seen = seen
        .fact("loaded", loaded)
        .fact("pairs", measured.pairs())
        .fact("wrong", measured.wrong())
        .fact("unmeasured", measured.unmeasured());
    Ok(measured.rates(seen))
}

fn said(value: Option<&Json>, read: impl FnOnce(&str) -> Value) -> Value {
    match value {
        Some(Json::String(text)) => read(text),
        Some(other) => {
            Value::Unreadable(trouble(other).map_or_else(|| other.to_string(), |(_, why)| why))
        }
        None => Value::Unreadable("it is not said".to_owned()),
    }
}

/// Says which cards are shown. Not absent without the variable: that nothing is hidden is what most
/// machines have, and worth no advice.
fn shown(result: &Json) -> Value {
    match visible(result) {
        Value::Absent(why) => Value::text(format!("every card: {why}")),
        value => value,
    }
}

/// Returns which cards a program is shown, where a variable says so.
pub(super) fn visible(result: &Json) -> Value {
    match result.get("visible").and_then(Json::as_str) {
        Some(text) => Value::text(text),
        None => Value::Absent("the variable is not set".to_owned()),
    }
}

/// Asks which cards there are, without any load.
pub(super) fn inventory() -> Ask {
    let argv = [NAME, "--tests", "device"].map(str::to_owned).to_vec();
    Ask::Instrument { argv, limit_ms: LIMIT_MS }
}

/// Writes the version that the driver can run: 12080 is 12.8.
fn version(result: &Json) -> Value {
    match result.get("driver-version").and_then(Json::as_i64) {
        Some(number) if number > 0 => {
            Value::text(format!("{}.{}", number / 1000, number % 1000 / 10))
        }
        _ => Value::Unreadable("the driver does not say which version it can run".to_owned()),
    }
}
