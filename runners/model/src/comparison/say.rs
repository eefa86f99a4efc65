//! Says a comparison in words: what findings, reports and the terminal show of it.

use std::fmt::Write as _;

use super::{Comparison, Standing};
use crate::{
    number_of,
    quantity::{Quantity, display_number},
    statistics::FEWEST_NEW_RUNS,
};

/// Baselines of fewer units are called thin. *Source*: `runners/model/STATISTICS.md`.
const THIN: usize = 10;

impl Comparison {
    /// Says how the metric stands, in one sentence.
    pub fn sentence(&self) -> String {
        let (now, then) = (shown(self.now), shown(self.then));
        let field = &self.field;
        let interval = self.interval();
        let mut text = match self.standing {
            Standing::Same => format!("`{field}` is {now}, as its baseline {then} {interval}"),
            Standing::Improved | Standing::Regressed | Standing::Possible => {
                let word = if (self.change > 0.0) == self.worse_up { "worse" } else { "better" };
                let maybe = if self.standing == Standing::Possible { "perhaps " } else { "" };
                let size = self.size(self.change.abs());
                format!(
                    "`{field}` is {now}, {maybe}{size} {word} than its baseline {then} {interval}"
                )
            }
            Standing::Inconclusive => {
                format!("`{field}` is {now}, and its baseline {then} {interval}: too uncertain")
            }
        };
        if let Some(first) = self.at_first.as_ref().filter(|first| first.standing == self.standing)
            && matches!(self.standing, Standing::Regressed | Standing::Possible)
        {
            let (change, low, high) =
                (self.signed(first.change), self.signed(first.low), self.signed(first.high));
            let then = shown(first.then);
            let _ = write!(
                text,
                "; against the first accepted units, {then}: {change} [{low}, {high}]"
            );
        }
        if self.standing == Standing::Possible {
            let _ =
                write!(text, "; how much sessions differ here is not known yet ({})", self.sides());
        }
        if matches!(self.standing, Standing::Inconclusive | Standing::Possible) {
            let _ = write!(text, "; {}", self.next_units());
        }
        let grave = matches!(self.standing, Standing::Regressed | Standing::Possible);
        if grave && !self.changed.is_empty() {
            let _ = write!(text, "; changed since then: {}", self.causes());
        }
        text
    }

