//! Answers what the processor is, which logical cpus exist, and how they are set.
//!
//! `/proc/cpuinfo` lists online cpus only, so cpus are counted by sysfs. What an architecture does
//! not have (ARM: `model name`, TSC) is `Absent` with the reason. Frequencies of the moment are a
//! measurement and not asked here.

use std::collections::{BTreeMap, BTreeSet};

use verify_model::{
    ask::Ask,
    cpu_set::CpuSet,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Bool, Cpus, Integer, Quantity as Amount, Text},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::{Gathered, count},
    parse::{
        cpu_list,
        cpuinfo::{self, CpuInfo},
        isa,
    },
    probe::{Probe, ProbeSpec, With, failed, field, texts},
};

pub(super) struct Cpu;

const ONLINE: &str = "/sys/devices/system/cpu/online";
const POSSIBLE: &str = "/sys/devices/system/cpu/possible";
const PRESENT: &str = "/sys/devices/system/cpu/present";
const SMT: &str = "/sys/devices/system/cpu/smt/control";
const CLOCK: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
const SIBLINGS: &str = "/sys/devices/system/cpu/cpu*/topology/thread_siblings_list";
const PACKAGES: &str = "/sys/devices/system/cpu/cpu*/topology/physical_package_id";
const GOVERNORS: &str = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor";
const FREQUENCIES: &str = "/sys/devices/system/cpu/cpu*/cpufreq/cpuinfo_max_freq";
const VULNERABILITIES: &str = "/sys/devices/system/cpu/vulnerabilities/*";

/// How a line on a flaw begins. A line that begins otherwise is not read at all.
///
/// *Source*: `Documentation/admin-guide/hw-vuln`; `KVM:` and `Processor` are of `itlb_multihit`.
const KNOWN: [&str; 6] =
    ["Not affected", "Mitigation", "Vulnerable", "KVM:", "Processor vulnerable", "Unknown"];

static SPEC: ProbeSpec = ProbeSpec {
    name: "cpu",
    summary: "What the processor is, which logical cpus exist, and how they are set.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("model", || Text, cpuinfo::PATH, "Name of the model."),
        field("vendor", || Text, cpuinfo::PATH, "Name of the vendor, such as `AuthenticAMD`."),
        field("microcode", || Text, cpuinfo::PATH, "Revision of the microcode."),
        field("flags", texts, cpuinfo::PATH, "Flags (ARM: features) that every online cpu has."),
        field(
            "level",
            || Integer,
            cpuinfo::PATH,
            "Level of x86-64 that its flags reach: 2, 3 (AVX2) or 4 (AVX-512).",
        ),
        field("hypervisor", || Bool, cpuinfo::PATH, "Whether a hypervisor shows itself."),
        field(
            "tsc-invariant",
            || Bool,
            cpuinfo::PATH,
            "Whether the TSC runs at one rate in every state: `constant_tsc` and `nonstop_tsc`.",
        ),
        field("online", || Cpus, ONLINE, "Logical cpus that run."),
        field("possible", || Cpus, POSSIBLE, "Logical cpus that the kernel has room for."),
        field("present", || Cpus, PRESENT, "Logical cpus that are plugged in, offline ones too."),
        field("threads", || Integer, ONLINE, "Number of logical cpus that run."),
        field("cores", || Integer, SIBLINGS, "Number of cores with a cpu that runs."),
        field("sockets", || Integer, PACKAGES, "Number of packages with a cpu that runs."),
        field(
            "siblings",
            || FieldKind::List(Box::new(Cpus)),
            SIBLINGS,
            "For each core, the logical cpus that share it.",
        ),
        field("smt", || Text, SMT, "Simultaneous multithreading: `on`, `off`, `notsupported`."),
        field("governors", texts, GOVERNORS, "Frequency governor of each cpu that runs."),
        field("performance", || Cpus, GOVERNORS, "Cpus whose governor is `performance`."),
        field("max-frequency", || Amount("MHz"), FREQUENCIES, "Highest frequency of any cpu."),
        field("mitigations", texts, VULNERABILITIES, "State of each known flaw: `name: state`."),
        field(
            "vulnerable",
            texts,
            VULNERABILITIES,
            "Those flaws that are open, in part too, or of which the kernel cannot tell.",
        ),
        field("clocksource", || Text, CLOCK, "Source of the kernel's time, such as `tsc`."),
    ],
    example: r#"expect = { clocksource = "tsc", tsc-invariant = true, performance = "0-23" }"#,
};

