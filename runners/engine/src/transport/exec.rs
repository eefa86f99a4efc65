//! Runs one program: own process group, capped output, a time limit that ends the whole tree.
//!
//! One thread waits on both pipes and on the process at once; nothing is polled on Linux but the
//! interrupt flag. A child that ends while a grandchild holds its pipes gets [`DRAIN`] and then the
//! group is ended. TERM comes first, KILL after [`GRACE`], and what survives KILL is named.

use std::{
    io::PipeReader,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::CommandExt,
    },
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, kill_process_group},
};
use verify_model::{
    ask::DEFAULT_CAP,
    evidence::{Captured, Failure, FailureKind},
};

use crate::script;

use super::{Cancel, capped::Capped, files, locate, stray, warden::Watched};

/// Time between TERM and KILL.
const GRACE: Duration = Duration::from_millis(500);
/// Time after KILL until a process counts as unkillable.
const LAST: Duration = Duration::from_secs(2);
/// Time for grandchildren to finish writing after the child has ended.
const DRAIN: Duration = Duration::from_millis(200);
/// Longest wait between two looks at the interrupt flag.
const TICK: Duration = Duration::from_millis(50);

/// Runs programs and marks them.
#[derive(Debug)]
pub(super) struct Exec {
    mark: String,
    started: AtomicU64,
    /// Has what carries the mark ended when this process is gone; from the first program on.
    watched: OnceLock<Watched>,
    /// Whether children see nothing of this process's environment.
    bare: bool,
}

impl Exec {
    pub(super) fn new(mark: String) -> Self {
        Self { mark, started: AtomicU64::new(0), watched: OnceLock::new(), bare: false }
    }

    /// Builds one whose children see nothing of this process's environment.
    pub(super) fn bare(mark: String) -> Self {
        Self { bare: true, ..Self::new(mark) }
    }

    /// Tells whether any program was started: only then can anything be left behind.
    pub(super) fn started_any(&self) -> bool {
        self.started.load(Ordering::Relaxed) > 0
    }

    /// Runs a program to its end or its limit.
    pub(super) fn run(
        &self,
        argv: &[String],
        env: &[(String, String)],
        limit_ms: u64,
        cap: u64,
        cancel: &Cancel,
    ) -> Captured {
        self.feed(argv, env, None, Bounds { limit_ms, cap }, cancel)
    }

    /// Runs one of our Python programs, which the interpreter reads from its standard input.
    pub(super) fn interpret(
        &self,
        interpreter: &str,
        name: &str,
        args: &[String],
        limit_ms: u64,
        cancel: &Cancel,
    ) -> Captured {
        let Some(script) = script::find(name) else {
            let why = format!("this version has no Python program `{name}`");
            return Captured::Failed(Failure::new(FailureKind::Unsupported, why));
        };
        let words = script::argv(interpreter, args);
        let env = script::ENVIRONMENT.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let env: Vec<(String, String)> = env.collect();
        let bounds = Bounds { limit_ms, cap: DEFAULT_CAP };
        self.feed(&words, &env, Some(script.source()), bounds, cancel)
    }

    fn feed(
        &self,
        argv: &[String],
        env: &[(String, String)],
        input: Option<String>,
        bounds: Bounds,
        cancel: &Cancel,
    ) -> Captured {
        let name = argv.first().map_or("", String::as_str);
        let Some(program) = locate::which(name) else {
            return Captured::Failed(Failure::new(FailureKind::NotFound, locate::not_found(name)));
        };
        self.watched.get_or_init(|| Watched::mark(&self.mark));
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}={}/{number}", stray::VARIABLE, self.mark);
        match Child::start(&program, &argv[1..], env, input, &mark, self.bare) {
            Ok(child) => child.attend(bounds.limit_ms, bounds.cap, cancel, &mark),
            Err(error) => Captured::Failed(files::failure(&error)),
        }
    }
}

/// Bounds one program: its time in ms, and how many bytes of each stream are kept.
#[derive(Clone, Copy)]
struct Bounds {
    limit_ms: u64,
    cap: u64,
}

