//! What criterion leaves in `new/`: `sample.json` with the samples, `benchmark.json` with the name.
//!
//! A sample is a number of iterations and the time of all of them together.
//!
//! *Source*: criterion 0.3 to 0.7; older versions write a bare list of two lists.

use serde::Deserialize;
use verify_model::value::Value;

use super::Found;

#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

/// Reads the name of the benchmark.
pub(super) fn name(text: &str) -> Result<Value, String> {
    let benchmark: Benchmark =
        serde_json::from_str(text).map_err(|e| format!("benchmark.json: {e}"))?;
    Ok(Value::text(benchmark.full_id))
}

/// Reads the samples, and demands the benchmark that was meant.
pub(super) fn read(text: &str, name: Value, wanted: Option<&str>) -> Result<Found, String> {
    match (&name, wanted) {
        (_, None) => {}
        (Value::Text(found), Some(wanted)) if found == wanted => {}
        (Value::Text(found), Some(wanted)) => {
            return Err(format!("it is of `{found}`, not of `{wanted}`"));
        }
        (other, Some(wanted)) => {
            return Err(format!("nothing says that it is of `{wanted}`: {other}"));
        }
    }
    let Sample { iters, times } = serde_json::from_str(text)
        .map_err(|e| format!("expected criterion's `iters` and `times`: {e}"))?;
    if iters.len() != times.len() {
        return Err(format!("it has {} `iters` and {} `times`", iters.len(), times.len()));
    }
    if iters.is_empty() {
        return Err("it has no sample".to_owned());
    }
    if let Some(at) = iters.iter().position(|count| !(count.is_finite() && *count >= 1.0)) {
        return Err(format!("sample {} has {} iterations", at + 1, iters[at]));
    }
    let times = times.iter().zip(&iters).map(|(time, count)| time / count).collect();
    let date = Value::Absent("criterion writes no date".to_owned());
    Ok(Found { name, date, times })
}
