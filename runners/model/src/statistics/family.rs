//! Many metrics at once, and many looks.
//!
//! Fifty metrics at 5 % alarm in nine suites of ten. The p of a family are adjusted together after
//! Benjamini and Hochberg; where nothing changed that also bounds the chance of any alarm. What was
//! decided keeps its p and stays in the family.

use super::{Estimate, FWER, Question, Schedule, UnitKind, Word, real};

/// Returns adjusted p, in the order given; what is not a probability counts as 1.
pub fn adjusted(p: &[f64]) -> Vec<f64> {
    let clean = |p: f64| if (0.0..=1.0).contains(&p) { p } else { 1.0 };
    let p: Vec<f64> = p.iter().copied().map(clean).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut out = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, at) in order.into_iter().enumerate().rev() {
        least = least.min(real(p.len()) * p[at] / real(rank + 1));
        out[at] = least;
    }
    out
}

/// Says when and how a metric of a sequence was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What it was called.
    pub word: Word,
    /// At how many new units; the last look where it stayed open.
    pub units: u32,
}

/// Plays the looks of a schedule over metrics, of which all new units are known already.
///
/// Each look sees the first units alone, and compares them by `ask`, which is [`Question::estimate`] for
/// real ones. A metric whose comparison is refused stays open, with p = 1.
pub fn sequence(
    questions: &[Question],
    schedule: &Schedule,
    ask: impl Fn(&Question) -> Option<Estimate>,
) -> Vec<Decision> {
    let mut decided: Vec<Option<Decision>> = vec![None; questions.len()];
    let mut p = vec![1.0; questions.len()];
    for (units, spend) in schedule.looks.iter().zip(schedule.spend) {
        let seen: Vec<Option<Estimate>> = questions
            .iter()
            .zip(&decided)
            .map(|(question, done)| match done {
                Some(_) => None,
                None => ask(&first(question, *units as usize)),
            })
            .collect();
        for (p, seen) in p.iter_mut().zip(&seen) {
            *p = seen.map_or(*p, |estimate| estimate.p);
        }
        let adjusted = adjusted(&p);
        for (at, estimate) in seen.into_iter().enumerate() {
            let Some(estimate) = estimate else { continue };
            let word = estimate.word(adjusted[at] <= FWER * spend, questions[at].tol);
            if word != Word::Inconclusive {
                decided[at] = Some(Decision { word, units: *units });
            }
        }
    }
    let last = schedule.looks.last().copied().unwrap_or_default();
    let open = Decision { word: Word::Inconclusive, units: last };
    decided.into_iter().map(|decision| decision.unwrap_or(open)).collect()
}

/// Returns a question about the first new units alone.
fn first(question: &Question, units: usize) -> Question {
    let mut cut = question.clone();
    match question.unit() {
        UnitKind::Session => cut.new.truncate(units),
        UnitKind::Run => {
            let mut left = units;
            for session in &mut cut.new {
                session.truncate(left);
                left -= session.len();
            }
        }
    }
    cut
}
