//! Threads that keep cpus busy, one each.
//!
//! Only on a busy cpu does the kernel decide whether the tick stays: an idle one has none anyway,
//! and two tasks bring it back. So the thread that counts stays off these cpus.

use std::{
    collections::BTreeSet,
    hint,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Sender},
    },
    thread::Scope,
    time::Duration,
};

use super::Refused;
use crate::linux::{Refusal, affinity, cpu::Cpus, task};

/// Time in which a thread has started. *Units*: ms.
const START_MS: u64 = 5000;

/// Names a spinning thread.
#[derive(Clone, Copy)]
pub(super) struct Spinner {
    pub(super) cpu: u32,
    pub(super) tid: u32,
}

/// Starts one on each cpu; one that the kernel does not give is added to `refused`.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    taken: &BTreeSet<u32>,
    refused: &mut Refused,
    stop: &'scope AtomicBool,
) -> Vec<Spinner> {
    let begin = |cpu: &u32| {
        let (say, hear) = mpsc::channel();
        let cpu = *cpu;
        scope.spawn(move || spin(cpu, &say, stop));
        (cpu, hear)
    };
    let started: Vec<_> = taken.iter().map(begin).collect();
    let mut spinners = Vec::new();
    for (cpu, hear) in started {
        match hear.recv_timeout(Duration::from_millis(START_MS)) {
            Ok(Ok(tid)) => spinners.push(Spinner { cpu, tid }),
            Ok(Err(refusal)) => refused.push((cpu, refusal)),
            Err(_) => {
                let why = format!("the thread on cpu {cpu} did not run: who holds the cpu?");
                refused.push((cpu, Refusal::of("sched_setaffinity", libc::EAGAIN, why)));
            }
        }
    }
    spinners
}

/// Keeps the calling thread away from the cpus that are taken.
pub(super) fn stay_off(cpus: &Cpus, taken: &BTreeSet<u32>) {
    // Refused by a cpuset, it stays where it was put: off isolated cpus in any case.
    if affinity::pin(&cpus.ordinary_without(taken)).is_err() {
        let _ = affinity::pin(&cpus.online.difference(taken).copied().collect());
    }
}

/// Takes the cpu, says its thread's number and keeps the cpu busy until told to stop.
fn spin(cpu: u32, say: &Sender<Result<u32, Refusal>>, stop: &AtomicBool) {
    let pinned = affinity::pin(&BTreeSet::from([cpu]));
    let refused = pinned.is_err();
    let _ = say.send(pinned.map(|()| task::own_thread()));
    let mut turns = 0_u64;
    // Without a pause instruction, at which a hypervisor may take the cpu away.
    while !refused && !stop.load(Ordering::Relaxed) {
        turns = hint::black_box(turns.wrapping_add(1));
    }
}
