//! One line of a trace: when, and what the kernel did.
//!
//! The name of a task stands in a column of 16 bytes and may hold anything, so it is cut by place
//! and never looked into; in `sched_switch`, fields are found from the right.

/// Holds one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Counter. *Units*: cycles.
    pub at: u64,
    pub what: What,
}

/// Says what the kernel did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The local timer's interrupt.
    Timer,
    /// Any other interrupt, a softirq, an NMI, a call from another cpu.
    Interrupt,
    /// A page fault of the loop itself.
    Exception,
    /// Says that something will be done, here or elsewhere, and takes no time.
    Announcement,
    /// Another task was put on the cpu.
    Switch {
        /// Task that ran before.
        from: i64,
        /// Task that runs now.
        to: i64,
        /// Its name.
        name: String,
        /// Its priority as the kernel counts it: below 100 is real-time.
        priority: i64,
    },
}

/// Bytes of the column with the task's name. *Source*: `trace_print_context` of the kernel.
const NAME_COLUMN: usize = 16;

/// Reads the file `trace`; returns the events in the order of time and how many lines were lost.
pub(super) fn parse(text: &[u8]) -> (Vec<Event>, u64) {
    let mut events = Vec::new();
    let mut lost = 0;
    for line in text.split(|byte| *byte == b'\n') {
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match one(line) {
            Some(event) if event.what == What::Announcement => {}
            Some(event) => events.push(event),
            None => lost += lost_in(line),
        }
    }
    events.sort_by_key(|event| event.at);
    (events, lost)
}

fn one(line: &[u8]) -> Option<Event> {
    let line = String::from_utf8_lossy(line.get(NAME_COLUMN..)?);
    let rest = line.strip_prefix('-')?.trim_start_matches(|c: char| c.is_ascii_digit());
    let (_cpu, rest) = rest.trim_start().strip_prefix('[')?.split_once(']')?;
    let (_flags, rest) = rest.trim_start().split_once(' ')?;
    let (at, rest) = rest.trim_start().split_once(": ")?;
    let at = at.parse().ok()?;
    let (name, fields) = rest.split_once(':')?;
    let what = match name {
        "local_timer_entry" | "local_timer_exit" => What::Timer,
        "sched_switch" => switch(fields)?,
        "page_fault_user" | "page_fault_kernel" => What::Exception,
        "softirq_raise" => What::Announcement,
        name if name.starts_with("ipi_send") || name.starts_with("vector_") => What::Announcement,
        _ => What::Interrupt,
    };
    Some(Event { at, what })
}

fn switch(fields: &str) -> Option<What> {
    let (before, after) = fields.rsplit_once(" ==> next_comm=")?;
    let (before, _) = before.rsplit_once(" prev_prio=")?;
    let (_, from) = before.rsplit_once(" prev_pid=")?;
    let (after, priority) = after.rsplit_once(" next_prio=")?;
    let (name, to) = after.rsplit_once(" next_pid=")?;
    Some(What::Switch {
        from: from.parse().ok()?,
        to: to.parse().ok()?,
        name: name.to_owned(),
        priority: priority.trim().parse().ok()?,
    })
}

/// Returns how many events a line stands for that is no event: `CPU:1 [LOST 12 EVENTS]`.
fn lost_in(line: &[u8]) -> u64 {
    let line = String::from_utf8_lossy(line);
    let number =
        line.split_once("[LOST ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    number.unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Captured from an instance with the clock `x86-tsc`; names were changed.
    const TEXT: &[u8] = b"# tracer: nop
#
           loop1-2565    [001] d.h.. 41856904687325: local_timer_entry: vector=236
           loop1-2565    [001] d.h.. 41856904687925: softirq_raise: vec=1 [action=TIMER]
           loop1-2565    [001] d.h.. 41856904688325: local_timer_exit: vector=236
           loop1-2565    [001] ..s.. 41856904688500: softirq_entry: vec=1 [action=TIMER]
           loop1-2565    [001] d..2. 41856904697777: sched_switch: prev_comm=loop1 prev_pid=2565 prev_prio=19 prev_state=R ==> next_comm=a b: [0] next_pid=77 next_prio=4
 a b: [0] 1-1: x-77      [001] d.... 41856904704121: page_fault_user: address=0x7f6cd4385000 ip=0x7f ec=0x6
CPU:1 [LOST 12 EVENTS]
nonsense
";

    #[test]
    fn events_are_read_by_place_whatever_a_task_is_called() {
        let (events, lost) = parse(TEXT);
        let at: Vec<u64> = events.iter().map(|event| event.at % 1_000_000).collect();
        assert_eq!(at, [687_325, 688_325, 688_500, 697_777, 704_121]);
        assert_eq!(lost, 13);
        let switch = What::Switch { from: 2565, to: 77, name: "a b: [0]".into(), priority: 4 };
        assert_eq!(events[3].what, switch);
        assert_eq!(events[0].what, What::Timer);
        assert_eq!(events[2].what, What::Interrupt);
        assert_eq!(events[4].what, What::Exception);
    }

    #[test]
    fn a_cut_trace_loses_lines_and_breaks_nothing() {
        for end in 0..TEXT.len() {
            let (events, _) = parse(&TEXT[..end]);
            assert!(events.len() <= 5);
        }
    }
}
