//! What memory of a simulated device holds, remembered by how it came there.

/// A word that a scenario lets come out wrong: its place, and the bits that are turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) word: u64,
    pub(super) bits: u32,
}

/// Holds what some memory holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// Nobody wrote there, or nobody knows what.
    Unknown,
    /// Words of a pattern, one of them wrong perhaps.
    Pattern { seed: u32, factor: u32, flaw: Option<Flaw> },
    /// Results of the load, after so many rounds.
    Burned { flaw: Option<Flaw> },
    /// Bytes as the host wrote them.
    Bytes(Vec<u8>),
}

impl Content {
    /// Returns one word; what nobody knows is 0.
    pub(super) fn word(&self, at: u64) -> u32 {
        match self {
            Self::Unknown | Self::Burned { .. } => 0,
            Self::Pattern { seed, factor, flaw } => {
                let flawed = flaw.filter(|flaw| flaw.word == at).map_or(0, |flaw| flaw.bits);
                pattern(*seed, *factor, at) ^ flawed
            }
            Self::Bytes(bytes) => {
                let start = usize::try_from(at * 4).unwrap_or(usize::MAX);
                let word = bytes.get(start..start.saturating_add(4));
                word.and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes)
            }
        }
    }

    /// Recognises what the host wrote: small pieces as they are, large ones by their pattern.
    pub(super) fn of_host(bytes: &[u8]) -> Self {
        /// Up to here bytes are kept. *Units*: B.
        const KEPT: usize = 4 << 20;
        if bytes.len() <= KEPT {
            return Self::Bytes(bytes.to_vec());
        }
        let raw = Self::Bytes(bytes[..8].to_vec());
        let (seed, second) = (raw.word(0), raw.word(1));
        let factor = second ^ seed;
        let last = bytes.len() as u64 / 4 - 1;
        let tail = Self::Bytes(bytes[bytes.len() - bytes.len() % 4 - 4..].to_vec());
        if tail.word(0) == pattern(seed, factor, last) {
            Self::Pattern { seed, factor, flaw: None }
        } else {
            Self::Unknown
        }
    }

    /// Writes it to memory of the host.
    pub(super) fn write_to(&self, bytes: &mut [u8], from_word: u64) {
        if let Self::Bytes(own) = self {
            let start = usize::try_from(from_word * 4).unwrap_or(usize::MAX).min(own.len());
            let length = bytes.len().min(own.len() - start);
            bytes[..length].copy_from_slice(&own[start..start + length]);
            return;
        }
        for (at, word) in bytes.chunks_exact_mut(4).enumerate() {
            word.copy_from_slice(&self.word(from_word + at as u64).to_le_bytes());
        }
    }

    /// Returns it with a flaw, where it can have one.
    pub(super) fn flawed(self, flaw: Option<Flaw>) -> Self {
        match (self, flaw) {
            (Self::Pattern { seed, factor, flaw: None }, Some(flaw)) => {
                Self::Pattern { seed, factor, flaw: Some(flaw) }
            }
            (other, _) => other,
        }
    }

    /// Finds what is not a pattern: how many words, and the first one.
    pub(super) fn unlike(&self, words: u64, seed: u32, factor: u32) -> Option<(u64, u64)> {
        match self {
            Self::Pattern { seed: own, factor: step, flaw } if (*own, *step) == (seed, factor) => {
                flaw.map(|flaw| (1, flaw.word))
            }
            Self::Bytes(bytes) => {
                let words = words.min(bytes.len() as u64 / 4);
                let mut wrong =
                    (0..words).filter(|at| self.word(*at) != pattern(seed, factor, *at));
                wrong.next().map(|first| (1 + wrong.count() as u64, first))
            }
            _ => Some((words, 0)),
        }
    }
}

/// Returns word `at` of a pattern.
fn pattern(seed: u32, factor: u32, at: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "kernels take the low half, too")]
    let low = at as u32;
    seed ^ low.wrapping_mul(factor)
}
