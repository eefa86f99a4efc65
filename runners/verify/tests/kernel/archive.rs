//! How files become the first file system of a kernel: a cpio archive in the format `newc`.
//!
//! Written here because it is a page of code and no tool is needed then. Owners are root, times are
//! zero, so that the same files give the same bytes.
//!
//! *Source*: kernel documentation, driver-api/early-userspace/buffer-format.

use std::fmt::Write as _;

/// Kind and permissions of an entry, as `st_mode` has them.
const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;

/// Collects entries; a folder comes before what is in it.
#[derive(Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    pub(crate) fn folder(self, path: &str) -> Self {
        self.entry(path, FOLDER, &[])
    }

    /// Adds every folder above a path; one that is there already is the same one.
    pub(crate) fn above(self, path: &str) -> Self {
        let ends = path.match_indices('/').map(|(at, _)| &path[..at]);
        ends.fold(self, Self::folder)
    }

    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(path, FILE, content.as_ref())
    }

    pub(crate) fn program(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(path, PROGRAM, content.as_ref())
    }

    /// Ends the archive.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]).bytes
    }

    fn entry(mut self, path: &str, mode: u32, content: &[u8]) -> Self {
        self.entries += 1;
        let links = if mode == FOLDER { 2 } else { 1 };
        let length = u32::try_from(content.len()).expect("a file of less than 4 GiB");
        let name = u32::try_from(path.len() + 1).expect("a short path");
        let mut head = String::from("070701");
        // Inode, mode, uid, gid, links, time, length, device (2), its own device (2), name, sum.
        for field in [self.entries, mode, 0, 0, links, 0, length, 0, 0, 0, 0, name, 0] {
            write!(head, "{field:08x}").expect("a string takes everything");
        }
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
        self
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
