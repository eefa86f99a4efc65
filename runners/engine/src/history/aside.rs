//! Keeps a file aside that cannot be used as index, under a name that says why.
//!
//! The journal goes first: beside a new file it would be taken for the journal of that one. What a
//! crash leaves in between is a file without journal, which is looked at again. Nothing is removed
//! but the oldest of many files that were kept so.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Most files that are kept aside for one reason.
const MOST: u32 = 9;

/// Renames an index, `corrupt` or `newer`; returns its new place.
///
/// *Errors*: the folder cannot be written.
pub(super) fn keep(path: &Path, why: &str) -> io::Result<PathBuf> {
    let numbered = |number: u32| ending(path, &format!(".{why}-{number}"));
    let is_free = |place: &PathBuf| place.try_exists().is_ok_and(|there| !there);
    let place = (1..MOST).map(numbered).find(is_free).unwrap_or_else(|| numbered(MOST));
    for journal in ["-wal", "-shm"] {
        match fs::rename(ending(path, journal), ending(&place, journal)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, &place)?;
    Ok(place)
}

fn ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
