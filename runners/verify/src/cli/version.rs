//! Which build this is: what `verify --version` says below the version.

use std::fmt::Write as _;

use verify_engine::load::embedded;
use verify_model::run::RUN_FORMAT;

/// What the build script found out; empty is not known.
const FACTS: [(&str, &str); 4] = [
    ("commit", env!("VERIFY_BUILD_COMMIT")),
    ("profile", env!("VERIFY_BUILD_PROFILE")),
    ("target", env!("VERIFY_BUILD_TARGET")),
    ("compiler", env!("VERIFY_BUILD_COMPILER")),
];

/// Returns the version with one fact a line.
pub(crate) fn long() -> String {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    let suites = embedded::digest();
    let more = [("record", RUN_FORMAT), ("suites", suites.as_str())];
    for (name, value) in FACTS.into_iter().chain(more) {
        let value = if value.is_empty() { "not known" } else { value };
        let _ = write!(text, "\n{name:<10}{value}");
    }
    text
}
