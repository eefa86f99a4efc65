//! What took the cpu away: each gap joined with what the kernel did in it.
//!
//! A gap without any event of the kernel is not explained by it: the hypervisor, a system
//! management interrupt or the hardware. Without a trace there are only counts of interrupts and
//! switches around the window; they give rates and lay no blame, so nothing is called unexplained.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    event::{Event, What},
    histogram::f64_of,
    spin::Gap,
};

/// Priorities from here on belong to ordinary tasks. *Source*: `MAX_RT_PRIO` of the kernel.
const ORDINARY: i64 = 100;
/// Tasks that are named, those that took most.
const TASKS: usize = 10;

/// Names what a gap is put down to, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// The local timer.
    Timer,
    /// An ordinary task or nothing ran although the loop had real-time priority and wanted to run:
    /// RT throttling, or the fair server that took its place.
    RtThrottling,
    /// Another interrupt, or a softirq.
    Irq,
    /// Another task.
    TaskSwitch,
    /// A page fault of the loop.
    Exception,
    /// Nothing that the kernel knows of.
    Unexplained,
}

impl Class {
    const ALL: [Self; 6] = [
        Self::Timer,
        Self::RtThrottling,
        Self::Irq,
        Self::TaskSwitch,
        Self::Exception,
        Self::Unexplained,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::RtThrottling => "rt-throttling",
            Self::Irq => "irq",
            Self::TaskSwitch => "task-switch",
            Self::Exception => "exception",
            Self::Unexplained => "unexplained",
        }
    }
}

/// Holds what each gap is put down to.
pub(super) struct Blame<'a> {
    /// One for each gap, in the same order.
    pub classes: Vec<Class>,
    /// Gaps and cycles of the tasks that ran in them, by name.
    tasks: BTreeMap<&'a str, (u64, u64)>,
}

/// Who the loop is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub task: i64,
    /// Whether it had real-time priority.
    pub real_time: bool,
}

/// Joins gaps with events; both are in the order of time.
pub(super) fn blame<'a>(gaps: &[Gap], events: &'a [Event], own: Own) -> Blame<'a> {
    let mut blame = Blame { classes: Vec::with_capacity(gaps.len()), tasks: BTreeMap::new() };
    let mut next = 0;
    for gap in gaps {
        let end = gap.start.saturating_add(gap.length);
        next += events[next..].partition_point(|event| event.at < gap.start);
        let inside = events[next..].partition_point(|event| event.at <= end);
        let inside = &events[next..next + inside];
        blame.classes.push(class(inside, own));
        if let Some((name, _)) = other_tasks(inside, own).next() {
            let (count, cycles) = blame.tasks.entry(name).or_default();
            *count += 1;
            *cycles = cycles.saturating_add(gap.length);
        }
    }
    blame
}

/// Goes through the tasks that ran instead of the loop, with their priorities.
fn other_tasks(inside: &[Event], own: Own) -> impl Iterator<Item = (&str, i64)> {
    inside.iter().filter_map(move |event| match &event.what {
        What::Switch { to, name, priority, .. } if *to != own.task => {
            Some((name.as_str(), *priority))
        }
        _ => None,
    })
}

fn class(inside: &[Event], own: Own) -> Class {
    let has = |what: &What| inside.iter().any(|event| event.what == *what);
    if own.real_time && other_tasks(inside, own).any(|(_, priority)| priority >= ORDINARY) {
        Class::RtThrottling
    } else if inside.iter().any(|event| matches!(event.what, What::Switch { .. })) {
        Class::TaskSwitch
    } else if has(&What::Timer) {
        Class::Timer
    } else if has(&What::Interrupt) {
        Class::Irq
    } else if has(&What::Exception) {
        Class::Exception
    } else {
        Class::Unexplained
    }
}

impl Blame<'_> {
    /// Returns the classes with their gaps and what they took, and the tasks that took most.
    pub(super) fn to_json(&self, gaps: &[Gap], minimum: u64, cycles_per_us: f64) -> Value {
        let stolen = |gap: &Gap| f64_of(gap.length.saturating_sub(minimum)) / cycles_per_us;
        let whole: f64 = gaps.iter().map(stolen).sum();
        let classes = Class::ALL.map(|class| {
            let of_class = || gaps.iter().zip(&self.classes).filter(move |(_, c)| **c == class);
            // The sum of none is a negative zero.
            let us = 0.0 + of_class().map(|(gap, _)| stolen(gap)).sum::<f64>();
            let share = if whole > 0.0 { us / whole } else { 0.0 };
            json!({
                "class": class.name(),
                "gaps": of_class().count(),
                "stolen-us": us,
                "share-of-stolen": share,
            })
        });
        let mut tasks: Vec<_> = self.tasks.iter().collect();
        tasks.sort_by_key(|(_, (_, cycles))| std::cmp::Reverse(*cycles));
        let tasks: Vec<Value> = tasks
            .into_iter()
            .take(TASKS)
            .map(|(name, (count, cycles))| {
                json!({ "task": name, "gaps": count, "gap-us": f64_of(*cycles) / cycles_per_us })
            })
            .collect();
        json!({ "classes": classes, "tasks": tasks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Own = Own { task: 5, real_time: true };

    fn at(at: u64, what: What) -> Event {
        Event { at, what }
    }

    fn switch(to: i64, name: &str, priority: i64) -> What {
        What::Switch { from: 5, to, name: name.to_owned(), priority }
    }

    #[test]
    fn each_gap_is_put_down_to_what_happened_in_it() {
        let gap = |start| Gap { start, length: 50 };
        let gaps: Vec<Gap> = (1..=6).map(|n| gap(n * 100)).collect();
        let events = [
            at(90, What::Timer),
            at(110, What::Timer),
            at(120, What::Interrupt),
            at(210, What::Interrupt),
            at(310, switch(77, "hog", 4)),
            at(340, switch(5, "loop", 19)),
            at(420, switch(0, "swapper/1", 120)),
            at(520, What::Exception),
            at(590, What::Timer),
        ];
        let blame = blame(&gaps, &events, OWN);
        let names: Vec<&str> = blame.classes.iter().map(|class| class.name()).collect();
        let expected = ["timer", "irq", "task-switch", "rt-throttling", "exception", "unexplained"];
        assert_eq!(names, expected);
        let json = blame.to_json(&gaps, 10, 1.0);
        assert_eq!(json["classes"][0]["stolen-us"], 40.0);
        let tasks = json["tasks"].as_array().unwrap();
        assert!(tasks.iter().any(|task| task["task"] == "hog" && task["gaps"] == 1), "{tasks:?}");
    }

    #[test]
    fn without_priority_an_ordinary_task_is_no_throttling() {
        let gaps = [Gap { start: 100, length: 50 }];
        let events = [at(120, switch(77, "make", 120))];
        let own = Own { real_time: false, ..OWN };
        assert_eq!(blame(&gaps, &events, own).classes, [Class::TaskSwitch]);
        assert_eq!(blame(&gaps, &[], own).classes, [Class::Unexplained]);
        assert!(blame(&[], &events, own).classes.is_empty());
    }
}
