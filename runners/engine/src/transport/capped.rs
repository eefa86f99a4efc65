//! Keeps head and tail of a stream, and counts what it leaves out of the middle.

use std::io::{ErrorKind, PipeReader, Read};

use verify_model::evidence::Stream;

/// Keeps head and tail of a stream, and counts what it leaves out.
pub(super) struct Capped {
    half: usize,
    head: Vec<u8>,
    tail: Vec<u8>,
    dropped: u64,
    cut_off: bool,
}

impl Capped {
    pub(super) fn new(cap: u64) -> Self {
        let half = usize::try_from(cap / 2).unwrap_or(usize::MAX);
        Self { half, head: Vec::new(), tail: Vec::new(), dropped: 0, cut_off: false }
    }

    /// Reads what is there; false at the end of the stream.
    pub(super) fn take_from(&mut self, pipe: Option<&mut PipeReader>) -> bool {
        let mut buffer = [0_u8; 16 * 1024];
        match pipe.map(|pipe| pipe.read(&mut buffer)) {
            Some(Ok(length)) if length > 0 => {
                self.push(&buffer[..length]);
                true
            }
            Some(Err(error)) if error.kind() == ErrorKind::Interrupted => true,
            _ => false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = self.half.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend_from_slice(&bytes[room..]);
        // Trimmed in steps, so that a long stream costs no more than twice its length.
        if self.tail.len() > self.half.saturating_mul(2) {
            self.trim();
        }
    }

    /// Returns how much is kept at the moment. *Units*: B.
    pub(super) fn held(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    fn trim(&mut self) {
        let excess = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..excess);
        self.dropped += excess as u64;
    }

    /// Returns the last line that says something.
    pub(super) fn last_line(&self) -> Option<String> {
        let bytes = if self.tail.is_empty() { &self.head } else { &self.tail };
        let text = String::from_utf8_lossy(bytes);
        // What our own scripts note for us is no word of the program.
        let is_own = |line: &str| line.trim().is_empty() || line.starts_with("verify: ");
        text.lines().rev().find(|line| !is_own(line)).map(str::to_owned)
    }

    /// Marks the stream as not whole: somebody still held it open when the program had ended.
    pub(super) fn cut_off(&mut self) {
        self.cut_off = true;
    }

    /// Returns what was kept.
    pub(super) fn finish(mut self) -> Stream {
        self.trim();
        // What the survivor would have said is not known: at least one byte counts as left out.
        let left_out = self.dropped + u64::from(self.cut_off);
        if left_out > 0 {
            return Stream::cut(&self.head, &self.tail, left_out);
        }
        self.head.append(&mut self.tail);
        Stream::whole(&self.head)
    }
}
