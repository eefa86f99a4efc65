//! Puts the pieces of both streams together to what was captured for one ask.

use verify_model::{
    ask::{Ask, DEFAULT_CAP, MAX_BYTES, MAX_FILES},
    evidence::{Captured, Failure, FailureKind, FileContent, Stream},
};

use super::super::{capped::Capped, locate};

/// Bounds what an instrument prints. *Units*: B.
const INSTRUMENT_CAP: u64 = 16 * 1024 * 1024;
/// Bounds what is kept of complaints. *Units*: B.
const COMPLAINT: usize = 1024 * 1024;
/// What a file costs beside its name and its content. *Units*: B.
const ENTRY: usize = 128;
/// Bounds the names of one folder; with more, nothing is known of it.
const NAMES: usize = 250_000;

/// Says which stream a piece came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Side {
    Out,
    Err,
}

/// Collects the answer to one ask.
pub(in crate::transport) struct Answer<'a> {
    ask: &'a Ask,
    stdout: Capped,
    stderr: Capped,
    parts: [Parts; 2],
    ended: [Option<String>; 2],
}

/// Holds bytes by the file that they belong to; those before the first file have none.
#[derive(Default)]
struct Parts {
    all: Vec<(Option<String>, Vec<u8>)>,
    size: usize,
    /// Whether something was left out: what is there is not whole then.
    overflown: bool,
}

impl Parts {
    fn push(&mut self, bytes: &[u8], bound: usize) {
        let room = bound.saturating_sub(self.size).min(bytes.len());
        self.size += room;
        self.overflown |= room < bytes.len();
        if self.all.is_empty() {
            self.all.push((None, Vec::new()));
        }
        if let Some((_, last)) = self.all.last_mut() {
            last.extend_from_slice(&bytes[..room]);
        }
    }

    fn text(&self) -> String {
        let bytes = self.all.first().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn of(&self, path: &str) -> Option<&[u8]> {
        let found = self.all.iter().find(|(name, _)| name.as_deref() == Some(path));
        found.map(|(_, bytes)| bytes.as_slice())
    }
}

impl<'a> Answer<'a> {
    pub(in crate::transport) fn new(ask: &'a Ask) -> Self {
        let cap = match ask {
            Ask::Exec { cap, .. } => *cap,
            Ask::Instrument { .. } => INSTRUMENT_CAP,
            _ => DEFAULT_CAP,
        };
        let (stdout, stderr) = (Capped::new(cap), Capped::new(cap));
        Self { ask, stdout, stderr, parts: Default::default(), ended: Default::default() }
    }

    fn is_program(&self) -> bool {
        matches!(self.ask, Ask::Exec { .. } | Ask::Script { .. } | Ask::Instrument { .. })
    }

    pub(in crate::transport) fn push(&mut self, side: Side, bytes: &[u8]) {
        match (self.is_program(), side) {
            (true, Side::Out) => self.stdout.push(bytes),
            (true, Side::Err) => self.stderr.push(bytes),
            (false, Side::Out) => {
                // One byte more than its cap was asked for.
                let bound = match self.ask {
                    Ask::ReadFile { cap, .. } => usize::try_from(cap.saturating_add(1)),
                    _ => Ok(MAX_BYTES),
                };
                self.parts[0].push(bytes, bound.unwrap_or(MAX_BYTES).min(MAX_BYTES));
            }
            (false, Side::Err) => self.parts[1].push(bytes, COMPLAINT),
        }
    }

    /// Returns how much is held, at most. *Units*: B.
    pub(in crate::transport) fn held(&self) -> usize {
        let programs = self.stdout.held() + self.stderr.held();
        programs + self.parts.iter().map(|parts| parts.size).sum::<usize>()
    }

    pub(in crate::transport) fn file(&mut self, side: Side, path: String) {
        let parts = &mut self.parts[usize::from(side == Side::Err)];
        // A name costs, too: a folder without end is bounded as its bytes are.
        parts.size = parts.size.saturating_add(path.len() + ENTRY);
        if parts.size < MAX_BYTES && parts.all.len() <= MAX_FILES {
            parts.all.push((Some(path), Vec::new()));
        } else {
            parts.overflown = true;
        }
    }

