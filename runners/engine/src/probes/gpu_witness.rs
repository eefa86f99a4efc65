//! Answers whether NVML, CUDA and nvidia-smi show the same cards.
//!
//! Each can be right and the program at hand still see fewer: a card that fell off the bus is
//! counted and cannot be opened, a variable hides cards from CUDA, a library of another version
//! refuses to start. A witness that does not answer while another does is a disagreement; where
//! nvidia-smi is not installed, two are heard. Cards are joined by their identity, never by number.

use serde_json::Value as Json;
use verify_model::{
    ask::{Ask, DEFAULT_CAP, DEFAULT_LIMIT_MS},
    effect::Effect,
    evidence::{Captured, Evidence, FailureKind},
    field::FieldKind::{Integer, Text},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use super::{cuda, nvml};
use crate::{
    gathered::{Gathered, count},
    parse::instrument,
    probe::{Probe, ProbeSpec, With, failed, field, text_of, texts},
};

pub(super) struct GpuWitness;

/// Lists every card with its identity, a line each.
const LIST: [&str; 2] = ["nvidia-smi", "-L"];

static SPEC: ProbeSpec = ProbeSpec {
    name: "gpu-witness",
    summary: "Whether NVML, CUDA and nvidia-smi show the same cards.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("nvml", || Integer, "nvmlDeviceGetHandleByIndex_v2", "Cards that NVML can open."),
        field("cuda", || Integer, "cuDeviceGetCount", "Cards that CUDA shows."),
        field("nvidia-smi", || Integer, "nvidia-smi -L", "Cards that nvidia-smi lists."),
        field("visible", || Text, "CUDA_VISIBLE_DEVICES", "Which cards CUDA may show."),
        field(
            "cards",
            texts,
            "NVML, CUDA, nvidia-smi",
            "Identity of every card that one of them shows.",
        ),
        field(
            "disagreements",
            texts,
            "NVML, CUDA, nvidia-smi",
            "Cards that one of them shows and another does not, and witnesses that do not answer.",
        ),
    ],
    example: "expect = { disagreements = { count = 0 } }",
};

/// Holds what one of the three says.
struct Witness {
    name: &'static str,
    /// Identities; the error says why there are none, and whether that is no witness at all.
    cards: Result<Vec<String>, Silence>,
}

enum Silence {
    /// It is not installed.
    NotThere(String),
    /// It is there and does not answer.
    Refused(String),
}

impl Probe for GpuWitness {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let list = Ask::Exec {
            argv: LIST.map(str::to_owned).to_vec(),
            env: vec![("LC_ALL".to_owned(), "C".to_owned())],
            limit_ms: DEFAULT_LIMIT_MS,
            cap: DEFAULT_CAP,
        };
        Ok(vec![nvml::inventory(), cuda::inventory(), list])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let nvml = instrument::gathered(evidence, nvml::NAME)?;
        let cuda = instrument::gathered(evidence, cuda::NAME)?;
        let listed = Gathered(evidence).program(&LIST)?;
        let witnesses = [
            Witness { name: "NVML", cards: by_nvml(&nvml)? },
            Witness { name: "CUDA", cards: by_cuda(&cuda)? },
            Witness { name: "nvidia-smi", cards: by_tool(listed)? },
        ];
        let simulated = [&nvml, &cuda].into_iter().find_map(|result| result.get("simulated"));
        let mut seen = observe(&witnesses)
            .fact("visible", cuda::visible(&cuda))
            .fact("disagreements", disagreements(&witnesses, &cuda::visible(&cuda)));
        seen.simulated = simulated.and_then(Json::as_str).map(str::to_owned);
        Ok(seen)
    }
}

fn observe(witnesses: &[Witness; 3]) -> Observation {
    let number = |witness: &Witness| match &witness.cards {
        Ok(cards) => count(cards.len()),
        Err(Silence::NotThere(why)) => Value::Absent(why.clone()),
        Err(Silence::Refused(why)) => Value::Unreadable(why.clone()),
    };
    let [nvml, cuda, tool] = witnesses;
    Observation::default()
        .fact("nvml", number(nvml))
        .fact("cuda", number(cuda))
        .fact("nvidia-smi", number(tool))
        .fact("cards", Value::List(all(witnesses).into_iter().map(Value::Text).collect()))
}

