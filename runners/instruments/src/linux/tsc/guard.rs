//! A process that outlives this one and takes away what it would leave behind.
//!
//! A trace instance belongs to the kernel and stays when its maker is killed. So a child waits for
//! the end of a pipe that only the parent holds, and then removes the folder: after a signal, after
//! KILL, after a panic. It has a session of its own, so a signal to the group does not reach it.

use std::{ffi::CString, fs::File, io, os::fd::FromRawFd as _};

use crate::linux::Refusal;

/// Looks at the folder until it can be removed. *Units*: looks of 10 ms.
const LOOKS: u32 = 500;

/// Holds the watching child; dropped, it waits until the child has done its work.
pub(super) struct Guard {
    line: Option<File>,
    child: libc::pid_t,
}

impl Guard {
    /// Starts the child, which removes the folder when this process is gone.
    ///
    /// *Errors*: no pipe or no process can be made.
    pub(super) fn start(folder: &str) -> Result<Self, Refusal> {
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
            watch(ends, &folder);
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
fn watch([reading, writing]: [libc::c_int; 2], folder: &CString) -> ! {
    // SAFETY: this copy of the end is the child's own; while it is open, the pipe has no end.
    unsafe { libc::close(writing) };
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
        // SAFETY: to ignore a signal needs no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    // SAFETY: passes no memory.
    unsafe { libc::setsid() };
    // SAFETY: the pipe's end is open; it becomes standard input.
    unsafe { libc::dup2(reading, 0) };
    // SAFETY: closes what the parent's readers wait for, its output among it; nothing here uses it.
    unsafe { libc::syscall(libc::SYS_close_range, 1_u32, u32::MAX, 0_u32) };
    let mut byte = 0_u8;
    // SAFETY: `byte` is a valid place of one byte.
    while unsafe { libc::read(0, (&raw mut byte).cast(), 1) } > 0 {}
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    for _ in 0..LOOKS {
        // SAFETY: the text ends with a NUL and lives on in the child's copy.
        let removed = unsafe { libc::rmdir(folder.as_ptr()) };
        let errno = io::Error::last_os_error().raw_os_error();
        // Busy for as long as the parent's files are being closed; all else is final.
        if removed == 0 || errno != Some(libc::EBUSY) {
            break;
        }
        // SAFETY: reads `pause` and writes nothing.
        unsafe { libc::nanosleep(&raw const pause, std::ptr::null_mut()) };
    }
    // SAFETY: ends this process without running what the parent has registered.
    unsafe { libc::_exit(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_the_line_ends_the_folder_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("instance");
        std::fs::create_dir(&folder).unwrap();
        let guard = Guard::start(folder.to_str().unwrap()).unwrap();
        assert!(folder.try_exists().unwrap());
        drop(guard);
        assert!(!folder.try_exists().unwrap());
        assert_eq!(Guard::start("a\0b").err().unwrap().errno, libc::EINVAL);
    }
}
