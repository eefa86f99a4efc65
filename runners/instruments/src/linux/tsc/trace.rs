//! What the kernel did on one cpu, from a trace instance of our own.
//!
//! The instance shares nothing with anybody's tracing, stamps events by the counter that the loop
//! reads, and is removed on every way out: by `Drop`, and by a guard when the process is ended.
//! Where tracefs is not mounted, it is mounted in a mount namespace that only this process has.

use std::{
    ffi::CStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    calibrate::clock_ns,
    event::{self, Event},
};
use crate::linux::{
    Refusal,
    guard::{Guard, Removes},
};

const TRACEFS: &str = "/sys/kernel/tracing";
const DEBUGFS: &str = "/sys/kernel/debug/tracing";
/// Room for events of the cpu. *Units*: KiB. *Source*: a busy cpu fills 1 MiB in 2 s.
const ROOM_KIB: &str = "8192";
/// Folders of events below `events/`.
const EVENTS: [&str; 6] = ["irq_vectors", "irq", "sched/sched_switch", "nmi", "ipi", "exceptions"];

/// Holds the instance.
pub(super) struct Trace {
    folder: PathBuf,
    cpu: u32,
    /// Folders of events that this kernel does not have.
    missing: Vec<&'static str>,
    /// Dropped after the folder is gone: then it has nothing left to do.
    _guard: Guard,
}

/// Holds what was traced.
pub(super) struct Traced {
    pub events: Vec<Event>,
    /// Events that the kernel had no room for, and lines that could not be read.
    pub lost: u64,
    pub missing: Vec<&'static str>,
}

impl Trace {
    /// Makes the instance for one cpu; it traces once it is switched on.
    ///
    /// *Errors*: no tracefs, no right, or no counter as its clock.
    pub(super) fn start(cpu: u32) -> Result<Self, Refusal> {
        let instances = instances()?;
        // The time makes the name one that nobody had before, so removing it never hits another.
        let (process, now) = (std::process::id(), clock_ns(libc::CLOCK_MONOTONIC_RAW));
        let folder = instances.join(format!("verify-tsc-{process}-{now}"));
        let guard = Guard::start(&folder.to_string_lossy(), Removes::Folder)?;
        fs::create_dir(&folder).map_err(|error| refusal("mkdir", &folder, &error))?;
        let mut trace = Self { folder, cpu, missing: Vec::new(), _guard: guard };
        trace.set("tracing_on", "0")?;
        trace.set("trace_clock", "x86-tsc")?;
        trace.set("tracing_cpumask", &mask(cpu))?;
        // Other cpus record nothing, so they need no room.
        trace.set("buffer_size_kb", "4")?;
        trace.set(&format!("per_cpu/cpu{cpu}/buffer_size_kb"), ROOM_KIB)?;
        // Faults of other tasks would fill the room and say nothing about the loop.
        let own = format!("common_pid=={process}");
        let _ = trace.set("events/exceptions/filter", &own);
        for name in EVENTS {
            if trace.set(&format!("events/{name}/enable"), "1").is_err() {
                trace.missing.push(name);
            }
        }
        if trace.missing.len() == EVENTS.len() {
            let why = format!("{}: no event can be switched on", trace.folder.display());
            return Err(Refusal::of("write", libc::ENOENT, why));
        }
        Ok(trace)
    }

    /// Starts or stops recording.
    pub(super) fn record(&self, on: bool) -> Result<(), Refusal> {
        self.set("tracing_on", if on { "1" } else { "0" })
    }

