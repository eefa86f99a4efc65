//! Looks at all verdicts of a run together: waivers now, families of comparisons later. Pure.

mod waiver;

use crate::{verdict::Verdict, waiver::Waiver};

/// Applies waivers to verdicts; `today` is the day of the run's start, as `YYYY-MM-DD`.
pub fn settle(verdicts: &mut [Verdict], waivers: &[Waiver], today: &str) {
    waiver::excuse(verdicts, waivers, today);
}
