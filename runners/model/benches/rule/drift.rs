//! Runs that resemble their neighbours: the next ten after the baseline, with nothing changed.
//!
//! An autoregression of lag-1 correlation 0.75 and sd 3 %, the class of virtual machines, 2 % tolerated.
//! Below twenty old units no guard can see it: there the environment gate must carry.

use verify_model::statistics::{Prior, Question, Word, class};

use crate::{
    play::{Effort, rate},
    random::Random,
    table::{head, percent, row},
};

const RHO: f64 = 0.75;
const SD: f64 = 0.03;

fn chain(old: usize, draw: usize) -> Question {
    let mut random = Random::of(900 + old as u64, draw);
    let mut at = SD * random.normal();
    let mut units = |count: usize| -> Vec<f64> {
        let step = SD * (1.0 - RHO * RHO).sqrt();
        (0..count)
            .map(|_| {
                at = RHO * at + step * random.normal();
                at
            })
            .collect()
    };
    let (baseline, new) = (vec![units(old)], vec![units(10)]);
    let shipped = class("virtual-machine").map_or(SD, |class| class.prior.s_run);
    let prior = Prior { s_run: shipped, s_sess: 0.0, d0: 4.0, d_s: 4.0, learned: true };
    Question { baseline, new, prior, floor: 0.0005, tol: 1.02_f64.ln(), interleaved: false }
}

/// Prints how often one metric alarms, with the guard and without.
pub(crate) fn consecutive(effort: Effort) {
    let title = "Consecutive runs of a machine that wanders: false alarms of one metric";
    head(title, &["old v new runs", "with the drift guard", "without"]);
    for old in [10, 20, 30, 60] {
        let alarms = |guarded: bool| {
            rate(effort.metrics, |draw| {
                let question = chain(old, draw);
                let found = if guarded { question.estimate() } else { question.unguarded() };
                let word = found.map(|found| found.word(found.p <= 2e-4, question.tol));
                matches!(word, Some(Word::Regressed | Word::Improved))
            })
        };
        let cells = [true, false].map(|guarded| percent(alarms(guarded).percent()));
        row(&[vec![format!("{old} v 10")], cells.to_vec()].concat());
    }
}
