//! What was counted on busy cpus between two looks.

use std::{
    collections::BTreeSet,
    path::Path,
    process,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Refused,
    spinner::{self, Spinner},
};
use crate::linux::{
    counter_table::{Change, Table},
    cpu::Cpus,
    task::{self, Seen, Task, Tasks},
};

/// Time between the start of the spinners and the window, in which the tick stops. *Units*: ms.
const SETTLE_MS: u64 = 500;

/// Holds what is known at one end of the window.
struct Look {
    interrupts: Table,
    softirqs: Table,
    tasks: Result<Tasks, String>,
    spinners: Vec<Option<Task>>,
}

/// Spins on the cpus and counts; one that the kernel does not give is added to `refused`.
///
/// *Errors*: nothing could be counted, in one sentence.
#[allow(clippy::disallowed_methods, reason = "the length of the window is measured here")]
pub(super) fn measure(
    cpus: &Cpus,
    taken: &BTreeSet<u32>,
    refused: &mut Refused,
    window: Duration,
) -> Result<Value, String> {
    spinner::stay_off(cpus, taken);
    let stop = AtomicBool::new(false);
    // Held while the threads run, so that a wait on it ends by its limit alone.
    let (never, pause) = mpsc::channel::<()>();
    let counted = thread::scope(|scope| {
        let spinners = spinner::start(scope, taken, refused, &stop);
        let counted = if spinners.is_empty() {
            Ok(None)
        } else {
            let _ = pause.recv_timeout(Duration::from_millis(SETTLE_MS));
            look(&spinners, true).and_then(|before| {
                let start = Instant::now();
                let _ = pause.recv_timeout(window);
                let elapsed = start.elapsed();
                Ok(Some((before, look(&spinners, false)?, elapsed)))
            })
        };
        stop.store(true, Ordering::Relaxed);
        drop(never);
        counted.map(|counted| (spinners, counted))
    });
    match counted? {
        (spinners, Some((before, after, elapsed))) => said(&spinners, &before, &after, elapsed),
        (_, None) => Ok(json!({ "cpus": [] })),
    }
}

/// Looks at the counters; the tasks lie outside the window, for they take long to list.
fn look(spinners: &[Spinner], opening: bool) -> Result<Look, String> {
    let switched = || {
        let read =
            |one: &Spinner| task::read(&Path::new("/proc/self/task").join(one.tid.to_string()));
        spinners.iter().map(read).collect()
    };
    let early = opening.then(|| task::all_but(process::id()));
    let (interrupts, softirqs) = (Table::read("/proc/interrupts")?, Table::read("/proc/softirqs")?);
    let spinners = switched();
    let tasks = early.unwrap_or_else(|| task::all_but(process::id()));
    Ok(Look { interrupts, softirqs, tasks, spinners })
}

fn said(
    spinners: &[Spinner],
    before: &Look,
    after: &Look,
    elapsed: Duration,
) -> Result<Value, String> {
    let mut cpus = Vec::new();
    for (at, Spinner { cpu, .. }) in spinners.iter().enumerate() {
        let interrupts = after.interrupts.changes(&before.interrupts, *cpu)?;
        let softirqs = after.softirqs.changes(&before.softirqs, *cpu)?;
        let ticks: u64 = interrupts.iter().filter(|c| c.of_tick()).map(|c| c.count).sum();
        let (devices, others): (Vec<&Change>, Vec<&Change>) =
            interrupts.iter().filter(|change| !change.of_tick()).partition(|c| c.of_device());
        let switches = |look: &Look| look.spinners.get(at)?.as_ref().map(|task| task.switches);
        let switches = switches(after).zip(switches(before));
        let tasks = match (&before.tasks, &after.tasks) {
            (Ok(before), Ok(after)) => {
                task::seen_on(*cpu, before, after).iter().map(shown).collect()
            }
            (Err(why), _) | (_, Err(why)) => json!({ "hidden": why }),
        };
        cpus.push(json!({
            "cpu": cpu,
            "ticks": after.interrupts.has_tick().then_some(ticks),
            "devices": devices.into_iter().map(counted).collect::<Value>(),
            "other-interrupts": others.into_iter().map(counted).collect::<Value>(),
            "softirqs": softirqs.iter().map(counted).collect::<Value>(),
            "switches": switches.map(|(after, before)| after.saturating_sub(before)),
            "tasks": tasks,
        }));
    }
    Ok(json!({ "window-ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX), "cpus": cpus }))
}

fn counted(change: &Change) -> Value {
    json!({ "name": change.name, "what": change.what, "count": change.count })
}

fn shown(seen: &Seen<'_>) -> Value {
    json!({
        "name": seen.task.name,
        "tid": seen.tid,
        "kernel": seen.task.of_kernel,
        "runnable": seen.task.runnable,
        "switches": seen.switches,
    })
}
