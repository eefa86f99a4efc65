//! Opens a TCP connection and closes it again.
//!
//! One limit for all addresses of a name, and an interrupt is heard while the other side is silent.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, ioctl_fionbio},
    net::{AddressFamily, SocketType, getpeername, getsockname, socket, sockopt},
};
use verify_model::evidence::{Captured, Failure, FailureKind};

use super::Cancel;

/// Longest wait between two looks at the interrupt flag.
const TICK: Duration = Duration::from_millis(50);

/// Connects to the first address that answers.
pub(super) fn connect(host: &str, port: u16, limit_ms: u64, cancel: &Cancel) -> Captured {
    let deadline = now() + Duration::from_millis(limit_ms.max(1));
    let addresses = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses,
        Err(error) => {
            let message = format!("the name {host} is unknown: {error}");
            return Captured::Failed(Failure::new(FailureKind::Other, message));
        }
    };
    let mut last = Failure::new(FailureKind::Other, format!("{host} has no address"));
    for address in addresses {
        match connect_to(address, deadline, cancel) {
            Ok(()) => return Captured::Connected,
            Err(End::Interrupted) => {
                let message = "the run was interrupted";
                return Captured::Failed(Failure::new(FailureKind::Interrupted, message));
            }
            Err(End::Refused(Errno::CONNREFUSED)) => {
                last = Failure::new(FailureKind::Refused, "connection refused");
            }
            Err(End::TimedOut | End::Refused(Errno::TIMEDOUT)) => {
                last =
                    Failure::new(FailureKind::TimedOut, format!("no answer within {limit_ms} ms"));
            }
            Err(End::Refused(error)) => last = Failure::new(FailureKind::Other, error.to_string()),
        }
    }
    Captured::Failed(last)
}

/// Says why there is no connection.
enum End {
    Refused(Errno),
    TimedOut,
    Interrupted,
}

impl From<Errno> for End {
    fn from(error: Errno) -> Self {
        Self::Refused(error)
    }
}

fn connect_to(address: SocketAddr, deadline: Instant, cancel: &Cancel) -> Result<(), End> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let open = socket(family, SocketType::STREAM, None)?;
    ioctl_fionbio(&open, true)?;
    match rustix::net::connect(&open, &address) {
        Err(Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
        Ok(()) => return other_side(&open),
    }
    loop {
        if cancel.requested() {
            return Err(End::Interrupted);
        }
        let left = deadline.saturating_duration_since(now());
        if left.is_zero() {
            return Err(End::TimedOut);
        }
        let wait = Timespec::try_from(left.min(TICK)).ok();
        let mut ready = [PollFd::new(&open, PollFlags::OUT)];
        match poll(&mut ready, wait.as_ref()) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => {
                sockopt::socket_error(&open)??;
                return other_side(&open);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Makes sure that somebody else answered: where nobody listens on a port of this machine, TCP can
/// connect a socket to itself, by simultaneous open.
fn other_side(open: &OwnedFd) -> Result<(), End> {
    let (own, peer) = (getsockname(open)?, getpeername(open)?);
    if peer == Some(own) { Err(End::Refused(Errno::CONNREFUSED)) } else { Ok(()) }
}

#[allow(clippy::disallowed_methods, reason = "limits are kept by the clock of the transport")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_is_connected_to_itself_is_no_open_port() {
        let own = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        rustix::net::bind(&own, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = getsockname(&own).unwrap();
        rustix::net::connect(&own, &address).unwrap();
        assert!(matches!(other_side(&own), Err(End::Refused(Errno::CONNREFUSED))));
    }
}
