//! The document: what was measured, in units, with what it rests on.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::{
    attribution::{self, Blame, Class},
    histogram::{Reading, f64_of},
    measure::Measured,
    spin::Gap,
    trace::Traced,
};
use crate::linux::Refusal;

/// Quantiles that are named.
const QUANTILES: [(&str, f64); 7] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
    ("p99.999", 0.99999),
    ("max", 1.0),
];

/// Writes the result.
pub(super) fn report(measured: &Measured, most: usize) -> Value {
    let (around, rate) = (&measured.around, &measured.rate);
    let reading = measured.reading();
    let minimum = reading.shortest().unwrap_or(0);
    let traced = measured.traced.as_ref();
    let gaps = measured.ring.kept();
    let blamed = traced.map(|t| (t, attribution::blame(gaps, &t.events, measured.own)));
    json!({
        "cpu": measured.cpu,
        "clock": measured.clock,
        "calibration": {
            "hz": rate.hz,
            "error-ppm": rate.error_ppm,
            "over-ns": rate.over_ns,
            "against": "CLOCK_MONOTONIC_RAW",
        },
        "precision": precision(measured),
        "conditions": {
            "priority": taken(&measured.priority),
            "memory": held(&measured.memory, "locked"),
            "cpu-dma-latency": held(&measured.idle, "held at 0 us"),
            "knobs": measured.knobs,
        },
        "loop": cost(measured, &reading),
        "jitter": jitter(measured, &reading, minimum),
        "around": around,
        "attribution": attribution(measured, &blamed, minimum),
        "gaps": longest(measured, blamed.as_ref().ok().map(|(_, blame)| blame), most),
    })
}

fn held(taken: &Result<(), Refusal>, how: &str) -> Value {
    taken.as_ref().map_or_else(Refusal::to_json, |()| json!(how))
}

fn taken(priority: &Result<Option<i32>, Refusal>) -> Value {
    match priority {
        Ok(Some(priority)) => json!({ "policy": "SCHED_FIFO", "priority": priority }),
        Ok(None) => json!({ "policy": "SCHED_OTHER" }),
        Err(refusal) => refusal.to_json(),
    }
}

fn quantiles(of: impl Fn(f64) -> Option<f64>) -> Value {
    let named = QUANTILES.iter().map(|(name, share)| ((*name).to_owned(), json!(of(*share))));
    Value::Object(named.collect::<Map<_, _>>())
}

fn precision(measured: &Measured) -> Value {
    let precision = &measured.precision;
    let reading = Reading::new(&precision.counts, None, measured.rate.per_ns());
    let shortest = reading.shortest();
    json!({
        "pairs": precision.pairs,
        "backwards": precision.backwards,
        "min-cycles": shortest,
        "min-ns": shortest.map(|cycles| f64_of(cycles) / measured.rate.per_ns()),
        "quantiles-ns": quantiles(|share| reading.by_sample(share)),
    })
}

fn cost(measured: &Measured, reading: &Reading<'_>) -> Value {
    let (window, per_ns) = (&measured.window, measured.rate.per_ns());
    let whole = f64_of(window.end.saturating_sub(window.start)) / per_ns;
    let bare = measured.bare_fastest();
    json!({
        "iterations": window.iterations,
        "ns-per-iteration": whole / f64_of(window.iterations.max(1)),
        "min-ns": window.fastest / per_ns,
        "min-cycles": window.fastest,
        "bare-min-ns": bare / per_ns,
        "bare-min-cycles": bare,
        "ratio": window.fastest / bare,
        "shortest-cycles": reading.shortest(),
    })
}

fn jitter(measured: &Measured, reading: &Reading<'_>, minimum: u64) -> Value {
    let (window, ring, per_ns) = (&measured.window, &measured.ring, measured.rate.per_ns());
    let whole_ns = f64_of(window.end.saturating_sub(window.start)) / per_ns;
    json!({
        "window-ns": whole_ns,
        "start-tsc": window.start,
        "end-tsc": window.end,
        "threshold-ns": f64_of(measured.threshold) / per_ns,
        "gaps": ring.count(),
        "lost": ring.lost,
        "gaps-per-second": f64_of(ring.count()) / whole_ns * 1e9,
        "stolen-share": measured.stolen_share(minimum),
        "max-ns": reading.longest_ns(),
        "by-sample-ns": quantiles(|share| reading.by_sample(share)),
        "by-time-ns": quantiles(|share| reading.by_time(share)),
        "histogram": { "step-s": 1e-12, "v2": reading.encode() },
    })
}

/// What was traced and what it is blamed for, or why there is no trace.
type Blamed<'a> = Result<(&'a Traced, Blame<'a>), &'a Refusal>;

fn attribution(measured: &Measured, blamed: &Blamed<'_>, minimum: u64) -> Value {
    let (traced, blame) = match blamed {
        Ok(blamed) => blamed,
        Err(refusal) => return by_deltas(measured, refusal),
    };
    let gaps = measured.ring.kept();
    let mut written = blame.to_json(gaps, minimum, measured.rate.per_ns() * 1e3);
    let unexplained = blame.classes.iter().zip(gaps);
    let unexplained = unexplained.filter(|(class, _)| **class == Class::Unexplained);
    let cycles: u64 = unexplained.map(|(_, gap)| gap.length.saturating_sub(minimum)).sum();
    let window = f64_of(measured.window.end.saturating_sub(measured.window.start).max(1));
    written["by"] = json!("trace");
    written["events"] = json!(traced.events.len());
    written["lost-events"] = json!(traced.lost);
    written["missing-events"] = json!(traced.missing);
    // What was not recorded would look as if nothing had happened.
    let known = traced.lost == 0;
    written["unexplained-share"] = json!(known.then(|| f64_of(cycles) / window));
    written
}

/// Counts what happened in the window, without blame: there was no trace.
fn by_deltas(measured: &Measured, refusal: &Refusal) -> Value {
    let around = &measured.around;
    let lines = around["interrupts"].as_object();
    let count = |timer: bool| {
        let lines = lines?.iter().filter(|(name, _)| (name.as_str() == "LOC") == timer);
        Some(lines.filter_map(|(_, count)| count.as_u64()).sum::<u64>())
    };
    json!({
        "by": "interrupt-deltas",
        "why": if measured.asked_no_trace() { json!(refusal.why) } else { refusal.to_json() },
        "events": {
            "timer": count(true),
            "irq": count(false),
            "task-switch": around["involuntary-switches"],
        },
        // The loop never sleeps: a cpu that was idle was kept from it.
        "rt-throttling-ms": around["cpu-time-ms"]["idle"],
        "unexplained-share": null,
    })
}

/// Writes the longest gaps in the order of time.
fn longest(measured: &Measured, blame: Option<&Blame<'_>>, most: usize) -> Value {
    let kept = measured.ring.kept();
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by_key(|at| Reverse(kept[*at].length));
    order.truncate(most);
    order.sort_unstable();
    let per_ns = measured.rate.per_ns();
    let write = |at: usize| {
        let Gap { start, length } = kept[at];
        let after = start.saturating_sub(measured.window.start);
        json!({
            "tsc": start,
            "cycles": length,
            "at-us": f64_of(after) / per_ns / 1e3,
            "us": f64_of(length) / per_ns / 1e3,
            "class": blame.map(|blame| blame.classes[at].name()),
        })
    };
    order.into_iter().map(write).collect()
}
