//! Which program of ours could measure on a node, of those that are here.
//!
//! A node is known by what `uname` and its C library say; each is looked up in a table, so nothing
//! that a node says ever becomes part of a path here. For each kind of machine there may be a
//! payload, a file `verify-TRIPLE`, and this program itself where it was built for it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use crate::load::trust;

/// Names the variable that says in which folder payloads are.
pub const PAYLOADS: &str = "VERIFY_PAYLOADS";

/// What runs where: system, machine, C library, and what to send, the best first. A program that
/// is linked statically runs beside any C library, and cannot load a driver's.
const TRIPLES: &[(&str, &str, &str, &[&str])] = &[
    ("Linux", "x86_64", "gnu", &["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"]),
    ("Linux", "x86_64", "", &["x86_64-unknown-linux-musl"]),
    ("Linux", "aarch64", "gnu", &["aarch64-unknown-linux-gnu", "aarch64-unknown-linux-musl"]),
    ("Linux", "aarch64", "", &["aarch64-unknown-linux-musl"]),
    ("Darwin", "arm64", "", &["aarch64-apple-darwin"]),
    ("Darwin", "x86_64", "", &["x86_64-apple-darwin"]),
];

/// Returns the triples whose programs run on such a machine; none where nobody built for it.
pub(super) fn triples(system: &str, machine: &str, libc: &str) -> &'static [&'static str] {
    let fits = |known: &str| known.is_empty() || known == libc;
    let row = TRIPLES.iter().find(|(s, m, l, _)| *s == system && *m == machine && fits(l));
    row.map_or(&[], |(.., triples)| triples)
}

/// Says where programs for nodes are.
#[derive(Clone, Debug, Default)]
pub struct Payloads {
    folders: Vec<PathBuf>,
    own: Option<(PathBuf, String)>,
}

/// Holds one program that could be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) path: PathBuf,
    pub(super) triple: String,
    /// How much of its path must be nobody else's: nothing of this very program, which is trusted as it
    /// runs; the file in the folder of that program; elsewhere the file and its folder.
    looked_at: usize,
}

impl Payloads {
    /// Looks in folders for `verify-TRIPLE`, and has a program of its own with its triple.
    pub fn new(folders: Vec<PathBuf>, own: Option<(PathBuf, String)>) -> Self {
        Self { folders, own }
    }

    /// Tells whether something could be sent to such a machine; `system` and `machine` as `uname` says.
    pub fn has_for(&self, system: &str, machine: &str) -> bool {
        !self.for_triples(triples(system, machine, "gnu")).is_empty()
    }

    /// Returns what there is for some triples, the best first.
    pub(super) fn for_triples(&self, triples: &[&str]) -> Vec<Payload> {
        let mut found = Vec::new();
        for triple in triples {
            let files = self.files(triple).into_iter().filter(|path| path.is_file());
            let own = self.own.iter().filter(|(_, own)| own == triple);
            let own = own.map(|(path, _)| (path.clone(), 0));
            let program = self.own.as_ref().and_then(|(path, _)| path.parent());
            let looked_at = |path: &Path| if path.parent() == program { 1 } else { 2 };
            let all = files.map(|path| (path.clone(), looked_at(&path))).chain(own);
            let triple = (*triple).to_owned();
            found.extend(all.map(|(path, looked_at)| Payload {
                path,
                triple: triple.clone(),
                looked_at,
            }));
        }
        found
    }

    fn files(&self, triple: &str) -> Vec<PathBuf> {
        self.folders.iter().map(|folder| folder.join(format!("verify-{triple}"))).collect()
    }

    /// Says which files were looked for, and where.
    pub(super) fn looked_for(&self, triples: &[&str]) -> String {
        let names: Vec<String> = triples.iter().map(|triple| format!("verify-{triple}")).collect();
        let folders: Vec<String> =
            self.folders.iter().map(|folder| folder.display().to_string()).collect();
        let folders = if folders.is_empty() { "no folder".to_owned() } else { folders.join(", ") };
        let own = self.own.as_ref().map_or_else(String::new, |(_, triple)| {
            format!("; this program itself is for {triple}")
        });
        format!("looked for {} in {folders} ({PAYLOADS} names another){own}", names.join(", "))
    }
}

