//! How far two sides differ, and how sure that is.
//!
//! Each side's variance is moderated: the class's counts as a few observations, and the new side borrows
//! at most eight from the old. Quantiles are read at the degrees of freedom that result, which never
//! exceed what was counted: the prior counts once.

use super::{
    Drift, Guard, Question, Side, Student, UnitKind,
    question::{Units, runs, sessions},
    real,
};

/// The new side borrows at most this from the old; more alarms too often when its variance grew.
const BORROWED: f64 = 8.0;
/// The most degrees of freedom once a drift was seen.
const DRIFTING: f64 = 8.0;

/// Holds what a comparison found. All differences are of y: above zero is worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// What counted as one observation.
    pub unit: UnitKind,
    /// Whether too little is known of how sessions differ, or there are fewer than three old units.
    pub provisional: bool,
    /// Number of old units.
    pub units_b: usize,
    /// Number of new units.
    pub units_n: usize,
    /// Number of old runs.
    pub runs_b: usize,
    /// Number of new runs.
    pub runs_n: usize,
    /// Number of old sessions.
    pub sessions_b: usize,
    /// Number of new sessions.
    pub sessions_n: usize,
    /// The old side alone.
    pub baseline: Side,
    /// The new side alone.
    pub new: Side,
    /// y of the old side.
    pub mean_b: f64,
    /// y of the new side.
    pub mean_n: f64,
    /// By how much the new side is worse.
    pub est: f64,
    /// Standard error of that.
    pub se: f64,
    /// Degrees of freedom of that.
    pub df: f64,
    /// How likely a difference of this size is if nothing changed.
    pub p: f64,
    /// Whether the old side drifted.
    pub guard: Guard,
    /// Correlation of neighbours of the old side.
    pub lag: Option<f64>,
    /// By how much a drift widened the variance; 1 without.
    pub inflation: f64,
    /// The sd that was expected of one unit.
    pub expected: f64,
    /// Variance that was added for sessions.
    pub between: f64,
    pub(super) model: Model,
    pub(super) t: Student,
}

/// The moderated variances, and what is needed to compute with other numbers of units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Model {
    drift: Drift,
    variance_b: f64,
    variance_n: f64,
    df_b: f64,
    /// What the new side borrowed.
    lent: f64,
    between: f64,
    df_between: f64,
    units_b: usize,
    d0: f64,
    free_b: f64,
}

/// Standard error and degrees of freedom.
pub(super) struct Precision {
    pub(super) se: f64,
    pub(super) t: Student,
    pub(super) df: f64,
    inflation: f64,
}

impl Model {
    fn of(question: &Question, units: &Units, b: &Side, n: &Side, drift: Drift) -> Self {
        let (d0, floor) = (question.prior.d0, question.floor.powi(2));
        let expected = units.expected.powi(2).max(floor);
        let df_b = d0 + b.free;
        let variance_b = (d0 * expected + b.free * b.variance) / df_b;
        let lent = df_b.min(BORROWED);
        // The new side borrows what the old side shows before the floor.
        let variance_n = (lent * variance_b + n.free * n.variance) / (lent + n.free);
        Self {
            drift,
            variance_b: variance_b.max(floor),
            variance_n: variance_n.max(floor),
            df_b,
            lent,
            between: units.between,
            df_between: question.prior.d_s,
            units_b: b.units,
            d0,
            free_b: b.free,
        }
    }

    /// Returns how exact the difference is with a number of new units.
    pub(super) fn precision(&self, units_n: usize) -> Option<Precision> {
        let inflation = self.drift.inflation(self.units_b.max(units_n));
        let free_n = Side::free(units_n);
        let old = inflation * self.variance_b / real(self.units_b);
        let new = inflation * self.variance_n / real(units_n);
        let square = old + new + self.between;
        let spent = old.powi(2) / self.df_b
            + new.powi(2) / (self.lent + free_n)
            + self.between.powi(2) / self.df_between;
        let mut df = (square.powi(2) / spent).min(self.d0 + self.free_b + free_n);
        if self.drift.guard == Guard::Fired {
            df = df.min(DRIFTING);
        }
        let se = square.sqrt();
        let t = Student::new(df)?;
        (se.is_finite() && se > 0.0).then_some(Precision { se, t, df, inflation })
    }
}

impl Estimate {
    pub(super) fn of(
        question: &Question,
        units: &Units,
        b: Side,
        n: Side,
        drift: Drift,
    ) -> Option<Self> {
        let model = Model::of(question, units, &b, &n, drift);
        let Precision { se, t, df, inflation } = model.precision(n.units)?;
        let est = n.mean - b.mean;
        let p = t.beyond(est.abs() / se);
        (est.is_finite() && p.is_finite()).then_some(Self {
            unit: units.kind,
            provisional: units.provisional,
            units_b: b.units,
            units_n: n.units,
            runs_b: runs(&question.baseline),
            runs_n: runs(&question.new),
            sessions_b: sessions(&question.baseline),
            sessions_n: sessions(&question.new),
            baseline: b,
            new: n,
            mean_b: b.mean,
            mean_n: n.mean,
            est,
            se,
            df,
            p,
            guard: drift.guard,
            lag: drift.lag,
            inflation,
            expected: units.expected,
            between: units.between,
            model,
            t,
        })
    }

    /// Returns the 95 % interval of the difference.
    pub fn interval(&self) -> (f64, f64) {
        let half = self.t.quantile(0.025) * self.se;
        (self.est - half, self.est + half)
    }
}
