//! Starts a server and ends it with all that it started, however this process ends.
//!
//! A child of its own, in a session of its own, is the server's parent: it waits on a line to this
//! process, and when that says so or breaks (after KILL, too), the whole family ends: TERM, a grace,
//! KILL. As subreaper it inherits what left the server's group or session, so nobody escapes it.
//! It does not carry the mark by which a run ends its strays, which would end it in the grace.
//! Should it be killed itself, the kernel kills the server.

use std::{
    env,
    ffi::OsString,
    io::{self, BufRead, BufReader, PipeWriter, Read, Write},
    net::Shutdown,
    os::{
        fd::AsFd,
        unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait},
};
use serde_json::{Value, json};

use super::{
    super::guard,
    family::{descendants, named},
    http::now,
};

/// How often the keeper looks at its children. *Units*: ms.
const TICK_MS: u64 = 20;
/// How long after KILL a process counts as one that cannot be ended.
const LAST: Duration = Duration::from_secs(10);
/// How long the keeper may take beyond the grace, until it is killed.
const PATIENCE: Duration = Duration::from_secs(20);
/// Signals that the keeper ignores and the server does not.
const SIGNALS: [libc::c_int; 4] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];

/// Says how a server is started.
pub(super) struct Start<'a> {
    pub(super) argv: &'a [String],
    /// Takes both of its streams.
    pub(super) log: PipeWriter,
    /// Where its temporary files belong.
    pub(super) folder: &'a Path,
    /// Between TERM and KILL.
    pub(super) grace: Duration,
}

/// Holds the line to the keeper; dropped, it waits until the keeper has ended.
pub(super) struct Keeper {
    line: UnixStream,
    pid: libc::pid_t,
    grace: Duration,
}

impl Keeper {
    /// Makes the keeper, which starts the server once it is told to. It must be called while this
    /// process has one thread.
    ///
    /// *Errors*: no process can be had, in one sentence.
    pub(super) fn start(start: Start<'_>) -> Result<Self, String> {
        let grace = start.grace;
        let (ours, theirs) = UnixStream::pair().map_err(|error| format!("socketpair: {error}"))?;
        // SAFETY: the child runs `keep` and calls `_exit`; it never returns into this program.
        let pid = unsafe { libc::fork() };
        if pid < 0 {
            return Err(format!("fork: {}", io::Error::last_os_error()));
        }
        if pid == 0 {
            drop(ours);
            keep(theirs, start);
            // SAFETY: ends this process at once, without the handlers that belong to its parent.
            unsafe { libc::_exit(0) }
        }
        Ok(Self { line: ours, pid, grace })
    }

    /// Returns what the keeper says, line by line.
    ///
    /// *Errors*: there is no second descriptor for the line.
    pub(super) fn said(&self) -> io::Result<impl Iterator<Item = Value> + use<>> {
        let lines = BufReader::new(self.line.try_clone()?).lines();
        Ok(lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()))
    }

    /// Tells the keeper to start the server.
    pub(super) fn begin(&mut self) {
        let _ = self.line.write_all(b"begin\n");
    }

    /// Tells the keeper to end the server.
    pub(super) fn end(&mut self) {
        let _ = self.line.write_all(b"end\n");
    }

    /// Returns the process that every process of the server descends from.
    pub(super) fn pid(&self) -> Option<u32> {
        u32::try_from(self.pid).ok()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // To close it is not enough: who hears the keeper holds the line, too.
        let _ = self.line.shutdown(Shutdown::Both);
        let until = now() + self.grace + PATIENCE;
        let mut status = 0;
        // SAFETY: `status` is a valid place, and the child is ours and not waited for before.
        while unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) } == 0 {
            if now() >= until {
                // It hangs, and the kernel kills the server with it.
                // SAFETY: passes no memory; not waited for, the child keeps its number.
                unsafe { libc::kill(self.pid, libc::SIGKILL) };
            }
            let moment = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
            let _ = rustix::thread::nanosleep(&moment);
        }
    }
}

