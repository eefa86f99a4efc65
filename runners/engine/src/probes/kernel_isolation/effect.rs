//! Where the kernel does something else than its command line says, for each setting.
//!
//! Causes are named where the command line or the log shows them; else that the cause is not known.

use verify_model::{cpu_set::CpuSet, value::Value};

use crate::{
    boot::{Boot, Disagreements},
    gathered::reason,
    parse::{
        cmdline::Cmdline,
        isolation_list::{FLAGS, IsolationList, cpus},
        kernel_log::Line,
    },
};

/// Holds what all settings are compared with.
pub(super) struct Seen<'a> {
    pub(super) text: &'a str,
    pub(super) line: &'a Cmdline,
    pub(super) boot: &'a Boot,
    pub(super) log: &'a [Line],
    pub(super) possible: &'a Value,
    pub(super) online: &'a Value,
}

/// What the kernel writes about a bad list, whichever of both parameters has it.
const RANGE: &str = "Housekeeping: nohz_full= or isolcpus= incorrect CPU range";
const NONE_LEFT: &str = "Housekeeping: must include one present CPU";
const CORRECT: &str = "correct the list in the boot loader's configuration, update it and reboot";

impl Seen<'_> {
    pub(super) fn last(&self) -> Option<u32> {
        if let Value::Cpus(cpus) = self.possible { cpus.iter().last() } else { None }
    }

    /// Renders a list of cpus so that equal sets read the same.
    pub(super) fn shown(&self, name: &str, value: Option<&str>) -> String {
        let Some(text) = value else { return format!("no {name}") };
        match cpus(text, self.last()) {
            Ok(cpus) => format!("{name}={cpus}"),
            Err(_) => format!("{name}={text}"),
        }
    }

    /// Compares the cpus that were asked for with those in effect.
    pub(super) fn effect(
        &self,
        found: &mut Disagreements,
        asked: (&str, &CpuSet),
        effective: &CpuSet,
    ) {
        let (words, wanted) = asked;
        let minus = |a: &CpuSet, b: &CpuSet| -> CpuSet {
            a.iter().filter(|cpu| !b.contains(*cpu)).collect()
        };
        let (missing, extra) = (minus(wanted, effective), minus(effective, wanted));
        let why = self.cause(wanted);
        if !missing.is_empty() && wanted.intersection(effective).is_empty() {
            let what = format!("booted is {words}, the kernel took none of it{why}");
            found.add("void", &what, CORRECT);
        } else if !missing.is_empty() {
            let what = format!("booted is {words}, the kernel left out {missing}{why}");
            found.add("narrowed", &what, CORRECT);
        }
        if !extra.is_empty() {
            let what = format!("booted is {words}, in effect is {effective}{why}");
            found.add("widened", &what, CORRECT);
        }
    }

    /// Says which cpus of a list there are none of.
    fn cause(&self, wanted: &CpuSet) -> String {
        let Value::Cpus(possible) = self.possible else { return String::new() };
        let unknown: CpuSet = wanted.iter().filter(|cpu| !possible.contains(*cpu)).collect();
        if unknown.is_empty() {
            return String::new();
        }
        format!(": cpu {unknown} cannot be on this machine (possible: {possible})")
    }
}

/// Finds what disagrees about `isolcpus`; `effective` includes isolated partitions.
pub(super) fn isolcpus(seen: &Seen<'_>, effective: &Value, partition: &Value) -> Value {
    let mut found = Disagreements::default();
    let meaning = |line: &Cmdline| {
        let Some(text) = line.all("isolcpus").next() else { return "no isolcpus".to_owned() };
        let list = IsolationList::parse(text, seen.last());
        let flags: Vec<&str> = list.flags.iter().map(String::as_str).collect();
        let flags = if flags == ["domain"] { String::new() } else { flags.join(",") + "," };
        list.cpus.map_or_else(|_| format!("isolcpus={text}"), |c| format!("isolcpus={flags}{c}"))
    };
    found.stages(seen.boot, seen.line, &meaning);
    found.words(seen.text, &["isolcpus"], seen.log);
    repeated(&mut found, seen, "isolcpus", &meaning);
    let written = seen.line.all("isolcpus").next();
    let list = written.map(|text| IsolationList::parse(text, seen.last()));
    let words = meaning(seen.line);
    for flag in list.iter().flat_map(|list| &list.flags) {
        if !FLAGS.contains(&flag.as_str()) {
            let action = "use domain, managed_irq or nohz, and reboot";
            found.add(
                "unknown-flag",
                &format!("the kernel does not know the flag `{flag}`"),
                action,
            );
        }
    }
    // Other flags alone take no cpu from the scheduler.
    let wanted = match list.filter(|list| list.has("domain")).map(|list| list.cpus) {
        None => CpuSet::default(),
        Some(Ok(cpus)) => cpus,
        Some(Err(why)) => {
            found.add("void", &format!("booted is {words}: {why}"), CORRECT);
            CpuSet::default()
        }
    };
    match effective {
        Value::Cpus(isolated) => {
            let partitioned =
                |cpu: u32| matches!(partition, Value::Cpus(cpus) if cpus.contains(cpu));
            // What a partition isolates was not asked for at boot, and newer kernels show it here.
            let isolated: CpuSet =
                isolated.iter().filter(|cpu| wanted.contains(*cpu) || !partitioned(*cpu)).collect();
            let by_partition = wanted.iter().filter(|cpu| partitioned(*cpu));
            let effective = isolated.iter().chain(by_partition).collect();
            seen.effect(&mut found, (&words, &wanted), &effective);
            offline(&mut found, seen, &isolated);
        }
        Value::Absent(why) if !wanted.is_empty() => {
            found.add("void", &format!("booted is {words}; {why}"), "boot a kernel with SMP");
        }
        Value::Absent(_) => {}
        why => found.cannot_tell(&reason(why.clone())),
    }
    // Both parameters share these lines.
    let log = if written.is_some() { seen.log } else { &[] };
    found.said(log, &[RANGE, NONE_LEFT, "isolcpus: Skipped", "isolcpus: Invalid"], CORRECT);
    found.value()
}

