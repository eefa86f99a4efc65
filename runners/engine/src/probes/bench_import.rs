//! Answers what a benchmark of the user's own left in a file: one time for each sample.
//!
//! So that criterion's and Google's benchmarks are compared by the same rule as everything else. All
//! samples of a file were taken by one process: they are one run, however many. Nothing is started
//! here, so the file may be old: `age` says how old. What a benchmark measured that is no time is not
//! read: criterion's file does not say its unit, which is nanoseconds unless it was told otherwise.

mod criterion;
mod google;

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Integer, Metric as Measured, Quantity as Amount, Text},
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
    gathered::{Gathered, count},
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, text_of},
};

pub(super) struct BenchImport;

/// How much of a file is kept; ten thousand repetitions with counters take less. *Units*: B.
const CAP: u64 = 8 * 1024 * 1024;
const NOW: [&str; 2] = ["date", "+%s"];

static SPEC: ProbeSpec = ProbeSpec {
    name: "bench-import",
    summary: "What a benchmark of your own left in a file: criterion's sample.json, or Google benchmark's JSON.",
    effect: Effect::Reads,
    depends: &[
        Depends::cause("cpu"),
        Depends::cause("memory"),
        Depends::cause("bios"),
        Depends::cause("kernel"),
        Depends::cause("compiler"),
    ],
    params: &[
        ParamSpec {
            name: "file",
            kind: ParamKind::Text,
            required: true,
            doc: "Absolute path: `target/criterion/NAME/new/sample.json`, or what `--benchmark_out` names.",
        },
        ParamSpec {
            name: "format",
            kind: ParamKind::Choice(&["criterion", "google"]),
            required: true,
            doc: "Who wrote it.",
        },
        ParamSpec {
            name: "name",
            kind: ParamKind::Text,
            required: false,
            doc: "Full name of the benchmark; needed where the file holds several, else checked.",
        },
        ParamSpec {
            name: "field",
            kind: ParamKind::Choice(&["real_time", "cpu_time"]),
            required: false,
            doc: "Which time of Google's; `real_time` unless given.",
        },
    ],
    fields: &[
        field(
            "time",
            || Measured("ns", Direction::LowerIsBetter),
            "the file",
            "Time of one iteration, one value a sample.",
        ),
        field("samples", || Integer, "the file", "Number of samples; all are of one run."),
        field("name", || Text, "the file, or benchmark.json beside it", "Name of the benchmark."),
        field("date", || Text, "the file", "When it ran, as Google's benchmark says it."),
        field("age", || Amount("s"), "stat -c %Y, date +%s", "Time since the file was written."),
    ],
    example: r#"with = { file = "/home/me/engine/bench.json", format = "google", name = "BM_Decode/64" }
expect = { time = { within = "3 %" }, age = { at-most = "1 h" } }"#,
};

/// Holds what a file says.
struct Found {
    name: Value,
    date: Value,
    /// *Units*: ns.
    times: Vec<f64>,
}

impl Probe for BenchImport {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn measures_anew(&self) -> bool {
        false
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let path = with.required("file")?;
        if !path.starts_with('/') || path.contains('\0') {
            return Err(format!("`{path}` is not an absolute path"));
        }
        super::sysfs::kept(path)?;
        let criterion = with.required("format")? == "criterion";
        if criterion && with.text("field").is_some() {
            return Err("`field` is for Google's benchmark: criterion has one time".to_owned());
        }
        let read = |path: String| Ask::ReadFile { path, cap: CAP };
        let mut asks = vec![read(path.to_owned())];
        if criterion {
            asks.push(read(beside(path)));
        }
        asks.extend([Ask::exec(written(path)), Ask::exec(NOW)]);
        Ok(asks)
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let unreadable = |message: String| failed(FindingCode::OutputUnreadable, message);
        let path = with.required("file").map_err(unreadable)?;
        let gathered = Gathered(evidence);
        let text = gathered.text(path)?;
        let wanted = with.text("name");
        let found = if with.text("format") == Some("criterion") {
            let name = gathered.value(&beside(path), criterion::name);
            criterion::read(text, name, wanted)
        } else {
            google::read(text, wanted, with.text("field").unwrap_or("real_time"))
        };
        let found = found.map_err(|why| unreadable(format!("{path}: {why}")))?;
        let metric = metric(found.times).map_err(|why| unreadable(format!("{path}: {why}")))?;
        Ok(Observation::default()
            .fact("samples", count(metric.samples().len()))
            .fact("name", found.name)
            .fact("date", found.date)
            .fact("age", age(gathered, path).unwrap_or_else(Value::Unreadable))
            .metric("time", metric))
    }
}

/// Returns the file beside criterion's samples that names the benchmark.
fn beside(path: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/benchmark.json")
}

fn written(path: &str) -> [&str; 4] {
    ["stat", "-c", "%Y", path]
}

/// Builds the metric; a sample that took no time is none.
fn metric(times: Vec<f64>) -> Result<Metric, String> {
    if let Some(at) = times.iter().position(|time| !(time.is_finite() && *time > 0.0)) {
        let sample = at + 1;
        return Err(format!(
            "sample {sample} of {} took {} ns: nothing was measured",
            times.len(),
            times[at]
        ));
    }
    let unit = Unit::parse("ns").ok_or("an unknown unit")?;
    Metric::new(unit, Direction::LowerIsBetter, times).map_err(|error| error.to_string())
}

/// Returns how long ago the file was written, by the clock of the node.
fn age(gathered: Gathered<'_>, path: &str) -> Result<Value, String> {
    let seconds = |argv: &[&str]| -> Result<i64, String> {
        let text = gathered.program(argv).and_then(text_of).map_err(|error| error.message)?;
        let text = text.trim();
        text.parse().map_err(|_| format!("`{}` said no time in seconds", argv.join(" ")))
    };
    let (then, now) = (seconds(&written(path))?, seconds(&NOW)?);
    // Both are gathered one after the other, and a second may pass between.
    let age = now.checked_sub(then).filter(|age| *age >= -1);
    let age = age.ok_or("it was written in the future: the clock of the node went back")?.max(0);
    #[expect(clippy::cast_precision_loss, reason = "no file is 2^53 s old")]
    Quantity::of(age as f64, "s").map(Value::Quantity).map_err(|error| error.to_string())
}
