//! What is known about the terminal: colour and width.

use std::io::{IsTerminal, Write};

use anyhow::Context as _;

use crate::cli::When;

/// Widest text that is comfortable to read. *Units*: columns.
const COMFORTABLE: usize = 110;

/// Says that output did not reach its place: nothing is wrong with the input, so exit 3, not 2.
#[derive(Debug)]
pub(crate) struct Lost(pub(crate) String);

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Lost {}

/// Tells whether to use colour on a stream.
pub(crate) fn color_choice(when: When, stream: &impl IsTerminal) -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let dumb = || std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => !plain && stream.is_terminal() && !dumb(),
    }
}

/// Returns the width of the terminal; a plain 100 columns elsewhere.
pub(crate) fn width() -> usize {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return 100;
    }
    rustix::termios::tcgetwinsize(&stdout)
        .map(|size| usize::from(size.ws_col))
        .ok()
        .filter(|columns| *columns >= 40)
        .unwrap_or(100)
        .min(COMFORTABLE)
}

/// Writes to standard output.
///
/// *Errors*: the disk is full, or the other end is gone; the latter ends the command quietly.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.with_context(|| Lost("cannot write to standard output".to_owned()))
}

/// Says something on standard error; whoever closed it does not want to know.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", verify_reports::clean::block(text));
}
