//! Whether a machine was fit to be compared with its baseline while it was measured.
//!
//! Asked before and after an attempt, never during it, and only of checks that load the machine and
//! compare. What nobody can read says nothing. A node file with `busy = true` says that its machine is
//! never quiet: then nothing is gated, and baselines hold its noise.
//!
//! *Source*: the specification of the comparison, section 6; its thresholds are proposed, not proven.

use verify_model::{
    ask::Ask,
    evidence::{Captured, Evidence},
};

const STAT: &str = "/proc/stat";
const POWER: &str = "/sys/class/power_supply/*/uevent";
/// Largest answer. *Units*: B.
const CAP: u64 = 1024 * 1024;
/// Share of the time that the host of a virtual machine may take.
const STEAL: f64 = 0.01;
/// Runnable tasks for each cpu, beside those that ask.
const RUNNABLE: f64 = 0.5;
/// Tasks that run because of the asking: a shell and what it reads with.
const ASKING: f64 = 2.0;

/// Lists what is asked before an attempt.
pub(super) fn before() -> Vec<Ask> {
    vec![
        Ask::ReadFile { path: STAT.to_owned(), cap: CAP },
        Ask::ReadFiles { pattern: POWER.to_owned(), cap: CAP },
    ]
}

/// Lists what is asked after it.
pub(super) fn after() -> Vec<Ask> {
    vec![Ask::ReadFile { path: STAT.to_owned(), cap: CAP }]
}

/// Says why an attempt is not compared, in one sentence; nothing where nothing speaks against it.
pub(super) fn disturbed(before: &[Evidence], after: &[Evidence]) -> Option<String> {
    let then = before.iter().find_map(stat);
    let now = after.iter().find_map(stat);
    if let Some(stat) = &then
        && stat.running - ASKING > RUNNABLE * stat.cpus
    {
        return Some(format!(
            "{} other tasks wanted to run before it began, on {} cpus",
            stat.running - ASKING,
            stat.cpus
        ));
    }
    if before.iter().any(on_battery) {
        return Some("the machine runs on battery".to_owned());
    }
    let (then, now) = (then?, now?);
    let (steal, all) = (now.steal - then.steal, now.all - then.all);
    (all > 0.0 && steal / all > STEAL).then(|| {
        format!("the host of this virtual machine took {:.1} % of its time", 100.0 * steal / all)
    })
}

/// Holds what the kernel says of its cpus. *Units*: ticks.
struct Stat {
    all: f64,
    steal: f64,
    cpus: f64,
    running: f64,
}

fn stat(evidence: &Evidence) -> Option<Stat> {
    let Captured::File(stream) = &evidence.captured else { return None };
    let mut found = Stat { all: 0.0, steal: 0.0, cpus: 0.0, running: 0.0 };
    let mut running = None;
    for line in stream.text.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("cpu") => {
                let ticks: Option<Vec<f64>> = words.map(|word| word.parse().ok()).collect();
                // Time of guests is part of user time already.
                let ticks = ticks?;
                found.all = ticks.iter().take(8).sum();
                found.steal = *ticks.get(7)?;
            }
            Some("procs_running") => running = words.next()?.parse().ok(),
            Some(word) if word.starts_with("cpu") => found.cpus += 1.0,
            _ => {}
        }
    }
    found.running = running?;
    (found.cpus > 0.0 && found.all > 0.0).then_some(found)
}

/// Tells whether a battery feeds the machine itself, and not a mouse.
fn on_battery(evidence: &Evidence) -> bool {
    let Captured::Files(files) = &evidence.captured else { return false };
    let feeds = |text: &str| {
        let has = |line: &str| text.lines().any(|known| known == line);
        has("POWER_SUPPLY_TYPE=Battery")
            && has("POWER_SUPPLY_STATUS=Discharging")
            && !has("POWER_SUPPLY_SCOPE=Device")
    };
    files.iter().any(|(_, file)| file.as_ref().is_ok_and(|stream| feeds(&stream.text)))
}

#[cfg(test)]
mod tests {
    use verify_model::evidence::Stream;

    use super::*;

    fn read(text: &str) -> Evidence {
        Evidence {
            id: 0,
            node: "box".into(),
            ask: Ask::ReadFile { path: STAT.into(), cap: CAP },
            at_ms: 0,
            elapsed_us: 0,
            captured: Captured::File(Stream::whole(text.as_bytes())),
        }
    }

    fn kernel(idle: u32, steal: u32, running: u32) -> Evidence {
        read(&format!(
            "cpu  100 0 100 {idle} 0 0 0 {steal} 50 0\ncpu0 1\ncpu1 1\nprocs_running {running}\n"
        ))
    }

    #[test]
    fn a_quiet_machine_is_not_gated_and_a_busy_or_stolen_one_is() {
        let said = |then, now| disturbed(&[then], &[now]);
        assert_eq!(said(kernel(1000, 0, 3), kernel(2000, 9, 9)), None);
        let stolen = said(kernel(1000, 0, 1), kernel(2000, 20, 1)).unwrap();
        assert!(stolen.contains("took 2.0 % of its time"), "{stolen}");
        let busy = said(kernel(1000, 0, 4), kernel(2000, 0, 1)).unwrap();
        assert!(busy.starts_with("2 other tasks"), "{busy}");
    }

    #[test]
    fn what_cannot_be_read_gates_nothing() {
        for text in
            ["", "cpu", "cpu 1 x", "cpu  1 2 3\ncpu0 1\nprocs_running 9", "procs_running 99"]
        {
            assert_eq!(disturbed(&[read(text)], &[read(text)]), None, "{text}");
        }
        assert_eq!(disturbed(&[], &[]), None);
        // The clock of the kernel went back.
        assert_eq!(disturbed(&[kernel(2000, 50, 1)], &[kernel(1000, 0, 1)]), None);
    }
}
