//! When a metric changed for good: where, by how much, and how sure that is.
//!
//! Intervals of halving length lie over the values; in each, sums say where a change would lie, and the
//! rule of baselines says whether it is one, at a level shared by every place of every interval of every
//! metric that is looked at. Of what is found the shortest interval counts, then the next that does not
//! hold it; what is shown is computed anew between neighbours. Same values, same changes. Values that
//! are not comparable are never put side by side.
//!
//! *Source*: seeded binary segmentation, Kovács et al., Biometrika 110 (2023); narrowest over threshold,
//! Baranowski et al., JRSS B 81 (2019); `runners/model/STATISTICS.md` for the rule.

use std::{collections::BTreeSet, ops::Range};

use verify_model::{
    quantity::Quantity,
    statistics::{Estimate, FWER, Prior, Question, Scale, Transform, UnitKind, Word, class, floor},
};

use super::query::Point;

/// Fewest runs on each side of a change.
pub const SIDE: usize = 3;
/// Most values that are looked at, the newest.
pub const MOST: usize = 1000;
/// Fewest units on each side of what is more than a possible change.
const SURE: usize = 3;
/// How far from the middle a value counts when a place is looked for, in medians of that distance: six
/// standard deviations of normal scatter.
const CLIP: f64 = 9.0;
/// What is expected of a metric of which nobody says more.
const CLASS: &str = "unknown";
/// Runs of an unknown boot that are further apart are two sessions. *Units*: ms.
const APART_MS: i64 = 3_600_000;

/// Holds one change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Place of the first value after it.
    pub at: usize,
    /// The level before.
    pub before: Quantity,
    /// The level since.
    pub after: Quantity,
    /// By how much the level changed, as a share of it; below zero is less.
    pub change: f64,
    /// The interval of that, of 95 %.
    pub interval: (f64, f64),
    /// Whether it is worse now.
    pub worse: bool,
    /// Whether too few units or sessions say so to be sure.
    pub possible: bool,
    /// Runs before and since.
    pub runs: (usize, usize),
    /// Units before and since, of what kind.
    pub units: (usize, usize, UnitKind),
}

/// Says what the values of a metric show.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// Nothing was judged, and why.
    NotJudged(&'static str),
    /// It was looked for changes.
    Judged {
        /// What was found, oldest first.
        changes: Vec<Change>,
        /// Changes up to this are not looked for, as a share.
        tolerance: f64,
        /// Whether no suite says so, and the scatter of the class stands for it.
        assumed: bool,
        /// The least change in the middle of the newest values that would be found, as a share.
        detectable: Option<f64>,
    },
}

/// Holds comparable values on which it is computed.
struct Stretch<'p> {
    points: &'p [Point],
    /// Place of the first one.
    first: usize,
    transform: Transform,
    costs: Vec<f64>,
}

/// Counts the places at which values could have changed, over all intervals.
pub fn places(points: &[Point]) -> usize {
    stretches(points)
        .map(|stretch| intervals(stretch.len()).map(|one| inner(&one).len()).sum::<usize>())
        .sum()
}

/// Looks for changes; `places` is that of all metrics that are looked at together.
pub fn course(points: &[Point], places: usize) -> Course {
    let Some(newest) = points.last() else { return Course::NotJudged("no value") };
    let Some(transform) = Transform::of(newest.direction, Scale::Log) else {
        return Course::NotJudged("neither more nor less is better");
    };
    let Some(prior) = class(CLASS).map(|class| class.prior) else {
        return Course::NotJudged("no class");
    };
    let assumed = newest.tolerance.is_none();
    let tolerance = newest.tolerance.unwrap_or(prior.s_run);
    let rule = Rule { prior, tol: transform.tol(tolerance), level: FWER / positive(places) };
    let (mut changes, mut longest, mut detectable) = (Vec::new(), 0, None);
    for range in stretches(points) {
        let points = &points[range.clone()];
        let costs: Option<Vec<f64>> =
            points.iter().map(|point| transform.y(point.quantity.base())).collect();
        let Some(costs) = costs else { return Course::NotJudged("values of zero or below") };
        let stretch = Stretch { points, first: range.start, transform, costs };
        longest = longest.max(points.len());
        changes.extend(stretch.changes(&rule));
        detectable = stretch.detectable(&rule);
    }
    if longest < 2 * SIDE {
        return Course::NotJudged("fewer than six values of one kind");
    }
    Course::Judged { changes, tolerance, assumed, detectable }
}

