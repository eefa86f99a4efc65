//! Answers how fine the time-stamp counter is, and what takes a cpu away from a loop on it.
//!
//! An instrument spins on each cpu that is named; a metric holds one sample a cpu. A measurement
//! that lost gaps, or that was asked for a priority and did not get it, is no answer about the cpu
//! and is left unjudged. The cause of gaps is known only where the kernel could be traced.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    cpu_set::CpuSet,
    effect::Effect,
    evidence::Evidence,
    field::{
        FieldKind::{self, Bool, Cpus, Integer, List, Metric as Measured, Text},
        FieldSpec,
    },
    finding::FindingCode,
    fingerprint::Depends,
    matcher::Literal,
    metric::{
        Direction::{self, LowerIsBetter, Neutral},
        Metric,
    },
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

pub(super) struct Tsc;

const NAME: &str = "tsc";
const BY: &str = "verify instrument tsc";
/// Window, unless given. *Units*: s.
const WINDOW_S: f64 = 10.0;
/// Longest window. *Units*: s. *Source*: what the instrument takes.
const WINDOW_MOST_S: f64 = 600.0;
/// Warm-up, calibration and reading of the trace. *Units*: ms. *Source*: 3 s on a busy machine.
const AROUND_MS: u64 = 20_000;
/// Most cpus that are measured at once.
const CPUS_MOST: usize = 16;

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "How fine the TSC is, and what takes a cpu away from a loop that reads it.",
    effect: Effect::Loads,
    depends: &[Depends::cause("cpu"), Depends::cause("bios"), Depends::cause("kernel")],
    params: &[
        ParamSpec {
            name: "cpus",
            kind: ParamKind::Cpus,
            required: false,
            doc: "Cpus to measure on, at the same time; the last one, an isolated one where there is one, unless given.",
        },
        ParamSpec {
            name: "for",
            kind: ParamKind::Quantity("s"),
            required: false,
            doc: "Window, up to 600 s; 10 s unless given.",
        },
        ParamSpec {
            name: "priority",
            kind: ParamKind::Integer,
            required: false,
            doc: "Priority under SCHED_FIFO; 0, ordinary scheduling, unless given.",
        },
    ],
    fields: FIELDS,
    example: r#"with = { cpus = "6,7", for = "10 s", priority = 80 }
expect = { "resolution.max" = { at-most = "10 ns" } }"#,
};

static FIELDS: &[FieldSpec] = &[
    field("cpus", || Cpus, BY, "Cpus that were measured; metrics have one sample for each."),
    field(
        "clocksource",
        || Text,
        "/sys/devices/system/clocksource",
        "By what the kernel keeps time.",
    ),
    field("invariant", || Bool, "/proc/cpuinfo", "The TSC has one rate in every state of the cpu."),
    field("circular", || Bool, BY, "The clock that it was calibrated against is made from it."),
    field("priority", || Text, BY, "Policy and priority of the loop, or what refused them."),
    field("memory-lock", || Text, BY, "`locked`, or what refused."),
    field(
        "rt-runtime",
        || Integer,
        "/proc/sys/kernel/sched_rt_runtime_us",
        "Microseconds of each second that real-time tasks may have; -1 is all.",
    ),
    field("lost", || Integer, BY, "Gaps for which there was no room."),
    field(
        "smi",
        || Integer,
        "MSR 0x34",
        "System management interrupts in the window, most of any cpu.",
    ),
    field(
        "attribution",
        || Text,
        BY,
        "`trace` or `interrupt-deltas`: from where causes are known.",
    ),
    field("largest-cause", || List(Box::new(Text)), BY, "What took most, for each cpu."),
    field(
        "causes",
        || List(Box::new(Text)),
        BY,
        "Everything that took something, and its share of what was taken.",
    ),
    field(
        "tasks",
        || List(Box::new(Text)),
        BY,
        "Tasks that ran instead of the loop, with their gaps, those that took most first.",
    ),
    field(
        "histogram",
        || List(Box::new(Text)),
        BY,
        "All lengths in ps for each cpu: HdrHistogram V2, deflate, base64.",
    ),
    field("frequency", || Measured("MHz", Neutral), BY, "Rate of the TSC by CLOCK_MONOTONIC_RAW."),
    field(
        "calibration-error",
        || Measured("ppm", LowerIsBetter),
        BY,
        "Error that the calibration leaves open.",
    ),
    field(
        "resolution",
        || Measured("ns", LowerIsBetter),
        BY,
        "Median between two readings back to back.",
    ),
    field("loop-cost", || Measured("ns", LowerIsBetter), BY, "Least cost of an iteration."),
    field(
        "loop-ratio",
        || Measured("x", LowerIsBetter),
        BY,
        "That cost over the bare counter's, in the same process.",
    ),
    field("threshold", || Measured("ns", Neutral), BY, "What counts as a gap."),
    field(
        "stolen-share",
        || Measured("%", LowerIsBetter),
        BY,
        "Share of the window that gaps took.",
    ),
    field(
        "gap-rate",
        || Measured("/s", LowerIsBetter),
        BY,
        "Gaps in a second; follows the threshold.",
    ),
    field("gap-max", || Measured("us", LowerIsBetter), BY, "Longest gap."),
    field(
        "sample-p99-99",
        || Measured("us", LowerIsBetter),
        BY,
        "Length that 99.99 % of all iterations do not exceed; it flatters.",
    ),
    field(
        "time-p99",
        || Measured("us", LowerIsBetter),
        BY,
        "Length within which 99 % of the time was spent.",
    ),
    field(
        "time-p99-99",
        || Measured("us", LowerIsBetter),
        BY,
        "Length within which 99.99 % of the time was spent.",
    ),
    field(
        "unexplained-share",
        || Measured("%", LowerIsBetter),
        BY,
        "Share of the window that nothing in the kernel explains: hypervisor, firmware, hardware.",
    ),
];

