//! Starts a program that an instrument needs, waits for it, and keeps what it said.
//!
//! The program stands in the instrument's process group, so that a time-out ends both, or in one of
//! its own that a guard ends; it dies with the instrument even where that is killed. It leaves no
//! core file and writes no endless one. The time limit is the transport's. What is kept of each
//! stream is bounded; nothing of what it says is interpreted here.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};
use serde_json::{Value, json};

use super::guard::Guard;

/// Bounds what is kept of a stream. *Units*: B.
pub(super) const CAP: u64 = 1 << 20;
/// Bounds every file that a program writes, those in memory as well. *Units*: B.
const FILE_CAP: u64 = 1 << 30;

/// Holds how a program ended and what it said.
pub(super) struct Said {
    pub(super) exit: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Said {
    /// Returns it as a part of a document, with the output that counts.
    pub(super) fn to_json(&self, output: &str) -> Value {
        json!({
            "exit": self.exit,
            "signal": self.signal,
            "output": output,
            "stderr": self.stderr,
        })
    }
}

/// Says in which surroundings a program runs.
#[derive(Default)]
pub(super) struct Setting<'a> {
    /// Variables that are set for it.
    pub(super) variables: &'a [(&'a str, &'a str)],
    /// Folder that it stands in and puts what is temporary into.
    pub(super) folder: Option<&'a Path>,
    /// What it reads; nothing unless given.
    pub(super) input: Option<File>,
    /// Ends the program's group, which is one of its own, where this process is ended.
    pub(super) guard: Option<&'a Guard>,
}

/// Runs a program to its end.
///
/// *Errors*: it cannot be started; `NotFound` where there is no such program.
pub(super) fn run(program: &str, args: &[String]) -> io::Result<Said> {
    run_in(program, args, Setting::default())
}

/// Runs a program to its end, in surroundings of its own.
///
/// *Errors*: as [`run`].
#[allow(clippy::disallowed_methods, reason = "this is the place where an instrument starts one")]
pub(super) fn run_in(program: &str, args: &[String], setting: Setting<'_>) -> io::Result<Said> {
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C").envs(setting.variables.iter().copied());
    command.stdin(setting.input.map_or_else(Stdio::null, Stdio::from));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(folder) = setting.folder {
        command.current_dir(folder).env("TMPDIR", folder);
    }
    if setting.guard.is_some() {
        command.process_group(0);
    }
    // SAFETY: between fork and exec it makes system calls alone, which touch no memory of ours.
    unsafe { command.pre_exec(bound) };
    let mut child = command.spawn()?;
    let tell = |group| setting.guard.iter().for_each(|guard| guard.ends(group));
    tell(libc::pid_t::try_from(child.id()).unwrap_or(0));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = thread::scope(|scope| {
        let second = scope.spawn(move || kept(stderr));
        (kept(stdout), second.join().unwrap_or_default())
    });
    let status = child.wait();
    tell(0);
    let status = status?;
    Ok(Said { exit: status.code(), signal: status.signal(), stdout, stderr })
}

/// Has the program end with this process, and bounds what it can leave or fill.
fn bound() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // One byte is less than any core file needs, and stops a handler behind a pipe, which 0 does not.
    lower(Resource::Core, 1)?;
    lower(Resource::Fsize, FILE_CAP)
}

/// Lowers a limit; one that is lower already stays.
fn lower(resource: Resource, to: u64) -> io::Result<()> {
    let lower = |now: Option<u64>| Some(now.map_or(to, |now| now.min(to)));
    let Rlimit { current, maximum } = getrlimit(resource);
    let limit = Rlimit { current: lower(current), maximum: lower(maximum) };
    Ok(setrlimit(resource, limit)?)
}

/// Reads a stream to its end and keeps its beginning.
fn kept(stream: Option<impl Read>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut bytes = Vec::new();
    let whole = stream.by_ref().take(CAP).read_to_end(&mut bytes);
    // The rest is read as well: a program that cannot write would wait for ever.
    if whole.is_ok() {
        _ = io::copy(&mut stream, &mut io::sink());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(text: &str) -> Said {
        run("sh", &["-c".to_owned(), text.to_owned()]).unwrap()
    }

    #[test]
    fn both_streams_and_the_end_are_kept() {
        let said = sh("echo out; echo err >&2; exit 7");
        assert_eq!((said.exit, said.signal), (Some(7), None));
        assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("out\n", "err\n"));
        assert_eq!(sh("kill -9 $$").signal, Some(9));
        let setting = Setting { variables: &[("OF_OURS", "1")], ..Setting::default() };
        let told = run_in("sh", &["-c".into(), "echo $OF_OURS".into()], setting);
        assert_eq!(told.unwrap().stdout, "1\n");
        let gone = run("no-such-program-of-ours", &[]).err().map(|error| error.kind());
        assert_eq!(gone, Some(io::ErrorKind::NotFound));
    }

    #[test]
    fn what_it_can_leave_is_bounded() {
        let said = sh("ulimit -c; ulimit -f");
        let blocks = |text: &str| text.trim().parse::<u64>().unwrap_or(u64::MAX);
        let (core, file) = said.stdout.split_once('\n').unwrap();
        assert_eq!(blocks(core), 0, "of less than a block");
        assert!(blocks(file) <= FILE_CAP / 512, "{file}");
    }

    #[test]
    fn more_than_is_kept_holds_up_nobody() {
        let said = sh("head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2");
        assert_eq!((said.stdout.len() as u64, said.stderr.as_str()), (CAP, "end\n"));
    }
}
