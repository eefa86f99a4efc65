//! `verify completions`: the script that teaches a shell, printed.

use crate::{complete::Shell, output};

/// Prints the script of a shell.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<u8> {
    output::print(shell.script())?;
    Ok(0)
}
