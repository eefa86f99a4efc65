//! Threads that run the kernels together, each pinned to its cpu, and how long each pass took.
//!
//! A pass lasts from the first thread that starts it to the last one that ends it: a thread that
//! is late makes the figure worse, never better.

use std::{
    collections::BTreeSet,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use super::kernel::{Arrays, KERNELS};
use crate::linux::affinity;

/// Holds what a team measured.
pub(super) struct Outcome {
    /// Elements of each array, of all threads together.
    pub(super) elements: usize,
    /// Elements that hold something else than they must.
    pub(super) wrong_elements: usize,
    /// Time of each counted pass, by kernel. *Units*: s.
    pub(super) seconds: [Vec<f64>; KERNELS.len()],
}

/// Holds when a thread started and ended each kernel of each pass.
type Times = Vec<[(Instant, Instant); KERNELS.len()]>;

/// Measures with one thread on each cpu; the first pass is not counted.
///
/// *Errors*: a thread cannot be pinned or has no memory.
pub(super) fn run(cpus: &BTreeSet<u32>, array_bytes: u64, passes: u32) -> Result<Outcome, String> {
    let elements = usize::try_from(array_bytes / 8).map_err(|error| error.to_string())?;
    // Rounded up to whole cache lines, so that the arrays are no smaller than asked for.
    let each = elements.div_ceil(cpus.len()).next_multiple_of(8);
    let barrier = Barrier::new(cpus.len());
    let done = thread::scope(|scope| {
        let barrier = &barrier;
        let threads: Vec<_> =
            cpus.iter().map(|cpu| scope.spawn(move || part(*cpu, each, passes, barrier))).collect();
        let results = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err("a measuring thread panicked".to_owned()))
        });
        results.collect::<Result<Vec<_>, String>>()
    })?;
    let mut outcome = Outcome { elements: 0, wrong_elements: 0, seconds: Default::default() };
    for (_, elements, wrong) in &done {
        outcome.elements += elements;
        outcome.wrong_elements += wrong;
    }
    for pass in 1..=passes as usize {
        for (kernel, seconds) in outcome.seconds.iter_mut().enumerate() {
            let times = || done.iter().filter_map(|(times, ..)| times.get(pass)).map(|t| t[kernel]);
            let (first, last) = (times().map(|t| t.0).min(), times().map(|t| t.1).max());
            let took = last.zip(first).map(|(last, first)| last.duration_since(first));
            // A clock that did not move gives no rate.
            let took = took.filter(|took| *took > Duration::ZERO).ok_or("a pass took no time")?;
            seconds.push(took.as_secs_f64());
        }
    }
    Ok(outcome)
}

/// Runs all passes of one thread: its times, its elements, and how many of them are wrong.
fn part(
    cpu: u32,
    elements: usize,
    passes: u32,
    barrier: &Barrier,
) -> Result<(Times, usize, usize), String> {
    let ready = affinity::pin(&[cpu].into()).map_err(|refusal| refusal.to_string());
    let ready = ready.and_then(|()| Arrays::touched(elements));
    // Every thread passes the same barriers, also one that cannot measure: none waits for ever.
    let mut times = Times::new();
    let mut arrays = ready;
    for _ in 0..=passes {
        let mut pass = [(now(), now()); KERNELS.len()];
        for (kernel, times) in pass.iter_mut().enumerate() {
            barrier.wait();
            let start = now();
            if let Ok(arrays) = &mut arrays {
                arrays.run(kernel);
            }
            *times = (start, now());
        }
        times.push(pass);
    }
    let arrays = arrays?;
    Ok((times, arrays.elements(), arrays.wrong_elements(passes + 1)))
}

#[allow(clippy::disallowed_methods, reason = "an instrument reads the clock")]
fn now() -> Instant {
    Instant::now()
}
