//! The text of a run of trtexec: what it measured with, its summary, its warnings and its end.
//!
//! From 8.4 on a summary has one line a quantity. Before, it has one line a number under a heading,
//! with the time `end to end` in parentheses, and its throughput may be 0. Warnings stand on the
//! other stream than the rest, so that both are read, one after the other.

use std::collections::BTreeMap;

/// Holds what one run said.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Log {
    /// What it measured with, as it echoes it: `Precision`, `Data transfers`, `Selected Device`.
    pub(crate) options: BTreeMap<String, String>,
    /// Queries that it says it timed, warm-up not counted.
    pub(crate) queries: Option<u64>,
    /// Throughput. *Units*: queries a second.
    pub(crate) throughput: Option<f64>,
    /// Rows of the summary, by the name that newer versions give them.
    pub(crate) rows: BTreeMap<String, Row>,
    pub(crate) warnings: Vec<String>,
    pub(crate) errors: Vec<String>,
    /// The last word: `PASSED`, `FAILED`, `WAIVED`; `None` where it never came.
    pub(crate) end: Option<String>,
}

/// Holds one row of the summary. *Units*: ms.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) mean: Option<f64>,
    pub(crate) median: Option<f64>,
    pub(crate) p99: Option<f64>,
}

/// Names of rows, and what older versions call them.
const ROWS: [(&str, &str); 5] = [
    ("Latency", "Host Latency"),
    ("Enqueue Time", "Enqueue Time"),
    ("H2D Latency", "H2D Latency"),
    ("GPU Compute Time", "GPU Compute"),
    ("D2H Latency", "D2H Latency"),
];
/// Most warnings and errors that are kept of each.
const KEPT: usize = 50;

/// Reads the text. Pure, and never panics.
pub(crate) fn read(text: &str) -> Log {
    let mut log = Log::default();
    let mut heading = None;
    for line in text.lines() {
        if let Some(said) = line.strip_prefix("&&&& ") {
            let word = said.split_whitespace().next().unwrap_or_default();
            if word != "RUNNING" {
                log.end = Some(word.to_owned());
            }
            continue;
        }
        match severity(line) {
            Some(('W', said)) => keep(&mut log.warnings, said),
            Some(('E' | 'F', said)) => keep(&mut log.errors, said),
            Some(('I', said)) => informed(&mut log, &mut heading, said),
            _ => {}
        }
    }
    log
}

/// Splits `[10/03/2024-10:47:59] [I] text`.
fn severity(line: &str) -> Option<(char, &str)> {
    let (_, rest) = line.strip_prefix('[')?.split_once("] [")?;
    let (letter, said) = rest.split_once(']')?;
    let mut letters = letter.chars();
    let letter = letters.next().filter(|_| letters.next().is_none())?;
    Some((letter, said.trim()))
}

fn keep(list: &mut Vec<String>, said: &str) {
    let said = said.trim_start_matches("* ");
    if list.len() < KEPT && !said.is_empty() && !list.iter().any(|known| known == said) {
        list.push(said.to_owned());
    }
}

fn informed(log: &mut Log, heading: &mut Option<&'static str>, said: &str) {
    if let Some((name, _)) = ROWS.iter().find(|(_, old)| *old == said) {
        *heading = Some(name);
        return;
    }
    let Some((key, rest)) = said.split_once(':') else {
        let counted =
            said.strip_prefix("Timing trace has ").and_then(|rest| rest.split(' ').next());
        log.queries = counted.and_then(|count| count.parse().ok()).or(log.queries);
        return;
    };
    let rest = rest.trim();
    if key.eq_ignore_ascii_case("throughput") {
        log.throughput = rest.strip_suffix(" qps").and_then(number).or(log.throughput);
        return;
    }
    // A row in one line.
    if let Some((name, _)) = ROWS.iter().find(|(name, _)| *name == key) {
        if rest.starts_with("min = ") {
            log.rows.insert((*name).to_owned(), row(rest));
        }
        return;
    }
    if let Some(name) = heading
        && ["min", "max", "mean", "median", "percentile"].contains(&key)
    {
        let row = log.rows.entry((*name).to_owned()).or_default();
        let place = match (key, rest.contains("at 99%")) {
            ("min", _) => &mut row.min,
            ("max", _) => &mut row.max,
            ("mean", _) => &mut row.mean,
            ("median", _) => &mut row.median,
            (_, true) => &mut row.p99,
            _ => return,
        };
        *place = milliseconds(rest);
        return;
    }
    log.options.entry(key.to_owned()).or_insert_with(|| rest.to_owned());
}

