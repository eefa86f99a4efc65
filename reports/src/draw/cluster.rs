//! The nodes of a run and the cables between them, with what was measured beside what was promised.
//!
//! Up to a dozen nodes stand on a circle, more in a grid; with many cables only the worst are written
//! out. A cable that one of the node files declares and nobody measured is drawn as not measured.

use std::collections::BTreeMap;

use verify_model::{
    exit::Situation,
    link::Link,
    quantity::Quantity,
    run::{Run, RunNode},
};

use super::{
    Picture,
    mark::{Sample, Shape, legend, mark},
    source::{found, quantity, text},
    svg::{Anchor, Svg, WIDTH, fitted},
    topology::line_class,
};
use crate::{
    brief,
    sentence::{count, situation_of},
};

/// Most nodes on a circle.
const CIRCLE: usize = 12;
/// Most nodes at all.
const NODES: usize = 100;
/// Most cables that are written out.
const WRITTEN: usize = 6;
/// Nodes in a row of the grid.
const COLUMNS: usize = 10;

/// Holds one cable.
struct Cable<'r> {
    name: &'r str,
    ends: (usize, usize),
    speed: Quantity,
    measured: Option<Quantity>,
    bad: bool,
    /// What came out of the checks that measure it, where that is no pass.
    word: Option<&'static str>,
}

/// Draws the nodes of a run that has several, with the cables between them.
pub(super) fn of_run(run: &Run) -> Option<Picture> {
    if run.nodes.len() < 2 {
        return None;
    }
    let shown = run.nodes.get(..NODES.min(run.nodes.len()))?;
    let places: BTreeMap<&str, usize> =
        shown.iter().enumerate().map(|(at, node)| (node.file.name.as_str(), at)).collect();
    let cables = cables(run, shown, &places);
    let mut svg = Svg::default();
    let spots = spots(shown.len());
    for cable in &cables {
        let (one, other) = (spots[cable.ends.0], spots[cable.ends.1]);
        svg.begin(&words(cable));
        svg.line(
            line_class(cable.bad, cable.measured.is_some() && cable.word.is_none()),
            one,
            other,
        );
        svg.end();
    }
    let states = states(run, &places, shown.len());
    for ((node, spot), state) in shown.iter().zip(&spots).zip(&states) {
        draw_node(&mut svg, node, *spot, *state, shown.len() <= CIRCLE);
    }
    let mut bottom = spots.iter().map(|spot| spot.1).fold(0.0, f64::max) + 40.0;
    for cable in cables.iter().take(WRITTEN) {
        let class = if cable.bad { "tick bad-text" } else { "tick" };
        svg.text(class, Anchor::Start, (0.0, bottom), &words(cable));
        bottom += 16.0;
    }
    if cables.len() > WRITTEN {
        let more = format!("and {} more", count(cables.len() - WRITTEN, "cable"));
        svg.text("tick", Anchor::Start, (0.0, bottom), &more);
        bottom += 16.0;
    }
    bottom = legend(&mut svg, bottom - 6.0, &entries(&cables));
    let bad = cables.iter().filter(|cable| cable.bad).count();
    let unmeasured = cables.iter().filter(|cable| cable.measured.is_none()).count();
    let left = run.nodes.len() - shown.len();
    let left = if left > 0 { format!(", {left} of them not drawn") } else { String::new() };
    let summary = format!(
        "{}{left}; {}, {bad} failed, {unmeasured} not measured.",
        count(run.nodes.len(), "node"),
        count(cables.len(), "cable")
    );
    let simulated = run.nodes.iter().any(|node| node.facts.simulated.is_some());
    let note = if simulated { " (simulated)" } else { "" };
    let title = format!("The nodes and their cables{note}");
    Some(svg.finish(&["cluster"], &title, &summary, bottom + 4.0))
}

/// Lists the cables, the worst first: those that failed, then those that were not measured.
fn cables<'r>(
    run: &'r Run,
    nodes: &'r [RunNode],
    places: &BTreeMap<&str, usize>,
) -> Vec<Cable<'r>> {
    let mut all: BTreeMap<(usize, usize, &str), Cable<'r>> = BTreeMap::new();
    let declared = nodes.iter().flat_map(|node| &node.file.links);
    for Link { name, ends: [one, other], speed, .. } in declared {
        let place = |node: &str| places.get(node).copied();
        let (Some(one), Some(other)) = (place(&one.node), place(&other.node)) else { continue };
        let ends = (one.min(other), one.max(other));
        let cable = Cable { name, ends, speed: *speed, measured: None, bad: false, word: None };
        all.entry((ends.0, ends.1, name)).or_insert(cable);
    }
    for check in run.checks.iter().filter(|check| check.planned.check.probe == "iperf3") {
        let last = found(check).and_then(|found| found.last());
        // What was not answered is still about the link that it was to measure.
        let named = last.map(|last| last.resolve("link"));
        let asked = check.planned.check.with.get("link").and_then(Link::of);
        let asked = asked.as_ref().map(|link| link.name.as_str());
        let Some(name) = named.as_ref().and_then(text).or(asked) else { continue };
        let situation = situation_of(run, check);
        let own = places.get(check.planned.node.as_str());
        for cable in all.values_mut().filter(|cable| cable.name == name) {
            if own.is_some_and(|own| cable.ends.0 == *own || cable.ends.1 == *own) {
                let rate = last.and_then(|last| quantity(&last.resolve("throughput")));
                let slower = |known: Quantity, new: Quantity| {
                    if new.base() < known.base() { new } else { known }
                };
                cable.measured = match (cable.measured, rate) {
                    (Some(known), Some(new)) => Some(slower(known, new)),
                    (known, new) => known.or(new),
                };
                if situation != Situation::Pass && !cable.bad {
                    cable.word = Some(brief::word(situation));
                }
                cable.bad |= situation == Situation::Fail;
            }
        }
    }
    let mut all: Vec<Cable<'_>> = all.into_values().collect();
    all.sort_by_key(|cable| (!cable.bad, cable.measured.is_some()));
    all
}

