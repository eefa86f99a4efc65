//! Whether cpus are left alone: what interrupts a program that has one of them to itself.
//!
//! One spinner on each cpu keeps it busy, for only then does the kernel decide whether the tick
//! stays: an idle cpu has none anyway, and two tasks bring it back. Ticks, interrupts, softirqs
//! and other tasks are counted around a window. How long each interruption lasts is measured
//! elsewhere. The last cpus that the system has for itself are never taken.

use std::{
    collections::BTreeSet,
    fs, hint,
    path::Path,
    process,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    Instrument, Refusal, affinity,
    counter_table::{Change, Table},
    cpu_list, kernel_file,
    task::{self, Seen, Tasks},
};

pub(crate) const INSTRUMENT: Instrument = Instrument {
    name: "isolation",
    summary: "Counts what interrupts a busy program on given cpus.",
    arguments: "--cpus LIST       the cpus, such as 2,4-6\n\
                --window-ms N     how long is counted, 100 to 60000 (3000)",
    run,
};

/// *Units*: ms. *Source*: at 250 Hz 750 ticks, so that one is told from many.
const WINDOW_MS: u64 = 3000;
/// Time between the start of the spinners and the window, in which the tick stops. *Units*: ms.
const SETTLE_MS: u64 = 500;
/// Time in which a thread has started. *Units*: ms.
const START_MS: u64 = 5000;

const CPUS: &str = "/sys/devices/system/cpu";

struct Wanted {
    cpus: BTreeSet<u32>,
    window: Duration,
}

fn run(args: &[String]) -> Result<Value, String> {
    let wanted = arguments(args)?;
    let (mut taken, mut refused) = choose(&wanted.cpus, &Known::read()?);
    let measured = measure(&mut taken, &mut refused, wanted.window);
    let mut said = measured.unwrap_or_else(|why| json!({ "broken": why }));
    let refused = refused.iter().map(|(cpu, refusal)| {
        let mut said = refusal.to_json();
        said["cpu"] = json!(cpu);
        said
    });
    said["not-measured"] = refused.collect();
    Ok(said)
}

fn arguments(args: &[String]) -> Result<Wanted, String> {
    let (mut cpus, mut window_ms) = (None, WINDOW_MS);
    for pair in args.chunks(2) {
        let [name, value] = pair else {
            return Err(format!("`{}` has no value or is not taken", pair.join(" ")));
        };
        match name.as_str() {
            "--cpus" => cpus = Some(cpu_list::parse(value)?),
            "--window-ms" => {
                let number = value.parse().ok().filter(|ms| (100..=60_000).contains(ms));
                window_ms = number
                    .ok_or_else(|| format!("--window-ms takes 100 to 60000, found `{value}`"))?;
            }
            other => return Err(format!("it does not take `{other}`")),
        }
    }
    let cpus = cpus.filter(|cpus| !cpus.is_empty()).ok_or("--cpus names no cpu")?;
    Ok(Wanted { cpus, window: Duration::from_millis(window_ms) })
}

/// What the system says of its cpus.
struct Known {
    present: BTreeSet<u32>,
    online: BTreeSet<u32>,
    isolated: BTreeSet<u32>,
}

impl Known {
    fn read() -> Result<Self, String> {
        let list = |name: &str| {
            let text = kernel_file::text(&format!("{CPUS}/{name}"));
            cpu_list::parse(&text.ok_or_else(|| format!("{CPUS}/{name} cannot be read"))?)
        };
        let isolated = list("isolated").unwrap_or_default();
        Ok(Self { present: list("present")?, online: list("online")?, isolated })
    }
}

type Refused = Vec<(u32, Refusal)>;

