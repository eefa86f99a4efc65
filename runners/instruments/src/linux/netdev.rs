//! What the kernel says about network devices over generic netlink, family `netdev`.
//!
//! Only `dev-get`, which reads. The messages are built and read here byte by byte: two requests
//! are no reason for a library. *Source*: kernel documentation, netlink/specs/netdev.

use std::{
    mem::size_of,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use super::Refusal;

/// One device.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Device {
    /// Its number.
    pub(super) index: u32,
    /// Bits of what its driver can do with XDP.
    pub(super) features: u64,
}

/// Bits of `xdp-features`. *Source*: netlink/specs/netdev, `xdp-act`.
const FEATURES: [(u64, &str); 7] = [
    (1, "basic"),
    (2, "redirect"),
    (4, "ndo-xmit"),
    (8, "xsk-zerocopy"),
    (16, "hw-offload"),
    (32, "rx-sg"),
    (64, "ndo-xmit-sg"),
];

/// Numbers of messages and attributes. *Source*: `linux/genetlink.h`, `linux/netdev.h`.
const CONTROL: u16 = 0x10;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
const DEV_GET: u8 = 1;
const DEV_INDEX: u16 = 1;
const DEV_FEATURES: u16 = 3;
/// Lengths of the headers. *Units*: B.
const HEADER: usize = 16;
const GENERIC_HEADER: usize = 4;
/// Longest wait for an answer. *Units*: s.
const PATIENCE_S: libc::time_t = 2;
/// Messages of one answer; a machine has fewer devices.
const MESSAGES: usize = 10_000;

/// Names the bits.
pub(super) fn words(features: u64) -> Vec<&'static str> {
    FEATURES.iter().filter(|(bit, _)| features & bit != 0).map(|(_, word)| *word).collect()
}

/// Asks for every device of this network namespace.
///
/// *Errors*: the kernel has no such family (before 6.3), or refused.
pub(super) fn devices() -> Result<Vec<Device>, Refusal> {
    let socket = open()?;
    let name = attribute(FAMILY_NAME, b"netdev\0");
    let answers = ask(&socket, CONTROL, GET_FAMILY, 0, &name).map_err(|refusal| Refusal {
        why: "the kernel has no generic netlink family `netdev` (from 6.3)".to_owned(),
        ..refusal
    })?;
    let family = answers.iter().find_map(|answer| find(answer, FAMILY_ID)).and_then(number);
    let family = family.and_then(|id| u16::try_from(id).ok());
    let family = family.ok_or_else(|| unreadable("the family has no number"))?;
    let dump = u16::try_from(libc::NLM_F_DUMP).unwrap_or_default();
    let answers = ask(&socket, family, DEV_GET, dump, &[])?;
    let device = |answer: &Vec<u8>| {
        let index = u32::try_from(number(find(answer, DEV_INDEX)?)?).ok()?;
        Some(Device { index, features: number(find(answer, DEV_FEATURES)?)? })
    };
    let found: Option<Vec<Device>> = answers.iter().map(device).collect();
    found.ok_or_else(|| unreadable("a device without its number or features"))
}

fn unreadable(why: &str) -> Refusal {
    Refusal::of("netdev dev-get", libc::EIO, why)
}

fn open() -> Result<OwnedFd, Refusal> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: takes numbers only.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_GENERIC) };
    if fd < 0 {
        return Err(Refusal::last("socket", "AF_NETLINK: a seccomp filter or a security module"));
    }
    // SAFETY: the descriptor has just been opened and belongs to nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let limit = libc::timeval { tv_sec: PATIENCE_S, tv_usec: 0 };
    let length = libc::socklen_t::try_from(size_of::<libc::timeval>()).unwrap_or_default();
    let place = (&raw const limit).cast();
    // SAFETY: the value lives through the call, which reads `length` bytes of it.
    unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, place, length) };
    Ok(socket)
}

/// Sends one request and returns the attributes of each answer.
fn ask(
    socket: &OwnedFd,
    family: u16,
    command: u8,
    flags: u16,
    attributes: &[u8],
) -> Result<Vec<Vec<u8>>, Refusal> {
    let flags = flags | u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_ACK).unwrap_or_default();
    let message = request(family, command, flags, attributes);
    let fd = socket.as_raw_fd();
    // SAFETY: the message lives through the call, which reads its length.
    let sent = unsafe { libc::send(fd, message.as_ptr().cast(), message.len(), 0) };
    if sent < 0 {
        return Err(Refusal::last("send", "netlink: a seccomp filter or a security module"));
    }
    let mut answers = Vec::new();
    let mut buffer = vec![0_u8; 64 << 10];
    loop {
        // SAFETY: the buffer has the length that the call may write.
        let got = unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        let Ok(length) = usize::try_from(got) else {
            return Err(Refusal::last("recv", "the kernel did not answer over netlink"));
        };
        let whole = buffer.get(..length).unwrap_or_default();
        match read(whole, &mut answers)? {
            Part::Last => return Ok(answers),
            Part::More if length == 0 || answers.len() > MESSAGES => {
                return Err(unreadable("an answer without an end"));
            }
            Part::More => {}
        }
    }
}

