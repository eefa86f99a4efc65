//! How a path becomes a link that a terminal opens: OSC 8 with a `file:` address.
//!
//! Terminals that know nothing of it show the text alone. The host stands in the address, so that nobody
//! takes a file of a server that he is logged in to for one of his own.

use std::{ffi::OsStr, fmt::Write as _, os::unix::ffi::OsStrExt, path::Path};

use verify_model::{check::Location, run::Run};
use verify_reports::{
    clean,
    terminal::{Links, page::linked},
};

use crate::{output::Ability, place};

/// Names the variable that says whether paths are links.
const WANTED: &str = "VERIFY_HYPERLINKS";

/// Tells whether paths are links on a stream; where nobody says, they are where a terminal shows colour.
pub(crate) fn is_wanted(is_terminal: bool, color: bool) -> bool {
    let is = |name: &str, text: &str| std::env::var_os(name).is_some_and(|value| value == *text);
    if is(WANTED, "always") {
        return true;
    }
    // The console of Linux has nothing that could open a file.
    is_terminal && color && !is(WANTED, "never") && !is("TERM", "linux")
}

/// Returns the files of a root that a run names, with their addresses.
pub(crate) fn links(run: &Run, root: Option<&Path>, out: Ability) -> Links {
    let Some(root) = root.filter(|_| out.links) else { return Links::new() };
    let findings = run.verdicts().flat_map(|verdict| verdict.findings.iter());
    let findings = findings.filter_map(|finding| finding.location.as_ref());
    let places = run.checks.iter().map(|check| &check.planned.check.location).chain(findings);
    let mut links = Links::new();
    for Location { file, .. } in places {
        if !links.contains_key(file) {
            links.insert(file.clone(), address(&root.join(file)).unwrap_or_default());
        }
    }
    links
}

/// Writes a path, as a link where the stream takes one.
pub(crate) fn shown(path: &Path, stream: Ability) -> String {
    let text = clean::clean(&path.display().to_string());
    match address(path).filter(|_| stream.links) {
        Some(address) => linked(&address, &text),
        None => text,
    }
}

/// Returns the address of a file that is there.
fn address(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let host = encoded(OsStr::new(&place::hostname()));
    Some(format!("file://{host}{}", encoded(path.as_os_str())))
}

/// Writes what may stand in an address as it is, and all else by its bytes. *Source*: RFC 3986, 2.3.
fn encoded(text: &OsStr) -> String {
    let mut out = String::new();
    for byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_nothing_that_a_terminal_obeys() {
        assert_eq!(
            encoded(OsStr::new("/a b/ü\u{1b}]8;;\u{7}%")),
            "/a%20b/%C3%BC%1B%5D8%3B%3B%07%25"
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a\u{1b}[31mb");
        std::fs::create_dir(&path).unwrap();
        let links = Ability { color: true, links: true };
        let text = shown(&path, links);
        assert!(text.starts_with("\u{1b}]8;;file://") && text.contains("a%1B%5B31mb"));
        assert!(!text.contains("\u{1b}[31m"), "{text:?}");
        assert_eq!(shown(&path, Ability::default()), clean::clean(path.to_str().unwrap()));
    }
}
