//! What is said of the run itself because no check says it: nothing answered, interrupted, cut short.
//!
//! Every format for programs has an entry of its own for each of these, so that no reader that looks at
//! checks alone takes such a run for a good one.

use verify_model::{
    exit::{Situation, nothing_answered},
    run::Run,
};

/// Name of the suite under which it is said.
pub(crate) const OWN_SUITE: &str = "verify";

/// Lists what is said, with a name; nothing for a run that its checks explain.
pub(crate) fn own(run: &Run) -> Vec<(Situation, &'static str)> {
    let said = [
        (nothing_answered(run.verdicts()), Situation::NothingAnswered, "nothing-answered"),
        (run.interrupted, Situation::Error, "interrupted"),
        (!run.complete, Situation::Error, "incomplete"),
    ];
    said.into_iter().filter(|(so, ..)| *so).map(|(_, row, name)| (row, name)).collect()
}
