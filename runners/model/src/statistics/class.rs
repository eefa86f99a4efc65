//! How far metrics of a kind are known to scatter, before this machine has said anything.
//!
//! A prior counts as a few observations, so that three runs need not tell their own spread. What a row
//! rests on stands beside it. Whether a name is known is the loader's matter.

use serde::{Deserialize, Serialize};

/// Holds what is expected of a metric's scatter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Prior {
    /// Standard deviation of y between runs of a session; 0.01 is 1 %.
    pub s_run: f64,
    /// Standard deviation of y between sessions.
    pub s_sess: f64,
    /// How many observations the first counts for.
    pub d0: f64,
    /// How many the second counts for.
    pub d_s: f64,
    /// Whether both come from accepted units, not from this table.
    pub learned: bool,
}

impl Prior {
    /// Returns a prior as shipped, from percents.
    const fn shipped(run: f64, session: f64) -> Self {
        Self { s_run: run / 100.0, s_sess: session / 100.0, d0: 4.0, d_s: 4.0, learned: false }
    }

    /// Returns the prior for the linear scale, on which y has the metric's unit: a share of the centre.
    ///
    /// A centre of zero leaves nothing to expect, and no question accepts that: the suite must say more.
    #[must_use]
    pub fn around(self, centre: f64) -> Self {
        let centre = centre.abs();
        Self { s_run: self.s_run * centre, s_sess: self.s_sess * centre, ..self }
    }

    /// Tells whether it can be computed with.
    pub(super) fn usable(&self) -> bool {
        let above = |value: f64| value.is_finite() && value > 0.0;
        let session = self.s_sess.is_finite() && self.s_sess >= 0.0;
        above(self.s_run) && above(self.d0) && above(self.d_s) && session
    }
}

/// Holds one class of metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Class {
    /// Name, as a suite says it.
    pub name: &'static str,
    /// What is expected of its metrics.
    pub prior: Prior,
    /// What the numbers rest on.
    pub source: &'static str,
}

const fn row(name: &'static str, run: f64, session: f64, source: &'static str) -> Class {
    Class { name, prior: Prior::shipped(run, session), source }
}

/// Every class; no spread between sessions has evidence yet.
pub const CLASSES: &[Class] = &[
    row("device-bandwidth", 0.5, 0.5, "run: scenario of 0.42 %; session: assumed"),
    row("compute", 0.5, 0.5, "clock mode recorded; run: scenario of 0.5 %; session: assumed"),
    row("compute-clock-unknown", 2.5, 1.0, "run: scenario of 2.3 %; session: assumed"),
    row("host-memory", 1.0, 1.0, "assumed"),
    row("network-throughput", 2.0, 1.0, "run: scenario of 1.7 %; session: assumed"),
    row("storage-throughput", 3.0, 2.0, "assumed"),
    row("latency-p50", 1.5, 1.0, "run: JMH quartiles 0.69 / 1.5 / 3.7 %; session: assumed"),
    row("latency-p99", 5.0, 2.0, "run: JMH median 4.7 %; session: assumed"),
    row("latency-p99.9", 12.0, 4.0, "run: scenario of 10 to 12 %; session: assumed"),
    row("spread", 6.0, 3.0, "run: scenario of 3 to 6 %; session: assumed"),
    row("serving", 4.0, 2.0, "run: JMH upper quartile, scenario of 3.1 %; session: assumed"),
    row(
        "virtual-machine",
        4.0,
        2.0,
        "run: JMH upper quartile, scenario of 3.1 %; session: assumed",
    ),
    row("unknown", 4.0, 2.0, "run: JMH upper quartile, scenario of 3.1 %; session: assumed"),
];

/// Returns a class by name.
pub fn class(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.name == name)
}
