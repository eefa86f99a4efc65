//! Where baselines stand: two files a suite and node, read together and replaced whole.
//!
//! A write prepares every file before the first is replaced, ledgers before summaries; what a crash
//! leaves in between is found by the digests and repaired by a merge, since a summary follows from
//! its ledger. One writer at a time, held by a lock on the folder itself: nothing is left behind.

use std::{
    fs::{self, File},
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use super::{ledger::Ledger, summary::Summary, witness};
use crate::load::{
    diagnostic::{LoadError, Source},
    root,
};
use crate::whole::{UNFINISHED, Unfinished};

/// Folder of baselines below a root.
pub const BASELINES_DIR: &str = "baselines";
/// Ending of ledgers.
const LEDGER: &str = ".runs.jsonl";
/// Ending of summaries.
const SUMMARY: &str = ".toml";
/// Largest ledger that is written or read. *Source*: 550 lines of 2 KiB each for thirty checks.
/// *Units*: bytes.
pub const MAX_LEDGER: u64 = 32 * 1024 * 1024;
/// How long another writer is waited for; one takes milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Says why a baseline cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The file system refused.
    #[error("cannot {action} {path}: {error}; nothing was changed")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: String,
        /// The system's own words.
        error: io::Error,
    },
    /// Some files were replaced and others not.
    #[error(
        "cannot replace {path}: {error}; its ledger may be newer than its summary: `verify baseline merge` writes the summary anew"
    )]
    Half {
        /// What was not replaced.
        path: String,
        /// The system's own words.
        error: io::Error,
    },
    /// Somebody else writes.
    #[error("another verify writes to {0}; try again when it has finished")]
    Busy(String),
    /// The files that are there are not in order.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Names one pair of files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the node.
    pub node: String,
    /// Name of the suite.
    pub suite: String,
}

/// Holds the folder of baselines.
#[derive(Clone, Debug)]
pub struct Shelf {
    dir: PathBuf,
}

/// Keeps writers away while it lives.
#[derive(Debug)]
pub struct Lock {
    _folder: File,
}

fn failed(action: &'static str, path: &Path, error: io::Error) -> ShelfError {
    ShelfError::Io { action, path: path.display().to_string(), error }
}

impl Shelf {
    /// Names the folder; it need not be there.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Returns the folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns where the summary of a place stands.
    pub fn summary_path(&self, place: &Place) -> PathBuf {
        self.dir.join(&place.node).join(format!("{}{SUMMARY}", place.suite))
    }

    /// Returns where the ledger of a place stands.
    pub fn ledger_path(&self, place: &Place) -> PathBuf {
        self.dir.join(&place.node).join(format!("{}{LEDGER}", place.suite))
    }

    /// Reads the ledger of a place; empty where there are no files.
    ///
    /// *Errors*: a file cannot be read, is damaged, or the summary does not follow from the ledger.
    pub fn read(&self, place: &Place) -> Result<Ledger, LoadError> {
        self.read_once(place).or_else(|error| {
            // Somebody may be between its two files: what is said while nobody writes is true.
            let quiet = self.hold(File::lock_shared).map_err(|_| error)?;
            let read = self.read_once(place);
            drop(quiet);
            read
        })
    }

    /// Reads as [`Shelf::read`] does, for whoever keeps writers away.
    ///
    /// *Errors*: those of [`Shelf::read`].
    pub fn read_locked(&self, _lock: &Lock, place: &Place) -> Result<Ledger, LoadError> {
        self.read_once(place)
    }

    /// Reads as [`Shelf::read`] does, once.
    pub(super) fn read_once(&self, place: &Place) -> Result<Ledger, LoadError> {
        let ledger = self.source(&self.ledger_path(place))?;
        let summary = self.source(&self.summary_path(place))?;
        let (Some(ledger), Some(summary)) = (&ledger, &summary) else {
            return witness::alone(ledger.as_deref(), summary.as_deref());
        };
        let read = Ledger::parse(ledger)?;
        witness::agree(summary, &Summary::of(&read))?;
        Ok(read)
    }

    /// Reads a ledger without its summary, for repair.
    ///
    /// *Errors*: it is not there, cannot be read or is damaged.
    pub fn read_ledger(&self, path: &Path) -> Result<Ledger, LoadError> {
        let missing = || {
            LoadError::general(format!(
                "there is no ledger {}; name one that is there",
                path.display()
            ))
        };
        Ledger::parse(&self.source(path)?.ok_or_else(missing)?)
    }

    /// Lists the places that have files, sorted.
    ///
    /// *Errors*: a folder cannot be listed.
    pub fn places(&self) -> Result<Vec<Place>, LoadError> {
        let mut places = Vec::new();
        for node in names(&self.dir)? {
            for file in names(&self.dir.join(&node))? {
                let suite = file.strip_suffix(LEDGER).or_else(|| file.strip_suffix(SUMMARY));
                let Some(suite) = suite.map(str::to_owned) else { continue };
                places.push(Place { node: node.clone(), suite });
            }
        }
        places.sort();
        places.dedup();
        Ok(places)
    }

    /// Keeps other writers away; makes the folder where it is missing.
    ///
    /// *Errors*: the folder cannot be made, or somebody else writes for too long.
    pub fn lock(&self) -> Result<Lock, ShelfError> {
        fs::create_dir_all(&self.dir).map_err(|error| failed("create", &self.dir, error))?;
        let lock = self.hold(File::lock)?;
        self.sweep();
        Ok(lock)
    }

