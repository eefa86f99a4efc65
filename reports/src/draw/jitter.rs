//! Jitter gaps over time: when a cpu was away from a loop, for how long, and by what.
//!
//! The instrument prints the longest gaps with their times; they stand in the evidence, which is read
//! again here. The rest is counted, not drawn, and the summary says how many.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    evidence::{Captured, Evidence},
    run::{Run, RunCheck},
    unit::Unit,
};

use super::{
    Picture,
    axis::{Measure, Plot, Scale},
    mark::{SHAPES, Sample, legend, mark, shape},
    source::found,
    svg::{Anchor, Svg},
};
use crate::{clean::one_line, sentence::count};

/// Most pictures: cpus that were measured at once.
const CPUS: usize = 4;
/// Most gaps in one picture.
const GAPS: usize = 256;
/// Longest output that is read again. *Units*: B.
const OUTPUT: usize = 1 << 20;
/// Cause of a gap of which nobody knows more.
const UNKNOWN: &str = "cause not traced";

/// Holds one gap. *Units*: us.
struct Gap {
    at: f64,
    length: f64,
    cause: String,
}

/// Holds what one cpu saw. *Units*: us.
struct Seen {
    cpu: String,
    window: f64,
    threshold: f64,
    number: u64,
    gaps: Vec<Gap>,
}

/// Draws the gaps of a check that measured them.
pub(super) fn of_check(run: &Run, check: &RunCheck) -> Vec<Picture> {
    if check.planned.check.probe != "tsc" {
        return Vec::new();
    }
    let Some(found) = found(check) else { return Vec::new() };
    let Some((attempt, _)) = found.attempts.last() else { return Vec::new() };
    let pieces = attempt.evidence.iter().filter_map(|id| run.evidence(*id));
    let seen = pieces.filter_map(seen).take(CPUS);
    seen.map(|seen| draw(check, found.note, &seen)).collect()
}

fn seen(piece: &Evidence) -> Option<Seen> {
    let Ask::Instrument { argv, .. } = &piece.ask else { return None };
    let Captured::Exec { stdout, .. } = &piece.captured else { return None };
    if argv.first()? != "tsc" || stdout.text.len() > OUTPUT {
        return None;
    }
    let said: Json = serde_json::from_str(&stdout.text).ok()?;
    let result = said.get("result")?;
    let number = |pointer: &str| result.pointer(pointer).and_then(Json::as_f64);
    let gap = |gap: &Json| {
        Some(Gap {
            at: gap.get("at-us")?.as_f64().filter(|at| *at >= 0.0)?,
            length: gap.get("us")?.as_f64().filter(|length| *length > 0.0)?,
            cause: one_line(gap.get("class").and_then(Json::as_str).unwrap_or(UNKNOWN), 24),
        })
    };
    let gaps: Vec<Gap> =
        result.get("gaps")?.as_array()?.iter().filter_map(gap).take(GAPS).collect();
    Some(Seen {
        cpu: result.get("cpu")?.as_u64()?.to_string(),
        window: number("/jitter/window-ns").filter(|ns| *ns > 0.0)? / 1e3,
        threshold: number("/jitter/threshold-ns")? / 1e3,
        number: result.pointer("/jitter/gaps").and_then(Json::as_u64)?,
        gaps,
    })
}

fn draw(check: &RunCheck, note: &str, seen: &Seen) -> Picture {
    let mut svg = Svg::default();
    let cpu = format!("gaps cpu {}", seen.cpu);
    let key = [&check.planned.node, &check.planned.check.id, "jitter", cpu.as_str()];
    let title = format!("Gaps on cpu {} over time{note}", seen.cpu);
    let window = Unit::parse("us").map(|us| Measure::new(us, [seen.window]));
    let Some(time) = window else { return svg.finish(&key, &title, "", 0.0) };
    let all = count(usize::try_from(seen.number).unwrap_or(usize::MAX), "gap");
    let threshold = time.words(seen.threshold);
    let Some(longest) = seen.gaps.iter().max_by(|a, b| a.length.total_cmp(&b.length)) else {
        svg.text("label", Anchor::Start, (0.0, 20.0), "No gap is kept to be drawn.");
        let summary = format!("{all} above {threshold} in {}.", time.words(seen.window));
        return svg.finish(&key, &title, &summary, 32.0);
    };
    let shortest = seen.gaps.iter().map(|gap| gap.length).fold(f64::INFINITY, f64::min);
    let y = Scale::Log(
        shortest.min(longest.length).log10().floor(),
        longest.length.log10().ceil().max(shortest.log10().floor() + 1.0),
    );
    let length = Unit::parse("us").map_or(time, |us| Measure::new(us, [1.0]));
    let x = Scale::Linear(0.0, time.of(seen.window));
    let plot = Plot { corner: (66.0, 24.0), size: (404.0, 170.0), x, y };
    let names = (time.title("since the start of the window", x), "gap".to_owned());
    plot.draw(&mut svg, (&time.ticks(x), &names.0), (&length.ticks(y), &names.1));
    let causes = causes(&seen.gaps);
    for gap in &seen.gaps {
        let at = plot.at(time.of(gap.at), gap.length);
        let kind = causes.iter().position(|(cause, _)| *cause == gap.cause).unwrap_or(0);
        svg.begin(&format!("{} at {}, {}", time.words(gap.length), time.words(gap.at), gap.cause));
        svg.line("stem", (at.0, plot.bottom()), at);
        mark(&mut svg, shape(kind), at, 4.0);
        svg.end();
    }
    let entries: Vec<(Sample, String)> = causes
        .iter()
        .enumerate()
        .map(|(kind, (cause, number))| (Sample::Mark(shape(kind)), format!("{cause} ({number})")))
        .collect();
    let bottom = legend(&mut svg, plot.bottom() + 42.0, &entries);
    let summary = format!(
        "The {} longest of {all} above {threshold} in {}. The longest took {} at {}: {}.",
        seen.gaps.len(),
        time.words(seen.window),
        time.words(longest.length),
        time.words(longest.at),
        longest.cause
    );
    svg.finish(&key, &title, &summary, bottom + 4.0)
}

/// Lists causes, those of most gaps first; of those that have no shape of their own, the last one stands
/// for all.
fn causes(gaps: &[Gap]) -> Vec<(&str, usize)> {
    let mut causes: Vec<(&str, usize)> = Vec::new();
    for gap in gaps {
        match causes.iter_mut().find(|(cause, _)| *cause == gap.cause) {
            Some((_, number)) => *number += 1,
            None => causes.push((&gap.cause, 1)),
        }
    }
    causes.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    causes.truncate(SHAPES.len() * 2);
    causes
}
