//! Answers how fast a small model answers on a GPU, by trtexec in the instrument `tensorrt`.
//!
//! Times come from what trtexec exports, query by query; its printed summary is the witness, and
//! where the two disagree there is no answer. Versions are comparable only because each is asked
//! for the same: what trtexec echoes of that is checked. What it calls unstable is left unjudged.
//! How the figures of the host come about stands in METHOD.md.

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
};

use self::{field::FIELDS, measured::Measured};
use super::cuda;
use crate::{
    parse::{
        instrument,
        trtexec::{
            log::{self, Log},
            times,
        },
    },
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed},
};

pub(super) struct TensorRt;

const NAME: &str = "tensorrt";
/// Time for loading the library, building the engine, warm-up and queries. *Units*: ms. *Source*:
/// the library alone takes seconds to load; a builder tries every kernel that fits.
const LIMIT_MS: u64 = 300_000;
/// Queries that are timed.
const QUERIES: i64 = 5000;
/// How trtexec opens the warning that its times vary too much; at more than 2.5 %.
const UNSTABLE: &str = "GPU compute time is unstable";
/// How it opens the warning that it measures without a graph after all.
const NO_GRAPH: &str = "CUDA graph capture failed";
/// What it must have measured with, as it echoes it.
const SAME: [(&str, &str); 4] = [
    ("Data transfers", "Enabled"),
    ("ExposeDMA", "Enabled"),
    ("Spin-wait", "Enabled"),
    ("CUDA Graph", "Enabled"),
];

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "How fast a small model of 64 inputs answers on a GPU, by TensorRT's trtexec.",
    effect: Effect::Loads,
    depends: &[
        Depends::ruler("tensorrt"),
        Depends::cause("gpu"),
        Depends::cause("driver"),
        Depends::cause("cuda"),
        Depends::cause("cpu"),
        Depends::cause("kernel"),
    ],
    params: &[
        ParamSpec {
            name: "major",
            kind: ParamKind::Integer,
            required: false,
            doc: "Major version of TensorRT that is meant, 8 or more; another one is left unjudged. Any unless given. A baseline is of one major version only where this is given.",
        },
        ParamSpec {
            name: "queries",
            kind: ParamKind::Integer,
            required: false,
            doc: "Queries that are timed, 100 to 10000; 5000 unless given.",
        },
        ParamSpec {
            name: "device",
            kind: ParamKind::Integer,
            required: false,
            doc: "Card in CUDA's order, 0 to 15; 0 unless given.",
        },
        ParamSpec {
            name: "spread",
            kind: ParamKind::Quantity("%"),
            required: false,
            doc: "Coefficient of variance up to which times count although trtexec calls them unstable; without it, none does.",
        },
    ],
    fields: FIELDS,
    example: r#"with = { major = 10 }
expect = { gpu-p99 = { below = "100 us" }, host-p99 = { below = "100 us" } }"#,
};

impl Probe for TensorRt {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let queries = with.integer("queries").unwrap_or(QUERIES);
        if !(100..=10_000).contains(&queries) {
            return Err(format!("`queries` is {queries}; 100 to 10000 can be timed"));
        }
        let device = with.integer("device").unwrap_or(0);
        if !(0..=15).contains(&device) {
            return Err(format!("`device` is {device}; cards are counted from 0 to 15"));
        }
        if let Some(major) = with.integer("major").filter(|major| !(8..100).contains(major)) {
            return Err(format!("`major` is {major}; versions from 8 on are known"));
        }
        let spread = with.quantity("spread").map_or(0.0, Quantity::base);
        if !(0.0..=1.0).contains(&spread) {
            return Err("`spread` is from 0 % to 100 %".to_owned());
        }
        let (queries, device) = (queries.to_string(), device.to_string());
        let argv = [NAME, "--queries", &queries, "--device", &device].map(str::to_owned).to_vec();
        Ok(vec![Ask::Instrument { argv, limit_ms: LIMIT_MS }])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [piece] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "the instrument was not gathered"));
        };
        let result = instrument::result(piece, NAME)?;
        if let Some(who) = cuda::others(&result) {
            return Err(failed(FindingCode::ConditionsNotHeld, who));
        }
        observe(with, &result).map_err(|(code, why)| failed(code, format!("{}: {why}", piece.ask)))
    }
}

/// Why there is no answer.
type Trouble = (FindingCode, String);

fn unreadable(why: impl Into<String>) -> Trouble {
    (FindingCode::OutputUnreadable, why.into())
}

fn unheld(why: impl Into<String>) -> Trouble {
    (FindingCode::ConditionsNotHeld, why.into())
}

