//! When something happened, from the record alone: the start of the run, and what is counted from it.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// Reads a time as seconds since the epoch; nothing where it is none.
pub(crate) fn unix(text: &str) -> Option<f64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(
        time.unix_timestamp().to_string().parse::<f64>().ok()?
            + f64::from(time.millisecond()) / 1e3,
    )
}

/// Writes the time that many microseconds after a start; the epoch where the start is no time.
pub(crate) fn after(start: &str, elapsed_us: u64) -> String {
    let start = OffsetDateTime::parse(start, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let elapsed = Duration::microseconds(i64::try_from(elapsed_us).unwrap_or(i64::MAX));
    let at = start.checked_add(elapsed).unwrap_or(start);
    at.format(&Rfc3339).unwrap_or_else(|_| "1970-01-01T00:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_from_the_start() {
        let start = "2026-01-15T12:34:56.789Z";
        assert_eq!(unix(start), Some(1_768_480_496.789));
        assert_eq!(after(start, 1_000), "2026-01-15T12:34:56.79Z");
        assert_eq!(after(start, u64::MAX), start);
        assert_eq!(
            (unix("yesterday"), after("yesterday", 0)),
            (None, "1970-01-01T00:00:00Z".into())
        );
    }
}
