//! Whether a program can have an `AF_XDP` socket, and which interfaces can do XDP.
//!
//! Socket, memory and all four rings are really made, and bound to loopback in copy mode, which
//! touches no device. A zero-copy bind would reset a queue of a real card, so that is never done:
//! what a driver can do is asked of the kernel instead.

use std::{
    mem::size_of_val,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
    path::Path,
    sync::atomic::Ordering,
};

use serde_json::{Value, json};

use super::{Instrument, Refusal, kernel_file, mapping::Mapping, netdev};

pub(super) const INSTRUMENT: Instrument = Instrument {
    name: "af-xdp",
    summary: "Makes an AF_XDP socket, binds it to loopback, and asks what XDP interfaces can do.",
    arguments: "",
    run: |_| Ok(run()),
};

/// Entries of each ring; a power of two.
const ENTRIES: u32 = 64;
/// *Units*: B. *Source*: `linux/if_xdp.h`: a chunk has 2 KiB up to a page.
const CHUNK: u32 = 2048;
/// Options and mappings of the four rings. *Source*: `linux/if_xdp.h`.
const RINGS: [(&str, libc::c_int, u64, usize); 4] = [
    ("fill", libc::XDP_UMEM_FILL_RING, libc::XDP_UMEM_PGOFF_FILL_RING, 8),
    ("completion", libc::XDP_UMEM_COMPLETION_RING, libc::XDP_UMEM_PGOFF_COMPLETION_RING, 8),
    ("rx", libc::XDP_RX_RING, libc::XDP_PGOFF_RX_RING as u64, 16),
    ("tx", libc::XDP_TX_RING, libc::XDP_PGOFF_TX_RING as u64, 16),
];

fn run() -> Value {
    let said = |answer: Result<Value, Refusal>| answer.unwrap_or_else(|refusal| refusal.to_json());
    json!({
        "socket": said(socket()),
        "interfaces": said(interfaces()),
    })
}

/// Makes a socket with its memory and rings and binds it to loopback.
fn socket() -> Result<Value, Refusal> {
    // SAFETY: takes numbers only.
    let fd = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        let refusal = Refusal::last("socket", "");
        let why = why_no_socket(refusal.errno);
        return Err(Refusal { why: why.to_owned(), ..refusal });
    }
    // SAFETY: the descriptor has just been opened and belongs to nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let memory = Mapping::fresh(CHUNK as usize * ENTRIES as usize)?;
    let umem = libc::xdp_umem_reg {
        addr: memory.address(),
        len: memory.length(),
        chunk_size: CHUNK,
        headroom: 0,
        flags: 0,
        tx_metadata_len: 0,
    };
    let why = "the memory counts as locked: CAP_IPC_LOCK or RLIMIT_MEMLOCK";
    set(&socket, libc::XDP_UMEM_REG, &umem, "setsockopt XDP_UMEM_REG", why)?;
    for (_, option, _, _) in RINGS {
        set(&socket, option, &ENTRIES, "setsockopt of a ring", "no memory for a ring")?;
    }
    let offsets = offsets(&socket)?;
    let mut rings = Vec::new();
    for ((name, _, place, size), offset) in
        RINGS.into_iter().zip([offsets.fr, offsets.cr, offsets.rx, offsets.tx])
    {
        let start = usize::try_from(offset.desc).unwrap_or(usize::MAX);
        let length = start.saturating_add(ENTRIES as usize * size);
        let ring = Mapping::of(socket.as_fd(), place, length)?;
        let producer = u32::try_from(offset.producer).ok().and_then(|at| ring.number(at));
        if producer.is_none_or(|producer| producer.load(Ordering::Acquire) != 0) {
            return Err(Refusal::of("mmap", libc::EIO, format!("the {name} ring is not empty")));
        }
        rings.push(name);
    }
    Ok(json!({
        "rings": rings,
        "memory-bytes": memory.length(),
        "bound": bind(&socket).unwrap_or_else(|refusal| refusal.to_json()),
    }))
}

fn why_no_socket(errno: i32) -> &'static str {
    match errno {
        libc::EPERM => "needs CAP_NET_RAW in the user namespace of the network namespace",
        libc::EACCES => "a security module",
        libc::EAFNOSUPPORT => {
            "the kernel is built without XDP_SOCKETS, or a seccomp filter says so"
        }
        libc::EMFILE | libc::ENFILE => "RLIMIT_NOFILE or the system's limit of open files",
        _ => "socket(2) with AF_XDP",
    }
}

fn set<T>(
    socket: &OwnedFd,
    option: libc::c_int,
    value: &T,
    call: &'static str,
    why: &str,
) -> Result<(), Refusal> {
    let length = libc::socklen_t::try_from(size_of_val(value)).unwrap_or_default();
    let fd = socket.as_raw_fd();
    // SAFETY: the value lives through the call, which reads `length` bytes of it.
    let done =
        unsafe { libc::setsockopt(fd, libc::SOL_XDP, option, (&raw const *value).cast(), length) };
    if done == 0 { Ok(()) } else { Err(Refusal::last(call, why)) }
}