    /// Says the numbers behind the word, a line each: label and text.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("compared", self.headline())];
        let key = if self.look.is_some() || self.level > 0.0 {
            let look =
                self.look.map_or_else(String::new, |(at, of)| format!(", look {at} of {of}"));
            let (p, level) = (display_number(self.adjusted), display_number(self.level));
            format!("adjusted p {p}, limit {level}{look}; ")
        } else {
            String::new()
        };
        lines.push(("evidence", format!("{key}{}", self.sides())));
        if let Some(first) = &self.at_first {
            let (change, then) = (self.signed(first.change), shown(first.then));
            let ends = format!("[{}, {}]", self.signed(first.low), self.signed(first.high));
            let p = display_number(first.adjusted);
            let name = first.standing.name();
            lines.push(("at first", format!("{name}, {then}: {change} {ends}; adjusted p {p}")));
        }
        lines.push(("sees", self.sight()));
        if !self.changed.is_empty() {
            lines.push(("changed", self.causes()));
        }
        lines
    }

    /// Says word, values, change, interval and tolerance.
    pub fn headline(&self) -> String {
        let change = self.signed(self.change);
        format!(
            "{} {}, {} -> {}, {change} {}, tolerance {}",
            self.field,
            self.standing.name(),
            shown(self.then),
            shown(self.now),
            self.interval(),
            shown(self.tolerance)
        )
    }

    /// Says it at a glance: value, word, change, and what a thin baseline cannot see.
    pub fn glance(&self) -> String {
        let mut text = format!(
            "{} {}, {}: {} {} of the baseline {}, tolerance {}",
            self.field,
            shown(self.now),
            self.standing.name(),
            self.signed(self.change),
            self.interval(),
            shown(self.then),
            shown(self.tolerance)
        );
        if self.baseline.runs < THIN
            && let Some(size) = self.detectable
        {
            let _ = write!(text, "; thin baseline, a loss below {} may hide", self.size(size));
        }
        text
    }

    /// Says how small a change would have been seen, and what would show a smaller one.
    pub fn sight(&self) -> String {
        let mut text = match self.detectable {
            Some(size) => format!("a loss of {} would be seen", self.size(size)),
            None => "no loss would be seen".to_owned(),
        };
        if self.baseline.runs < THIN {
            let _ = write!(text, "; thin baseline ({})", number_of(self.baseline.runs, "run"));
        }
        if self.provisional {
            let _ = write!(text, "; provisional: the spread is that of class {}", self.class);
        }
        if self.drifts {
            text += "; the baseline drifts, so less is concluded";
        }
        if self.gated > 0 {
            let _ = write!(text, "; {} disturbed and left out", number_of(self.gated, "run"));
        }
        if let Some(goal) = self.goal {
            let _ = write!(text, "; to see {}: {}", self.size(goal), self.more());
        }
        text
    }

    /// Says what changed in the machine, in one line.
    pub fn causes(&self) -> String {
        self.changed.join(", ")
    }

    fn next_units(&self) -> String {
        if self.new.runs < FEWEST_NEW_RUNS {
            return format!("{} of at least {FEWEST_NEW_RUNS}", number_of(self.new.runs, "run"));
        }
        let seen = self.goal.or_else(|| Some(2.0 * self.tolerance_size()?));
        match (self.needed, seen) {
            (Some(0) | None, _) | (_, None) => {
                let more = if self.by_session { "more sessions" } else { "more runs" };
                format!("{more}, a longer baseline or less noise may tell")
            }
            (Some(_), Some(size)) => format!("{} would show {}", self.more(), self.size(size)),
        }
    }

    fn more(&self) -> String {
        let noun = if self.by_session { "more session" } else { "more run" };
        match self.needed {
            Some(0) => "nothing more is needed".to_owned(),
            Some(units) => number_of(units as usize, noun),
            None => "not reachable with more runs: longer baseline or less noise".to_owned(),
        }
    }

    fn tolerance_size(&self) -> Option<f64> {
        let tolerance = self.tolerance?;
        if self.relative {
            return Some(tolerance.difference());
        }
        tolerance.difference_in(self.then?.unit())
    }

    fn sides(&self) -> String {
        let side = |count: &super::Count| {
            let runs = number_of(count.runs, "run");
            format!("{} ({runs})", number_of(count.sessions, "session"))
        };
        format!("{} v {}", side(&self.baseline), side(&self.new))
    }

    /// Says the change of the value, with its sign.
    pub fn shift(&self) -> String {
        self.signed(self.change)
    }

    /// Says the 95 % interval of the change.
    pub fn interval(&self) -> String {
        format!("[{}, {}]", self.signed(self.low), self.signed(self.high))
    }

    /// Writes a size of a change.
    fn size(&self, size: f64) -> String {
        if self.relative {
            return format!("{} %", percent(size));
        }
        self.then
            .and_then(|then| Quantity::new(size, then.unit()).ok())
            .map_or_else(|| "?".to_owned(), |size| size.to_string())
    }

    /// Writes a change with its sign.
    fn signed(&self, change: f64) -> String {
        let size = self.size(change);
        let sign = if change > 0.0 && !size.starts_with("0 ") { "+" } else { "" };
        format!("{sign}{size}")
    }
}

/// Writes a fraction in percent, to a tenth or to two digits where it is smaller.
fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    let decimals = if percent.abs() >= 100.0 {
        0
    } else if percent.abs() >= 1.0 || percent == 0.0 {
        1
    } else {
        2
    };
    let text = format!("{percent:.decimals$}");
    if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) {
        return "0".to_owned();
    }
    text
}

fn shown(quantity: Option<Quantity>) -> String {
    quantity.map_or_else(|| "?".to_owned(), |quantity| quantity.to_string())
}
