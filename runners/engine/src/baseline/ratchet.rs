//! Whether new units are worse than a baseline by more than is tolerated: then somebody must say so.
//!
//! A machine that loses half a percent a month is never worse than its last baseline, and an accept a
//! month would make it normal. So what is accepted is compared with the anchor, by the rule that
//! judges. Without a tolerance nothing is compared. The class of a metric is not known here: that of
//! what nobody knows is used, which sees less.
//!
//! *Source*: `statistics.md`, section 9.

use verify_model::{
    metric::Direction,
    quantity::display_number,
    statistics::{Estimate, FWER, Question, Scale, Transform, Word, class, floor},
};

use super::{ledger::History, proposal::Demand, summary::centre, unit::Unit};

/// Class of what nobody knows.
const CLASS: &str = "unknown";

/// Says why a field needs somebody to say that it is the new normal.
pub(super) fn worse(history: &History<'_>, new: &[&Unit], demand: &Demand) -> Option<String> {
    let field = demand.field.as_str();
    let (_, direction) = new.first()?.metric_of(field)?;
    let sides = [
        ("its baseline at first", &history.anchor, false),
        ("its baseline", &history.current, true),
    ];
    sides.into_iter().find_map(|(what, old, by_rule)| {
        let then = centre(old, field)?;
        let now = centre(new, field)?;
        let loss = match estimate(old, new, demand, direction) {
            Some(found) if by_rule => {
                let word = found.word(found.p <= FWER, Transform::ratio(demand.tolerance));
                (word == Word::Regressed).then(|| share(found.est, direction))
            }
            Some(found) => of(found.est, direction, demand.tolerance),
            None => median_loss(then.centre.base(), now.centre.base(), direction, demand.tolerance),
        }?;
        let by = if loss.is_finite() {
            format!("{} % ", display_number((loss * 1000.0).round() / 10.0))
        } else {
            String::new()
        };
        Some(format!(
            "it is {by}worse than {what}, {} ({} unit{}): {} now, {} % tolerated; if this is the new normal, name the check in --rebase-anchor",
            then.centre,
            then.units,
            if then.units == 1 { "" } else { "s" },
            now.centre,
            display_number(demand.tolerance * 100.0),
        ))
    })
}

/// Returns the loss as a share where it is more than is tolerated; of what has no better way, any
/// change is one.
fn of(est: f64, direction: Option<Direction>, tolerance: f64) -> Option<f64> {
    let is_neutral = matches!(direction, None | Some(Direction::Neutral));
    let est = if is_neutral { est.abs() } else { est };
    (est > Transform::ratio(tolerance)).then(|| share(est, direction))
}

/// Returns a loss of y as people say it: half the rate is 50 % less.
fn share(est: f64, direction: Option<Direction>) -> f64 {
    match direction {
        Some(Direction::HigherIsBetter) => -(-est).exp_m1(),
        _ => est.exp_m1(),
    }
}

/// Compares by the rule; `None` where a value has no logarithm.
fn estimate(
    old: &[&Unit],
    new: &[&Unit],
    demand: &Demand,
    direction: Option<Direction>,
) -> Option<Estimate> {
    let direction = match direction {
        None | Some(Direction::Neutral) => Direction::LowerIsBetter,
        Some(direction) => direction,
    };
    let transform = Transform::of(direction, Scale::Log)?;
    let question = Question {
        baseline: sessions(old, &demand.field, transform)?,
        new: sessions(new, &demand.field, transform)?,
        prior: class(CLASS)?.prior,
        floor: floor(None, 1.0, Scale::Log),
        tol: transform.tol(demand.tolerance),
        interleaved: false,
    };
    question.estimate()
}

/// Groups y by session, in the order of time; where the boot is not known, a run is one.
fn sessions(units: &[&Unit], field: &str, transform: Transform) -> Option<Vec<Vec<f64>>> {
    let mut sessions: Vec<(&str, Vec<f64>)> = Vec::new();
    for unit in units {
        let Some(value) = unit.value(field) else { continue };
        let y = transform.y(value.base())?;
        let session = session_of(unit);
        match sessions.iter_mut().find(|(known, _)| *known == session) {
            Some((_, values)) => values.push(y),
            None => sessions.push((session, vec![y])),
        }
    }
    Some(sessions.into_iter().map(|(_, values)| values).collect())
}

/// Names the session of a unit: its boot, or its run where that is not known.
pub fn session_of(unit: &Unit) -> &str {
    unit.boot.as_deref().unwrap_or(&unit.run)
}

/// Compares medians where a value has no logarithm; what was zero is worse by no share of it.
fn median_loss(old: f64, new: f64, direction: Option<Direction>, tolerance: f64) -> Option<f64> {
    let worse = match direction {
        Some(Direction::HigherIsBetter) => old - new,
        Some(Direction::LowerIsBetter) => new - old,
        None | Some(Direction::Neutral) => (new - old).abs(),
    };
    let loss = worse / old.abs();
    (worse > 0.0 && (old == 0.0 || loss > tolerance)).then_some(loss)
}
