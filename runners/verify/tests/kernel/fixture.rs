//! What a boot is, what every boot asks, and what must come of it.
//!
//! A fixture names everything that is no pass, so that a false alarm is found as surely as a false
//! green. Another check is one line in `CHECKS`, and one in each fixture that it fails in; another
//! boot is one entry in one of the three tables. Numbers are those of the field notes on kernels,
//! section 9; `elsewhere` says where the ones are held that no boot here answers.

use crate::{
    command_line, disturbance,
    machine::{LIMIT_S, Machine},
    restriction,
    verdict::Demand,
};

/// Returns every boot.
pub(crate) fn all() -> impl Iterator<Item = &'static Fixture> {
    [command_line::FIXTURES, disturbance::FIXTURES, restriction::FIXTURES].into_iter().flatten()
}

/// Checks that are asked in every boot: the shipped ones as they are, and what they do not ask.
pub(crate) const CHECKS: &[&str] = &[
    "kernel/isolcpus",
    "kernel/nohz-full",
    "kernel/rcu-nocbs",
    "kernel/hugepages",
    "kernel/scheduling",
    "kernel/sandboxing",
    "kernel/io-uring",
    "lab/isolated-as-booted",
    "lab/tickless-as-booted",
    "lab/given-once",
    "lab/interrupts-as-booted",
    "lab/pages-exact",
    "lab/pages-per-node",
];

/// What is shipped beside those of `CHECKS` for what a kernel, a cpu, memory and a drive are, and
/// whose answer does not depend on how fast QEMU is.
pub(crate) const OTHERS: &[&str] = &[
    "kernel/hugepages-works",
    "kernel/clock",
    "kernel/clock-invariant",
    "kernel/af-xdp",
    "cpu/model",
    "cpu/governor",
    "memory/size",
    "memory/bandwidth",
    "memory/bandwidth-works",
    "storage/drives",
    "storage/throughput",
    "storage/throughput-works",
    "storage/health",
];

pub(crate) const ISOLATED: &str = "isolcpus=2,3 nohz_full=2,3 rcu_nocbs=2,3";
pub(crate) const PAGES: &str = "hugepagesz=2M hugepages=16 hugepagesz=1G hugepages=1";
pub(crate) const INTERRUPTS: &str = "irqaffinity=0,1";
/// Keeps the kernel from giving the TSC up, as it does under QEMU. Only where it is asked for: a
/// kernel that measures its TSC on a busy host takes a wrong rate, and its clock runs too fast.
pub(crate) const TSC: &str = "clocksource=tsc tsc=reliable";
/// What a boot must have that is as it was meant to be, and that takes seconds.
pub(crate) const WORKS: &[&str] = &[
    "kernel/hugepages-works",
    "kernel/isolation-works",
    "lab/clocksource",
    "lab/xdp-socket",
    "lab/log",
    "lab/landlock",
    "lab/modules",
    "lab/siblings",
];
pub(crate) const CLOCK: &[&str] = &["lab/clocksource"];

/// Says when a fixture is booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// In every `cargo test`.
    Usual,
    /// With `--ignored`, as `just test-heavy` does.
    Heavy,
}

/// Says what must come of a boot.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// These are no pass, by a table that boots share and by their own; all else is.
    Red(&'static [Demand], &'static [Demand]),
    /// The machine never gets so far, and the reason holds these words.
    NoVerdict(&'static str),
    /// `verify` asks nothing, ends with this code, and prints these words.
    Refused(i32, &'static str),
}

/// Holds one boot and what must come of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixture {
    /// Number in the field notes; 0 for those of our own.
    pub(crate) number: u8,
    pub(crate) name: &'static str,
    pub(crate) effort: Effort,
    pub(crate) machine: Machine,
    /// Checks that are asked in this boot only, beside `CHECKS`.
    pub(crate) also: &'static [&'static str],
    pub(crate) outcome: Outcome,
}

/// Boots a kernel that is what it was meant to be.
///
/// With 2 GiB of memory no whole GiB is free, since the archive lies in the second one. A CPU
/// must have `rdrand`: without any source of entropy `verify` waits for some at its start.
pub(crate) const TUNED: Machine = Machine {
    cpus: "4",
    memory_mib: 2560,
    cpu: "max",
    parameters: &[ISOLATED, PAGES, INTERRUPTS],
    devices: &[],
    variables: &[],
    setting: "",
    carries: &[],
    before: "",
    user: "root",
    limit_s: LIMIT_S,
};

pub(crate) const fn usual(
    number: u8,
    name: &'static str,
    machine: Machine,
    red: &'static [Demand],
) -> Fixture {
    Fixture {
        number,
        name,
        effort: Effort::Usual,
        machine,
        also: &[],
        outcome: Outcome::Red(&[], red),
    }
}

pub(crate) const fn heavy(
    number: u8,
    name: &'static str,
    machine: Machine,
    red: &'static [Demand],
) -> Fixture {
    Fixture {
        number,
        name,
        effort: Effort::Heavy,
        machine,
        also: &[],
        outcome: Outcome::Red(&[], red),
    }
}

/// Asks `OTHERS`, too, of which `OTHERS_RED` are no pass.
pub(crate) const fn asked_all(
    number: u8,
    name: &'static str,
    machine: Machine,
    red: &'static [Demand],
) -> Fixture {
    let outcome = Outcome::Red(OTHERS_RED, red);
    Fixture { number, name, effort: Effort::Heavy, machine, also: OTHERS, outcome }
}

pub(crate) const fn booted(parameters: &'static [&'static str]) -> Machine {
    Machine { parameters, ..TUNED }
}

/// What follows `kernel/isolcpus`.
pub(crate) const NOHZ_WAITS: Demand = ("kernel/nohz-full", "blocked", "waits for kernel/isolcpus");
pub(crate) const RCU_WAITS: Demand = ("kernel/rcu-nocbs", "blocked", "waits for kernel/isolcpus");

/// What of `OTHERS` is no pass wherever QEMU has no drive, no clock to follow and no invariant TSC.
pub(crate) const OTHERS_RED: &[Demand] = &[
    ("kernel/clock", "fail", "`synchronised` is no"),
    ("kernel/clock-invariant", "fail", "`tsc-invariant` is no"),
    ("cpu/governor", "skip", "needs `cpufreq`"),
    ("memory/bandwidth", "skip", "needs `bare-metal`"),
    ("memory/bandwidth-works", "skip", "needs `bare-metal`"),
    ("storage/drives", "fail", "`nvme.count` is 0"),
    ("storage/throughput", "blocked", "waits for storage/drives"),
    ("storage/throughput-works", "skip", "needs `bare-metal`"),
    ("storage/health", "skip", "needs `bare-metal`"),
];

/// Kernels before 6.3 do not tell what a driver can do.
pub(crate) const NO_DRIVERS: Demand =
    ("kernel/af-xdp", "error", "no generic netlink family `netdev` (from 6.3)");
