//! Boots in which something takes time from an isolated cpu, and one in which nothing does.
//!
//! What is measured under QEMU says nothing of lengths below milliseconds; that something happened,
//! how often, and what it was, holds there as anywhere.

use crate::{
    fixture::{Fixture, INTERRUPTS, ISOLATED, PAGES, TSC, TUNED, booted, heavy},
    lab::Carried,
    machine::Machine,
};

/// Keeps real-time tasks from being throttled.
const UNTHROTTLED: &str = "echo -1 >/proc/sys/kernel/sched_rt_runtime_us";

/// Two tasks that want cpu 3, which is 8 as a mask.
const SPINNERS: &str = "for n in 1 2; do taskset 8 sh -c 'while :; do :; done' & done";

/// Takes 500 us of every 10 ms of cpu 3 for a minute.
const HOG: &str = "echo -1 >/proc/sys/kernel/sched_rt_runtime_us
/lab/hog burst 3 500 10000 60000 >/tmp/bursts &";

/// The boots.
pub(crate) const FIXTURES: &[Fixture] = &[
    Fixture {
        also: &["kernel/isolation-works", "lab/throttling", "lab/tasks"],
        ..heavy(
            0,
            "a_loop_that_nothing_disturbs_is_charged_to_nobody",
            Machine { before: UNTHROTTLED, ..TUNED },
            &[],
        )
    },
    Fixture {
        also: &["kernel/isolation-works", "lab/quiet"],
        ..heavy(
            12,
            "a_tick_that_comes_although_all_settings_are_right_is_found",
            booted(&[ISOLATED, PAGES, INTERRUPTS, "nohz=off"]),
            &[
                ("kernel/nohz-full", "fail", "switched-off: `nohz=off` keeps the tick"),
                ("kernel/isolation-works", "blocked", "waits for kernel/nohz-full"),
                ("lab/quiet", "fail", "`ticks`"),
            ],
        )
    },
    Fixture {
        also: &["kernel/isolation-works"],
        ..heavy(
            13,
            "tasks_that_were_put_on_an_isolated_cpu_are_found_with_the_tick_they_bring_back",
            Machine { before: SPINNERS, ..TUNED },
            &[
                ("kernel/isolation-works", "fail", "`ticks`"),
                ("kernel/isolation-works", "fail", "`strays` is cpu 3: sh ("),
            ],
        )
    },
    Fixture {
        also: &["lab/throttling", "lab/gaps"],
        ..heavy(
            29,
            "a_real_time_loop_that_is_throttled_is_told_so",
            TUNED,
            &[
                ("lab/throttling", "fail", "cpu 3: rt-throttling ("),
                ("lab/gaps", "fail", "`gap-max.max`"),
            ],
        )
    },
    Fixture {
        also: &["lab/tasks"],
        ..heavy(
            30,
            "a_task_that_takes_a_known_part_of_a_cpu_is_named_with_each_gap",
            Machine {
                parameters: &[ISOLATED, PAGES, INTERRUPTS, TSC],
                carries: &[Carried::Hog],
                before: HOG,
                ..TUNED
            },
            &[("lab/tasks", "fail", "cpu 3: hog, ")],
        )
    },
];
