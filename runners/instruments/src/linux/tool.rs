//! Starts a program that an instrument needs, waits for it, and keeps what it said.
//!
//! The program stands in the instrument's process group, so that a time-out ends both, and dies
//! with the instrument even where that is killed. The time limit is the transport's. What is kept
//! of each stream is bounded; nothing of what it says is interpreted here.

use std::{
    io::{self, Read},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, Stdio},
    thread,
};

use serde_json::{Value, json};

/// Bounds what is kept of a stream. *Units*: B.
pub(super) const CAP: u64 = 1 << 20;

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

/// Runs a program to its end.
///
/// *Errors*: it cannot be started; `NotFound` where there is no such program.
#[allow(clippy::disallowed_methods, reason = "this is the place where an instrument starts one")]
pub(super) fn run(program: &str, args: &[String]) -> io::Result<Said> {
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: between fork and exec it makes one system call, which touches no memory of ours.
    unsafe { command.pre_exec(end_with_parent) };
    let mut child = command.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = thread::scope(|scope| {
        let second = scope.spawn(move || kept(stderr));
        (kept(stdout), second.join().unwrap_or_default())
    });
    let status = child.wait()?;
    Ok(Said { exit: status.code(), signal: status.signal(), stdout, stderr })
}

fn end_with_parent() -> io::Result<()> {
    let signal = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal).map_err(io::Error::from)
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
        let gone = run("no-such-program-of-ours", &[]).err().map(|error| error.kind());
        assert_eq!(gone, Some(io::ErrorKind::NotFound));
    }

    #[test]
    fn more_than_is_kept_holds_up_nobody() {
        let said = sh("head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2");
        assert_eq!((said.stdout.len() as u64, said.stderr.as_str()), (CAP, "end\n"));
    }
}
