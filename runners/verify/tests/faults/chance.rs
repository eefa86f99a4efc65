//! Numbers that look random and come again with the same seed.

/// Holds the state of xorshift64. *Source*: Marsaglia, Xorshift RNGs, 2003.
pub(crate) struct Chance(u64);

impl Chance {
    /// Begins with a seed; zero, which would stay zero, stands for one.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1))
    }

    /// Draws a number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }
}