type Known = BTreeMap<(PathBuf, u64, Option<SystemTime>), String>;
/// What was hashed before: a hundred nodes get the same file.
static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());

impl Payload {
    /// Returns the file's SHA-256 in hexadecimal digits, and its size.
    ///
    /// *Errors*: it cannot be read, is empty, or somebody else may have put it there: it would run on
    /// every node that is asked.
    pub(super) fn digest(&self) -> io::Result<(String, u64)> {
        let meta = fs::metadata(&self.path)?;
        let mut places = self.path.ancestors().take(self.looked_at);
        if let Some(why) = places.find_map(trust::doubted) {
            return Err(io::Error::other(format!("{why}; it is not sent")));
        }
        if meta.len() == 0 {
            return Err(io::Error::other("the file is empty"));
        }
        let key = (self.path.clone(), meta.len(), meta.modified().ok());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = known.get(&key) {
            return Ok((digest.clone(), meta.len()));
        }
        let digest = hash(&self.path)?;
        known.insert(key, digest.clone());
        Ok((digest, meta.len()))
    }
}

fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

/// Tells whether a text is a SHA-256 as it names an entry.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "lays out files")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_machine_gets_what_runs_there_and_a_stranger_nothing() {
        let gnu = triples("Linux", "x86_64", "gnu");
        assert_eq!(gnu, ["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"]);
        assert_eq!(triples("Linux", "x86_64", "musl"), ["x86_64-unknown-linux-musl"]);
        assert_eq!(triples("Linux", "aarch64", "none"), ["aarch64-unknown-linux-musl"]);
        assert_eq!(triples("Darwin", "arm64", "none"), ["aarch64-apple-darwin"]);
        for (system, machine) in [("Linux", "../../etc"), ("Plan9", "x86_64"), ("", "")] {
            assert!(triples(system, machine, "gnu").is_empty(), "{system} {machine}");
        }
    }

    #[test]
    fn a_payload_goes_before_this_program_and_a_static_one_is_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let [gnu, musl] = ["gnu", "musl"].map(|libc| format!("verify-x86_64-unknown-linux-{libc}"));
        fs::write(folder.path().join(&musl), "abc").unwrap();
        let own = (PathBuf::from("/own"), "x86_64-unknown-linux-gnu".to_owned());
        let payloads = Payloads::new(vec![folder.path().to_owned()], Some(own));
        let names = || {
            let found = payloads.for_triples(triples("Linux", "x86_64", "gnu"));
            found.into_iter().map(|one| one.path).collect::<Vec<_>>()
        };
        assert_eq!(names(), [PathBuf::from("/own"), folder.path().join(&musl)]);
        fs::write(folder.path().join(&gnu), "abc").unwrap();
        assert_eq!(names()[..2], [folder.path().join(&gnu), PathBuf::from("/own")]);
        let payload =
            Payload { path: folder.path().join(&gnu), triple: String::new(), looked_at: 2 };
        // *Source*: FIPS 180-2, appendix B.1.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(payload.digest().unwrap(), (known.to_owned(), 3));
        for (path, mode) in [(&payload.path, 0o666), (&folder.path().to_owned(), 0o777)] {
            let before = fs::metadata(path).unwrap().permissions();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = payload.digest().unwrap_err().to_string();
            assert!(refused.contains("can be written by everybody"), "{refused}");
            fs::set_permissions(path, before).unwrap();
        }
        // The folder of the program that runs is as trusted as that program; a file in it is looked at.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let own = (folder.path().join("verify"), "none".to_owned());
        let beside = Payloads::new(vec![folder.path().to_owned()], Some(own));
        let beside = beside.for_triples(&["x86_64-unknown-linux-gnu"]).remove(0);
        assert_eq!(beside.digest().unwrap().0, known);
        fs::set_permissions(&beside.path, fs::Permissions::from_mode(0o666)).unwrap();
        beside.digest().unwrap_err();
        assert!(is_digest(known) && !is_digest("ba78") && !is_digest(&known.to_uppercase()));
    }
}
