//! Looks at all verdicts of a run together: waivers now, families of comparisons later. Pure.

mod waiver;

pub use self::waiver::excuse_of;
use crate::{run::RunNode, verdict::Verdict};

/// Applies the waivers of nodes to verdicts; `today` is the day of the run's start, as `YYYY-MM-DD`.
pub fn settle(verdicts: &mut [Verdict], nodes: &[RunNode], today: &str) {
    waiver::excuse(verdicts, nodes, today);
}
