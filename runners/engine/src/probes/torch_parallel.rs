//! Answers how much faster torch computes on several devices together than on one, by our program.
//!
//! Ranks are processes of our own, as `torchrun` starts them, over a fixed stack of layers in whole
//! numbers: what they compute together must equal what each computes alone, to the bit. A rank that
//! dies or hangs is an error that names it; too few devices is an answer. Beside other processes on
//! the cards nothing is judged. It says nothing of a server's speed-up: see `METHOD.md`.

mod measured;
mod path;
mod plan;

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Integer, List, Metric, Quantity, Text, Version},
    field::FieldSpec,
    finding::FindingCode,
    fingerprint::Depends,
    metric::Direction::{HigherIsBetter, LowerIsBetter},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use self::{
    measured::Measured,
    path::Channels,
    plan::{PARAMS, Plan},
};
use super::{gpu_beside::Beside, nvml};
use crate::{
    parse::{import::Start, script::gathered},
    probe::{Probe, ProbeSpec, With, failed, field},
    script,
};

pub(super) struct TorchParallel;

const NAME: &str = "torch-parallel";
const BY: &str = "our Python program torch-parallel";
/// Time beyond the limit of the ranks in which the program says which of them hangs. *Units*: ms.
const BEYOND_MS: u64 = 15_000;

const FIELDS: &[FieldSpec] = &[
    field(
        "state",
        || Text,
        BY,
        "`measured`; else `too-few-devices`, `import-failed` or `aborted`.",
    ),
    field("trouble", || Text, BY, "Why nothing was measured; `none` where it was."),
    field("version", || Version, "torch.__version__", "Version of PyTorch."),
    field("workload", || Text, BY, "What was computed, on which backend and in which type."),
    field("devices", || List(Box::new(Text)), BY, "Device of each rank."),
    field(
        "alone",
        || Metric("ms", LowerIsBetter),
        BY,
        "A pass through the layers on one device; of the fastest.",
    ),
    field(
        "together",
        || Metric("ms", LowerIsBetter),
        BY,
        "A pass on all devices, each with its share of every layer; of the slowest rank.",
    ),
    field(
        "speed-up",
        || Metric("x", HigherIsBetter),
        BY,
        "The median of `alone` over `together`, a sample a pass.",
    ),
    field(
        "differing",
        || Integer,
        BY,
        "Elements of the result that differ from what the device computed alone, all ranks.",
    ),
    field(
        "all-reduce",
        || Metric("GB/s", HigherIsBetter),
        "nccl-tests, doc/PERFORMANCE.md: busbw = algbw x 2(n-1)/n",
        "Bus bandwidth of a sum over all ranks, one direction; of the slowest rank.",
    ),
    field("all-reduce-size", || Quantity("B"), BY, "Size of that sum, the largest that is done."),
    field("all-reduce-wrong", || Integer, BY, "Elements of that sum that are wrong, all ranks."),
    field(
        "path",
        || Text,
        "NCCL_DEBUG=INFO",
        "Ways that NCCL took, such as P2P/CUMEM, SHM/direct/direct or NET/Socket/0.",
    ),
    field("channels", || List(Box::new(Text)), "NCCL_DEBUG=INFO", "The lines that say so."),
    field(
        "others",
        || List(Box::new(Text)),
        "verify instrument nvml",
        "Other processes that compute on a card, beside which nothing is judged.",
    ),
];

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "How much faster PyTorch computes on several devices together than on one.",
    effect: Effect::Loads,
    depends: &[
        Depends::cause("torch"),
        Depends::cause("python"),
        Depends::cause("gpu"),
        Depends::cause("bridge"),
        Depends::cause("driver"),
        Depends::cause("cuda"),
        Depends::cause("cpu"),
        Depends::cause("memory"),
        Depends::cause("kernel"),
    ],
    params: PARAMS,
    fields: FIELDS,
    example: r#"with = { backend = "nccl" }
expect = { state = "measured", differing = 0, speed-up = { at-least = "1 x" } }"#,
};

