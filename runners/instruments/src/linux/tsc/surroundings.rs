//! What the kernel counts on the cpu around the window, and how the machine is set.
//!
//! Read before and after the window, never inside: reading takes the cpu away, too. The knobs say
//! what could have disturbed, the differences what did. A value that cannot be read says why.

use std::{collections::BTreeMap, fs, os::unix::fs::FileExt as _};

use serde_json::{Map, Value, json};

use super::calibrate::clock_ns;
use crate::linux::{counter_table::Table, kernel_file};

/// Counts system management interrupts on Intel. *Source*: Intel SDM vol. 4, `MSR_SMI_COUNT`.
const SMI_COUNT: u64 = 0x34;
/// Columns of a cpu's line in `/proc/stat` that say who had the cpu. *Source*: `proc_stat(5)`.
const STAT: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/// Holds what is counted at one moment.
pub(super) struct Snapshot {
    cpu: u32,
    interrupts: Option<Table>,
    softirqs: Option<Table>,
    stat: Option<Vec<u64>>,
    smi: Result<u64, String>,
    switches: [i64; 2],
    faults: i64,
    /// `CLOCK_MONOTONIC_RAW`. *Units*: ns.
    raw_ns: u64,
    /// Time that this thread had the cpu. *Units*: ns.
    own_ns: u64,
}

impl Snapshot {
    /// Takes one; the clocks come last, next to the window that follows.
    pub(super) fn before(cpu: u32) -> Self {
        let mut snapshot = Self::counts(cpu);
        snapshot.clocks();
        snapshot
    }

    /// Takes one; the clocks come first, next to the window that has ended.
    pub(super) fn after(cpu: u32) -> Self {
        let (raw_ns, own_ns) = clocks();
        Self { raw_ns, own_ns, ..Self::counts(cpu) }
    }

    fn clocks(&mut self) {
        // The kernel's counts of this thread go up while files are read.
        (self.switches, self.faults) = usage();
        (self.raw_ns, self.own_ns) = clocks();
    }

    fn counts(cpu: u32) -> Self {
        let (switches, faults) = usage();
        Self {
            cpu,
            interrupts: Table::read("/proc/interrupts").ok(),
            softirqs: Table::read("/proc/softirqs").ok(),
            stat: kernel_file::text("/proc/stat").and_then(|text| stat(&text, cpu)),
            smi: smi(cpu),
            switches,
            faults,
            raw_ns: 0,
            own_ns: 0,
        }
    }

    /// Returns what was added since an earlier one.
    pub(super) fn since(&self, before: &Self) -> Value {
        let lines = |after: &Option<Table>, before: &Option<Table>| {
            let changes = after.as_ref()?.changes(before.as_ref()?, self.cpu).ok()?;
            let lines = changes.iter().map(|change| (change.line(), change.count));
            Some(lines.collect::<BTreeMap<_, _>>())
        };
        let stat = match (&self.stat, &before.stat) {
            (Some(after), Some(before)) => ticks(after, before),
            _ => Value::Null,
        };
        let smi = match (&self.smi, &before.smi) {
            (Ok(after), Ok(before)) => json!(after.saturating_sub(*before)),
            (Err(why), _) | (_, Err(why)) => json!({ "unreadable": why }),
        };
        let [voluntary, involuntary] =
            [0, 1].map(|at: usize| self.switches[at] - before.switches[at]);
        let raw = self.raw_ns.saturating_sub(before.raw_ns);
        let own = self.own_ns.saturating_sub(before.own_ns);
        json!({
            "interrupts": lines(&self.interrupts, &before.interrupts),
            "softirqs": lines(&self.softirqs, &before.softirqs),
            "cpu-time-ms": stat,
            "smi": smi,
            "voluntary-switches": voluntary,
            "involuntary-switches": involuntary,
            "page-faults": self.faults - before.faults,
            "off-cpu-ns": raw.saturating_sub(own),
        })
    }
}

fn clocks() -> (u64, u64) {
    (clock_ns(libc::CLOCK_MONOTONIC_RAW), clock_ns(libc::CLOCK_THREAD_CPUTIME_ID))
}

/// Returns voluntary and involuntary switches, and page faults, of this thread.
fn usage() -> ([i64; 2], i64) {
    // SAFETY: the structure is plain numbers, for which zero is a valid state.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a valid place for the answer.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
    let faults = usage.ru_minflt.saturating_add(usage.ru_majflt);
    #[allow(clippy::useless_conversion, reason = "c_long has 32 bits elsewhere")]
    let numbers = ([usage.ru_nvcsw.into(), usage.ru_nivcsw.into()], faults.into());
    numbers
}

