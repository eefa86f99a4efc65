//! How a seed is damaged without a fuzzer, the same way every time.
//!
//! `cargo test` has no coverage to follow, so this is no search: a few dozen edits of each seed that
//! parsers stumble over (cut, doubled, joined lines, odd numbers, odd characters).

/// Numbers that parsers stumble over.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "-0",
    "nan",
    "inf",
    "1e999",
    "1e-999",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "99999999999999999999",
    "0x1f",
];
/// Characters and words that parsers stumble over.
const WORDS: [&str; 12] = [
    "\0",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "\r",
    "\n",
    "\"",
    "\\",
    "{",
    "[[",
];

/// Draws numbers that look random and are the same every time (xorshift).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(self.0 % bound).unwrap_or_default()
    }
}

/// Damages a seed in `count` ways.
pub fn damaged(seed: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15 ^ (seed.len() as u64 + 1));
    (0..count).map(|way| damage(seed, way, &mut draw)).collect()
}

fn damage(seed: &[u8], way: usize, draw: &mut Draw) -> Vec<u8> {
    let at = draw.below(seed.len() + 1);
    let end = at + draw.below((seed.len() - at).min(64) + 1);
    let (before, part, after) = (&seed[..at], &seed[at..end], &seed[end..]);
    match way % 6 {
        0 => before.to_vec(),
        1 => [before, after].concat(),
        2 => [before, part, part, after].concat(),
        3 => [before, WORDS[draw.below(WORDS.len())].as_bytes(), after].concat(),
        4 => numbered(seed, at, NUMBERS[draw.below(NUMBERS.len())]),
        _ => {
            let mut all = seed.to_vec();
            if let Some(byte) = all.get_mut(at) {
                *byte ^= 1 << draw.below(8);
            }
            all
        }
    }
}

/// Puts another number in the place of the next one.
fn numbered(seed: &[u8], from: usize, number: &str) -> Vec<u8> {
    let digits = |at: usize| seed[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(start) = (from..seed.len()).find(|at| digits(*at) > 0) else { return seed.to_vec() };
    [&seed[..start], number.as_bytes(), &seed[start + digits(start)..]].concat()
}
