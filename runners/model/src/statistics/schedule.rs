//! When it may be looked, and how much of the level each look spends.
//!
//! Who looks after every run and stops at the first alarm, alarms always. The looks are fixed in the
//! plan, and what they spend sums to one; what a look did not need is lost.

use super::real;

/// The chance of any false alarm over a family of metrics.
pub const FWER: f64 = 0.01;

/// Holds the numbers of units at which it is looked, and what share of the level each look spends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Numbers of new units, in rising order.
    pub looks: &'static [u32],
    /// Share of the level, one a look; they sum to one.
    pub spend: &'static [f64],
}

/// Looks where the unit is a run.
pub const RUNS: Schedule =
    Schedule { looks: &[3, 5, 7, 10, 14, 20], spend: &[0.05, 0.10, 0.15, 0.20, 0.20, 0.30] };

/// Looks where the unit is a session.
pub const SESSIONS: Schedule = Schedule { looks: &[1, 2, 3, 5], spend: &[0.05, 0.10, 0.45, 0.40] };

/// One look, at however many units there are: their number was fixed before the first was seen.
pub const FIXED: Schedule = Schedule { looks: &[1], spend: &[1.0] };

/// Holds one look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Which one, from zero.
    pub index: usize,
    /// Its number of units.
    pub units: u32,
    /// How many looks there are.
    pub of: usize,
    /// Level for adjusted p.
    pub level: f64,
}

impl Schedule {
    /// Returns the largest share that a look spends, by which the detectable change is told.
    pub fn largest_spend(&self) -> f64 {
        self.spend.iter().copied().fold(0.0, f64::max)
    }

    /// Returns the number of units of the next look; none after the last.
    pub fn next(&self, units: u32) -> Option<u32> {
        self.looks.iter().copied().find(|look| *look > units)
    }

    /// Returns the level of one metric alone at the look that spends most.
    ///
    /// `metrics` is the number in all families: the shares by number cancel.
    pub fn alpha(&self, metrics: usize) -> f64 {
        FWER * self.largest_spend() / real(metrics.max(1))
    }
}

/// Returns the last look that a number of units reached; none before the first.
///
/// Families on different schedules share the level by number: this one holds `part` of `whole` metrics.
pub fn look(schedule: &Schedule, units: u32, part: usize, whole: usize) -> Option<Look> {
    let index = schedule.looks.iter().rposition(|look| *look <= units)?;
    let share = if whole == 0 { 0.0 } else { (real(part) / real(whole)).min(1.0) };
    let (units, spend) = (*schedule.looks.get(index)?, *schedule.spend.get(index)?);
    Some(Look { index, units, of: schedule.looks.len(), level: FWER * spend * share })
}
