//! Answers a batch of asks on this machine, for a run on another: `verify instrument gather`.
//!
//! One document comes in by standard input, and answers go out as they come. The end of standard
//! input, or of those who read, is the end of the run: what was started is ended, without grace.

use std::{
    io::{self, BufRead, Read as _, Write},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use verify_model::ask::Ask;

use super::{
    Cancel, Local, Transport as _,
    wire::{Answer, Document, PROTOCOL},
};

/// Threads that gather at the same time; more would disturb what they look at.
const POOL: usize = 4;
/// Bounds a document. *Units*: B.
const LONGEST: u64 = 64 * 1024 * 1024;
/// Time that what was started gets to be ended.
const LAST: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_millis(50);

/// Answers one batch; `program` is what measures.
///
/// *Errors*: the document is none, in one sentence; nothing was asked.
pub fn serve<R>(mut input: R, out: &mut impl Write, program: PathBuf) -> Result<(), String>
where
    R: BufRead + Send + 'static,
{
    let document = read(&mut input)?;
    let cancel = Cancel::default();
    watch(input, &cancel).map_err(|error| format!("no thread can be started: {error}"))?;
    let mark = format!("{}/gather-{}", document.mark, document.nonce);
    let local = Arc::new(Local::new(mark).with_instruments(program));
    let wanted = document.asks.len();
    let answers = start(&local, document.asks, &cancel);
    let said = say(&answers, wanted, &document.nonce, out, &cancel);
    if said.is_err() || cancel.requested() {
        hurry(&cancel);
        let by = now() + LAST;
        // Closed once every thread is through.
        while now() < by
            && !matches!(answers.recv_timeout(TICK), Err(RecvTimeoutError::Disconnected))
        {}
        local.sweep();
    }
    Ok(())
}

fn read(input: &mut impl BufRead) -> Result<Document, String> {
    let mut line = Vec::new();
    let mut bounded = input.take(LONGEST);
    bounded.read_until(b'\n', &mut line).map_err(|error| format!("standard input: {error}"))?;
    if line.last() != Some(&b'\n') {
        return Err("standard input ended before the document did".to_owned());
    }
    let document: Document = serde_json::from_slice(&line)
        .map_err(|error| format!("the document on standard input is none: {error}"))?;
    if document.protocol != PROTOCOL {
        return Err(format!("the document speaks {}, this is {PROTOCOL}", document.protocol));
    }
    Ok(document)
}

/// Ends everything when standard input does.
fn watch(mut input: impl BufRead + Send + 'static, cancel: &Cancel) -> io::Result<()> {
    let cancel = cancel.clone();
    let watching = std::thread::Builder::new().spawn(move || {
        let _ = io::copy(&mut input, &mut io::sink());
        hurry(&cancel);
    });
    watching.map(drop)
}

fn hurry(cancel: &Cancel) {
    cancel.request();
    cancel.request();
}

fn start(
    local: &Arc<Local>,
    asks: Vec<(usize, Ask)>,
    cancel: &Cancel,
) -> Receiver<(usize, Answer)> {
    let (jobs, queue) = unbounded();
    let (done, answers) = unbounded();
    let threads = POOL.min(asks.len());
    for job in asks {
        let _ = jobs.send(job);
    }
    for _ in 0..threads {
        let (queue, done) = (queue.clone(), done.clone());
        let (local, cancel) = (Arc::clone(local), cancel.clone());
        // Those that are there answer all; what nobody answers, the shell is asked.
        let _ = std::thread::Builder::new().spawn(move || {
            while let Ok((number, ask)) = queue.recv() {
                let start = now();
                let captured = local.gather(&ask, &cancel);
                let us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
                if done.send((number, Answer { us, captured })).is_err() {
                    return;
                }
            }
        });
    }
    answers
}

/// Writes the answers as they come.
///
/// *Errors*: nobody reads any more.
fn say(
    answers: &Receiver<(usize, Answer)>,
    wanted: usize,
    nonce: &str,
    out: &mut impl Write,
    cancel: &Cancel,
) -> io::Result<()> {
    let mut said = 0;
    while said < wanted && !cancel.requested() {
        match answers.recv_timeout(TICK) {
            Ok((number, answer)) => {
                let json = serde_json::to_string(&answer)?;
                write!(out, "\n{nonce} b {number}\n{json}\n{nonce} e {number} json\n")?;
                out.flush()?;
                said += 1;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    write!(out, "\n{nonce} z\n")?;
    out.flush()
}

#[allow(clippy::disallowed_methods, reason = "the times of answers are part of them")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(document: &str) -> (Result<(), String>, String) {
        // The other end stays open, as that of a run does.
        let (read, mut write) = io::pipe().unwrap();
        write.write_all(document.as_bytes()).unwrap();
        if !document.ends_with('\n') {
            drop(write);
        }
        let mut out = Vec::new();
        let result = serve(io::BufReader::new(read), &mut out, PathBuf::from("/nowhere"));
        (result, String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_ask_is_answered_in_a_frame_of_its_own() {
        let asks = vec![(7, Ask::exec(["echo", "a\nnonce e 7 json"])), (3, Ask::file("/no/such"))];
        let mark = format!("serve-{}", std::process::id());
        let document = Document { protocol: PROTOCOL.into(), nonce: "nonce".into(), mark, asks };
        let line = serde_json::to_string(&document).unwrap() + "\n";
        // As nothing holds the other end of the pipe, the end of it may come first.
        let (read, mut write) = io::pipe().unwrap();
        write.write_all(line.as_bytes()).unwrap();
        let mut out = Vec::new();
        serve(io::BufReader::new(read), &mut out, PathBuf::from("/nowhere")).unwrap();
        drop(write);
        let out = String::from_utf8(out).unwrap();
        for mark in ["\nnonce b 7\n", "\nnonce e 7 json\n", "\nnonce b 3\n", "\nnonce z\n"] {
            assert_eq!(out.matches(mark).count(), 1, "{mark}: {out}");
        }
        assert!(out.contains("not-found"), "{out}");
    }

    #[test]
    fn a_document_that_is_none_is_refused_in_one_sentence() {
        for (document, why) in [
            ("", "ended before"),
            ("{\"protocol\":", "ended before"),
            ("[]\n", "is none"),
            (
                "{\"protocol\":\"verify-gather/9\",\"nonce\":\"n\",\"mark\":\"m\",\"asks\":[]}\n",
                "speaks",
            ),
        ] {
            let (result, out) = served(document);
            assert!(result.unwrap_err().contains(why), "{document}");
            assert_eq!(out, "");
        }
    }
}
