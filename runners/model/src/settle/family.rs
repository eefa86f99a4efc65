//! Decides all comparisons of a run together: the more are made, the surer each must be.
//!
//! Adjusted p over the whole family is the first key, a bound beyond the tolerance the second. In a run
//! until decided the looks are played in their order, whatever was measured after a decision. What was
//! said of a comparison before is taken back first, so deciding twice is deciding once.

use crate::{
    comparison::{Comparison, Count, Sides, Standing},
    quantity::Quantity,
    statistics::{
        Estimate, FWER, Guard, Question, RUNS, SESSIONS, Schedule, UnitKind, Word, adjusted, both,
        first,
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
        let ask = |question: &Question| match units {
            Some(units) => first(question, units).estimate(),
            None => question.estimate(),
        };
        let anchor = match &sides.anchor {
            Some(anchor) => Some(ask(anchor)?),
            None => None,
        };
        Some(Self { current: ask(&sides.current)?, anchor })
    }

    /// Returns the p of one side; where both are compared, each has half the level.
    fn p(&self, anchor: bool) -> f64 {
        let own = if anchor { self.anchor.as_ref() } else { Some(&self.current) };
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
            look(&mut members, &[], Look { units: None, level: FWER, spend: 1.0, whole });
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
fn play(family: &mut [&mut Comparison], schedule: &Schedule, whole: usize) {
    let share = real(family.len()) / real(whole.max(1));
    let spend = schedule.largest_spend();
    let mut done: Vec<Option<(f64, f64)>> = vec![None; family.len()];
    for (at, (units, part)) in schedule.looks.iter().zip(schedule.spend).enumerate() {
        let units = *units as usize;
        // Each happens once, when all that is undecided has as many units.
        let ready = family.iter().zip(&done).all(|(member, done)| {
            done.is_some() || member.sides.as_ref().is_some_and(|sides| has(&sides.current, units))
        });
        if at > 0 && !ready {
            break;
        }
        let units = ready.then_some(units);
        look(family, &done, Look { units, level: FWER * part * share, spend, whole });
        for (member, done) in family.iter_mut().zip(&mut done) {
            if done.is_none() {
                member.look = ready.then_some((at + 1, schedule.looks.len()));
                let decided = member.standing != Standing::Inconclusive;
                let p = member.sides.as_ref().and_then(|sides| Seen::of(sides, units));
                *done = p.filter(|_| decided && ready).map(|seen| (seen.p(false), seen.p(true)));
            }
        }
        if done.iter().all(Option::is_some) || !ready {
            break;
        }
    }
}

/// Tells whether the new side has so many units.
fn has(question: &Question, units: usize) -> bool {
    match question.unit() {
        UnitKind::Session => question.new.len() >= units,
        UnitKind::Run => question.new.iter().map(Vec::len).sum::<usize>() >= units,
    }
}

/// Looks at a family once; what is done keeps its p and its word.
fn look(family: &mut [&mut Comparison], done: &[Option<(f64, f64)>], look: Look) {
    let is_done = |at: usize| done.get(at).copied().flatten();
    let seen: Vec<Option<Seen>> = family
        .iter()
        .enumerate()
        .map(|(at, member)| match (is_done(at), &member.sides) {
            (None, Some(sides)) => Seen::of(sides, look.units),
            _ => None,
        })
        .collect();
    let p = |at: usize, anchor: bool| match (is_done(at), &seen[at]) {
        (Some((current, first)), _) => {
            if anchor {
                first
            } else {
                current
            }
        }
        (None, Some(seen)) => seen.p(anchor),
        (None, None) => 1.0,
    };
    let side = |anchor: bool| -> Vec<f64> {
        adjusted(&(0..family.len()).map(|at| p(at, anchor)).collect::<Vec<_>>())
    };
    let (current, anchor) = (side(false), side(true));
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
    let own = estimate.word(p.current <= look.level, tol);
    let first = seen.anchor.as_ref().map(|anchor| anchor.word(p.anchor <= look.level, tol));
    let word = first.map_or(own, |first| both(own, first));
    let worst = seen.anchor.iter().map(|anchor| anchor.est).fold(estimate.est, f64::max);
    // On a first look the noise between sessions is a row of a table: only what no noise explains is
    // red.
    let known = sides.learned || !estimate.provisional || worst >= sides.disaster;
    let standing = standing(word, known);
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
        to_anchor: first.map(|first| self::standing(first, known)),
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
