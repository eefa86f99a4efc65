//! Answers which cpus the kernel was told to keep free, and which it does keep free.
//!
//! `booted` is what the command line says, `effective` what sysfs says; a suite compares the two,
//! for the kernel drops a setting that it does not like with nothing but a log line. Whether the
//! cpus are quiet is a measurement: `nohz=off` leaves every knob here as it was.
//!
//! *Source*: `kernel/sched/isolation.c`, `kernel/rcu/tree_nocb.h` and `kernel/irq/irqdesc.c` of the
//! kernel: the first `isolcpus` and `nohz_full` count, the last `rcu_nocbs` and `irqaffinity`; a
//! number beyond the possible cpus voids a list, and of `rcu_nocbs` it makes all cpus.

use verify_model::{
    ask::Ask,
    cpu_set::CpuSet,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Cpus, Text},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    gathered::Gathered,
    parse::{
        cmdline::{self, Cmdline},
        cpu_list,
    },
    probe::{Probe, ProbeSpec, With, field},
};

pub(super) struct KernelIsolation;

const ISOLATED: &str = "/sys/devices/system/cpu/isolated";
const NOHZ: &str = "/sys/devices/system/cpu/nohz_full";
const ONLINE: &str = "/sys/devices/system/cpu/online";
const POSSIBLE: &str = "/sys/devices/system/cpu/possible";
const AFFINITY: &str = "/proc/irq/default_smp_affinity";
const PARTITIONS: &str = "/sys/fs/cgroup/cpuset.cpus.isolated";

fn texts() -> FieldKind {
    FieldKind::List(Box::new(Text))
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "kernel-isolation",
    summary: "Which cpus the kernel was told to keep free, and which it does keep free.",
    effect: Effect::Reads,
    params: &[],
    fields: &[
        field("isolcpus.written", || Text, cmdline::PATH, "Value of the first `isolcpus`."),
        field("isolcpus.booted", || Cpus, cmdline::PATH, "Cpus in it; none where it is not given."),
        field(
            "isolcpus.domain",
            || Cpus,
            cmdline::PATH,
            "Cpus in the first `isolcpus` if its flags say `domain`, as no flag does; else none.",
        ),
        field("isolcpus.flags", texts, cmdline::PATH, "Its flags; `domain` where it has none."),
        field("isolcpus.effective", || Cpus, ISOLATED, "Cpus that the scheduler leaves alone."),
        field("nohz-full.booted", || Cpus, cmdline::PATH, "Cpus in the first `nohz_full`."),
        field("nohz-full.effective", || Cpus, NOHZ, "Cpus without a tick while one task runs."),
        field("rcu-nocbs.booted", || Cpus, cmdline::PATH, "Cpus in the last `rcu_nocbs`."),
        field(
            "rcu-nocbs.implied",
            || Cpus,
            "/proc/cmdline and /sys/devices/system/cpu/nohz_full; no file tells",
            "Cpus whose RCU callbacks must run elsewhere by `rcu_nocbs` and effective `nohz_full`.",
        ),
        field("irqaffinity.booted", || Cpus, cmdline::PATH, "Cpus in the last `irqaffinity`."),
        field("default-irq-affinity", || Cpus, AFFINITY, "Cpus that a new interrupt may go to."),
        field("partition-isolated", || Cpus, PARTITIONS, "Cpus in isolated cpuset partitions."),
        field("online", || Cpus, ONLINE, "Cpus that run."),
        field(
            "isolated-online",
            || Cpus,
            "/sys/devices/system/cpu/isolated and online",
            "Cpus that are isolated and run.",
        ),
        field(
            "offline-isolated",
            || Cpus,
            "/sys/devices/system/cpu/isolated and online",
            "Cpus that are isolated and do not run.",
        ),
        field("repeated", texts, cmdline::PATH, "Which of these parameters stand more than once."),
    ],
    example: r#"expect = { "isolcpus.effective" = { agrees-with = "isolcpus.domain" } }"#,
};