/// Says why a child is being watched no longer.
enum End {
    Exited,
    TimedOut,
    Interrupted,
}

struct Child {
    handle: duct::Handle,
    pid: Pid,
    exit: Option<OwnedFd>,
    stdout: Option<PipeReader>,
    stderr: Option<PipeReader>,
    _watched: Watched,
}

impl Child {
    #[allow(clippy::disallowed_methods, reason = "this is the place")]
    fn start(
        program: &std::path::Path,
        args: &[String],
        env: &[(String, String)],
        input: Option<String>,
        mark: &str,
        bare: bool,
    ) -> std::io::Result<Self> {
        let (stdout, stdout_writer) = std::io::pipe()?;
        let (stderr, stderr_writer) = std::io::pipe()?;
        let (variable, value) = mark.split_once('=').unwrap_or((mark, ""));
        let expression = duct::cmd(program, args);
        let expression = match input {
            None => expression.stdin_null(),
            Some(text) => expression.stdin_bytes(text),
        };
        let mut expression = expression
            .stdout_file(stdout_writer)
            .stderr_file(stderr_writer)
            .unchecked()
            .env(variable, value)
            .env("PATH", locate::path_for_children())
            .env("LC_ALL", "C");
        for (key, value) in env {
            expression = expression.env(key, value);
        }
        if bare {
            // What is set further in stays: only what would be inherited is left out.
            expression = expression.full_env(std::iter::empty::<(String, String)>());
        }
        let expression = expression.before_spawn(|command| {
            command.process_group(0);
            Ok(())
        });
        let handle = expression.start()?;
        // The writing ends live in the expression: end of file comes only once it is gone.
        drop(expression);
        let pid = handle.pids().first().and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
        let Some(pid) = pid else {
            return Err(std::io::Error::other("the program has no process id"));
        };
        Ok(Self {
            handle,
            pid,
            exit: exit_event(pid),
            stdout: Some(stdout),
            stderr: Some(stderr),
            _watched: Watched::group(pid),
        })
    }

    fn attend(mut self, limit_ms: u64, cap: u64, cancel: &Cancel, mark: &str) -> Captured {
        let (mut stdout, mut stderr) = (Capped::new(cap), Capped::new(cap));
        let deadline = now() + Duration::from_millis(limit_ms);
        let end = self.watch(deadline, cancel, &mut stdout, &mut stderr);
        match end {
            End::Exited => {
                // Whatever the child left in its group goes with it.
                let _ = kill_process_group(self.pid, Signal::KILL);
                if self.stdout.is_some() {
                    stdout.cut_off();
                }
                if self.stderr.is_some() {
                    stderr.cut_off();
                }
                self.status(stdout, stderr)
            }
            End::TimedOut | End::Interrupted => {
                if let Err(failure) = self.end_tree(mark, cancel, &mut stdout, &mut stderr) {
                    return Captured::Failed(failure);
                }
                Captured::Failed(if matches!(end, End::TimedOut) {
                    let said = stderr.last_line().or_else(|| stdout.last_line());
                    let said = said
                        .map_or_else(String::new, |line| format!("; its last line was: {line}"));
                    Failure::new(
                        FailureKind::TimedOut,
                        format!("no end within {limit_ms} ms, ended with its children{said}"),
                    )
                } else {
                    Failure::new(FailureKind::Interrupted, "the run was interrupted")
                })
            }
        }
    }

    /// Reads until the child has ended and its pipes are closed, or until it must be ended.
    fn watch(
        &mut self,
        deadline: Instant,
        cancel: &Cancel,
        stdout: &mut Capped,
        stderr: &mut Capped,
    ) -> End {
        let mut drained_by: Option<Instant> = None;
        loop {
            if cancel.requested() {
                return End::Interrupted;
            }
            let time = now();
            let exited = drained_by.is_some();
            let open = self.stdout.is_some() || self.stderr.is_some();
            if exited && (!open || drained_by.is_some_and(|by| time >= by)) {
                return End::Exited;
            }
            if !exited && time >= deadline {
                return End::TimedOut;
            }
            let until = drained_by.unwrap_or(deadline);
            let wait = until.saturating_duration_since(time).min(TICK);
            let ended = self.wait_and_read(wait, !exited, stdout, stderr);
            if ended && drained_by.is_none() {
                drained_by = Some(now() + DRAIN);
            }
        }
    }

