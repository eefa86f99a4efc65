//! Answers what torch shows of CUDA devices, and whether each computes what the CPU does.
//!
//! A count is no proof: torch asks NVML for it, so that it counts two where CUDA does not start,
//! and `is_available` can be made to repeat that. So CUDA is started, and with `compute` memory is
//! taken and results compared on every device. What NVML opens is joined by identity, since CUDA
//! orders devices by speed. An import that fails or kills the interpreter is an answer.

mod architecture;
mod computed;
mod field;

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use self::{
    architecture::{Capability, served},
    computed::Computed,
    field::FIELDS,
};
use super::{gpu_beside::Beside, nvml};
use crate::{
    gathered::count,
    parse::{
        import::Start,
        script::{gathered, trouble},
    },
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed},
    script,
};

pub(super) struct TorchDevice;

const NAME: &str = "torch-device";
/// An import takes 3 to 5 s; from a cold disk it has been seen to take a minute. *Units*: ms.
const LIMIT_MS: u64 = 60_000;

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "What PyTorch shows of CUDA devices, and whether each computes right.",
    effect: Effect::Loads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "compute",
            kind: ParamKind::Bool,
            required: false,
            doc: "Take memory and compute on every device; not unless given, and then nothing is loaded.",
        },
        ParamSpec {
            name: "interpreter",
            kind: ParamKind::Text,
            required: false,
            doc: "Another interpreter than that of the node file.",
        },
    ],
    fields: FIELDS,
    example: r"with = { compute = true }
expect = { computed = 2, wrong = { count = 0 }, failed = { count = 0 } }",
};

impl Probe for TorchDevice {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String> {
        let interpreter = with.text("interpreter").unwrap_or(&facts.python);
        let args = if with.flag("compute") { vec!["compute".to_owned()] } else { Vec::new() };
        Ok(vec![script::ask(interpreter, NAME, args, LIMIT_MS), nvml::inventory()])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let said = match Start::of(gathered(evidence, NAME)?)? {
            Start::Imported(said) => said,
            start => return Ok(nothing(&start, evidence)),
        };
        let own = said.get("pid").and_then(Json::as_i64);
        let beside = Beside::of(evidence, own.as_slice());
        let devices = said.get("devices").and_then(Json::as_array);
        let devices = devices
            .ok_or_else(|| failed(FindingCode::OutputUnreadable, "our program lists no devices"))?;
        let computed = Computed::of(devices, with.flag("compute"));
        if let (true, false, Ok(others)) =
            (with.flag("compute"), computed.failed.is_empty(), &beside.others)
            && !others.is_empty()
        {
            let (failed_on, others) = (computed.failed.join("; "), others.join(", "));
            let why = format!("{failed_on}; which proves nothing beside {others}");
            return Err(failed(FindingCode::ConditionsNotHeld, why));
        }
        Ok(computed.add(observe(&said, devices, &beside)))
    }

    fn effect(&self, with: With<'_>) -> Effect {
        if with.flag("compute") { Effect::Loads } else { Effect::Reads }
    }
}

/// Answers for a torch that cannot be imported.
fn nothing(start: &Start, evidence: &[&Evidence]) -> Observation {
    let why = format!("torch cannot be used: {}", start.trouble());
    let beside = Beside::of(evidence, &[]);
    let mut seen = Observation::default();
    for known in FIELDS {
        let name = known.path.split('.').next().unwrap_or(known.path);
        seen = seen.fact(name, Value::Absent(why.clone()));
    }
    let seen =
        if let Start::Failed(_, said) = start { seen.fact("hiding", hiding(said)) } else { seen };
    seen.fact("state", Value::text(start.state()))
        .fact("trouble", Value::text(start.trouble()))
        .fact("nvml", nvml_count(&beside))
        .fact("others", beside.listed())
}

fn observe(said: &Json, devices: &[Json], beside: &Beside) -> Observation {
    let (initialised, why) = started(said);
    Observation::default()
        .fact("state", Value::text("ok"))
        .fact("trouble", why)
        .fact("version", text(said, "torch", "no version"))
        .fact("cuda", text(said, "cuda", "this PyTorch was built without CUDA"))
        .fact("nccl", text(said, "nccl", "this PyTorch was built without NCCL"))
        .fact("architectures", architectures(said))
        .fact("count", part(said, "count", |count| count.as_i64().map(Value::Integer)))
        .fact("available", part(said, "available", |yes| yes.as_bool().map(Value::Bool)))
        .fact("initialised", initialised)
        .fact("devices", described(devices))
        .fact("unsupported", unsupported(said, devices))
        .fact("hiding", hiding(said))
        .fact("nvml", nvml_count(beside))
        .fact("unseen", unseen(devices, beside))
        .fact("others", beside.listed())
}

/// Says whether CUDA starts, and why it does not.
fn started(said: &Json) -> (Value, Value) {
    match said.get("initialised") {
        Some(Json::Bool(true)) => (Value::Bool(true), Value::text("none")),
        Some(other) => match trouble(other) {
            Some(why) => (Value::Bool(false), Value::Text(why)),
            None => (unsaid("whether CUDA starts"), unsaid("why CUDA does not start")),
        },
        None => (unsaid("whether CUDA starts"), unsaid("why CUDA does not start")),
    }
}

