//! Small texts that the kernel shows about itself and this process; what cannot be read is none.

use std::{fs, path::Path, str::FromStr};

/// Returns a text without blanks at its ends.
pub(super) fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// Returns a whole number.
pub(super) fn number<T: FromStr>(path: impl AsRef<Path>) -> Option<T> {
    text(path)?.parse().ok()
}

/// Returns a line of this process's status.
pub(super) fn status(key: &str) -> Option<String> {
    let text = text("/proc/self/status")?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(name, _)| *name == key).map(|(_, value)| value.trim().to_owned())
}
