//! Where run records are, how they are written as things happen, and how they are read back.
//!
//! One folder a run, one line an event, each line written with one call, so that a crash leaves
//! whole lines. A torn last line is what a full disk or a power cut leaves: reading says so.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, BufRead, BufReader, Read as _, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use verify_model::{
    ask::MAX_BYTES,
    event::{Event, Fold, FoldError},
    run::Run,
};

/// Name of the record within the folder of its run.
pub const FILE: &str = "run.jsonl";
/// Longest line that is read. *Source*: the most that one ask may bring
/// ([`MAX_BYTES`]), each byte of it escaped by JSON to six. *Units*: B.
const MAX_LINE: u64 = 6 * MAX_BYTES as u64 + 64 * 1024 * 1024;
/// Time that a run may take from its folder to its plan.
const BEGINS: Duration = Duration::from_mins(1);

/// Holds the folder below which all runs are recorded.
#[derive(Clone, Debug)]
pub struct Store {
    /// Folder of runs.
    pub dir: PathBuf,
}

/// Says why a record cannot be found, read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system refused.
    #[error("cannot {action} {path}: {error}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: String,
        /// The system's own words.
        error: io::Error,
    },
    /// No run goes by that name.
    #[error(
        "no run `{0}`: expected a path, an id or its beginning, `last` or `last~N`; `verify runs` lists them"
    )]
    Unknown(String),
    /// Several runs begin like that.
    #[error("`{0}` is the beginning of {1} runs; give more of the id")]
    Ambiguous(String, usize),
    /// A line is not an event.
    #[error(
        "{path}:{line}: not a line of a run record: {message}; the record is damaged, restore it or run again"
    )]
    Line {
        /// File.
        path: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The lines do not make a run.
    #[error("{path}: {error}; expected a run record written by verify")]
    Fold {
        /// File.
        path: String,
        /// What is wrong.
        error: FoldError,
    },
    /// The run ended before its plan was written, and nothing is asked before.
    #[error("{0}: the record ends before the plan is complete, so nothing was asked; run again")]
    Unasked(String),
    /// The record is cut where it must be whole.
    #[error(
        "{path}: the record ends in the middle ({lines} whole lines): a whole one is needed here; run again, or read what is there with `verify report`"
    )]
    Cut {
        /// File.
        path: String,
        /// Number of whole lines.
        lines: usize,
    },
}

fn io_error(action: &'static str, path: &Path, error: io::Error) -> RecordError {
    RecordError::Io { action, path: path.display().to_string(), error }
}

/// Appends events to the record of one run. Nothing is written before the plan is whole, and nothing is
/// asked before that: a record says what was planned, or it is empty and no record.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    /// Lines that are not written yet.
    lines: Vec<u8>,
    planned: bool,
}

impl Writer {
    /// Appends one event as one line.
    ///
    /// *Errors*: the disk is full or gone.
    pub fn append(&mut self, event: &Event) -> Result<(), RecordError> {
        serde_json::to_writer(&mut self.lines, event)
            .map_err(|error| io_error("write", &self.path, error.into()))?;
        self.lines.push(b'\n');
        self.planned |= matches!(event, Event::PlanReady { .. });
        if self.planned { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), RecordError> {
        let written = self.file.write_all(&self.lines);
        self.lines.clear();
        written.map_err(|error| io_error("write", &self.path, error))
    }

    /// Makes the record durable.
    ///
    /// *Errors*: the disk is full or gone.
    pub fn finish(&mut self) -> Result<(), RecordError> {
        self.write()?;
        self.file.sync_all().map_err(|error| io_error("sync", &self.path, error))
    }

    /// Returns where the record is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Holds a run as it was read, and whether its record is whole.
#[derive(Debug)]
pub struct Recorded {
    /// The run, judged anew.
    pub run: Run,
    /// Where it is.
    pub path: PathBuf,
    /// Number of whole lines.
    pub lines: usize,
    /// Whether a torn line follows them.
    pub torn: bool,
}

/// Names one recorded run.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Id.
    pub id: String,
    /// Where it is.
    pub path: PathBuf,
}

impl Store {
    /// Creates the record of a new run; the id must be new.
    ///
    /// *Errors*: the folder cannot be written.
    pub fn create(&self, id: &str) -> Result<Writer, RecordError> {
        let dir = self.dir.join(id);
        // Evidence may hold what only this user may see, such as command lines of processes.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        made.map_err(|error| io_error("create", &dir, error))?;
        let path = dir.join(FILE);
        let mut options = File::options();
        let file = options
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| io_error("create", &path, error))?;
        Ok(Writer { file, path, lines: Vec::new(), planned: false })
    }

