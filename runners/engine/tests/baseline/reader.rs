//! That other people's tools read the histograms of a ledger.
#![allow(clippy::disallowed_methods, reason = "a reader is a program of its own")]

use std::{io::Write as _, process::Command};

use crate::run::{CHECK, accepted, at};

/// Prints the number of samples, the smallest and the greatest.
const READER: &str = "
import sys
from hdrh.histogram import HdrHistogram
h = HdrHistogram.decode(sys.argv[1])
print(h.get_total_count(), h.get_min_value(), h.get_max_value(), h.get_value_at_percentile(50))
";

#[test]
fn the_histogram_reader_of_python_finds_the_samples() {
    let python = |code: &str, argument: &str| {
        Command::new("python3").args(["-c", code, argument]).output().ok()
    };
    if !python("import hdrh", "").is_some_and(|output| output.status.success()) {
        // Not `eprintln!`: what a passing test prints is swallowed.
        writeln!(std::io::stderr(), "skipped: needs hdrhistogram (pip install hdrhistogram)")
            .unwrap();
        return;
    }
    let ground = crate::Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    let ledger = ground.shelf.read(&crate::disk()).unwrap();
    let unit = ledger.history(CHECK).unwrap().current[0].clone();
    let histogram = unit.metrics["latency"].histogram.clone().unwrap();
    let output = python(READER, &histogram.v2).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = said.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let [count, min, max, median] = numbers[..] else {
        panic!("{said}{}", String::from_utf8_lossy(&output.stderr))
    };
    assert!((count - 4.0).abs() < 0.5);
    for (steps, us) in [(min, 90.0), (max, 400.0), (median, 100.0)] {
        let value = steps * histogram.step * 1e6;
        assert!((value - us).abs() <= 1e-3 * us, "{value} us instead of {us}");
    }
}