/// What a difference is judged by.
struct Rule {
    prior: Prior,
    tol: f64,
    level: f64,
}

impl Rule {
    /// Tells whether a difference is real and matters, and which way it goes.
    fn finds(&self, estimate: &Estimate) -> bool {
        let word = estimate.word(estimate.p <= self.level, self.tol);
        matches!(word, Word::Regressed | Word::Improved)
    }
}

impl Stretch<'_> {
    fn changes(&self, rule: &Rule) -> Vec<Change> {
        let mut found: Vec<(Range<usize>, usize)> = intervals(self.points.len())
            .filter_map(|interval| {
                let at = self.pick(&interval)?;
                let estimate = self.compare(rule, interval.start..at, at..interval.end)?;
                rule.finds(&estimate).then_some((interval, at))
            })
            .collect();
        let mut splits: Vec<usize> = Vec::new();
        found.sort_by_key(|(interval, at)| (interval.len(), *at));
        while let Some((_, at)) = found.first().cloned() {
            splits.push(at);
            // What holds a known change in its inside says nothing of another one.
            found.retain(|(interval, _)| !inner(interval).contains(&at));
            found.retain(|(_, other)| *other != at);
        }
        splits.sort_unstable();
        self.between_neighbours(rule, splits)
    }

    /// Computes each change from all values up to the next one; what does not hold then goes.
    fn between_neighbours(&self, rule: &Rule, mut splits: Vec<usize>) -> Vec<Change> {
        loop {
            let end = |at: usize| splits.get(at + 1).copied().unwrap_or(self.points.len());
            let start =
                |at: usize| at.checked_sub(1).and_then(|at| splits.get(at).copied()).unwrap_or(0);
            let judged: Vec<Option<Estimate>> = splits
                .iter()
                .enumerate()
                .map(|(at, split)| self.compare(rule, start(at)..*split, *split..end(at)))
                .collect();
            let lost = judged.iter().enumerate().filter_map(|(at, estimate)| match estimate {
                Some(estimate) if rule.finds(estimate) => None,
                Some(estimate) => Some((at, estimate.p)),
                None => Some((at, 1.0)),
            });
            // The least sure first: without it another one may hold.
            let Some((lost, _)) = lost.max_by(|a, b| a.1.total_cmp(&b.1)) else {
                let pairs = splits.iter().zip(judged);
                return pairs.filter_map(|(at, e)| Some(self.change(*at, &e?))).collect();
            };
            splits.remove(lost);
        }
    }

    fn change(&self, split: usize, estimate: &Estimate) -> Change {
        let unit = self.points[split].quantity.unit();
        let level = |y: f64| {
            let value = unit.from_base(self.transform.value(y));
            Quantity::new(value, unit).unwrap_or(self.points[split].quantity)
        };
        let (one, other) = estimate.interval();
        let share = |shift: f64| self.transform.change(shift);
        let (low, high) = (share(one).min(share(other)), share(one).max(share(other)));
        Change {
            at: self.first + split,
            before: level(estimate.mean_b),
            after: level(estimate.mean_n),
            change: share(estimate.est),
            interval: (low, high),
            worse: estimate.est > 0.0,
            possible: estimate.provisional || estimate.units_b.min(estimate.units_n) < SURE,
            runs: (estimate.runs_b, estimate.runs_n),
            units: (estimate.units_b, estimate.units_n, estimate.unit),
        }
    }

    /// Returns where in an interval a change would lie: where both sides differ most.
    fn pick(&self, interval: &Range<usize>) -> Option<usize> {
        let costs = clipped(&self.costs[interval.clone()]);
        let mean = costs.iter().sum::<f64>() / positive(costs.len());
        let allowed = self.allowed(interval);
        let (mut sum, mut best) = (0.0, None);
        for (at, cost) in costs.iter().enumerate() {
            // So many values lie before this place.
            let place = interval.start + at;
            if at > 0 && allowed.contains(&place) {
                let (left, right) = (positive(at), positive(costs.len() - at));
                let weight = f64::abs(sum) / (left * right).sqrt();
                if best.is_none_or(|(most, _)| weight > most) {
                    best = Some((weight, place));
                }
            }
            sum += cost - mean;
        }
        // At its edge it is another interval's, or chance.
        best.map(|(_, place)| place).filter(|place| inner(interval).contains(place))
    }

    /// Returns where an interval may be parted: between sessions, where there are enough of them, so
    /// that no part of one counts as one.
    fn allowed(&self, interval: &Range<usize>) -> BTreeSet<usize> {
        let mut end = interval.start;
        let ends = self.sessions(interval.clone()).into_iter().map(|session| {
            end += session.len();
            end
        });
        let ends: BTreeSet<usize> = ends.collect();
        if ends.len() < 2 * SURE { interval.clone().collect() } else { ends }
    }

    fn compare(&self, rule: &Rule, old: Range<usize>, new: Range<usize>) -> Option<Estimate> {
        if old.len() < SIDE || new.len() < SIDE {
            return None;
        }
        let mut question = Question {
            baseline: self.sessions(old),
            new: self.sessions(new),
            prior: rule.prior,
            floor: 0.0,
            tol: rule.tol,
            interleaved: false,
        };
        question.floor = floor(None, question.centre()?, self.transform.scale);
        question.estimate()
    }

    /// Groups costs by the boot in which they were measured.
    fn sessions(&self, range: Range<usize>) -> Vec<Vec<f64>> {
        let mut sessions: Vec<Vec<f64>> = Vec::new();
        for at in range.clone() {
            let joins = at > range.start && {
                let (before, now) = (&self.points[at - 1], &self.points[at]);
                let near = now.started_ms.saturating_sub(before.started_ms) < APART_MS;
                before.boot == now.boot && (!now.boot.is_empty() || near)
            };
            match sessions.last_mut().filter(|_| joins) {
                Some(session) => session.push(self.costs[at]),
                None => sessions.push(vec![self.costs[at]]),
            }
        }
        sessions
    }

    fn detectable(&self, rule: &Rule) -> Option<f64> {
        let (middle, end) = (self.points.len() / 2, self.points.len());
        let estimate = self.compare(rule, 0..middle, middle..end)?;
        let share = self.transform.change(estimate.detectable(rule.level, rule.tol)).abs();
        share.is_finite().then_some(share)
    }
}

