//! Holds the rule to its reference vectors, its worked example and its properties.
//!
//! The vectors are not in this repository: `VERIFY_SAMPLES` names the folder that holds
//! `statistics/rule_vectors.json`. Everything else is here.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

mod vector;

use verify_model::statistics::Prior;

/// Returns a prior that knows of no session.
fn prior(s_run: f64, d0: f64) -> Prior {
    Prior { s_run, s_sess: 0.0, d0, d_s: 4.0, learned: true }
}