/// Where each metric stands in a result, and what a value there is multiplied by.
const METRICS: [(&str, &str, f64); 13] = [
    ("frequency", "/calibration/hz", 1e-6),
    ("calibration-error", "/calibration/error-ppm", 1.0),
    ("resolution", "/precision/quantiles-ns/p50", 1.0),
    ("loop-cost", "/loop/min-ns", 1.0),
    ("loop-ratio", "/loop/ratio", 1.0),
    ("threshold", "/jitter/threshold-ns", 1.0),
    ("stolen-share", "/jitter/stolen-share", 100.0),
    ("gap-rate", "/jitter/gaps-per-second", 1.0),
    ("gap-max", "/jitter/max-ns", 1e-3),
    ("sample-p99-99", "/jitter/by-sample-ns/p99.99", 1e-3),
    ("time-p99", "/jitter/by-time-ns/p99", 1e-3),
    ("time-p99-99", "/jitter/by-time-ns/p99.99", 1e-3),
    ("unexplained-share", "/attribution/unexplained-share", 100.0),
];

impl Probe for Tsc {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let asked_s = with.quantity("for").map_or(WINDOW_S, Quantity::base);
        if !(0.01..=WINDOW_MOST_S).contains(&asked_s) {
            return Err(format!("`for` is from 10 ms to {WINDOW_MOST_S} s"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was checked above"
        )]
        let window_ms = (asked_s * 1e3).round() as u64;
        let priority = match with.integer("priority").unwrap_or(0) {
            0 => "none".to_owned(),
            priority @ 1..=98 => priority.to_string(),
            other => return Err(format!("`priority` is from 0 to 98, found {other}")),
        };
        let cpus: Vec<Option<u32>> = match with.0.get("cpus") {
            Some(Literal::Cpus(cpus)) if cpus.is_empty() => return Err("`cpus` is empty".into()),
            Some(Literal::Cpus(cpus)) => cpus.iter().map(Some).collect(),
            _ => vec![None],
        };
        if cpus.len() > CPUS_MOST {
            return Err(format!("`cpus` names {} cpus, at most {CPUS_MOST}", cpus.len()));
        }
        // A short look needs no long warm-up.
        let warm_up = format!("{}ms", window_ms.clamp(10, 1_000));
        let ask = |cpu: Option<u32>| {
            let window = format!("{window_ms}ms");
            let words = [NAME, "--for", &window, "--warm-up", &warm_up, "--priority", &priority];
            let mut argv: Vec<String> = words.map(str::to_owned).into();
            argv.extend(cpu.into_iter().flat_map(|cpu| ["--cpu".to_owned(), cpu.to_string()]));
            // All are measured at once: together they must leave a cpu to ordinary tasks.
            if let Some(Literal::Cpus(cpus)) = with.0.get("cpus")
                && cpus.len() > 1
            {
                argv.extend(["--beside".to_owned(), cpus.to_string()]);
            }
            Ask::Instrument { argv, limit_ms: window_ms + AROUND_MS }
        };
        Ok(cpus.into_iter().map(ask).collect())
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let results: Result<Vec<Json>, AttemptError> =
            evidence.iter().map(|piece| measured(with, piece)).collect();
        let results = results?;
        let Some(first) = results.first() else {
            return Err(failed(FindingCode::NotRecorded, "the instrument was not gathered"));
        };
        let observation = Observation::default()
            .fact("cpus", cpus(&results))
            .fact("clocksource", text(first, "/clock/clocksource"))
            .fact("invariant", invariant(first))
            .fact("circular", flag(first, "/clock/circular"))
            .fact("priority", Value::text(priority(first)))
            .fact("memory-lock", part(first, "/conditions/memory"))
            .fact("rt-runtime", runtime(first))
            .fact("lost", Value::Integer(0))
            .fact("smi", smi(&results))
            .fact("attribution", text(first, "/attribution/by"))
            .fact("largest-cause", each(&results, largest))
            .fact("causes", causes(&results))
            .fact("tasks", tasks(&results))
            .fact("histogram", each(&results, |one| text(one, "/jitter/histogram/v2")));
        Ok(METRICS.iter().fold(observation, |observation, (name, pointer, scale)| {
            metric(observation, &results, name, pointer, *scale)
        }))
    }
}

