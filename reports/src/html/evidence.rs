//! What came back from the nodes, as far as a page can hold it: each piece once, folded.
//!
//! A page that nobody can open shows nothing, so each stream is cut in its middle and all of them
//! share a budget, which what needs somebody may use first. What is left out is said, with where
//! it stands.

use std::{collections::BTreeSet, fmt::Write as _};

use verify_model::{
    evidence::{Captured, Evidence, EvidenceId, Failure, Stream},
    run::Run,
};

use super::{
    check::evidence_of,
    text::{LONGEST_LINE, LONGEST_NAME, line, markup},
};
use crate::{cause::causes, clean::block, detail::duration};

/// Bounds what is shown of one stream. *Units*: B.
const STREAM_LIMIT: usize = 16 * 1024;
/// Bounds what is shown of all. *Units*: B.
const PAGE_LIMIT: usize = 4 * 1024 * 1024;
/// Bounds how many files of one pattern are shown.
const FILES_SHOWN: usize = 64;
/// Bounds how many words of an echo are shown.
const ROUNDS_SHOWN: usize = 64;

/// Holds all evidence.
pub(super) struct EvidenceList {
    pub(super) pieces: Vec<Piece>,
    /// How many pieces are named without what they hold.
    pub(super) bare: usize,
    pub(super) page_limit: String,
}

/// Holds one piece of evidence.
pub(super) struct Piece {
    pub(super) id: EvidenceId,
    pub(super) node: String,
    pub(super) ask: String,
    pub(super) end: String,
    pub(super) at: String,
    pub(super) took: String,
    pub(super) streams: Vec<StreamView>,
    /// What is not shown, as markup; empty where all is.
    pub(super) note: String,
}

/// Holds one stream.
pub(super) struct StreamView {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) note: String,
}

/// Gathers the evidence of a run.
pub(super) fn of(run: &Run) -> EvidenceList {
    let grave: BTreeSet<EvidenceId> =
        causes(run).iter().flat_map(|cause| &cause.checks).flat_map(|c| evidence_of(c)).collect();
    let mut left = PAGE_LIMIT;
    let mut whole = BTreeSet::new();
    let (first, then): (Vec<_>, Vec<_>) = run.evidence.iter().partition(|e| grave.contains(&e.id));
    for evidence in first.into_iter().chain(then) {
        let size = size(&evidence.captured);
        if size <= left {
            left -= size;
            whole.insert(evidence.id);
        }
    }
    let pieces: Vec<Piece> =
        run.evidence.iter().map(|e| piece(run, e, whole.contains(&e.id))).collect();
    let bare = run.evidence.iter().filter(|e| !whole.contains(&e.id)).count();
    EvidenceList { pieces, bare, page_limit: size_in_words(PAGE_LIMIT) }
}

fn piece(run: &Run, evidence: &Evidence, whole: bool) -> Piece {
    let streams = if whole { streams(&evidence.captured) } else { Vec::new() };
    let files = match &evidence.captured {
        Captured::Files(files) => files.len().saturating_sub(FILES_SHOWN),
        _ => 0,
    };
    let record = format!("verify report {} --format jsonl", line(&run.header.id, LONGEST_NAME));
    let note = if !whole {
        format!("Not shown here, for the page would grow too large; `{record}` has it.")
    } else if files > 0 {
        format!("{files} more files are not shown here; `{record}` has them.")
    } else {
        String::new()
    };
    Piece {
        id: evidence.id,
        node: line(&evidence.node, LONGEST_NAME),
        ask: line(&evidence.ask.to_string(), LONGEST_LINE),
        end: line(&end(&evidence.captured), LONGEST_NAME),
        at: duration(evidence.at_ms.saturating_mul(1000)),
        took: duration(evidence.elapsed_us),
        streams,
        note: markup(&note),
    }
}