fn unsaid(what: &str) -> Value {
    Value::Unreadable(format!("our program does not say {what}"))
}

/// Reads a part of the answer, or what went wrong with it.
fn part(said: &Json, key: &str, read: impl FnOnce(&Json) -> Option<Value>) -> Value {
    let Some(found) = said.get(key) else { return unsaid(key) };
    match trouble(found) {
        Some(why) => Value::Unreadable(why),
        None => read(found).unwrap_or_else(|| unsaid(key)),
    }
}

fn text(said: &Json, key: &str, absent: &str) -> Value {
    part(said, key, |found| match found {
        Json::Null => Some(Value::Absent(absent.to_owned())),
        found => found.as_str().filter(|text| !text.is_empty()).map(Value::text),
    })
}

fn architectures(said: &Json) -> Value {
    part(said, "architectures", |list| {
        let names: Option<Vec<Value>> =
            list.as_array()?.iter().map(|name| name.as_str().map(Value::text)).collect();
        Some(match names?.as_slice() {
            [] => Value::Absent("this PyTorch names no architecture".to_owned()),
            names => Value::List(names.to_vec()),
        })
    })
}

/// Reads each device; one that could not be described says why in every field.
fn described(devices: &[Json]) -> Value {
    let each = |read: &dyn Fn(&Json) -> Option<Value>| {
        let one = |device: &Json| match trouble(device) {
            Some(why) => Value::Unreadable(why),
            None => read(device).unwrap_or_else(|| unsaid("what the device is")),
        };
        Value::List(devices.iter().map(one).collect())
    };
    let identity = |device: &Json| match device.get("uuid")? {
        Json::Null => Some(Value::Absent("this PyTorch does not tell it".to_owned())),
        _ => uuid(device).map(Value::Text),
    };
    let memory = |device: &Json| {
        let bytes = device.get("memory-bytes")?.as_f64()?;
        Quantity::of(bytes, "B").ok().map(Value::Quantity)
    };
    let version = |device: &Json| {
        capability(device).map(|(major, minor)| Value::Text(format!("{major}.{minor}")))
    };
    Value::record([
        ("name", each(&|device| device.get("name")?.as_str().map(Value::text))),
        ("uuid", each(&identity)),
        ("capability", each(&version)),
        ("memory", each(&memory)),
    ])
}

fn capability(device: &Json) -> Option<Capability> {
    let pair = device.get("capability")?.as_array()?;
    let [major, minor] = pair.as_slice() else { return None };
    Some((major.as_i64()?, minor.as_i64()?))
}

/// Returns a device's identity as NVML writes it.
fn uuid(device: &Json) -> Option<String> {
    let uuid = device.get("uuid")?.as_str()?;
    let known = uuid.starts_with("GPU-") || uuid.starts_with("MIG-");
    Some(if known { uuid.to_owned() } else { format!("GPU-{uuid}") })
}

fn unsupported(said: &Json, devices: &[Json]) -> Value {
    let built = match architectures(said) {
        Value::List(built) => built,
        none => return none,
    };
    let built = || {
        built.iter().filter_map(|n| if let Value::Text(n) = n { Some(n.as_str()) } else { None })
    };
    let known: Vec<(&Json, Capability)> =
        devices.iter().filter_map(|device| Some((device, capability(device)?))).collect();
    if known.is_empty() {
        return Value::Absent("PyTorch describes no device".to_owned());
    }
    let without = known.iter().filter(|(_, version)| !served(*version, built()));
    let named = without.map(|(device, (major, minor))| {
        let name = device.get("name").and_then(Json::as_str).unwrap_or("a device");
        Value::Text(format!("{name} ({major}.{minor})"))
    });
    Value::List(named.collect())
}

fn hiding(said: &Json) -> Value {
    part(said, "environment", |all| {
        let one = |(name, value): (&String, &Json)| {
            Some(Value::Text(format!("{name}={}", value.as_str()?)))
        };
        all.as_object()?.iter().map(one).collect::<Option<Vec<_>>>().map(Value::List)
    })
}

fn nvml_count(beside: &Beside) -> Value {
    beside.cards.as_ref().map_or_else(Value::clone, |cards| count(cards.len()))
}

fn unseen(devices: &[Json], beside: &Beside) -> Value {
    let cards = match &beside.cards {
        Ok(cards) => cards,
        Err(none) => return none.clone(),
    };
    let told: Vec<&Json> = devices.iter().filter(|device| trouble(device).is_none()).collect();
    let shown: Option<Vec<String>> = told.iter().map(|device| uuid(device)).collect();
    match shown {
        Some(shown) => {
            let hidden = cards.iter().filter(|card| !shown.contains(card));
            Value::List(hidden.map(Value::text).collect())
        }
        // A PyTorch that does not tell identities leaves the numbers.
        None if told.len() == cards.len() => Value::List(Vec::new()),
        None => {
            let (shown, all) = (told.len(), cards.len());
            let why = format!("PyTorch shows {shown} of {all} cards, and not which");
            Value::List(vec![Value::Text(why)])
        }
    }
}
