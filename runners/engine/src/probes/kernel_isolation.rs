//! Answers which cpus the kernel was meant to keep free, was told to, and does keep free.
//!
//! `intended` is what the boot loader's configuration says, `generated` what it reads, `booted`
//! what the command line says, `effective` what sysfs says. `disagreements` compares them, for the
//! kernel drops a setting that it does not like with nothing but a log line. Whether the cpus are
//! quiet is a measurement. RCU callbacks, which no file tells of, are the probe `rcu-nocbs`'.
//!
//! *Source*: `kernel/sched/isolation.c`, `kernel/rcu/tree_nocb.h` and `kernel/irq/irqdesc.c` of the
//! kernel: the first `isolcpus` and `nohz_full` count, the last `rcu_nocbs` and `irqaffinity`; a
//! number beyond the possible cpus voids a list, and of `rcu_nocbs` it makes all cpus.

use verify_model::{
    ask::Ask,
    cpu_set::CpuSet,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{Cpus, Text},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use super::journal;
use crate::{
    boot::{self, Boot, Stage},
    gathered::Gathered,
    parse::{
        cmdline::{self, Cmdline},
        cpu_list,
        isolation_list::{self, IsolationList},
    },
    probe::{Probe, ProbeSpec, With, field, texts},
};

mod effect;

use effect::Seen;

pub(super) struct KernelIsolation;

const ISOLATED: &str = "/sys/devices/system/cpu/isolated";
pub(super) const NOHZ: &str = "/sys/devices/system/cpu/nohz_full";
const ONLINE: &str = "/sys/devices/system/cpu/online";
pub(super) const POSSIBLE: &str = "/sys/devices/system/cpu/possible";
const AFFINITY: &str = "/proc/irq/default_smp_affinity";
const PARTITIONS: &str = "/sys/fs/cgroup/cpuset.cpus.isolated";
const SIBLINGS: &str = "/sys/devices/system/cpu/cpu*/topology/thread_siblings_list";
const WRITTEN: &str = "/etc/default/grub with grub.d, or /etc/kernel/cmdline";
const ENTRY: &str = "the default entry in grub.cfg, or loader/entries";
const ALL: &str = "boot loader, /proc/cmdline, sysfs and kernel log";

static SPEC: ProbeSpec = ProbeSpec {
    name: "kernel-isolation",
    summary: "Which cpus the kernel was told to keep free, and which it does keep free.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("boot-loader", || Text, "its files", "`grub`, `systemd-boot` or `kernel-install`."),
        field("isolcpus.intended", || Cpus, WRITTEN, "Cpus that the next configuration isolates."),
        field("isolcpus.generated", || Cpus, ENTRY, "Cpus that the next boot isolates."),
        field(
            "isolcpus.disagreements",
            texts,
            ALL,
            "`kind: what; do: action` of each difference; empty if all was compared and agrees.",
        ),
        field("nohz-full.intended", || Cpus, WRITTEN, "Cpus in `nohz_full` as configured."),
        field("nohz-full.generated", || Cpus, ENTRY, "Cpus in `nohz_full` of the next boot."),
        field("nohz-full.disagreements", texts, ALL, "As of `isolcpus`."),
        field("irqaffinity.disagreements", texts, ALL, "As of `isolcpus`."),
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
        field(
            "unisolated-siblings",
            || Cpus,
            SIBLINGS,
            "Cpus that share a core with an isolated one and are not isolated themselves.",
        ),
        field("repeated", texts, cmdline::PATH, "Which of these parameters stand more than once."),
    ],
    example: r#"expect = { "isolcpus.disagreements" = { count = 0 } }"#,
};

impl Probe for KernelIsolation {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let files = [cmdline::PATH, ISOLATED, NOHZ, ONLINE, POSSIBLE, AFFINITY, PARTITIONS];
        let files = files.map(Ask::file).into_iter().chain([Ask::files(SIBLINGS)]);
        Ok(files.chain(boot::asks()).chain(journal::readers()).collect())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let text = gathered.text(cmdline::PATH)?;
        let line = Cmdline::parse(text);
        let boot = boot::read(gathered, &line);
        let possible = gathered.value(POSSIBLE, cpu_list::inhabited);
        let online = gathered.value(ONLINE, cpu_list::inhabited);
        // sysfs tells what is in effect; the log adds why.
        let log = journal::gathered_log(evidence).map(|(lines, _)| lines).unwrap_or_default();
        let (line, possible, online) = (&line, &possible, &online);
        let seen = Seen { text, line, boot: &boot, log: &log, possible, online };
        let isolated = gathered.value(ISOLATED, cpu_list::list);
        let partition = gathered.value(PARTITIONS, cpu_list::list);
        let nohz = nohz_full(gathered);
        let affinity = gathered.value(AFFINITY, cpu_list::mask);
        let irq = Value::record([
            ("booted", irqaffinity(line, possible)),
            ("disagreements", effect::irqaffinity(&seen, &affinity, &isolated)),
        ]);
        let part = |keep: bool| {
            both(&isolated, online, |isolated, online| {
                isolated.iter().filter(|cpu| online.contains(*cpu) == keep).collect()
            })
        };
        Ok(Observation::default()
            .fact("boot-loader", boot.loader.clone())
            .fact("isolcpus", isolcpus(&seen, &isolated, &partition))
            .fact("nohz-full", tickless(&seen, &nohz, &isolated))
            .fact("rcu-nocbs", callbacks(line, possible, &nohz))
            .fact("irqaffinity", irq)
            .fact("default-irq-affinity", affinity)
            .fact("partition-isolated", partition)
            .fact("isolated-online", part(true))
            .fact("offline-isolated", part(false))
            .fact("unisolated-siblings", siblings(gathered, &isolated))
            .fact("online", online.clone())
            .fact("repeated", repeated(line)))
    }
}