/// Returns the numbers of one cpu's line.
fn stat(text: &str, cpu: u32) -> Option<Vec<u64>> {
    let name = format!("cpu{cpu}");
    let line = text.lines().find(|line| line.split(' ').next() == Some(name.as_str()))?;
    line.split_whitespace().skip(1).take(STAT.len()).map(|word| word.parse().ok()).collect()
}

/// Writes who had the cpu. *Units*: ms, in steps of the kernel's clock tick.
fn ticks(after: &[u64], before: &[u64]) -> Value {
    // SAFETY: passes no memory.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    let tick_ms = 1_000 / u64::try_from(per_second).unwrap_or(100).max(1);
    let parts = STAT.iter().zip(after.iter().zip(before));
    let parts = parts.map(|(name, (after, before))| {
        ((*name).to_owned(), json!(after.saturating_sub(*before) * tick_ms))
    });
    Value::Object(parts.collect::<Map<_, _>>())
}

fn smi(cpu: u32) -> Result<u64, String> {
    let path = format!("/dev/cpu/{cpu}/msr");
    let file = fs::File::open(&path).map_err(|error| format!("{path}: {error}"))?;
    let mut bytes = [0; 8];
    let read = file.read_exact_at(&mut bytes, SMI_COUNT);
    read.map_err(|error| format!("{path}: register {SMI_COUNT:#x}: {error}"))?;
    Ok(u64::from_le_bytes(bytes))
}

/// Returns how machine and cpu are set; null where there is no such knob.
pub(super) fn knobs(cpu: u32) -> Value {
    let text = |path: String| json!(kernel_file::text(path));
    let sched = |name: &str| text(format!("/proc/sys/kernel/{name}"));
    let system = |name: &str| text(format!("/sys/devices/system/cpu/{name}"));
    let own = |name: &str| text(format!("/sys/devices/system/cpu/cpu{cpu}/{name}"));
    json!({
        "sched-rt-runtime-us": sched("sched_rt_runtime_us"),
        "sched-rt-period-us": sched("sched_rt_period_us"),
        "fair-server-runtime-ns":
            text(format!("/sys/kernel/debug/sched/fair_server/cpu{cpu}/runtime")),
        "isolated": system("isolated"),
        "nohz-full": system("nohz_full"),
        "boost": system("cpufreq/boost"),
        "no-turbo": system("intel_pstate/no_turbo"),
        "governor": own("cpufreq/scaling_governor"),
        "frequency-khz": own("cpufreq/scaling_cur_freq"),
        "siblings": own("topology/thread_siblings_list"),
        "load-average": text("/proc/loadavg".to_owned()),
    })
}

/// Returns by what the kernel keeps time, and whether the counter runs at one rate in all states.
pub(super) fn clock() -> Value {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0";
    let source = kernel_file::text(format!("{SOURCE}/current_clocksource"));
    let info = kernel_file::text("/proc/cpuinfo").unwrap_or_default();
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    let flags = lines.find(|(key, _)| key.trim() == "flags").map(|(_, flags)| flags);
    let has = |wanted: &str| flags.map(|flags| flags.split_whitespace().any(|f| f == wanted));
    json!({
        "clocksource": source,
        "constant": has("constant_tsc"),
        "nonstop": has("nonstop_tsc"),
        "hypervisor": has("hypervisor"),
        "stated-khz": kernel_file::number::<u64>("/sys/devices/system/cpu/cpu0/tsc_freq_khz"),
        // RAW is then the counter times a constant.
        "circular": source.as_deref().map(|source| source.starts_with("tsc")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_cpu_is_not_taken_for_that_of_another() {
        let text =
            "cpu  9 9 9 9 9 9 9 9 9 9\ncpu1 1 0 2 3 4 5 6 7 8 9\ncpu10 5 5 5 5 5 5 5 5 5 5\n";
        assert_eq!(stat(text, 1), Some(vec![1, 0, 2, 3, 4, 5, 6, 7]));
        assert_eq!(stat(text, 0), None);
        assert_eq!(ticks(&[7], &[5])["user"], 20);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert!(smi(100_000).unwrap_err().contains("msr"));
        let snapshot = Snapshot::before(100_000);
        let added = Snapshot::after(100_000).since(&snapshot);
        assert_eq!(added["interrupts"], Value::Null);
        assert!(added["smi"]["unreadable"].is_string(), "{added}");
    }
}
