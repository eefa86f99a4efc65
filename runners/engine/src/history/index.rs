//! Opens the index: one file beside the records, for its user alone.
//!
//! Several processes may have it open. Each run is one transaction in a write-ahead log, so whoever is
//! killed leaves all of a run or nothing. Opening is done one at a time, by a lock on the folder that
//! leaves nothing behind: whoever keeps a damaged file aside must not take another's new one.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::{aside, schema};
use crate::record::{RecordError, Store};

/// Name of the index, beside the folder of runs.
pub const FILE: &str = "history.sqlite";
/// How long another writer is waited for; one takes milliseconds.
const BUSY: Duration = Duration::from_secs(10);
/// Size of the journal from which it is emptied: every opening reads all of it, some thirty times until
/// then. *Units*: B.
const LONG: u64 = 400 * 1024;

/// Says why the index cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
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
    /// Somebody else opens it for too long.
    #[error("another verify holds {0}; try again when it has finished")]
    Busy(String),
    /// The database refused.
    #[error("the index of runs: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The database holds what nobody wrote.
    #[error("the index of runs holds {0}")]
    Odd(String),
    /// What was asked for is not there.
    #[error("{0}")]
    Unknown(String),
    /// The records cannot be listed.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl HistoryError {
    /// Tells whether the file is at fault, and not the disk or another process.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Odd(_) => true,
            Self::Sql(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.code,
                ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::ConstraintViolation
                    | ErrorCode::Unknown
            ),
            Self::Sql(error) => matches!(
                error,
                rusqlite::Error::SqlInputError { .. }
                    | rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::Utf8Error(..)
                    | rusqlite::Error::InvalidColumnType(..)
            ),
            Self::Io { .. } | Self::Busy(_) | Self::Unknown(_) | Self::Record(_) => false,
        }
    }
}

/// Holds the open index.
#[derive(Debug)]
pub struct Index {
    pub(super) db: Connection,
}

/// Holds the open index, and what was done to get there.
#[derive(Debug)]
pub struct Opened {
    /// The index.
    pub index: Index,
    /// What was kept aside and why, in one line.
    pub note: Option<String>,
}

fn io_error(action: &'static str, path: &Path, error: io::Error) -> HistoryError {
    HistoryError::Io { action, path: path.display().to_string(), error }
}

/// Returns where the index of these records is.
pub(super) fn path(store: &Store) -> PathBuf {
    store.dir.with_file_name(FILE)
}

impl Index {
    /// Opens the index beside the records; makes it where there is none, keeps it aside where it
    /// cannot be used.
    ///
    /// *Errors*: the folder or the file cannot be written.
    pub fn open(store: &Store) -> Result<Opened, HistoryError> {
        let path = path(store);
        let folder = path.parent().unwrap_or(Path::new("/"));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| io_error("create", folder, error))?;
        let _alone = lock(folder)?;
        match connect(&path) {
            Ok(index) => Ok(Opened { index, note: None }),
            Err(Refusal::Newer(version)) => {
                let place = keep(&path, "newer")?;
                let note = format!(
                    "the index of runs is of a newer verify (version {version}, known is {}): kept as {}, built anew from the records",
                    schema::VERSION,
                    place.display()
                );
                Ok(Opened { index: again(&path)?, note: Some(note) })
            }
            Err(Refusal::Other(error)) if error.is_damage() => Self::kept_aside(&path, &error),
            Err(Refusal::Other(error)) => Err(error),
        }
    }

    /// Keeps a damaged index aside and begins another one.
    ///
    /// *Errors*: the folder or the file cannot be written.
    pub fn replace(store: &Store, error: &HistoryError) -> Result<Opened, HistoryError> {
        let path = path(store);
        let _alone = lock(path.parent().unwrap_or(Path::new("/")))?;
        Self::kept_aside(&path, error)
    }

    fn kept_aside(path: &Path, error: &HistoryError) -> Result<Opened, HistoryError> {
        let place = keep(path, "corrupt")?;
        let note = format!(
            "the index of runs is damaged ({error}): kept as {}, built anew from the records",
            place.display()
        );
        Ok(Opened { index: again(path)?, note: Some(note) })
    }

    /// Makes an index that lives in memory, for who may not write the folder.
    ///
    /// *Errors*: there is no memory.
    pub fn in_memory() -> Result<Self, HistoryError> {
        prepared(Connection::open_in_memory()?).map_err(Refusal::into_error)
    }

    /// Demands that every page of the file is in order.
    ///
    /// *Errors*: one is not, or the file cannot be read.
    pub fn demand_sound(&self) -> Result<(), HistoryError> {
        let said: String = self.db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if said == "ok" { Ok(()) } else { Err(HistoryError::Odd(said)) }
    }
}

