//! Answers what the kernel has logged since boot: whether the log is whole, and which problems.
//!
//! The ring loses its beginning and the journal may lack some: both are read and joined, and
//! `complete` says whether the log reaches back to boot without a hole. "No problem" of a log that
//! is not complete proves nothing, so a suite that relies on it demands `complete = true`, too.
//! What may not be read is an error that says what to grant. That journald itself has dropped lines
//! cannot be seen here.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::{Regex, RegexSet};
use verify_model::{
    ask::{Ask, DEFAULT_LIMIT_MS},
    effect::Effect,
    evidence::{Captured, Evidence},
    field::FieldKind::{Bool, Integer, List, Quantity as Amount},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::count,
    parse::kernel_log::{self, Line, Log},
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, text_of, texts},
};

mod problem;

use problem::{ROWS, Row, Weight, XIDS};

pub(super) struct Journal;

/// Bounds each reader's output: as JSON a message takes about 450 B. *Units*: B.
const CAP: u64 = 16 * 1024 * 1024;
/// Words of both readers on standard error for what this user may not read.
const DENIED: [&str; 4] =
    ["not permitted", "ermission denied", "insufficient permissions", "not seeing messages"];
/// How many lines of one kind, or of `match`, are shown; the counts are of all.
const SHOWN: usize = 20;
/// How much of a line is shown, in characters.
const LINE: usize = 300;

const RING: &str = "dmesg, else journalctl";
const TABLE: &str = "lines of the log, by our table of patterns";

static SPEC: ProbeSpec = ProbeSpec {
    name: "journal",
    summary: "What the kernel has logged since boot: whether the log is whole, and which problems.",
    effect: Effect::Reads,
    depends: &[],
    params: &[ParamSpec {
        name: "match",
        kind: ParamKind::Regex,
        required: false,
        doc: "Regular expression of lines that `matches` and `match-count` are about.",
    }],
    fields: &[
        field("lines", || Integer, RING, "Messages of the kernel."),
        field("complete", || Bool, RING, "Whether the log reaches back to boot without a hole."),
        field("since", || Amount("s"), RING, "Time after boot of the oldest message."),
        field("problems", texts, TABLE, "`kind: line` of each problem, at most 20 of a kind."),
        field("kinds", texts, TABLE, "Kinds of problems, sorted."),
        field("advice", texts, TABLE, "`kind: meaning; what to do` of each kind."),
        field("critical", || Integer, TABLE, "Lines about what is broken or about to lose work."),
        field("errors", || Integer, TABLE, "Lines about what failed once."),
        field("warnings", || Integer, TABLE, "Lines about what was put right by itself."),
        field("notices", || Integer, TABLE, "Lines about what is usual on some healthy machines."),
        field(
            "xids",
            || List(Box::new(Integer)),
            "lines `NVRM: Xid`",
            "Numbers of NVIDIA's Xid errors, rising, each once.",
        ),
        field("matches", texts, RING, "Lines that `match` finds, at most 20."),
        field("match-count", || Integer, RING, "Number of lines that `match` finds."),
    ],
    example: "expect = { complete = true, critical = 0, xids = { count = 0 } }",
};

#[expect(clippy::unwrap_used, reason = "constants, tried by the tests")]
static PATTERNS: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(ROWS.iter().map(|row| row.pattern)).unwrap());
#[expect(clippy::unwrap_used, reason = "a constant, tried by the tests")]
static XID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"NVRM: Xid \((?:PCI:)?[0-9a-fA-F]{4,}:[^)]*\): (\d{1,4})\b").unwrap()
});

fn exec(argv: &[&str]) -> Ask {
    Ask::Exec {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: vec![("LC_ALL".to_owned(), "C".to_owned())],
        limit_ms: DEFAULT_LIMIT_MS,
        cap: CAP,
    }
}

/// Returns both readers of the log: the ring and the journal.
pub(super) fn readers() -> [Ask; 2] {
    let fields = "--output-fields=MESSAGE,SYSLOG_FACILITY,_SOURCE_MONOTONIC_TIMESTAMP";
    [exec(&["dmesg", "-k"]), exec(&["journalctl", "--no-pager", "-k", "-b", "-o", "json", fields])]
}

