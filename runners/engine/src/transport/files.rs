//! Reads files and folders of this machine, with caps, and never waits on a pipe or device.

use std::{
    fs,
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use verify_model::{
    ask::{MAX_BYTES, MAX_FILES},
    evidence::{Captured, Failure, FailureKind, FileContent, Stream},
};

/// Room for what is read, to begin with: the kernel does not say how long its files are, and asked for a
/// few bytes at a time it makes them anew each time. *Units*: B.
const ROOM: usize = 4096;

/// Names a failure of the file system.
pub(super) fn failure(error: &io::Error) -> Failure {
    // A file of a process that has ended answers ESRCH.
    let ended = error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error());
    let kind = match error.kind() {
        _ if ended => FailureKind::NotFound,
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FailureKind::NotFound,
        io::ErrorKind::PermissionDenied => FailureKind::PermissionDenied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FailureKind::DiskFull,
        _ => FailureKind::Other,
    };
    let text = error.to_string();
    let message = text.split(" (os error").next().unwrap_or(&text);
    Failure::new(kind, message)
}

/// Demands a file: opening a pipe or a device can wait, or do something.
fn demand_file(meta: &fs::Metadata) -> Result<(), Failure> {
    if meta.is_file() {
        return Ok(());
    }
    let what = if meta.is_dir() { "a folder" } else { "a pipe, socket or device" };
    Err(Failure::new(FailureKind::Other, format!("expected a file, found {what}")))
}

/// Reads one file up to a cap.
pub(super) fn read(path: &str, cap: u64) -> Result<Stream, Failure> {
    demand_file(&fs::metadata(path).map_err(|e| failure(&e))?)?;
    let nonblock = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(nonblock)
        .open(path)
        .map_err(|e| failure(&e))?;
    // Asked again of what was opened: something else may stand there by now.
    let meta = file.metadata().map_err(|e| failure(&e))?;
    demand_file(&meta)?;
    let mut bytes =
        Vec::with_capacity(ROOM.min(usize::try_from(cap).unwrap_or(ROOM).saturating_add(1)));
    (&mut file).take(cap.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| failure(&e))?;
    if bytes.len() as u64 <= cap {
        return Ok(Stream::whole(&bytes));
    }
    let kept = usize::try_from(cap).unwrap_or(usize::MAX).min(bytes.len());
    let left_out = meta.len().saturating_sub(cap).max(1);
    Ok(Stream::cut(&bytes[..kept], b"", left_out))
}

/// Reads every file that a pattern names, sorted by path; a folder that may not be looked into is
/// in the list with the reason.
pub(super) fn read_all(pattern: &str, cap: u64) -> Result<Vec<FileContent>, Failure> {
    let mut paths = vec![PathBuf::from("/")];
    let mut refused: Vec<FileContent> = Vec::new();
    let mut starred = false;
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if !part.contains('*') {
            for path in &mut paths {
                path.push(part);
            }
            continue;
        }
        let mut next = Vec::new();
        for folder in &paths {
            match names(folder).map_err(|e| failure(&e)) {
                Ok(found) => {
                    next.extend(found.iter().filter(|n| matches(part, n)).map(|n| folder.join(n)));
                }
                Err(failure) if !starred => return Err(failure),
                Err(failure) if failure.kind == FailureKind::NotFound => {}
                Err(failure) => refused.push((folder.to_string_lossy().into_owned(), Err(failure))),
            }
            if next.len() > MAX_FILES {
                let message = format!("{pattern} names more than {MAX_FILES} files");
                return Err(Failure::new(FailureKind::Other, message));
            }
        }
        paths = next;
        starred = true;
    }
    // A path below a starred folder need not exist: that is no match, not a failure.
    let exists = |content: &Result<Stream, Failure>| !matches!(content, Err(failure) if starred && failure.kind == FailureKind::NotFound);
    let (mut files, mut size): (Vec<FileContent>, usize) = (Vec::new(), 0);
    for path in paths {
        let path = path.to_string_lossy().into_owned();
        let content = read(&path, cap);
        size = size.saturating_add(content.as_ref().map_or(0, |stream| stream.text.len()));
        if size > MAX_BYTES {
            let message = format!("more than {MAX_BYTES} bytes: nothing is judged by a part");
            return Err(Failure::new(FailureKind::Other, message));
        }
        if exists(&content) {
            files.push((path, content));
        }
    }
    files.append(&mut refused);
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(files)
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Tells whether a name matches a pattern in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Tells whether a pattern names a path, part by part.
pub(super) fn names_path(pattern: &str, path: &str) -> bool {
    let (mut parts, mut names) = (pattern.split('/'), path.split('/'));
    loop {
        match (parts.next(), names.next()) {
            (None, None) => return true,
            (Some(part), Some(name)) if matches(part, name) => {}
            _ => return false,
        }
    }
}

/// Lists the names in a folder.
pub(super) fn list(path: &str) -> Result<Vec<String>, Failure> {
    names(Path::new(path)).map_err(|e| failure(&e))
}

/// Says what stands at a path; a link is followed.
pub(super) fn stat(path: &str) -> Captured {
    match fs::metadata(path) {
        Ok(meta) => {
            let kind = if meta.is_file() {
                "file"
            } else if meta.is_dir() {
                "folder"
            } else {
                "other"
            };
            Captured::Stat {
                kind: kind.to_owned(),
                mode: meta.permissions().mode() & 0o7777,
                uid: meta.uid(),
                size: meta.len(),
            }
        }
        Err(error) => Captured::Failed(failure(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_part_of_one_name() {
        for (pattern, name, expected) in [
            ("cpu*", "cpu12", true),
            ("cpu*", "cpuidle", true),
            ("*", "", true),
            ("node*x*", "node1x2", true),
            ("node*x", "node1", false),
            ("a*a", "a", false),
            ("[0-9]*", "12", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_file_over_the_cap_is_cut_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        fs::File::create(&path).unwrap().set_len(5000).unwrap();
        let stream = read(path.to_str().unwrap(), 1000).unwrap();
        assert_eq!(stream.truncated, 4000);
        assert_eq!(read(path.to_str().unwrap(), 5000).unwrap().truncated, 0);
        assert_eq!(read("/nonexistent", 10).unwrap_err().kind, FailureKind::NotFound);
        assert!(read("/dev/zero", 10).unwrap_err().message.contains("expected a file"));
    }
}
