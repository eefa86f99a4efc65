//! How many new units a change of 5 % needs, beside what would do if the scatter were known.
//!
//! The oracle knows tau and needs a shift of 5.365 tau sqrt(1/old + 1/new). Where the specification prints
//! its own simulated oracle, that one is the yardstick: it needs a unit or two more.

use verify_model::statistics::UnitKind;

use crate::{
    goal::found,
    play::{Effort, Way},
    table::{Goal, head, row},
};

/// More new units are not tried.
const MOST: usize = 60;

/// Old units, tau in percent, and the oracle of the specification, where it prints one.
const POINTS: [(usize, f64, Option<usize>); 9] = [
    (10, 1.0, Some(2)),
    (10, 1.5, Some(5)),
    (10, 2.0, Some(12)),
    (30, 0.75, None),
    (30, 1.0, Some(2)),
    (30, 1.5, Some(4)),
    (30, 2.0, Some(7)),
    (30, 2.5, None),
    (30, 3.0, Some(20)),
];

/// Returns the units that would do if tau were known.
fn oracle(old: usize, tau: f64) -> Option<usize> {
    let reach = 1.05_f64.ln() / ((3.72 + 1.645) * tau / 100.0);
    let left = reach * reach - 1.0 / old as f64;
    (1..=MOST).find(|new| 1.0 / (*new as f64) <= left)
}

/// Returns the fewest units that find 5 % in 95 of 100 cases.
fn needed(effort: Effort, kind: UnitKind, old: usize, tau: f64, way: Way) -> Option<usize> {
    let does = |new: usize| found(effort.metrics / 2, kind, (old, new), tau, way).percent() >= 95.0;
    if !does(MOST) {
        return None;
    }
    let (mut fails, mut meets) = (2, MOST);
    while meets - fails > 1 {
        let middle = usize::midpoint(fails, meets);
        if does(middle) {
            meets = middle;
        } else {
            fails = middle;
        }
    }
    Some(meets)
}

/// S3: units beside the oracle's, with thirty old ones.
pub(crate) fn goals(effort: Effort, kind: UnitKind, unit: &'static str) -> Vec<Goal> {
    let wanted = POINTS.iter().filter(|(old, ..)| *old == 30);
    let goal = |(old, tau, printed): &(usize, f64, Option<usize>)| {
        let best = printed.or_else(|| oracle(*old, *tau));
        let [used, unguarded, loose, wrong] =
            Way::ALL.map(|way| needed(effort, kind, *old, *tau, way));
        let met = match (used, best) {
            (Some(units), Some(best)) => {
                units as f64 <= 1.5 * best as f64 || (units <= 4 && best <= 4)
            }
            _ => false,
        };
        Goal {
            id: "S3",
            unit,
            what: format!("units for 5 % at tau {tau} %, N_b 30: <= 1.5 x oracle, or both <= 4"),
            measured: format!("{} / {}", shown(used), shown(best)),
            beside: [unguarded, loose, wrong].map(shown),
            met,
        }
    };
    wanted.map(goal).collect()
}

fn shown(units: Option<usize>) -> String {
    units.map_or("> 60".to_owned(), |units| units.to_string())
}

/// Prints the units needed with ten old ones, for which there is no goal.
pub(crate) fn units(effort: Effort) {
    let title = "New units that find 5 % in 95 of 100 cases (looked at once, one metric of 50)";
    head(
        title,
        &[
            "N_b",
            "tau",
            "oracle",
            "rule",
            "no drift guard",
            "no guard, key 2 at 5 %",
            "prior wrong",
        ],
    );
    for (old, tau, printed) in POINTS.into_iter().filter(|(old, ..)| *old == 10) {
        let mut cells = vec![old.to_string(), format!("{tau} %")];
        cells.push(shown(printed.or_else(|| oracle(old, tau))));
        let run = UnitKind::Run;
        cells.extend(Way::ALL.map(|way| shown(needed(effort, run, old, tau, way))));
        row(&cells);
    }
}
