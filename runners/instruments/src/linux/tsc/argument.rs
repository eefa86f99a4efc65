//! What was asked of the TSC instrument: cpu, window, priority, threshold, room for gaps.

use std::collections::BTreeSet;

use crate::linux::{Arguments, cpu_list, real_time::PRIORITY};

/// Arguments with their defaults, one a line.
pub(super) const HELP: &str = "\
--cpu N          cpu to measure on; the last one that may be used, unless given
--beside LIST    cpus that others measure at the same time: they are left to no ordinary task
--for TIME       window, such as 10s or 200ms, up to 600s (10s)
--warm-up TIME   loop before the window, which is not counted (1s)
--priority N     SCHED_FIFO priority, or none (80)
--threshold TIME what counts as a gap (8 times the loop's minimum, at most 1us)
--ring N         gaps that are kept with their time; more are counted as lost (262144)
--gaps N         longest gaps that are printed (32)
--trace auto     private trace instance that tells what caused each gap, or none (auto)";

/// Longest window. *Units*: ns. *Source*: the longest command that the harness waits for.
const WINDOW_MOST_NS: u64 = 600_000_000_000;
/// Shortest window. *Units*: ns. *Source*: below it a calibration is off by more than 0.3 ppm.
const WINDOW_LEAST_NS: u64 = 10_000_000;
/// Most gaps that are kept. *Source*: 16 B each, 64 MiB of locked memory.
const RING_MOST: usize = 1 << 22;

/// Holds what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub cpu: Option<u32>,
    pub beside: BTreeSet<u32>,
    pub window_ns: u64,
    pub warm_up_ns: u64,
    pub priority: Option<i32>,
    pub threshold_ns: Option<u64>,
    pub ring: usize,
    pub gaps: usize,
    pub trace: bool,
}

impl Asked {
    /// Takes what was given, and the defaults.
    ///
    /// *Errors*: a value that is none or out of range, in one sentence.
    pub(super) fn read(given: &Arguments<'_>) -> Result<Self, String> {
        let window = |name: &str| given.time_ns(name, WINDOW_LEAST_NS..=WINDOW_MOST_NS);
        let priority = match given.text("--priority") {
            Some("none") => None,
            _ => Some(given.number("--priority", 1..=99)?.unwrap_or(PRIORITY)),
        };
        let trace = |text: &str| match text {
            "auto" => Some(true),
            "none" => Some(false),
            _ => None,
        };
        Ok(Self {
            cpu: given.number("--cpu", 0..=cpu_list::MAX)?,
            beside: cpu_list::given(given, "--beside")?.unwrap_or_default(),
            window_ns: window("--for")?.unwrap_or(10_000_000_000),
            warm_up_ns: window("--warm-up")?.unwrap_or(1_000_000_000),
            priority,
            threshold_ns: given.time_ns("--threshold", 1..=1_000_000_000)?,
            ring: given.number("--ring", 1..=RING_MOST)?.unwrap_or(1 << 18),
            gaps: given.number("--gaps", 0..=RING_MOST)?.unwrap_or(32),
            trace: given.value("--trace", "`auto` or `none`", trace)?.unwrap_or(true),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Asked, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Asked::read(&Arguments::parse(HELP, &words)?)
    }

    #[test]
    fn every_argument_is_taken_and_the_defaults_are_those_of_the_help() {
        let asked = read(
            "--cpu 6 --beside 6-7 --for=200ms --warm-up 50ms --priority none --threshold 1us --ring 8 --gaps=0 --trace none",
        );
        let expected = Asked {
            cpu: Some(6),
            beside: BTreeSet::from([6, 7]),
            window_ns: 200_000_000,
            warm_up_ns: 50_000_000,
            priority: None,
            threshold_ns: Some(1_000),
            ring: 8,
            gaps: 0,
            trace: false,
        };
        assert_eq!(asked, Ok(expected));
        let same = "--for 10s --warm-up 1s --priority 80 --ring 262144 --gaps 32 --trace auto";
        assert_eq!(read(""), read(same));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_was_expected() {
        for (line, part) in [
            ("--cpu six", "whole number"),
            ("--beside all", "list of cpus"),
            ("--for 5", "unit"),
            ("--for 1ms", "from 10ms to 600s"),
            ("--priority 100", "1 to 99"),
            ("--trace all", "`auto` or `none`"),
            ("ring", "no argument"),
        ] {
            let why = read(line).unwrap_err();
            assert!(why.contains(part), "{line}: {why}");
        }
    }
}
