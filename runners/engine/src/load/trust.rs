//! Whether suites and node files may be run: they name programs, so they are programs. A file of waivers
//! runs nothing, and says what counts as good: it is trusted with them.
//!
//! A place is doubted where its folders or files belong to somebody else than the user or root, or
//! where somebody else can write them; baselines, which say what is normal, as much. The group of its
//! own that a user has on Debian counts as the user. What is doubted is listed and explained, and run only
//! with the digest of what was read. A digest that is given is demanded everywhere, so that a build can pin
//! what it runs.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    catalog,
    diagnostic::{LoadError, Source},
    root::{self, NODES_DIR, Root, SUITES_DIR, WAIVERS_FILE},
};
use crate::baseline::{BASELINES_DIR, MAX_LEDGER};

/// What stands before the name of a file that is part of the binary.
const EMBEDDED: &str = "embedded:";

/// Refuses what is not trusted.
///
/// *Errors*: the place is doubted and no digest was given, or the digest is another one.
pub fn demand(
    root: &Root,
    nodes: &BTreeMap<String, Arc<Source>>,
    suites: &BTreeMap<String, Arc<Source>>,
    waivers: Option<&Arc<Source>>,
    given: Option<&str>,
) -> Result<(), LoadError> {
    let doubt = root.dir.as_deref().and_then(doubt);
    if given.is_none() && doubt.is_none() {
        return Ok(());
    }
    let baselines = root.dir.as_deref().map_or_else(|| Ok(Vec::new()), baselines)?;
    let sources = nodes.values().chain(suites.values()).chain(waivers);
    let found = digest(sources.chain(&baselines));
    let refuse = |why: String| Err(LoadError::general(why));
    match (given, doubt) {
        (Some(given), _) if given.eq_ignore_ascii_case(&found) => Ok(()),
        (Some(_), _) => refuse(format!(
            "the suites, node files and baselines below {} have another digest than the one to trust: {found}; read what changed before you trust it",
            root.label()
        )),
        (None, None) => Ok(()),
        (None, Some(why)) => refuse(format!(
            "the suites and node files below {} are not run unasked: {why}; take that right away, or read them (`verify list checks`, `verify explain CHECK`) and run with --trust {found}",
            root.label()
        )),
    }
}

/// Reads every file of the baselines below a root.
///
/// *Errors*: one cannot be read.
fn baselines(dir: &Path) -> Result<Vec<Arc<Source>>, LoadError> {
    let mut sources = Vec::new();
    for path in below(&dir.join(BASELINES_DIR)).iter().flat_map(|folder| below(folder)) {
        // The name of a link is enough: what it leads to is read.
        if path.is_file() {
            let text = root::read_up_to(&path, MAX_LEDGER).map_err(LoadError::general)?;
            sources.push(Source::new(
                path.strip_prefix(dir).unwrap_or(&path).display().to_string(),
                text,
            ));
        }
    }
    Ok(sources)
}

/// Returns the SHA-256 of all files that are not part of the binary, with their names.
fn digest<'s>(sources: impl Iterator<Item = &'s Arc<Source>>) -> String {
    let mut all = Vec::new();
    for source in sources.filter(|source| !source.file.starts_with(EMBEDDED)) {
        all.extend(format!("{} {}\n", source.file, source.text.len()).into_bytes());
        all.extend(source.text.as_bytes());
    }
    catalog::digest(&all)
}

/// Says why a place is doubted, by the first folder or file that gives a reason.
fn doubt(dir: &Path) -> Option<String> {
    // Who can write a folder can put another one in the place of what is in it.
    let above_nodes = Path::new(NODES_DIR).parent().map(|above| dir.join(above));
    let alone = [dir.to_path_buf(), dir.join(WAIVERS_FILE)].into_iter().chain(above_nodes);
    let baselines = dir.join(BASELINES_DIR);
    let of_nodes = below(&baselines);
    let mut why = alone.into_iter().find_map(|path| doubted(&path));
    // A folder below these is never read.
    for folder in [dir.join(SUITES_DIR), dir.join(NODES_DIR)] {
        why = why.or_else(|| doubted(&folder));
        let files = below(&folder).into_iter().filter(|path| !path.is_dir());
        why = why.or_else(|| files.into_iter().find_map(|path| doubted(&path)));
    }
    let folders = of_nodes.into_iter().filter(|path| path.is_dir());
    for folder in std::iter::once(baselines).chain(folders) {
        why = why.or_else(|| doubted(&folder));
        why = why.or_else(|| below(&folder).iter().find_map(|path| doubted(path)));
    }
    why
}