    /// Removes what a writer left that was killed; where that fails, nothing depends on it.
    fn sweep(&self) {
        let (begin, end) = UNFINISHED;
        for node in names(&self.dir).unwrap_or_default() {
            let folder = self.dir.join(node);
            for name in names(&folder).unwrap_or_default() {
                if name.starts_with(begin) && name.ends_with(end) {
                    let _ = fs::remove_file(folder.join(name));
                }
            }
        }
    }

    /// Locks the folder, alone or with other readers.
    fn hold(&self, lock: fn(&File) -> io::Result<()>) -> Result<Lock, ShelfError> {
        let folder = File::open(&self.dir).map_err(|error| failed("open", &self.dir, error))?;
        let (done, waits) = mpsc::channel();
        let waiting = std::thread::Builder::new();
        let waiting = waiting.spawn(move || done.send(lock(&folder).map(|()| folder)));
        waiting.map_err(|error| failed("wait for", &self.dir, error))?;
        match waits.recv_timeout(LOCK_WAIT) {
            Ok(Ok(folder)) => Ok(Lock { _folder: folder }),
            Ok(Err(error)) => Err(failed("lock", &self.dir, error)),
            Err(_) => Err(ShelfError::Busy(self.dir.display().to_string())),
        }
    }

    /// Replaces the files of places. Needs the lock.
    ///
    /// *Errors*: a file cannot be written; then all files are as before unless `Half` says so.
    pub fn write(&self, _lock: &Lock, ledgers: &[(Place, Ledger)]) -> Result<(), ShelfError> {
        let mut made: Vec<PathBuf> = Vec::new();
        let ready = self.prepare(ledgers, &mut made).inspect_err(|_| {
            for folder in &made {
                let _ = fs::remove_dir(folder);
            }
        })?;
        for (replaced, file) in ready.into_iter().enumerate() {
            let path = file.path().to_path_buf();
            file.place().map_err(|error| match replaced {
                0 => failed("replace", &path, error),
                _ => ShelfError::Half { path: path.display().to_string(), error },
            })?;
        }
        self.settle(ledgers)
    }

    /// Writes every file beside its place; `made` gets the folders that were missing.
    fn prepare(
        &self,
        ledgers: &[(Place, Ledger)],
        made: &mut Vec<PathBuf>,
    ) -> Result<Vec<Unfinished>, ShelfError> {
        let mut ready = Vec::new();
        for (place, ledger) in ledgers {
            let (path, summary) = (self.ledger_path(place), self.summary_path(place));
            if !is_plain(&place.node) || !is_plain(&place.suite) {
                let error = io::Error::new(io::ErrorKind::InvalidInput, "not a name of a file");
                return Err(failed("write", &summary, error));
            }
            let lines = ledger.render();
            if lines.len() as u64 > MAX_LEDGER {
                let why = format!(
                    "it would have {} bytes, at most {MAX_LEDGER} are read again; split the suite",
                    lines.len()
                );
                return Err(failed("write", &path, io::Error::other(why)));
            }
            let old = self.source(&summary).ok().flatten();
            let old = old.map_or_else(String::new, |source| source.text.clone());
            let text = Summary::of(ledger).render(&old);
            let folder = self.dir.join(&place.node);
            if folder.try_exists().is_ok_and(|known| !known) {
                made.push(folder.clone());
            }
            fs::create_dir_all(&folder).map_err(|error| failed("create", &folder, error))?;
            for (path, text) in [(path, &lines), (summary, &text)] {
                let file = Unfinished::beside(&path, text.as_bytes());
                ready.push(file.map_err(|error| failed("write", &path, error))?);
            }
        }
        Ok(ready)
    }

    /// Makes the replacements durable.
    fn settle(&self, ledgers: &[(Place, Ledger)]) -> Result<(), ShelfError> {
        for (place, _) in ledgers {
            let folder = self.dir.join(&place.node);
            let synced = File::open(&folder).and_then(|open| open.sync_all());
            synced
                .map_err(|error| ShelfError::Half { path: folder.display().to_string(), error })?;
        }
        Ok(())
    }

    /// Reads a file; `None` where there is none.
    fn source(&self, path: &Path) -> Result<Option<Arc<Source>>, LoadError> {
        let known = path.try_exists();
        let known = known.map_err(|error| {
            LoadError::general(format!("cannot look at {}: {error}", path.display()))
        })?;
        if !known {
            return Ok(None);
        }
        let is_ledger = path.to_string_lossy().ends_with(LEDGER);
        let most = if is_ledger { MAX_LEDGER } else { root::MAX_FILE };
        let text = root::read_up_to(path, most).map_err(LoadError::general)?;
        let above = self.dir.parent().unwrap_or(Path::new(""));
        let shown = path.strip_prefix(above).unwrap_or(path).display().to_string();
        Ok(Some(Source::new(shown, text)))
    }
}

/// Tells whether a name is one component of a path.
pub fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == name)
}

fn names(dir: &Path) -> Result<Vec<String>, LoadError> {
    let wrong = |error: io::Error| {
        LoadError::general(format!("cannot list {}: {error}; check its permissions", dir.display()))
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(wrong(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.push(entry.map_err(wrong)?.file_name().to_string_lossy().into_owned());
    }
    Ok(found)
}
