//! What was read, as numbers that programs take: values, limits and intervals beside a reading.
//!
//! Shared by the formats for programs, so that they agree on what the interval of a field is and in
//! which unit. Nothing is computed here but units; a number that is not finite is left out.

use verify_model::{
    comparison::Comparison,
    matcher::Matcher,
    quantity::Quantity,
    run::RunCheck,
    value::Value,
    verdict::{Answer, Reading, Role},
};

/// Holds how a value changed against its baseline, with the ends of the 95 % interval.
#[derive(Debug, PartialEq)]
pub(crate) struct Interval {
    /// `%` where the change is relative, else the unit of the value.
    pub(crate) unit: &'static str,
    /// Change of the value.
    pub(crate) change: f64,
    /// Lower end.
    pub(crate) low: f64,
    /// Upper end.
    pub(crate) high: f64,
}

/// Finds the comparison of a reading.
pub(crate) fn comparison_of<'c>(check: &'c RunCheck, reading: &Reading) -> Option<&'c Comparison> {
    let demanded = reading.role == Role::Expect;
    let comparisons = &check.verdict.comparisons;
    comparisons.iter().find(|c| c.field == reading.field && c.demanded == demanded)
}

/// Says the interval of a comparison in a unit that programs read.
pub(crate) fn interval(comparison: &Comparison) -> Option<Interval> {
    let (unit, factor) = match (comparison.relative, comparison.now) {
        (true, _) => ("%", 100.0),
        (false, now) => (now?.unit().symbol(), 1.0),
    };
    let [change, low, high] =
        [comparison.change, comparison.low, comparison.high].map(|end| rounded(end * factor, 6));
    let finite = [change, low, high].iter().all(|end| end.is_finite());
    finite.then_some(Interval { unit, change, low, high })
}

/// Finds the number of a reading: its quantity, or the whole number that a fact is.
pub(crate) fn quantity(check: &RunCheck, reading: &Reading) -> Option<Quantity> {
    if reading.quantity.is_some() {
        return reading.quantity;
    }
    let Answer::Attempted(attempts) = &check.answer else { return None };
    let found = attempts.iter().filter_map(|attempt| attempt.result.as_ref().ok());
    let mut found = found.map(|observation| observation.resolve(&reading.field));
    // A text of digits, such as a version, is no number; a fact holds in every repeat.
    let Some(Value::Integer(number)) = found.next() else { return None };
    #[expect(clippy::cast_precision_loss, reason = "a count that is exact up to 2^53")]
    let quantity = Quantity::of(number as f64, "").ok();
    quantity.filter(|_| number.to_string() == reading.observed)
}

/// Holds the range in which a field is acceptable.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Range {
    /// Least value.
    pub(crate) low: Option<Quantity>,
    /// Greatest value.
    pub(crate) high: Option<Quantity>,
}

/// Finds the range that the check states for a field in a role; none by a baseline or a text.
pub(crate) fn range(check: &RunCheck, field: &str, role: Role) -> Range {
    let planned = &check.planned.check;
    let stated = match role {
        Role::Expect => &planned.expect,
        Role::Advise => &planned.advise,
        Role::Record => return Range::default(),
    };
    let mut range = Range::default();
    for matcher in stated.iter().filter(|e| e.field == field).flat_map(|e| &e.matchers) {
        match matcher {
            Matcher::AtLeast(low) | Matcher::Above(low) => range.low = Some(*low),
            Matcher::AtMost(high) | Matcher::Below(high) => range.high = Some(*high),
            Matcher::Between(low, high) => {
                range = Range { low: Some(*low), high: Some(*high) };
            }
            _ => {}
        }
    }
    range
}

/// Writes a number in full, without the noise of binary fractions.
pub(crate) fn number(value: f64) -> String {
    // Whole numbers to 10^15 stay as they are; the noise begins behind that.
    rounded(value, 15).to_string()
}

/// Keeps some significant digits.
fn rounded(value: f64, digits: usize) -> f64 {
    let decimals = digits - 1;
    format!("{value:.decimals$e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_without_noise() {
        assert_eq!(number(0.1 + 0.2), "0.3");
        assert_eq!(number(9.41), "9.41");
        assert_eq!(number(1_768_480_496.789), "1768480496.789");
        assert_eq!(number(549_755_813_887.0), "549755813887");
        assert_eq!(number(0.0), "0");
        assert_eq!(number(1_176_250_000.0), "1176250000");
    }

    #[test]
    fn an_interval_that_is_not_known_is_left_out() {
        let mut comparison = Comparison::default();
        assert_eq!(interval(&comparison), None, "without a value there is no unit");
        (comparison.relative, comparison.high) = (true, f64::NAN);
        assert_eq!(interval(&comparison), None);
        (comparison.low, comparison.high) = (-0.1, 0.1);
        let expected = Interval { unit: "%", change: 0.0, low: -10.0, high: 10.0 };
        assert_eq!(interval(&comparison), Some(expected));
    }
}