/// Returns a result that says something about the cpu.
///
/// *Errors*: the instrument was refused the cpu, or the conditions did not hold.
fn measured(with: With<'_>, piece: &Evidence) -> Result<Json, AttemptError> {
    let result = instrument::result(piece, NAME)?;
    if let Some(why) = instrument::refusal(&result) {
        return Err(failed(FindingCode::GatherFailed, format!("{}: {why}", piece.ask)));
    }
    let lost = result.pointer("/jitter/lost").and_then(Json::as_u64);
    let unheld =
        |why: String| failed(FindingCode::ConditionsNotHeld, format!("{}: {why}", piece.ask));
    match lost {
        Some(0) => {}
        Some(lost) => {
            return Err(unheld(format!("{lost} gaps were lost, there was no room for them")));
        }
        None => {
            let why = format!("{}: it does not say whether gaps were lost", piece.ask);
            return Err(failed(FindingCode::OutputUnreadable, why));
        }
    }
    if with.integer("priority").unwrap_or(0) > 0
        && let Some(why) = result.pointer("/conditions/priority").and_then(instrument::refusal)
    {
        return Err(unheld(format!("without the priority asked for: {why}")));
    }
    Ok(result)
}

fn text(result: &Json, pointer: &str) -> Value {
    match result.pointer(pointer).and_then(Json::as_str) {
        Some(text) => Value::text(text),
        None => Value::Unreadable(format!("the instrument does not say {pointer}")),
    }
}

fn flag(result: &Json, pointer: &str) -> Value {
    match result.pointer(pointer).and_then(Json::as_bool) {
        Some(flag) => Value::Bool(flag),
        None => Value::Unreadable(format!("the instrument does not say {pointer}")),
    }
}

fn invariant(result: &Json) -> Value {
    match (flag(result, "/clock/constant"), flag(result, "/clock/nonstop")) {
        (Value::Bool(constant), Value::Bool(nonstop)) => Value::Bool(constant && nonstop),
        (Value::Bool(_), why) | (why, _) => why,
    }
}

/// Says a part in one line: what was taken, or what refused it.
fn part(result: &Json, pointer: &str) -> Value {
    let refused = result.pointer(pointer).and_then(instrument::refusal);
    refused.map_or_else(|| text(result, pointer), |why| Value::Text(format!("refused: {why}")))
}

fn priority(result: &Json) -> String {
    let Some(part) = result.pointer("/conditions/priority") else {
        return "not said".to_owned();
    };
    if let Some(why) = instrument::refusal(part) {
        return format!("refused: {why}");
    }
    let policy = part.get("policy").and_then(Json::as_str).unwrap_or("not said");
    let priority = part.get("priority").and_then(Json::as_i64);
    priority.map_or_else(|| policy.to_owned(), |priority| format!("{policy} {priority}"))
}

fn runtime(result: &Json) -> Value {
    let text = result.pointer("/conditions/knobs/sched-rt-runtime-us").and_then(Json::as_str);
    match text.map(str::parse) {
        Some(Ok(us)) => Value::Integer(us),
        Some(Err(_)) => Value::Unreadable("sched_rt_runtime_us is not a number".into()),
        None => Value::Absent("the kernel does not say how much real-time tasks may".into()),
    }
}

/// Returns the most of any cpu: firmware often takes all cpus at once.
fn smi(results: &[Json]) -> Value {
    let counts: Option<Vec<i64>> =
        results.iter().map(|one| one.pointer("/around/smi").and_then(Json::as_i64)).collect();
    if let Some(most) = counts.and_then(|counts| counts.into_iter().max()) {
        return Value::Integer(most);
    }
    let mut whys = results.iter().filter_map(|one| one.pointer("/around/smi/unreadable")?.as_str());
    let why = whys.next().unwrap_or("the instrument does not say /around/smi");
    Value::Unreadable(why.to_owned())
}

