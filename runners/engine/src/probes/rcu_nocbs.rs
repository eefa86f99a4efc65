//! Answers from which cpus RCU callbacks were meant to be taken, and from which they are.
//!
//! No file tells: the kernel writes one line at boot, which an unprivileged reader may not see and
//! which the ring may have lost. Threads `rcuo*` exist for every cpu once one is offloaded, so they
//! tell only that some are; that there are none tells that none is.
//!
//! *Source*: `rcu_init_nohz` and `rcu_spawn_cpu_nocb_kthread` in the kernel's `kernel/rcu/`:
//! effective `nohz_full` implies offloading, and a bad list of `rcu_nocbs` makes all cpus.

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

use super::{
    journal,
    kernel_isolation::{NOHZ, POSSIBLE, nohz_full, offloaded},
};
use crate::{
    boot::{self, Disagreements},
    gathered::{Gathered, reason},
    parse::{
        cmdline::{self, Cmdline},
        cpu_list, isolation_list,
        kernel_log::Line,
    },
    probe::{Probe, ProbeSpec, With, field, texts},
};

pub(super) struct RcuNocbs;

const THREADS: &str = "/proc/*/comm";
const LOG: &str = "line `rcu: Offload RCU callbacks from CPUs:` of the kernel log";
const OFFLOAD: &str = "Offload RCU callbacks from CPUs: ";
const CORRECT: &str = "correct rcu_nocbs= in the boot loader's configuration, update it and reboot";

static SPEC: ProbeSpec = ProbeSpec {
    name: "rcu-nocbs",
    summary: "From which cpus RCU callbacks were meant to be taken, and from which they are.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field("boot-loader", || Text, "its files", "`grub`, `systemd-boot` or `kernel-install`."),
        field(
            "intended",
            || Cpus,
            "/etc/default/grub with grub.d, or /etc/kernel/cmdline",
            "Cpus in `rcu_nocbs` as configured; none does not rule out `nohz_full`.",
        ),
        field(
            "generated",
            || Cpus,
            "the default entry in grub.cfg, or loader/entries",
            "Cpus in `rcu_nocbs` of the next boot.",
        ),
        field("booted", || Cpus, cmdline::PATH, "Cpus in the last `rcu_nocbs`."),
        field(
            "implied",
            || Cpus,
            "/proc/cmdline and /sys/devices/system/cpu/nohz_full",
            "Cpus that `rcu_nocbs`, as the kernel takes it, and effective `nohz_full` name.",
        ),
        field("effective", || Cpus, LOG, "Cpus whose callbacks run elsewhere."),
        field("threads", || Cpus, THREADS, "Cpus with a thread for callbacks, `rcuop` or `rcuos`."),
        field(
            "disagreements",
            texts,
            "boot loader, /proc/cmdline, threads and kernel log",
            "`kind: what; do: action` of each difference; empty if all was compared and agrees.",
        ),
    ],
    example: "expect = { disagreements = { count = 0 } }",
};

impl Probe for RcuNocbs {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let files = [cmdline::PATH, NOHZ, POSSIBLE].map(Ask::file).into_iter();
        let files = files.chain([Ask::files(THREADS)]);
        Ok(files.chain(boot::asks()).chain(journal::readers()).collect())
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let text = gathered.text(cmdline::PATH)?;
        let line = Cmdline::parse(text);
        let boot = boot::read(gathered, &line);
        let possible = gathered.value(POSSIBLE, cpu_list::inhabited);
        let last = if let Value::Cpus(cpus) = &possible { cpus.iter().last() } else { None };
        let named = |line: &Cmdline| match given(line) {
            None => Value::Cpus(CpuSet::default()),
            Some(text) => {
                isolation_list::cpus(text, last).map_or_else(Value::Unreadable, Value::Cpus)
            }
        };
        let implied = offloaded(given(&line), &possible, &nohz_full(gathered));
        let threads = threads(gathered);
        let log = journal::gathered_log(evidence);
        let lines: &[Line] = log.as_ref().map_or(&[], |(lines, _)| lines);
        let effective = match (&log, &threads) {
            (Ok((lines, complete)), _) => logged(lines, *complete, &threads),
            // Without a thread there is nobody to run them elsewhere.
            (Err(_), Value::Cpus(cpus)) if cpus.is_empty() => threads.clone(),
            (Err(error), _) => Value::Unreadable(error.message.clone()),
        };
        let meaning = |line: &Cmdline| match given(line) {
            None => "no rcu_nocbs".to_owned(),
            Some(text) => isolation_list::cpus(text, last)
                .map_or_else(|_| format!("rcu_nocbs={text}"), |cpus| format!("rcu_nocbs={cpus}")),
        };
        let mut found = Disagreements::default();
        found.stages(&boot, &line, &meaning);
        found.words(text, &["rcu_nocbs"], lines);
        found.said(lines, &["rcu_nocbs= bad CPU range", "nonexistent CPUs"], CORRECT);
        compare(&mut found, &meaning(&line), (&named(&line), &implied), (&effective, &threads));
        Ok(Observation::default()
            .fact("boot-loader", boot.loader.clone())
            .fact("intended", boot.written.value(named))
            .fact("generated", boot.generated.value(named))
            .fact("booted", named(&line))
            .fact("implied", implied)
            .fact("effective", effective)
            .fact("threads", threads)
            .fact("disagreements", found.value()))
    }
}

