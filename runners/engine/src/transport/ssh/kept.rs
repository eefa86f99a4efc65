//! What verify keeps on a node, and taking it away again.
//!
//! An entry is a folder whose name is a SHA-256, with a file `verify` in it and, where a copy broke
//! off, temporary files. Nothing else is touched: a folder that holds more stays, and says so.

use verify_model::{
    ask::Ask,
    evidence::{Captured, Failure, FailureKind},
};

use super::{
    super::Cancel,
    Ssh,
    look::{Look, WHERE},
    payload::is_digest,
    refusal::is_full,
};

/// Time to list or to clean. *Units*: ms.
const LIMIT_MS: u64 = 30_000;
/// Bounds what is said. *Units*: B.
const CAP: u64 = 1024 * 1024;

const LIST: &str = r#"[ -n "$C" ] || { echo no-home; exit 0; }
echo "at $C"
now=$(date +%s)
for D in "$C"/*; do
  [ -d "$D" ] && [ ! -L "$D" ] || continue
  F=$D/verify; Z=; M=
  [ -f "$F" ] && { set -- $(stat -c '%s %Y' -- "$F" 2>/dev/null || stat -f '%z %m' -- "$F" 2>/dev/null); Z=$1; M=$2; }
  echo "entry ${Z:-0} $(( now - ${M:-$now} )) ${D##*/}"
done
"#;

const CLEAN: &str = r#"[ -n "$C" ] || { echo no-home; exit 0; }
echo "at $C"
S=0
for D in "$C"/*; do
  case ${D##*/} in *[!0-9a-f]*) continue;; esac
  [ "${#D}" -eq $(( ${#C} + 65 )) ] && [ -d "$D" ] && [ ! -L "$D" ] || continue
  for F in "$D"/verify "$D"/.new-*; do [ -f "$F" ] && { rm -f -- "$F" || S=1; }; done
  if rmdir -- "$D"; then echo "removed ${D##*/}"; else echo "left ${D##*/}"; S=1; fi
done
[ ! -d "$C" ] || [ -L "$C" ] || rmdir -- "$C" 2>/dev/null
exit $S
"#;

/// Describes what verify keeps on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Folder that holds the entries; none where the account has no home.
    pub folder: Option<String>,
    /// Entries, in the order of their hashes.
    pub entries: Vec<Entry>,
    /// The installed program and the protocols that it says.
    pub installed: Option<(String, String)>,
    /// Whether the installed program is used.
    pub uses_installed: bool,
    /// Why what is here is not sent.
    pub refused: Option<String>,
}

/// Describes one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// SHA-256 of the program.
    pub hash: String,
    /// Size; zero where a copy broke off. *Units*: B.
    pub bytes: u64,
    /// Age of the program, by the clock of the node. *Units*: s.
    pub age_s: u64,
    /// Whether it is the one that a run would use now.
    pub used: bool,
}

/// Says what was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Folder that held the entries.
    pub folder: Option<String>,
    /// Hashes of what is gone.
    pub removed: Vec<String>,
    /// Hashes of what stayed: something else is in it.
    pub left: Vec<String>,
}

impl Ssh {
    /// Lists what verify keeps on the node.
    ///
    /// *Errors*: the node cannot be asked.
    pub fn kept(&self, cancel: &Cancel) -> Result<Kept, Failure> {
        let text = self.said(LIST, cancel)?;
        let look = self.look(cancel)?;
        let best = self.best(&look);
        let (best, refused) = best.map_or((None, None), |best| match best {
            Ok((digest, _)) => (Some(digest), None),
            Err(why) => (None, Some(why.to_string())),
        });
        Ok(Kept { refused, ..read(&text, &look, best.as_deref()) })
    }

    /// Removes what verify keeps on the node.
    ///
    /// *Errors*: the node cannot be asked.
    pub fn clean(&self, cancel: &Cancel) -> Result<Removed, Failure> {
        let text = self.said(CLEAN, cancel)?;
        let mut found = Removed::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("at", folder)) => found.folder = Some(folder.to_owned()),
                Some(("removed", hash)) if is_digest(hash) => found.removed.push(hash.to_owned()),
                Some(("left", hash)) if is_digest(hash) => found.left.push(hash.to_owned()),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Returns the hash of what a run would send first.
    fn best(&self, look: &Look) -> Option<std::io::Result<(String, u64)>> {
        let payloads = self.staging.payloads.for_triples(look.triples());
        payloads.first().map(super::payload::Payload::digest)
    }

    fn said(&self, script: &str, cancel: &Cancel) -> Result<String, Failure> {
        let argv = ["sh", "-c", &format!("{WHERE}{script}")].map(str::to_owned).to_vec();
        let ask = Ask::Exec { argv, env: vec![], limit_ms: LIMIT_MS, cap: CAP };
        match self.one(&ask, cancel) {
            Captured::Exec { stdout, .. } if !stdout.text.is_empty() => Ok(stdout.text),
            Captured::Exec { stderr, .. } => {
                let said = stderr.text.lines().last().unwrap_or("no answer");
                let full = is_full(said);
                let kind = if full { FailureKind::DiskFull } else { FailureKind::Other };
                Err(Failure::new(kind, said))
            }
            Captured::Failed(failure) => Err(failure),
            _ => Err(Failure::new(FailureKind::Other, "the node answered nonsense")),
        }
    }
}

fn read(text: &str, look: &Look, best: Option<&str>) -> Kept {
    let uses_installed = look.usable().is_some();
    let installed = look.installed.clone();
    let mut kept = Kept { installed, uses_installed, ..Kept::default() };
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["entry", bytes, age, hash] if is_digest(hash) => {
                let age_s = age.parse::<i64>().unwrap_or_default();
                kept.entries.push(Entry {
                    hash: hash.to_owned(),
                    bytes: bytes.parse().unwrap_or_default(),
                    age_s: u64::try_from(age_s).unwrap_or_default(),
                    used: !uses_installed && best == Some(hash),
                });
            }
            ["at", ..] => kept.folder = line.split_once(' ').map(|(_, path)| path.to_owned()),
            _ => {}
        }
    }
    kept.entries.sort_by(|a, b| a.hash.cmp(&b.hash));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_entry_of_ours_is_not_listed() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let text = format!(
            "at /home/a b/.cache/verify\nentry 12 60 {b}\nentry 3 -5 {a}\nentry 1 1 notes\nno\n"
        );
        let kept = read(&text, &Look::default(), Some(&a));
        assert_eq!(kept.folder.as_deref(), Some("/home/a b/.cache/verify"));
        let found: Vec<(&str, u64, u64, bool)> =
            kept.entries.iter().map(|e| (e.hash.as_str(), e.bytes, e.age_s, e.used)).collect();
        assert_eq!(found, [(a.as_str(), 3, 0, true), (b.as_str(), 12, 60, false)]);
        assert_eq!(read("no-home\n", &Look::default(), None).folder, None);
    }
}
