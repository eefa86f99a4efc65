//! `verify baseline show`: what is normal, since when, and on whose word.

use std::fmt::Write as _;

use serde_json::{Value, json};
use verify_engine::{
    baseline::{
        CheckSummary, Histogram, History, Ledger, MetricSummary, Place, Shelf, Summary, Unit,
    },
    load::root::Root,
};
use verify_model::{quantity::Quantity, unit};
use verify_reports::clean::{block, one_line};

use verify_model::number_of;

use super::{NAME, sessions, shelf, validate, wanted};
use crate::{cli::ShowArgs, output};

/// Quantiles of the distribution that is shown for one check, each with the fewest samples that
/// can show it. *Source*: a quantile q needs ln 0.025 / ln q samples to be bracketed.
const SHOWN: [(&str, u64); 6] =
    [("min", 1), ("median", 1), ("p90", 36), ("p99", 368), ("p99.9", 3688), ("max", 1)];

/// Of so many sessions on, a session is one observation.
const FEWEST_SESSIONS: usize = 3;
/// Fewer units than this do not tell their own spread.
const FEW: usize = 3;
/// So many units are nothing special any more.
const ENOUGH: usize = 10;

/// Shows baselines.
pub(super) fn show(root: &Root, args: &ShowArgs) -> anyhow::Result<u8> {
    let shelf = shelf(root)?;
    let shown = read(&shelf, args)?;
    let wanted = wanted(&args.chosen.checks)?;
    let summaries: Vec<(&Place, &Ledger, Summary)> =
        shown.iter().map(|(place, ledger)| (place, ledger, Summary::of(ledger))).collect();
    let ids = summaries.iter().flat_map(|(_, _, s)| s.check.iter().map(|c| c.id.as_str()));
    if !shown.is_empty() {
        validate(&args.chosen.checks, ids)?;
    }
    let mut text = format!("root: {}\n", root.label());
    let mut list: Vec<Value> = Vec::new();
    for (place, ledger, summary) in &summaries {
        for check in summary.check.iter().filter(|check| wanted(&check.id)) {
            let history = ledger.history(&check.id);
            let current = history.as_ref().map_or(&[][..], |history| &history.current);
            let size = Size { units: current.len(), sessions: sessions(current) };
            list.extend(check.metric.iter().map(|metric| row(place, check, metric, size)));
            write_check(&mut text, place, check, size);
            // Whoever names one check wants to see all of it.
            if args.chosen.checks.contains(&check.id)
                && let Some(history) = &history
            {
                write_distributions(&mut text, history);
            }
        }
    }
    if args.json {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&list)?))?;
        return Ok(0);
    }
    if list.is_empty() {
        let _ = writeln!(
            text,
            "no baseline is accepted below {}\nverify baseline accept RUN --reason TEXT accepts one",
            shelf.dir().display()
        );
    }
    output::print(&block(&text))?;
    Ok(0)
}

fn read(shelf: &Shelf, args: &ShowArgs) -> anyhow::Result<Vec<(Place, Ledger)>> {
    let mut shown = Vec::new();
    for place in shelf.places()? {
        if args.nodes.is_empty() || args.nodes.contains(&place.node) {
            let ledger = shelf.read(&place)?;
            shown.push((place, ledger));
        }
    }
    Ok(shown)
}

/// Says how large a baseline is.
#[derive(Clone, Copy)]
struct Size {
    units: usize,
    sessions: usize,
}

impl Size {
    /// Says what a small baseline cannot do; nothing of one that is large enough. *Source*:
    /// `statistics.md`, sections 4 and 7: of three sessions on, a session is one observation.
    fn caution(self) -> Option<String> {
        let (counted, thing) = if self.sessions >= FEWEST_SESSIONS {
            (self.sessions, "session")
        } else {
            (self.units, "unit")
        };
        let counted_in_words = number_of(counted, thing);
        match counted {
            0..FEW => Some(format!(
                "{counted_in_words}: the spread is the class's, not this machine's; verdicts are provisional"
            )),
            FEW..ENOUGH => Some(format!(
                "thin baseline: {counted_in_words}, {ENOUGH} are enough; small changes are not seen"
            )),
            _ => None,
        }
    }
}