/// Returns the last `rcu_nocbs`; the bare word makes offloading possible and offloads nothing.
fn given(line: &Cmdline) -> Option<&str> {
    line.all("rcu_nocbs").last().filter(|text| !text.is_empty())
}

/// Finds the threads that run callbacks of other cpus.
fn threads(gathered: Gathered<'_>) -> Value {
    let names = match gathered.files(THREADS) {
        Ok(names) => names,
        Err(why) => return Value::Unreadable(reason(why)),
    };
    let names: Vec<&str> = names.into_iter().filter_map(|(_, name)| name.ok()).collect();
    if !names.contains(&"kthreadd") {
        let why = "no thread of the kernel is to be seen (a container, or hidepid)";
        return Value::Unreadable(format!("{THREADS}: {why}"));
    }
    let cpu = |name: &&str| {
        let (kind, cpu) = name.strip_prefix("rcuo")?.split_once('/')?;
        if kind == "g" { None } else { cpu.parse::<u32>().ok() }
    };
    Value::Cpus(names.iter().filter_map(cpu).collect())
}

/// Reads what the kernel said at boot.
fn logged(lines: &[Line], complete: bool, threads: &Value) -> Value {
    let said = lines.iter().find_map(|line| {
        let (_, rest) = line.text.split_once(OFFLOAD)?;
        line.text.starts_with("rcu:").then_some(rest.trim())
    });
    let none = matches!(threads, Value::Cpus(cpus) if cpus.is_empty());
    match said.map(|list| list.trim_end_matches('.')) {
        Some("(none)") => Value::Cpus(CpuSet::default()),
        Some(list) => CpuSet::parse(list).map_or_else(Value::Unreadable, Value::Cpus),
        None if complete || none => Value::Cpus(CpuSet::default()),
        None => Value::Unreadable(format!("the beginning of the kernel log is lost: no {LOG}")),
    }
}

fn compare(
    found: &mut Disagreements,
    words: &str,
    (named, implied): (&Value, &Value),
    (effective, threads): (&Value, &Value),
) {
    if let Value::Unreadable(why) = named {
        found.add("widened", &format!("booted is {words}: {why}, so all cpus count"), CORRECT);
    }
    if let (Value::Cpus(named), Value::Cpus(implied)) = (named, implied)
        && !implied.is_superset(named)
    {
        let what = format!("booted is {words}, which names cpus that cannot be: {implied} count");
        found.add("widened", &what, CORRECT);
    }
    match (implied, effective) {
        (Value::Cpus(wanted), Value::Cpus(effective)) => {
            let nohz = "rcu_nocbs and nohz_full";
            if !effective.is_superset(wanted) {
                let what = format!("{nohz} name {wanted}, offloaded is {effective}");
                found.add("narrowed", &what, "boot a kernel with CONFIG_RCU_NOCB_CPU=y");
            } else if !wanted.is_superset(effective) {
                let what = format!("{nohz} name {wanted}, offloaded is {effective}");
                found.add("widened", &what, CORRECT);
            }
            let threadless = matches!(threads, Value::Cpus(cpus) if cpus.is_empty());
            if threadless && !effective.is_empty() {
                let what = format!("offloaded is {effective}, and no thread `rcuo*` is there");
                found.add("no-threads", &what, "look for `rcu` in the kernel log");
            }
        }
        (Value::Cpus(_), why) | (why, _) => found.cannot_tell(&reason(why.clone())),
    }
}
