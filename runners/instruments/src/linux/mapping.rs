//! Memory that this process shares with the kernel, such as a ring, unmapped when it is dropped.
//!
//! All places are checked against the length, so that offsets that the kernel names cannot lead
//! beyond the mapping. What both sides write is read as atomic numbers only.

use std::{
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
    sync::atomic::AtomicU32,
};

use super::Refusal;

/// Holds one mapping.
pub(super) struct Mapping {
    start: *mut u8,
    length: usize,
}

impl Mapping {
    /// Maps a part of what a descriptor stands for, such as a ring of a socket.
    ///
    /// *Errors*: what `mmap` refused.
    pub(super) fn of(fd: BorrowedFd<'_>, offset: u64, length: usize) -> Result<Self, Refusal> {
        let offset = libc::off_t::try_from(offset).unwrap_or(libc::off_t::MAX);
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        Self::new(length, flags, fd.as_raw_fd(), offset)
    }

    /// Maps fresh memory, on whole pages.
    ///
    /// *Errors*: what `mmap` refused.
    pub(super) fn fresh(length: usize) -> Result<Self, Refusal> {
        Self::new(length, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    }

    fn new(length: usize, flags: i32, fd: i32, offset: libc::off_t) -> Result<Self, Refusal> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice; nothing of ours is replaced.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(Refusal::last("mmap", "RLIMIT_AS or RLIMIT_MEMLOCK, or no memory"));
        }
        Ok(Self { start: start.cast(), length })
    }

    /// Returns the address for the kernel.
    pub(super) fn address(&self) -> u64 {
        self.start as u64
    }

    /// Returns the length. *Units*: B.
    pub(super) fn length(&self) -> u64 {
        self.length as u64
    }

    /// Returns a number that the kernel may change; none beyond the mapping or off its alignment.
    pub(super) fn number(&self, offset: u32) -> Option<&AtomicU32> {
        let place = self.place::<AtomicU32>(offset as usize)?;
        // SAFETY: within the mapping, aligned, any bits are a number, and it lives as long as self.
        Some(unsafe { &*place })
    }

    /// Writes an entry of a ring that the kernel does not look at yet; none beyond the mapping.
    pub(super) fn write<T: Copy>(&self, offset: usize, value: T) -> Option<()> {
        let place = self.place::<T>(offset)?;
        // SAFETY: within the mapping, aligned and writable; no reference to it exists.
        unsafe { place.write_volatile(value) };
        Some(())
    }

    fn place<T>(&self, offset: usize) -> Option<*mut T> {
        let end = offset.checked_add(size_of::<T>())?;
        if end > self.length {
            return None;
        }
        // SAFETY: the offset is within the mapping.
        let place = unsafe { self.start.add(offset) };
        (place.align_offset(align_of::<T>()) == 0).then_some(place.cast())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping of `new`; every reference into it borrows self.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn no_place_beyond_the_mapping_or_off_its_alignment_can_be_had() {
        let mapping = Mapping::fresh(4096).unwrap();
        assert_eq!(mapping.write(4088, 7_u32), Some(()));
        assert_eq!(mapping.number(4088).unwrap().load(Ordering::Acquire), 7);
        assert!(mapping.number(4094).is_none() && mapping.number(4096).is_none());
        assert!(mapping.number(u32::MAX).is_none() && mapping.number(2).is_none());
        assert_eq!(mapping.write(usize::MAX, 1_u8), None);
        assert_eq!(mapping.write(4089, 1_u64), None);
    }
}
