//! How a metric of a run stands to its baseline: the sides, the numbers, and the word for it.
//!
//! `build` makes the two sides of a demand that compares, [`crate::settle`] decides them together, for
//! the level of one depends on all. `exact` compares facts, which have no noise. Units are the repeats
//! of this run and the accepted units; what a number means stands in `runners/model/STATISTICS.md`.

pub(crate) mod build;
pub(crate) mod exact;
mod say;

pub use build::question;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    check::Location,
    evidence::EvidenceId,
    metric::Direction,
    quantity::Quantity,
    statistics::{Question, Transform},
    verdict::Role,
};

/// Says how a metric stands to its baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Within the tolerance, certainly enough.
    Same,
    /// Better by more than the tolerance.
    Improved,
    /// Worse by more than the tolerance.
    Regressed,
    /// It looks worse, and the noise is not known well enough to say so.
    Possible,
    /// Neither can be said: more units may tell.
    #[default]
    Inconclusive,
}

impl Standing {
    /// Names it as reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Improved => "improved",
            Self::Regressed => "regressed",
            Self::Possible => "possibly regressed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Says what counts as one observation, and how many there are on a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Count {
    /// Sessions.
    pub sessions: usize,
    /// Runs.
    pub runs: usize,
}

/// Holds one metric of a run beside the first units that were ever accepted.
///
/// *Units*: as of [`Comparison`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AtFirst {
    /// How it stands to them.
    pub standing: Standing,
    /// Their centre.
    pub then: Option<Quantity>,
    /// Change of the value since.
    pub change: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
    /// Adjusted probability of such a difference by chance, over the family.
    pub adjusted: f64,
}

/// Holds one metric of a run beside its baseline.
///
/// *Units*: `change`, `low`, `high` and `detectable` are fractions of the baseline where `relative`,
/// else in the unit of `now`; a change is positive where the value rose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing that a reader of a record asks"
)]
pub struct Comparison {
    /// Dotted path.
    pub field: String,
    /// How it stands.
    pub standing: Standing,
    /// How it stands to the first accepted units, where others count now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_first: Option<AtFirst>,
    /// Whether the field is demanded; advice otherwise.
    pub demanded: bool,
    /// Centre of the baseline.
    pub then: Option<Quantity>,
    /// Centre of this run.
    pub now: Option<Quantity>,
    /// Difference that matters to the suite.
    pub tolerance: Option<Quantity>,
    /// Whether changes are fractions of the baseline.
    pub relative: bool,
    /// Whether a change upwards is a loss.
    pub worse_up: bool,
    /// Change of the value.
    pub change: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval.
    pub high: f64,
    /// Adjusted probability of such a difference by chance, over the family.
    pub adjusted: f64,
    /// Level that it must stay below.
    pub level: f64,
    /// Which look it was decided at and how many there are, in a run until decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<(usize, usize)>,
    /// Whether a session counts as one observation, rather than a run.
    pub by_session: bool,
    /// What the baseline holds.
    pub baseline: Count,
    /// What this run holds.
    pub new: Count,
    /// Whether the noise between sessions is taken from a table.
    pub provisional: bool,
    /// Row of the table of noise.
    pub class: String,
    /// Size of the change that such a comparison finds; absent where it would find none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// Change that the suite wants to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<f64>,
    /// Units still needed to see it; absent where none up to 60 would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<u32>,
    /// Whether the baseline drifts, so that less is concluded.
    pub drifts: bool,
    /// Attempts of this run that do not count, for their conditions did not hold.
    pub gated: usize,
    /// What changed in the machine since the baseline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The sides, and what findings say beside the numbers.
    #[serde(skip)]
    pub(crate) sides: Option<Box<Sides>>,
}

/// Holds what is decided from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sides {
    pub(crate) current: Question,
    /// The same against the first accepted units, where others count now.
    pub(crate) anchor: Option<Question>,
    pub(crate) transform: Transform,
    /// Whether the noise was learned on this machine.
    pub(crate) learned: bool,
    /// Shift that fails though the noise is not known. *Units*: of y.
    pub(crate) disaster: f64,
    /// Shift that people want to see. *Units*: of y.
    pub(crate) goal: Option<f64>,
    pub(crate) about: About,
}

/// Holds what a finding about it says beside the numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct About {
    pub(crate) demand: String,
    pub(crate) source: Option<String>,
    pub(crate) fix: String,
    pub(crate) location: Location,
    pub(crate) evidence: Vec<EvidenceId>,
}

/// Returns the role of a field that compares.
pub(crate) fn is_demanded(role: Role) -> bool {
    role == Role::Expect
}

/// Tells whether a change upwards is a loss.
fn worse_up(direction: Direction) -> bool {
    direction == Direction::LowerIsBetter
}

impl Comparison {
    /// Tells whether more units may still change the answer: also of one that is as its baseline, and
    /// may be worse than the first accepted units.
    pub fn is_open(&self) -> bool {
        let first = self.at_first.as_ref().map(|first| first.standing);
        match self.standing {
            Standing::Inconclusive => true,
            Standing::Same | Standing::Improved => first == Some(Standing::Inconclusive),
            Standing::Regressed | Standing::Possible => false,
        }
    }

    /// Returns what findings say beside the numbers.
    pub(crate) fn about(&self) -> Option<&About> {
        self.sides.as_ref().map(|sides| &sides.about)
    }
}