impl Probe for Cpu {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let files = [ONLINE, POSSIBLE, PRESENT, SMT, CLOCK].map(Ask::file);
        let patterns =
            [SIBLINGS, PACKAGES, GOVERNORS, FREQUENCIES, VULNERABILITIES].map(Ask::files);
        Ok([cpuinfo::ask()].into_iter().chain(files).chain(patterns).collect())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let info = CpuInfo::parse(gathered.text(cpuinfo::PATH)?)
            .map_err(|message| failed(FindingCode::OutputUnreadable, message))?;
        let online = gathered.value(ONLINE, cpu_list::inhabited);
        let mut seen = Observation::default()
            .fact("possible", gathered.value(POSSIBLE, cpu_list::inhabited))
            .fact("present", gathered.value(PRESENT, cpu_list::inhabited))
            .fact("threads", map(&online, |cpus| count(cpus.len())))
            .fact("smt", gathered.value(SMT, word))
            .fact("clocksource", gathered.value(CLOCK, word));
        for (name, value) in described(&info)
            .into_iter()
            .chain(topology(gathered, &online))
            .chain(frequency(gathered, &online))
            .chain(flaws(gathered))
        {
            seen = seen.fact(name, value);
        }
        Ok(seen.fact("online", online))
    }
}

/// Reads what `/proc/cpuinfo` says.
fn described(info: &CpuInfo<'_>) -> [(&'static str, Value); 7] {
    let say = |key: &str| {
        info.say(key).map_or_else(
            || Value::Absent(format!("{} has no `{key}` on this architecture", cpuinfo::PATH)),
            Value::Text,
        )
    };
    let flags = info.flags();
    let has = |wanted: &[&str]| match &flags {
        Some(flags) if info.is_x86() => Value::Bool(wanted.iter().all(|flag| flags.contains(flag))),
        _ => Value::Absent(format!("{} has no `flags`: not an x86 cpu", cpuinfo::PATH)),
    };
    let shown = match &flags {
        Some(flags) => Value::List(flags.iter().copied().map(Value::text).collect()),
        None => Value::Absent(format!("{} has neither flags nor features", cpuinfo::PATH)),
    };
    let level = match &flags {
        Some(flags) if info.is_x86() => isa::reached(flags).map_or_else(
            || Value::Absent("its flags reach no level of x86-64".to_owned()),
            Value::Integer,
        ),
        _ => Value::Absent("levels are of x86-64".to_owned()),
    };
    [
        ("model", say("model name")),
        ("vendor", say("vendor_id")),
        ("microcode", say("microcode")),
        ("hypervisor", has(&["hypervisor"])),
        ("tsc-invariant", has(&["constant_tsc", "nonstop_tsc"])),
        ("flags", shown),
        ("level", level),
    ]
}

/// Counts cores and packages by what each online cpu says about itself.
fn topology(gathered: Gathered<'_>, online: &Value) -> [(&'static str, Value); 3] {
    let siblings = per_cpu(gathered, SIBLINGS, online, |text| match cpu_list::inhabited(text)? {
        Value::Cpus(cpus) => Ok(cpus),
        _ => Err(format!("expected a cpu list, found `{text}`")),
    });
    let cores: Result<Vec<CpuSet>, Value> = siblings.map(|all| {
        let by_first: BTreeMap<Option<u32>, CpuSet> =
            all.into_values().map(|cpus| (lowest(&cpus), cpus)).collect();
        by_first.into_values().collect()
    });
    let packages = per_cpu(gathered, PACKAGES, online, |text| {
        text.parse::<i64>().map_err(|_| format!("expected a package number, found `{text}`"))
    });
    let sockets = packages.map(|all| {
        let distinct: BTreeSet<i64> = all.into_values().collect();
        if distinct.iter().any(|package| *package < 0) {
            return Value::Absent("the firmware does not tell packages apart".to_owned());
        }
        count(distinct.len())
    });
    let shown = |cores: &Vec<CpuSet>| cores.iter().cloned().map(Value::Cpus).collect();
    [
        ("cores", cores.as_ref().map_or_else(Clone::clone, |cores| count(cores.len()))),
        ("siblings", cores.as_ref().map_or_else(Clone::clone, |cores| Value::List(shown(cores)))),
        ("sockets", sockets.unwrap_or_else(|why| why)),
    ]
}

