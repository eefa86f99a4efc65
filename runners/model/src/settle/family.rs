//! Decides all comparisons of a run together: the more are made, the surer each must be.
//!
//! Adjusted p over the whole family is the first key, a bound beyond the tolerance the second. In a run
//! until decided the looks are played in their order, whatever was measured after a decision. What was
//! said of a comparison before is taken back first, so deciding twice is deciding once.

use crate::{
    comparison::{AtFirst, Comparison, Count, Sides, Standing},
    quantity::Quantity,
    statistics::{
        Estimate, FWER, Guard, Question, RUNS, SESSIONS, Schedule, UnitKind, Word, adjusted, first,
    },
    verdict::Verdict,
};

/// Says at how many units it is looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Looks {
    /// Once, at as many as the plan says.
    #[default]
    Once,
    /// At the numbers of the schedules, until everything is decided.
    UntilDecided,
}

/// Holds what one look at one comparison found.
struct Seen {
    current: Estimate,
    anchor: Option<Estimate>,
}

impl Seen {
    fn of(sides: &Sides, units: Option<usize>) -> Option<Self> {
        let cut = |question: &Question| match units {
            // What counts as one is the current side's to say: both see the same runs.
            Some(units) => first(&sides.current, units).new,
            None => question.new.clone(),
        };
        let ask =
            |question: &Question| Question { new: cut(question), ..question.clone() }.estimate();
        let anchor = match &sides.anchor {
            Some(anchor) => Some(ask(anchor)?),
            None => None,
        };
        Some(Self { current: ask(&sides.current)?, anchor })
    }

    /// Returns the p of one side; where both are compared, each has half the level. Without an anchor
    /// the current side stands for it.
    fn p(&self, anchor: bool) -> f64 {
        let own =
            if anchor { self.anchor.as_ref().or(Some(&self.current)) } else { Some(&self.current) };
        let share = if self.anchor.is_some() { 2.0 } else { 1.0 };
        own.map_or(1.0, |estimate| (estimate.p * share).min(1.0))
    }
}

/// Decides every comparison of some verdicts.
pub(super) fn decide(verdicts: &mut [Verdict], looks: Looks) {
    let mut members: Vec<&mut Comparison> =
        verdicts.iter_mut().flat_map(|verdict| verdict.comparisons.iter_mut()).collect();
    for member in &mut members {
        member.standing = Standing::Inconclusive;
        member.look = None;
    }
    let whole = members.len();
    match looks {
        Looks::Once => {
            let (all, mut known) = (vec![true; whole], vec![Known::default(); whole]);
            let once = Look { units: None, level: FWER, spend: 1.0, whole };
            look(&mut members, &all, &mut known, once);
        }
        Looks::UntilDecided => {
            let (sessions, runs): (Vec<_>, Vec<_>) =
                members.into_iter().partition(|member| is_by_session(member));
            for (mut family, schedule) in [(sessions, &SESSIONS), (runs, &RUNS)] {
                play(&mut family, schedule, whole);
            }
        }
    }
}

fn is_by_session(comparison: &Comparison) -> bool {
    comparison.sides.as_ref().is_some_and(|sides| sides.current.unit() == UnitKind::Session)
}

/// Says what one look is like.
#[derive(Clone, Copy)]
struct Look {
    /// Units that are looked at; all of them unless given.
    units: Option<usize>,
    /// Level for adjusted p.
    level: f64,
    /// The largest share of a level that any look of the schedule has.
    spend: f64,
    /// Number of comparisons of the run.
    whole: usize,
}

/// Plays the looks of a schedule over a family.
///
/// Who has not the units of a look takes no part in it and keeps nobody waiting; who never had those of
/// the first is looked at once more, with nothing to spend: it can be the same, and never worse.
fn play(family: &mut [&mut Comparison], schedule: &Schedule, whole: usize) {
    let share = real(family.len()) / real(whole.max(1));
    let spend = schedule.largest_spend();
    let mut p: Vec<Known> = vec![Known::default(); family.len()];
    for (at, (units, part)) in schedule.looks.iter().zip(schedule.spend).enumerate() {
        let units = *units as usize;
        let takes_part: Vec<bool> = family
            .iter()
            .zip(&p)
            .map(|(member, known)| {
                let sides = member.sides.as_ref();
                !known.decided && sides.is_some_and(|sides| has(&sides.current, units))
            })
            .collect();
        let level = FWER * part * share;
        look(family, &takes_part, &mut p, Look { units: Some(units), level, spend, whole });
        for ((member, known), took) in family.iter_mut().zip(&mut p).zip(takes_part) {
            if took {
                member.look = Some((at + 1, schedule.looks.len()));
                known.decided = !member.is_open();
            }
        }
    }
    let never: Vec<bool> = family.iter().map(|member| member.look.is_none()).collect();
    look(family, &never, &mut p, Look { units: None, level: 0.0, spend, whole });
}

/// Holds what is known of a member of a family so far.
#[derive(Clone, Copy)]
struct Known {
    current: f64,
    anchor: f64,
    decided: bool,
}

