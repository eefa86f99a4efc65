//! A file to measure a drive with that no end of the process can leave behind.
//!
//! It never has a name (`O_TMPFILE`), or loses it before anything is written: the kernel frees it
//! with its last user, whatever ends that one. Programs reach it as `/proc/self/fd/N`. It is filled
//! with noise, for a drive or file system that compresses would read zeros from nowhere.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, MemfdFlags, Mode, OFlags, memfd_create, open, statfs, statvfs, unlinkat},
    io::{Errno, FdFlags, fcntl_setfd},
};

use super::Refusal;

/// Types of filesystems that lie in memory. *Source*: statfs(2).
const IN_MEMORY: [(u64, &str); 2] = [(0x0102_1994, "tmpfs"), (0x8584_58f6, "ramfs")];
/// Size of a write. *Units*: B.
const CHUNK: usize = 1 << 20;

/// Holds a file without a name.
pub(super) struct Scratch(File);

/// Says why there is no scratch file.
#[derive(Debug)]
pub(super) enum NoScratch {
    /// The kernel refused.
    Refused(Refusal),
    /// Measuring there would say nothing, or take too much.
    Unfit(String),
}

impl Scratch {
    /// Makes and fills a file in a folder that is on a drive and has room for twice as much.
    pub(super) fn filled(folder: &Path, bytes: u64) -> Result<Self, NoScratch> {
        fit(folder, bytes)?;
        let mut file = nameless(folder).map_err(|(call, errno)| refused(call, errno, folder))?;
        fill(&mut file, bytes).map_err(|error| {
            let errno = error.raw_os_error().unwrap_or_default();
            refused("write", Errno::from_raw_os_error(errno), folder)
        })?;
        Ok(Self(file))
    }

    /// Makes an empty file in memory, for a program to write its answer to.
    ///
    /// *Errors*: what the kernel refused.
    pub(super) fn in_memory() -> Result<Self, NoScratch> {
        let file = memfd_create("verify", MemfdFlags::CLOEXEC);
        let file = file.map_err(|errno| refused("memfd_create", errno, Path::new("memory")))?;
        Ok(Self(File::from(file)))
    }

    /// Lets programs that are started from now on reach it, and returns by which path.
    pub(super) fn shared(&self) -> io::Result<String> {
        fcntl_setfd(&self.0, FdFlags::empty())?;
        Ok(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }

    /// Returns the file itself.
    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

fn refused(call: &'static str, errno: Errno, folder: &Path) -> NoScratch {
    let why = match errno {
        Errno::ROFS => "the filesystem is read-only".to_owned(),
        Errno::NOSPC | Errno::DQUOT => "the space or the quota ran out".to_owned(),
        _ => format!("no file can be made or written in {}", folder.display()),
    };
    NoScratch::Refused(Refusal { call, errno: errno.raw_os_error(), why })
}

/// Tells whether a file of this size, there, is worth measuring and does no harm.
fn fit(folder: &Path, bytes: u64) -> Result<(), NoScratch> {
    let magic = magic(folder).map_err(|errno| refused("statfs", errno, folder))?;
    let space = statvfs(folder).map_err(|errno| refused("statvfs", errno, folder))?;
    if let Some((_, name)) = IN_MEMORY.iter().find(|(number, _)| *number == magic) {
        let why = format!("{} is on {name}, which is memory and no drive", folder.display());
        return Err(NoScratch::Unfit(why));
    }
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    if free / 2 < bytes {
        let (need, free) = (bytes >> 20, free >> 20);
        let why = format!("a file of {need} MiB needs twice as much free, and {free} MiB are");
        return Err(NoScratch::Unfit(why));
    }
    Ok(())
}

/// Returns the number that says of which type a filesystem is.
#[allow(clippy::cast_sign_loss, clippy::unnecessary_cast, reason = "its type differs by machine")]
fn magic(folder: &Path) -> Result<u64, Errno> {
    statfs(folder).map(|kind| kind.f_type as u64 & 0xffff_ffff)
}

fn nameless(folder: &Path) -> Result<File, (&'static str, Errno)> {
    let private = Mode::RUSR | Mode::WUSR;
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    match open(folder, flags | OFlags::TMPFILE, private) {
        Ok(file) => Ok(File::from(file)),
        // Filesystems without it: NFS, FAT, older overlays.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
            let path = folder.join(format!(".verify-scratch-{}", std::process::id()));
            let made = open(&path, flags | OFlags::CREATE | OFlags::EXCL, private);
            let file: OwnedFd = made.map_err(|errno| ("open", errno))?;
            unlinkat(CWD, &path, AtFlags::empty()).map_err(|errno| ("unlink", errno))?;
            Ok(File::from(file))
        }
        Err(errno) => Err(("open", errno)),
    }
}

fn fill(file: &mut File, bytes: u64) -> io::Result<()> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chunk = vec![0_u8; CHUNK];
    let mut left = bytes;
    while left > 0 {
        for word in chunk.chunks_exact_mut(8) {
            // xorshift64: no pattern that a drive could fold.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
        let part = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        file.write_all(&chunk[..part])?;
        left -= part as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_scratch_file_never_has_a_name_and_holds_no_zeros() {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let Ok(scratch) = Scratch::filled(folder.path(), 3_000_000) else {
            println!("skipped: needs a drive under /var/tmp");
            return;
        };
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let bytes = fs::read(scratch.shared().unwrap()).unwrap();
        assert_eq!(bytes.len(), 3_000_000);
        assert!(bytes.chunks(4096).all(|page| page.iter().any(|byte| *byte != 0)));
        assert!(bytes[..CHUNK] != bytes[CHUNK..2 * CHUNK]);
    }

    #[test]
    fn more_than_half_of_what_is_free_is_never_taken() {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let Err(NoScratch::Unfit(why)) = Scratch::filled(folder.path(), u64::MAX / 4) else {
            panic!("taken");
        };
        assert!(why.contains("twice as much free") || why.contains("no drive"), "{why}");
    }

    #[test]
    fn memory_is_no_drive_and_a_missing_folder_is_refused_by_name() {
        match Scratch::filled(Path::new("/no/such/folder"), 1) {
            Err(NoScratch::Refused(refusal)) => assert_eq!(refusal.errno, libc::ENOENT),
            _ => panic!("made"),
        }
        let shm = Path::new("/dev/shm");
        if magic(shm) == Ok(IN_MEMORY[0].0) {
            let found = Scratch::filled(shm, 1).err();
            assert!(matches!(found, Some(NoScratch::Unfit(why)) if why.contains("tmpfs")));
        }
    }
}
