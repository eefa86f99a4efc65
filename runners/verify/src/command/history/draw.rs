//! How values look in one line, and a line across the page.

/// Marks from low to high.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same for a terminal that draws only ASCII.
const PLAIN: [char; 8] = ['_', '.', ',', '-', '~', '=', '+', '#'];
/// Most marks in one line.
pub(super) const MARKS: usize = 60;
/// Width of a page. *Units*: columns.
pub(super) const WIDTH: usize = 80;

/// Tells whether the locale draws more than ASCII, as the first variable that is set says.
pub(super) fn is_utf8() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Draws segments of values, low to high between the lowest and the highest of all; segments that
/// are not comparable stand apart. Returns how many values one mark stands for.
pub(super) fn sparkline(segments: &[Vec<f64>], ascii: bool) -> (String, usize) {
    let count: usize = segments.iter().map(Vec::len).sum();
    let each = count.div_ceil(MARKS).max(1);
    let all = || segments.iter().flatten().copied();
    let (low, high) =
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let marks = if ascii { PLAIN } else { BLOCKS };
    let apart = if ascii { "|" } else { "│" };
    let drawn = segments.iter().map(|segment| {
        segment.chunks(each).map(|some| marks[height(middle(some), low, high)]).collect::<String>()
    });
    (drawn.collect::<Vec<_>>().join(apart), each)
}

fn height(value: f64, low: f64, high: f64) -> usize {
    // Halved first: the distance of two finite numbers may be too large for one.
    let (value, low, high) = (value / 2.0, low / 2.0, high / 2.0);
    let share = (value - low) / (high - low);
    if !share.is_finite() {
        return 3;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of 7, clamped"
    )]
    let place = (share * 7.0).round().clamp(0.0, 7.0) as usize;
    place
}

fn middle(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Writes words into a line across the page.
pub(super) fn rule(words: &str, ascii: bool) -> String {
    let dash = if ascii { "-" } else { "─" };
    let used = words.chars().count() + 6;
    format!("  {} {words} {}", dash.repeat(2), dash.repeat(WIDTH.saturating_sub(used).max(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_rise_with_values_and_segments_stand_apart() {
        let drawn = |segments: &[Vec<f64>], ascii| sparkline(segments, ascii).0;
        assert_eq!(drawn(&[vec![0.0, 7.0], vec![3.0]], false), "▁█│▄");
        assert_eq!(drawn(&[vec![0.0, 7.0], vec![3.0]], true), "_#|-");
        assert_eq!(drawn(&[vec![5.0; 3]], true), "---");
        assert_eq!(drawn(&[vec![f64::MIN, f64::MAX]], true), "_#");
        assert_eq!(drawn(&[], true), "");
    }

    #[test]
    fn many_values_share_a_mark() {
        let (drawn, each) = sparkline(&[(0..150).map(f64::from).collect()], true);
        assert_eq!((drawn.len(), each), (50, 3));
    }

    #[test]
    fn a_line_is_as_wide_as_the_page() {
        assert_eq!(rule("another machine", true).chars().count(), WIDTH);
        assert_eq!(rule("another machine", false).chars().count(), WIDTH);
    }
}
