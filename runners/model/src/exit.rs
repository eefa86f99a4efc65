//! The exit table: the only place that turns outcomes into exit codes and JUnit elements.
//!
//! | situation | exit | JUnit |
//! |---|---|---|
//! | Fail; expired waiver | 1 | failure |
//! | Error | 3 | error |
//! | Unjudged: conditions, too few samples, not comparable | 3 | error |
//! | Unjudged: no baseline yet | 0; 3 when required | skipped; error when required |
//! | Skip | 0 | skipped |
//! | Blocked | that of its cause | skipped |
//! | Fail under a valid waiver | 0 | skipped |
//! | nothing gave Pass, Fail, Error or Unjudged | 4 | one error case |

use crate::{finding::FindingCode, outcome::Outcome, verdict::Verdict};

/// Exit code of a bad command line or input file.
pub const BAD_USAGE: u8 = 2;
/// Exit code of an interrupted run.
pub const INTERRUPTED: u8 = 130;

/// Says what each exit code means, in the order in which people look for them. Help, manual pages
/// and the README speak from this table.
pub const MEANINGS: [(u8, &str); 6] = [
    (0, "every answered check is acceptable"),
    (1, "a check failed"),
    (BAD_USAGE, "bad command line or input file"),
    (3, "something could not be answered, judged or written"),
    (4, "nothing was answered at all"),
    (INTERRUPTED, "interrupted; record and reports are written"),
];

/// Names one row of the exit table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// Asked, answered, acceptable.
    Pass,
    /// Not acceptable, or its waiver has expired.
    Fail,
    /// Not acceptable, and excused.
    Waived,
    /// Not answered.
    Error,
    /// Not judged: conditions, too few samples, not comparable.
    Unjudged,
    /// Not judged: no baseline yet.
    NoBaseline,
    /// Not judged: no baseline yet, and one is required.
    BaselineRequired,
    /// Not asked, with a reason.
    Skip,
    /// Not asked because of another check.
    Blocked,
    /// No check of the run gave Pass, Fail, Error or Unjudged.
    NothingAnswered,
}

/// Names the JUnit element that a case carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// None: the case passed.
    None,
    /// `<failure>`.
    Failure,
    /// `<error>`.
    Error,
    /// `<skipped>`.
    Skipped,
}

impl Situation {
    /// Every row, in the order of the table.
    pub const ALL: [Self; 10] = [
        Self::Pass,
        Self::Fail,
        Self::Waived,
        Self::Error,
        Self::Unjudged,
        Self::NoBaseline,
        Self::BaselineRequired,
        Self::Skip,
        Self::Blocked,
        Self::NothingAnswered,
    ];

    /// Finds the row for one verdict.
    pub fn of(verdict: &Verdict, require_baseline: bool) -> Self {
        match verdict.outcome {
            Outcome::Pass => Self::Pass,
            Outcome::Fail if verdict.is_waived() => Self::Waived,
            Outcome::Fail => Self::Fail,
            Outcome::Error => Self::Error,
            Outcome::Skip => Self::Skip,
            Outcome::Blocked => Self::Blocked,
            Outcome::Unjudged => match (verdict.decided_by, require_baseline) {
                (Some(FindingCode::NoBaseline), false) => Self::NoBaseline,
                (Some(FindingCode::NoBaseline), true) => Self::BaselineRequired,
                _ => Self::Unjudged,
            },
        }
    }

    /// Returns the exit code that the row asks for.
    ///
    /// A blocked check adds nothing: its cause is in the same run and counts by itself.
    pub fn exit(self) -> u8 {
        match self {
            Self::Pass | Self::NoBaseline | Self::Skip | Self::Blocked | Self::Waived => 0,
            Self::Fail => 1,
            Self::Error | Self::Unjudged | Self::BaselineRequired => 3,
            Self::NothingAnswered => 4,
        }
    }

    /// Returns the JUnit element that the row asks for.
    pub fn element(self) -> Element {
        match self {
            Self::Pass => Element::None,
            Self::Fail => Element::Failure,
            Self::Error | Self::Unjudged | Self::BaselineRequired | Self::NothingAnswered => {
                Element::Error
            }
            Self::NoBaseline | Self::Skip | Self::Blocked | Self::Waived => Element::Skipped,
        }
    }
}

/// Tells whether no verdict says anything about the node.
pub fn nothing_answered<'v>(verdicts: impl IntoIterator<Item = &'v Verdict>) -> bool {
    verdicts.into_iter().all(|v| matches!(v.outcome, Outcome::Skip | Outcome::Blocked))
}

/// Computes the exit code of a run. *Precedence*: 130 > 1 > 3 > 4 > 0 (2 never reaches a run).
pub fn exit_code<'v>(
    verdicts: impl IntoIterator<Item = &'v Verdict> + Clone,
    require_baseline: bool,
    interrupted: bool,
) -> u8 {
    if interrupted {
        return INTERRUPTED;
    }
    let situations = verdicts.clone().into_iter().map(|v| Situation::of(v, require_baseline));
    let codes: Vec<u8> = situations.map(Situation::exit).collect();
    if codes.contains(&1) {
        return 1;
    }
    if codes.contains(&3) {
        return 3;
    }
    if nothing_answered(verdicts) {
        return Situation::NothingAnswered.exit();
    }
    0
}
