//! Whether something accepts connections on a TCP port of this machine, as a capability:
//! `listens:8000`.
//!
//! For services that need not run: a check of one waits for its port and is skipped without it;
//! listed under `has`, a port on which nobody listens fails. Asked by connecting over loopback:
//! the kernel's table of sockets would put every peer of the machine into the record. Only ports
//! that a selected check or the node file names are asked.

use std::collections::BTreeSet;

use verify_model::{
    ask::Ask,
    evidence::{Captured, Evidence, FailureKind},
};

use crate::capability::UNKNOWN;

/// Opens the name of a capability that is a port.
pub const LISTENS: &str = "listens:";

const HOST: &str = "127.0.0.1";
/// Bounds one connection over loopback. *Units*: ms.
const LIMIT_MS: u64 = 1000;

/// Reads the port out of a capability's name; `None` where it is not one.
pub fn port(name: &str) -> Option<u16> {
    let text = name.strip_prefix(LISTENS)?;
    text.parse().ok().filter(|port: &u16| *port > 0 && port.to_string() == text)
}

/// Returns what to gather.
pub fn asks(ports: &BTreeSet<u16>) -> Vec<Ask> {
    let connect = |port: &u16| Ask::Connect { host: HOST.into(), port: *port, limit_ms: LIMIT_MS };
    ports.iter().map(connect).collect()
}

/// Decides whether somebody listens; `None` where the evidence is about something else.
pub(crate) fn read(evidence: &Evidence) -> Option<(String, Result<(), String>)> {
    let Ask::Connect { port, .. } = &evidence.ask else {
        return None;
    };
    let answer = match &evidence.captured {
        Captured::Connected => Ok(()),
        Captured::Failed(failure) if failure.kind == FailureKind::Refused => {
            Err(format!("nothing listens on port {port} of {HOST}"))
        }
        Captured::Failed(failure) => Err(format!("{UNKNOWN}{}: {}", evidence.ask, failure.message)),
        _ => Err(format!("{UNKNOWN}{}: not an answer to that", evidence.ask)),
    };
    Some((format!("{LISTENS}{port}"), answer))
}

#[cfg(test)]
mod tests {
    use verify_model::evidence::Failure;

    use super::*;

    fn decided(captured: Captured) -> Result<(), String> {
        let ask = asks(&BTreeSet::from([8000])).remove(0);
        let node = "box".to_owned();
        let evidence = Evidence { id: 0, node, ask, at_ms: 0, elapsed_us: 0, captured };
        let (name, answer) = read(&evidence).unwrap();
        assert_eq!(name, "listens:8000");
        answer
    }

    #[test]
    fn a_refusal_is_a_no_and_anything_else_is_not_known() {
        let failed = |kind| decided(Captured::Failed(Failure::new(kind, "made to fail")));
        assert_eq!(decided(Captured::Connected), Ok(()));
        assert!(failed(FailureKind::Refused).unwrap_err().starts_with("nothing listens"));
        for kind in [FailureKind::TimedOut, FailureKind::Unsupported, FailureKind::NotRecorded] {
            assert!(failed(kind).unwrap_err().starts_with(UNKNOWN), "{kind:?}");
        }
        assert!(decided(Captured::Listing(vec![])).unwrap_err().starts_with(UNKNOWN));
    }

    #[test]
    fn only_a_plain_port_is_a_name() {
        assert_eq!(port("listens:8000"), Some(8000));
        for bad in ["listens:", "listens:0", "listens:70000", "listens:+1", "listens:01", "22"] {
            assert_eq!(port(bad), None, "{bad}");
        }
    }
}
