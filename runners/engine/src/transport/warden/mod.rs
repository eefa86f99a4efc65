//! Who ends what a run has started, when the run itself is gone without a word.
//!
//! A process of its own, this program as `instrument warden`, reads from a pipe whose other end only
//! this process holds: what a run starts and makes is told to it as it comes and goes, and the end of
//! the pipe, however it came about, is its order. It is one for a process, since what it waits for
//! is the end of one; it starts with the first thing to watch over. Without it nothing is refused:
//! a run that ends by itself clears up as before.

mod order;
mod scan;

use std::{
    fmt,
    io::{PipeWriter, Write as _},
    mem,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use rustix::process::Pid;

pub use order::obey;

use super::{shell::nonce, stray};

/// Name of the instrument that watches.
pub const WARDEN: &str = "warden";
/// Longest line that is written at once or not at all. *Source*: `PIPE_BUF`, pipe(7); macOS has the least
/// that POSIX allows. *Units*: B.
const LONGEST: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// Beginning of the name of every job that a run has Slurm start.
pub(super) const JOB: &str = "verify-";
/// Beginning of the mark of what carries asks.
const CARRIER: &str = "carrier-";

/// The program that watches, once it is known.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
/// The line to the one that watches.
static LINE: Mutex<State> = Mutex::new(State::Unneeded);

/// Says how far the line is.
enum State {
    /// Nothing was to be watched over yet.
    Unneeded,
    Open(Line),
    /// There is nobody to tell, or nobody any more.
    Without,
}

/// Holds our end of the pipe, which the end of this process closes, however that comes.
struct Line {
    say: PipeWriter,
    warden: Child,
}

/// Names one thing to end or to take away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ward {
    /// Every process that has this at the beginning of its mark.
    Mark(String),
    /// Every process of a group.
    Group(i32),
    /// Every job of Slurm of this name: one whose srun was killed goes on.
    Job(String),
    /// A file that is not in its place yet, or that nobody needs when the run is gone.
    File(PathBuf),
}

impl fmt::Display for Ward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mark(mark) => write!(f, "mark {mark}"),
            Self::Group(group) => write!(f, "group {group}"),
            Self::Job(name) => write!(f, "job {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

impl Ward {
    fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(' ')?;
        match kind {
            // Nothing, and the group of the reader itself, would be everybody.
            "mark" if !rest.is_empty() => Some(Self::Mark(rest.to_owned())),
            "group" => rest.parse().ok().filter(|group| *group > 1).map(Self::Group),
            "job" if rest.starts_with(JOB) => Some(Self::Job(rest.to_owned())),
            "file" if rest.starts_with('/') => Some(Self::File(PathBuf::from(rest))),
            _ => None,
        }
    }
}

/// Says which program watches over what this process starts; the first word counts.
pub fn appoint(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

/// Returns the value that every carrier of asks has under [`stray::VARIABLE`], here and nowhere else: one
/// that was just started is found by it before its group is known. No node sweeps by it.
pub(super) fn carriers() -> &'static str {
    static MARK: OnceLock<(String, Watched)> = OnceLock::new();
    let (value, _) = MARK.get_or_init(|| {
        let mark = format!("{CARRIER}{}-{}", std::process::id(), nonce());
        (format!("{mark}/0"), Watched::mark(&mark))
    });
    value
}

/// Ends the watch at the end of all that this process does, and collects who kept it: not everywhere is
/// there a first process that would. Carriers have come to their end by then; what else is still told of
/// is ended first.
pub fn dismiss() {
    let before = mem::replace(&mut *line(), State::Without);
    if let State::Open(Line { mut say, mut warden }) = before {
        // Whatever has come to its end by itself needs no look.
        let _ = say.write_all(b".\n");
        drop(say);
        let _ = warden.wait();
    }
}

fn line() -> MutexGuard<'static, State> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds something that is watched over; dropped, it is no longer.
#[derive(Debug)]
pub struct Watched(Ward);

impl Watched {
    pub(super) fn mark(mark: &str) -> Self {
        Self::over(Ward::Mark(mark.to_owned()))
    }

    pub(super) fn group(leader: Pid) -> Self {
        Self::over(Ward::Group(leader.as_raw_nonzero().get()))
    }

    /// Has the jobs of a name, which begins with [`JOB`], taken down when this process ends without a word.
    pub(super) fn job(name: &str) -> Self {
        Self::over(Ward::Job(name.to_owned()))
    }

    /// Has a file removed when this process ends without a word.
    pub fn file(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        Self::over(Ward::File(path))
    }

    fn over(ward: Ward) -> Self {
        tell('+', &ward);
        Self(ward)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        tell('-', &self.0);
    }
}

/// Says one thing. Whoever does not listen is not waited for.
fn tell(sign: char, ward: &Ward) {
    let mut state = line();
    if matches!(*state, State::Unneeded) {
        *state = start().map_or(State::Without, State::Open);
    }
    let State::Open(line) = &mut *state else { return };
    let text = format!("{sign}{ward}\n");
    if text.len() <= LONGEST && text.matches('\n').count() == 1 {
        let _ = line.say.write_all(text.as_bytes());
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the transport starts who watches over what it starts"
)]
fn start() -> Option<Line> {
    let program = PROGRAM.get()?;
    let (orders, say) = std::io::pipe().ok()?;
    rustix::io::ioctl_fionbio(&say, true).ok()?;
    let warden = Command::new(program)
        .args(["instrument", WARDEN])
        // It is no child of an ask, even where this process is: it must outlive that.
        .env_remove(stray::VARIABLE)
        .current_dir("/")
        .stdin(Stdio::from(orders))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .ok()?;
    Some(Line { say, warden })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_again_and_nothing_means_everybody() {
        for ward in [
            Ward::Mark("01ABC.0".into()),
            Ward::Group(77),
            Ward::Job("verify-01ABC.0-n1".into()),
            Ward::File("/tmp/a b".into()),
        ] {
            assert_eq!(Ward::read(&ward.to_string()), Some(ward));
        }
        for text in [
            "mark ", "group 0", "group 1", "group -5", "group x", "job ", "job a", "file a", "",
            "else 1",
        ] {
            assert_eq!(Ward::read(text), None, "{text}");
        }
    }
}