impl Probe for KernelIsolation {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let files = [cmdline::PATH, ISOLATED, NOHZ, ONLINE, POSSIBLE, AFFINITY, PARTITIONS];
        Ok(files.map(Ask::file).to_vec())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let line = Cmdline::parse(gathered.text(cmdline::PATH)?);
        let possible = gathered.value(POSSIBLE, cpu_list::inhabited);
        let online = gathered.value(ONLINE, cpu_list::inhabited);
        let isolated = gathered.value(ISOLATED, cpu_list::list);
        let nohz = nohz_full(gathered);
        let written = |value: Option<&str>| value.map_or_else(none, |text| cpus(text, &possible));
        // The bare word makes offloading possible and offloads nothing.
        let rcu = line.all("rcu_nocbs").last().filter(|text| !text.is_empty());
        let affinity = line.all("irqaffinity").last().map_or_else(
            || Value::Absent("no `irqaffinity` on the kernel command line".to_owned()),
            |text| cpus(text, &possible),
        );
        let runs = |cpu: u32, online: &CpuSet| online.contains(cpu);
        let part = |keep: bool| {
            both(&isolated, &online, |isolated, online| {
                isolated.iter().filter(|cpu| runs(*cpu, online) == keep).collect()
            })
        };
        Ok(Observation::default()
            .fact("isolcpus", isolcpus(line.all("isolcpus").next(), &possible, isolated.clone()))
            .fact(
                "rcu-nocbs",
                Value::record([
                    ("booted", written(rcu)),
                    ("implied", offloaded(rcu, &possible, &nohz)),
                ]),
            )
            .fact(
                "nohz-full",
                Value::record([
                    ("booted", written(line.all("nohz_full").next())),
                    ("effective", nohz),
                ]),
            )
            .fact("irqaffinity", Value::record([("booted", affinity)]))
            .fact("default-irq-affinity", gathered.value(AFFINITY, cpu_list::mask))
            .fact("partition-isolated", gathered.value(PARTITIONS, cpu_list::list))
            .fact("isolated-online", part(true))
            .fact("offline-isolated", part(false))
            .fact("online", online)
            .fact("repeated", repeated(&line)))
    }
}

fn none() -> Value {
    Value::Cpus(CpuSet::default())
}

fn nohz_full(gathered: Gathered<'_>) -> Value {
    match gathered.value(NOHZ, cpu_list::list) {
        Value::Absent(how) => Value::Absent(format!("the kernel is built without it: {how}")),
        value => value,
    }
}

/// Reads a list as it is written; `N` and `all` need the possible cpus.
fn cpus(text: &str, possible: &Value) -> Value {
    let last = if let Value::Cpus(cpus) = possible { cpus.iter().last() } else { None };
    if text.trim().is_empty() {
        return Value::Unreadable("a parameter without a cpu list".to_owned());
    }
    CpuSet::parse_with_last(text, last).map_or_else(Value::Unreadable, Value::Cpus)
}

/// Parts the flags from the list as the kernel does: whatever begins with a letter is a flag.
fn isolcpus(written: Option<&str>, possible: &Value, effective: Value) -> Value {
    let Some(text) = written else {
        let absent = || Value::Absent("no `isolcpus` on the kernel command line".to_owned());
        return Value::record([
            ("written", absent()),
            ("booted", none()),
            ("domain", none()),
            ("flags", Value::List(Vec::new())),
            ("effective", effective),
        ]);
    };
    let mut flags = Vec::new();
    let mut rest = text;
    while rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let (flag, tail) = rest.split_once(',').unwrap_or((rest, ""));
        flags.push(Value::text(flag));
        rest = tail;
    }
    if flags.is_empty() {
        flags.push(Value::text("domain"));
    }
    let booted = match cpus(rest, possible) {
        Value::Unreadable(why) => Value::Unreadable(format!("isolcpus={text}: {why}")),
        value => value,
    };
    Value::record([
        ("written", Value::text(text)),
        // Only the flag `domain` takes cpus from the scheduler; others alone isolate nothing.
        ("domain", if flags.contains(&Value::text("domain")) { booted.clone() } else { none() }),
        ("booted", booted),
        ("flags", Value::List(flags)),
        ("effective", effective),
    ])
}

/// Joins `rcu_nocbs`, as the kernel takes it, with `nohz_full`, as it is in effect.
fn offloaded(written: Option<&str>, possible: &Value, nohz: &Value) -> Value {
    let listed = match written {
        None => none(),
        Some(text) => both(&cpus(text, possible), possible, |cpus, possible| {
            if possible.is_superset(cpus) { cpus.clone() } else { possible.clone() }
        }),
    };
    let listed = match (listed, possible) {
        (Value::Unreadable(_), Value::Cpus(all)) => Value::Cpus(all.clone()),
        (listed, _) => listed,
    };
    match nohz {
        Value::Absent(_) => listed,
        nohz => both(&listed, nohz, |a, b| a.iter().chain(b.iter()).collect()),
    }
}

/// Derives a set from two; why one of them is not there is kept.
fn both(a: &Value, b: &Value, derive: impl FnOnce(&CpuSet, &CpuSet) -> CpuSet) -> Value {
    match (a, b) {
        (Value::Cpus(a), Value::Cpus(b)) => Value::Cpus(derive(a, b)),
        (Value::Cpus(_), why) | (why, _) => why.clone(),
    }
}

fn repeated(line: &Cmdline) -> Value {
    let names = ["isolcpus", "nohz_full", "rcu_nocbs", "irqaffinity"];
    let twice = names.into_iter().filter(|name| line.all(name).nth(1).is_some());
    Value::List(twice.map(Value::text).collect())
}
