//! What the warden does: keeps what it is told, and ends all of it when the pipe ends.
//!
//! TERM comes first, for whoever has something to tear down, KILL after [`GRACE`]. What is looked for
//! is looked for until nothing was found twice: a process that is being ended may just have started
//! another one. Only then are jobs taken down, since an srun may have asked for them until now, and files
//! removed, since somebody may have written them.

use std::{
    collections::BTreeSet,
    fs,
    io::BufRead,
    process::{Command, Stdio},
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use rustix::process::{Signal, kill_process, kill_process_group};

use super::{super::locate, CARRIER, Ward, scan};

/// Time between TERM and KILL.
const GRACE: Duration = Duration::from_millis(500);
/// Time after KILL until what is left counts as unkillable.
const LAST: Duration = Duration::from_secs(5);
/// Time that Slurm gets to take down a job, each time that it is told to.
const TOLD: Duration = Duration::from_secs(5);
/// How often it is told: its controller may be busy.
const TIMES: u32 = 3;
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
    if wards.iter().any(|ward| matches!(ward, Ward::Mark(_) | Ward::Group(_))) {
        let _ = end(&wards, Signal::TERM, GRACE) || end(&wards, Signal::KILL, LAST);
    }
    for ward in &wards {
        match ward {
            Ward::Job(name) => _ = (0..TIMES).any(|_| take_down(name)),
            Ward::File(path) => _ = fs::remove_file(path),
            Ward::Mark(_) | Ward::Group(_) => {}
        }
    }
}

/// Has Slurm take down the jobs of a name; tells whether it said that it did.
#[allow(clippy::disallowed_methods, reason = "the run that would ask by a transport is gone")]
fn take_down(job: &str) -> bool {
    // Without the program nobody can have asked for a job.
    let Some(scancel) = locate::which("scancel") else { return true };
    let none = Stdio::null;
    let mut command = Command::new(scancel);
    command.arg("--name").arg(job).stdin(none()).stdout(none()).stderr(none());
    let Ok(mut child) = command.spawn() else { return false };
    let (until, (_keep, never)) = (now() + TOLD, channel::<()>());
    while now() < until {
        if let Ok(Some(status)) = child.try_wait() {
            return status.success();
        }
        let _ = never.recv_timeout(TICK);
    }
    let _ = child.kill();
    let _ = child.wait();
    false
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
