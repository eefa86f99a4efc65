//! Asking in a child: a library that crashes or a driver that never answers ends a child only.
//!
//! The child's streams lead nowhere: one that cannot be killed, stuck inside the kernel, must not
//! keep open what others read to its end. What cannot be killed is left, and named.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::AsFd,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout},
};
use serde_json::{Value, json};

use super::super::{child, refusal::Refusal};

/// How long a child may take to end once it has answered, and once it was killed. *Units*: ms.
const ENDING_MS: i64 = 1000;

/// Does the work in a child; a child that gives no answer within the limit is killed.
///
/// *Errors*: no pipe or no process could be had.
pub(super) fn run(limit_ms: i64, work: impl FnOnce() -> Value) -> Result<Value, Refusal> {
    let why = "RLIMIT_NOFILE or the system's limit of open files";
    let (reader, writer) = io::pipe().map_err(|_| Refusal::last("pipe2", why))?;
    // SAFETY: the child does `work`, writes and calls `_exit`; it never returns into this program.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(Refusal::last("fork", "RLIMIT_NPROC, pids.max of the cgroup, or no memory")),
        0 => {
            drop(reader);
            silence();
            let status = child::answer(writer, work);
            // SAFETY: ends this process at once, without the handlers that belong to its parent.
            unsafe { libc::_exit(status) }
        }
        pid => {
            drop(writer);
            gather(reader, pid, limit_ms)
        }
    }
}

/// Leads the standard streams of this process nowhere.
fn silence() {
    if let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
        let _ = dup2_stdin(&null);
        let _ = dup2_stdout(&null);
        let _ = dup2_stderr(&null);
    }
}

/// Reads the answer, sees to it that the child ends, and says how it ended where it gave none.
fn gather(mut reader: io::PipeReader, pid: libc::pid_t, limit_ms: i64) -> Result<Value, Refusal> {
    let mut said = Vec::new();
    let mut answer = None;
    let mut patience = limit_ms;
    let ended = loop {
        match next(&mut reader, patience, &mut said) {
            Some(0) => break true,
            Some(_) => answer = answer.or_else(|| serde_json::from_slice::<Value>(&said).ok()),
            None => break false,
        }
        if answer.is_some() {
            patience = ENDING_MS;
        }
    };
    if !ended {
        // SAFETY: takes numbers only; the child is ours and not yet waited for.
        unsafe { libc::kill(pid, libc::SIGKILL) };
        if next(&mut reader, ENDING_MS, &mut said).is_none() {
            let mut document = answer.unwrap_or_else(|| json!({ "state": "hung-call" }));
            document["left"] = json!(pid);
            return Ok(document);
        }
    }
    let status = child::wait(pid)?;
    Ok(answer.unwrap_or_else(|| {
        let how = if libc::WIFSIGNALED(status) {
            format!("signal {} ended the child that asked", libc::WTERMSIG(status))
        } else {
            format!("the child that asked ended with status {}", libc::WEXITSTATUS(status))
        };
        json!({ "state": if ended { "crashed" } else { "hung-call" }, "trouble": how })
    }))
}

/// Reads what comes next; 0 is the end, nothing is a wait that was too long.
fn next(reader: &mut io::PipeReader, limit_ms: i64, said: &mut Vec<u8>) -> Option<usize> {
    let wait = Timespec { tv_sec: limit_ms / 1000, tv_nsec: limit_ms % 1000 * 1_000_000 };
    loop {
        let mut waiting = [PollFd::from_borrowed_fd(reader.as_fd(), PollFlags::IN)];
        match poll(&mut waiting, Some(&wait)) {
            Ok(0) => return None,
            Err(rustix::io::Errno::INTR) => {}
            _ => break,
        }
    }
    let mut piece = [0; 8192];
    // A pipe that cannot be read says no more than one that has ended.
    let read = reader.read(&mut piece).unwrap_or(0);
    said.extend_from_slice(&piece[..read]);
    Some(read)
}