/// Joins what both readers gave among all evidence of an attempt, and whether that is all.
///
/// *Errors*: neither gave a message, and why.
pub(super) fn gathered_log(evidence: &[&Evidence]) -> Result<(Vec<Line>, bool), AttemptError> {
    let find = |wanted: &Ask| evidence.iter().find(|piece| piece.ask == *wanted);
    let [ring, journal] = readers();
    match (find(&ring), find(&journal)) {
        (Some(ring), Some(journal)) => log(ring, journal),
        _ => Err(failed(FindingCode::NotRecorded, "the kernel log was not gathered")),
    }
}

impl Probe for Journal {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(readers().to_vec())
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [ring, journal] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "not everything was gathered"));
        };
        let (lines, complete) = log(ring, journal)?;
        let wanted = with.text("match").map(Regex::new).transpose();
        let wanted = wanted.map_err(|e| failed(FindingCode::BadParameter, e.to_string()))?;
        let observation = Observation::default()
            .fact("lines", count(lines.len()))
            .fact("complete", Value::Bool(complete))
            .fact("since", since(&lines));
        Ok(matched(problems(observation, &lines), wanted.as_ref(), &lines))
    }
}

/// Joins what both readers gave.
///
/// *Errors*: neither gave a message, and why.
fn log(ring: &Evidence, journal: &Evidence) -> Result<(Vec<Line>, bool), AttemptError> {
    let ring = read_one(ring, kernel_log::ring);
    let journal = read_one(journal, kernel_log::journal);
    match (ring, journal) {
        (Err(ring), Err(journal)) => Err(neither(&ring, &journal)),
        (ring, journal) => {
            Ok(kernel_log::joined(ring.unwrap_or_default(), journal.unwrap_or_default()))
        }
    }
}

/// Reads the messages of one reader.
///
/// *Errors*: there are none, which no running kernel has.
fn read_one(
    evidence: &Evidence,
    parse: fn(&str) -> Result<Log, String>,
) -> Result<Log, AttemptError> {
    let unreadable =
        |why: &str| failed(FindingCode::OutputUnreadable, format!("{}: {why}", evidence.ask));
    let denied = matches!(&evidence.captured, Captured::Exec { stderr, .. }
        if DENIED.iter().any(|words| stderr.text.contains(words)));
    let text = text_of(evidence).map_err(|error| {
        if matches!(&evidence.captured, Captured::Exec { exit: Some(1), stderr, .. }
            if stderr.text.contains("BusyBox v"))
        {
            let why = "busybox's dmesg cannot leave out what users wrote into the log: \
                       install that of util-linux";
            return failed(FindingCode::ToolMissing, format!("{}: {why}", evidence.ask));
        }
        let code = if denied { FindingCode::PermissionDenied } else { error.code };
        failed(code, error.message)
    })?;
    let log = parse(text).map_err(|why| unreadable(&why))?;
    if !log.lines.is_empty() {
        return Ok(log);
    }
    let none = unreadable("no message of the kernel for this user");
    Err(if denied { failed(FindingCode::PermissionDenied, none.message) } else { none })
}

fn neither(ring: &AttemptError, journal: &AttemptError) -> AttemptError {
    let denied = [ring, journal].iter().any(|e| e.code == FindingCode::PermissionDenied);
    let both = format!("{}; {}", ring.message, journal.message);
    if denied {
        let grant = "run as root, or put the user into the group systemd-journal or adm, or set \
                     sysctl kernel.dmesg_restrict=0";
        return failed(
            FindingCode::PermissionDenied,
            format!("the kernel log may not be read: {grant} ({both})"),
        );
    }
    failed(ring.code, both)
}

/// Returns the time of the oldest message.
fn since(lines: &[Line]) -> Value {
    let Some(first) = lines.first() else {
        return Value::Unreadable("there is no message".to_owned());
    };
    #[expect(clippy::cast_precision_loss, reason = "a century has 3.2e15 us")]
    let seconds = first.at_us as f64 / 1e6;
    Quantity::of(seconds, "s").map_or_else(|e| Value::Unreadable(e.to_string()), Value::Quantity)
}

