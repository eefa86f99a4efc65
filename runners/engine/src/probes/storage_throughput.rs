//! Answers how fast a drive is read, by fio in the instrument `fio`.
//!
//! A run counts where fio ended well, its job has no error and something was read. An engine that
//! the kernel refuses is passed over and named in `refused-engines`; any other error is an error
//! of the measurement, for a drive that fails once has no throughput. Writing is never measured.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Integer, List, Metric as Measured, Quantity as Amount, Text},
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
    parse::instrument,
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field},
};

pub(super) struct StorageThroughput;

const NAME: &str = "fio";
const BY: &str = "fio in verify instrument fio";
/// Size of the scratch file. *Units*: B.
const BYTES: i64 = 1 << 30;
/// Duration of a job. *Units*: s.
const SECONDS: i64 = 5;
/// Slowest drive whose scratch file is still waited for. *Units*: B/s.
const SLOWEST: u64 = 20_000_000;
/// Errors by which a kernel refuses an engine: `EPERM`, `ENOMEM`, `EACCES`, `EINVAL`, `ENOSYS`,
/// `EOPNOTSUPP`. *Source*: `io_uring_setup(2)`, `io_setup(2)`.
const REFUSING: [i64; 6] = [1, 12, 13, 22, 38, 95];

fn rate() -> FieldKind {
    Measured("MB/s", Direction::HigherIsBetter)
}

fn latency() -> FieldKind {
    Measured("us", Direction::LowerIsBetter)
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "storage-throughput",
    summary: "How fast a drive is read, sequentially and at random, by fio on a scratch file.",
    effect: Effect::Loads,
    depends: &[
        Depends::ruler("tool.fio"),
        Depends::cause("drive"),
        Depends::cause("cpu"),
        Depends::cause("bios"),
        Depends::cause("kernel"),
    ],
    params: &[
        ParamSpec {
            name: "path",
            kind: ParamKind::Text,
            required: true,
            doc: "Absolute path of a folder on the drive; the scratch file there has no name.",
        },
        ParamSpec {
            name: "size",
            kind: ParamKind::Quantity("B"),
            required: false,
            doc: "Size of the scratch file, 16 MiB to 16 GiB; 1 GiB unless given.",
        },
        ParamSpec {
            name: "seconds",
            kind: ParamKind::Integer,
            required: false,
            doc: "Duration of each of the two jobs, 1 to 60; 5 unless given.",
        },
    ],
    fields: &[
        field("sequential", rate, BY, "Rate of reading 1 MiB after 1 MiB, past the page cache."),
        field(
            "random",
            || Measured("op/s", Direction::HigherIsBetter),
            BY,
            "Reads of 4 KiB at random places, past the page cache.",
        ),
        field("random-latency", latency, BY, "Median time of such a read."),
        field("random-latency-p99", latency, BY, "Time that 99 % of such reads stay below."),
        field("engine", || Text, BY, "Engine of fio, `io_uring` where the kernel allows it."),
        field("depth", || Integer, BY, "Reads in flight; 1 with `psync`, which waits for each."),
        field(
            "refused-engines",
            || List(Box::new(Text)),
            BY,
            "Engines that were tried before and refused, with the error.",
        ),
        field("file-size", || Amount("B"), BY, "Size of the scratch file."),
    ],
    example: r#"with = { path = "/var/tmp", size = "1 GiB" }
expect = { sequential = { at-least = "1 GB/s" } }"#,
};

