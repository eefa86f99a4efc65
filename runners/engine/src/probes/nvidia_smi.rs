//! Answers what `nvidia-smi` says of the cards: the witness beside NVML, with the same field names.
//!
//! It is the tool that people look at, and the two must not differ. What a call that failed has
//! printed is not believed: with another exit status than 0 there is a `state` and no value. A
//! card that cannot be opened stands under `lost`, for others may answer with status 0.

mod card;
mod field;
mod link;
mod memory;

use verify_model::{
    ask::{Ask, DEFAULT_LIMIT_MS},
    effect::Effect,
    evidence::{Captured, Evidence},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    gathered::{Gathered, count},
    parse::nvidia_smi::{
        query::{self, Log, Part},
        text as word,
        trouble::{self, LOST, Trouble},
    },
    probe::{Probe, ProbeSpec, With, failed, text_of},
};

pub(super) struct NvidiaSmi;

/// Bounds each output: a card takes about 60 KiB. *Units*: B.
const CAP: u64 = 4 * 1024 * 1024;

const QUERY: &[&str] = &["nvidia-smi", "-q", "-x"];
const TOPOLOGY: &[&str] = &["nvidia-smi", "topo", "-m"];
const READS: &[&str] = &["nvidia-smi", "topo", "-p2p", "r"];
const WRITES: &[&str] = &["nvidia-smi", "topo", "-p2p", "w"];
const LINKS: &[&str] = &["nvidia-smi", "nvlink", "-s"];

static SPEC: ProbeSpec = ProbeSpec {
    name: "nvidia-smi",
    summary: "What nvidia-smi says of the NVIDIA cards, their links and how they reach each other.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: field::FIELDS,
    example: r#"expect = { state = "ok", count = 2, "pairs.link" = { every = { is = "NV4" } } }"#,
};

impl Probe for NvidiaSmi {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let ask = |argv: &[&str]| Ask::Exec {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            env: vec![("LC_ALL".to_owned(), "C".to_owned())],
            // Without persistence the driver starts every card anew, for seconds.
            limit_ms: 3 * DEFAULT_LIMIT_MS,
            cap: CAP,
        };
        Ok([QUERY, TOPOLOGY, READS, WRITES, LINKS].map(ask).to_vec())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let asked = Gathered(evidence);
        let piece = asked.program(QUERY)?;
        let Captured::Exec { exit: Some(exit), stdout, stderr, .. } = &piece.captured else {
            let other = failed(FindingCode::OutputUnreadable, format!("{}: no output", piece.ask));
            return Err(text_of(piece).err().unwrap_or(other));
        };
        let unreadable =
            |why: String| failed(FindingCode::OutputUnreadable, format!("{}: {why}", piece.ask));
        if stdout.truncated > 0 || stderr.truncated > 0 {
            return Err(unreadable("some of the output was left out".to_owned()));
        }
        let (document, around) = query::split(&stdout.text);
        let messages = trouble::messages(&around, stderr);
        let trouble = trouble::found(*exit, &messages);
        let sentence = trouble.map(|trouble| trouble::sentence(trouble, *exit, &messages));
        if let (Some(trouble), Some(sentence)) = (trouble, &sentence)
            && (*exit != 0 || document.is_empty())
        {
            return Ok(not_asked(trouble, sentence, &messages));
        }
        text_of(piece)?;
        let log = query::read(document).map_err(unreadable)?;
        let lost = lost(&log, &messages).map_err(unreadable)?;
        let (state, why) = match (trouble, sentence, lost.as_slice()) {
            (Some(trouble), Some(sentence), _) => (trouble.state, sentence),
            (_, _, [first, ..]) => {
                (LOST.state, format!("{first}; {}: {}", LOST.meaning, LOST.next))
            }
            _ => ("ok", "none".to_owned()),
        };
        Ok(observe(&log, &lost)
            .fact("state", Value::text(state))
            .fact("trouble", Value::Text(why))
            .fact("gpus", card::gpus(&open(&log), &lost, &link::active(asked, LINKS)))
            .fact("pairs", link::pairs(asked, open(&log).len(), &lost)))
    }
}

/// Says why there is nothing: every field but those that say so is without a value.
fn not_asked(trouble: &Trouble, sentence: &str, messages: &[&str]) -> Observation {
    let why = format!("{}: {sentence}", trouble.state);
    let none = if trouble.nothing { Value::Absent(why) } else { Value::Unreadable(why) };
    let lost: Vec<Value> = trouble::lost(messages).into_iter().map(Value::Text).collect();
    let lost = if lost.is_empty() { none.clone() } else { Value::List(lost) };
    let seen = Observation::default()
        .fact("state", Value::text(trouble.state))
        .fact("trouble", Value::text(sentence))
        .fact("lost", lost);
    let rest = ["driver", "cuda", "count", "opened", "gpus", "pairs"];
    rest.iter().fold(seen, |seen, name| seen.fact(name, none.clone()))
}

/// Lists the cards that answer.
fn open(log: &Log) -> Vec<&Part> {
    log.gpus.iter().filter(|gpu| !card::is_lost(gpu)).collect()
}

/// Lists the cards that do not, each as it is told.
///
/// *Errors*: more cards are listed than counted.
fn lost(log: &Log, messages: &[&str]) -> Result<Vec<String>, String> {
    let mut lost = trouble::lost(messages);
    for (index, gpu) in log.gpus.iter().enumerate() {
        if card::is_lost(gpu) {
            lost.push(format!("card {index} is listed and its values say that it is lost"));
        }
    }
    if let Value::Integer(counted) = counted(log) {
        let listed = i64::try_from(log.gpus.len()).unwrap_or(i64::MAX);
        if listed > counted {
            return Err(format!("cards counted: {counted}, cards listed: {listed}"));
        }
        if listed < counted && lost.is_empty() {
            lost.push(format!("cards counted: {counted}, cards listed: {listed}"));
        }
    }
    Ok(lost)
}

fn counted(log: &Log) -> Value {
    let number = |word: &str| {
        word.parse::<u16>().map_or_else(
            |_| Value::Unreadable(format!("expected a number of cards, found `{word}`")),
            |number| Value::Integer(i64::from(number)),
        )
    };
    log.system.read(&["attached_gpus"], number)
}

fn observe(log: &Log, lost: &[String]) -> Observation {
    let version = |names: &[&str]| log.system.read(names, word);
    // The names since driver 610 stand beside the old ones.
    let driver = version(&["driver_version", "kmd_version"]);
    let cuda = version(&["cuda_version", "cuda_umd_version"]);
    Observation::default()
        .fact("driver", Value::record([("version", driver)]))
        .fact("cuda", Value::record([("version", cuda)]))
        .fact("count", counted(log))
        .fact("opened", count(open(log).len()))
        .fact("lost", Value::List(lost.iter().map(Value::text).collect()))
}
