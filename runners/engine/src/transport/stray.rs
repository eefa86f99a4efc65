//! Finds and ends processes that left their group: a child that called `setsid` is still ours.
//!
//! Every child inherits an environment variable that names run and ask. Where `/proc` exists, the
//! processes that still carry it are ended; elsewhere only the process group can be.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use rustix::process::{Pid, Signal, kill_process};

/// Environment variable that every child carries.
pub(super) const VARIABLE: &str = "VERIFY_ASK";

/// Room for an environment, to begin with: what is read in pieces is fetched from its process each time.
/// *Units*: B.
const ROOM: usize = 8192;

/// How often a process without an environment is looked at.
const LOOKS: usize = 20;

/// Ends what one ask left behind; returns the processes by name.
pub(super) fn end_ask(mark: &str) -> Vec<String> {
    end_where(|variable| variable == mark.as_bytes())
}

/// Ends what a whole run left behind; returns the processes by name.
pub(super) fn end_run(mark: &str) -> Vec<String> {
    let prefix = format!("{VARIABLE}={mark}/");
    end_where(|variable| variable.starts_with(prefix.as_bytes()))
}

/// Ends every process that has such a variable in its environment.
fn end_where(is_mark: impl Fn(&[u8]) -> bool) -> Vec<String> {
    let mut ended = Vec::new();
    let Ok(entries) = fs::read_dir("/proc") else { return ended };
    let own = rustix::process::getpid();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|n| n.parse().ok()).and_then(Pid::from_raw) else {
            continue;
        };
        if pid == own {
            continue;
        }
        let environment = environment(&entry.path());
        let carries = environment.split(|b| *b == 0).any(&is_mark);
        if carries && kill_process(pid, Signal::KILL).is_ok() {
            let command = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            ended.push(format!("{} (pid {})", command.trim(), pid.as_raw_nonzero()));
        }
    }
    ended
}

fn whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(ROOM);
    fs::File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the environment of a process; one that is just becoming another program has none for a
/// moment and is looked at again. Threads of the kernel have neither program nor environment.
pub(super) fn environment(process: &Path) -> Vec<u8> {
    for _ in 0..LOOKS {
        let environment = whole(&process.join("environ")).unwrap_or_default();
        if !environment.is_empty() || fs::read_link(process.join("exe")).is_err() {
            return environment;
        }
        std::thread::yield_now();
    }
    Vec::new()
}
