//! Cuts one stream of a framed script into the answers to its asks.
//!
//! A mark is a line that begins with the nonce. What stands before the first one is noise of the
//! login shell, and is kept for the case that no mark ever comes. Bytes are given on as they are:
//! the line feed before a mark belongs to the mark.

/// Says what a stream holds next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Piece {
    /// The answer to an ask begins.
    Begin(usize),
    /// A file of a pattern begins.
    File(String),
    /// Bytes of what has begun.
    Bytes(Vec<u8>),
    /// The answer ends: number, and how it ended.
    End(usize, String),
    /// The script is through.
    Through,
}

/// Bounds what is kept of the noise. *Units*: B.
const NOISE: usize = 4096;
/// Bounds a mark: longer, and it is none. *Units*: B.
const LINE: usize = 8192;

/// Cuts a stream.
pub(in crate::transport) struct Cutter {
    mark: Vec<u8>,
    held: Vec<u8>,
    begun: bool,
    noise: Vec<u8>,
}

impl Cutter {
    pub(in crate::transport) fn new(nonce: &str) -> Self {
        let mark = format!("\n{nonce} ").into_bytes();
        // A mark that is the first line of all has no line before it.
        Self { mark, held: vec![b'\n'], begun: false, noise: Vec::new() }
    }

    /// Tells whether a mark was seen.
    pub(in crate::transport) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Returns what stood before the first mark.
    pub(in crate::transport) fn noise(&self) -> String {
        String::from_utf8_lossy(&self.noise).trim().to_owned()
    }

    /// Takes bytes and gives the pieces that are whole.
    pub(in crate::transport) fn push(&mut self, bytes: &[u8], give: &mut impl FnMut(Piece)) {
        self.held.extend_from_slice(bytes);
        while let Some(at) = find(&self.held, &self.mark) {
            let start = at + self.mark.len();
            let Some(length) = self.held[start..].iter().take(LINE + 1).position(|b| *b == b'\n')
            else {
                if self.held.len() - start > LINE {
                    // What looks like a mark is none, and a true one may follow.
                    self.give_up_to(start, give);
                    continue;
                }
                self.give_up_to(at, give);
                return;
            };
            self.give_up_to(at, give);
            // What was held now begins with the mark.
            let line: Vec<u8> = self.held.drain(..=self.mark.len() + length).collect();
            let line = String::from_utf8_lossy(&line[self.mark.len()..]).into_owned();
            self.begun = true;
            if let Some(piece) = read(line.trim_end_matches('\n')) {
                give(piece);
            }
        }
        let keep = self.mark.len().saturating_sub(1);
        self.give_up_to(self.held.len().saturating_sub(keep), give);
    }

    /// Gives what was held back for a mark that never came.
    pub(in crate::transport) fn close(&mut self, give: &mut impl FnMut(Piece)) {
        self.give_up_to(self.held.len(), give);
    }

    fn give_up_to(&mut self, at: usize, give: &mut impl FnMut(Piece)) {
        if at == 0 {
            return;
        }
        let bytes: Vec<u8> = self.held.drain(..at).collect();
        if self.begun {
            give(Piece::Bytes(bytes));
        } else {
            let room = NOISE.saturating_sub(self.noise.len()).min(bytes.len());
            self.noise.extend_from_slice(&bytes[..room]);
        }
    }
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|b| *b == mark[0]) {
        if text[from + at..].starts_with(mark) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn read(line: &str) -> Option<Piece> {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    match kind {
        "b" => rest.parse().ok().map(Piece::Begin),
        "f" => Some(Piece::File(rest.to_owned())),
        "e" => {
            let (number, how) = rest.split_once(' ')?;
            Some(Piece::End(number.parse().ok()?, how.to_owned()))
        }
        "z" => Some(Piece::Through),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8], step: usize) -> (Vec<Piece>, String) {
        let mut cutter = Cutter::new("nonce");
        let mut pieces: Vec<Piece> = Vec::new();
        let mut join = |piece: Piece| match (pieces.last_mut(), piece) {
            (Some(Piece::Bytes(all)), Piece::Bytes(more)) => all.extend(more),
            (_, piece) => pieces.push(piece),
        };
        for part in text.chunks(step) {
            cutter.push(part, &mut join);
        }
        cutter.close(&mut join);
        (pieces, cutter.noise())
    }

    #[test]
    fn every_way_to_cut_the_stream_gives_the_same_pieces() {
        let text = b"motd\n\nnonce b 0\nout\nno newline\nnonce e 0 3\n\nnonce b 1\n\nnonce f /a b\nx\n\nnonce e 1 0\n\nnonce z\n";
        let bytes = |text: &str| Piece::Bytes(text.as_bytes().to_vec());
        let expected = [
            Piece::Begin(0),
            bytes("out\nno newline"),
            Piece::End(0, "3".to_owned()),
            Piece::Begin(1),
            Piece::File("/a b".to_owned()),
            bytes("x\n"),
            Piece::End(1, "0".to_owned()),
            Piece::Through,
        ];
        for step in 1..=text.len() {
            assert_eq!(cut(text, step), (expected.to_vec(), "motd".to_owned()), "{step}");
        }
    }

    #[test]
    fn a_mark_without_an_end_is_none_and_hides_no_later_one() {
        let long = "x".repeat(LINE + 1);
        let text = format!("nonce b 0\na\nnonce f {long}\nnonce e 0 0\n");
        let expected = [
            Piece::Begin(0),
            Piece::Bytes(format!("a\nnonce f {long}").into_bytes()),
            Piece::End(0, "0".to_owned()),
        ];
        for step in [1, 100, LINE, LINE + 20, text.len()] {
            assert_eq!(cut(text.as_bytes(), step).0, expected, "{step}");
        }
    }

    #[test]
    fn without_a_mark_all_is_noise_and_what_looks_like_one_is_not() {
        assert_eq!(cut(b"This account is currently not available.\n", 7).0, []);
        let (pieces, _) = cut(b"nonce b 0\nnonces\n x nonce e 0 0\n", 3);
        let inner = Piece::Bytes(b"nonces\n x nonce e 0 0\n".to_vec());
        assert_eq!(pieces, [Piece::Begin(0), inner]);
    }
}
