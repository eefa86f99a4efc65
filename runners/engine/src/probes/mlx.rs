//! Answers which device MLX computes on, whether it computes right, and how fast it copies memory.
//!
//! `Device(gpu, 0)` is only a name: a product is evaluated there and compared with the CPU's. The
//! copy is of buffers beyond every cache, read and written bytes counted, as unified memory has one
//! rate for all. An interpreter that dies, as old versions do without Metal, is an answer. Written
//! from documents and tried with MLX on Linux: it was never run on a Mac.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Integer, List, Metric as Measured, Quantity as Amount, Text, Version},
    finding::FindingCode,
    fingerprint::Depends,
    metric::{Direction, Metric},
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    unit::Unit,
    value::Value,
};

use crate::{
    parse::{
        import::Start,
        script::{gathered, trouble},
    },
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field},
    script,
};

pub(super) struct Mlx;

const NAME: &str = "mlx-device";
const BY: &str = "our Python program mlx-device";
/// An import takes a second, a copy of 2 GiB 16 ms on an M4 Pro. *Units*: ms.
const LIMIT_MS: u64 = 60_000;
/// Size of a buffer; the largest last-level cache of Apple's processors has 96 MiB. *Units*: B.
const BUFFER: f64 = 2.0 * 1024.0 * 1024.0 * 1024.0;
const PASSES: i64 = 11;

static SPEC: ProbeSpec = ProbeSpec {
    name: "mlx",
    summary: "Which device MLX computes on, whether it computes right, how fast it copies memory.",
    effect: Effect::Loads,
    depends: &[
        Depends::cause("python"),
        Depends::cause("machine"),
        Depends::cause("cpu"),
        Depends::cause("memory"),
        Depends::cause("os"),
    ],
    params: &[
        ParamSpec {
            name: "copy",
            kind: ParamKind::Bool,
            required: false,
            doc: "Time a copy, too; not unless given, and then nothing is loaded.",
        },
        ParamSpec {
            name: "size",
            kind: ParamKind::Quantity("MiB"),
            required: false,
            doc: "Size of each of the two buffers, 256 MiB to 8 GiB; 2 GiB unless given.",
        },
        ParamSpec {
            name: "passes",
            kind: ParamKind::Integer,
            required: false,
            doc: "Counted copies, 5 to 100; 11 unless given.",
        },
        ParamSpec {
            name: "interpreter",
            kind: ParamKind::Text,
            required: false,
            doc: "Another interpreter than that of the node file.",
        },
    ],
    fields: &[
        field(
            "state",
            || Text,
            BY,
            "`ok`, `import-failed`, or `aborted` where the interpreter died.",
        ),
        field("trouble", || Text, BY, "Why MLX does not start or compute; `none` where it does."),
        field("version", || Version, "importlib.metadata", "Version of MLX."),
        field("device", || Text, "mlx.core.default_device", "Default device: `Device(gpu, 0)`."),
        field("device-name", || Text, "mlx.core.device_info", "Name of that device."),
        field("memory", || Amount("B"), "mlx.core.device_info", "Memory that it can reach."),
        field(
            "wrong",
            || List(Box::new(Text)),
            BY,
            "Products on the default device that differ from those of the CPU.",
        ),
        field(
            "copy",
            || Measured("GB/s", Direction::HigherIsBetter),
            BY,
            "Copy of memory by the default device: bytes read and bytes written; a sample a pass.",
        ),
        field("buffer-size", || Amount("B"), BY, "Size of each of the two buffers."),
        field("copy-wrong", || Integer, BY, "Copies that did not hold what was to be copied."),
    ],
    example: r#"with = { copy = true }
expect = { device = "Device(gpu, 0)", wrong = { count = 0 }, copy = { at-least = "204 GB/s" } }"#,
};

impl Probe for Mlx {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String> {
        const MIB: f64 = 1024.0 * 1024.0;
        let passes = with.integer("passes").unwrap_or(PASSES);
        if !(5..=100).contains(&passes) {
            return Err(format!("`passes` is {passes}; 5 to 100 can be counted"));
        }
        let size = with.quantity("size").map_or(BUFFER, Quantity::base);
        if !(256.0 * MIB..=8192.0 * MIB).contains(&size) {
            return Err(format!("`size` is {} MiB; 256 MiB to 8 GiB can be copied", size / MIB));
        }
        let args = if with.flag("copy") {
            vec!["copy".to_owned(), format!("{size:.0}"), passes.to_string()]
        } else {
            Vec::new()
        };
        let interpreter = with.text("interpreter").unwrap_or(&facts.python);
        Ok(vec![script::ask(interpreter, NAME, args, LIMIT_MS)])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let start = Start::of(gathered(evidence, NAME)?)?;
        let Start::Imported(said) = &start else {
            let why = format!("MLX cannot be used: {}", start.trouble());
            let seen = SPEC.fields.iter().fold(Observation::default(), |seen, known| {
                seen.fact(known.path, Value::Absent(why.clone()))
            });
            return Ok(seen
                .fact("state", Value::text(start.state()))
                .fact("trouble", Value::text(start.trouble())));
        };
        if !said.is_object() {
            return Err(failed(FindingCode::OutputUnreadable, "our program said no fields"));
        }
        Ok(observe(said, with.flag("copy")))
    }