fn row(place: &Place, check: &CheckSummary, metric: &MetricSummary, size: Size) -> Value {
    json!({
        "node": place.node,
        "suite": place.suite,
        "check": check.id,
        "field": metric.field,
        "centre": metric.centre,
        "spread": metric.spread,
        "anchor": metric.anchor,
        "better": metric.better,
        "units": check.units,
        "sessions": size.sessions,
        "caution": size.caution(),
        "anchor-epoch": check.anchor_epoch,
        "machine": check.machine,
        "epoch": check.epoch,
        "runs": check.runs,
        "reason": check.reason,
    })
}

fn write_check(text: &mut String, place: &Place, check: &CheckSummary, size: Size) {
    let id = one_line(&check.id, NAME);
    let _ = writeln!(text, "\n{}  {id}  (suite {})", place.node, place.suite);
    let width =
        check.metric.iter().map(|m| one_line(&m.field, NAME).chars().count()).max().unwrap_or(0);
    for metric in &check.metric {
        let spread = metric.spread.as_ref().map_or_else(
            || ", one unit: its spread is not known".to_owned(),
            |spread| format!(", middle half within {spread}"),
        );
        let better =
            metric.better.as_ref().map_or_else(String::new, |way| format!(", {way} is better"));
        let anchor =
            metric.anchor.as_ref().map_or_else(String::new, |then| format!(", at first {then}"));
        let (field, centre) = (one_line(&metric.field, NAME), &metric.centre);
        let _ = writeln!(text, "  {field:<width$}  {centre}{spread}{better}{anchor}");
    }
    let runs = match check.runs.as_slice() {
        [] => "no run".to_owned(),
        [only] => format!("run {only}"),
        [first, .., last] => format!("{} runs, {first} to {last}", check.runs.len()),
    };
    let (units, sessions) = (number_of(check.units, "unit"), number_of(size.sessions, "session"));
    // A node chooses its own host name, so it must not look like a line of this page.
    let machine = one_line(&check.machine, NAME);
    let _ = writeln!(text, "  {units} of {runs}, in {sessions}, on machine {machine}");
    if let Some(caution) = size.caution() {
        let _ = writeln!(text, "  {caution}");
    }
    if let Some(anchor) = &check.anchor_epoch {
        let _ = writeln!(text, "  its anchor began anew with run {anchor}");
    }
    let _ = writeln!(text, "  reason: {}", one_line(&check.reason, usize::MAX));
}

/// Writes the merged distribution of what counts now, and of the anchor where it differs.
fn write_distributions(text: &mut String, history: &History<'_>) {
    let Some(newest) = history.newest() else { return };
    for (name, sampled) in &newest.metrics {
        let Some(measure) = unit::Unit::parse(&sampled.unit) else { continue };
        let mut sides = vec![("now", &history.current)];
        if history.anchor != history.current {
            sides.push(("at first", &history.anchor));
        }
        for (side, units) in sides {
            if let Some(line) = distribution(units, name, measure) {
                let _ = writeln!(text, "  {}, {side}: {line}", one_line(name, NAME));
            }
        }
    }
}

fn distribution(units: &[&Unit], name: &str, measure: unit::Unit) -> Option<String> {
    let histograms: Vec<&Histogram> =
        units.iter().filter_map(|unit| unit.metrics.get(name)?.histogram.as_ref()).collect();
    let merged = match Histogram::merge(histograms) {
        Ok(merged) => merged?,
        Err(error) => return Some(error.to_string()),
    };
    let samples = merged.samples().ok()?;
    let parts =
        SHOWN.iter().filter(|(_, fewest)| samples >= *fewest).filter_map(|(quantile, _)| {
            let value = Quantity::new(merged.quantile(quantile, measure)?, measure).ok()?;
            Some(format!("{quantile} {}", value.humanized()))
        });
    Some(format!("{} of {samples} samples", parts.collect::<Vec<_>>().join(" · ")))
}
