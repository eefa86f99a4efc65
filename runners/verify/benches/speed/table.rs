//! Samples of a figure, and the table that shows them.
//!
//! Columns: median, tenth and ninetieth percentile; the ratio to the yardstick, as the median of the
//! ratios of each turn, since what disturbs a turn disturbs both; the target and how much of it is
//! used. No mean and no best: one slow sample says nothing here, and one lucky sample neither.

use std::time::{Duration, Instant};

/// Holds the samples of one figure. *Units*: s.
#[derive(Clone)]
pub(crate) struct Samples(pub(crate) Vec<f64>);

impl Samples {
    /// Computes a quantile, from 0 to 1, as the nearest sample.
    pub(crate) fn quantile(&self, at: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(clippy::cast_precision_loss, reason = "there are few samples")]
        let place = at * (sorted.len().saturating_sub(1)) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a short list"
        )]
        let place = place.round() as usize;
        sorted.get(place).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Subtracts samples pairwise: both of a pair were taken in the same turn.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a - b).collect())
    }

    /// Divides samples pairwise.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    /// Divides each sample.
    pub(crate) fn divided_by(&self, count: u32) -> Self {
        Self(self.0.iter().map(|sample| sample / f64::from(count)).collect())
    }
}

/// Times subjects in turns, after one turn that is not counted.
pub(crate) fn in_turns<const N: usize>(
    turns: usize,
    mut subjects: [&mut dyn FnMut(); N],
) -> [Samples; N] {
    let mut samples = std::array::from_fn(|_| Samples(Vec::with_capacity(turns)));
    for turn in 0..=turns {
        for (subject, samples) in subjects.iter_mut().zip(&mut samples) {
            let start = Instant::now();
            subject();
            let elapsed = start.elapsed().as_secs_f64();
            if turn > 0 {
                samples.0.push(elapsed);
            }
        }
    }
    samples
}

/// Says what a figure should keep to.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Its median.
    AtMost(Duration),
    /// Its ratio to the yardstick.
    Ratio(f64),
}

/// Holds one line of the table.
pub(crate) struct Figure {
    name: &'static str,
    samples: Samples,
    yardstick: Option<Samples>,
    target: Option<Target>,
}

impl Figure {
    /// Builds a figure without yardstick and target.
    pub(crate) fn new(name: &'static str, samples: Samples) -> Self {
        Self { name, samples, yardstick: None, target: None }
    }

    /// Sets what the figure is divided by.
    pub(crate) fn against(self, yardstick: Samples) -> Self {
        Self { yardstick: Some(yardstick), ..self }
    }

    /// Sets what the figure should keep to.
    pub(crate) fn target(self, target: Target) -> Self {
        Self { target: Some(target), ..self }
    }

    fn line(&self) -> String {
        let median = self.samples.median();
        let spread =
            format!("{}-{}", short(self.samples.quantile(0.1)), short(self.samples.quantile(0.9)));
        let ratio = self.yardstick.as_ref().map(|yardstick| self.samples.over(yardstick).median());
        let shown = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let target = match (self.target, ratio) {
            (Some(Target::AtMost(limit)), _) => {
                let limit = limit.as_secs_f64();
                held(&short(limit), median / limit)
            }
            (Some(Target::Ratio(limit)), Some(ratio)) => {
                held(&format!("ratio {limit:.2}"), ratio / limit)
            }
            _ => String::new(),
        };
        row(self.name, &short(median), &spread, &shown, &target)
    }
}

/// Collects lines and prints them at the end, below one another.
#[derive(Default)]
pub(crate) struct Table(Vec<String>);

impl Table {
    /// Adds a figure.
    pub(crate) fn push(&mut self, figure: &Figure) {
        self.0.push(figure.line().trim_end().to_owned());
    }

    /// Opens a group of figures.
    pub(crate) fn note(&mut self, text: String) {
        self.0.push(text);
    }

    /// Adds an amount of memory. *Units*: B.
    pub(crate) fn memory(&mut self, name: &str, bytes: u32, limit: u32) {
        let megabytes = |bytes: u32| format!("{:.1} MB", f64::from(bytes) / 1e6);
        let target = held(&megabytes(limit), f64::from(bytes) / f64::from(limit));
        self.0.push(row(name, &megabytes(bytes), "", "", &target));
    }

    /// Prints all lines.
    pub(crate) fn print(&self) {
        println!("{}", row("figure", "median", "p10-p90", "ratio", "target"));
        for line in &self.0 {
            println!("{line}");
        }
    }
}

fn row(name: &str, median: &str, spread: &str, ratio: &str, target: &str) -> String {
    format!("  {name:<34} {median:>10}  {spread:<22} {ratio:>5}  {target}")
}

pub(crate) fn held(target: &str, used: f64) -> String {
    let word = if used <= 1.0 { "held" } else { "MISSED" };
    format!("{target}: {word}, {:.0} % of it", used * 100.0)
}

/// Writes a time with three digits. *Units*: s in.
pub(crate) fn short(seconds: f64) -> String {
    let (number, unit) = match seconds.abs() {
        s if s < 1e-3 => (seconds * 1e6, "us"),
        s if s < 1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = if number.abs() < 10.0 { 2 } else { usize::from(number.abs() < 100.0) };
    format!("{number:.digits$} {unit}")
}
