//! Whether a program can have huge pages: one of each size really mapped, touched and given back.
//!
//! The pool says what should be there; a cgroup limit lets the mapping succeed and kills the
//! process at the first touch. So a child touches, and its death is an answer. One page of each
//! size: how many the pool holds is read elsewhere.

use std::{fs, path::Path, ptr};

use serde_json::{Value, json};

use super::{
    Instrument, Refusal,
    child::{self, Ending},
    kernel_file,
};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "hugepages",
    summary: "Maps and touches one huge page of 2 MiB and one of 1 GiB.",
    arguments: "",
    run: |_| Ok(run()),
};

/// The sizes, each with the power of two that `mmap` takes.
const SIZES: [(&str, u32); 2] = [("size-2m", 21), ("size-1g", 30)];
/// Place of the power of two among the flags. *Source*: `linux/mman.h`, `MAP_HUGE_SHIFT`.
const HUGE_SHIFT: u32 = 26;

fn run() -> Value {
    let sizes = SIZES.map(|(name, log2)| (name.to_owned(), size(log2)));
    Value::Object(sizes.into_iter().collect())
}

/// Measures one size.
fn size(log2: u32) -> Value {
    let pool = Pool::read(log2);
    let mut said = match child::run(|| mapped(log2, &pool).unwrap_or_else(|r| r.to_json())) {
        Ok(Ending::Answer(said)) => said,
        Ok(Ending::Killed(signal)) => killed(signal, log2),
        Ok(Ending::Silent(how)) => json!({ "broken": how }),
        Err(refusal) => refusal.to_json(),
    };
    said["offered"] = json!(pool.offered);
    said["total"] = json!(pool.total);
    said["free"] = json!(pool.free);
    said["reserved"] = json!(pool.reserved);
    said
}

fn killed(signal: i32, log2: u32) -> Value {
    if signal != libc::SIGBUS {
        return json!({ "broken": format!("signal {signal} killed the process that touched it") });
    }
    let limit = if log2 == 30 { "hugetlb.1GB.max" } else { "hugetlb.2MB.max" };
    json!({
        "refused": {
            "call": "touch",
            "errno": "SIGBUS",
            "message": "Bus error",
            "why": format!("mapped, but no page behind it: {limit} of the cgroup (see hugetlb.*.events), or a memory policy whose nodes have none free"),
        }
    })
}

/// What sysfs says of a pool; missing numbers are none.
struct Pool {
    offered: bool,
    total: Option<u64>,
    free: Option<u64>,
    reserved: Option<u64>,
}

impl Pool {
    fn read(log2: u32) -> Self {
        let kib = 1_u64 << (log2 - 10);
        let folder = format!("/sys/kernel/mm/hugepages/hugepages-{kib}kB");
        let number = |name: &str| kernel_file::number(format!("{folder}/{name}"));
        Self {
            offered: Path::new(&folder).is_dir(),
            total: number("nr_hugepages"),
            free: number("free_hugepages"),
            reserved: number("resv_hugepages"),
        }
    }

    /// Says what stands behind a refused mapping.
    fn why(&self, errno: i32) -> String {
        let said = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |n| n.to_string());
        match errno {
            libc::ENOMEM => format!(
                "the pool is too small: {} pages, {} free, {} of these promised; else hugetlb.*.rsvd.max of the cgroup or RLIMIT_AS",
                said(self.total),
                said(self.free),
                said(self.reserved)
            ),
            libc::EINVAL if !self.offered => {
                "the kernel does not offer this size: for 1 GiB the CPU lacks pdpe1gb".to_owned()
            }
            libc::EINVAL => "the kernel does not take this size here".to_owned(),
            libc::ENOSYS | libc::ENODEV => "the kernel is built without huge pages".to_owned(),
            libc::EPERM => "a seccomp filter or a security module".to_owned(),
            _ => "mmap(2) with MAP_HUGETLB".to_owned(),
        }
    }
}

