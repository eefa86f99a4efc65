//! How a file is written whole or not at all: beside its place first, under a name of its own.
//!
//! What is not in its place when this process ends without a word is taken away by the warden; the
//! name is known to it before the file is there. What power cuts leave is left to whoever writes next.

use std::{
    fs::Permissions,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use tempfile::{NamedTempFile, PersistError};

use crate::transport::Watched;

/// Beginning and end of the names of files that are not in their place yet.
pub const UNFINISHED: (&str, &str) = (".verify-", ".new");
/// How often another name is tried where one is taken.
const TRIES: u32 = 16;

/// Makes names differ within this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Holds a whole file that is not in its place yet; dropped, it is gone.
#[derive(Debug)]
pub struct Unfinished {
    file: NamedTempFile,
    path: PathBuf,
    _watched: Watched,
}

impl Unfinished {
    /// Writes a file beside its place, for everybody to read, and makes it durable.
    ///
    /// *Errors*: the folder does not take it.
    pub fn beside(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        Self::beside_for(path, bytes, 0o644)
    }

    /// Writes a file beside its place, for those whom a mode lets, and makes it durable.
    ///
    /// *Errors*: the folder does not take it.
    pub fn beside_for(path: &Path, bytes: &[u8], mode: u32) -> io::Result<Self> {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        for _ in 0..TRIES {
            let name = name();
            let watched = Watched::file(&folder.join(&name));
            let begun = tempfile::Builder::new()
                .prefix(&name)
                .rand_bytes(0)
                .permissions(Permissions::from_mode(mode))
                .tempfile_in(folder);
            match begun {
                // Somebody else's: it must not be taken away with us.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(mut file) => {
                    file.write_all(bytes)?;
                    file.as_file().sync_all()?;
                    return Ok(Self { file, path: path.to_path_buf(), _watched: watched });
                }
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "every name beside it is taken"))
    }

    /// Puts the file in its place.
    ///
    /// *Errors*: the folder does not take it; the place is as before.
    pub fn place(self) -> io::Result<()> {
        self.file.persist(&self.path).map(drop).map_err(|PersistError { error, .. }| error)
    }

    /// Returns where it belongs.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a name that no other process has at the moment.
fn name() -> String {
    let (begin, end) = UNFINISHED;
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    // Drawn by the standard library: a folder may be shared with another machine.
    let drawn = RandomState::new().build_hasher().finish();
    format!("{begin}{}-{next}-{drawn:016x}{end}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_it_is_placed_there_is_only_the_old_file_and_then_only_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        Unfinished::beside(&path, b"old").unwrap().place().unwrap();
        let unfinished = Unfinished::beside(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        drop(unfinished);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        Unfinished::beside(&path, b"new").unwrap().place().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert!(Unfinished::beside(&folder.path().join("none/it"), b"").is_err());
    }
}
