//! What a run left behind: processes, and files that nobody will ever use.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// Longest that what is being ended may take on a machine that is busy with something else; the warden
/// gives half a second, the shell of a node one.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits a little.
pub(crate) fn pause(time: Duration) {
    let (_keep, never) = channel::<()>();
    let _ = never.recv_timeout(time);
}

/// Describes one process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) words: String,
}

/// Lists the processes that carry one of these words, in their environment or on their command line;
/// one that has ended counts for nothing.
pub(crate) fn carrying(words: &[String]) -> Vec<Process> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let stat = String::from_utf8_lossy(&read("stat")).into_owned();
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start().to_owned();
        if pid == own || state.is_empty() || state.starts_with(['Z', 'X']) {
            continue;
        }
        let (line, environment) = (read("cmdline"), read("environ"));
        let text = [line.as_slice(), &environment].concat();
        let text = String::from_utf8_lossy(&text);
        if words.iter().any(|word| text.contains(word)) {
            let words = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push(Process { pid, words: words.chars().take(120).collect() });
        }
    }
    found
}

/// Waits until no process carries any of these words; returns and ends those that stay.
pub(crate) fn orphans(words: &[String]) -> Vec<Process> {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = carrying(words);
        if found.is_empty() {
            return found;
        }
        if Instant::now() > until {
            for process in &found {
                let _ = kill_process(Pid::from_raw(process.pid).unwrap(), Signal::KILL);
            }
            return found;
        }
        pause(Duration::from_millis(10));
    }
}

/// Lists every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Tells whether a file is one that was on its way to its place.
pub(crate) fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(".verify-") || name.starts_with(".tmp") || name.starts_with(".new-")
}