fn problems(observation: Observation, lines: &[Line]) -> Observation {
    let mut found: BTreeMap<usize, Vec<&Line>> = BTreeMap::new();
    let mut xids: Vec<i64> = Vec::new();
    for line in lines {
        if let Some(row) = PATTERNS.matches(&line.text).iter().next() {
            found.entry(row).or_default().push(line);
        }
        xids.extend(numbers(line));
    }
    xids.sort_unstable();
    xids.dedup();
    let weighing = |weight: Weight| {
        let of = |row: &usize| ROWS.get(*row).is_some_and(|row| row.weight == weight);
        count(found.iter().filter(|(row, _)| of(row)).map(|(_, lines)| lines.len()).sum())
    };
    let observation = observation
        .fact("critical", weighing(Weight::Critical))
        .fact("errors", weighing(Weight::Error))
        .fact("warnings", weighing(Weight::Warning))
        .fact("notices", weighing(Weight::Notice))
        .fact("xids", Value::List(xids.into_iter().map(Value::Integer).collect()));
    // Gravest first, for a report shows the beginning of a list.
    let mut rows: Vec<(&Row, Vec<&Line>)> =
        found.into_iter().filter_map(|(row, lines)| Some((ROWS.get(row)?, lines))).collect();
    rows.sort_by_key(|(row, _)| (row.weight, row.kind));
    let mut kinds: Vec<&str> = rows.iter().map(|(row, _)| row.kind).collect();
    kinds.sort_unstable();
    let advice = rows.iter().map(|(row, _)| format!("{}: {}; {}", row.kind, row.meaning, row.next));
    observation
        .fact("advice", Value::List(advice.map(Value::Text).collect()))
        .fact("kinds", Value::List(kinds.into_iter().map(Value::text).collect()))
        .fact(
            "problems",
            Value::List(
                rows.iter().flat_map(|(row, lines)| shown(Some(row.kind), lines)).collect(),
            ),
        )
}

/// Shows lines as one text each, the first of them and how many more there are.
fn shown(kind: Option<&str>, lines: &[&Line]) -> Vec<Value> {
    let prefix = kind.map(|kind| format!("{kind}: ")).unwrap_or_default();
    let mut texts: Vec<Value> = lines
        .iter()
        .take(SHOWN)
        .map(|line| Value::Text(format!("{prefix}{}{}", one_line(&line.text), meanings(line))))
        .collect();
    if lines.len() > SHOWN {
        texts.push(Value::Text(format!("{prefix}and {} lines more", lines.len() - SHOWN)));
    }
    texts
}

fn one_line(text: &str) -> String {
    let flat = text.lines().map(str::trim).collect::<Vec<_>>().join(" / ");
    if flat.chars().count() <= LINE {
        return flat;
    }
    let kept: String = flat.chars().take(LINE).collect();
    format!("{kept} ...")
}

fn numbers(line: &Line) -> impl Iterator<Item = i64> {
    XID.captures_iter(&line.text).filter_map(|groups| groups.get(1)?.as_str().parse().ok())
}

/// Says what the numbers of Xid in a line mean.
fn meanings(line: &Line) -> String {
    let mean = |number: i64| {
        XIDS.iter().find(|(known, ..)| *known == number).map_or_else(
            || format!(" (Xid {number}: see NVIDIA's list)"),
            |(_, meaning, next)| format!(" (Xid {number}: {meaning}; do: {next})"),
        )
    };
    numbers(line).map(mean).collect()
}

