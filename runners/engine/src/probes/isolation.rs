//! Answers whether cpus are left alone, by an instrument that keeps them busy and counts.
//!
//! The settings are answered by `kernel-isolation`; the tick may come all the same, as with
//! `nohz=off`, and so may interrupts and tasks. What was counted is told for each cpu by itself,
//! and a cpu that could not be measured is named with the reason.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    cpu_set::CpuSet,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Cpus, Integer, List, Quantity as Amount},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    unit::Unit,
    value::Value,
};

use crate::{
    parse::instrument,
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, texts},
};

pub(super) struct Isolation;

const NAME: &str = "isolation";
const BY: &str = "verify instrument isolation";
const INTERRUPTS: &str = "/proc/interrupts, before and after";
const TASKS: &str = "/proc/PID/task/TID/stat and status, before and after";
/// *Units*: ms. *Source*: at 250 Hz 750 ticks, so that one is told from many.
const WINDOW_MS: f64 = 3000.0;
/// What the instrument may take beyond its window. *Units*: ms.
const PATIENCE_MS: u64 = 30_000;

fn integers() -> FieldKind {
    List(Box::new(Integer))
}

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "What interrupts a busy program on cpus: ticks, interrupts, other tasks.",
    effect: Effect::Loads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "cpus",
            kind: ParamKind::Cpus,
            required: true,
            doc: "The cpus that are kept busy.",
        },
        ParamSpec {
            name: "window",
            kind: ParamKind::Quantity("s"),
            required: false,
            doc: "How long is counted, 100 ms to 60 s (3 s).",
        },
    ],
    fields: &[
        field("cpus", || Cpus, BY, "The cpus that were measured."),
        field("not-measured", texts, BY, "Cpus that were not measured, each with the reason."),
        field("window", || Amount("ms"), BY, "How long was counted."),
        field("ticks", integers, INTERRUPTS, "Timer ticks on each cpu, in the order of cpus."),
        field("device-interrupts", texts, INTERRUPTS, "Interrupts of devices, with their cpu."),
        field("other-interrupts", texts, INTERRUPTS, "Interrupts between cpus and of the machine."),
        field("softirqs", texts, "/proc/softirqs, before and after", "Deferred work on the cpus."),
        field(
            "switches",
            integers,
            "/proc/self/task/TID/status, before and after",
            "How often the busy program was taken off each cpu.",
        ),
        field("strays", texts, TASKS, "Programs that ran or waited on the cpus."),
        field("kernel-threads", texts, TASKS, "Threads of the kernel that ran or waited there."),
    ],
    example: r#"with = { cpus = "2,3" } expect = { strays = { count = 0 } }"#,
};

impl Probe for Isolation {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let cpus = with.cpus("cpus").filter(|cpus| !cpus.is_empty());
        let cpus = cpus.ok_or("`cpus` names no cpu")?.to_string();
        let window = with.quantity("window").map_or(Ok(WINDOW_MS), milliseconds)?;
        if !(100.0..=60_000.0).contains(&window) {
            return Err("`window` takes 100 ms to 60 s".to_owned());
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range has been checked"
        )]
        let window_ms = window.round() as u64;
        let argv = [NAME, "--cpus", &cpus, "--window-ms", &window_ms.to_string()];
        let argv = argv.map(str::to_owned).to_vec();
        Ok(vec![Ask::Instrument { argv, limit_ms: window_ms + PATIENCE_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let result = instrument::gathered(evidence, NAME)?;
        if let Some(how) = result.get("broken").and_then(Json::as_str) {
            return Err(failed(FindingCode::GatherFailed, format!("{BY}: {how}")));
        }
        let unreadable =
            |what: &str| failed(FindingCode::OutputUnreadable, format!("{BY}: {what}"));
        let list = |key: &str| result.get(key).and_then(Json::as_array);
        let cpus = list("cpus").ok_or_else(|| unreadable("it names no cpus"))?;
        let refused =
            list("not-measured").ok_or_else(|| unreadable("nothing is said of the rest"))?;
        let measured = measured(cpus).ok_or_else(|| unreadable("a cpu without its number"))?;
        let refused: Vec<String> = refused.iter().map(not_measured).collect();
        let counted = Counted { cpus, refused: &refused };
        let window = counted.or_none(|| {
            let ms = result.get("window-ms").and_then(Json::as_f64);
            let window = ms.and_then(|ms| Quantity::of(ms, "ms").ok());
            window.map_or_else(|| silent("window-ms"), Value::Quantity)
        });
        Ok(Observation::default()
            .fact("cpus", Value::Cpus(measured))
            .fact("window", window)
            .fact("ticks", counted.integers("ticks", "the kernel counts no ticks here"))
            .fact("device-interrupts", counted.texts("devices", line, |_| true))
            .fact("other-interrupts", counted.texts("other-interrupts", line, |_| true))
            .fact("softirqs", counted.texts("softirqs", line, |_| true))
            .fact("switches", counted.integers("switches", "its switches could not be read"))
            .fact("strays", counted.texts("tasks", task, |one| of_kernel(one) != Some(true)))
            .fact(
                "kernel-threads",
                counted.texts("tasks", task, |one| of_kernel(one) == Some(true)),
            )
            .fact("not-measured", Value::List(refused.into_iter().map(Value::Text).collect())))
    }
}

fn milliseconds(window: Quantity) -> Result<f64, String> {
    let ms = Unit::parse("ms").and_then(|ms| window.to(ms));
    ms.map(Quantity::value).ok_or_else(|| format!("`window` is no time: {window}"))
}

fn silent(key: &str) -> Value {
    Value::Unreadable(format!("the instrument says nothing of {key}"))
}

fn measured(cpus: &[Json]) -> Option<CpuSet> {
    let numbers = cpus.iter().map(|one| one.get("cpu")?.as_u64().map(|cpu| cpu.to_string()));
    let numbers: Option<Vec<String>> = numbers.collect();
    CpuSet::parse(&numbers?.join(",")).ok()
}

fn not_measured(one: &Json) -> String {
    let cpu = one.get("cpu").and_then(Json::as_u64);
    let why = one.get("refused").and_then(|refused| refused.get("why")).and_then(Json::as_str);
    match (cpu, why, instrument::refusal(one)) {
        (_, Some(why), _) if why.starts_with("cpu ") => why.to_owned(),
        (Some(cpu), _, Some(refusal)) => format!("cpu {cpu}: {refusal}"),
        _ => format!("{one}"),
    }
}

/// What was counted on each cpu that was measured.
struct Counted<'a> {
    cpus: &'a [Json],
    refused: &'a [String],
}

