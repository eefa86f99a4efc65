//! What Google benchmark writes with `--benchmark_out_format=json`.
//!
//! Each repetition is an entry, and so is each mean of them: only repetitions are samples. A benchmark
//! that failed or was skipped, or of which repetitions are missing, is no measurement.
//!
//! *Source*: google/benchmark, `src/json_reporter.cc`; `run_type` came with 1.5.

use serde::Deserialize;
use verify_model::value::Value;

use super::Found;

/// How names of means end where no `run_type` says that they are means.
const AGGREGATES: [&str; 6] = ["_mean", "_median", "_stddev", "_cv", "_BigO", "_RMS"];
/// More names are not listed where the wanted one is missing.
const NAMES: usize = 8;

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    context: Context,
    benchmarks: Vec<Entry>,
}

#[derive(Default, Deserialize)]
struct Context {
    date: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    run_name: Option<String>,
    run_type: Option<String>,
    repetitions: Option<u64>,
    iterations: Option<f64>,
    real_time: Option<f64>,
    cpu_time: Option<f64>,
    time_unit: Option<String>,
    #[serde(default)]
    error_occurred: bool,
    error_message: Option<String>,
    #[serde(default)]
    skipped: bool,
    skip_message: Option<String>,
}

impl Entry {
    /// Names the benchmark, whichever repetition this is.
    fn benchmark(&self) -> &str {
        self.run_name.as_deref().unwrap_or(&self.name)
    }

    fn is_sample(&self) -> bool {
        match self.run_type.as_deref() {
            Some(kind) => kind == "iteration",
            None => !AGGREGATES.iter().any(|end| self.name.ends_with(end)),
        }
    }

    /// Returns the time of one iteration. *Units*: ns.
    fn time(&self, field: &str) -> Result<f64, String> {
        if self.error_occurred || self.skipped {
            let said = self.error_message.as_deref().or(self.skip_message.as_deref());
            let how = if self.error_occurred { "failed" } else { "was skipped" };
            return Err(format!("`{}` {how}: {}", self.name, said.unwrap_or("it says no reason")));
        }
        if self.iterations.is_some_and(|count| count < 1.0) {
            return Err(format!("`{}` made no iteration", self.name));
        }
        let time = if field == "cpu_time" { self.cpu_time } else { self.real_time };
        let time = time.ok_or_else(|| format!("`{}` has no `{field}`", self.name))?;
        let factor = match self.time_unit.as_deref() {
            Some("ns") => 1.0,
            Some("us") => 1e3,
            Some("ms") => 1e6,
            Some("s") => 1e9,
            Some(other) => return Err(format!("`{}` has the time unit `{other}`", self.name)),
            None => return Err(format!("`{}` has no time unit", self.name)),
        };
        Ok(time * factor)
    }
}

/// Reads the samples of one benchmark.
pub(super) fn read(text: &str, wanted: Option<&str>, field: &str) -> Result<Found, String> {
    let report: Report = serde_json::from_str(text)
        .map_err(|e| format!("expected the JSON of Google benchmark: {e}"))?;
    let mut names: Vec<&str> = report.benchmarks.iter().map(Entry::benchmark).collect();
    names.sort_unstable();
    names.dedup();
    let name = match (wanted, names.as_slice()) {
        (_, []) => return Err("it holds no benchmark".to_owned()),
        (Some(wanted), names) if names.contains(&wanted) => wanted,
        (Some(wanted), names) => {
            return Err(format!("it holds no `{wanted}`, but {}", listed(names)));
        }
        (None, [only]) => only,
        (None, names) => return Err(format!("say by `name` which is meant: {}", listed(names))),
    };
    let samples: Vec<&Entry> =
        report.benchmarks.iter().filter(|e| e.benchmark() == name && e.is_sample()).collect();
    let Some(first) = samples.first() else {
        return Err(format!("it holds only means of `{name}`: run it without aggregates_only"));
    };
    let times: Vec<f64> =
        samples.iter().map(|entry| entry.time(field)).collect::<Result<_, _>>()?;
    if let Some(planned) = first.repetitions.filter(|planned| *planned > 0)
        && planned != samples.len() as u64
    {
        return Err(format!("it holds {} of {planned} repetitions of `{name}`", samples.len()));
    }
    let date = report.context.date;
    let date = date.map_or_else(|| Value::Absent("the file has no date".to_owned()), Value::text);
    Ok(Found { name: Value::text(name), date, times })
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMES);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}