fn matched(observation: Observation, wanted: Option<&Regex>, lines: &[Line]) -> Observation {
    let Some(regex) = wanted else {
        let unasked = || Value::Unreadable("the check gives no `match`".to_owned());
        return observation.fact("matches", unasked()).fact("match-count", unasked());
    };
    let found: Vec<&Line> = lines.iter().filter(|line| regex.is_match(&line.text)).collect();
    observation
        .fact("match-count", count(found.len()))
        .fact("matches", Value::List(shown(None, &found)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn kind(text: &str) -> Option<&'static str> {
        PATTERNS.matches(text).iter().next().map(|row| ROWS[row].kind)
    }

    #[test]
    fn lines_as_the_kernel_writes_them_are_of_their_kind() {
        for (wanted, text) in [
            ("gpu-lost", "NVRM: Xid (PCI:0000:44:00): 79, GPU has fallen off the bus"),
            ("gpu-lost", "NVRM: The NVIDIA GPU\nNVRM: has\nNVRM: fallen off the bus and is not"),
            ("xid", "NVRM: Xid (PCI:0000:9b:00): 94, pid=1234, name=python3, Contained ECC error"),
            ("nvidia-mismatch", "NVRM: API mismatch: the client has the version 550.54.14, but"),
            ("nvidia-failure", "NVRM: The NVIDIA probe routine failed for 1 device(s)."),
            ("memory-uncorrected", "EDAC MC0: 1 UE memory read error on unknown memory"),
            ("memory-corrected", "EDAC MC0: 2 CE on mc#0csrow#3channel#1 (csrow:3 channel:1"),
            ("hardware-fatal", "[Hardware Error]: Uncorrected, software restartable error."),
            ("hardware-corrected", "mce: [Hardware Error]: Machine check events logged"),
            ("hardware-corrected", "[Hardware Error]: Corrected error, no action required."),
            ("hardware-error", "mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 5: bea00000"),
            ("pcie-uncorrected", "pcieport 0000:00:01.1: AER: Uncorrected (Fatal) error received"),
            ("pcie-uncorrected", "x 0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Tr"),
            ("pcie-corrected", "pcieport 0000:00:01.1: AER: Corrected error received: 0000:01:00"),
            ("pcie-corrected", "pcieport 0: AER: Correctable error message received from 0"),
            ("panic", "BUG: unable to handle page fault for address: ffffb"),
            ("panic-protection", "general protection fault, probably for non-canonical address"),
            ("hard-lockup", "watchdog: Watchdog detected hard LOCKUP on cpu 3"),
            ("soft-lockup", "watchdog: BUG: soft lockup - CPU#6 stuck for 22s! [swapper/6:0]"),
            ("rcu-stall", "rcu: INFO: rcu_preempt self-detected stall on CPU"),
            ("rcu-stall", "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 6-"),
            ("hung-task", "INFO: task jbd2/sda1-8:345 blocked for more than 120 seconds."),
            ("out-of-memory", "Out of memory: Killed process 4242 (python3) total-vm:1kB"),
            ("out-of-memory", "Memory cgroup out of memory: Killed process 17 (java) total-vm:1kB"),
            ("thermal-throttling", "CPU0: Core temperature is above threshold, cpu clock is throt"),
            (
                "clock-unstable",
                "clocksource: timekeeping watchdog on CPU3: Marking clocksource 'tsc' as unstable because the skew is too large:",
            ),
            ("clock-unstable", "tsc: Marking TSC unstable due to clocksource watchdog"),
            (
                "clock-unstable",
                "Measured 2000 cycles TSC warp between CPUs, turning off TSC clock.",
            ),
            ("nvme", "nvme nvme0: I/O 128 QID 3 timeout, aborting"),
            ("ata", "ata3.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen"),
            ("medium-missing", "blk_update_request: I/O error, dev fd0, sector 0 op 0x0:(READ)"),
            ("medium-missing", "Buffer I/O error on dev sr0, logical block 0, async page read"),
            ("disk-error", "Buffer I/O error on dev sdf, logical block 0, async page read"),
            ("disk-error", "I/O error, dev sda, sector 2048 op 0x0:(READ) flags 0x0"),
            ("ext4", "EXT4-fs error (device sda1): ext4_lookup:1855: inode #2: comm ls: deleted"),
            ("ext4", "EXT4-fs (sda1): Remounting filesystem read-only"),
            ("xfs", "XFS (nvme0n1p2): Corruption of in-memory data (0x8) detected at xfs_x"),
            ("btrfs", "BTRFS error (device sda1): bdev /dev/sda1 errs: wr 0, rd 0, flush 0"),
            ("net-timeout", "NETDEV WATCHDOG: enp5s0 (r8169): transmit queue 0 timed out"),
            ("net-link-down", "r8169 0000:05:00.0 enp5s0: Link is Down"),
            ("net-link-down", "ixgbe 0000:01:00.0 eth0: NIC Link is Down"),
            (
                "hugepages-failed",
                "HugeTLB: allocating 1 of page size 1.00 GiB failed.  Only allocated 0 hugepages.",
            ),
            ("hugepages-failed", "HugeTLB: hugepagesz=2M specified twice, ignoring"),
            ("isolation-refused", "Housekeeping: nohz_full= or isolcpus= incorrect CPU range"),
            ("isolation-refused", "Housekeeping: nohz_full= must match isolcpus="),
            ("isolation-refused", "rcu: \trcu_nocbs= bad CPU range, all CPUs set"),
            ("isolation-refused", "isolcpus: Skipped unknown flag bogus"),
            ("unknown-parameter", "Unknown kernel command line parameters \"isolcpu=1\", will be"),
            ("segfault", "a.out[4242]: segfault at 0 ip 000055d0 sp 00007ffc error 6 in a.out"),
            ("segfault", "traps: a.out[4242] general protection fault ip:55d0 sp:7ffc error:0"),
            (
                "lockdown",
                "Lockdown: Xorg: raw io port access is restricted; see man kernel_lockdown.7",
            ),
            ("firmware-bug", "[Firmware Bug]: TSC doesn't count with P0 frequency!"),
        ] {
            assert_eq!(kind(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn lines_of_a_healthy_boot_are_no_problem() {
        for text in [
            "EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro",
            "EXT4-fs (sda1): re-mounted 00000000-0000 r/w. Quota mode: none.",
            "BTRFS info (device sda1): using crc32c (crc32c-intel) checksum algorithm",
            "XFS (nvme0n1p2): Ending clean mount",
            "ata3: SATA link down (SStatus 0 SControl 300)",
            "ata1: SATA link up 6.0 Gbps (SStatus 133 SControl 300)",
            "pcieport 0000:00:01.1: AER: enabled with IRQ 27",
            "EDAC MC0: Giving out device to module igen6_edac controller Intel_client_SoC MC#0",
            "mce: CPU0: Thermal monitoring enabled (TM1)",
            "MCE: In-kernel MCE decoding enabled.",
            "rcu: RCU event tracing is enabled.",
            "rcu: RCU lockdep checking is enabled, stall warnings are off",
            "rcu: \tOffload RCU callbacks from CPUs: 6-7.",
            "Initialise system trusted keyrings; Kernel is locked down from EFI Secure Boot",
            "clocksource: Switched to clocksource tsc",
            "tsc: Refined TSC clocksource calibration: 3699.999 MHz",
            "tsc: Marking TSC unstable due to running on Hyper-V",
            "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.14",
            "r8169 0000:05:00.0 enp5s0: Link is Up - 1Gbps/Full - flow control rx/tx",
            "IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready",
            "nvme nvme0: 16/0/0 default/read/poll queues",
            "HugeTLB: registered 1.00 GiB page size, pre-allocated 0 pages",
            "NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
            "CPU0: Core temperature/speed normal",
            "ERST: Error Record Serialization Table (ERST) support is initialized.",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn every_row_says_what_it_means_and_what_to_do() {
        let kinds: BTreeSet<&str> = ROWS.iter().map(|row| row.kind).collect();
        assert_eq!(kinds.len(), ROWS.len(), "a kind stands in one row");
        for row in ROWS {
            assert!(!row.meaning.is_empty() && row.next.len() > 20, "{}", row.kind);
            assert!(kind("") != Some(row.kind), "{} fits the empty line", row.kind);
        }
        assert!(XIDS.is_sorted_by(|(a, ..), (b, ..)| a < b));
        // Those after which NVIDIA's catalogue has the GPU reset: no program is to blame.
        for number in [46, 48, 62, 64, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158] {
            let row = XIDS.iter().find(|(known, ..)| *known == number);
            assert!(row.is_some_and(|(.., next)| !next.contains("program")), "Xid {number}");
        }
        // Those on which Azure's node checks fail, among others.
        for number in [48, 56, 57, 58, 62, 63, 64, 65, 68, 69, 73, 74, 79, 80, 81, 92, 119, 120] {
            assert!(XIDS.iter().any(|(known, ..)| *known == number), "Xid {number}");
        }
    }
}
