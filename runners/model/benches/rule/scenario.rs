//! What the simulated metrics are like.
//!
//! A suite holds fifty of eight kinds, which scatter as the specification of the method says. The truth is
//! the kind's; the prior is the shipped class's, wrong by e^0.4 either way, drawn anew for each metric.
//! With sessions as unit, each holds four runs, and sessions differ by the prior's share.

use verify_model::statistics::{Prior, Question, Scale, UnitKind, class, floor};

use crate::{play::Way, random::Random};

/// Runs of one session.
const RUNS: usize = 4;
/// Metrics of a suite.
pub(crate) const METRICS: usize = 50;

/// How values lie.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// Normal in logarithms.
    Normal,
    /// Student's t with five degrees of freedom.
    Heavy,
    /// Normal, counted in steps of this share of the centre.
    Steps(f64),
    /// Three places 1.5 % apart, half, three and two tenths of the runs, each with an sd of 0.3 %.
    Modes,
}

/// Holds one kind of metric.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    class: &'static str,
    /// sd of y between runs.
    pub(crate) sd: f64,
    pub(crate) shape: Shape,
    /// What is tolerated, as a fraction.
    tolerance: f64,
    /// How many of a suite are of this kind.
    count: usize,
}

const fn row(
    name: &'static str,
    class: &'static str,
    percent: f64,
    shape: Shape,
    tolerance: f64,
    count: usize,
) -> Scenario {
    Scenario { name, class, sd: percent / 100.0, shape, tolerance, count }
}

/// Every kind; the last sd follows from the three places.
pub(crate) const SCENARIOS: [Scenario; 8] = [
    row("device 0.42 %", "device-bandwidth", 0.42, Shape::Normal, 0.02, 10),
    row("compute 0.5 %", "compute", 0.5, Shape::Normal, 0.02, 10),
    row("compute 2.3 %", "compute-clock-unknown", 2.3, Shape::Normal, 0.02, 4),
    row("network 1.7 %", "network-throughput", 1.7, Shape::Normal, 0.02, 8),
    row("latency p50 1.5 %", "latency-p50", 1.5, Shape::Heavy, 0.02, 8),
    row("latency p99 4.7 %", "latency-p99", 4.7, Shape::Heavy, 0.10, 4),
    row("quantised 0.3 %", "device-bandwidth", 0.3, Shape::Steps(0.005), 0.02, 3),
    row("three modes 1.2 %", "compute-clock-unknown", 1.21, Shape::Modes, 0.02, 3),
];

/// Holds one metric of a suite.
#[derive(Clone, Copy)]
pub(crate) struct Truth {
    pub(crate) shape: Shape,
    pub(crate) run: f64,
    session: f64,
    prior: Prior,
    pub(crate) tol: f64,
}

impl Scenario {
    /// Draws a metric of this kind.
    pub(crate) fn truth(&self, kind: UnitKind, random: &mut Random) -> Truth {
        let wrong = random.wrong();
        let shipped = class(self.class).map_or(Prior { ..NONE }, |class| class.prior);
        let session = if kind == UnitKind::Session { shipped.s_sess } else { 0.0 };
        Truth {
            shape: self.shape,
            run: self.sd,
            session,
            prior: prior(shipped.s_run * wrong, session * wrong),
            tol: self.tolerance.ln_1p(),
        }
    }

    /// Tells whether a change of 3 % is beyond what is tolerated.
    pub(crate) fn strict(&self) -> bool {
        self.tolerance < 0.03
    }
}

const NONE: Prior = Prior { s_run: 0.0, s_sess: 0.0, d0: 4.0, d_s: 4.0, learned: true };

fn prior(s_run: f64, s_sess: f64) -> Prior {
    Prior { s_run, s_sess, ..NONE }
}

/// Returns the kinds of the fifty metrics of a suite.
pub(crate) fn suite() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().flat_map(|scenario| std::iter::repeat_n(scenario, scenario.count))
}

impl Truth {
    /// Draws a normal metric whose units have this sd, with 2 % tolerated.
    pub(crate) fn plain(kind: UnitKind, unit: f64, way: Way, random: &mut Random) -> Self {
        let drawn = random.wrong();
        let wrong = if way == Way::Wrong { drawn } else { 1.0 };
        // A session of four runs: s_sess^2 + s_run^2 / 4 with both alike.
        let (run, session) = match kind {
            UnitKind::Run => (unit, 0.0),
            UnitKind::Session => (unit / 1.25_f64.sqrt(), unit / 1.25_f64.sqrt()),
        };
        let tol = 1.02_f64.ln();
        let prior = prior(run * wrong, session * wrong);
        Self { shape: Shape::Normal, run, session, prior, tol }
    }

    fn run(&self, centre: f64, random: &mut Random) -> f64 {
        match self.shape {
            Shape::Normal => centre + self.run * random.normal(),
            Shape::Heavy => centre + self.run * random.heavy(),
            Shape::Steps(step) => {
                let value = (centre + self.run * random.normal()).exp();
                ((value / step).round().max(1.0) * step).ln()
            }
            Shape::Modes => {
                let place = match random.uniform() {
                    u if u < 0.5 => 0.0,
                    u if u < 0.8 => 0.015,
                    _ => 0.03,
                };
                centre + place + 0.003 * random.normal()
            }
        }
    }

    /// Draws units that lie around a place, each as a list of runs of its session.
    pub(crate) fn side(
        &self,
        kind: UnitKind,
        units: usize,
        at: f64,
        random: &mut Random,
    ) -> Vec<Vec<f64>> {
        let runs = |count: usize, centre: f64, random: &mut Random| {
            (0..count).map(|_| self.run(centre, random)).collect::<Vec<f64>>()
        };
        match kind {
            UnitKind::Run => vec![runs(units, at, random)],
            UnitKind::Session => (0..units)
                .map(|_| {
                    let centre = at + self.session * random.normal();
                    runs(RUNS, centre, random)
                })
                .collect(),
        }
    }

    /// Draws a whole question: old units, and new ones that are worse by a shift.
    pub(crate) fn question(
        &self,
        kind: UnitKind,
        (old, new): (usize, usize),
        shift: f64,
        random: &mut Random,
    ) -> Question {
        let baseline = self.side(kind, old, 0.0, random);
        let new = self.side(kind, new, shift, random);
        self.asked(baseline, new)
    }

    /// Asks about two sides.
    pub(crate) fn asked(&self, baseline: Vec<Vec<f64>>, new: Vec<Vec<f64>>) -> Question {
        let mut question = Question {
            baseline,
            new,
            prior: self.prior,
            floor: 0.0,
            tol: self.tol,
            interleaved: false,
        };
        let resolution = match self.shape {
            Shape::Steps(step) => Some(step),
            _ => None,
        };
        let centre = question.centre().map_or(f64::NAN, f64::exp);
        question.floor = floor(resolution, centre, Scale::Log);
        question
    }
}