fn observe(with: With<'_>, result: &Json) -> Result<Observation, Trouble> {
    if let Some(why) = instrument::refusal(result) {
        return Err((FindingCode::GatherFailed, why));
    }
    if let Some(why) = result.get("unmeasured") {
        let why = why.as_str().unwrap_or("it does not say why");
        return Err((FindingCode::GatherFailed, format!("not measured: {why}")));
    }
    if result.get("missing").is_some() {
        return Err((FindingCode::ToolMissing, "trtexec was not found".to_owned()));
    }
    let text = |at: &str| result.pointer(at).and_then(Json::as_str);
    let version = text("/version").ok_or_else(|| unreadable("it gives no version of trtexec"))?;
    let (Some(output), Some(stderr)) = (text("/run/output"), text("/run/stderr")) else {
        return Err(unreadable("it does not give what trtexec said"));
    };
    if result.pointer("/run/cut").and_then(Json::as_bool) == Some(true) {
        return Err(unreadable("trtexec said more than is kept, and its end is missing"));
    }
    let log = log::read(&format!("{output}\n{stderr}"));
    ended_well(result, &log, stderr)?;
    meant(with, version, &log)?;
    let left_out = result.get("times-left-out").and_then(Json::as_u64);
    match left_out.ok_or_else(|| unreadable("it does not say whether times were left out"))? {
        0 => {}
        bytes => {
            let why = "trtexec exported more times than are kept";
            return Err(unreadable(format!("{why}: {bytes} bytes were left out")));
        }
    }
    let times = text("/times").ok_or_else(|| unreadable("it gives no exported times"))?;
    let times = times::read(times).map_err(unreadable)?;
    let asked = result.get("queries").and_then(Json::as_u64);
    let asked = asked.ok_or_else(|| unreadable("it does not say how many queries it asked for"))?;
    let measured =
        Measured::of(times, &log, asked, exports_warm_up(version)).map_err(unreadable)?;
    // Judged last: numbers that cannot be read are no unstable ones.
    stable(with, &log)?;
    let options = result.get("options").and_then(Json::as_array);
    Ok(measured.observation(version, &log, options.map_or(&[], Vec::as_slice)))
}

/// Tells whether this version exports the times of its warm-up as well: up to 8.4.
///
/// *Source*: NVIDIA/TensorRT, samples/common/sampleReporting.cpp of 8.4.3 and 8.5.1.
fn exports_warm_up(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(u32::MAX));
    (numbers.next(), numbers.next()) < (Some(8), Some(5))
}

/// Demands that trtexec came to its end and says so.
fn ended_well(result: &Json, log: &Log, stderr: &str) -> Result<(), Trouble> {
    let number = |at: &str| result.pointer(at).and_then(Json::as_i64);
    let how = match (number("/run/exit"), number("/run/signal"), log.end.as_deref()) {
        (Some(0), _, Some("PASSED")) => return Ok(()),
        (Some(0), _, Some(word)) => format!("it ended with {word} and exit status 0"),
        (Some(0), _, None) => "it ended without PASSED".to_owned(),
        (Some(code), ..) => format!("exit status {code}"),
        (None, Some(signal), _) => format!("ended by signal {signal}"),
        (None, None, _) => "no exit status".to_owned(),
    };
    let mut said: Vec<&str> = log.errors.iter().map(String::as_str).take(2).collect();
    if said.is_empty() {
        // A loader, or whoever else complains in its own words; warnings are no reason.
        let plain = |line: &&str| !line.is_empty() && !line.starts_with('[');
        said.extend(stderr.lines().map(str::trim).rfind(plain));
    }
    let said = if said.is_empty() { "it does not say why".to_owned() } else { said.join("; ") };
    Err((FindingCode::ProgramFailed, format!("trtexec: {how}: {said}")))
}

/// Demands that what was measured is what every version is asked for.
fn meant(with: With<'_>, version: &str, log: &Log) -> Result<(), Trouble> {
    let major = version.split('.').next().and_then(|major| major.parse::<i64>().ok());
    let major = major.ok_or_else(|| unreadable(format!("`{version}` is no version")))?;
    if let Some(wanted) = with.integer("major").filter(|wanted| *wanted != major) {
        return Err(unheld(format!(
            "TensorRT {version} answered where {wanted}.x is meant, and times of one are no measure for the other: set the major version in the node file"
        )));
    }
    for (option, wanted) in SAME {
        match log.options.get(option).map(String::as_str) {
            Some(found) if found == wanted => {}
            Some(found) => {
                return Err(unheld(format!("it measured with `{option}: {found}`, not {wanted}")));
            }
            None => {
                return Err(unreadable(format!("trtexec does not say its option `{option}`")));
            }
        }
    }
    match log.warnings.iter().find(|warning| warning.starts_with(NO_GRAPH)) {
        Some(warning) => Err(unheld(format!("trtexec warns: {warning}"))),
        None => Ok(()),
    }
}

/// Demands that trtexec does not call its own times unstable.
fn stable(with: With<'_>, log: &Log) -> Result<(), Trouble> {
    let Some(warning) = log.warnings.iter().find(|warning| warning.starts_with(UNSTABLE)) else {
        return Ok(());
    };
    let percent = warning.rsplit_once("= ").and_then(|(_, rest)| rest.split_once('%'));
    let percent = percent.and_then(|(number, _)| number.trim().parse::<f64>().ok());
    let accepted = with.quantity("spread").map(|spread| spread.base() * 100.0);
    match (percent, accepted) {
        (Some(percent), Some(accepted)) if percent <= accepted => Ok(()),
        _ => Err(unheld(format!(
            "trtexec warns: {warning} Lock the clocks (nvidia-smi -lgc) and end what else runs"
        ))),
    }
}
