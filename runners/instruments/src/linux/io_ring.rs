//! Whether a program can have `io_uring`: a ring really set up, and a file really read through it.
//!
//! Built in is not allowed: a sysctl, a seccomp filter or a security module refuses it, and a
//! container sees the same kernel. The bytes are compared with those of an ordinary read of the
//! same file, which is this program itself.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd},
        unix::fs::FileExt,
    },
    sync::atomic::Ordering,
};

use rustix::io_uring as ring;
use serde_json::{Value, json};

use super::{Instrument, Refusal, kernel_file, mapping::Mapping};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "io-uring",
    summary: "Sets up an io_uring and reads a file through it.",
    arguments: "",
    run: |_| Ok(run()),
};

const DISABLED: &str = "/proc/sys/kernel/io_uring_disabled";
/// A file that is there and can be read, whoever asks.
const FILE: &str = "/proc/self/exe";
/// How much is read. *Units*: B.
const LENGTH: u32 = 64 << 10;
const ENTRIES: u32 = 4;
/// Sizes of ring entries. *Units*: B. *Source*: `linux/io_uring.h`.
const SQE: u32 = 64;
const CQE: u32 = 16;
/// Place of the result in a completion. *Units*: B. *Source*: `linux/io_uring.h`.
const CQE_RESULT: u32 = 8;

fn run() -> Value {
    let mut said = read_a_file().unwrap_or_else(|refusal| refusal.to_json());
    said["disabled"] = json!(kernel_file::number::<i64>(DISABLED));
    said["seccomp"] = json!(kernel_file::status("Seccomp"));
    said
}

fn read_a_file() -> Result<Value, Refusal> {
    let why = format!("{FILE} cannot be read: is /proc mounted?");
    let file = File::open(FILE).map_err(|error| of("open", &error, &why))?;
    let mut expected = vec![0_u8; LENGTH as usize];
    let length = file.read_at(&mut expected, 0).map_err(|error| of("pread", &error, &why))?;
    expected.truncate(length);

    let mut params = ring::io_uring_params::default();
    // SAFETY: `params` is whole, and no flag makes it point anywhere.
    let ring = unsafe { ring::io_uring_setup(ENTRIES, &mut params) }
        .map_err(|errno| Refusal::of("io_uring_setup", errno.raw_os_error(), why_no_ring(errno)))?;
    let rings = Rings::map(ring.as_fd(), &params)?;
    // Never freed: if the wait below fails, the kernel may still write there.
    let buffer: &'static mut [u8] = vec![0_u8; LENGTH as usize].leak();
    let entry = ring::io_uring_sqe {
        opcode: ring::IoringOp::Read,
        fd: file.as_raw_fd(),
        addr_or_splice_off_in: ring::addr_or_splice_off_in_union {
            addr: ring::io_uring_ptr::new(buffer.as_mut_ptr().cast()),
        },
        len: ring::len_union { len: LENGTH },
        ..ring::io_uring_sqe::default()
    };
    rings.submit(entry).ok_or_else(|| broken("the ring that the kernel describes is too short"))?;
    let wait = ring::IoringEnterFlags::GETEVENTS;
    // SAFETY: the one entry points at `file` and `buffer`, which both outlive the ring.
    unsafe { ring::io_uring_enter(&ring, 1, 1, wait) }.map_err(|errno| {
        Refusal::of("io_uring_enter", errno.raw_os_error(), "a seccomp filter or a security module")
    })?;
    let result = rings.result().ok_or_else(|| broken("it returned without a completion"))?;
    let Ok(read) = usize::try_from(result) else {
        let why = "IORING_OP_READ needs Linux 5.6; else what read(2) says of the file";
        return Err(Refusal::of("IORING_OP_READ", -result, why));
    };
    let equal = buffer.get(..read).is_some_and(|bytes| bytes == expected);
    Ok(json!({ "read-bytes": read, "equal": equal, "features": params.features.bits() }))
}

/// The three mappings of a ring, with the places that the kernel named.
struct Rings {
    submissions: Mapping,
    completions: Mapping,
    entries: Mapping,
    sq: ring::io_sqring_offsets,
    cq: ring::io_cqring_offsets,
}