/// Says how it ended.
fn end(captured: &Captured) -> String {
    match captured {
        Captured::Exec { exit: Some(code), .. } => format!("exit {code}"),
        Captured::Exec { signal: Some(signal), .. } => format!("signal {signal}"),
        Captured::Exec { .. } => "no exit status".to_owned(),
        Captured::File(stream) => size_in_words(stream.text.len()),
        Captured::Files(files) => format!("{} files", files.len()),
        Captured::Listing(names) => format!("{} names", names.len()),
        Captured::Stat { kind, mode, uid, size } => {
            format!("{kind}, mode {mode:o}, uid {uid}, {size} B")
        }
        Captured::Found(path) => format!("found at {path}"),
        Captured::Connected => "connected".to_owned(),
        Captured::Rounds(rounds) => format!("{} rounds", rounds.len()),
        Captured::Failed(failure) => failure.message.clone(),
    }
}

fn streams(captured: &Captured) -> Vec<StreamView> {
    let words = |name: &str, text: &str| shown(name, &Stream::whole(text.as_bytes()));
    let shown: Vec<StreamView> = match captured {
        Captured::Exec { stdout, stderr, .. } => {
            vec![shown("standard output", stdout), shown("standard error", stderr)]
        }
        Captured::File(stream) => vec![shown("content", stream)],
        Captured::Files(files) => {
            let one = |(path, content): &(String, Result<Stream, Failure>)| match content {
                Ok(stream) => shown(path, stream),
                Err(failure) => words(path, &failure.message),
            };
            files.iter().take(FILES_SHOWN).map(one).collect()
        }
        Captured::Listing(names) => vec![words("names", &names.join("\n"))],
        Captured::Rounds(rounds) => {
            let mut text = String::new();
            for round in rounds.iter().take(ROUNDS_SHOWN) {
                let _ = writeln!(text, "{} us", round.elapsed_ns / 1000);
            }
            vec![words("time until each was back", &text)]
        }
        Captured::Stat { .. } | Captured::Found(_) | Captured::Connected => Vec::new(),
        Captured::Failed(failure) => vec![words("what happened", &failure.message)],
    };
    shown.into_iter().filter(|stream| !stream.text.trim().is_empty()).collect()
}

/// Shows head and tail of a stream.
fn shown(name: &str, stream: &Stream) -> StreamView {
    let text = &stream.text;
    let mut notes = Vec::new();
    let shown = if text.len() <= STREAM_LIMIT {
        block(text)
    } else {
        let head = text.floor_char_boundary(STREAM_LIMIT / 2);
        let tail = text.ceil_char_boundary(text.len() - STREAM_LIMIT / 2);
        let left_out = size_in_words(tail - head);
        notes.push(format!("{left_out} of the middle not shown here"));
        format!(
            "{}\n[… {left_out} not shown here …]\n{}",
            block(&text[..head]),
            block(&text[tail..])
        )
    };
    if stream.truncated > 0 {
        notes.push(format!("{} B were not recorded", stream.truncated));
    }
    if stream.lossy {
        notes.push("not all of it was UTF-8".to_owned());
    }
    if stream.redacted > 0 {
        notes.push(format!("{} secrets were taken out", stream.redacted));
    }
    StreamView { name: line(name, LONGEST_NAME), text: shown, note: notes.join("; ") }
}

/// Measures what would be shown. *Units*: B.
fn size(captured: &Captured) -> usize {
    let one = |text: &str| text.len().min(STREAM_LIMIT);
    match captured {
        Captured::Exec { stdout, stderr, .. } => one(&stdout.text) + one(&stderr.text),
        Captured::File(stream) => one(&stream.text),
        Captured::Files(files) => {
            let content = |(path, content): &(String, Result<Stream, Failure>)| {
                path.len() + content.as_ref().map_or(0, |stream| one(&stream.text))
            };
            files.iter().take(FILES_SHOWN).map(content).sum()
        }
        Captured::Listing(names) => {
            names.iter().map(|name| name.len() + 1).sum::<usize>().min(STREAM_LIMIT)
        }
        Captured::Failed(failure) => one(&failure.message),
        Captured::Stat { .. } | Captured::Found(_) | Captured::Connected | Captured::Rounds(_) => 0,
    }
}

fn size_in_words(bytes: usize) -> String {
    const KIB: usize = 1024;
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..1_048_576 => format!("{} KiB", bytes.div_ceil(KIB)),
        _ => format!("{} MiB", bytes.div_ceil(KIB * KIB)),
    }
}
