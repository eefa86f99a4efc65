//! Which files the rules look at, and how a rule says what it found.
//!
//! Everything under the root that is text and not built, apart from what `SKIPPED` names. Links are
//! not followed.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Folders that hold nothing written by hand.
const SKIPPED: [&str; 7] =
    [".git", ".idea", ".vscode", "mutants.out", "node_modules", "reports/out", "target"];

/// Endings of files that live for a moment.
const FLEETING: [&str; 5] = [".tmp", ".swp", ".snap.new", ".rs.bk", "~"];

/// A text file of the repository; its path is relative to the root, with `/`.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Builds the file that a rule is tried on.
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    pub(crate) fn is_markdown(&self) -> bool {
        self.has_extension("md")
    }

    /// Tells whether the file is Rust that ends in a library or the command.
    pub(crate) fn is_shipped_rust(&self) -> bool {
        self.is_rust()
            && self.path.contains("src/")
            && !self.path.contains("/tests/")
            && !self.path.ends_with("/tests.rs")
    }

    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// One broken rule: where, what was expected, what to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) expected: String,
    pub(crate) action: String,
}

impl Finding {
    pub(crate) fn new(file: &File, line: usize, expected: impl Into<String>, action: &str) -> Self {
        let (path, action) = (file.path.clone(), action.to_owned());
        Self { path, line, expected: expected.into(), action }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, expected, action } = self;
        write!(out, "{path}:{line}: {expected}\n    do: {action}")
    }
}

/// Fails the test with every finding, one under the other.
///
/// *Panics* when there is a finding.
pub(crate) fn demand_none(findings: impl IntoIterator<Item = Finding>) {
    let lines: Vec<String> = findings.into_iter().map(|finding| finding.to_string()).collect();
    assert!(lines.is_empty(), "{} finding(s)\n{}", lines.len(), lines.join("\n"));
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap_or(crate_folder).to_owned()
}

/// Every text file of the tree, sorted by path.
///
/// *Panics* when the tree cannot be read.
pub(crate) fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut found = Vec::new();
        if let Err(error) = walk(&root(), "", &mut found) {
            panic!("the tree cannot be read: {error}");
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    })
}

fn walk(root: &Path, folder: &str, found: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type()?;
        let skipped = name.starts_with("target-")
            || SKIPPED.iter().any(|skip| *skip == name || *skip == path);
        if kind.is_dir() && !skipped {
            walk(root, &path, found)?;
        } else if kind.is_file() && !FLEETING.iter().any(|end| name.ends_with(end)) {
            match fs::read(entry.path()) {
                Ok(bytes) => {
                    found.extend(String::from_utf8(bytes).ok().map(|text| File { path, text }));
                }
                // Other tests make and remove files while this one walks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

#[test]
fn the_walk_finds_the_papers_the_hidden_folders_and_this_file_but_nothing_built() {
    let found = |path: &str| files().iter().any(|file| file.path == path);
    assert!(found("LICENSE") && found(".github/CONTRIBUTING.md"), "files of the root are missing");
    assert!(found("runners/verify/tests/tidy/tree.rs"), "this file is missing");
    assert!(!files().iter().any(|file| file.path.starts_with("target/")), "built files were found");
}

#[test]
fn shipped_rust_is_source_without_its_tests() {
    let shipped = |path: &str| File::sample(path, "").is_shipped_rust();
    assert!(shipped("reports/src/junit.rs"));
    assert!(!shipped("reports/src/junit/tests.rs") && !shipped("reports/tests/golden.rs"));
}
