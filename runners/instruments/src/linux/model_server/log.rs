//! The last lines that a server wrote, and what of them says why it does not start.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, PipeReader, Read},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver},
    },
    thread,
};

use super::completion::shown;

/// Lines that are kept.
const LINES: usize = 200;
/// Lines that are told.
const TOLD: usize = 12;
/// Longest line that is kept. *Units*: B.
const LINE: u64 = 4096;

/// What servers write when they cannot start, and what it means. *Source*: vLLM, `gpu_worker.py` and
/// `kv_cache_utils.py`; huggingface/transformers, `cached_file`; `CPython`; CUDA.
const KNOWN: [(&str, &str); 11] = [
    ("is less than desired GPU memory utilization", "too little memory is free on a GPU"),
    ("No available memory for the cache blocks", "the weights leave no memory for the cache"),
    ("larger than the available KV cache memory", "the cache is too small for the context"),
    (
        "larger than the maximum number of tokens that can be stored",
        "the cache is too small for the context",
    ),
    ("CUDA out of memory", "a GPU has too little memory"),
    ("is not a local folder and is not a valid model identifier", "the model does not exist"),
    ("does not appear to have a file named config.json", "the model does not exist"),
    ("Model path does not exist", "the model does not exist"),
    ("LocalEntryNotFoundError", "the model is not on this machine, and nothing is fetched"),
    (
        "outgoing traffic has been disabled",
        "the model is not on this machine, and nothing is fetched",
    ),
    ("No module named", "a Python module is missing"),
];

/// Collects what a server writes.
#[derive(Clone, Default)]
pub(super) struct Log {
    lines: Arc<Mutex<VecDeque<String>>>,
    cause: Arc<Mutex<Option<&'static str>>>,
}

impl Log {
    /// Reads in a thread of its own, for as long as anybody can write. What it returns is
    /// disconnected once all has been read.
    pub(super) fn follow(&self, pipe: PipeReader) -> Receiver<()> {
        let log = self.clone();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut bytes = Vec::new();
            while reader.by_ref().take(LINE).read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
                log.take(String::from_utf8_lossy(&bytes).trim_end());
                bytes.clear();
            }
            drop(end);
        });
        ended
    }

    fn take(&self, line: &str) {
        if line.is_empty() {
            return;
        }
        let known = KNOWN.iter().find(|(words, _)| line.contains(words));
        if let Some((_, meaning)) = known {
            self.cause.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(meaning);
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// Returns the last lines, and first of them the one that is known to say why.
    pub(super) fn last(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let skipped = lines.len().saturating_sub(TOLD);
        let telling = |line: &&String| KNOWN.iter().any(|(words, _)| line.contains(words));
        let early = lines.iter().take(skipped).find(telling);
        early.into_iter().chain(lines.iter().skip(skipped)).map(|line| shown(line)).collect()
    }

    /// Says why the server does not start, where it wrote so.
    pub(super) fn cause(&self) -> Option<&'static str> {
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vllm_writes_before_it_gives_up_is_known_and_kept() {
        let log = Log::default();
        log.take("ValueError: Free memory on device cuda:0 (3.1/23.69 GiB) on startup is less than desired GPU memory utilization (0.95, 22.5 GiB). Decrease GPU memory utilization");
        for number in 0..300 {
            log.take(&format!("Traceback {number}"));
        }
        assert_eq!(log.cause(), Some("too little memory is free on a GPU"));
        let last = log.last();
        assert_eq!((last.len(), last[11].as_str()), (TOLD, "Traceback 299"));
        for (words, meaning) in KNOWN {
            let log = Log::default();
            log.take(&format!("ERROR: {words} ..."));
            assert_eq!(log.cause(), Some(meaning));
            assert_eq!(log.last().len(), 1);
        }
    }

    #[test]
    fn lines_without_an_end_hold_up_nobody() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let log = Log::default();
        let heard = log.follow(reader);
        std::io::Write::write_all(&mut writer, &vec![b'x'; 100_000]).unwrap();
        drop(writer);
        assert!(heard.recv().is_err());
        assert!(!log.last().is_empty());
    }
}