    /// Lists recorded runs, oldest first; an empty file is none yet, or of a run that was killed before.
    ///
    /// *Errors*: the folder cannot be listed.
    pub fn list(&self) -> Result<Vec<Listed>, RecordError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("list", &self.dir, error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| io_error("list", &self.dir, error))?;
            let path = entry.path().join(FILE);
            if fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() > 0) {
                runs.push(Listed { id: entry.file_name().to_string_lossy().into_owned(), path });
            }
        }
        runs.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(runs)
    }

    /// Finds a run by path, id, beginning of an id, `last`, or `last~N`, the N-th before it.
    ///
    /// *Errors*: none, or several.
    pub fn find(&self, name: &str) -> Result<PathBuf, RecordError> {
        let given = Path::new(name);
        if name.contains('/') || given.is_file() {
            let path = if given.is_dir() { given.join(FILE) } else { given.to_path_buf() };
            return if path.is_file() {
                Ok(path)
            } else {
                Err(RecordError::Unknown(name.to_owned()))
            };
        }
        let mut runs = self.list()?;
        if let Some(before) = before_last(name) {
            let at = runs.len().checked_sub(before + 1);
            return at
                .map(|at| runs.swap_remove(at).path)
                .ok_or_else(|| RecordError::Unknown(name.to_owned()));
        }
        let wanted = name.to_ascii_uppercase();
        let mut matching: Vec<Listed> =
            runs.into_iter().filter(|run| run.id.starts_with(&wanted)).collect();
        match (matching.len(), matching.pop()) {
            (1, Some(run)) => Ok(run.path),
            (0, _) => Err(RecordError::Unknown(name.to_owned())),
            (many, _) => Err(RecordError::Ambiguous(name.to_owned(), many)),
        }
    }

    /// Removes the oldest runs until at most `keep` are left; returns the ids.
    ///
    /// *Errors*: a folder cannot be removed.
    pub fn prune(&self, keep: usize) -> Result<Vec<String>, RecordError> {
        let runs = self.list()?;
        let excess = runs.len().saturating_sub(keep);
        let mut removed = Vec::new();
        for run in runs.into_iter().take(excess) {
            let dir = self.dir.join(&run.id);
            fs::remove_dir_all(&dir).map_err(|error| io_error("remove", &dir, error))?;
            removed.push(run.id);
        }
        self.sweep();
        Ok(removed)
    }

    /// Removes the folders of runs that were killed before their plan was written, and of those whose
    /// removal was; not those of runs that begin at this moment. Where it fails, nothing depends on it.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let age = entry.metadata().and_then(|meta| meta.modified());
            let is_old = age.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > BEGINS));
            let path = entry.path().join(FILE);
            if is_old && fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() == 0) {
                let _ = fs::remove_file(&path);
            }
            if is_old {
                // Only where nothing is in it.
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

/// Reads how many runs before the last one are meant; `None` where a name is another one.
fn before_last(name: &str) -> Option<usize> {
    let rest = name.strip_prefix("last")?;
    if rest.is_empty() {
        Some(0)
    } else {
        rest.strip_prefix('~')?.parse::<u16>().ok().map(usize::from)
    }
}

/// Reads a record; a torn last line is reported, a damaged line before it is an error.
///
/// *Errors*: the file cannot be read, or is not a run record.
pub fn read(path: &Path) -> Result<Recorded, RecordError> {
    let file = File::open(path).map_err(|error| io_error("read", path, error))?;
    read_from(BufReader::with_capacity(256 * 1024, file), path)
}

/// Reads a record as [`read`] does, of lines that stand at `path` or would.
///
/// *Errors*: as [`read`].
pub fn read_from(mut reader: impl BufRead, path: &Path) -> Result<Recorded, RecordError> {
    let shown = path.display().to_string();
    let mut fold = Fold::default();
    // A damaged line is said before lines that do not make a run.
    let mut folded = Ok(());
    let mut line = Vec::new();
    let (mut lines, mut torn) = (0, false);
    for number in 1.. {
        line.clear();
        let bounded = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        let length = bounded.map_err(|error| io_error("read", path, error))?;
        if length == 0 {
            break;
        }
        if length as u64 == MAX_LINE {
            let message = format!("it is longer than {MAX_LINE} bytes");
            return Err(RecordError::Line { path: shown, line: number, message });
        }
        match serde_json::from_slice(&line) {
            Ok(event) if line.ends_with(b"\n") => {
                lines += 1;
                folded = folded.and_then(|()| fold.take(event));
            }
            // Without its line end even a line that parses may be half of a longer one.
            _ if !line.ends_with(b"\n") => torn = true,
            Ok(_) => {}
            Err(error) => {
                return Err(RecordError::Line {
                    path: shown,
                    line: number,
                    message: error.to_string(),
                });
            }
        }
    }
    let run = folded.and_then(|()| fold.finish());
    let run = run.map_err(|error| match error {
        FoldError::NoPlan => RecordError::Unasked(shown),
        FoldError::NoHeader if lines == 0 => RecordError::Unasked(shown),
        error => RecordError::Fold { path: shown, error },
    })?;
    Ok(Recorded { run, path: path.to_path_buf(), lines, torn })
}

/// Reads a record that must be whole, for a replay or a baseline.
///
/// *Errors*: as [`read`], and a record that is cut.
pub fn read_whole(path: &Path) -> Result<Run, RecordError> {
    let recorded = read(path)?;
    if recorded.torn || !recorded.run.complete {
        return Err(RecordError::Cut { path: path.display().to_string(), lines: recorded.lines });
    }
    Ok(recorded.run)
}