/// Sorts out which cpus can be measured; the others each with the reason.
fn choose(wanted: &BTreeSet<u32>, known: &Known) -> (BTreeSet<u32>, Refused) {
    let left = |cpus: &BTreeSet<u32>| {
        let housekeeping = known.online.difference(&known.isolated);
        housekeeping.filter(|cpu| !cpus.contains(cpu)).count()
    };
    let refusal = |cpu: u32| {
        let present = cpu_list::show(&known.present);
        let (errno, why) = if !known.present.contains(&cpu) {
            (libc::EINVAL, format!("cpu {cpu} does not exist: present are {present}"))
        } else if !known.online.contains(&cpu) {
            (libc::EINVAL, format!("cpu {cpu} is offline: echo 1 > {CPUS}/cpu{cpu}/online"))
        } else if !known.isolated.contains(&cpu) && left(wanted) == 0 {
            let why = "it is among the last cpus that are not isolated: the system needs one";
            (libc::EBUSY, format!("cpu {cpu} is not taken: {why}"))
        } else {
            return None;
        };
        Some(Refusal::of("sched_setaffinity", errno, why))
    };
    let refused: Refused = wanted.iter().filter_map(|cpu| Some((*cpu, refusal(*cpu)?))).collect();
    let out: BTreeSet<u32> = refused.iter().map(|(cpu, _)| *cpu).collect();
    (wanted.difference(&out).copied().collect(), refused)
}

/// Holds what is known at one end of the window.
struct Look {
    interrupts: Table,
    softirqs: Table,
    tasks: Result<Tasks, String>,
    spinners: Vec<Option<task::Task>>,
}

/// Spins on the cpus and counts; one that the kernel does not give moves to `refused`.
///
/// *Errors*: nothing could be counted, in one sentence.
#[allow(clippy::disallowed_methods, reason = "the length of the window is measured here")]
fn measure(
    taken: &mut BTreeSet<u32>,
    refused: &mut Refused,
    window: Duration,
) -> Result<Value, String> {
    stay_off(taken);
    let stop = AtomicBool::new(false);
    // Held while the threads run, so that a wait on it ends by its limit alone.
    let (never, pause) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let started: Vec<(u32, Receiver<Result<u32, Refusal>>)> = taken
            .iter()
            .map(|cpu| {
                let (say, hear) = mpsc::channel();
                let (cpu, stop) = (*cpu, &stop);
                scope.spawn(move || spin(cpu, &say, stop));
                (cpu, hear)
            })
            .collect();
        let mut spinners = Vec::new();
        for (cpu, hear) in started {
            match hear.recv_timeout(Duration::from_millis(START_MS)) {
                Ok(Ok(tid)) => spinners.push((cpu, tid)),
                Ok(Err(refusal)) => refused.push((cpu, refusal)),
                Err(_) => {
                    let why = format!("the thread on cpu {cpu} did not run: who holds the cpu?");
                    refused.push((cpu, Refusal::of("sched_setaffinity", libc::EAGAIN, why)));
                }
            }
        }
        taken.retain(|cpu| spinners.iter().any(|(spun, _)| spun == cpu));
        let counted = if spinners.is_empty() {
            Ok((None, None, Duration::ZERO))
        } else {
            let _ = pause.recv_timeout(Duration::from_millis(SETTLE_MS));
            look(&spinners, true).and_then(|before| {
                let start = Instant::now();
                let _ = pause.recv_timeout(window);
                let elapsed = start.elapsed();
                Ok((Some(before), Some(look(&spinners, false)?), elapsed))
            })
        };
        stop.store(true, Ordering::Relaxed);
        drop(never);
        match counted? {
            (Some(before), Some(after), elapsed) => said(&spinners, &before, &after, elapsed),
            _ => Ok(json!({ "cpus": [] })),
        }
    })
}

/// Keeps the thread that counts away from the cpus that are counted.
fn stay_off(taken: &BTreeSet<u32>) {
    let Ok(known) = Known::read() else { return };
    let others: BTreeSet<u32> =
        known.online.iter().filter(|cpu| !taken.contains(cpu)).copied().collect();
    let housekeeping: BTreeSet<u32> = others.difference(&known.isolated).copied().collect();
    // Refused by a cpuset, it stays where it was put: off isolated cpus in any case.
    if affinity::pin(if housekeeping.is_empty() { &others } else { &housekeeping }).is_err() {
        let _ = affinity::pin(&others);
    }
}