impl Rings {
    fn map(
        fd: std::os::fd::BorrowedFd<'_>,
        params: &ring::io_uring_params,
    ) -> Result<Self, Refusal> {
        let (sq, cq) = (params.sq_off, params.cq_off);
        let length = |start: u32, count: u32, size: u32| {
            (start as usize).saturating_add((count as usize).saturating_mul(size as usize))
        };
        let map = |offset, length| Mapping::of(fd, offset, length);
        Ok(Self {
            submissions: map(ring::IORING_OFF_SQ_RING, length(sq.array, params.sq_entries, 4))?,
            completions: map(ring::IORING_OFF_CQ_RING, length(cq.cqes, params.cq_entries, CQE))?,
            entries: map(ring::IORING_OFF_SQES, length(0, params.sq_entries, SQE))?,
            sq,
            cq,
        })
    }

    /// Puts an entry into the ring, as the first.
    fn submit(&self, entry: ring::io_uring_sqe) -> Option<()> {
        self.entries.write(0, entry)?;
        self.submissions.number(self.sq.array)?.store(0, Ordering::Relaxed);
        self.submissions.number(self.sq.tail)?.fetch_add(1, Ordering::Release);
        Some(())
    }

    /// Takes the first completion; none where the kernel put none there.
    fn result(&self) -> Option<i32> {
        let head = self.completions.number(self.cq.head)?;
        let tail = self.completions.number(self.cq.tail)?.load(Ordering::Acquire);
        let first = head.load(Ordering::Relaxed);
        if first == tail {
            return None;
        }
        let mask = self.completions.number(self.cq.ring_mask)?.load(Ordering::Relaxed);
        let place = (first & mask).checked_mul(CQE)?.checked_add(self.cq.cqes)?;
        let result = self.completions.number(place.checked_add(CQE_RESULT)?)?;
        let result = result.load(Ordering::Relaxed).cast_signed();
        head.store(first.wrapping_add(1), Ordering::Release);
        Some(result)
    }
}

/// Says what stands behind a refused ring.
fn why_no_ring(errno: rustix::io::Errno) -> String {
    let disabled = kernel_file::number::<i64>(DISABLED);
    let filter = kernel_file::status("Seccomp").unwrap_or_default();
    refused(errno.raw_os_error(), disabled, &filter)
}

fn refused(errno: i32, disabled: Option<i64>, filter: &str) -> String {
    match (errno, disabled) {
        (libc::ENOSYS, _) if filter == "2" => {
            "a seccomp filter may answer so (`Seccomp: 2`), else the kernel is built without io_uring".to_owned()
        }
        (libc::ENOSYS, _) => "the kernel is built without io_uring or older than 5.1".to_owned(),
        (libc::EPERM, Some(2)) => "kernel.io_uring_disabled is 2: nobody may have a ring".to_owned(),
        (libc::EPERM, Some(1)) => {
            "kernel.io_uring_disabled is 1: needs CAP_SYS_ADMIN or the group of kernel.io_uring_group".to_owned()
        }
        (libc::EPERM, _) => format!(
            "no sysctl forbids it, so a seccomp filter (`Seccomp: {filter}`, 2 is a filter; Docker has one) or a security module does"
        ),
        (libc::ENOMEM, _) => "RLIMIT_MEMLOCK before Linux 5.12, or no memory".to_owned(),
        (libc::EMFILE | libc::ENFILE, _) => "RLIMIT_NOFILE or the system's limit of open files".to_owned(),
        (libc::EINVAL, _) => "the kernel does not know what was asked for".to_owned(),
        _ => "io_uring_setup(2)".to_owned(),
    }
}

fn broken(why: &str) -> Refusal {
    Refusal::of("io_uring", libc::EIO, why)
}

fn of(call: &'static str, error: &io::Error, why: &str) -> Refusal {
    Refusal::of(call, error.raw_os_error().unwrap_or_default(), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_through_the_ring_or_the_refusal_says_why() {
        let said = INSTRUMENT.tried("").unwrap();
        let read = said["equal"] == true && said["read-bytes"] == LENGTH;
        assert!(read != said["refused"]["why"].is_string(), "{said}");
        assert!(INSTRUMENT.tried("-x").unwrap_err().contains("-x"));
    }

    #[test]
    fn what_refuses_a_ring_is_told_apart() {
        assert!(refused(libc::ENOSYS, None, "0").contains("built without"));
        assert!(refused(libc::ENOSYS, None, "2").contains("seccomp"));
        assert!(refused(libc::EPERM, Some(2), "0").contains("nobody"));
        assert!(refused(libc::EPERM, Some(1), "0").contains("io_uring_group"));
        for disabled in [None, Some(0)] {
            assert!(refused(libc::EPERM, disabled, "2").contains("seccomp"));
        }
        assert!(refused(libc::EINVAL, Some(0), "0").contains("does not know"));
    }
}