impl Probe for StorageThroughput {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let path = with.required("path")?;
        if !path.starts_with('/') || path.contains('\0') {
            return Err(format!("`path` is `{path}`; it must be an absolute path"));
        }
        let bytes = bytes(with).filter(|bytes| (16 << 20..=16 << 30).contains(bytes));
        let bytes = bytes.ok_or("`size` must be from 16 MiB to 16 GiB")?;
        let seconds = u64::try_from(with.integer("seconds").unwrap_or(SECONDS)).ok();
        let seconds = seconds.filter(|seconds| (1..=60).contains(seconds));
        let seconds = seconds.ok_or("`seconds` must be from 1 to 60")?;
        let argv = [NAME, "--folder", path, "--bytes", &bytes.to_string()];
        let argv = argv.into_iter().chain(["--seconds"]).map(str::to_owned);
        let argv = argv.chain([seconds.to_string()]).collect();
        // Two jobs, and two engines that may be refused; each may take its time to settle.
        let limit_ms = 1000 * (bytes / SLOWEST + 4 * (seconds + 5));
        Ok(vec![Ask::Instrument { argv, limit_ms }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [piece] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "the instrument was not gathered"));
        };
        let result = instrument::result(piece, NAME)?;
        let named = |(code, why): Trouble| failed(code, format!("{}: {why}", piece.ask));
        observe(&result).map_err(named)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "floats saturate")]
fn bytes(with: With<'_>) -> Option<u64> {
    match with.quantity("size") {
        None => u64::try_from(BYTES).ok(),
        Some(size) => Some(size.base() as u64),
    }
}

/// Why there is no answer.
type Trouble = (FindingCode, String);

fn unreadable(why: impl Into<String>) -> Trouble {
    (FindingCode::OutputUnreadable, why.into())
}

fn observe(result: &Json) -> Result<Observation, Trouble> {
    if let Some(why) = instrument::refusal(result) {
        let errno = result.pointer("/refused/errno").and_then(Json::as_str).unwrap_or_default();
        let denied = ["EACCES", "EPERM"].contains(&errno);
        let code = if denied { FindingCode::PermissionDenied } else { FindingCode::GatherFailed };
        return Err((code, why));
    }
    if let Some(why) = result.get("unmeasured") {
        let why = why.as_str().unwrap_or("it does not say why");
        return Err((FindingCode::GatherFailed, format!("not measured: {why}")));
    }
    let runs = result.get("runs").and_then(Json::as_array);
    let runs = runs.ok_or_else(|| unreadable("it gives no runs"))?;
    if runs.iter().any(|run| run.get("missing").is_some()) {
        return Err((FindingCode::ToolMissing, "fio was not found".to_owned()));
    }
    let (sequential, mut refused) = job(runs, "sequential")?;
    let (random, others) = job(runs, "random")?;
    refused.extend(others);
    refused.dedup();
    let depth = if random.engine == "psync" { Some(1) } else { integer(result, "depth") };
    let depth = depth.filter(|depth| *depth > 0).ok_or_else(|| unreadable("it gives no depth"))?;
    let size = number(result, "/bytes").and_then(|bytes| Quantity::of(bytes, "B").ok());
    let size = size.ok_or_else(|| unreadable("it does not say how large the file was"))?;
    let metric = |value: f64, unit: &str, direction| {
        let unit = Unit::parse(unit).ok_or_else(|| unreadable("an unknown unit"))?;
        Metric::new(unit, direction, vec![value]).map_err(|error| unreadable(error.to_string()))
    };
    let (higher, lower) = (Direction::HigherIsBetter, Direction::LowerIsBetter);
    let micro = |nanoseconds: f64| metric(nanoseconds / 1e3, "us", lower);
    Ok(Observation::default()
        .metric("sequential", metric(sequential.bytes_per_second / 1e6, "MB/s", higher)?)
        .metric("random", metric(random.reads_per_second, "op/s", higher)?)
        .metric("random-latency", micro(random.median_ns)?)
        .metric("random-latency-p99", micro(random.p99_ns)?)
        .fact("engine", Value::Text(random.engine))
        .fact("depth", Value::Integer(depth))
        .fact("refused-engines", Value::List(refused.into_iter().map(Value::Text).collect()))
        .fact("file-size", Value::Quantity(size)))
}