/// Lists every identity once, in the order in which they are named.
fn all(witnesses: &[Witness]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for card in witnesses.iter().filter_map(|witness| witness.cards.as_ref().ok()).flatten() {
        if !all.contains(card) {
            all.push(card.clone());
        }
    }
    all
}

fn disagreements(witnesses: &[Witness; 3], visible: &Value) -> Value {
    let heard: Vec<(&str, &Vec<String>)> = witnesses
        .iter()
        .filter_map(|witness| Some((witness.name, witness.cards.as_ref().ok()?)))
        .collect();
    if heard.is_empty() {
        return Value::Unreadable("none of the three answers".to_owned());
    }
    let hidden = match visible {
        Value::Text(list) => format!(" (CUDA_VISIBLE_DEVICES is `{list}`)"),
        _ => String::new(),
    };
    let mut all_of_them = Vec::new();
    for card in all(witnesses) {
        let by = |shown: bool| {
            let names = heard.iter().filter(|(_, cards)| cards.contains(&card) == shown);
            names.map(|(name, _)| *name).collect::<Vec<_>>()
        };
        let (shown, not) = (by(true), by(false));
        if !not.is_empty() {
            let why = if not.contains(&"CUDA") { hidden.as_str() } else { "" };
            all_of_them.push(Value::Text(format!(
                "{card}: shown by {}, not by {}{why}",
                shown.join(" and "),
                not.join(" and ")
            )));
        }
    }
    for witness in witnesses {
        if let Err(Silence::Refused(why)) = &witness.cards {
            all_of_them.push(Value::Text(format!("{} does not answer: {why}", witness.name)));
        }
    }
    Value::List(all_of_them)
}

type Heard = Result<Result<Vec<String>, Silence>, AttemptError>;

fn by_nvml(result: &Json) -> Heard {
    let state = result.get("state").and_then(Json::as_str).unwrap_or("no state");
    let trouble = result.get("trouble").map_or_else(String::new, |why| format!(": {why}"));
    if state != "ok" {
        return Ok(Err(Silence::Refused(format!("{state}{trouble}"))));
    }
    let cards = result.get("cards").and_then(Json::as_array);
    let cards = cards.ok_or_else(|| unreadable("NVML lists no cards"))?;
    let opened =
        cards.iter().filter(|card| card.pointer("/opened/value") == Some(&Json::Bool(true)));
    let uuid = |card: &Json| Some(card.pointer("/uuid/value")?.as_str()?.to_owned());
    let uuids: Option<Vec<String>> = opened.map(uuid).collect();
    Ok(Ok(uuids.ok_or_else(|| unreadable("NVML does not say which card it is"))?))
}

fn by_cuda(result: &Json) -> Heard {
    if let Some((code, why)) = cuda::trouble(result) {
        let none = code == cuda::NO_DEVICE;
        return Ok(if none { Ok(Vec::new()) } else { Err(Silence::Refused(why)) });
    }
    let cards = result.get("devices").and_then(Json::as_array);
    let cards = cards.ok_or_else(|| unreadable("CUDA lists no devices"))?;
    let uuid = |card: &Json| Some(card.get("uuid")?.as_str()?.to_owned());
    let uuids: Option<Vec<String>> = cards.iter().map(uuid).collect();
    Ok(Ok(uuids.ok_or_else(|| unreadable("CUDA does not say which card it is"))?))
}

fn by_tool(piece: &Evidence) -> Heard {
    match &piece.captured {
        Captured::Failed(failure) if failure.kind == FailureKind::NotFound => {
            return Ok(Err(Silence::NotThere("nvidia-smi is not installed".to_owned())));
        }
        Captured::Exec { exit: Some(code), stdout, .. } if *code != 0 => {
            let first = stdout.text.lines().next().unwrap_or("it says nothing");
            return Ok(Err(Silence::Refused(format!("exit status {code}: {first}"))));
        }
        _ => {}
    }
    let lines = text_of(piece)?.lines().filter(|line| line.starts_with("GPU "));
    let uuid = |line: &str| Some(line.split_once("(UUID: ")?.1.strip_suffix(')')?.to_owned());
    let uuids: Option<Vec<String>> = lines.map(|line| uuid(line.trim_end())).collect();
    Ok(Ok(uuids.ok_or_else(|| unreadable("nvidia-smi -L: a line without an identity"))?))
}

fn unreadable(why: &str) -> AttemptError {
    failed(FindingCode::OutputUnreadable, why)
}