impl Probe for TorchParallel {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, facts: &Facts) -> Result<Vec<Ask>, String> {
        let plan = Plan::of(with)?;
        let interpreter = with.text("interpreter").unwrap_or(&facts.python);
        let limit_ms = plan.seconds * 1000 + BEYOND_MS;
        let mut asks = vec![script::ask(interpreter, NAME, vec![plan.text()], limit_ms)];
        if plan.backend == "nccl" {
            asks.push(nvml::inventory());
        }
        Ok(asks)
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let unreadable = |why: String| failed(FindingCode::OutputUnreadable, why);
        let plan = Plan::of(with).map_err(unreadable)?;
        let start = Start::of(gathered(evidence, NAME)?)?;
        let said = match &start {
            Start::Imported(said) => said,
            other => return Ok(nothing(other.state(), other.trouble())),
        };
        let own = said.get("pids").and_then(Json::as_array).into_iter().flatten();
        let own: Vec<i64> = own.filter_map(Json::as_i64).collect();
        let beside = (plan.backend == "nccl").then(|| Beside::of(evidence, &own));
        if let Some(Beside { others: Ok(others), .. }) = &beside
            && !others.is_empty()
        {
            let why = format!("{}; what is measured beside it is not judged", others.join(", "));
            return Err(failed(FindingCode::ConditionsNotHeld, why));
        }
        if let Some(error) = broken(said) {
            return Err(error);
        }
        // Without a driver to ask nobody computes; one that does not tell may hide somebody.
        if let Some(Beside { others: Err(Value::Unreadable(why)), .. }) = &beside {
            let why = format!("who computes on the cards is not known: {why}");
            return Err(failed(FindingCode::ConditionsNotHeld, why));
        }
        if let Some(few) = said.get("too-few") {
            return Ok(nothing("too-few-devices", &too_few(few, plan.ranks)));
        }
        let measured = Measured::of(said, plan.ranks).map_err(unreadable)?;
        Ok(measured.add(observe(said, &plan, &measured, beside.as_ref())))
    }
}

/// Answers where nothing could be measured, and the node said why.
fn nothing(state: &str, why: &str) -> Observation {
    FIELDS
        .iter()
        .fold(Observation::default(), |seen, known| {
            seen.fact(known.path, Value::Absent(format!("nothing was measured: {why}")))
        })
        .fact("state", Value::text(state))
        .fact("trouble", Value::text(why))
}

fn too_few(few: &Json, wanted: i64) -> String {
    let count = few.get("count").map_or_else(|| "?".to_owned(), Json::to_string);
    let available = few.get("available").and_then(Json::as_bool);
    let usable = if available == Some(false) { ", and CUDA is not available" } else { "" };
    format!("PyTorch counts {count} of {wanted} devices that are needed{usable}")
}

/// Names the rank that died or hung, with its last line.
fn broken(said: &Json) -> Option<AttemptError> {
    let kind = said.get("broken")?.as_str().unwrap_or_default();
    let one = |rank: &Json| {
        let text = |key: &str| rank.get(key).and_then(Json::as_str).unwrap_or("not said");
        let number = rank.get("rank").map_or_else(|| "?".to_owned(), Json::to_string);
        format!("rank {number}: {}: {}", text("how"), text("last"))
    };
    let ranks = said.get("ranks").and_then(Json::as_array).into_iter().flatten();
    let named: Vec<String> = ranks.map(one).collect();
    let code = if kind == "timed-out" { FindingCode::TimedOut } else { FindingCode::ProgramFailed };
    Some(failed(code, named.join("; ")))
}

fn observe(
    said: &Json,
    plan: &Plan,
    measured: &Measured<'_>,
    beside: Option<&Beside>,
) -> Observation {
    let Plan { backend, ranks, hidden, inner, layers, tokens, .. } = plan;
    let dtype = measured.said("dtype").unwrap_or("an unknown type");
    let workload = format!(
        "{tokens} tokens through {layers} layers of {hidden} x {inner} and back, {dtype}, {ranks} ranks over {backend}"
    );
    let version = measured.said("torch").map_or_else(
        || Value::Unreadable("the ranks do not say which PyTorch they are".to_owned()),
        Value::text,
    );
    let channels = Channels::of(said);
    let absent = || Value::Absent(format!("{backend} has no such ways"));
    let (path, lines) = match beside {
        Some(_) => (channels.path(), channels.lines()),
        None => (absent(), absent()),
    };
    let others =
        beside.map_or_else(|| Value::Absent("no card takes part".to_owned()), Beside::listed);
    Observation::default()
        .fact("state", Value::text("measured"))
        .fact("trouble", Value::text("none"))
        .fact("version", version)
        .fact("workload", Value::Text(workload))
        .fact("path", path)
        .fact("channels", lines)
        .fact("others", others)
}
