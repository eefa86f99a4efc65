//! Numbers that look random and follow from a seed.
//!
//! *Source*: xoshiro256++ and splitmix64 of Blackman and Vigna; the polar method of Marsaglia.

/// Holds the state of one stream.
pub(crate) struct Random {
    state: [u64; 4],
    spare: Option<f64>,
}

impl Random {
    /// Begins a stream; every table has its own number, and every draw of it another.
    pub(crate) fn of(table: u64, draw: usize) -> Self {
        let mut seed = table.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (draw as u64);
        let mut next = || {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = seed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Self { state: [next(), next(), next(), next()], spare: None }
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// Draws from 0 to below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Draws a place in a list.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below count")]
        let place = (self.uniform() * count as f64) as usize;
        place.min(count.saturating_sub(1))
    }

    /// Draws from the standard normal distribution.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = u * u + v * v;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(v * factor);
                return u * factor;
            }
        }
    }

    /// Draws from Student's t with five degrees of freedom, scaled to sd 1: heavier tails.
    pub(crate) fn heavy(&mut self) -> f64 {
        let square: f64 = (0..5).map(|_| self.normal().powi(2)).sum();
        self.normal() / (square / 5.0).sqrt() * 0.6_f64.sqrt()
    }

    /// Draws by what factor a prior is wrong: e^0.4 too large or too small.
    pub(crate) fn wrong(&mut self) -> f64 {
        if self.uniform() < 0.5 { 0.4_f64.exp() } else { (-0.4_f64).exp() }
    }
}