fn request(family: u16, command: u8, flags: u16, attributes: &[u8]) -> Vec<u8> {
    let length = HEADER + GENERIC_HEADER + attributes.len();
    let mut message = u32::try_from(length).unwrap_or_default().to_ne_bytes().to_vec();
    message.extend(family.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]); // Sequence and port: one request at a time, and the kernel knows us.
    message.extend([command, 1, 0, 0]);
    message.extend(attributes);
    message
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(4 + value.len()).unwrap_or_default().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Tells whether more of an answer comes.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    More,
    Last,
}

/// Reads what came in one piece; adds the attributes of each message.
fn read(mut bytes: &[u8], answers: &mut Vec<Vec<u8>>) -> Result<Part, Refusal> {
    while let Some(length) = u32_at(bytes, 0).and_then(|length| usize::try_from(length).ok()) {
        let (Some(message), Some(kind)) = (bytes.get(..length.max(HEADER)), u16_at(bytes, 4))
        else {
            return Err(unreadable("a message that is shorter than it says"));
        };
        match i32::from(kind) {
            libc::NLMSG_ERROR => {
                let errno = u32_at(message, HEADER).map_or(0, u32::cast_signed);
                let why = "the kernel refused the question";
                return if errno == 0 {
                    Ok(Part::Last)
                } else {
                    Err(Refusal::of("netlink", errno.wrapping_neg(), why))
                };
            }
            libc::NLMSG_DONE => return Ok(Part::Last),
            _ => answers.extend(message.get(HEADER + GENERIC_HEADER..).map(<[u8]>::to_vec)),
        }
        bytes = bytes.get(length.max(HEADER).next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(Part::More)
}

/// Finds an attribute.
fn find(mut attributes: &[u8], kind: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16_at(attributes, 0)?);
        let value = attributes.get(4..length)?;
        // The two highest bits say how the value is built.
        if u16_at(attributes, 2)? & 0x3fff == kind {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

/// Reads a number of two, four or eight bytes.
fn number(value: &[u8]) -> Option<u64> {
    match value.len() {
        2 => u16_at(value, 0).map(u64::from),
        4 => u32_at(value, 0).map(u64::from),
        8 => value.try_into().ok().map(u64::from_ne_bytes),
        _ => None,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, attributes: &[u8]) -> Vec<u8> {
        request(kind, 0, 0, attributes)
    }

    #[test]
    fn devices_are_read_from_several_messages_and_the_end_is_seen() {
        let device = |index: u32, features: u64| {
            let mut bytes = attribute(DEV_INDEX, &index.to_ne_bytes());
            bytes.extend(attribute(DEV_FEATURES, &features.to_ne_bytes()));
            message(0x1b, &bytes)
        };
        let mut answers = Vec::new();
        let mut piece = device(1, 7);
        piece.extend(device(2, 0));
        assert_eq!(read(&piece, &mut answers), Ok(Part::More));
        assert_eq!(read(&message(3, &[]), &mut answers), Ok(Part::Last));
        assert_eq!(answers.len(), 2);
        assert_eq!(find(&answers[0], DEV_FEATURES).and_then(number), Some(7));
        assert_eq!(find(&answers[1], DEV_INDEX).and_then(number), Some(2));
        assert_eq!(find(&answers[1], 9), None);
        assert_eq!(words(11), ["basic", "redirect", "xsk-zerocopy"]);
    }

    #[test]
    fn refusals_and_broken_messages_are_errors_and_never_an_empty_list() {
        let mut refused = message(2, &[]);
        refused.splice(HEADER.., (-libc::ENOENT).to_ne_bytes());
        assert_eq!(read(&refused, &mut Vec::new()).unwrap_err().errno, libc::ENOENT);
        let mut short = message(0x1b, &[0; 8]);
        short.truncate(20);
        assert!(read(&short, &mut Vec::new()).is_err());
        for length in 0..16 {
            let _ = read(&message(0x1b, &[1; 16])[..length], &mut Vec::new());
            let _ = find(&[1; 16][..length], 1);
        }
    }
}
