//! The percentile as trtexec takes it, so that ours and the one that it prints are the same number.
//!
//! It leaves out `int((1 - p/100) * n)` of the greatest, in single precision. In double precision
//! that is another element whenever `n` is a multiple of 100 (p99) or of 10 (p90): for a hundred
//! times trtexec's p99 is the greatest of all, not the second greatest.

/// Returns the percentile of times in ascending order; `None` where there are none.
pub(crate) fn of(sorted: &[f64], percent: f32) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "as the program that is followed here does; what is below zero becomes zero"
    )]
    let left_out = ((1.0_f32 - percent / 100.0_f32) * sorted.len() as f32) as usize;
    sorted.get(last.saturating_sub(left_out)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(n: u32) -> Vec<f64> {
        (1..=n).map(f64::from).collect()
    }

    #[test]
    fn single_precision_picks_the_element_that_trtexec_picks() {
        // In double precision these would be 99, 91, 198 and 4950.
        for (n, percent, expected) in
            [(100, 99.0, 100.0), (100, 90.0, 90.0), (200, 99.0, 199.0), (5000, 99.0, 4951.0)]
        {
            assert_eq!(of(&counted(n), percent), Some(expected), "p{percent} of {n}");
        }
        // Where nothing is a multiple, both agree.
        assert_eq!(of(&counted(250), 99.0), Some(248.0));
        assert_eq!(of(&counted(1), 99.0), Some(1.0));
        assert_eq!(of(&counted(7), 0.0), Some(1.0));
        assert_eq!(of(&counted(7), 100.0), Some(7.0));
        assert_eq!(of(&[], 99.0), None);
    }
}
