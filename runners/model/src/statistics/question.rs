//! What is compared: two sides by session, and what is known beforehand.
//!
//! What counts as one observation is decided here, before anything is computed: runs of one session
//! resemble each other, so ten runs of one boot are not ten observations of the machine.

use serde::{Deserialize, Serialize};

use super::{
    Drift, Estimate,
    class::Prior,
    location::{Side, mean},
    real,
};

/// Fewer sessions in the baseline cannot tell how sessions differ.
const FEWEST_SESSIONS: usize = 3;

/// Says what counts as one observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnitKind {
    /// One fresh process of one check.
    Run,
    /// The runs of one boot, or of one thermal state.
    Session,
}

/// Holds what is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// y of the accepted runs, by session, in the order of time.
    pub baseline: Vec<Vec<f64>>,
    /// y of the new runs, likewise.
    pub new: Vec<Vec<f64>>,
    /// What is expected of the scatter.
    pub prior: Prior,
    /// The least sd of y ([`super::floor`]).
    pub floor: f64,
    /// What is tolerated, as a difference of y ([`super::Transform::tol`]).
    pub tol: f64,
    /// Whether both sides were taken in turns within one session.
    pub interleaved: bool,
}

/// Both sides as units, with the sd that is expected of one.
pub(super) struct Units {
    pub(super) kind: UnitKind,
    pub(super) provisional: bool,
    pub(super) baseline: Vec<f64>,
    pub(super) new: Vec<f64>,
    pub(super) expected: f64,
    /// Variance that both means share with their sessions.
    pub(super) between: f64,
}

impl Question {
    /// Returns what counts as one observation, by the number of sessions alone.
    pub fn unit(&self) -> UnitKind {
        let alike = self.interleaved || self.alike();
        if !alike && sessions(&self.baseline) >= FEWEST_SESSIONS {
            UnitKind::Session
        } else {
            UnitKind::Run
        }
    }

    /// Compares the two sides; none where a side is empty, or a number is not usable.
    pub fn estimate(&self) -> Option<Estimate> {
        self.compared(Drift::of)
    }

    /// Compares the two sides as if the baseline could not drift, to show what the guard changed.
    pub fn unguarded(&self) -> Option<Estimate> {
        self.compared(|_| Drift::UNSEEN)
    }

    fn compared(&self, drift: impl Fn(&[f64]) -> Drift) -> Option<Estimate> {
        let usable = self.prior.usable() && self.floor.is_finite() && self.floor >= 0.0;
        if !usable {
            return None;
        }
        let units = self.units()?;
        let (baseline, new) = (Side::of(&units.baseline)?, Side::of(&units.new)?);
        Estimate::of(self, &units, baseline, new, drift(&units.baseline))
    }

    /// Returns y in the middle of the baseline, from which the floor is taken.
    pub fn centre(&self) -> Option<f64> {
        let units = match self.unit() {
            UnitKind::Run => self.baseline.concat(),
            UnitKind::Session => values(&self.baseline)?,
        };
        Side::of(&units).map(|side| side.mean)
    }

    /// Tells whether sessions are known not to differ.
    fn alike(&self) -> bool {
        self.prior.learned && self.prior.s_sess == 0.0
    }

    fn units(&self) -> Option<Units> {
        let kind = self.unit();
        let Prior { s_run, s_sess, .. } = self.prior;
        let (baseline, new) = match kind {
            UnitKind::Run => (self.baseline.concat(), self.new.concat()),
            UnitKind::Session => (values(&self.baseline)?, values(&self.new)?),
        };
        let provisional = kind == UnitKind::Run && !self.interleaved && !self.alike();
        let expected = match kind {
            UnitKind::Run => s_run,
            UnitKind::Session => {
                (s_sess * s_sess + s_run * s_run * inverse_runs(&self.baseline)).sqrt()
            }
        };
        let shares = |side: &[Vec<f64>]| 1.0 / real(sessions(side));
        let between = if provisional {
            s_sess * s_sess * (shares(&self.baseline) + shares(&self.new))
        } else {
            0.0
        };
        let provisional = provisional || baseline.len() < FEWEST_SESSIONS;
        Some(Units { kind, provisional, baseline, new, expected, between })
    }
}

/// Counts the sessions that hold a run.
pub(super) fn sessions(side: &[Vec<f64>]) -> usize {
    side.iter().filter(|session| !session.is_empty()).count()
}

/// Counts runs.
pub(super) fn runs(side: &[Vec<f64>]) -> usize {
    side.iter().map(Vec::len).sum()
}

/// Returns one value a session, the middle of its runs.
fn values(side: &[Vec<f64>]) -> Option<Vec<f64>> {
    let held = side.iter().filter(|session| !session.is_empty());
    held.map(|session| Side::of(session).map(|side| side.mean)).collect()
}

/// Returns one over the harmonic mean of the runs per session.
fn inverse_runs(side: &[Vec<f64>]) -> f64 {
    let inverses: Vec<f64> = side
        .iter()
        .filter(|session| !session.is_empty())
        .map(|session| 1.0 / real(session.len()))
        .collect();
    mean(&inverses)
}
