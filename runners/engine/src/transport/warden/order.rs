//! What the warden does: keeps what it is told, and ends all of it when the pipe ends.
//!
//! TERM comes first, for whoever has something to tear down, KILL after [`GRACE`]. What is looked for
//! is looked for until nothing was found twice: a process that is being ended may just have started
//! another one. Only then are files removed, since somebody may have written them until now.

use std::{
    collections::BTreeSet,
    fs,
    io::BufRead,
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use rustix::process::{Signal, kill_process, kill_process_group};

use super::{CARRIER, Ward, scan};

/// Time between TERM and KILL.
const GRACE: Duration = Duration::from_millis(500);
/// Time after KILL until what is left counts as unkillable.
const LAST: Duration = Duration::from_secs(5);
/// Time between two looks.
const TICK: Duration = Duration::from_millis(10);
/// How often nothing must be found.
const LOOKS: u32 = 2;

/// Reads until the other end is gone, then ends and removes what is left of what it was told.
pub fn obey(orders: impl BufRead) {
    let mut wards = BTreeSet::new();
    for line in orders.split(b'\n') {
        let Ok(line) = line else { break };
        let Ok(text) = std::str::from_utf8(&line) else { continue };
        if text == "." {
            wards.retain(|ward| !matches!(ward, Ward::Mark(mark) if mark.starts_with(CARRIER)));
            continue;
        }
        if let Some(ward) = text.strip_prefix('+').and_then(Ward::read) {
            wards.insert(ward);
        } else if let Some(ward) = text.strip_prefix('-').and_then(Ward::read) {
            wards.remove(&ward);
        }
    }
    if !wards.iter().all(|ward| matches!(ward, Ward::File(_))) {
        let _ = end(&wards, Signal::TERM, GRACE) || end(&wards, Signal::KILL, LAST);
    }
    for ward in &wards {
        if let Ward::File(path) = ward {
            let _ = fs::remove_file(path);
        }
    }
}

/// Sends a signal to all that is there, for so long; tells whether nothing is.
fn end(wards: &BTreeSet<Ward>, signal: Signal, patience: Duration) -> bool {
    let until = now() + patience;
    let (_keep, never) = channel::<()>();
    let mut told: BTreeSet<i32> = BTreeSet::new();
    let mut empty = 0;
    loop {
        let found = scan::living(wards);
        empty = if found.is_empty() { empty + 1 } else { 0 };
        if empty == LOOKS {
            return true;
        }
        for one in found {
            // Who tears something down is not told twice.
            if told.insert(one.pid().as_raw_nonzero().get()) || signal == Signal::KILL {
                let _ = match one {
                    scan::Found::Process(pid) => kill_process(pid, signal),
                    scan::Found::Group(leader) => kill_process_group(leader, signal),
                };
            }
        }
        if now() >= until {
            return false;
        }
        let _ = never.recv_timeout(TICK);
    }
}

#[allow(clippy::disallowed_methods, reason = "the time that others get to end is kept here")]
fn now() -> Instant {
    Instant::now()
}