/// Lists what a folder holds that is read, sorted; nothing where it is not there.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    let is_read = |path: &PathBuf| {
        path.is_dir() || path.extension().is_some_and(|end| end == "toml" || end == "jsonl")
    };
    paths.retain(is_read);
    paths.sort();
    paths
}

/// Says why what stands at a path may be somebody else's doing.
pub(crate) fn doubted(path: &Path) -> Option<String> {
    // What is not there runs nothing; what cannot be read is an error elsewhere.
    let meta = fs::metadata(path).ok()?;
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    let why = reason(meta.uid(), meta.gid(), meta.mode(), user, group)?;
    Some(format!("{} {why}", path.display()))
}

/// Says what is wrong with owner, group and mode in the eyes of a user.
fn reason(owner: u32, group: u32, mode: u32, user: u32, own_group: u32) -> Option<String> {
    if owner != user && owner != 0 {
        return Some(format!("belongs to another user (uid {owner})"));
    }
    if mode & 0o002 != 0 {
        return Some(format!("can be written by everybody (mode {:o})", mode & 0o7777));
    }
    if mode & 0o020 != 0 && group != own_group && group != 0 {
        return Some(format!("can be written by a group (gid {group}, mode {:o})", mode & 0o7777));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_doubted_where_somebody_else_owns_it_or_can_write_it() {
        for (owner, group, mode, doubted) in [
            (1000, 1000, 0o644, false),
            (1000, 1000, 0o664, false),
            (0, 0, 0o664, false),
            (0, 0, 0o755, false),
            (1000, 1000, 0o666, true),
            (1000, 1000, 0o777, true),
            (1000, 50, 0o664, true),
            (1001, 1001, 0o600, true),
        ] {
            let found = reason(owner, group, mode, 1000, 1000);
            assert_eq!(found.is_some(), doubted, "{owner} {group} {mode:o}: {found:?}");
        }
    }

    #[test]
    fn every_file_that_is_read_and_every_folder_of_one_may_be_the_reason() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        let files =
            ["suites/s.toml", "runners/nodes/n.toml", "baselines/n/l.jsonl", "waivers.toml"];
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            drop(fs::File::create(path).unwrap());
        }
        let mode = |below: &str, mode: u32| {
            fs::set_permissions(root.path().join(below), fs::Permissions::from_mode(mode)).unwrap();
        };
        drop(fs::File::create(root.path().join("suites/notes.md")).unwrap());
        mode("suites/notes.md", 0o666);
        assert_eq!(doubt(root.path()), None);
        for place in files.into_iter().chain(["suites", "runners/nodes", "runners", "baselines/n"])
        {
            let before = fs::metadata(root.path().join(place)).unwrap().permissions().mode();
            mode(place, before | 0o022);
            let why = doubt(root.path()).unwrap();
            assert!(
                why.starts_with(&root.path().join(place).display().to_string()),
                "{place}: {why}"
            );
            mode(place, before);
        }
    }

    #[test]
    fn the_digest_follows_from_names_and_contents_and_not_from_what_is_embedded() {
        let source = |name: &str, text: &str| Source::new(name, text);
        let digest = |all: &[Arc<Source>]| digest(all.iter());
        let one = digest(&[source("suites/a.toml", "x")]);
        assert_eq!(
            one,
            digest(&[source("embedded:suites/b.toml", "y"), source("suites/a.toml", "x")])
        );
        assert_ne!(one, digest(&[source("suites/a.toml", "y")]));
        assert_ne!(one, digest(&[source("suites/b.toml", "x")]));
    }
}
