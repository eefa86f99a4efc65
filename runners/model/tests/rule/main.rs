//! Holds the rule to its reference vectors, its worked example and its properties.
//!
//! The vectors are not in this repository: `VERIFY_SAMPLES` names the folder that holds
//! `statistics/rule_vectors.json`. Everything else is here.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

mod digits;
mod distribution;
mod edge;
mod example;
mod number;
mod property;
mod refused;
mod vector;

use verify_model::statistics::{Prior, Question};

/// Returns a prior that knows of no session.
fn prior(s_run: f64, d0: f64) -> Prior {
    Prior { s_run, s_sess: 0.0, d0, d_s: 4.0, learned: true }
}

/// Returns a question in which the run is the unit.
fn runs(baseline: &[f64], new: &[f64], s_run: f64) -> Question {
    Question {
        baseline: vec![baseline.to_vec()],
        new: vec![new.to_vec()],
        prior: prior(s_run, 4.0),
        floor: 0.0005,
        tol: 1.02_f64.ln(),
        interleaved: false,
    }
}