fn words(cable: &Cable<'_>) -> String {
    let measured = cable
        .measured
        .map_or_else(|| "not measured".to_owned(), |rate| format!("measured {}", rate.humanized()));
    let word = match (cable.bad, cable.word) {
        (true, _) => ", failed".to_owned(),
        (false, Some(word)) => format!(", {word}"),
        (false, None) => String::new(),
    };
    format!("{}: {measured} of {}{word}", cable.name, cable.speed.humanized())
}

/// Says where nodes stand.
#[expect(clippy::cast_precision_loss, reason = "up to a hundred nodes")]
fn spots(number: usize) -> Vec<(f64, f64)> {
    if number == 2 {
        return vec![(90.0, 40.0), (WIDTH - 90.0, 40.0)];
    }
    if number <= CIRCLE {
        let angle = |at: usize| std::f64::consts::TAU * (at as f64 / number as f64 - 0.25);
        let spot =
            |at| (WIDTH / 2.0 + 160.0 * f64::cos(angle(at)), 130.0 + 100.0 * f64::sin(angle(at)));
        return (0..number).map(spot).collect();
    }
    let step = WIDTH / COLUMNS as f64;
    let spot =
        |at: usize| (step * ((at % COLUMNS) as f64 + 0.5), 20.0 + 44.0 * (at / COLUMNS) as f64);
    (0..number).map(spot).collect()
}

/// Counts the checks of a node: failed, without an answer that counts, excused, and good.
#[derive(Clone, Copy, Default)]
struct State {
    failed: usize,
    open: usize,
    waived: usize,
    good: usize,
}

fn states(run: &Run, places: &BTreeMap<&str, usize>, number: usize) -> Vec<State> {
    let mut states = vec![State::default(); number];
    for check in &run.checks {
        let place = places.get(check.planned.node.as_str());
        let Some(state) = place.and_then(|at| states.get_mut(*at)) else { continue };
        let situation = situation_of(run, check);
        match (situation, situation.exit()) {
            (Situation::Fail, _) => state.failed += 1,
            (Situation::Waived, _) => state.waived += 1,
            (Situation::Pass | Situation::NoBaseline, _) => state.good += 1,
            (_, 0) => {}
            _ => state.open += 1,
        }
    }
    states
}

/// Says a state: it is good only where something was answered and nothing is open.
fn state_mark(state: State) -> ((Shape, &'static str), String) {
    match state {
        State { failed: 0, open: 0, waived: 0, good: 0 } => {
            ((Shape::Cross, "muted"), "nothing answered".to_owned())
        }
        State { failed: 0, open: 0, waived: 0, good } => {
            ((Shape::Circle, "good"), format!("{good} answered"))
        }
        State { failed: 0, open: 0, waived, .. } => {
            ((Shape::Triangle, "warn"), format!("{waived} waived"))
        }
        State { failed: 0, open, .. } => ((Shape::Triangle, "warn"), format!("{open} not judged")),
        State { failed, .. } => ((Shape::Diamond, "bad"), format!("{failed} failed")),
    }
}

fn draw_node(svg: &mut Svg, node: &RunNode, (x, y): (f64, f64), state: State, wide: bool) {
    let (shape, said) = state_mark(state);
    let name = &node.file.name;
    svg.begin(&format!("{name}: {said}"));
    if wide {
        svg.rect("box", (x - 75.0, y - 20.0), (150.0, 40.0));
        mark(svg, shape, (x - 62.0, y), 5.0);
        svg.text("strong", Anchor::Start, (x - 50.0, y - 3.0), &fitted(name, 112.0));
        svg.text("tick", Anchor::Start, (x - 50.0, y + 13.0), &said);
    } else {
        svg.rect("box", (x - 22.0, y - 14.0), (44.0, 34.0));
        mark(svg, shape, (x, y - 5.0), 4.0);
        svg.text("small", Anchor::Middle, (x, y + 14.0), &fitted(name, 46.0));
    }
    svg.end();
}

fn entries(cables: &[Cable<'_>]) -> Vec<(Sample, String)> {
    let mut entries = vec![
        (Sample::Mark((Shape::Circle, "good")), "answered, no failure".to_owned()),
        (Sample::Mark((Shape::Diamond, "bad")), "a check failed".to_owned()),
        (Sample::Mark((Shape::Triangle, "warn")), "error, not judged or waived".to_owned()),
        (Sample::Mark((Shape::Cross, "muted")), "nothing answered".to_owned()),
    ];
    if !cables.is_empty() {
        entries.push((Sample::Line("link"), "measured".to_owned()));
        entries.push((Sample::Line("link unknown"), "not measured".to_owned()));
        entries.push((Sample::Line("link broken"), "failed".to_owned()));
    }
    entries
}
