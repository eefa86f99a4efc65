//! Work in a child process: what may kill the process, or what it cannot take back, is done there.
//!
//! The child says one JSON value and ends. It dies with its parent and leaves no core file. A
//! death by a signal is an answer: a huge page that cannot be had kills whoever touches it.

use std::{
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde_json::Value;

use super::Refusal;

/// Says how the work ended.
#[derive(Debug, PartialEq)]
pub(super) enum Ending {
    /// It gave this answer.
    Answer(Value),
    /// A signal killed it.
    Killed(i32),
    /// It ended without an answer; says how.
    Silent(String),
}

/// Exit status of a child whose work broke.
const BROKEN: libc::c_int = 70;

/// Does the work in a child and waits for it.
///
/// *Errors*: no pipe or no process could be had.
pub(super) fn run(work: impl FnOnce() -> Value) -> Result<Ending, Refusal> {
    let why = "RLIMIT_NOFILE or the system's limit of open files";
    let (mut reader, writer) = io::pipe().map_err(|_| Refusal::last("pipe2", why))?;
    // SAFETY: the child runs `work`, writes and calls `_exit`; it never returns into this program.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(Refusal::last("fork", "RLIMIT_NPROC, pids.max of the cgroup, or no memory")),
        0 => {
            drop(reader);
            let status = answer(writer, work);
            // SAFETY: ends this process at once, without the handlers that belong to its parent.
            unsafe { libc::_exit(status) }
        }
        pid => {
            drop(writer);
            let mut said = Vec::new();
            let read = reader.read_to_end(&mut said);
            let status = wait(pid)?;
            if libc::WIFSIGNALED(status) {
                return Ok(Ending::Killed(libc::WTERMSIG(status)));
            }
            let parsed = read.ok().and_then(|_| serde_json::from_slice(&said).ok());
            let code = libc::WEXITSTATUS(status);
            let silent = || Ending::Silent(format!("the child ended with status {code}"));
            Ok(parsed.map_or_else(silent, Ending::Answer))
        }
    }
}

/// Does the work and says its answer; returns the exit status.
pub(crate) fn answer(mut to: io::PipeWriter, work: impl FnOnce() -> Value) -> libc::c_int {
    // SAFETY: takes numbers only.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    // One byte is less than any core file needs, and stops a handler behind a pipe, which 0 does not.
    let none = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
    // SAFETY: `none` lives through the call, which only reads it.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
    let Ok(value) = catch_unwind(AssertUnwindSafe(work)) else {
        return BROKEN;
    };
    let written = to.write_all(value.to_string().as_bytes());
    if written.is_ok() { 0 } else { BROKEN }
}

/// Waits for the child and returns its status.
pub(crate) fn wait(pid: libc::pid_t) -> Result<libc::c_int, Refusal> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a valid place for the answer; the child is ours and not yet waited for.
        if unsafe { libc::waitpid(pid, &raw mut status, 0) } == pid {
            return Ok(status);
        }
        let interrupted = io::Error::last_os_error().kind() == io::ErrorKind::Interrupted;
        if !interrupted {
            return Err(Refusal::last(
                "waitpid",
                "somebody else waits for this process's children",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_child_answers_or_is_killed_or_breaks_and_each_is_told_apart() {
        assert_eq!(run(|| json!({ "a": 1 })), Ok(Ending::Answer(json!({ "a": 1 }))));
        // SAFETY: takes a number only, and hits the child alone.
        let killed = run(|| json!(unsafe { libc::raise(libc::SIGKILL) }));
        assert_eq!(killed, Ok(Ending::Killed(libc::SIGKILL)));
        // SAFETY: ends the child.
        let silent = run(|| unsafe { libc::_exit(3) });
        assert_eq!(silent, Ok(Ending::Silent("the child ended with status 3".to_owned())));
    }

    #[test]
    fn what_a_child_takes_ends_with_it() {
        // SAFETY: takes numbers only.
        let dumpable = || unsafe { libc::prctl(libc::PR_GET_DUMPABLE) };
        let before = dumpable();
        let inside = run(|| {
            // SAFETY: takes numbers only.
            unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
            json!(dumpable())
        });
        assert_eq!(inside, Ok(Ending::Answer(json!(0))));
        assert_eq!(dumpable(), before);
    }
}
