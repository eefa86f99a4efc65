//! Boots in which `verify` has less than it is used to: rights, control groups, cpus, files.
//!
//! Nothing of that may end it, hold it up, or turn green what it could not ask.

use crate::{
    fixture::{
        Effort, Fixture, INTERRUPTS, ISOLATED, NO_DRIVERS, NOHZ_WAITS, Outcome, PAGES, RCU_WAITS,
        TUNED, asked_all, booted, heavy,
    },
    lab::Carried,
    machine::Machine,
};

/// Runs what follows in a control group that may not have a page of 2 MiB.
const LIMITED: &str = "cd /sys/fs/cgroup
echo +hugetlb >cgroup.subtree_control
mkdir limited
echo 0 >limited/hugetlb.2MB.max
echo $$ >limited/cgroup.procs";

/// Shows that the kernel takes a module that is signed, and none without its signature.
const MODULES: &str = "insmod /lab/dummy.ko
rmmod dummy
head -c $(($(wc -c </lab/dummy.ko) - 28)) /lab/dummy.ko >/tmp/unsigned.ko
if insmod /tmp/unsigned.ko; then exit 99; fi";

/// The boots.
pub(crate) const FIXTURES: &[Fixture] = &[
    Fixture {
        also: &["kernel/hugepages-works"],
        ..heavy(
            19,
            "a_control_group_that_may_have_no_huge_page_is_found",
            Machine { before: LIMITED, ..TUNED },
            &[("kernel/hugepages-works", "fail", "SIGBUS")],
        )
    },
    Fixture {
        also: &["lab/landlock"],
        ..heavy(
            24,
            "a_kernel_that_was_told_to_leave_landlock_out_is_found",
            booted(&[ISOLATED, PAGES, INTERRUPTS, "lsm=apparmor"]),
            &[("lab/landlock", "fail", "EOPNOTSUPP")],
        )
    },
    Fixture {
        also: &["lab/modules"],
        ..heavy(
            25,
            "a_kernel_that_is_locked_down_takes_signed_modules_only",
            Machine {
                parameters: &[ISOLATED, PAGES, INTERRUPTS, "lockdown=integrity"],
                carries: &[Carried::Module("dummy")],
                before: MODULES,
                ..TUNED
            },
            &[
                ("lab/modules", "fail", "signed only: the kernel is locked down (integrity)"),
                ("lab/modules", "fail", "`lockdown` is integrity"),
            ],
        )
    },
    asked_all(0, "every_shipped_check_of_a_machine_ends_with_its_reason", TUNED, &[NO_DRIVERS]),
    asked_all(
        27,
        "a_user_without_rights_is_refused_and_told_what_to_grant",
        Machine { user: "nobody", ..TUNED },
        &[
            ("kernel/scheduling", "fail", "`fifo` is refused: sched_setscheduler: EPERM"),
            ("kernel/scheduling", "fail", "`memory-lock` is refused: mlock: ENOMEM"),
            ("kernel/rcu-nocbs", "error", "the kernel log may not be read: run as root"),
            ("kernel/af-xdp", "fail", "`socket` is refused: socket: EPERM"),
        ],
    ),
    Fixture {
        also: &["cpu/rdtsc-precision", "cpu/jitter", "lab/log"],
        ..heavy(
            0,
            "a_machine_of_one_cpu_has_none_to_isolate_and_none_to_spin_on",
            Machine { cpus: "1", ..TUNED },
            &[
                ("kernel/isolcpus", "fail", "cpu 2-3 cannot be on this machine (possible: 0)"),
                NOHZ_WAITS,
                RCU_WAITS,
                ("cpu/rdtsc-precision", "error", "cpu 2 does not exist; present are 0"),
                ("cpu/jitter", "skip", "needs `bare-metal`"),
                ("lab/isolated-as-booted", "fail", "`isolcpus.effective` is none"),
                ("lab/tickless-as-booted", "fail", "`nohz-full.effective` is none"),
                ("lab/interrupts-as-booted", "fail", "`default-irq-affinity` is 0"),
            ],
        )
    },
    asked_all(
        0,
        "one_cpu_answers_what_every_machine_answers",
        Machine { cpus: "1", parameters: &[PAGES], ..TUNED },
        &[
            ("kernel/isolcpus", "fail", "`isolcpus.booted` is none"),
            NOHZ_WAITS,
            RCU_WAITS,
            ("lab/interrupts-as-booted", "fail", "`default-irq-affinity` is 0"),
            NO_DRIVERS,
        ],
    ),
    asked_all(
        0,
        "control_groups_of_the_first_version_alone_are_found",
        Machine { setting: "cgroups=v1", ..TUNED },
        &[
            ("kernel/sandboxing", "fail", "`controllers` is absent: no control groups v2"),
            NO_DRIVERS,
        ],
    ),
    asked_all(
        0,
        "a_root_that_takes_no_files_keeps_nobody_from_asking",
        Machine { setting: "root=ro place=/run", ..TUNED },
        &[NO_DRIVERS],
    ),
    refused(
        "a_run_that_cannot_be_recorded_is_not_made",
        Machine { setting: "root=ro place=/run state=/nowhere", ..TUNED },
        "the run cannot be recorded: cannot create /nowhere/runs",
    ),
    refused(
        "a_report_that_cannot_be_written_is_said_before_anything_is_asked",
        Machine { setting: "root=ro place=/nowhere state=/run/state", ..TUNED },
        "cannot write report /nowhere/record.jsonl: its folder cannot be made: Read-only file system",
    ),
];

const fn refused(name: &'static str, machine: Machine, words: &'static str) -> Fixture {
    let outcome = Outcome::Refused(2, words);
    Fixture { number: 0, name, effort: Effort::Heavy, machine, also: &[], outcome }
}