    /// Waits for output or the end, reads what there is; tells whether the child has ended.
    fn wait_and_read(
        &mut self,
        wait: Duration,
        watch_exit: bool,
        stdout: &mut Capped,
        stderr: &mut Capped,
    ) -> bool {
        let wait = if self.exit.is_none() { wait.min(Duration::from_millis(5)) } else { wait };
        let mut fds: Vec<(BorrowedFd<'_>, usize)> = Vec::with_capacity(3);
        fds.extend(self.stdout.as_ref().map(|p| (p.as_fd(), 0)));
        fds.extend(self.stderr.as_ref().map(|p| (p.as_fd(), 1)));
        if watch_exit {
            fds.extend(self.exit.as_ref().map(|p| (p.as_fd(), 2)));
        }
        let mut polled: Vec<PollFd<'_>> =
            fds.iter().map(|(fd, _)| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let timeout = Timespec::try_from(wait).ok();
        if poll(&mut polled, timeout.as_ref()).is_err() {
            return false;
        }
        let ready: Vec<usize> = polled
            .iter()
            .zip(&fds)
            .filter(|(p, _)| !p.revents().is_empty())
            .map(|(_, (_, which))| *which)
            .collect();
        if ready.contains(&0) && !stdout.take_from(self.stdout.as_mut()) {
            self.stdout = None;
        }
        if ready.contains(&1) && !stderr.take_from(self.stderr.as_mut()) {
            self.stderr = None;
        }
        if !watch_exit {
            return false;
        }
        let closed = self.stdout.is_none() && self.stderr.is_none();
        ready.contains(&2) || ((self.exit.is_none() || closed) && self.has_ended())
    }

    fn has_ended(&self) -> bool {
        !matches!(self.handle.try_wait(), Ok(None))
    }

    /// Ends the whole tree: TERM, grace, KILL, strays; an error names what survives.
    fn end_tree(
        &mut self,
        mark: &str,
        cancel: &Cancel,
        stdout: &mut Capped,
        stderr: &mut Capped,
    ) -> Result<(), Failure> {
        for (signal, patience) in [(Signal::TERM, GRACE), (Signal::KILL, LAST)] {
            let _ = kill_process_group(self.pid, signal);
            let until = now() + patience;
            let hurried = || signal == Signal::TERM && cancel.urgent();
            while !self.has_ended() && now() < until && !hurried() {
                self.wait_and_read(TICK, true, stdout, stderr);
            }
        }
        let _ = stray::end_ask(mark);
        if self.has_ended() {
            return Ok(());
        }
        let pid = self.pid.as_raw_nonzero();
        let state =
            files::read(&format!("/proc/{pid}/wchan"), 200).map(|s| s.text).unwrap_or_default();
        let message =
            format!("process {pid} does not end even by SIGKILL; it waits in the kernel ({state})");
        Err(Failure::new(FailureKind::Unkillable, message))
    }

    fn status(&self, stdout: Capped, stderr: Capped) -> Captured {
        use std::os::unix::process::ExitStatusExt;
        match self.handle.wait() {
            Ok(output) => Captured::Exec {
                exit: output.status.code(),
                signal: output.status.signal(),
                stdout: stdout.finish(),
                stderr: stderr.finish(),
            },
            Err(error) => Captured::Failed(files::failure(&error)),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "limits are kept by the clock of the transport")]
fn now() -> Instant {
    Instant::now()
}

/// Returns something that becomes readable when the process ends, where the system has it.
#[cfg(target_os = "linux")]
fn exit_event(pid: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn exit_event(_pid: Pid) -> Option<OwnedFd> {
    None
}
