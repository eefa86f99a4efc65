//! Boots whose kernel is told something else on its command line, or lives on other hardware.
//!
//! What was meant, what was booted and what is in effect must be told apart in each.

use crate::{
    fixture::{
        CLOCK, Effort, Fixture, INTERRUPTS, ISOLATED, NOHZ_WAITS, Outcome, PAGES, RCU_WAITS, TSC,
        TUNED, WORKS, booted, heavy, usual,
    },
    machine::Machine,
};

/// Asks for more pages than there is memory, and keeps enough for `verify`.
const GREEDY: &str = "dd if=/dev/zero of=/tmp/kept bs=1M count=256
echo 5000 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
rm /tmp/kept";

/// The boots.
pub(crate) const FIXTURES: &[Fixture] = &[
    Fixture {
        also: WORKS,
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
        9,
        "a_parameter_that_the_kernel_does_not_know_is_found",
        booted(&[ISOLATED, PAGES, INTERRUPTS, "isolcpu=1"]),
        &[
            ("kernel/isolcpus", "fail", "misspelt: `isolcpu=1` is no parameter of the kernel"),
            ("kernel/isolcpus", "fail", "Unknown kernel command line parameters"),
            NOHZ_WAITS,
            RCU_WAITS,
        ],
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
        &[
            ("kernel/isolcpus", "fail", "overlap: interrupts may go to the isolated cpus 2"),
            NOHZ_WAITS,
            RCU_WAITS,
            ("lab/interrupts-as-booted", "fail", "`default-irq-affinity` is 0,2"),
        ],
    ),
    Fixture {
        also: &["lab/siblings"],
        ..heavy(
            15,
            "a_cpu_that_shares_a_core_with_an_isolated_one_is_found",
            Machine {
                cpus: "4,cores=2,threads=2",
                // QEMU gives threads of a core to CPUs of one maker only, unless told.
                cpu: "max,vendor=GenuineIntel",
                parameters: &["isolcpus=3 nohz_full=3 rcu_nocbs=3", PAGES, INTERRUPTS],
                variables: &[("isolated-cpus", "\"3\"")],
                ..TUNED
            },
            &[("lab/siblings", "fail", "`unisolated-siblings` is 2")],
        )
    },
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
        &[
            ("kernel/hugepages", "fail", "names a size for the second time"),
            ("lab/pages-exact", "fail", "`size-2m.total` is 16"),
        ],
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
        &[
            ("kernel/hugepages", "fail", "`size-2m.per-node` is 16, 4"),
            ("lab/pages-per-node", "fail", "`size-2m.per-node` is 16, 4"),
        ],
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
];
