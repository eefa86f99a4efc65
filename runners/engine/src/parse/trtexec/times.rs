//! The file of `--exportTimes`: one object a query, of which the four durations are read.
//!
//! The stamps beside them have six significant digits: from 1000 ms on they step by 10 us, so that
//! their differences say nothing about a query of 100 us, and none is ever taken. trtexec writes
//! `inf` and `nan` as they come, which is no JSON: each is found and named.

use serde_json::Value as Json;

/// Holds the durations, one element a query. *Units*: ms.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Times {
    /// Kernels on the card.
    pub(crate) compute: Vec<f64>,
    /// Transfer in, kernels and transfer out, without what lies between them.
    pub(crate) latency: Vec<f64>,
    /// Transfer to the card; 0 where transfers were left out.
    pub(crate) to_device: Vec<f64>,
}

/// Reads the file.
///
/// *Errors*: it is no JSON or cut, or a query lacks a duration that is one, in one sentence.
pub(crate) fn read(text: &str) -> Result<Times, String> {
    if text.trim().is_empty() {
        return Err("trtexec exported no times".to_owned());
    }
    let document: Json = serde_json::from_str(text).map_err(|error| match unbounded(text) {
        Some(what) => format!("of the exported times, {what}, which is no time"),
        None => format!(
            "the exported times are no JSON at line {} column {}: cut or damaged",
            error.line(),
            error.column()
        ),
    })?;
    let queries = document.as_array().ok_or("the exported times are no list")?;
    let mut times = Times::default();
    for (at, query) in queries.iter().enumerate() {
        let duration = |key: &str| {
            let found = query.get(key).ok_or_else(|| "is missing".to_owned());
            let found = found.and_then(|value| number(value).ok_or_else(|| format!("is {value}")));
            found.map_err(|how| format!("`{key}` of query {} {how}, expected a time", at + 1))
        };
        // A query that took no time at all was not timed.
        let above_zero = |key: &str| match duration(key)? {
            0.0 => Err(format!("`{key}` of query {} is 0 ms: it was not timed", at + 1)),
            time => Ok(time),
        };
        times.compute.push(above_zero("computeMs")?);
        times.latency.push(above_zero("latencyMs")?);
        times.to_device.push(duration("h2dMs")?);
        duration("d2hMs")?;
    }
    Ok(times)
}

/// Reads a duration; a text is none, even one that looks like a number.
fn number(value: &Json) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite() && *number >= 0.0)
}

/// Finds the first value that is no number in the C++ way.
fn unbounded(text: &str) -> Option<String> {
    for (query, members) in text.split('{').enumerate() {
        for member in members.split([',', '}']) {
            let Some((key, value)) = member.split_once(':') else { continue };
            let (key, value) = (key.trim().trim_matches('"'), value.trim());
            if ["inf", "nan"].contains(&value.trim_start_matches(['-', '+'])) {
                return Some(format!("`{key}` of query {query} is {value}"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a query as trtexec does.
    fn query(compute: &str, latency: &str) -> String {
        format!(
            "{{ \"startEnqMs\" : 2000.1, \"endEnqMs\" : 2000.1, \"startH2dMs\" : 1999.9, \"endH2dMs\" : 1999.9, \"startComputeMs\" : 1999.9, \"endComputeMs\" : 1999.9, \"startD2hMs\" : 1999.9, \"endD2hMs\" : 1999.9, \"h2dMs\" : 0.00317383, \"computeMs\" : {compute}, \"d2hMs\" : 0.00292969, \"latencyMs\" : {latency} }}\n"
        )
    }

    fn file(queries: &[String]) -> String {
        format!("[\n  {}]\n", queries.join(", "))
    }

    #[test]
    fn durations_are_read_and_stamps_are_not() {
        let read = read(&file(&[query("0.0144043", "0.0205078"), query("1e-05", "0.01")])).unwrap();
        assert_eq!(read.compute, [0.014_404_3, 1e-5]);
        assert_eq!(read.latency, [0.020_507_8, 0.01]);
        // The stamps of both queries are the same, and say nothing.
        assert_eq!(read.to_device, [0.003_173_83; 2]);
        assert_eq!(super::read("[\n]\n"), Ok(Times::default()));
    }

    #[test]
    fn what_is_no_time_is_named_with_its_query() {
        let good = query("0.01", "0.02");
        for (bad, said) in [
            (file(&[good.clone(), query("inf", "0.02")]), "`computeMs` of query 2 is inf"),
            (file(&[query("-nan", "0.02")]), "`computeMs` of query 1 is -nan"),
            (file(&[query("0.01", "nan")]), "`latencyMs` of query 1 is nan"),
            (file(&[query("\"0.01\"", "0.02")]), "`computeMs` of query 1 is \"0.01\""),
            (file(&[query("0", "0.02")]), "`computeMs` of query 1 is 0 ms: it was not timed"),
            (file(&[query("-0.5", "0.02")]), "is -0.5, expected a time"),
            (file(&[query("1e999", "0.02")]), "no JSON at line"),
            (file(&[query("null", "0.02")]), "is null"),
            (file(&[good.replace("d2hMs", "d2h")]), "`d2hMs` of query 1 is missing"),
            (file(&["7".to_owned()]), "`computeMs` of query 1 is missing"),
            (good.clone(), "no list"),
            (file(&[good.clone(), good.clone()])[..300].to_owned(), "cut or damaged"),
            (String::new(), "no times"),
            ("null".to_owned(), "no list"),
        ] {
            let why = read(&bad).unwrap_err();
            assert!(why.contains(said), "{said}: {why}");
        }
    }
}