fn cpus(results: &[Json]) -> Value {
    let numbers: Option<Vec<String>> = results
        .iter()
        .map(|one| one.pointer("/cpu").and_then(Json::as_u64).map(|cpu| cpu.to_string()))
        .collect();
    let numbers = numbers.ok_or_else(|| "the instrument does not say /cpu".to_owned());
    let set = numbers.and_then(|numbers| CpuSet::parse(&numbers.join(",")));
    set.map_or_else(Value::Unreadable, Value::Cpus)
}

fn each(results: &[Json], read: impl Fn(&Json) -> Value) -> Value {
    let mut values = results.iter().map(read).collect::<Vec<_>>();
    match values.iter().position(|value| !matches!(value, Value::Text(_))) {
        Some(at) => values.swap_remove(at),
        None => Value::List(values),
    }
}

/// Names the class that took most, and its share of what was taken.
fn largest(result: &Json) -> Value {
    if let Some("interrupt-deltas") = result.pointer("/attribution/by").and_then(Json::as_str) {
        return Value::Absent("the kernel could not be traced".into());
    }
    let classes = result.pointer("/attribution/classes").and_then(Json::as_array);
    let shares = classes.into_iter().flatten().filter_map(|class| {
        let share = class.get("share-of-stolen")?.as_f64()?;
        Some((class.get("class")?.as_str()?, share))
    });
    match shares.max_by(|(_, one), (_, other)| one.total_cmp(other)) {
        Some((_, share)) if share <= 0.0 => Value::text("none"),
        Some((class, share)) => Value::Text(format!("{class} ({:.1} %)", share * 100.0)),
        None => Value::Unreadable("the instrument names no cause".into()),
    }
}

/// Names the classes of gaps that took something.
fn causes(results: &[Json]) -> Value {
    named(results, "classes", |one| {
        let share = one.get("share-of-stolen")?.as_f64()?;
        let class = one.get("class")?.as_str()?;
        Some((share > 0.0).then(|| format!("{class} ({:.1} %)", share * 100.0)))
    })
}

/// Names the tasks that ran in gaps.
fn tasks(results: &[Json]) -> Value {
    named(results, "tasks", |one| {
        let (name, gaps) = (one.get("task")?.as_str()?, one.get("gaps")?.as_u64()?);
        let ms = one.get("gap-us")?.as_f64()? / 1e3;
        let noun = if gaps == 1 { "gap" } else { "gaps" };
        Some(Some(format!("{name}, {gaps} {noun}, {ms:.1} ms")))
    })
}

/// Lists a part of what gaps are put down to, for each cpu; without a trace nobody knows it.
fn named(results: &[Json], key: &str, read: impl Fn(&Json) -> Option<Option<String>>) -> Value {
    let mut named = Vec::new();
    for result in results {
        if let Some("interrupt-deltas") = result.pointer("/attribution/by").and_then(Json::as_str) {
            return Value::Absent("the kernel could not be traced".into());
        }
        let list = result.pointer(&format!("/attribution/{key}")).and_then(Json::as_array);
        let cpu = result.pointer("/cpu").and_then(Json::as_u64);
        let (Some(list), Some(cpu)) = (list, cpu) else {
            return Value::Unreadable(format!("the instrument names no {key}"));
        };
        for one in list {
            match read(one) {
                Some(Some(text)) => named.push(Value::Text(format!("cpu {cpu}: {text}"))),
                Some(None) => {}
                None => return Value::Unreadable(format!("of {key}, one is told as {one}")),
            }
        }
    }
    Value::List(named)
}

fn metric(
    observation: Observation,
    results: &[Json],
    name: &str,
    pointer: &str,
    scale: f64,
) -> Observation {
    let samples: Vec<Option<&Json>> = results.iter().map(|one| one.pointer(pointer)).collect();
    if samples.iter().any(|sample| matches!(sample, Some(Json::Null))) {
        let why = format!("{name} is not known without a whole trace of the kernel");
        return observation.fact(name, Value::Absent(why));
    }
    let numbers: Option<Vec<f64>> =
        samples.into_iter().map(|sample| Some(sample?.as_f64()? * scale)).collect();
    let built = numbers.zip(declared(name)).and_then(|(numbers, (unit, direction))| {
        // A length or a share below zero is nothing that was measured.
        let sane = numbers.iter().all(|number| *number >= 0.0);
        Metric::new(unit, direction, numbers).ok().filter(|_| sane)
    });
    match built {
        Some(metric) => observation.metric(name, metric),
        None => observation
            .fact(name, Value::Unreadable(format!("the instrument gives no number at {pointer}"))),
    }
}

/// Returns unit and direction of a metric, as its field declares them.
fn declared(name: &str) -> Option<(Unit, Direction)> {
    let field = FIELDS.iter().find(|field| field.path == name)?;
    match (field.kind)() {
        FieldKind::Metric(symbol, direction) => Some((Unit::parse(symbol)?, direction)),
        _ => None,
    }
}
