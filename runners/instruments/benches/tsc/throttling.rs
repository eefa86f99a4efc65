//! Switches RT throttling off and on again, whatever becomes of this process.
//!
//! A child in a group of its own waits for the end of its standard input, which only this process
//! holds, and then writes the old value. So an interrupt or a KILL restores it, too.

use std::{
    fs,
    io::Read as _,
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitCode, Stdio},
};

const KNOB: &str = "/proc/sys/kernel/sched_rt_runtime_us";

/// Holds the throttling off.
pub(crate) struct Off {
    keeper: Child,
}

impl Off {
    /// Switches it off; the error says what is needed.
    pub(crate) fn hold() -> Result<Self, String> {
        let old = fs::read_to_string(KNOB).map_err(|error| format!("{KNOB}: {error}"))?;
        let keeper = Command::new(std::env::current_exe().unwrap())
            .args(["restore", old.trim()])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| error.to_string())?;
        let off = Self { keeper };
        fs::write(KNOB, "-1").map_err(|error| format!("root ({KNOB}: {error})"))?;
        Ok(off)
    }
}

impl Drop for Off {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Is the child that restores.
pub(crate) fn restore(value: &str) -> ExitCode {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    match fs::write(KNOB, value) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
