//! A folder of our own to compile in, which is removed whatever ends this process.
//!
//! Nobody else may look into it, and compilers put what is temporary there as well. It lies where
//! programs may be started: a filesystem that is mounted `noexec` is taken only if there is no other.

use std::{
    env,
    fs::DirBuilder,
    hash::{BuildHasher as _, RandomState},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::linux::{
    Refusal,
    guard::{Guard, Removes},
};

/// Holds the folder; dropped, it is gone.
pub(in crate::linux) struct Folder {
    path: PathBuf,
    guard: Guard,
}

impl Folder {
    /// Makes the folder.
    ///
    /// *Errors*: no folder can be made, or no guard can be left behind.
    pub(in crate::linux) fn make() -> Result<Self, Refusal> {
        let places = [PathBuf::from("/var/tmp"), env::temp_dir()];
        let place = place(&places);
        // Chance makes the name one that nobody had before, so removing it never hits another.
        let (process, chance) =
            (std::process::id(), RandomState::new().hash_one(place.as_os_str()));
        let path = place.join(format!("verify-{process}-{chance:016x}"));
        let guard = Guard::start(&path.to_string_lossy(), Removes::Content)?;
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| refusal("mkdir", &path, &error))?;
        Ok(Self { path, guard })
    }

    /// Returns where it is.
    pub(in crate::linux) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns who ends what is at work in it.
    pub(in crate::linux) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Writes a file.
    ///
    /// *Errors*: what the kernel refused.
    #[allow(
        clippy::disallowed_methods,
        reason = "the folder is this process's own and short-lived"
    )]
    pub(in crate::linux) fn put(&self, name: &str, text: &str) -> Result<(), Refusal> {
        let path = self.path.join(name);
        std::fs::write(&path, text).map_err(|error| refusal("write", &path, &error))
    }
}

fn refusal(call: &'static str, path: &Path, error: &io::Error) -> Refusal {
    let why = format!("{}: no room, no right, or a read-only filesystem", path.display());
    Refusal::of(call, error.raw_os_error().unwrap_or_default(), why)
}

/// Returns the first place where programs may be started, else the first.
fn place(places: &[PathBuf]) -> &Path {
    let starts = |place: &&PathBuf| {
        statvfs(place.as_path()).is_ok_and(|of| !of.f_flag.contains(StatVfsMountFlags::NOEXEC))
    };
    let found = places.iter().find(starts).or_else(|| places.first());
    found.map_or(Path::new("/var/tmp"), PathBuf::as_path)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn the_folder_is_private_and_goes_with_all_that_is_in_it() {
        let folder = Folder::make().unwrap();
        let path = folder.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        folder.put("a.cpp", "x").unwrap();
        assert_eq!(fs::read_to_string(path.join("a.cpp")).unwrap(), "x");
        drop(folder);
        assert!(!path.try_exists().unwrap());
    }

    #[test]
    fn a_place_that_is_not_there_is_passed_over() {
        let [gone, tmp] = ["/no/such/folder", "/"].map(PathBuf::from);
        assert_eq!(place(&[gone.clone(), tmp]), Path::new("/"));
        assert_eq!(place(std::slice::from_ref(&gone)), gone);
    }
}