impl Default for Known {
    fn default() -> Self {
        Self { current: 1.0, anchor: 1.0, decided: false }
    }
}

/// Tells whether the new side has so many units.
fn has(question: &Question, units: usize) -> bool {
    match question.unit() {
        UnitKind::Session => question.new.len() >= units,
        UnitKind::Run => question.new.iter().map(Vec::len).sum::<usize>() >= units,
    }
}

/// Looks once at those who take part; the others keep their p, and stay in the family.
fn look(family: &mut [&mut Comparison], takes_part: &[bool], known: &mut [Known], look: Look) {
    let seen: Vec<Option<Seen>> = family
        .iter()
        .zip(takes_part)
        .map(|(member, takes)| Seen::of(member.sides.as_deref().filter(|_| *takes)?, look.units))
        .collect();
    for (known, seen) in known.iter_mut().zip(&seen) {
        if let Some(seen) = seen {
            *known = Known { current: seen.p(false), anchor: seen.p(true), ..*known };
        }
    }
    let current = adjusted(&known.iter().map(|known| known.current).collect::<Vec<_>>());
    let anchor = adjusted(&known.iter().map(|known| known.anchor).collect::<Vec<_>>());
    for (at, member) in family.iter_mut().enumerate() {
        let Some(seen) = &seen[at] else { continue };
        let adjusted = Adjusted { current: current[at], anchor: anchor[at] };
        write(member, seen, &adjusted, look);
    }
}

struct Adjusted {
    current: f64,
    anchor: f64,
}

/// Writes the numbers and the word of one comparison.
fn write(member: &mut Comparison, seen: &Seen, p: &Adjusted, look: Look) {
    let Some(sides) = member.sides.as_deref() else { return };
    let tol = sides.current.tol;
    let estimate = &seen.current;
    // On a first look the noise between sessions is a row of a table: only what no noise explains is
    // red.
    let stands = |side: &Estimate, adjusted: f64| {
        let known = sides.learned || !side.provisional || side.est >= sides.disaster;
        standing(side.word(adjusted <= look.level, tol), known)
    };
    let own = stands(estimate, p.current);
    let first = seen.anchor.as_ref().map(|anchor| stands(anchor, p.anchor));
    let standing = match (own, first) {
        (Standing::Regressed, _) | (_, Some(Standing::Regressed)) => Standing::Regressed,
        (Standing::Possible, _) | (_, Some(Standing::Possible)) => Standing::Possible,
        (own, _) => own,
    };
    let share = if seen.anchor.is_some() { 2.0 } else { 1.0 };
    let alpha = FWER * look.spend / real(look.whole.max(1)) / share;
    let change = |shift: f64| sides.transform.change(shift).clamp(-f64::MAX, f64::MAX);
    let (low, high) = estimate.interval();
    let ends = [change(low), change(high)];
    let detectable = Some(estimate.detectable(alpha, tol)).filter(|shift| shift.is_finite());
    let goal = sides.goal.map(|goal| change(goal).abs());
    let needed = match sides.goal {
        Some(goal) => estimate.needed(alpha, tol, goal),
        None => to_decide(estimate, alpha, tol),
    };
    let unit = member.now.map(Quantity::unit);
    let centre = |y: f64| Quantity::new(sides.transform.value(y), unit?).ok();
    let (then, now) = (centre(estimate.mean_b), centre(estimate.mean_n));
    *member = Comparison {
        standing,
        then: then.or(member.then),
        now: now.or(member.now),
        at_first: seen.anchor.as_ref().zip(first).map(|(anchor, standing)| {
            let (low, high) = anchor.interval();
            let ends = [change(low), change(high)];
            AtFirst {
                standing,
                then: centre(anchor.mean_b),
                change: change(anchor.est),
                low: ends[0].min(ends[1]),
                high: ends[0].max(ends[1]),
                adjusted: p.anchor,
            }
        }),
        change: change(estimate.est),
        low: ends[0].min(ends[1]),
        high: ends[0].max(ends[1]),
        adjusted: p.current,
        level: look.level,
        by_session: estimate.unit == UnitKind::Session,
        baseline: Count { sessions: estimate.sessions_b, runs: estimate.runs_b },
        new: Count { sessions: estimate.sessions_n, runs: estimate.runs_n },
        provisional: estimate.provisional,
        detectable: detectable.map(|shift| change(shift).abs()),
        goal,
        needed,
        drifts: estimate.guard == Guard::Fired,
        ..std::mem::take(member)
    };
}

fn standing(word: Word, known: bool) -> Standing {
    match word {
        Word::Regressed if known => Standing::Regressed,
        Word::Regressed => Standing::Possible,
        Word::Improved => Standing::Improved,
        Word::Same => Standing::Same,
        Word::Inconclusive => Standing::Inconclusive,
    }
}

/// Returns how many more units would find a change of twice the tolerance, where nobody named a goal.
fn to_decide(estimate: &Estimate, alpha: f64, tol: f64) -> Option<u32> {
    estimate.needed(alpha, tol, 2.0 * tol)
}

fn real(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "nobody compares 2^53 metrics")]
    let real = count as f64;
    real
}