impl Counted<'_> {
    /// Reads a value; nothing is there where no cpu was measured.
    fn or_none(&self, read: impl FnOnce() -> Value) -> Value {
        if self.cpus.is_empty() {
            return Value::Absent(format!("no cpu was measured: {}", self.refused.join("; ")));
        }
        read()
    }

    fn integers(&self, key: &str, without: &str) -> Value {
        self.or_none(|| {
            let mut found = Vec::new();
            for one in self.cpus {
                match one.get(key) {
                    Some(Json::Null) => return Value::Unreadable(without.to_owned()),
                    Some(number) if number.is_i64() || number.is_u64() => match number.as_i64() {
                        Some(number) => found.push(Value::Integer(number)),
                        None => return silent(key),
                    },
                    _ => return silent(key),
                }
            }
            Value::List(found)
        })
    }

    /// Lists things with their cpu; one that cannot be read makes the list unreadable.
    fn texts(
        &self,
        key: &str,
        read: impl Fn(&Json) -> Option<String>,
        keep: impl Fn(&Json) -> bool,
    ) -> Value {
        self.or_none(|| {
            let mut found = Vec::new();
            for one in self.cpus {
                let (Some(cpu), Some(part)) = (one.get("cpu").and_then(Json::as_u64), one.get(key))
                else {
                    return silent(key);
                };
                if let Some(why) = part.get("hidden").and_then(Json::as_str) {
                    return Value::Unreadable(why.to_owned());
                }
                let Some(list) = part.as_array() else { return silent(key) };
                for thing in list {
                    let Some(text) = read(thing) else {
                        return Value::Unreadable(format!("{key} of cpu {cpu}: {thing}"));
                    };
                    if keep(thing) {
                        found.push(Value::Text(format!("cpu {cpu}: {text}")));
                    }
                }
            }
            Value::List(found)
        })
    }
}

fn line(change: &Json) -> Option<String> {
    let text = |key: &str| change.get(key)?.as_str();
    let count = change.get("count")?.as_u64()?;
    let what = text("what").filter(|what| !what.is_empty());
    let what = what.map_or_else(String::new, |what| format!(" ({what})"));
    Some(format!("{count} x {}{what}", text("name")?))
}

fn of_kernel(task: &Json) -> Option<bool> {
    task.get("kernel")?.as_bool()
}

fn task(task: &Json) -> Option<String> {
    of_kernel(task)?;
    let number = |key: &str| task.get(key)?.as_u64();
    let (name, tid) = (task.get("name")?.as_str()?, number("tid")?);
    let waits = if task.get("runnable")?.as_bool()? { ", wants to run" } else { "" };
    Some(format!("{name} ({tid}), switched {} times{waits}", number("switches")?))
}