fn offsets(socket: &OwnedFd) -> Result<libc::xdp_mmap_offsets, Refusal> {
    let none = || libc::xdp_ring_offset { producer: 0, consumer: 0, desc: 0, flags: 0 };
    let mut found = libc::xdp_mmap_offsets { rx: none(), tx: none(), fr: none(), cr: none() };
    let wanted = libc::socklen_t::try_from(size_of_val(&found)).unwrap_or_default();
    let mut length = wanted;
    let fd = socket.as_raw_fd();
    let place = (&raw mut found).cast();
    // SAFETY: `found` has the `length` bytes that the call may write.
    let done = unsafe {
        libc::getsockopt(fd, libc::SOL_XDP, libc::XDP_MMAP_OFFSETS, place, &raw mut length)
    };
    let why = "Linux 5.4 or later names the places of the rings so";
    match done {
        0 if length == wanted => Ok(found),
        0 => Err(Refusal::of("getsockopt XDP_MMAP_OFFSETS", libc::EINVAL, why)),
        _ => Err(Refusal::last("getsockopt XDP_MMAP_OFFSETS", why)),
    }
}

/// Binds to queue 0 of loopback in copy mode; nothing is received without an XDP program.
fn bind(socket: &OwnedFd) -> Result<Value, Refusal> {
    // SAFETY: a text that ends with a zero.
    let loopback = unsafe { libc::if_nametoindex(c"lo".as_ptr()) };
    if loopback == 0 {
        return Err(Refusal::last("if_nametoindex", "this network namespace has no `lo`"));
    }
    let family = u16::try_from(libc::AF_XDP).unwrap_or_default();
    let address = libc::sockaddr_xdp {
        sxdp_family: family,
        sxdp_flags: libc::XDP_COPY,
        sxdp_ifindex: loopback,
        sxdp_queue_id: 0,
        sxdp_shared_umem_fd: 0,
    };
    let length = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or_default();
    // SAFETY: the address lives through the call, which reads `length` bytes of it.
    let done = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if done == 0 {
        return Ok(json!("lo"));
    }
    let refusal = Refusal::last("bind", "");
    let why = match refusal.errno {
        libc::EBUSY => "the queue has a socket, or one was closed less than 300 ms ago",
        libc::ENETDOWN => "`lo` is down: ip link set lo up",
        libc::EPERM => "needs CAP_NET_RAW in the user namespace of the network namespace",
        libc::EOPNOTSUPP | libc::EINVAL => "the device does not take copy mode",
        _ => "bind(2) of an AF_XDP socket",
    };
    Err(Refusal { why: why.to_owned(), ..refusal })
}

/// Lists what the driver of each interface says of XDP, by number.
fn interfaces() -> Result<Value, Refusal> {
    let interface = |device: netdev::Device| {
        let name = name(device.index);
        json!({
            "physical": physical(&name, device.index),
            "name": name,
            "features": netdev::words(device.features),
        })
    };
    Ok(json!({ "list": netdev::devices()?.into_iter().map(interface).collect::<Vec<_>>() }))
}

/// Returns the name of an interface in this network namespace; its number where it has gone.
fn name(index: u32) -> String {
    let mut name: [libc::c_char; libc::IF_NAMESIZE] = [0; libc::IF_NAMESIZE];
    // SAFETY: `name` has the `IF_NAMESIZE` bytes that the call may write.
    if unsafe { libc::if_indextoname(index, name.as_mut_ptr()) }.is_null() {
        return format!("#{index}");
    }
    let bytes: Vec<u8> =
        name.iter().map(|byte| byte.to_ne_bytes()[0]).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Tells whether a device stands behind an interface; none where sysfs is another namespace's.
fn physical(name: &str, index: u32) -> Option<bool> {
    let folder = Path::new("/sys/class/net").join(name);
    let shown: u32 = kernel_file::number(folder.join("ifindex"))?;
    (shown == index).then(|| folder.join("device").is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_made_or_the_refusal_says_why() {
        let said = INSTRUMENT.tried("").unwrap();
        let made = said["socket"]["rings"] == json!(["fill", "completion", "rx", "tx"]);
        assert!(made != said["socket"]["refused"]["why"].is_string(), "{said}");
        let bound = &said["socket"]["bound"];
        assert!(!made || bound == "lo" || bound["refused"]["why"].is_string(), "{said}");
        let asked = said["interfaces"]["list"].is_array();
        assert!(asked != said["interfaces"]["refused"]["why"].is_string(), "{said}");
        assert!(INSTRUMENT.tried("eth0").unwrap_err().contains("eth0"));
    }

    #[test]
    fn what_refuses_a_socket_is_told_apart() {
        assert!(why_no_socket(libc::EPERM).contains("CAP_NET_RAW"));
        assert!(why_no_socket(libc::EAFNOSUPPORT).contains("built without"));
    }
}