/// Parts values where two neighbours are not comparable.
fn stretches(points: &[Point]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    points.chunk_by(Point::is_comparable).map(move |chunk| {
        let range = start..start + chunk.len();
        start = range.end;
        range
    })
}

/// Lists intervals over so many values: the whole, then of half the length, overlapping by half, and
/// so on.
fn intervals(count: usize) -> impl Iterator<Item = Range<usize>> {
    let lengths = std::iter::successors(Some(count), |length| Some(length / 2));
    lengths.take_while(|length| *length >= 2 * SIDE).flat_map(move |length| {
        let last = count - length;
        let starts = (0..last).step_by((length / 2).max(1)).chain([last]);
        starts.map(move |start| start..start + length)
    })
}

/// Returns the places of an interval that leave enough on each side.
fn inner(interval: &Range<usize>) -> Range<usize> {
    interval.start + SIDE..(interval.end + 1).saturating_sub(SIDE)
}

/// Brings outliers closer, so that one of them is no place where a change could lie.
fn clipped(values: &[f64]) -> Vec<f64> {
    let centre = middle(values);
    let scatter = middle(&values.iter().map(|value| (value - centre).abs()).collect::<Vec<_>>());
    let far = CLIP * scatter;
    let near =
        |value: &f64| if far > 0.0 { value.clamp(centre - far, centre + far) } else { *value };
    values.iter().map(near).collect()
}

fn middle(values: &[f64]) -> f64 {
    verify_model::metric::quantile(values, 0.5)
}

/// Returns a count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "nobody measures 2^53 times")]
fn positive(count: usize) -> f64 {
    count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_cover_all_values_down_to_six() {
        let all: Vec<Range<usize>> = intervals(14).collect();
        assert_eq!(all, [0..14, 0..7, 3..10, 6..13, 7..14]);
        assert_eq!(intervals(5).count(), 0);
        assert_eq!(inner(&(0..6)), 3..4);
        assert_eq!(inner(&(7..14)), 10..12);
    }

    #[test]
    fn an_outlier_comes_closer_and_a_step_stays() {
        assert_eq!(clipped(&[1.0, 2.0, 3.0, 4.0, 1000.0]), [1.0, 2.0, 3.0, 4.0, 12.0]);
        assert_eq!(clipped(&[1.0, 1.0, 1.0, 5.0]), [1.0, 1.0, 1.0, 5.0]);
    }
}