fn none() -> Value {
    Value::Cpus(CpuSet::default())
}

pub(super) fn nohz_full(gathered: Gathered<'_>) -> Value {
    match gathered.value(NOHZ, cpu_list::list) {
        Value::Absent(how) => Value::Absent(format!("the kernel is built without it: {how}")),
        value => value,
    }
}

/// Reads a list as it is written; `N` and `all` need the possible cpus.
fn cpus(text: &str, possible: &Value) -> Value {
    let last = if let Value::Cpus(cpus) = possible { cpus.iter().last() } else { None };
    isolation_list::cpus(text, last).map_or_else(Value::Unreadable, Value::Cpus)
}

/// Reads the list of a parameter; one that is not given names no cpu.
fn written(value: Option<&str>, possible: &Value) -> Value {
    value.map_or_else(none, |text| cpus(text, possible))
}

fn irqaffinity(line: &Cmdline, possible: &Value) -> Value {
    line.all("irqaffinity").last().map_or_else(
        || Value::Absent("no `irqaffinity` on the kernel command line".to_owned()),
        |text| cpus(text, possible),
    )
}

/// Returns the cpus in `isolcpus` of a stage before the boot.
fn staged_isolcpus(stage: &Stage, last: Option<u32>) -> Value {
    stage.value(|line| match line.all("isolcpus").next() {
        None => none(),
        Some(text) => {
            IsolationList::parse(text, last).cpus.map_or_else(Value::Unreadable, Value::Cpus)
        }
    })
}

fn isolcpus(seen: &Seen<'_>, isolated: &Value, partition: &Value) -> Value {
    let highest = seen.last();
    let given = seen.line.all("isolcpus").next();
    let list = given.map(|text| IsolationList::parse(text, highest));
    let (booted, flags, domain) = match (given, list) {
        (Some(text), Some(list)) => {
            let has_domain = list.has("domain");
            let flags = list.flags.into_iter().map(Value::Text).collect();
            let unreadable = |why| Value::Unreadable(format!("isolcpus={text}: {why}"));
            let booted = list.cpus.map_or_else(unreadable, Value::Cpus);
            // Only the flag `domain` takes cpus from the scheduler; others alone isolate nothing.
            let domain = if has_domain { booted.clone() } else { none() };
            (booted, flags, domain)
        }
        _ => (none(), Vec::new(), none()),
    };
    let absent = || Value::Absent("no `isolcpus` on the kernel command line".to_owned());
    Value::record([
        ("intended", staged_isolcpus(&seen.boot.written, highest)),
        ("generated", staged_isolcpus(&seen.boot.generated, highest)),
        ("written", given.map_or_else(absent, Value::text)),
        ("domain", domain),
        ("booted", booted),
        ("flags", Value::List(flags)),
        ("effective", isolated.clone()),
        ("disagreements", effect::isolcpus(seen, isolated, partition)),
    ])
}

fn tickless(seen: &Seen<'_>, nohz: &Value, isolated: &Value) -> Value {
    let first = |line: &Cmdline| written(line.all("nohz_full").next(), seen.possible);
    let Boot { written, generated, .. } = seen.boot;
    Value::record([
        ("intended", written.value(first)),
        ("generated", generated.value(first)),
        ("booted", first(seen.line)),
        ("effective", nohz.clone()),
        ("disagreements", effect::nohz_full(seen, nohz, isolated)),
    ])
}

fn callbacks(line: &Cmdline, possible: &Value, nohz: &Value) -> Value {
    // The bare word makes offloading possible and offloads nothing.
    let rcu = line.all("rcu_nocbs").last().filter(|text| !text.is_empty());
    let booted = written(rcu, possible);
    Value::record([("booted", booted), ("implied", offloaded(rcu, possible, nohz))])
}

/// Finds the cpus that share a core with an isolated one and take its time.
fn siblings(gathered: Gathered<'_>, isolated: &Value) -> Value {
    let Value::Cpus(isolated) = isolated else { return isolated.clone() };
    let cores = match gathered.files(SIBLINGS) {
        Ok(cores) => cores,
        Err(why) => return why,
    };
    let mut outside: Vec<u32> = Vec::new();
    for (_, text) in cores {
        match text.and_then(cpu_list::inhabited) {
            Ok(Value::Cpus(core)) if !core.intersection(isolated).is_empty() => {
                outside.extend(core.iter().filter(|cpu| !isolated.contains(*cpu)));
            }
            Ok(_) => {}
            Err(why) => return Value::Unreadable(why),
        }
    }
    Value::Cpus(outside.into_iter().collect())
}

/// Joins `rcu_nocbs`, as the kernel takes it, with `nohz_full`, as it is in effect.
pub(super) fn offloaded(written: Option<&str>, possible: &Value, nohz: &Value) -> Value {
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
