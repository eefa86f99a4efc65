//! How is a number said of a thing? `1 run`, `3 runs`, the same wherever a sentence is made.

/// Writes a number with its noun: `1 check`, `3 checks`.
pub fn number_of(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
