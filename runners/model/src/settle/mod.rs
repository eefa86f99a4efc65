//! Looks at all verdicts of a run together: first families of comparisons, then waivers. Pure.

mod family;
mod said;
mod waiver;

pub use self::{family::Looks, waiver::excuse_of};
use crate::{run::RunNode, verdict::Verdict};

/// Decides all comparisons together and applies the waivers of nodes; `today` is the day of the run's
/// start, as `YYYY-MM-DD`.
pub fn settle(verdicts: &mut [Verdict], looks: Looks, nodes: &[RunNode], today: &str) {
    decide(verdicts, looks);
    waiver::excuse(verdicts, nodes, today);
}

/// Decides the comparisons of some verdicts as if there were no others.
pub(crate) fn decide(verdicts: &mut [Verdict], looks: Looks) {
    family::decide(verdicts, looks);
    for verdict in verdicts {
        said::write(verdict);
    }
}
