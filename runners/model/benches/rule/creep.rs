//! A machine that gets a little worse between one accept and the next.
//!
//! Each step brings ten new units, is compared with the newest baseline and with the anchor, each at half
//! the level, and is accepted where it is not red.

use verify_model::statistics::{UnitKind, Word, both};

use crate::{
    goal::NOWHERE,
    play::{Effort, Rate, Way, draws, half},
    random::Random,
    scenario::Truth,
    table::Goal,
};

/// Units of the anchor, and of each step.
const UNITS: usize = 10;
/// Units of the newest baseline.
const CURRENT: usize = 60;
/// Steps of a chain.
const STEPS: u32 = 12;

/// Returns the step at which a chain is first red or green.
fn first_alarm(kind: UnitKind, tau: f64, creep: f64, draw: usize) -> Option<u32> {
    let mut random = Random::of(1_000, draw);
    let truth = Truth::plain(kind, tau, Way::Wrong, &mut random);
    let units = |at: f64, random: &mut Random| -> Vec<Vec<f64>> {
        // Each run is a list of its own, so that the latest can be kept.
        match kind {
            UnitKind::Run => {
                truth.side(kind, UNITS, at, random).concat().into_iter().map(|y| vec![y]).collect()
            }
            UnitKind::Session => truth.side(kind, UNITS, at, random),
        }
    };
    let joined = |units: &[Vec<f64>]| match kind {
        UnitKind::Run => vec![units.concat()],
        UnitKind::Session => units.to_vec(),
    };
    let anchor = units(0.0, &mut random);
    let mut current = anchor.clone();
    for step in 1..=STEPS {
        let new = units(f64::from(step) * creep.ln_1p(), &mut random);
        let against = |old: &[Vec<f64>]| half(&truth.asked(joined(old), joined(&new)));
        let word = both(against(&current), against(&anchor));
        if matches!(word, Word::Regressed | Word::Improved) {
            return Some(step);
        }
        current.extend(new);
        current.drain(..current.len().saturating_sub(CURRENT));
    }
    None
}

/// S10: a creep is found early, and where nothing creeps nothing is found.
pub(crate) fn goals(effort: Effort, kind: UnitKind, unit: &'static str) -> Vec<Goal> {
    let tau = 0.005;
    let mut steps = draws(effort.chains, |draw| first_alarm(kind, tau, 0.005, draw));
    steps.sort_by_key(|step| step.unwrap_or(u32::MAX));
    let found = Rate { hits: steps.iter().flatten().count(), of: steps.len() };
    let median = steps.get(steps.len() / 2).copied().flatten();
    let lost =
        median.map_or(f64::INFINITY, |step| 100.0 * (1.005_f64.powi(step.cast_signed()) - 1.0));
    let null = draws(effort.chains, |draw| first_alarm(kind, tau, 0.0, draw));
    let alarms = null.iter().flatten().count();
    vec![
        Goal {
            id: "S10",
            unit,
            what: "a creep of 0.5 % a step is flagged before 3.5 % (median), tau 0.5 %".to_owned(),
            measured: format!(
                "step {}, {lost:.1} %, in {} of {} chains",
                median.map_or("-".to_owned(), |step| step.to_string()),
                found.hits,
                found.of
            ),
            beside: NOWHERE,
            met: lost < 3.5,
        },
        Goal {
            id: "S10",
            unit,
            what: format!("no alarm in chains of {STEPS} steps without creep"),
            measured: format!("{alarms} of {} chains", null.len()),
            beside: NOWHERE,
            met: alarms == 0,
        },
    ]
}