    /// Takes an end; tells whether both streams have ended.
    pub(in crate::transport) fn end(&mut self, side: Side, how: String) -> bool {
        self.ended[usize::from(side == Side::Err)] = Some(how);
        self.ended.iter().all(Option::is_some)
    }

    /// Returns the last line of what was said so far.
    pub(in crate::transport) fn last_line(&self) -> Option<String> {
        self.stderr.last_line().or_else(|| self.stdout.last_line())
    }

    /// Returns what was captured.
    pub(in crate::transport) fn captured(self) -> Captured {
        let how = self.ended[0].clone().unwrap_or_default();
        if self.parts[0].overflown && how == "0" {
            let message = format!(
                "more than {MAX_BYTES} bytes or {MAX_FILES} files: nothing is judged by a part"
            );
            return Captured::Failed(Failure::new(FailureKind::Other, message));
        }
        match self.ask {
            Ask::Exec { argv, .. } => {
                let name = argv.first().map(String::as_str).unwrap_or_default();
                program(&how, name, self.stdout, self.stderr)
            }
            Ask::Script { interpreter, .. } => program(&how, interpreter, self.stdout, self.stderr),
            Ask::ReadFile { cap, .. } => {
                self.file_of(&how, *cap).map_or_else(Captured::Failed, Captured::File)
            }
            Ask::ReadFiles { cap, .. } if how == "0" => Captured::Files(self.files(*cap)),
            Ask::ReadFiles { .. } => Captured::Failed(complaint(&self.parts[1].text())),
            Ask::List { .. } => self.listing(&how),
            Ask::Stat { .. } => self.stat(&how),
            Ask::Which { tool } => match how.as_str() {
                "0" => Captured::Found(self.parts[0].text().trim_end_matches('\n').to_owned()),
                _ => absent(tool),
            },
            Ask::Connect { .. } => connected(&how, &self.parts[1].text()),
            // It has an exchange of its own.
            Ask::Echo { .. } => {
                Captured::Failed(Failure::new(FailureKind::Unsupported, "no script answers that"))
            }
            Ask::Between { .. } => Captured::Failed(Failure::new(
                FailureKind::Unsupported,
                "a link has two ends, and here is one",
            )),
            Ask::Instrument { .. } => measured(&how, self.stdout, self.stderr),
        }
    }

    fn file_of(&self, how: &str, cap: u64) -> Result<Stream, Failure> {
        match how {
            "0" => Ok(content(
                self.parts[0].all.first().map(|(_, b)| b.as_slice()).unwrap_or_default(),
                cap,
            )),
            "folder" => Err(Failure::new(FailureKind::Other, "expected a file, found a folder")),
            "special" => {
                let why = "expected a file, found a pipe, socket or device";
                Err(Failure::new(FailureKind::Other, why))
            }
            _ => Err(complaint(&self.parts[1].text())),
        }
    }

    fn files(&self, cap: u64) -> Vec<FileContent> {
        let named =
            self.parts[0].all.iter().filter_map(|(name, bytes)| Some((name.as_ref()?, bytes)));
        let mut files: Vec<FileContent> = named
            .map(|(path, bytes)| {
                let said = self.parts[1].of(path).map(String::from_utf8_lossy).unwrap_or_default();
                let read = if said.trim().is_empty() { Ok(content(bytes, cap)) } else { Err(complaint(&said)) };
                (path.clone(), read)
            })
            // What has gone between the pattern and the reading is no match.
            .filter(|(_, read)| !matches!(read, Err(f) if f.kind == FailureKind::NotFound))
            .collect();
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        files
    }

    fn listing(&self, how: &str) -> Captured {
        if how != "0" {
            return Captured::Failed(complaint(&self.parts[1].text()));
        }
        let text = self.parts[0].text();
        if text.lines().count() > NAMES {
            let message = format!("more than {NAMES} names");
            return Captured::Failed(Failure::new(FailureKind::Other, message));
        }
        let mut names: Vec<String> = text.lines().map(str::to_owned).collect();
        names.sort();
        Captured::Listing(names)
    }

