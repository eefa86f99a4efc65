//! Which machines this run loads, so that no second run loads them at the same time.
//!
//! A lock on a file for each machine, which the kernel takes away with its process: a file that nobody
//! locks is nobody's, and a run that ends takes its files along. It is never waited for. The user's own
//! folder of state knows every machine, by the way that it is asked; a folder that all users share
//! knows this machine alone. There, nothing is followed, and only a file of one's own is written.
//! Whoever loads the same machine from elsewhere, or where no lock can be made, is not seen.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{
        DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::fs::OFlags;
use verify_model::node::Via;

use crate::load::catalog::digest;

/// Longest text that says who holds a lock. *Units*: bytes.
const WORDS: u64 = 200;
/// How often a file is opened anew that its holder removed meanwhile.
const TRIES: usize = 8;

/// Holds the machines that this run loads, until the last clone is gone.
#[derive(Clone, Debug, Default)]
pub struct Claims(Option<Arc<Holder>>);

#[derive(Debug)]
struct Holder {
    own: PathBuf,
    shared: Option<PathBuf>,
    words: String,
    held: Mutex<BTreeMap<String, Vec<Held>>>,
}

/// Holds one locked file.
#[derive(Debug)]
struct Held {
    path: PathBuf,
    file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // While it is locked: whoever opens it now finds that its place is empty, and begins anew.
        if is_ones_own(&self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

enum Tried {
    Locked(File),
    Taken(File),
}

impl Claims {
    /// Claims machines for a run, by files in the user's own folder and in one that all users share.
    pub fn new(own: PathBuf, shared: Option<PathBuf>, run: &str, since: &str) -> Self {
        let words = format!("pid {}, run {run}, since {since}", std::process::id());
        Self(Some(Arc::new(Holder { own, shared, words, held: Mutex::default() })))
    }

    /// Names the folder that all users share for locks, where it is safe: root's, and sticky, so that
    /// nobody can take away a file of somebody else.
    pub fn shared() -> Option<PathBuf> {
        let is_safe = |folder: &Path| {
            fs::metadata(folder).is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o1002 == 0o1002)
        };
        ["/run/lock", "/tmp"].into_iter().map(PathBuf::from).find(|folder| is_safe(folder))
    }

    /// Claims a machine; a run claims it once for all that it asks of it.
    ///
    /// *Errors*: another process has it; says who.
    pub fn claim(&self, machine: &str) -> Result<(), String> {
        let Some(holder) = &self.0 else { return Ok(()) };
        let mut held = holder.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !held.contains_key(machine) {
            let locked = holder.lock(machine)?;
            held.insert(machine.to_owned(), locked);
        }
        Ok(())
    }
}

impl Holder {
    fn lock(&self, machine: &str) -> Result<Vec<Held>, String> {
        let name = format!("verify-{}.lock", &digest(machine.as_bytes())[..16]);
        let mut held = Vec::new();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.own);
        let own = self.own.join(&name);
        match made.and_then(|()| lock(&own, 0o600)) {
            Ok(Tried::Taken(file)) => return Err(words(&file)),
            Ok(Tried::Locked(file)) => held.push(self.sign(own, file)),
            // Without a place for locks nobody is seen; that is no reason to measure nothing.
            Err(_) => {}
        }
        if let Some(folder) = self.shared.as_ref().filter(|_| machine == Via::Local.machine("")) {
            let shared = folder.join(&name);
            match lock(&shared, 0o644) {
                Ok(Tried::Taken(file)) => return Err(process(&file)),
                Ok(Tried::Locked(file)) => held.push(self.sign(shared, file)),
                Err(_) => {}
            }
        }
        Ok(held)
    }

    /// Writes into a file of one's own who holds it.
    fn sign(&self, path: PathBuf, file: File) -> Held {
        if is_ones_own(&file) {
            let mut open = &file;
            let _ = file.set_len(0).and_then(|()| open.write_all(self.words.as_bytes()));
        }
        Held { path, file }
    }
}

/// Locks a file that stands in its place, or makes it.
fn lock(path: &Path, mode: u32) -> io::Result<Tried> {
    for _ in 0..TRIES {
        let Some(file) = open(path, mode)? else { continue };
        let opened = file.metadata()?;
        if !opened.is_file() {
            return Err(io::Error::other("no regular file"));
        }
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(Tried::Taken(file)),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => {}
        }
        let placed = fs::symlink_metadata(path);
        let same =
            |placed: fs::Metadata| (placed.dev(), placed.ino()) == (opened.dev(), opened.ino());
        if placed.is_ok_and(same) {
            return Ok(Tried::Locked(file));
        }
    }
    Err(io::Error::other("it is removed again and again"))
}

/// Opens a file, or makes it; `None` where it came or went meanwhile.
fn open(path: &Path, mode: u32) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags);
    // Not by `create`: the kernel refuses that for a file of somebody else in such a folder.
    let found = options.clone().write(true).open(path);
    let refused = |e: &io::Error| e.kind() == io::ErrorKind::PermissionDenied;
    let found = if found.as_ref().is_err_and(refused) { options.open(path) } else { found };
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found.map(Some),
    }
    match options.write(true).create_new(true).mode(mode).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        new => {
            let new = new?;
            // Whatever the mask of the user: who cannot look at it would not be kept away.
            let _ = new.set_permissions(Permissions::from_mode(mode));
            Ok(Some(new))
        }
    }
}

/// Tells whether a file is this user's and stands in one place alone.
fn is_ones_own(file: &File) -> bool {
    let user = rustix::process::geteuid().as_raw();
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.nlink() == 1 && meta.uid() == user)
}

/// Reads who holds a file in one's own folder.
fn words(file: &File) -> String {
    let mut text = String::new();
    let read = file.take(WORDS).read_to_string(&mut text);
    if read.is_err() || text.trim().is_empty() { process(file) } else { text }
}

/// Names the process that holds a file, as far as the kernel tells: what somebody else wrote there may
/// be old.
fn process(file: &File) -> String {
    let inode = file.metadata().map_or(0, |meta| meta.ino()).to_string();
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let pid = locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, _, _) = (words.next()?, words.next()?, words.next()?);
        let (pid, place) = (words.next()?, words.next()?);
        let same = kind == "FLOCK" && place.rsplit(':').next() == Some(&inode);
        pid.parse::<u32>().ok().filter(|pid| same && *pid > 0)
    });
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"))
}
