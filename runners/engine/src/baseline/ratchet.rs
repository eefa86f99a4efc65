//! Whether new units are worse than a baseline by more than is tolerated: then somebody must say so.
//!
//! A machine that loses half a percent a month is never worse than its last baseline, and an accept a
//! month would make it normal. So what is accepted is compared with the anchor, by the rule that
//! judges. Without a tolerance nothing is compared.
//!
//! *Source*: `runners/model/STATISTICS.md`; its specification, section 9.

use verify_model::{
    baseline::Baseline,
    check::Expectation,
    comparison::question,
    fingerprint::Depends,
    matcher::Matcher,
    metric::Direction,
    quantity::{Quantity, display_number},
    statistics::{FWER, Word},
    unit::Dimension,
    verdict::CheckKey,
};

use super::{
    compared::same_rulers,
    ledger::History,
    session::past,
    summary::{Centre, centre},
    unit::Unit,
};

/// Says why a field needs somebody to say that it is the new normal.
pub(super) fn worse(
    history: &History<'_>,
    new: &[&Unit],
    demand: &Expectation,
    depends: &[Depends],
) -> Option<String> {
    let field = demand.field.as_str();
    let tolerance = demand.matchers.iter().find_map(|matcher| match matcher {
        Matcher::Within(tolerance) => Some(*tolerance),
        _ => None,
    })?;
    let (_, direction) = new.first()?.metric_of(field)?;
    // The spread is worse where it grew, whatever its metric.
    let spread = field.ends_with(".spread").then_some(Direction::LowerIsBetter);
    let direction = spread.or(direction).unwrap_or(Direction::Neutral);
    let newest = new.last()?;
    let sides = [
        ("its baseline at first", &history.anchor, false),
        ("its baseline", &history.current, true),
    ];
    sides.into_iter().find_map(|(what, old, by_rule)| {
        let old = &same_rulers(old, newest, depends);
        let (then, now) = (centre(old, field)?, centre(new, field)?);
        let baseline = Baseline {
            current: past(old, field, then.centre.unit()),
            earlier: past(new, field, then.centre.unit()),
            ..Baseline::new(CheckKey::new("", ""), field, then.centre)
        };
        let asked = question(demand, direction, &baseline, tolerance);
        let found = asked.and_then(|(question, transform)| {
            let estimate = question.estimate()?;
            let is_worse = if by_rule {
                estimate.word(estimate.p <= FWER, question.tol) == Word::Regressed
            } else {
                estimate.est > question.tol
            };
            Some((is_worse, transform.change(estimate.est).abs()))
        });
        let size = match found {
            Some((is_worse, size)) => is_worse.then_some(size),
            None => loss(&then, &now, direction, tolerance),
        }?;
        let by = shown(size, tolerance, then.centre);
        Some(format!(
            "it is {by}worse than {what}, {} ({} unit{}): {} now, {tolerance} tolerated; if this is the new normal, name the check in --rebase-anchor",
            then.centre,
            then.units,
            if then.units == 1 { "" } else { "s" },
            now.centre,
        ))
    })
}

/// Writes a size of a change, with a space behind it: a share in percent, or in the unit of the
/// baseline. Of what was zero nobody says how much more it is.
fn shown(size: f64, tolerance: Quantity, centre: Quantity) -> String {
    if !size.is_finite() {
        return String::new();
    }
    if tolerance.dimension() == Dimension::Ratio {
        return format!("{} % ", display_number((size * 1000.0).round() / 10.0));
    }
    Quantity::new(size, centre.unit()).map_or_else(|_| String::new(), |size| format!("{size} "))
}

/// Compares centres where the rule has no place for a value; of what has no better way, any change is a
/// loss, and what was zero is worse by no share of it.
fn loss(then: &Centre, now: &Centre, direction: Direction, tolerance: Quantity) -> Option<f64> {
    let (old, new) = (then.centre.base(), now.centre.base());
    let worse = match direction {
        Direction::HigherIsBetter => old - new,
        Direction::LowerIsBetter => new - old,
        Direction::Neutral => (new - old).abs(),
    };
    let is_share = tolerance.dimension() == Dimension::Ratio;
    let loss = if is_share { worse / old.abs() } else { worse };
    (worse > 0.0 && (old == 0.0 || loss > tolerance.difference())).then_some(loss)
}