    fn stat(&self, how: &str) -> Captured {
        if how != "0" {
            return Captured::Failed(complaint(&self.parts[1].text()));
        }
        let text = self.parts[0].text();
        let mut parts = text.trim().split('|');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (kind, mode, uid, size) = (next().to_lowercase(), next(), next(), next());
        let kind = match kind.as_str() {
            "regular file" | "regular empty file" => "file",
            "directory" => "folder",
            _ => "other",
        };
        match (u32::from_str_radix(&mode, 8), uid.parse(), size.parse()) {
            (Ok(mode), Ok(uid), Ok(size)) => {
                Captured::Stat { kind: kind.to_owned(), mode: mode & 0o7777, uid, size }
            }
            _ => Captured::Failed(Failure::new(FailureKind::Other, format!("stat said: {text}"))),
        }
    }
}

/// Cuts a file that is longer than its cap; one byte more than that was asked for.
fn content(bytes: &[u8], cap: u64) -> Stream {
    let kept = usize::try_from(cap).unwrap_or(usize::MAX);
    if bytes.len() <= kept { Stream::whole(bytes) } else { Stream::cut(&bytes[..kept], b"", 1) }
}

/// Reads how an instrument ended, of a `verify` that is installed over there.
fn measured(how: &str, stdout: Capped, stderr: Capped) -> Captured {
    if how == "absent" {
        let message = "nothing measures there: no `verify` is in its PATH or the usual folders; \
                       install it (cargo install --path runners/verify), or run it there with --via local";
        return Captured::Failed(Failure::new(FailureKind::NotFound, message));
    }
    program(how, "verify", stdout, stderr)
}

/// Reads how bash fared with a connection. *Source*: strerror(3) in the C locale.
fn connected(how: &str, said: &str) -> Captured {
    let kinds =
        [("Connection refused", FailureKind::Refused), ("timed out", FailureKind::TimedOut)];
    let found = kinds.iter().find(|(text, _)| said.contains(text));
    match (how, found) {
        ("0", _) => Captured::Connected,
        ("no-bash", _) => {
            let message = "without bash nothing there connects";
            Captured::Failed(Failure::new(FailureKind::Unsupported, message))
        }
        (_, Some((text, kind))) => Captured::Failed(Failure::new(*kind, *text)),
        _ => Captured::Failed(Failure::new(FailureKind::Other, complaint(said).message)),
    }
}

fn absent(tool: &str) -> Captured {
    Captured::Failed(Failure::new(FailureKind::NotFound, locate::not_found(tool)))
}

/// Reads how a shell says that a program ended. *Source*: POSIX, exit status of a signal over 128.
fn program(how: &str, name: &str, stdout: Capped, stderr: Capped) -> Captured {
    if how == "absent" {
        return absent(name);
    }
    let Ok(status) = how.parse::<i32>() else {
        let message = "the node said what is no exit status";
        return Captured::Failed(Failure::new(FailureKind::Other, message));
    };
    let signal = status.checked_sub(128).filter(|number| (1..=64).contains(number));
    let exit = if signal.is_some() { None } else { Some(status) };
    Captured::Exec { exit, signal, stdout: stdout.finish(), stderr: stderr.finish() }
}

/// Names what a program of the system complained of. *Source*: strerror(3) in the C locale.
fn complaint(said: &str) -> Failure {
    let line = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no message");
    let kinds = [
        ("No such file or directory", FailureKind::NotFound),
        ("Not a directory", FailureKind::NotFound),
        ("No such process", FailureKind::NotFound),
        ("Permission denied", FailureKind::PermissionDenied),
        ("Operation not permitted", FailureKind::PermissionDenied),
        ("No space left on device", FailureKind::DiskFull),
        ("Disk quota exceeded", FailureKind::DiskFull),
    ];
    let found = kinds.iter().find(|(text, _)| line.ends_with(text));
    let (message, kind) = found.map_or((line, FailureKind::Other), |(text, kind)| (*text, *kind));
    Failure::new(kind, message)
}
