//! When what ran: a lane for each node, and in it the checks side by side where they overlapped.
//!
//! What loads or changes a machine had it alone, and is marked by strokes. Of very many checks, those
//! that are narrower than a pixel are drawn as one bar, so that a picture has a bounded size.

use verify_model::{
    effect::Effect,
    exit::Situation,
    run::{Run, RunCheck},
    unit::Unit,
    verdict::Answer,
};

use super::{
    Picture,
    axis::{Measure, Plot, Scale},
    mark::{Sample, hatch, legend},
    svg::{Anchor, Svg, fitted},
};
use crate::{
    detail::duration,
    sentence::{count, situation_of},
};

/// Most lanes; the nodes that took longest.
const LANES: usize = 30;
/// Most rows of one lane.
const ROWS: usize = 6;
/// Height of a row. *Units*: px.
const ROW: f64 = 14.0;
/// Least width of a bar, and of the space between two. *Units*: px.
const NARROW: f64 = 1.5;
/// Width of the names. *Units*: px.
const NAMES: f64 = 96.0;

/// Holds one bar. *Units*: ms.
struct Bar {
    from: f64,
    to: f64,
    loads: bool,
    /// How grave the gravest check is, see [`grave`].
    grave: u8,
    number: usize,
    words: String,
    id: String,
}

/// Holds the bars of a node, in rows.
struct Lane<'r> {
    node: &'r str,
    rows: Vec<Vec<Bar>>,
}

/// Draws what ran when.
pub(super) fn of_run(run: &Run) -> Option<Picture> {
    let mut bars: Vec<(&str, Vec<Bar>)> =
        run.nodes.iter().map(|node| (node.file.name.as_str(), Vec::new())).collect();
    let places: std::collections::BTreeMap<&str, usize> =
        run.nodes.iter().enumerate().map(|(at, node)| (node.file.name.as_str(), at)).collect();
    for check in &run.checks {
        let lane = places.get(check.planned.node.as_str()).and_then(|at| bars.get_mut(*at));
        if let Some((_, lane)) = lane {
            lane.extend(bars_of(run, check));
        }
    }
    bars.retain(|(_, bars)| !bars.is_empty());
    let asked = bars.iter().map(|(_, bars)| bars.len()).sum::<usize>();
    let end = bars.iter().flat_map(|(_, bars)| bars).map(|bar| bar.to).fold(0.0, f64::max);
    if asked == 0 || end <= 0.0 {
        return None;
    }
    let nodes = bars.len();
    let busy = |bars: &[Bar]| bars.iter().map(|bar| bar.to - bar.from).sum::<f64>();
    if nodes > LANES {
        bars.sort_by(|one, other| busy(&other.1).total_cmp(&busy(&one.1)));
        bars.truncate(LANES);
    }
    let x = Scale::Linear(0.0, end);
    let pixel = end / (480.0 - NAMES - 6.0);
    let lanes: Vec<Lane<'_>> = bars
        .into_iter()
        .map(|(node, bars)| Lane { node, rows: rows(bars, pixel * NARROW) })
        .collect();
    Some(draw(run, &lanes, x, nodes, asked))
}

/// Orders outcomes by what a person must see.
fn grave(situation: Situation) -> u8 {
    match situation {
        Situation::Fail => 3,
        Situation::Error | Situation::BaselineRequired => 2,
        Situation::Unjudged | Situation::Waived => 1,
        _ => 0,
    }
}

fn bars_of<'r>(run: &'r Run, check: &'r RunCheck) -> impl Iterator<Item = Bar> + 'r {
    let attempts = match &check.answer {
        Answer::Attempted(attempts) => attempts.as_slice(),
        _ => &[],
    };
    let planned = &check.planned.check;
    let grave = grave(situation_of(run, check));
    attempts.iter().map(move |attempt| {
        #[expect(clippy::cast_precision_loss, reason = "no run takes 2^53 ms")]
        let (from, took) = (attempt.at_ms as f64, attempt.elapsed_us as f64 / 1e3);
        Bar {
            from,
            to: from + took,
            loads: planned.effect >= Effect::Loads,
            grave,
            number: 1,
            words: format!("{}, {}", check.verdict.outcome, duration(attempt.elapsed_us)),
            id: planned.id.clone(),
        }
    })
}

