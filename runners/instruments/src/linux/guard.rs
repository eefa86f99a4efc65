//! A process that outlives this one and takes away what it would leave behind.
//!
//! A folder stays when its maker is killed. So a child waits for the end of a pipe that only the
//! parent holds, and then removes the folder: after a signal, after KILL, after a panic. It has a
//! session of its own and does not carry the mark by which a run ends its strays, so nothing that
//! ends this process reaches it. It can be told of one group of processes that must end first.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io::Write as _,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, FromRawFd as _, OwnedFd},
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, RawDir, openat, unlinkat},
    io::Errno,
};

use super::Refusal;

/// Looks at the folder until it can be removed. *Units*: looks of 10 ms.
const LOOKS: u32 = 500;
/// Deepest folder within the folder that is emptied.
const DEPTH: u32 = 8;
/// Variable that a transport marks its children by, to end those that are left over.
pub(super) const VARIABLE: &str = "VERIFY_ASK";

unsafe extern "C" {
    /// Variables of this process, where the kernel shows them under `/proc`.
    static environ: *const *mut libc::c_char;
}

/// Says what of the folder is removed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Removes {
    /// The folder: the kernel takes away what it shows in it.
    Folder,
    /// The folder and whatever was put into it.
    Content,
}

/// Holds the watching child; dropped, it waits until the child has done its work.
pub(super) struct Guard {
    line: Option<File>,
    child: libc::pid_t,
}

impl Guard {
    /// Starts the child, which removes the folder when this process is gone.
    ///
    /// *Errors*: no pipe or no process can be made.
    pub(super) fn start(folder: &str, removes: Removes) -> Result<Self, Refusal> {
        let Ok(folder) = CString::new(folder) else {
            return Err(Refusal::of("rmdir", libc::EINVAL, "a folder's name holds a NUL"));
        };
        let mut ends = [0; 2];
        // SAFETY: `ends` has room for the two descriptors.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
            return Err(Refusal::last("pipe2", "no descriptor is left"));
        }
        let [reading, writing] = ends;
        // SAFETY: the child runs only `watch`, which makes no allocation and takes no lock.
        let child = unsafe { libc::fork() };
        if child == 0 {
            watch(ends, &folder, removes);
        }
        // SAFETY: the descriptor was made above and has no other owner.
        let line = unsafe { File::from_raw_fd(writing) };
        // SAFETY: as above; dropped at once, the end belongs to the child.
        drop(unsafe { File::from_raw_fd(reading) });
        if child < 0 {
            return Err(Refusal::last("fork", "no process may be added"));
        }
        Ok(Self { line: Some(line), child })
    }

    /// Names the group of processes that is ended where this process is gone; 0 for none.
    pub(super) fn ends(&self, group: libc::pid_t) {
        if let Some(mut line) = self.line.as_ref() {
            // A child that is gone guards nothing, and there is nobody to tell.
            let _ = line.write_all(&group.to_ne_bytes());
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.line.take());
        let mut status = 0;
        // SAFETY: `status` is a valid place, and the child is ours and not waited for before.
        unsafe { libc::waitpid(self.child, &raw mut status, 0) };
    }
}

/// Waits for the end of the pipe and removes the folder. Runs in the child of a fork, so it calls
/// the kernel and nothing else.
fn watch([reading, writing]: [libc::c_int; 2], folder: &CStr, removes: Removes) -> ! {
    // SAFETY: this copy of the end is the child's own; while it is open, the pipe has no end.
    unsafe { libc::close(writing) };
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
        // SAFETY: to ignore a signal needs no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    // SAFETY: passes no memory.
    unsafe { libc::setsid() };
    unmark();
    // SAFETY: the pipe's end is open; it becomes standard input.
    unsafe { libc::dup2(reading, 0) };
    // SAFETY: closes what the parent's readers wait for, its output among it; nothing here uses it.
    unsafe { libc::syscall(libc::SYS_close_range, 1_u32, u32::MAX, 0_u32) };
    let (mut group, mut said) = (0, [0_u8; 4]);
    // SAFETY: `said` has room for four bytes, which the parent writes at once.
    while unsafe { libc::read(0, said.as_mut_ptr().cast(), said.len()) } > 0 {
        group = libc::pid_t::from_ne_bytes(said);
    }
    if group > 1 {
        // SAFETY: passes no memory.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    for _ in 0..LOOKS {
        if removes == Removes::Content {
            empty(CWD, folder, DEPTH);
        }
        match unlinkat(CWD, folder, AtFlags::REMOVEDIR) {
            // Busy for as long as files are being closed, filled by what has not ended yet.
            Err(Errno::BUSY | Errno::NOTEMPTY) => {}
            _ => break,
        }
        // SAFETY: reads `pause` and writes nothing.
        unsafe { libc::nanosleep(&raw const pause, std::ptr::null_mut()) };
    }
    // SAFETY: ends this process without running what the parent has registered.
    unsafe { libc::_exit(0) }
}

