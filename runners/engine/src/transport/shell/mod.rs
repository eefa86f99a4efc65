//! The protocol that ssh and srun share: one framed `sh` script out, answers back as they come.
//!
//! How a process gets to the node is its carrier's affair; what is said over it is the same.

pub(in crate::transport) mod answer;
pub(in crate::transport) mod exchange;
pub(in crate::transport) mod frame;
pub(in crate::transport) mod script;

use std::time::{Duration, Instant};

use verify_model::{
    ask::{Ask, DEFAULT_CAP, DEFAULT_LIMIT_MS},
    evidence::{Captured, Failure},
};

/// Answers what is left with the reason for which nothing was heard.
pub(super) fn refuse(rest: &[(usize, &Ask)], failure: &Failure, hear: exchange::Hear<'_>) {
    for (at, _) in rest {
        hear(*at, Captured::Failed(failure.clone()), Duration::ZERO);
    }
}

/// Draws what no output holds by chance.
pub(super) fn nonce() -> String {
    let mut bytes = [0_u8; 16];
    let drawn = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    if drawn.is_err() {
        bytes[..8].copy_from_slice(&now().elapsed().as_nanos().to_le_bytes()[..8]);
    }
    bytes.iter().fold("v".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Asks to end what carries the mark of a run and is still there, and to name it.
pub(super) fn sweep(mark: &str) -> Ask {
    let script = script::sweep(mark);
    let argv = ["sh", "-c", &script].map(str::to_owned).to_vec();
    Ask::Exec { argv, env: vec![], limit_ms: DEFAULT_LIMIT_MS, cap: DEFAULT_CAP }
}

#[allow(clippy::disallowed_methods, reason = "limits are kept by the clock of the transport")]
fn now() -> Instant {
    Instant::now()
}