/// Says why a file is not opened.
enum Refusal {
    Newer(i32),
    Other(HistoryError),
}

impl Refusal {
    fn into_error(self) -> HistoryError {
        match self {
            Self::Newer(version) => HistoryError::Odd(format!("version {version}")),
            Self::Other(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Other(error.into())
    }
}

fn keep(path: &Path, why: &str) -> Result<PathBuf, HistoryError> {
    aside::keep(path, why).map_err(|error| io_error("keep aside", path, error))
}

fn again(path: &Path) -> Result<Index, HistoryError> {
    connect(path).map_err(Refusal::into_error)
}

fn connect(path: &Path) -> Result<Index, Refusal> {
    // Made here, so that nobody else can read it at any moment; SQLite's journals follow its mode.
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    file.map_err(|error| Refusal::Other(io_error("open", path, error)))?;
    let _ = fs::set_permissions(path, Permissions::from_mode(0o600));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let journal = path.with_file_name(format!("{FILE}-wal"));
    let is_long = fs::metadata(journal).is_ok_and(|meta| meta.len() > LONG);
    let index = prepared(Connection::open_with_flags(path, flags)?)?;
    if is_long {
        // Whoever else is at it, or a full disk, leaves that to the next one.
        index.db.busy_timeout(Duration::ZERO)?;
        let _ = index.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        index.db.busy_timeout(BUSY)?;
    }
    Ok(index)
}

fn prepared(mut db: Connection) -> Result<Index, Refusal> {
    db.busy_timeout(BUSY)?;
    let number = |db: &Connection, name: &str| db.pragma_query_value(None, name, |row| row.get(0));
    let (mark, version): (i32, i32) =
        (number(&db, "application_id")?, number(&db, "user_version")?);
    let is_new: bool =
        db.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    if mark != schema::APPLICATION_ID && !is_new {
        return Err(Refusal::Other(HistoryError::Odd("what verify did not write".to_owned())));
    }
    if version > schema::VERSION {
        return Err(Refusal::Newer(version));
    }
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    // Closing would wait for the disk after every run. What a power cut takes out of the journal is read
    // from the records again. It begins anew only where it is emptied: a command writes once and ends.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    if is_new {
        db.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    }
    if version < schema::VERSION {
        schema::migrations().to_latest(&mut db).map_err(|error| match error {
            rusqlite_migration::Error::RusqliteError { err, .. } => Refusal::from(err),
            other => Refusal::Other(HistoryError::Odd(other.to_string())),
        })?;
    }
    Ok(Index { db })
}

/// Waits for whoever opens the index at the moment. Where a folder cannot be locked at all, as on
/// some network file systems, there is no waiting.
fn lock(folder: &Path) -> Result<Option<File>, HistoryError> {
    let open = File::open(folder).map_err(|error| io_error("open", folder, error))?;
    let (done, waits) = mpsc::channel();
    let waiting = std::thread::Builder::new();
    let waiting = waiting.spawn(move || done.send(open.lock().map(|()| open)));
    waiting.map_err(|error| io_error("wait for", folder, error))?;
    match waits.recv_timeout(BUSY) {
        Ok(locked) => Ok(locked.ok()),
        Err(_) => Err(HistoryError::Busy(folder.display().to_string())),
    }
}
