//! Which kernels are booted, and what each must turn red: the table.
//!
//! A fixture names everything that is no pass, so that a false alarm is found as surely as a false
//! green. Another check is one line in `CHECKS`, and one in each fixture that it fails in; another
//! boot is one entry. Numbers are those of the field notes on kernels, section 9; `ELSEWHERE` says
//! where the ones are held that no boot here answers.

use crate::{
    machine::{LIMIT_S, Machine},
    verdict::Demand,
};

/// Checks that are asked in every boot: the shipped ones as they are, and what they do not ask.
pub(crate) const CHECKS: &[&str] = &[
    "kernel/isolcpus",
    "kernel/nohz-full",
    "kernel/rcu-nocbs",
    "kernel/hugepages",
    "kernel/scheduling",
    "kernel/sandboxing",
    "lab/isolated-as-booted",
    "lab/tickless-as-booted",
    "lab/given-once",
    "lab/interrupts-as-booted",
    "lab/pages-exact",
    "lab/pages-per-node",
];

const ISOLATED: &str = "isolcpus=2,3 nohz_full=2,3 rcu_nocbs=2,3";
const PAGES: &str = "hugepagesz=2M hugepages=16 hugepagesz=1G hugepages=1";
const INTERRUPTS: &str = "irqaffinity=0,1";
/// Keeps the kernel from giving the TSC up, as it does under QEMU. Only where it is asked for: a
/// kernel that measures its TSC on a busy host takes a wrong rate, and its clock runs too fast.
const TSC: &str = "clocksource=tsc tsc=reliable";
const CLOCK: &[&str] = &["lab/clocksource"];

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
    /// These are no pass; all else is.
    Red(&'static [Demand]),
    /// The machine never gets so far, and the reason holds these words.
    NoVerdict(&'static str),
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
const TUNED: Machine = Machine {
    cpus: "4",
    memory_mib: 2560,
    cpu: "max",
    parameters: &[ISOLATED, PAGES, INTERRUPTS],
    devices: &[],
    variables: &[],
    before: "",
    user: "root",
    limit_s: LIMIT_S,
};

const fn usual(
    number: u8,
    name: &'static str,
    machine: Machine,
    red: &'static [Demand],
) -> Fixture {
    Fixture { number, name, effort: Effort::Usual, machine, also: &[], outcome: Outcome::Red(red) }
}

const fn heavy(
    number: u8,
    name: &'static str,
    machine: Machine,
    red: &'static [Demand],
) -> Fixture {
    Fixture { number, name, effort: Effort::Heavy, machine, also: &[], outcome: Outcome::Red(red) }
}

const fn booted(parameters: &'static [&'static str]) -> Machine {
    Machine { parameters, ..TUNED }
}

/// Asks for more pages than there is memory, and keeps enough for `verify`.
const GREEDY: &str = "dd if=/dev/zero of=/tmp/kept bs=1M count=256
echo 5000 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
rm /tmp/kept";

/// What follows `kernel/isolcpus`.
const NOHZ_WAITS: Demand = ("kernel/nohz-full", "blocked", "waits for kernel/isolcpus");
const RCU_WAITS: Demand = ("kernel/rcu-nocbs", "blocked", "waits for kernel/isolcpus");

/// The boots.
pub(crate) const FIXTURES: &[Fixture] = &[
    Fixture {
        also: CLOCK,
        ..usual(
            0,
            "a_kernel_that_is_as_it_was_meant_to_be_is_green",
            booted(&[ISOLATED, PAGES, INTERRUPTS, TSC]),
            &[],
        )
    },
    Fixture {
        number: 0,
        name: "a_machine_that_does_not_end_in_time_is_ended_and_says_so",
        effort: Effort::Usual,
        machine: Machine { limit_s: 1, ..TUNED },
        also: &[],
        outcome: Outcome::NoVerdict("no verdict: still running after 1 s"),
    },
    Fixture {
        number: 0,
        name: "a_machine_whose_clock_runs_too_fast_proves_nothing",
        effort: Effort::Heavy,
        // A fifth or less of the rate of any CPU that runs this.
        machine: booted(&[ISOLATED, PAGES, INTERRUPTS, TSC, "tsc_early_khz=400000"]),
        also: &[],
        outcome: Outcome::NoVerdict("the clock of the machine ran too fast"),
    },
    usual(
        1,
        "fewer_cpus_than_are_named_isolate_nothing",
        Machine { cpus: "2", ..TUNED },
        &[
            ("kernel/isolcpus", "fail", "`isolcpus.effective` is none"),
            NOHZ_WAITS,
            RCU_WAITS,
            ("lab/isolated-as-booted", "fail", "`isolcpus.effective` is none"),
            ("lab/tickless-as-booted", "fail", "`nohz-full.effective` is none"),
        ],
    ),
    usual(
        2,
        "a_kernel_without_parameters_has_nothing",
        booted(&[]),
        &[
            ("kernel/isolcpus", "fail", "`isolcpus.booted` is none"),
            NOHZ_WAITS,
            RCU_WAITS,
            ("kernel/hugepages", "fail", "`size-1g.total` is 0"),
            ("lab/interrupts-as-booted", "fail", "`default-irq-affinity` is 0-3"),
            ("lab/pages-exact", "fail", "`size-2m.total` is 0"),
            ("lab/pages-per-node", "fail", "`size-2m.per-node` is 0"),
        ],
    ),
    usual(
        3,
        "one_bad_number_voids_the_list",
        booted(&["isolcpus=2,9 nohz_full=2,3 rcu_nocbs=2,3", PAGES, INTERRUPTS]),
        &[
            ("kernel/isolcpus", "fail", "`isolcpus.effective` is none"),
            NOHZ_WAITS,
            RCU_WAITS,
            ("lab/isolated-as-booted", "fail", "`isolcpus.effective` is none"),
        ],
    ),
    heavy(
        4,
        "a_range_beyond_the_last_cpu_voids_two_lists_and_makes_all_of_the_third",
        booted(&["isolcpus=2-9 nohz_full=2-9 rcu_nocbs=2-9", PAGES, INTERRUPTS]),
        &[
            ("kernel/isolcpus", "fail", "`isolcpus.effective` is none"),
            NOHZ_WAITS,
            RCU_WAITS,
            ("lab/isolated-as-booted", "fail", "`isolcpus.effective` is none"),
            ("lab/tickless-as-booted", "fail", "`nohz-full.effective` is none"),
        ],
    ),
    heavy(
        5,
        "the_flag_nohz_alone_isolates_nothing",
        booted(&["isolcpus=nohz,2-3 nohz_full=0-3", PAGES, INTERRUPTS]),
        &[
            ("kernel/isolcpus", "fail", "`isolcpus.effective` is none"),
            NOHZ_WAITS,
            RCU_WAITS,
            ("lab/tickless-as-booted", "fail", "`nohz-full.effective` is 2-3"),
        ],
    ),
    heavy(
        6,
        "of_a_parameter_that_stands_twice_the_first_counts",
        booted(&["isolcpus=2 isolcpus=3 nohz_full=2 nohz_full=3", PAGES, INTERRUPTS]),
        &[
            ("kernel/isolcpus", "fail", "`isolcpus.effective` is 2"),
            NOHZ_WAITS,
            RCU_WAITS,
            ("lab/given-once", "fail", "`repeated` is isolcpus, nohz_full"),
        ],
    ),
    heavy(
        7,
        "the_boot_cpu_is_never_tickless",
        booted(&["nohz_full=0-3", PAGES, INTERRUPTS]),
        &[
            ("kernel/isolcpus", "fail", "`isolcpus.booted` is none"),
            NOHZ_WAITS,
            RCU_WAITS,
            ("lab/tickless-as-booted", "fail", "`nohz-full.effective` is 1-3"),
        ],
    ),
    heavy(
        8,
        "sets_that_differ_are_found",
        booted(&["nohz_full=2-3 isolcpus=3", PAGES, INTERRUPTS]),
        &[("kernel/isolcpus", "fail", "`isolcpus.effective` is 3"), NOHZ_WAITS, RCU_WAITS],
    ),
    heavy(
        10,
        "words_after_two_dashes_are_not_for_the_kernel",
        booted(&[PAGES, INTERRUPTS, "-- isolcpus=2,3"]),
        &[("kernel/isolcpus", "fail", "`isolcpus.booted` is none"), NOHZ_WAITS, RCU_WAITS],
    ),
    heavy(
        11,
        "isolated_cpus_that_are_offline_are_found",
        booted(&[ISOLATED, PAGES, INTERRUPTS, "maxcpus=2"]),
        &[("kernel/isolcpus", "fail", "`isolated-online` is none"), NOHZ_WAITS, RCU_WAITS],
    ),
    heavy(
        14,
        "the_boot_cpu_joins_those_for_interrupts",
        booted(&[ISOLATED, PAGES, "irqaffinity=2"]),
        &[("lab/interrupts-as-booted", "fail", "`default-irq-affinity` is 0,2")],
    ),
    usual(
        16,
        "memory_that_is_too_small_for_a_page_of_1_gib_is_found",
        Machine { memory_mib: 1024, ..TUNED },
        &[("kernel/hugepages", "fail", "`size-1g.total` is 0")],
    ),
    heavy(
        17,
        "a_cpu_without_pages_of_1_gib_is_found",
        Machine { cpu: "qemu64,+rdrand", ..TUNED },
        &[("kernel/hugepages", "fail", "hugepages-1g")],
    ),
    heavy(
        18,
        "of_a_page_size_that_stands_twice_the_first_counts",
        Machine {
            variables: &[("hugepages-2m", "8")],
            parameters: &[ISOLATED, PAGES, "hugepagesz=2M hugepages=8", INTERRUPTS],
            ..TUNED
        },
        &[("lab/pages-exact", "fail", "`size-2m.total` is 16")],
    ),
    heavy(
        20,
        "a_pool_that_is_asked_for_at_run_time_is_as_large_as_memory_allows",
        Machine { variables: &[("hugepages-2m", "5000")], before: GREEDY, ..TUNED },
        &[
            ("kernel/hugepages", "fail", "`size-2m.total` is"),
            ("lab/pages-exact", "fail", "`size-2m.total` is"),
        ],
    ),
    heavy(
        21,
        "a_numa_node_with_fewer_pages_is_found",
        Machine {
            parameters: &[
                ISOLATED,
                "hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=0:16,1:4",
                INTERRUPTS,
            ],
            variables: &[("hugepages-2m", "20")],
            devices: &[
                "-object",
                "memory-backend-ram,id=m0,size=512M",
                "-object",
                "memory-backend-ram,id=m1,size=2048M",
                "-numa",
                "node,nodeid=0,cpus=0-1,memdev=m0",
                "-numa",
                "node,nodeid=1,cpus=2-3,memdev=m1",
            ],
            ..TUNED
        },
        &[("lab/pages-per-node", "fail", "`size-2m.per-node` is 16, 4")],
    ),
    Fixture {
        number: 22,
        name: "a_kernel_that_gave_all_memory_away_gives_no_verdict",
        effort: Effort::Heavy,
        machine: Machine {
            memory_mib: 1024,
            parameters: &["hugepagesz=2M hugepages=480"],
            limit_s: 40,
            ..TUNED
        },
        also: &[],
        outcome: Outcome::NoVerdict("no verdict: "),
    },
    Fixture {
        also: CLOCK,
        ..usual(
            23,
            "a_kernel_that_keeps_time_by_hpet_is_found",
            TUNED,
            &[("lab/clocksource", "fail", "`clocksource` is hpet")],
        )
    },
    heavy(
        27,
        "a_user_without_rights_is_refused_real_time_and_locked_memory",
        Machine { user: "nobody", ..TUNED },
        &[("kernel/scheduling", "fail", "`fifo` is refused: sched_setscheduler: EPERM")],
    ),
];

/// Numbers of the field notes that no boot here answers, and what it takes.
pub(crate) const ELSEWHERE: &[(u8, &str)] = &[
    (9, "a check that quotes what the kernel log says of unknown parameters"),
    (12, "a count of timer ticks on an isolated cpu"),
    (13, "a count of timer ticks and of foreign tasks on an isolated cpu"),
    (15, "a check that compares isolated cpus with their siblings"),
    (19, "an instrument that maps and touches huge pages"),
    (24, "an instrument that asks for landlock"),
    (25, "a check of lockdown and of unsigned modules"),
    (26, "a check of signatures of modules"),
    (28, "a kernel with RT_GROUP_SCHED, which Debian's lacks"),
    (29, "the instrument for gaps"),
    (30, "the instrument for gaps, and a program that makes them"),
    (31, "the instrument for gaps, and the module msr"),
    (32, "no boot: a ring of the instrument for gaps that is too small"),
    (33, "no boot: an instrument that is killed, and a document that is cut"),
    (34, "no boot: a pipe that is closed, in tests/command/pipe.rs"),
    (35, "no boot: what fio says before its JSON, and its errors"),
    (36, "no boot: /proc/interrupts with a cpu offline"),
];
