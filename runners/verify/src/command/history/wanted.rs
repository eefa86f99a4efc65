//! Which metrics and values a person means.

use std::collections::BTreeSet;

use anyhow::Context as _;
use verify_engine::{
    history::{HistoryError, Index, Series, Wanted},
    load::diagnostic::LoadError,
    plan,
};
use verify_reports::clean::one_line;

use super::NAME;
use crate::cli::ChosenMetrics;

/// Names that are listed where one was not found.
const LISTED: usize = 12;

/// Holds what was asked for.
pub(super) struct Metrics<'a> {
    args: &'a ChosenMetrics,
    patterns: Vec<Pattern>,
    since_ms: Option<i64>,
}

/// Tells whether a name fits.
type Fits = Box<dyn Fn(&str) -> bool>;

/// Means metrics: a glob for the check, and one for the field.
struct Pattern {
    text: String,
    check: Fits,
    field: Fits,
}

impl Pattern {
    fn of(text: &str) -> Result<Self, LoadError> {
        let (check, field) = text.split_once(':').unwrap_or((text, "*"));
        Ok(Self { text: text.to_owned(), check: Self::fits(check)?, field: Self::fits(field)? })
    }

    fn fits(glob: &str) -> Result<Fits, LoadError> {
        let globs = plan::globs(&[glob.to_owned()])?;
        Ok(Box::new(move |name| globs.is_match(name)))
    }

    fn means(&self, series: &Series) -> bool {
        (self.check)(&series.check) && (self.field)(&series.field)
    }
}

impl<'a> Metrics<'a> {
    /// Reads what was asked for.
    ///
    /// *Errors*: a pattern or a day that is none.
    pub(super) fn of(args: &'a ChosenMetrics) -> anyhow::Result<Self> {
        let patterns =
            args.metrics.iter().map(|text| Pattern::of(text)).collect::<Result<_, _>>()?;
        let since_ms = args.since.as_deref().map(since).transpose()?;
        Ok(Self { args, patterns, since_ms })
    }

    /// Says which values are wanted.
    pub(super) fn wanted(&self, last: Option<usize>) -> Wanted {
        Wanted {
            machine: self.args.machine.clone(),
            since_ms: self.since_ms,
            last,
            all: self.args.all,
        }
    }

    /// Chooses metrics.
    ///
    /// *Errors*: a node or a pattern that means none of them, with those that there are.
    pub(super) fn chosen(&self, index: &Index) -> Result<Vec<Series>, HistoryError> {
        let mut series = index.series()?;
        if series.is_empty() {
            return Ok(series);
        }
        for node in &self.args.nodes {
            if !series.iter().any(|one| one.node == *node) {
                let known = names(series.iter().map(|one| one.node.clone()));
                return Err(HistoryError::Unknown(format!(
                    "no value of node `{node}`; there are: {known}"
                )));
            }
        }
        series.retain(|one| self.args.nodes.is_empty() || self.args.nodes.contains(&one.node));
        for pattern in &self.patterns {
            if !series.iter().any(|one| pattern.means(one)) {
                let known = names(series.iter().map(|one| format!("{}:{}", one.check, one.field)));
                let text = &pattern.text;
                return Err(HistoryError::Unknown(format!(
                    "no metric is named `{text}`; there are: {known}"
                )));
            }
        }
        series.retain(|one| self.patterns.is_empty() || self.patterns.iter().any(|p| p.means(one)));
        Ok(series)
    }
}

fn names(all: impl Iterator<Item = String>) -> String {
    let all: BTreeSet<String> = all.collect();
    let more = all.len().saturating_sub(LISTED);
    let mut named: Vec<String> = all.iter().take(LISTED).map(|name| one_line(name, NAME)).collect();
    if more > 0 {
        named.push(format!("and {more} more (`verify history` lists them)"));
    }
    named.join(", ")
}

/// Reads a day as its first moment.
fn since(day: &str) -> anyhow::Result<i64> {
    let date: jiff::civil::Date = day
        .parse()
        .with_context(|| format!("--since `{day}` is no day: expected one such as 2026-11-28"))?;
    let start = date.to_zoned(jiff::tz::TimeZone::UTC).context("--since is out of range")?;
    Ok(start.timestamp().as_millisecond())
}
