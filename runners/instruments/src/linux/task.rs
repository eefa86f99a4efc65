//! Which tasks the system has, where each ran last, and how often it was switched.
//!
//! A task that is on a cpu at the end and was switched in between has run there, however short
//! its turns were. One that came, ran and left is not seen so: the count of the spinner that it
//! interrupted shows it without a name.

use std::{collections::BTreeMap, fs, path::Path};

/// Holds what is known of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Its name, as it says itself.
    pub(super) name: String,
    /// The cpu that it ran on last.
    pub(super) cpu: u32,
    /// Whether it wants to run.
    pub(super) runnable: bool,
    /// Whether it belongs to the kernel.
    pub(super) of_kernel: bool,
    /// How often it gave up the cpu or was taken off it.
    pub(super) switches: u64,
}

/// Tasks by process and thread.
pub(super) type Tasks = BTreeMap<(u32, u32), Task>;

/// Flag of kernel threads. *Source*: `linux/sched.h`, `PF_KTHREAD`.
const OF_KERNEL: u64 = 0x0020_0000;

/// Lists all tasks but those of one process.
///
/// *Errors*: processes of others are hidden, in one sentence.
pub(super) fn all_but(own: u32) -> Result<Tasks, String> {
    if fs::read_to_string("/proc/1/stat").is_err() {
        return Err("processes of others are hidden: /proc is mounted with hidepid".to_owned());
    }
    let numbers = |folder: &Path| -> Vec<u32> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    };
    let mut tasks = Tasks::new();
    for pid in numbers(Path::new("/proc")).into_iter().filter(|pid| *pid != own) {
        let folder = Path::new("/proc").join(pid.to_string()).join("task");
        for tid in numbers(&folder) {
            // One that ends meanwhile is none.
            if let Some(task) = read(&folder.join(tid.to_string())) {
                tasks.insert((pid, tid), task);
            }
        }
    }
    Ok(tasks)
}

/// Returns the number of the calling thread.
pub(super) fn own_thread() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }.unsigned_abs()
}

/// Reads one task.
pub(super) fn read(folder: &Path) -> Option<Task> {
    let text = |name: &str| fs::read(folder.join(name)).ok();
    let stat = text("stat")?;
    let status = text("status")?;
    parse(&String::from_utf8_lossy(&stat), &String::from_utf8_lossy(&status))
}

/// Reads `stat` and `status`. *Source*: `proc_pid_stat(5)`: fields 3, 9 and 39.
fn parse(stat: &str, status: &str) -> Option<Task> {
    // A name may hold blanks and brackets.
    let (opening, rest) = (stat.find('(')?, stat.rfind(')')?);
    let name = stat.get(opening + 1..rest)?.to_owned();
    let fields: Vec<&str> = stat.get(rest + 1..)?.split_whitespace().collect();
    let flags: u64 = fields.get(9 - 3)?.parse().ok()?;
    let count = |key: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.strip_prefix(':')?.trim().parse().ok()
    };
    Some(Task {
        name,
        cpu: fields.get(39 - 3)?.parse().ok()?,
        runnable: *fields.first()? == "R",
        of_kernel: flags & OF_KERNEL != 0,
        switches: count("voluntary_ctxt_switches")? + count("nonvoluntary_ctxt_switches")?,
    })
}

/// Holds a task that ran on a cpu, or waits to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen<'a> {
    /// Number of its thread.
    pub(super) tid: u32,
    /// What is known of it.
    pub(super) task: &'a Task,
    /// How often it was switched meanwhile.
    pub(super) switches: u64,
}

/// Lists the tasks that ran on a cpu between two looks, or want to run there.
pub(super) fn seen_on<'a>(cpu: u32, before: &'a Tasks, after: &'a Tasks) -> Vec<Seen<'a>> {
    let seen = |(key, task): (&(u32, u32), &'a Task)| {
        let earlier = before.get(key);
        let switches = task.switches - earlier.map_or(0, |t| t.switches).min(task.switches);
        (switches > 0 || task.runnable).then_some(Seen { tid: key.1, task, switches })
    };
    after.iter().filter(|(_, task)| task.cpu == cpu).filter_map(seen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(name: &str, state: &str, flags: u64, cpu: u32) -> String {
        let middle = "0 ".repeat(29);
        format!("12 ({name}) {state} 1 1 1 0 -1 {flags} {middle}{cpu} 0 0\n")
    }

    fn task(state: &str, cpu: u32, switches: u64) -> Task {
        let status = format!(
            "Name:\tx\nvoluntary_ctxt_switches:\t{switches}\nnonvoluntary_ctxt_switches:\t0\n"
        );
        parse(&stat("a) R (b", state, OF_KERNEL, cpu), &status).unwrap()
    }

    #[test]
    fn a_name_with_blanks_and_brackets_shifts_no_field() {
        let read = task("S", 3, 7);
        let expected = Task {
            name: "a) R (b".to_owned(),
            cpu: 3,
            runnable: false,
            of_kernel: true,
            switches: 7,
        };
        assert_eq!(read, expected);
        assert_eq!(parse("12 (x) R 1 1", "voluntary_ctxt_switches: 1\n"), None);
        assert_eq!(parse("", ""), None);
        assert!(read_self().is_some_and(|task| !task.of_kernel));
    }

    fn read_self() -> Option<Task> {
        read(Path::new("/proc/thread-self"))
    }

    #[test]
    fn who_ran_or_waits_on_the_cpu_is_seen_and_who_slept_or_was_elsewhere_is_not() {
        let before = Tasks::from([((1, 1), task("S", 3, 5)), ((2, 2), task("S", 3, 5))]);
        let after = Tasks::from([
            ((1, 1), task("S", 3, 5)),
            ((2, 2), task("S", 3, 9)),
            ((3, 3), task("S", 2, 9)),
            ((4, 4), task("R", 3, 0)),
        ]);
        let seen: Vec<(u32, u64)> =
            seen_on(3, &before, &after).iter().map(|seen| (seen.tid, seen.switches)).collect();
        assert_eq!(seen, [(2, 4), (4, 0)]);
    }
}
