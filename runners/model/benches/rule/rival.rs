//! What other tools would say of the same runs.
//!
//! Each run holds twenty repetitions that scatter twice as far as runs do, around the run's value. The
//! others pool them; the rule sees one value a run. Ten old runs against ten new ones.
//!
//! *Source*: criterion 0.5, analysis/compare.rs: bootstrapped t of pooled samples, p < 0.05, interval of
//! the change beyond 1 %; fewer resamples here.

use verify_model::statistics::{RUNS, UnitKind, Word};

use crate::{
    play::{Effort, Way, draws, looks, once},
    random::Random,
    scenario::{self, SCENARIOS, Scenario, Truth},
    table::{head, percent, row},
};

/// Repetitions of a run.
const REPETITIONS: usize = 20;
/// How much further repetitions scatter than runs.
const WITHIN: f64 = 2.0;
/// Resamples of a bootstrap.
const RESAMPLES: usize = 200;
/// Runs of each side.
const SIDE: usize = 10;

/// What each method says: -1 better, 0 nothing, 1 worse.
const METHODS: [&str; 5] = [
    "rule, 10 v 10",
    "rule, looks, N_b 30",
    "fixed 5 %",
    "criterion, pooled",
    "Mann-Whitney, pooled",
];

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// Returns the values of all repetitions; those of one run have its value as their mean.
fn pooled(truth: &Truth, runs: &[f64], random: &mut Random) -> Vec<f64> {
    let mut all = Vec::with_capacity(runs.len() * REPETITIONS);
    for run in runs {
        let noise: Vec<f64> = (0..REPETITIONS).map(|_| random.normal()).collect();
        let centre = mean(&noise);
        all.extend(noise.iter().map(|n| (run + WITHIN * truth.run * (n - centre)).exp()));
    }
    all
}

fn fixed(old: &[f64], new: &[f64]) -> i8 {
    let change = mean(new) / mean(old) - 1.0;
    i8::from(change > 0.05) - i8::from(change < -0.05)
}

fn t(old: &[f64], new: &[f64]) -> f64 {
    let square = variance(old) / old.len() as f64 + variance(new) / new.len() as f64;
    (mean(new) - mean(old)) / square.sqrt()
}

fn criterion(old: &[f64], new: &[f64], random: &mut Random) -> i8 {
    let all = [old, new].concat();
    let seen = t(old, new).abs();
    let again = |from: &[f64], count: usize, random: &mut Random| -> Vec<f64> {
        (0..count).map(|_| from[random.below(from.len())]).collect()
    };
    let mut beyond = 0;
    let mut changes = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let (a, b) = (again(&all, old.len(), random), again(&all, new.len(), random));
        beyond += usize::from(t(&a, &b).abs() >= seen);
        let (a, b) = (again(old, old.len(), random), again(new, new.len(), random));
        changes.push(mean(&b) / mean(&a) - 1.0);
    }
    if beyond as f64 / RESAMPLES as f64 >= 0.05 {
        return 0;
    }
    changes.sort_by(f64::total_cmp);
    let (low, high) = (changes[RESAMPLES / 40], changes[RESAMPLES - 1 - RESAMPLES / 40]);
    i8::from(low > 0.01) - i8::from(high < -0.01)
}

/// Normal approximation, with the correction for ties.
fn mann_whitney(old: &[f64], new: &[f64]) -> i8 {
    let mut all: Vec<(f64, bool)> = old.iter().map(|v| (*v, false)).collect();
    all.extend(new.iter().map(|v| (*v, true)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut before) = (0.0, 0.0, 0.0);
    for group in all.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let size = group.len() as f64;
        let rank = before + f64::midpoint(size, 1.0);
        ranks += rank * group.iter().filter(|v| v.1).count() as f64;
        ties += size.powi(3) - size;
        before += size;
    }
    let (n, m) = (new.len() as f64, old.len() as f64);
    let total = n + m;
    let u = ranks - n * (n + 1.0) / 2.0 - n * m / 2.0;
    let square = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let z = u / square.sqrt();
    i8::from(z > 1.96) - i8::from(z < -1.96)
}

fn sign(word: Word) -> i8 {
    i8::from(word == Word::Regressed) - i8::from(word == Word::Improved)
}

/// Draws one metric and asks every method; the last number is the runs that the looks took.
fn ask(scenario: &Scenario, shift: f64, random: &mut Random) -> ([i8; 5], u32) {
    let truth = scenario.truth(UnitKind::Run, random);
    let question = truth.question(UnitKind::Run, (SIDE, SIDE), shift, random);
    let long = truth.question(UnitKind::Run, (30, 20), shift, random);
    let (word, runs) = looks(&long, &RUNS, Way::Wrong);
    let old = pooled(&truth, &question.baseline.concat(), random);
    let new = pooled(&truth, &question.new.concat(), random);
    let said = [
        sign(once(&question, Way::Wrong)),
        sign(word),
        fixed(&old, &new),
        criterion(&old, &new, random),
        mann_whitney(&old, &new),
    ];
    (said, runs)
}

/// Prints how many suites alarm though nothing changed.
pub(crate) fn suites(effort: Effort) {
    let made = draws(effort.costly / 2, |draw| {
        let mut random = Random::of(800, draw);
        let mut alarmed = [false; 5];
        for scenario in scenario::suite() {
            let (said, _) = ask(scenario, 0.0, &mut random);
            alarmed.iter_mut().zip(said).for_each(|(alarmed, said)| *alarmed |= said != 0);
        }
        alarmed
    });
    let title = format!("Suites of 50 unchanged metrics with any alarm, of {}", made.len());
    head(&title, &METHODS);
    let cells = (0..METHODS.len()).map(|at| {
        let hits = made.iter().filter(|alarmed| alarmed[at]).count();
        percent(100.0 * hits as f64 / made.len() as f64)
    });
    row(&cells.collect::<Vec<_>>());
}

/// Prints, for each kind of metric, what each method finds.
pub(crate) fn scenarios(effort: Effort) {
    let title = "One metric of 50: called changed (A/A), and called worse when it is";
    head(title, &["metric", "method", "A/A", "2 %", "3 %", "5 %", "10 %", "runs at 5 %"]);
    for (place, scenario) in SCENARIOS.iter().enumerate() {
        let columns: Vec<Vec<([i8; 5], u32)>> = [0.0, 2.0, 3.0, 5.0, 10.0]
            .into_iter()
            .map(|change: f64| {
                draws(effort.costly, |draw| {
                    let mut random = Random::of(700 + place as u64, draw);
                    ask(scenario, (change / 100.0).ln_1p(), &mut random)
                })
            })
            .collect();
        for (at, method) in METHODS.iter().enumerate() {
            let mut cells = vec![scenario.name.to_owned(), (*method).to_owned()];
            for (column, made) in columns.iter().enumerate() {
                let hit = |said: i8| if column == 0 { said != 0 } else { said > 0 };
                let hits = made.iter().filter(|(said, _)| hit(said[at])).count();
                cells.push(percent(100.0 * hits as f64 / made.len() as f64));
            }
            let runs: u32 = columns[3].iter().map(|(_, runs)| runs).sum();
            let looked = f64::from(runs) / columns[3].len() as f64;
            cells.push(if at == 1 { format!("{looked:.1}") } else { SIDE.to_string() });
            row(&cells);
        }
    }
}
