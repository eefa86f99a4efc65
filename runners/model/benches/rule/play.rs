//! How a simulation is played: many draws on all cores, and one metric through the looks.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use verify_model::statistics::{
    Estimate, FIXED, Keys, Question, RUNS, SESSIONS, Schedule, UnitKind, Word, look,
};

use crate::scenario::METRICS;

/// Says how many draws each figure rests on.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Suites of fifty metrics.
    pub(crate) suites: usize,
    /// Single metrics, by the rule.
    pub(crate) metrics: usize,
    /// Single metrics, by methods that draw random numbers themselves.
    pub(crate) costly: usize,
    /// Chains of accepted steps.
    pub(crate) chains: usize,
}

impl Effort {
    pub(crate) const FULL: Self =
        Self { suites: 2_000, metrics: 10_000, costly: 1_000, chains: 500 };
    pub(crate) const QUICK: Self = Self { suites: 200, metrics: 1_000, costly: 100, chains: 50 };
}

/// Says how a metric alone is compared, to show what each part costs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    /// As the rule is used, its prior being right.
    Used,
    /// Without the drift guard, which also fires on one in twenty baselines that do not drift.
    Unguarded,
    /// Without the guard and with a second key of 5 %, as if there were one look only.
    Loose,
    /// As the rule is used, its prior being wrong by e^0.4 either way.
    Wrong,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Used, Self::Unguarded, Self::Loose, Self::Wrong];

    fn ask(self, question: &Question) -> Option<Estimate> {
        match self {
            Self::Unguarded | Self::Loose => question.unguarded(),
            Self::Used | Self::Wrong => question.estimate(),
        }
    }
}

/// Plays draws on all cores; the results stand in order, whoever made them.
pub(crate) fn draws<T: Send>(count: usize, draw: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let work = || {
        let mut made = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return made;
            }
            made.push((at, draw(at)));
        }
    };
    let mut all: Vec<(usize, T)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    // A thread that died must not make a rate look better.
    assert_eq!(all.len(), count, "a thread ended early");
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, made)| made).collect()
}

/// Counts the draws of which something is true.
pub(crate) fn rate(count: usize, draw: impl Fn(usize) -> bool + Sync) -> Rate {
    let hits = draws(count, draw).into_iter().filter(|hit| *hit).count();
    Rate { hits, of: count }
}

/// How many of how many.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) hits: usize,
    pub(crate) of: usize,
}

impl Rate {
    pub(crate) fn percent(self) -> f64 {
        100.0 * self.hits as f64 / (self.of.max(1)) as f64
    }

    /// Returns the upper end of the 95 % interval, in percent.
    ///
    /// *Source*: Clopper and Pearson, by halving.
    pub(crate) fn upper(self) -> f64 {
        let (mut low, mut high) = (self.hits as f64 / self.of.max(1) as f64, 1.0);
        for _ in 0..60 {
            let p = f64::midpoint(low, high);
            if self.at_most(p) > 0.025 {
                low = p;
            } else {
                high = p;
            }
        }
        100.0 * high
    }

    /// How likely this many hits or fewer are.
    fn at_most(self, p: f64) -> f64 {
        let n = self.of as f64;
        let mut log = n * (-p).ln_1p();
        let mut sum = log.exp();
        for hit in 1..=self.hits {
            let k = hit as f64;
            log += ((n - k + 1.0) / k).ln() + p.ln() - (-p).ln_1p();
            sum += log.exp();
        }
        sum
    }
}

/// Returns the looks of a unit.
pub(crate) fn schedule(kind: UnitKind) -> &'static Schedule {
    match kind {
        UnitKind::Run => &RUNS,
        UnitKind::Session => &SESSIONS,
    }
}

/// Says what one metric of fifty is called when it is looked at once, with all its units.
///
/// Its p is the smallest of the fifty: the hardest case for key 1.
pub(crate) fn once(question: &Question, way: Way) -> Word {
    word_at(question, &FIXED, 1, way)
}

/// Says what one metric of fifty is called, compared against each of two baselines.
pub(crate) fn half(question: &Question) -> Word {
    let Some(found) = question.estimate() else { return Word::Inconclusive };
    let level = look(&FIXED, 1, 1, METRICS).map_or(0.0, |look| look.level / 2.0);
    found.word_by(Keys::RULE, found.p <= level, question.tol)
}

fn word_at(question: &Question, schedule: &Schedule, units: u32, way: Way) -> Word {
    let found = way.ask(question);
    let level = look(schedule, units, 1, METRICS).map_or(0.0, |look| look.level);
    let loose = Keys { red: 0.05, ..Keys::RULE };
    found.map_or(Word::Inconclusive, |found| match way {
        Way::Loose => found.word_by(loose, found.p <= level, question.tol),
        _ => found.word(found.p <= level, question.tol),
    })
}

/// Plays the looks for one metric of fifty, the others being undecided and larger in p.
pub(crate) fn looks(question: &Question, schedule: &Schedule, way: Way) -> (Word, u32) {
    let mut seen = question.clone();
    for units in schedule.looks {
        seen.new = match question.unit() {
            UnitKind::Run => {
                vec![question.new.concat().into_iter().take(*units as usize).collect()]
            }
            UnitKind::Session => question.new.iter().take(*units as usize).cloned().collect(),
        };
        let word = word_at(&seen, schedule, *units, way);
        if word != Word::Inconclusive {
            return (word, *units);
        }
    }
    (Word::Inconclusive, schedule.looks.last().copied().unwrap_or_default())
}
