//! Ctrl-C, SIGTERM and a closed terminal: the first asks for the end, the second hurries it, the third is obeyed at once.

use anyhow::Context as _;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
    iterator::Signals,
};
use verify_engine::transport::Cancel;
use verify_model::exit::INTERRUPTED;

use crate::{output, progress};

/// Signals that end a run. SIGHUP comes when the terminal or the ssh session is closed.
const SIGNALS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Lets signals end the run: children are ended, record and reports are written, exit 130.
///
/// The second signal takes the time to end by themselves from the children. Only the third ends
/// the command without waiting for them: whoever sends it wants just that.
pub(crate) fn install(cancel: &Cancel) -> anyhow::Result<()> {
    let signals: Vec<i32> = SIGNALS.into_iter().filter(|signal| !is_ignored(*signal)).collect();
    for signal in &signals {
        flag::register_conditional_shutdown(*signal, i32::from(INTERRUPTED), cancel.urgent_flag())?;
    }
    let mut signals = Signals::new(signals)?;
    let cancel = cancel.clone();
    let listening = std::thread::Builder::new().spawn(move || {
        for _ in signals.forever() {
            if !cancel.requested() && !progress::interrupted() {
                output::say("\ninterrupted: ending what runs, then writing record and reports");
            }
            cancel.request();
        }
    });
    listening
        .context("no thread can be started that hears signals; raise the limit of processes")?;
    Ok(())
}

/// Tells whether a signal is ignored since before the start, as `nohup` makes it: it stays so.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal - 1) & 1 == 1
}