fn offline(found: &mut Disagreements, seen: &Seen<'_>, isolated: &CpuSet) {
    let Value::Cpus(online) = seen.online else {
        return found.cannot_tell(&reason(seen.online.clone()));
    };
    let off: CpuSet = isolated.iter().filter(|cpu| !online.contains(*cpu)).collect();
    if !off.is_empty() {
        let action = "take maxcpus= and nr_cpus= off the kernel command line, or write 1 to \
                      /sys/devices/system/cpu/cpuN/online";
        found.add("offline", &format!("isolated cpus {off} do not run"), action);
    }
}

/// Finds a parameter that stands there again and says something else.
fn repeated(
    found: &mut Disagreements,
    seen: &Seen<'_>,
    name: &str,
    meaning: &dyn Fn(&Cmdline) -> String,
) {
    let alone = |value: &str| meaning(&Cmdline::parse(&format!("{name}={value}")));
    let mut values = seen.line.all(name);
    let Some(first) = values.next().map(alone) else { return };
    for other in values.map(alone).filter(|other| *other != first) {
        let what = format!("{first} stands before {other}, and the first counts");
        found.add("repeated", &what, "leave one of them and reboot");
    }
}

/// Finds what disagrees about `nohz_full`.
pub(super) fn nohz_full(seen: &Seen<'_>, effective: &Value, isolated: &Value) -> Value {
    let mut found = Disagreements::default();
    let meaning = |line: &Cmdline| seen.shown("nohz_full", line.all("nohz_full").next());
    found.stages(seen.boot, seen.line, &meaning);
    found.words(seen.text, &["nohz_full"], seen.log);
    repeated(&mut found, seen, "nohz_full", &meaning);
    let written = seen.line.all("nohz_full").next();
    let isolating = seen.line.all("isolcpus").next();
    let isolating = isolating.map(|text| IsolationList::parse(text, seen.last()));
    let isolating = isolating.filter(|list| list.has("nohz")).and_then(|list| list.cpus.ok());
    let words = match (&isolating, written) {
        (Some(cpus), None) => format!("isolcpus=nohz,{cpus}"),
        _ => meaning(seen.line),
    };
    let mut wanted = isolating.unwrap_or_default();
    match written.map(|text| cpus(text, seen.last())) {
        None => {}
        Some(Ok(cpus)) => wanted = wanted.iter().chain(cpus.iter()).collect(),
        Some(Err(why)) => found.add("void", &format!("booted is {words}: {why}"), CORRECT),
    }
    match effective {
        // Kernels differ in whether managed_irq shows here, and it asks for no tick to stop.
        Value::Cpus(nohz) if written.is_some() || !wanted.is_empty() => {
            seen.effect(&mut found, (&words, &wanted), nohz);
            differing(&mut found, nohz, isolated);
        }
        Value::Absent(why) if written.is_some() => {
            let what = format!("booted is {words}; {why}");
            found.add("void", &what, "boot a kernel with CONFIG_NO_HZ_FULL=y (lowlatency, rt)");
        }
        Value::Cpus(_) | Value::Absent(_) => {}
        why => found.cannot_tell(&reason(why.clone())),
    }
    if written.is_some() && seen.line.all("nohz").last() == Some("off") {
        let what = "`nohz=off` keeps the tick on every cpu, whatever sysfs says";
        found.add("switched-off", what, "take nohz=off off the kernel command line and reboot");
    }
    let log = if written.is_some() { seen.log } else { &[] };
    found.said(log, &[RANGE, NONE_LEFT, "Housekeeping: nohz_full= must match"], CORRECT);
    found.value()
}

fn differing(found: &mut Disagreements, nohz: &CpuSet, isolated: &Value) {
    let Value::Cpus(isolated) = isolated else { return };
    if !nohz.is_empty() && !isolated.is_empty() && nohz != isolated {
        let what = format!("nohz_full is {nohz}, isolated is {isolated}");
        found.add("sets-differ", &what, "name the same cpus in both and reboot");
    }
}

/// Finds what disagrees about `irqaffinity`.
pub(super) fn irqaffinity(seen: &Seen<'_>, effective: &Value, isolated: &Value) -> Value {
    let mut found = Disagreements::default();
    let meaning = |line: &Cmdline| seen.shown("irqaffinity", line.all("irqaffinity").last());
    found.stages(seen.boot, seen.line, &meaning);
    found.words(seen.text, &["irqaffinity"], seen.log);
    let Some(written) = seen.line.all("irqaffinity").last() else { return found.value() };
    let words = meaning(seen.line);
    match (cpus(written, seen.last()), effective) {
        (Ok(wanted), Value::Cpus(effective)) => {
            seen.effect(&mut found, (&words, &wanted), effective);
            if let Value::Cpus(isolated) = isolated {
                let both = effective.intersection(isolated);
                if !both.is_empty() {
                    let what = format!("interrupts may go to the isolated cpus {both}");
                    found.add(
                        "overlap",
                        &what,
                        "leave isolated cpus out of irqaffinity and reboot",
                    );
                }
            }
        }
        (Err(why), _) => found.add("void", &format!("booted is {words}: {why}"), CORRECT),
        (_, why) => found.cannot_tell(&reason(why.clone())),
    }
    found.value()
}