/// Does the keeper's work, in the child.
fn keep(mut line: UnixStream, start: Start<'_>) {
    let (mark, grace) = (env::var_os(guard::VARIABLE), start.grace);
    guard::unmark();
    for signal in SIGNALS {
        // SAFETY: to ignore a signal needs no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    let _ = rustix::process::setsid();
    // SAFETY: takes numbers only.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    silence();
    // A word begins; the end of the line is the end of who would have said it.
    if !line.read(&mut [0; 16]).is_ok_and(|count| count > 0) {
        return;
    }
    let server = match started(start, mark) {
        Ok(pid) => pid,
        Err(error) => {
            let missing = error.kind() == io::ErrorKind::NotFound;
            say(&mut line, &json!({ "unstarted": error.to_string(), "missing": missing }));
            return;
        }
    };
    say(&mut line, &json!({ "started": server }));
    let mut family = Family { server, exited: false };
    while !told(&mut line) {
        if let Some(how) = family.reap() {
            say(&mut line, &how);
        }
    }
    let ended = family.end(grace);
    say(&mut line, &json!({ "ended": ended }));
}

/// Leads the standard streams nowhere: who reads ours to the end must not wait for the keeper.
fn silence() {
    if let Ok(null) = std::fs::File::options().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

fn say(line: &mut UnixStream, what: &Value) {
    let _ = line.write_all(format!("{what}\n").as_bytes());
}

/// Waits a moment; tells whether the end was asked for, or nobody is there to ask for it.
fn told(line: &mut UnixStream) -> bool {
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::try_from(TICK_MS * 1_000_000).unwrap_or(0) };
    let mut waiting = [PollFd::from_borrowed_fd(line.as_fd(), PollFlags::IN)];
    match poll(&mut waiting, Some(&wait)) {
        Ok(0) | Err(_) => false,
        // A word or the end: either means the same.
        Ok(_) => {
            let _ = line.read(&mut [0; 16]);
            true
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the place where a server is started")]
fn started(start: Start<'_>, mark: Option<OsString>) -> io::Result<u32> {
    let (program, rest) =
        start.argv.split_first().ok_or_else(|| io::Error::other("the command is empty"))?;
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::null()).process_group(0);
    command.stdout(start.log.try_clone()?).stderr(start.log);
    command.env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    // A server that names its processes writes over its variables, and with them over the mark.
    command.env("SPT_NOENV", "1").env("TMPDIR", start.folder);
    if let Some(mark) = mark {
        command.env(guard::VARIABLE, mark);
    }
    // SAFETY: between fork and exec it makes system calls that touch no memory of ours.
    unsafe { command.pre_exec(as_usual) };
    Ok(command.spawn()?.id())
}

/// Takes signals as a program expects it, and ends with the keeper.
fn as_usual() -> io::Result<()> {
    for signal in SIGNALS {
        // SAFETY: the default needs no handler.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let killed = Some(Signal::KILL);
    rustix::process::set_parent_process_death_signal(killed).map_err(io::Error::from)
}

/// Holds the server and all that descends from it: every child of the keeper.
struct Family {
    server: u32,
    exited: bool,
}

impl Family {
    /// Takes in who has ended; says how, where it was the server.
    fn reap(&mut self) -> Option<Value> {
        let mut how = None;
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if u32::try_from(pid.as_raw_nonzero().get()) == Ok(self.server) {
                self.exited = true;
                let status = std::process::ExitStatus::from_raw(status.as_raw());
                how =
                    Some(json!({ "exited": { "exit": status.code(), "signal": status.signal() } }));
            }
        }
        how
    }

    /// Lists who is left. Those that have ended and were not waited for are none.
    fn left(&mut self) -> Vec<u32> {
        self.reap();
        descendants(std::process::id())
    }

    /// Ends everybody: TERM, a grace, KILL.
    fn end(&mut self, grace: Duration) -> Value {
        let begun = now();
        self.signal(Signal::TERM);
        let mut left = self.wait(begun + grace, None);
        let strays: Vec<String> = left.iter().map(|pid| named(*pid)).collect();
        let by_force = !left.is_empty();
        if by_force {
            left = self.wait(now() + LAST, Some(Signal::KILL));
        }
        let left: Vec<String> = left.iter().map(|pid| named(*pid)).collect();
        json!({
            "by": if by_force { "KILL" } else { "TERM" },
            "killed": strays,
            "left": left,
            "ms": u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Waits until nobody is left or the time is over; returns who is. A signal is sent again and
    /// again, since who is about to be ended may start somebody.
    fn wait(&mut self, until: Instant, signal: Option<Signal>) -> Vec<u32> {
        loop {
            let left = self.left();
            if left.is_empty() || now() >= until {
                return left;
            }
            if let Some(signal) = signal {
                self.signal(signal);
            }
            let moment = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
            let _ = rustix::thread::nanosleep(&moment);
        }
    }

    fn signal(&mut self, signal: Signal) {
        // Not waited for, the server keeps its number, and so does its group.
        if !self.exited
            && let Some(group) = pid_of(self.server)
        {
            let _ = kill_process_group(group, signal);
        }
        for pid in self.left().into_iter().filter_map(pid_of) {
            let _ = kill_process(pid, signal);
        }
    }
}

fn pid_of(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}