    fn effect(&self, with: With<'_>) -> Effect {
        if with.flag("copy") { Effect::Loads } else { Effect::Reads }
    }
}

fn observe(said: &Json, copies: bool) -> Observation {
    let about = |key: &str| said.get("information").and_then(|all| all.get(key));
    let name = match about("device_name").and_then(Json::as_str) {
        Some(name) => Value::text(name),
        None => part(said, "information", |_| {
            Some(Value::Absent("MLX does not name the device".to_owned()))
        }),
    };
    let memory = match about("memory_size").and_then(Json::as_f64) {
        Some(bytes) => amount(bytes),
        None => part(said, "information", |_| {
            Some(Value::Absent("MLX does not tell its memory".to_owned()))
        }),
    };
    // A product that raises an exception is an answer about the device, and no rate is.
    let why = ["device", "computed"].iter().find_map(|key| trouble(said.get(key)?));
    let seen = Observation::default()
        .fact("state", Value::text("ok"))
        .fact("trouble", Value::Text(why.unwrap_or_else(|| "none".to_owned())))
        .fact("version", part(said, "mlx", |version| version.as_str().map(Value::text)))
        .fact("device", part(said, "device", |device| device.as_str().map(Value::text)))
        .fact("device-name", name)
        .fact("memory", memory)
        .fact("wrong", part(said, "computed", wrong));
    if copies {
        return copied(seen, said);
    }
    let absent = || Value::Absent("not asked for".to_owned());
    seen.fact("copy", absent()).fact("buffer-size", absent()).fact("copy-wrong", absent())
}

/// Reads a part of the answer, or what went wrong with it.
fn part(said: &Json, key: &str, read: impl FnOnce(&Json) -> Option<Value>) -> Value {
    let unsaid = || Value::Unreadable(format!("our program does not say `{key}`"));
    let Some(found) = said.get(key) else { return unsaid() };
    match trouble(found) {
        Some(why) => Value::Unreadable(why),
        None => read(found).unwrap_or_else(unsaid),
    }
}

fn wrong(computed: &Json) -> Option<Value> {
    let all = computed.get("wrong")?.as_array()?;
    let all: Option<Vec<Value>> = all.iter().map(|text| text.as_str().map(Value::text)).collect();
    all.map(Value::List)
}

fn amount(bytes: f64) -> Value {
    Quantity::of(bytes, "B").map_or_else(|e| Value::Unreadable(e.to_string()), Value::Quantity)
}

/// Adds the copy; one that came out wrong has no rate.
fn copied(seen: Observation, said: &Json) -> Observation {
    let right = part(said, "copy", |copy| {
        copy.get("right")?.as_bool().map(|right| Value::Integer(i64::from(!right)))
    });
    let bytes = |copy: &Json| copy.get("buffer-bytes")?.as_f64().filter(|bytes| *bytes > 0.0);
    let size = part(said, "copy", |copy| bytes(copy).map(amount));
    let rate = || -> Option<Metric> {
        let copy = said.get("copy")?;
        let moved = bytes(copy)? * 2.0 / 1e9;
        let seconds = copy.get("seconds")?.as_array()?.iter();
        let rates: Option<Vec<f64>> = seconds
            .map(|one| one.as_f64().filter(|one| *one > 0.0).map(|one| moved / one))
            .collect();
        Metric::new(Unit::parse("GB/s")?, Direction::HigherIsBetter, rates?).ok()
    };
    let seen = match (&right, rate()) {
        (Value::Integer(0), Some(metric)) => seen.metric("copy", metric),
        (Value::Integer(0), None) => {
            seen.fact("copy", Value::Unreadable("the copies have no times above zero".to_owned()))
        }
        (Value::Integer(_), _) => {
            let why = "the copy does not hold what was to be copied";
            seen.fact("copy", Value::Absent(why.to_owned()))
        }
        (unread, _) => seen.fact("copy", unread.clone()),
    };
    seen.fact("buffer-size", size).fact("copy-wrong", right)
}