/// Takes the cpu, says its thread's number and keeps the cpu busy until told to stop.
fn spin(cpu: u32, say: &Sender<Result<u32, Refusal>>, stop: &AtomicBool) {
    let pinned = affinity::pin(&BTreeSet::from([cpu]));
    let refused = pinned.is_err();
    let _ = say.send(pinned.map(|()| affinity::own_thread()));
    let mut turns = 0_u64;
    // Without a pause instruction, at which a hypervisor may take the cpu away.
    while !refused && !stop.load(Ordering::Relaxed) {
        turns = hint::black_box(turns.wrapping_add(1));
    }
}

/// Looks at the counters; the tasks lie outside the window, for they take long to list.
fn look(spinners: &[(u32, u32)], opening: bool) -> Result<Look, String> {
    let table = |path: &str| {
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Table::parse(&text).map_err(|why| format!("{path}: {why}"))
    };
    let switched = || {
        let read = |tid: &u32| task::read(&Path::new("/proc/self/task").join(tid.to_string()));
        spinners.iter().map(|(_, tid)| read(tid)).collect()
    };
    let early = opening.then(|| task::all_but(process::id()));
    let (interrupts, softirqs) = (table("/proc/interrupts")?, table("/proc/softirqs")?);
    let spinners = switched();
    let tasks = early.unwrap_or_else(|| task::all_but(process::id()));
    Ok(Look { interrupts, softirqs, tasks, spinners })
}

fn said(
    spinners: &[(u32, u32)],
    before: &Look,
    after: &Look,
    elapsed: Duration,
) -> Result<Value, String> {
    let mut cpus = Vec::new();
    for (at, (cpu, _)) in spinners.iter().enumerate() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    fn known(present: &str, online: &str, isolated: &str) -> Known {
        let list = |text| cpu_list::parse(text).unwrap();
        Known { present: list(present), online: list(online), isolated: list(isolated) }
    }

    #[test]
    fn arguments_that_it_does_not_take_are_named() {
        assert_eq!(arguments(&args("--cpus 2,3")).unwrap().window, Duration::from_secs(3));
        for (bad, named) in [
            ("", "--cpus"),
            ("--cpus", "--cpus"),
            ("--cpus x", "`x`"),
            ("--cpus 1 --window-ms 5", "`5`"),
            ("--now 1", "--now"),
        ] {
            let said = arguments(&args(bad)).map(|_| ()).unwrap_err();
            assert!(said.contains(named), "{bad}: {said}");
        }
    }

    #[test]
    fn cpus_that_are_offline_absent_or_the_last_ones_are_refused_each_with_its_reason() {
        let chosen = |wanted: &str, known: Known| {
            let (taken, refused) = choose(&cpu_list::parse(wanted).unwrap(), &known);
            let whys = refused.iter().map(|(cpu, refusal)| {
                assert!(refusal.why.contains(&format!("cpu {cpu} ")), "{}", refusal.why);
                refusal.why.clone()
            });
            (cpu_list::show(&taken), whys.collect::<Vec<_>>().join("; "))
        };
        assert_eq!(chosen("2-3", known("0-3", "0-3", "2-3")), ("2-3".to_owned(), String::new()));
        let (taken, why) = chosen("2-4", known("0-3", "0-2", "2-3"));
        assert_eq!(taken, "2");
        assert!(why.contains("cpu 3 is offline") && why.contains("cpu 4 does not exist"), "{why}");
        let (taken, why) = chosen("0", known("0", "0", ""));
        assert!(taken.is_empty() && why.contains("the system needs one"), "{why}");
        let (taken, why) = chosen("0,2-3", known("0-3", "0-3", "1-3"));
        assert!(taken == "2-3" && why.contains("cpu 0 is not taken"), "{why}");
        assert_eq!(chosen("1", known("0-3", "0-3", "2-3")).0, "1");
    }

    #[test]
    fn a_cpu_is_measured_or_says_why_not() {
        let said = run(&args("--cpus 1,7000 --window-ms 100")).unwrap();
        let not: Vec<u64> = said["not-measured"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["cpu"].as_u64())
            .collect();
        assert!(not.contains(&7000), "{said}");
        let measured = &said["cpus"][0];
        if !not.contains(&1) {
            assert!(said["window-ms"].as_u64().unwrap() >= 100 && measured["cpu"] == 1, "{said}");
            assert!(
                measured["tasks"].is_array() || measured["tasks"]["hidden"].is_string(),
                "{said}"
            );
        }
    }
}