fn frequency(gathered: Gathered<'_>, online: &Value) -> [(&'static str, Value); 3] {
    let governors = per_cpu(gathered, GOVERNORS, online, |text| {
        one_word(text)
            .map(str::to_owned)
            .ok_or_else(|| format!("expected a governor, found `{text}`"))
    });
    let performance = governors.as_ref().map_or_else(Clone::clone, |all| {
        let fast = all.iter().filter(|(_, governor)| *governor == "performance");
        Value::Cpus(fast.map(|(cpu, _)| *cpu).collect())
    });
    let highest = per_cpu(gathered, FREQUENCIES, online, |text| {
        text.parse::<u32>().map_err(|_| format!("expected a frequency in kHz, found `{text}`"))
    });
    let highest = highest.and_then(|all| {
        let khz = f64::from(all.into_values().max().unwrap_or_default());
        Quantity::of(khz / 1000.0, "MHz").map_err(|error| Value::Unreadable(error.to_string()))
    });
    let shown = |all: BTreeMap<u32, String>| all.into_values().map(Value::Text).collect();
    [
        ("performance", performance),
        ("governors", governors.map_or_else(|why| why, |all| Value::List(shown(all)))),
        ("max-frequency", highest.map_or_else(|why| why, Value::Quantity)),
    ]
}

fn flaws(gathered: Gathered<'_>) -> [(&'static str, Value); 2] {
    let files = match gathered.files(VULNERABILITIES) {
        Ok(files) => files,
        Err(why) => return [("mitigations", why.clone()), ("vulnerable", why)],
    };
    let states: Result<Vec<(bool, Value)>, String> =
        files.into_iter().map(|(path, text)| flaw(path, text?)).collect();
    match states {
        Ok(states) => {
            let open = states.iter().filter(|(open, _)| *open).map(|(_, line)| line.clone());
            let open = Value::List(open.collect());
            let all = states.into_iter().map(|(_, line)| line).collect();
            [("mitigations", Value::List(all)), ("vulnerable", open)]
        }
        Err(why) => [
            ("mitigations", Value::Unreadable(why.clone())),
            ("vulnerable", Value::Unreadable(why)),
        ],
    }
}

/// Tells whether a flaw is open or may be, and shows it in one line.
///
/// A mitigated flaw can be open in part: `Mitigation: Clear CPU buffers; SMT vulnerable`.
fn flaw(path: &str, text: &str) -> Result<(bool, Value), String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if !KNOWN.iter().any(|start| text.starts_with(start)) {
        return Err(format!("expected the state of {name}, found `{text}`"));
    }
    let lower = text.to_ascii_lowercase().replace("not vulnerable", "");
    let open = lower.contains("vulnerable") || lower.starts_with("unknown");
    Ok((open, Value::Text(format!("{name}: {text}"))))
}

/// Reads one value a cpu. Cpus that are known to be offline are left out: their files may stay
/// and answer `Device or resource busy`.
fn per_cpu<T>(
    gathered: Gathered<'_>,
    pattern: &str,
    online: &Value,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<BTreeMap<u32, T>, Value> {
    let runs = |cpu: u32| !matches!(online, Value::Cpus(cpus) if !cpus.contains(cpu));
    let mut found = BTreeMap::new();
    for (cpu, text) in gathered.numbered(pattern, "cpu")?.into_iter().filter(|(c, _)| runs(*c)) {
        found.insert(cpu, text.and_then(&parse).map_err(Value::Unreadable)?);
    }
    if found.is_empty() {
        return Err(Value::Absent(format!("read {pattern}: no cpu that runs has one")));
    }
    Ok(found)
}

/// Derives a value from a set of cpus; why there is no set is kept.
fn map(value: &Value, derive: impl FnOnce(&CpuSet) -> Value) -> Value {
    if let Value::Cpus(cpus) = value { derive(cpus) } else { value.clone() }
}

fn lowest(cpus: &CpuSet) -> Option<u32> {
    cpus.iter().next()
}

fn one_word(text: &str) -> Option<&str> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!text.is_empty() && text.chars().all(plain)).then_some(text)
}

fn word(text: &str) -> Result<Value, String> {
    one_word(text).map(Value::text).ok_or_else(|| format!("expected one word, found `{text}`"))
}
