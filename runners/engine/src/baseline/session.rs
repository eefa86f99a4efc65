//! Which accepted units are one session: those of one boot, less than an hour apart.
//!
//! Runs of one boot and one thermal state share what the next boot will not, so they are not
//! independent. Where nobody knows the boot, the hour alone tells.

use jiff::{SignedDuration, Timestamp};
use verify_model::{baseline::Past, unit::Unit as UnitOfMeasure};

use super::unit::Unit;

/// Time after which a machine has cooled down or warmed up. *Source*: the specification of the
/// comparison, section 1.
const APART: SignedDuration = SignedDuration::from_hours(1);

/// Says when and in which boot something was measured.
#[derive(Clone, Debug)]
pub struct Moment<'u> {
    run: &'u str,
    boot: Option<&'u str>,
    at: Option<Timestamp>,
}

impl<'u> Moment<'u> {
    /// Returns the moment of an accepted unit.
    pub fn of(unit: &'u Unit) -> Self {
        Self::new(&unit.run, unit.boot.as_deref(), &unit.started_at, unit.at_ms)
    }

    /// Builds a moment from the start of a run and the time since.
    pub fn new(run: &'u str, boot: Option<&'u str>, started_at: &str, at_ms: u64) -> Self {
        let since = SignedDuration::from_millis(i64::try_from(at_ms).unwrap_or(i64::MAX));
        let at = started_at.parse::<Timestamp>().ok().and_then(|at| at.checked_add(since).ok());
        Self { run, boot: boot.filter(|boot| !boot.is_empty()), at }
    }

    /// Tells whether two moments, the earlier one first, are of one session.
    pub fn is_with(&self, next: &Self) -> bool {
        if self.run == next.run {
            return true;
        }
        // Of a boot that nobody knows, time alone tells.
        let rebooted = self.boot.zip(next.boot).is_some_and(|(one, other)| one != other);
        let apart = self.at.zip(next.at).map(|(one, other)| other.duration_since(one).abs());
        !rebooted && apart.is_some_and(|apart| apart < APART)
    }
}

/// Counts the sessions of units that are in the order of time.
pub fn sessions(units: &[&Unit]) -> usize {
    let moments: Vec<Moment<'_>> = units.iter().map(|unit| Moment::of(unit)).collect();
    let apart = moments.windows(2).filter(|pair| !pair[0].is_with(&pair[1])).count();
    apart + usize::from(!moments.is_empty())
}

/// Returns the values of a field by session; units are in the order of time.
pub(super) fn past(units: &[&Unit], field: &str, measure: UnitOfMeasure) -> Vec<Past> {
    let mut past = Vec::new();
    let (mut session, mut last) = (0, None::<Moment<'_>>);
    for unit in units {
        let moment = Moment::of(unit);
        if !last.as_ref().is_some_and(|last| last.is_with(&moment)) {
            session += 1;
        }
        last = Some(moment);
        if let Some(value) = unit.value(field).and_then(|value| value.to(measure)) {
            past.push(Past { session, value: value.value() });
        }
    }
    past
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_one_boot_and_one_hour() {
        let moment = |run, boot, at: &str| Moment::new(run, Some(boot), at, 0);
        let first = moment("A", "b1", "2026-11-20T08:00:00Z");
        assert!(first.is_with(&moment("B", "b1", "2026-11-20T08:59:59Z")));
        assert!(!first.is_with(&moment("B", "b1", "2026-11-20T09:00:00Z")));
        assert!(!first.is_with(&moment("B", "b2", "2026-11-20T08:00:01Z")));
        // A clock that went back, a time that is none, and a boot that nobody knows.
        assert!(!first.is_with(&moment("B", "b1", "2026-11-19T08:00:00Z")));
        assert!(!first.is_with(&moment("B", "b1", "yesterday")));
        assert!(moment("A", "", "2026-11-20T08:00:00Z").is_with(&moment(
            "B",
            "",
            "2026-11-20T08:00:00Z"
        )));
        assert!(first.is_with(&Moment::new("A", None, "", 5)));
    }
}