/// Maps one page, touches it, reads what the kernel says of it and gives it back.
fn mapped(log2: u32, pool: &Pool) -> Result<Value, Refusal> {
    let length = 1_usize << log2;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB | huge_flag(log2);
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new private mapping at a place of the kernel's choice; nothing of ours is replaced.
    let start = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        let refusal = Refusal::last("mmap", "");
        let why = pool.why(refusal.errno);
        return Err(Refusal { why, ..refusal });
    }
    let byte = start.cast::<u8>();
    // SAFETY: the first byte of the mapping, which is writable and ours; at worst SIGBUS ends us.
    unsafe { byte.write_volatile(0x5a) };
    // SAFETY: the last byte of the mapping, as above.
    let last = unsafe { byte.add(length - 1) };
    // SAFETY: as the first byte.
    unsafe { last.write_volatile(0xa5) };
    // SAFETY: the byte that has just been written.
    let kept = unsafe { byte.read_volatile() } == 0x5a;
    let smaps = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    let of_mapping = |key: &str| json!(kib_of(&smaps, start as usize, key));
    let (page, private) = (of_mapping("KernelPageSize"), of_mapping("Private_Hugetlb"));
    // SAFETY: exactly the mapping from above; nothing refers to it any more.
    let unmapped = unsafe { libc::munmap(start, length) } == 0;
    Ok(json!({
        "mapped-bytes": length,
        "kept": kept,
        "kernel-page-size-kib": page,
        "private-hugetlb-kib": private,
        "unmapped": unmapped,
    }))
}

fn huge_flag(log2: u32) -> libc::c_int {
    libc::c_int::try_from(log2 << HUGE_SHIFT).unwrap_or_default()
}

/// Finds a number of the mapping that begins at an address. *Units*: KiB.
fn kib_of(smaps: &str, start: usize, key: &str) -> Option<u64> {
    let opening = format!("{start:x}-");
    let mut lines = smaps.lines().skip_while(|line| !line.starts_with(&opening)).skip(1);
    // The next mapping opens with an address, and no key does so before its colon.
    let of_mapping = lines
        .by_ref()
        .take_while(|line| line.split(' ').next().is_some_and(|word| word.ends_with(':')));
    let mut values = of_mapping.filter_map(|line| line.split_once(':'));
    let (_, value) = values.find(|(name, _)| *name == key)?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "7f0000000000-7f0000200000 rw-p 00000000 00:10 99 /anon_hugepage (deleted)
Size:               2048 kB
KernelPageSize:     2048 kB
MMUPageSize:        2048 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:    2048 kB
VmFlags: rd wr mr mw me de ht
7f0000200000-7f0000201000 rw-p 00000000 00:00 0
Size:                  4 kB
KernelPageSize:        4 kB
";

    #[test]
    fn what_smaps_says_is_read_of_the_right_mapping_only() {
        let second = 0x7f00_0020_0000;
        assert_eq!(kib_of(SMAPS, 0x7f00_0000_0000, "Private_Hugetlb"), Some(2048));
        assert_eq!(kib_of(SMAPS, 0x7f00_0000_0000, "KernelPageSize"), Some(2048));
        assert_eq!(kib_of(SMAPS, second, "KernelPageSize"), Some(4));
        assert_eq!(kib_of(SMAPS, second, "Private_Hugetlb"), None);
        assert_eq!(kib_of(SMAPS, 0x1000, "KernelPageSize"), None);
    }

    #[test]
    fn each_size_is_mapped_or_refused_and_says_why() {
        let result = INSTRUMENT.tried("").unwrap();
        for (name, log2) in SIZES {
            let said = &result[name];
            let why = said["refused"]["why"].as_str();
            let mapped = said["mapped-bytes"].as_u64() == Some(1 << log2);
            assert!(mapped != why.is_some_and(|why| !why.is_empty()), "{said}");
        }
        assert!(INSTRUMENT.tried("16").unwrap_err().contains("16"));
    }

    #[test]
    fn a_refusal_says_whether_the_pool_is_small_or_the_size_unknown() {
        let pool = |offered| Pool { offered, total: Some(2), free: Some(1), reserved: Some(1) };
        let small = pool(true).why(libc::ENOMEM);
        assert!(small.contains("2 pages, 1 free, 1 of these promised"), "{small}");
        assert!(pool(false).why(libc::EINVAL).contains("pdpe1gb"));
        assert_eq!(killed(libc::SIGBUS, 21)["refused"]["errno"], "SIGBUS");
        assert!(killed(libc::SIGKILL, 21)["broken"].as_str().unwrap().contains('9'));
    }
}