    /// Reads what was recorded.
    ///
    /// *Errors*: the kernel's answer cannot be read.
    pub(super) fn read(self) -> Result<Traced, Refusal> {
        let read = |name: &str| {
            let path = self.folder.join(format!("per_cpu/cpu{}/{name}", self.cpu));
            fs::read(&path).map_err(|error| refusal("read", &path, &error))
        };
        let (events, unread) = event::parse(&read("trace")?);
        let stats = String::from_utf8_lossy(&read("stats")?).into_owned();
        let lost = ["overrun", "commit overrun", "dropped events"].map(|name| stat(&stats, name));
        let lost = lost.into_iter().sum::<u64>() + unread;
        Ok(Traced { events, lost, missing: self.missing.clone() })
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "a control file of the kernel is written in place"
    )]
    fn set(&self, name: &str, value: &str) -> Result<(), Refusal> {
        let path = self.folder.join(name);
        fs::write(&path, value).map_err(|error| refusal("write", &path, &error))
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = self.record(false);
        let _ = fs::remove_dir(&self.folder);
    }
}

fn refusal(call: &'static str, path: &Path, error: &io::Error) -> Refusal {
    let errno = error.raw_os_error().unwrap_or_default();
    let why = format!("{}: needs root, and no lockdown for confidentiality", path.display());
    Refusal::of(call, errno, why)
}

fn stat(stats: &str, name: &str) -> u64 {
    let mut lines = stats.lines().filter_map(|line| line.split_once(':'));
    let line = lines.find(|(key, _)| *key == name);
    line.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

/// Writes a mask of one cpu: words of 32 bits in hexadecimal, the highest first.
fn mask(cpu: u32) -> String {
    let zeros = ",00000000".repeat((cpu / 32) as usize);
    format!("{:x}{zeros}", 1_u32 << (cpu % 32))
}

/// Returns the folder of trace instances, mounting tracefs for this process where it is not.
fn instances() -> Result<PathBuf, Refusal> {
    for place in [TRACEFS, DEBUGFS] {
        let folder = Path::new(place).join("instances");
        if fs::metadata(&folder).is_ok() {
            return Ok(folder);
        }
    }
    if fs::metadata(TRACEFS).is_err() {
        let why = format!("{TRACEFS}: the kernel has no tracing, or it is locked down");
        return Err(Refusal::of("mount", libc::ENOENT, why));
    }
    // SAFETY: passes no memory; this process alone gets mounts of its own.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Err(Refusal::last(
            "unshare",
            "tracefs is not mounted, and mounting needs CAP_SYS_ADMIN",
        ));
    }
    mount(c"none", c"/", None, libc::MS_REC | libc::MS_PRIVATE)?;
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    mount(c"tracefs", c"/sys/kernel/tracing", Some(c"tracefs"), flags)?;
    Ok(Path::new(TRACEFS).join("instances"))
}

fn mount(what: &CStr, place: &CStr, kind: Option<&CStr>, flags: u64) -> Result<(), Refusal> {
    let kind = kind.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: the texts end with a NUL and live through the call; no data is passed.
    let mounted =
        unsafe { libc::mount(what.as_ptr(), place.as_ptr(), kind, flags, std::ptr::null()) };
    if mounted != 0 {
        return Err(Refusal::last("mount", "tracefs cannot be mounted: forbidden or locked down"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_statistics_are_written_as_the_kernel_writes_them() {
        assert_eq!(mask(0), "1");
        assert_eq!(mask(6), "40");
        assert_eq!(mask(33), "2,00000000");
        let stats = "entries: 40237\noverrun: 8736\ncommit overrun: 1\ndropped events: 2\n";
        assert_eq!(stat(stats, "overrun"), 8736);
        assert_eq!(stat(stats, "dropped events"), 2);
        assert_eq!(stat(stats, "read events"), 0);
    }

    #[test]
    fn an_instance_is_gone_once_it_was_read_or_dropped() {
        let trace = match Trace::start(0) {
            Ok(trace) => trace,
            Err(refusal) => return println!("skipped: needs tracefs: {}", refusal.to_json()),
        };
        let folder = trace.folder.clone();
        assert!(folder.try_exists().unwrap());
        trace.record(true).unwrap();
        trace.record(false).unwrap();
        assert!(trace.read().is_ok());
        assert!(!folder.try_exists().unwrap());
    }
}
