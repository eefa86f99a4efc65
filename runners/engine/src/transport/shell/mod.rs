//! The protocol that ssh and srun share: one framed `sh` script out, answers back as they come.
//!
//! How a process gets to the node is its carrier's affair; what is said over it is the same.

pub(in crate::transport) mod answer;
pub(in crate::transport) mod exchange;
pub(in crate::transport) mod frame;
pub(in crate::transport) mod input;
pub(in crate::transport) mod reader;
pub(in crate::transport) mod script;
pub(in crate::transport) mod tool;
pub(crate) mod tried;

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
    if !is_drawn(&mut bytes) {
        bytes[..8].copy_from_slice(&now().elapsed().as_nanos().to_le_bytes()[..8]);
    }
    bytes.iter().fold("v".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Fills bytes by chance; false where the system gives none.
#[cfg(target_os = "linux")]
fn is_drawn(bytes: &mut [u8; 16]) -> bool {
    rustix::rand::getrandom(bytes, rustix::rand::GetRandomFlags::empty()).is_ok()
}

/// Fills bytes by chance; false where the system gives none.
#[cfg(not(target_os = "linux"))]
fn is_drawn(bytes: &mut [u8; 16]) -> bool {
    use std::io::Read as _;
    std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(bytes)).is_ok()
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