/// Takes the transport's mark out of the variables of this process, as `/proc` shows them. It is
/// for the child of a fork that has one thread.
pub(super) fn unmark() {
    // SAFETY: no thread of this process changes variables.
    let mut next = unsafe { environ };
    if next.is_null() {
        return;
    }
    loop {
        // SAFETY: the list ends with a null, before which `next` stops.
        let variable = unsafe { *next };
        if variable.is_null() {
            return;
        }
        // SAFETY: each entry is a text that ends with a NUL.
        let length = unsafe { libc::strlen(variable) };
        // SAFETY: these bytes are the text's; this copy of the memory belongs to the child alone.
        let text = unsafe { std::slice::from_raw_parts_mut(variable.cast::<u8>(), length) };
        let rest = text.strip_prefix(VARIABLE.as_bytes());
        if rest.is_some_and(|rest| rest.starts_with(b"=")) {
            text.fill(b'x');
        }
        // SAFETY: the entry was not the null, so another follows.
        next = unsafe { next.add(1) };
    }
}

/// Removes what is in a folder; what cannot be removed stays. Follows no link.
fn empty(at: BorrowedFd<'_>, name: &CStr, depth: u32) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(folder): Result<OwnedFd, Errno> = openat(at, name, flags, Mode::empty()) else { return };
    let mut room = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(&folder, &mut room);
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let removed = unlinkat(&folder, name, AtFlags::empty());
        if matches!(removed, Err(Errno::ISDIR | Errno::PERM)) && depth > 0 {
            empty(folder.as_fd(), name, depth - 1);
            let _ = unlinkat(&folder, name, AtFlags::REMOVEDIR);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn when_the_line_ends_the_folder_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("instance");
        fs::create_dir(&folder).unwrap();
        let guard = Guard::start(folder.to_str().unwrap(), Removes::Folder).unwrap();
        assert!(folder.try_exists().unwrap());
        drop(guard);
        assert!(!folder.try_exists().unwrap());
        let refused = Guard::start("a\0b", Removes::Folder).err().unwrap();
        assert_eq!(refused.errno, libc::EINVAL);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the test makes what is to be removed")]
    fn content_goes_with_the_folder_and_links_are_not_followed() {
        let parent = tempfile::tempdir().unwrap();
        let (folder, other) = (parent.path().join("ours"), parent.path().join("other"));
        fs::create_dir_all(folder.join("a/b")).unwrap();
        fs::create_dir(&other).unwrap();
        for file in [folder.join("a/b/c"), folder.join("d"), other.join("kept")] {
            fs::write(file, "x").unwrap();
        }
        std::os::unix::fs::symlink(&other, folder.join("link")).unwrap();
        drop(Guard::start(folder.to_str().unwrap(), Removes::Content).unwrap());
        assert!(!folder.try_exists().unwrap());
        assert!(other.join("kept").try_exists().unwrap());
    }

    #[test]
    fn the_group_that_it_was_told_of_is_ended_first() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("ours");
        fs::create_dir(&folder).unwrap();
        // SAFETY: the child only waits in a group of its own.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: passes no memory.
            unsafe { libc::setpgid(0, 0) };
            // SAFETY: waits for a signal.
            unsafe { libc::pause() };
        }
        // SAFETY: both sides set it, so that it holds whoever is first.
        unsafe { libc::setpgid(child, child) };
        let guard = Guard::start(folder.to_str().unwrap(), Removes::Content).unwrap();
        guard.ends(child);
        drop(guard);
        let mut status = 0;
        // SAFETY: `status` is a valid place; the child is ours.
        let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert_eq!(waited, child);
        assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL);
    }
}
