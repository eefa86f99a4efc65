//! What is known about the terminal: colour and width.

use std::{
    io::{IsTerminal, Write},
    path::Path,
};

use anyhow::Context as _;

use verify_reports::terminal::{Style, page::Page};

use crate::{cli::When, link, progress};

/// Widest text that is comfortable to read. *Units*: columns.
const COMFORTABLE: usize = 110;

/// Widest text of several lines that reads well, and fits any terminal. *Units*: columns.
const PROSE: usize = 80;

/// Says that output did not reach its place: nothing is wrong with the input, so exit 3, not 2.
#[derive(Debug)]
pub(crate) struct Lost(pub(crate) String);

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Lost {}

/// Says what a stream takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ability {
    /// Whether it takes colour.
    pub(crate) color: bool,
    /// Whether it takes links.
    pub(crate) links: bool,
}

/// Says what both streams take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terminal {
    /// Standard output.
    pub(crate) out: Ability,
    /// Standard error.
    pub(crate) err: Ability,
}

impl Terminal {
    /// Looks at both streams.
    pub(crate) fn look(when: When) -> Self {
        let able = |stream: &dyn Fn() -> (bool, bool)| {
            let (color, is_terminal) = stream();
            Ability { color, links: link::is_wanted(is_terminal, color) }
        };
        let (out, err) = (std::io::stdout(), std::io::stderr());
        Self {
            out: able(&|| (color_choice(when, &out), out.is_terminal())),
            err: able(&|| (color_choice(when, &err), err.is_terminal())),
        }
    }
}

/// Tells whether to use colour on a stream. *Source*: no-color.org, bixense.com/clicolors.
pub(crate) fn color_choice(when: When, stream: &impl IsTerminal) -> bool {
    let value = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let says = |name, text: &str| value(name).is_some_and(|value| value == *text);
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if value("NO_COLOR").is_some() => false,
        When::Auto if value("CLICOLOR_FORCE").is_some() && !says("CLICOLOR_FORCE", "0") => true,
        When::Auto => stream.is_terminal() && !says("TERM", "dumb") && !says("CLICOLOR", "0"),
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

/// Opens a page for lists: as wide as the terminal, as a usual one elsewhere; words stay whole.
pub(crate) fn page(out: Ability) -> Page {
    let width = if std::io::stdout().is_terminal() { width() } else { PROSE };
    Page::new(&Style { color: out.color, width, verbose: true }).whole()
}

/// Returns the width of what is read as prose: at most that of a usual terminal.
pub(crate) fn prose_width() -> usize {
    width().min(PROSE)
}

/// Writes to standard output.
///
/// *Errors*: the disk is full, or the other end is gone; the latter ends the command quietly.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_bytes(text.as_bytes())
}

/// Writes bytes to standard output, none changed.
///
/// *Errors*: as for [`print()`].
pub(crate) fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.with_context(|| Lost("cannot write to standard output".to_owned()))
}

/// Says something on standard error; whoever closed it does not want to know.
pub(crate) fn say(text: &str) {
    say_clean(&verify_reports::clean::block(text));
}

/// Says where a file is.
pub(crate) fn say_place(word: &str, path: &Path, err: Ability) {
    say_clean(&format!("{word}: {}", link::shown(path, err)));
}

fn say_clean(text: &str) {
    if !progress::aside(text) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