/// Puts bars into rows in which none overlaps; what is too narrow joins its neighbour.
fn rows(mut bars: Vec<Bar>, narrow: f64) -> Vec<Vec<Bar>> {
    bars.sort_by(|one, other| one.from.total_cmp(&other.from).then(one.id.cmp(&other.id)));
    let mut rows: Vec<Vec<Bar>> = Vec::new();
    for bar in bars {
        let is_small = bar.to - bar.from < narrow;
        let is_free = |row: &Vec<Bar>| match row.last() {
            Some(last) => last.to <= bar.from || (is_small && last.to - bar.to > -narrow),
            None => true,
        };
        let free = rows.iter().position(is_free);
        if free.is_none() && rows.len() < ROWS {
            rows.push(vec![bar]);
            continue;
        }
        // Where no row is free, the last one takes it.
        let narrow = if free.is_some() { narrow } else { f64::INFINITY };
        let at = free.unwrap_or(ROWS - 1);
        if let Some(row) = rows.get_mut(at) {
            put(row, bar, narrow);
        }
    }
    rows
}

/// Puts a bar behind the last one of its row, or into it.
fn put(row: &mut Vec<Bar>, bar: Bar, narrow: f64) {
    let joins = row.last().is_some_and(|last| {
        let gap = bar.from - last.to;
        gap < narrow && (last.to - last.from < narrow || bar.to - bar.from < narrow || gap < 0.0)
    });
    match row.last_mut().filter(|_| joins) {
        Some(last) => {
            last.to = last.to.max(bar.to);
            last.loads |= bar.loads;
            last.grave = last.grave.max(bar.grave);
            last.number += bar.number;
        }
        None => row.push(bar),
    }
}

fn draw(run: &Run, lanes: &[Lane<'_>], x: Scale, nodes: usize, asked: usize) -> Picture {
    let mut svg = Svg::default();
    let rows: usize = lanes.iter().map(|lane| lane.rows.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "some hundred rows")]
    let height = rows as f64 * ROW + lanes.len() as f64 * 8.0;
    let plot = Plot {
        corner: (NAMES, 4.0),
        size: (480.0 - NAMES - 6.0, height),
        x,
        y: Scale::Linear(0.0, 1.0),
    };
    let end = match x {
        Scale::Linear(_, end) | Scale::Log(_, end) => end,
    };
    let Some(ms) = Unit::parse("ms") else { return svg.finish(&["timeline"], "", "", 0.0) };
    let time = Measure::new(ms, [end]);
    let shown = Plot { x: Scale::Linear(0.0, time.of(end)), ..plot };
    let name = time.title("since the start of the run", shown.x);
    shown.draw(&mut svg, (&time.ticks(shown.x), &name), (&[], ""));
    let mut top = plot.corner.1;
    for lane in lanes {
        let label = fitted(lane.node, NAMES - 8.0);
        svg.text("label", Anchor::Start, (0.0, top + 11.0), &label);
        for row in &lane.rows {
            for bar in row {
                draw_bar(&mut svg, &plot, top, bar);
            }
            top += ROW;
        }
        svg.line("grid", (0.0, top + 3.0), (plot.right(), top + 3.0));
        top += 8.0;
    }
    let entries = [
        (Sample::Box("bar reads", false), "only reads".to_owned()),
        (Sample::Box("bar loads", true), "loads: had the machine alone".to_owned()),
        (Sample::Box("bar loads bad-edge", false), "failed or no answer".to_owned()),
    ];
    let bottom = legend(&mut svg, plot.bottom() + 42.0, &entries);
    let left = if nodes > lanes.len() {
        format!(" The {} nodes that were asked longest are drawn.", lanes.len())
    } else {
        String::new()
    };
    let simulated = run.nodes.iter().any(|node| node.facts.simulated.is_some());
    let note = if simulated { " (simulated)" } else { "" };
    let summary = format!(
        "{} on {} in {}.{left}",
        count(asked, "attempt"),
        count(nodes, "node"),
        duration(run.elapsed_ms.saturating_mul(1000))
    );
    svg.finish(&["timeline"], &format!("What ran when{note}"), &summary, bottom + 4.0)
}

fn draw_bar(svg: &mut Svg, plot: &Plot, top: f64, bar: &Bar) {
    let (from, to) = (plot.px(bar.from), plot.px(bar.to));
    let size = ((to - from).max(NARROW), ROW - 3.0);
    let words = if bar.number == 1 {
        format!("{}: {}", bar.id, bar.words)
    } else {
        format!("{}, the first is {}", count(bar.number, "attempt"), bar.id)
    };
    svg.begin(&words);
    let edge = if bar.grave >= 2 { " bad-edge" } else { "" };
    let kind = if bar.loads { "bar loads" } else { "bar reads" };
    svg.rect(&format!("{kind}{edge}"), (from, top), size);
    if bar.loads && size.0 > 6.0 {
        hatch(svg, (from, top), size);
    }
    if bar.number == 1 && size.0 > 60.0 {
        let label = fitted(&bar.id, size.0 - 8.0);
        svg.text("inside", Anchor::Start, (from + 4.0, top + 9.0), &label);
    }
    svg.end();
}