/// Reads `min = 1 ms, max = 2 ms, .., percentile(99%) = 3 ms`.
fn row(text: &str) -> Row {
    let mut row = Row::default();
    for part in text.split(", ") {
        let Some((key, value)) = part.split_once(" = ") else { continue };
        let place = match key.trim() {
            "min" => &mut row.min,
            "max" => &mut row.max,
            "mean" => &mut row.mean,
            "median" => &mut row.median,
            "percentile(99%)" => &mut row.p99,
            _ => continue,
        };
        *place = milliseconds(value);
    }
    row
}

fn milliseconds(text: &str) -> Option<f64> {
    number(text.split_once(" ms")?.0)
}

/// Reads a number; `inf` and `nan`, which trtexec prints without any query, are none.
fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "\
&&&& RUNNING TensorRT.trtexec [TensorRT v101302] [b6] # trtexec --onnx=/proc/self/fd/5
[10/03/2024-10:47:50] [I] Precision: FP32
[10/03/2024-10:47:50] [I] Data transfers: Enabled
[10/03/2024-10:47:59] [I] Timing trace has 5000 queries over 0.2 s
[10/03/2024-10:47:59] [I] === Performance summary ===
[10/03/2024-10:47:59] [I] Throughput: 25000.5 qps
[10/03/2024-10:47:59] [I] Latency: min = 0.018 ms, max = 0.06 ms, mean = 0.02 ms, median = 0.019 ms, percentile(90%) = 0.02 ms, percentile(99%) = 0.03 ms
[10/03/2024-10:47:59] [I] Enqueue Time: min = inf ms, max = nan ms, mean = 0.004 ms, median = 0.004 ms, percentile(99%) = 0.007 ms
[10/03/2024-10:47:59] [W] * GPU compute time is unstable, with coefficient of variance = 3.1%.
[10/03/2024-10:47:59] [E] Error[1]: something
&&&& PASSED TensorRT.trtexec [TensorRT v101302] [b6] # trtexec --onnx=/proc/self/fd/5
";

    #[test]
    fn the_form_since_8_4_has_a_line_a_row() {
        let log = read(NEW);
        assert_eq!(log.options["Precision"], "FP32");
        assert_eq!(log.options["Data transfers"], "Enabled");
        assert_eq!((log.queries, log.throughput), (Some(5000), Some(25000.5)));
        let latency = &log.rows["Latency"];
        assert_eq!((latency.min, latency.p99, latency.mean), (Some(0.018), Some(0.03), Some(0.02)));
        let enqueue = &log.rows["Enqueue Time"];
        assert_eq!((enqueue.min, enqueue.max, enqueue.p99), (None, None, Some(0.007)));
        let unstable = "GPU compute time is unstable, with coefficient of variance = 3.1%.";
        assert_eq!(
            (log.warnings, log.errors),
            (vec![unstable.to_owned()], vec!["Error[1]: something".to_owned()])
        );
        assert_eq!(log.end.as_deref(), Some("PASSED"));
    }

    #[test]
    fn the_form_before_8_4_has_a_line_a_number_and_its_end_to_end_is_not_the_latency() {
        let text = "\
[11/02/2021-09:17:09] [I] Timing trace has 0 queries over 3.00142 s
[11/02/2021-09:17:09] [I] Host Latency
[11/02/2021-09:17:09] [I] min: 0.5 ms (end to end 1.0 ms)
[11/02/2021-09:17:09] [I] percentile: 0.6 ms at 99% (end to end 1.0 ms at 99%)
[11/02/2021-09:17:09] [I] throughput: 0 qps
[11/02/2021-09:17:09] [I] GPU Compute
[11/02/2021-09:17:09] [I] median: 0.4 ms
[11/02/2021-09:17:09] [I] percentile: 0.7 ms at 90%
";
        let log = read(text);
        assert_eq!((log.queries, log.throughput, log.end), (Some(0), Some(0.0), None));
        assert_eq!((log.rows["Latency"].min, log.rows["Latency"].p99), (Some(0.5), Some(0.6)));
        let compute = &log.rows["GPU Compute Time"];
        assert_eq!((compute.median, compute.p99), (Some(0.4), None));
    }

    #[test]
    fn nonsense_is_nothing_and_a_flood_is_bounded() {
        for text in ["", "[", "[] [] x", "&&&& ", "[a] [WW] x", "[a] [I] Latency: min = ", "[é] [I"]
        {
            let log = read(text);
            assert!(log.rows.values().all(|row| row.min.is_none()), "{text}");
            assert!(log.warnings.is_empty() && log.end.as_deref().is_none_or(str::is_empty));
        }
        let flood: Vec<String> = (0..9000).map(|n| format!("[x] [W] warning {n}")).collect();
        assert_eq!(read(&flood.join("\n")).warnings.len(), KEPT);
    }
}