/// Returns the run of a job that counts, and the engines that were refused before it.
fn job(runs: &[Json], name: &str) -> Result<(Run, Vec<String>), Trouble> {
    let mut refused = Vec::new();
    for run in runs.iter().filter(|run| run.get("job").and_then(Json::as_str) == Some(name)) {
        let engine = run.get("engine").and_then(Json::as_str).unwrap_or("no engine");
        match Run::read(run, engine) {
            Ok(run) => return Ok((run, refused)),
            Err(Bad::Refused(why)) => refused.push(format!("{engine}: {why}")),
            Err(Bad::Failed(why)) => {
                let why = format!("fio, {name}, {engine}: {why}");
                return Err((FindingCode::ProgramFailed, why));
            }
            Err(Bad::Unreadable(why)) => {
                return Err(unreadable(format!("fio, {name}, {engine}: {why}")));
            }
        }
    }
    if refused.is_empty() {
        return Err(unreadable(format!("fio did not run the job `{name}`")));
    }
    Err((FindingCode::ProgramFailed, format!("fio: {}", refused.join("; "))))
}

/// Holds what a run of fio found.
struct Run {
    engine: String,
    bytes_per_second: f64,
    reads_per_second: f64,
    median_ns: f64,
    p99_ns: f64,
}

/// Says why a run does not count.
enum Bad {
    /// The kernel or fio has not this engine.
    Refused(String),
    /// Something else went wrong.
    Failed(String),
    /// What fio said cannot be read.
    Unreadable(String),
}

impl Run {
    fn read(run: &Json, engine: &str) -> Result<Self, Bad> {
        let text = |key: &str| run.get(key).and_then(Json::as_str).unwrap_or_default();
        let complaint = || complaint(text("output"), text("stderr"));
        let exit = integer(run, "exit");
        let document = document(text("output"));
        let error = document.as_ref().ok().and_then(|json| json.pointer("/jobs/0/error"));
        let error = error.and_then(Json::as_i64);
        match error {
            Some(0) if exit == Some(0) => {}
            Some(error) if error != 0 => {
                let why = format!("job error {error}: {}", complaint());
                let refused = REFUSING.contains(&error);
                return Err(if refused { Bad::Refused(why) } else { Bad::Failed(why) });
            }
            _ if text("stderr").contains("not loadable") => return Err(Bad::Refused(complaint())),
            _ if exit != Some(0) => {
                let how =
                    exit.map_or("ended by a signal".to_owned(), |n| format!("exit status {n}"));
                return Err(Bad::Failed(format!("{how}: {}", complaint())));
            }
            _ => {}
        }
        let document = document.map_err(Bad::Unreadable)?;
        let positive = |at: &str| {
            let found = number(&document, at).filter(|number| *number > 0.0);
            found.ok_or_else(|| Bad::Unreadable(format!("{at} is no number above zero")))
        };
        if error != Some(0) {
            return Err(Bad::Unreadable("it does not say whether the job had an error".to_owned()));
        }
        Ok(Self {
            engine: engine.to_owned(),
            bytes_per_second: positive("/jobs/0/read/bw_bytes")?,
            reads_per_second: positive("/jobs/0/read/iops")?,
            median_ns: positive("/jobs/0/read/clat_ns/percentile/50.000000")?,
            p99_ns: positive("/jobs/0/read/clat_ns/percentile/99.000000")?,
        })
    }
}

/// Reads the JSON of fio, before which notes and complaints may stand.
fn document(output: &str) -> Result<Json, String> {
    let start = if output.starts_with('{') { Some(0) } else { output.find("\n{").map(|at| at + 1) };
    let start = start.ok_or("fio gave no JSON")?;
    let mut values = serde_json::Deserializer::from_str(&output[start..]).into_iter();
    let first: Option<Result<Json, _>> = values.next();
    let found = first.ok_or("fio gave no JSON")?;
    found.map_err(|error| format!("not JSON: {error}"))
}

/// Returns the line in which fio complains, which may stand before the JSON.
fn complaint(output: &str, stderr: &str) -> String {
    let before = output.split("\n{").next().filter(|_| !output.starts_with('{'));
    let mut lines = stderr.lines().chain(before.unwrap_or_default().lines()).map(str::trim);
    let said = lines.find(|line| line.starts_with("fio:") && !line.ends_with("stopping"));
    said.unwrap_or("it does not say why").to_owned()
}

fn number(json: &Json, at: &str) -> Option<f64> {
    json.pointer(at).and_then(Json::as_f64)
}

fn integer(json: &Json, key: &str) -> Option<i64> {
    json.get(key).and_then(Json::as_i64)
}
