//! One accepted unit: what one attempt at one check measured, as a line of the ledger.
//!
//! Values are kept for each unit, so that a later rule can be replayed on an old ledger: median and
//! quantiles, what the order of samples says (lag-1, trend), and the histogram. A line says itself
//! which format it has; this version reads every one that was ever written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use verify_model::{
    check::Check,
    fingerprint::Fingerprint,
    matcher::Matcher,
    metric::{Direction, Metric, SPREAD, SPREAD_UNIT, quantile},
    observation::{Attempt, Observation},
    quantity::Quantity,
    unit::{Dimension, Unit as UnitOfMeasure},
    value::Value,
};

use super::histogram::Histogram;
use crate::{load::catalog::digest, probes};

/// Names the format of a line with a fingerprint; a reader refuses what it does not know.
pub const LEDGER_FORMAT: &str = "verify-ledger/2";
/// Names the format of a line without one, which every version reads.
pub(super) const PLAIN_FORMAT: &str = "verify-ledger/1";
/// Formats of lines that this version reads.
pub(super) const FORMATS: [&str; 2] = [PLAIN_FORMAT, LEDGER_FORMAT];
/// Fewest samples for which a trend is computed: two in each third.
const TREND_SAMPLES: usize = 6;
/// Fewest samples for which the correlation of neighbours is computed.
const LAG_SAMPLES: usize = 3;

/// Names one unit; sorts by the run, which sorts by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitId {
    /// Id of the run.
    pub run: String,
    /// Id of the check.
    pub check: String,
    /// Which repeat, from 1.
    pub repeat: u32,
}

/// Holds one line of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Unit {
    /// Format and version of the line.
    pub format: String,
    /// Id of the run.
    pub run: String,
    /// Id of the check.
    pub check: String,
    /// Which repeat, from 1.
    pub repeat: u32,
    /// When the run started, RFC 3339 in UTC.
    pub started_at: String,
    /// When the attempt started, since the run's start. *Units*: ms.
    pub at_ms: u64,
    /// Host name of the machine that answered.
    pub machine: String,
    /// Boot of that machine: units of one boot are one session. Absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// Digest of probe and parameters; values across two of them are not comparable.
    pub definition: String,
    /// Version of verify that measured: it is part of the ruler. Absent in old lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_by: Option<String>,
    /// By what way the machine was asked, `local` or `ssh`: a time that the asking machine takes
    /// holds the way. Absent in old lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// What the machine was made of, as far as the probe depends on it. Absent in old lines.
    #[serde(default, skip_serializing_if = "Fingerprint::is_empty")]
    pub fingerprint: Fingerprint,
    /// Run with which the epoch began.
    pub epoch: String,
    /// Why it was accepted.
    pub reason: String,
    /// Version of verify that accepted it.
    pub accepted_by: String,
    /// Run with which the anchor began anew; absent where it is as at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
    /// Metrics that it measured and that were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// What was measured, by name.
    pub metrics: BTreeMap<String, Sampled>,
}

/// Holds the summary of one metric of one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sampled {
    /// Unit of measure of all values.
    pub unit: String,
    /// Which way is better; absent for a fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Number of samples.
    pub n: usize,
    /// Quantiles of type 7, by name.
    pub quantiles: BTreeMap<String, f64>,
    /// Correlation of successive samples: a flag of quality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_1: Option<f64>,
    /// Logarithm of the median of the last third over that of the first: a flag of quality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trend: Option<f64>,
    /// All samples; absent for a fact and where one is negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Histogram>,
}

impl Sampled {
    /// Returns what kind of quantity it is; `None` for a unit that nobody knows.
    pub(super) fn dimension(&self) -> Option<Dimension> {
        UnitOfMeasure::parse(&self.unit).map(UnitOfMeasure::dimension)
    }
}

impl Unit {
    /// Returns the id.
    pub fn id(&self) -> UnitId {
        UnitId { run: self.run.clone(), check: self.check.clone(), repeat: self.repeat }
    }

    /// Returns the value of a dotted path: the median of a metric, or a named summary of it.
    pub fn value(&self, path: &str) -> Option<Quantity> {
        let (sampled, name) = self.find(path)?;
        let unit = if name == SPREAD { SPREAD_UNIT } else { &sampled.unit };
        let unit = UnitOfMeasure::parse(unit)?;
        let exact = sampled.quantiles.get(name).copied();
        let value = exact.or_else(|| sampled.histogram.as_ref()?.quantile(name, unit))?;
        Quantity::new(value, unit).ok()
    }

    /// Names what people are shown of it: every metric, and the quantiles that a check asks for.
    pub fn shown(&self) -> Vec<(String, Option<Direction>)> {
        let mut shown = Vec::new();
        for (name, sampled) in &self.metrics {
            // The median is the metric itself; quartiles and extremes are for the curious.
            let extra = sampled.quantiles.keys().filter(|q| q.starts_with('p') || *q == SPREAD);
            let extra = extra.filter(|q| !matches!(q.as_str(), "p25" | "p75"));
            let paths = std::iter::once(name.clone()).chain(extra.map(|q| format!("{name}.{q}")));
            shown.extend(paths.map(|path| (path, sampled.direction)));
        }
        shown
    }

    /// Returns what was said when it was accepted; the rest of a unit is what was measured.
    pub(super) fn acceptance(&self) -> (&str, &str, &str) {
        (&self.epoch, &self.reason, &self.accepted_by)
    }

    /// Tells whether two units are of one attempt, whichever version wrote them down.
    pub(super) fn is_same_attempt(&self, other: &Self) -> bool {
        let of = |unit: &Self| (unit.id(), unit.started_at.clone(), unit.at_ms);
        let what = |unit: &Self| (unit.machine.clone(), unit.definition.clone());
        of(self) == of(other) && what(self) == what(other)
    }

    /// Tells whether two units hold the same, whatever was said when they were accepted.
    pub(super) fn measures_as(&self, other: &Self) -> bool {
        let (epoch, reason, accepted_by) = other.acceptance();
        // A version that gathered none says nothing against one that did.
        let told = self.fingerprint.is_empty() || other.fingerprint.is_empty();
        let print = if told { other } else { self };
        let worded = Self {
            format: print.format.clone(),
            fingerprint: print.fingerprint.clone(),
            epoch: epoch.to_owned(),
            reason: reason.to_owned(),
            accepted_by: accepted_by.to_owned(),
            ..self.clone()
        };
        worded == *other
    }

    /// Brings two units of one attempt together, of which each may lack metrics that were refused when
    /// it was accepted; the words are those of the later one. `None` where they contradict each other.
    pub(super) fn joined(&self, other: &Self) -> Option<Self> {
        let is_held = |unit: &Self, name: &String| {
            unit.metrics.contains_key(name) || unit.withheld.contains(name)
        };
        let known = self.metrics.keys().all(|name| is_held(other, name))
            && other.metrics.keys().all(|name| is_held(self, name));
        let mut shared = self.metrics.iter().filter_map(|(n, m)| Some((m, other.metrics.get(n)?)));
        let is_alike = shared.all(|(one, other)| one == other);
        let bare = |unit: &Self| Self {
            metrics: BTreeMap::new(),
            withheld: Vec::new(),
            anchor: None,
            ..unit.clone()
        };
        if !known || !is_alike || !bare(self).measures_as(&bare(other)) {
            return None;
        }
        let words = |unit: &Self| {
            let (epoch, reason, accepted_by) = unit.acceptance();
            (epoch.to_owned(), unit.anchor.clone(), reason.to_owned(), accepted_by.to_owned())
        };
        let (later, earlier) =
            if words(self) < words(other) { (other, self) } else { (self, other) };
        let mut joined = later.clone();
        joined.metrics.extend(earlier.metrics.clone());
        joined.withheld.extend(earlier.withheld.clone());
        joined.withheld.retain(|name| !joined.metrics.contains_key(name));
        joined.withheld.sort();
        joined.withheld.dedup();
        Some(joined)
    }

    /// Takes out metrics that are refused.
    pub(super) fn withhold(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            if self.metrics.remove(&name).is_some() {
                self.withheld.push(name);
            }
        }
        self.withheld.sort();
    }

    /// Returns the name of the metric to which a dotted path belongs, and which way is better.
    pub(super) fn metric_of(&self, path: &str) -> Option<(&str, Option<Direction>)> {
        let of = |name: &String| {
            path.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut found = self.metrics.iter().filter(|(name, _)| of(name));
        found.next_back().map(|(name, sampled)| (name.as_str(), sampled.direction))
    }

    fn find<'p>(&self, path: &'p str) -> Option<(&Sampled, &'p str)> {
        if let Some(sampled) = self.metrics.get(path) {
            return Some((sampled, "median"));
        }
        let mut dots = path.match_indices('.');
        dots.find_map(|(at, _)| Some((self.metrics.get(&path[..at])?, &path[at + 1..])))
    }

    /// Says what keeps a line from being a unit, in one sentence.
    pub(super) fn fault(&self) -> Option<String> {
        if self.metrics.is_empty() {
            return Some("it has no metric".to_owned());
        }
        if self.format == PLAIN_FORMAT && !self.fingerprint.is_empty() {
            return Some(format!("`{PLAIN_FORMAT}` has no `fingerprint`"));
        }
        if self.format == PLAIN_FORMAT && (self.anchor.is_some() || !self.withheld.is_empty()) {
            return Some(format!("`{PLAIN_FORMAT}` has neither `anchor` nor `withheld`"));
        }
        // What is no id would sort as the newest for ever.
        let anchor = self.anchor.iter().map(|anchor| ("anchor", anchor));
        for (key, id) in [("run", &self.run), ("epoch", &self.epoch)].into_iter().chain(anchor) {
            if !is_id(id) {
                return Some(format!("`{key}` is no id of a run"));
            }
        }
        for (name, sampled) in &self.metrics {
            if UnitOfMeasure::parse(&sampled.unit).is_none() {
                return Some(format!("`{name}` has the unknown unit `{}`", sampled.unit));
            }
            if sampled.n == 0 || !sampled.quantiles.contains_key("median") {
                return Some(format!("`{name}` has no sample or no median"));
            }
        }
        None
    }
}

/// Tells whether a text is an id that a run may have: 26 digits and capitals.
pub(super) fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    text.len() == 26 && text.bytes().all(is_plain)
}

/// Returns the fields on which the metrics of a check depend, and the format of a line with them.
pub(super) fn fingerprint(check: &Check, whole: &Fingerprint) -> (Fingerprint, &'static str) {
    let depends = probes::find(&check.probe).map_or(&[][..], |probe| probe.spec().depends);
    let own = whole.of(depends);
    let format = if own.is_empty() { PLAIN_FORMAT } else { LEDGER_FORMAT };
    (own, format)
}

/// Returns the digest of what makes two values comparable: the probe and its parameters.
pub fn definition(check: &Check) -> String {
    let parameters = serde_json::to_string(&check.with).unwrap_or_default();
    digest(format!("{}\n{parameters}", check.probe).as_bytes())
}

/// Summarises what an attempt measured: every metric that the check judges or records, and every
/// fact that it compares with a baseline.
pub fn metrics(check: &Check, attempt: &Attempt) -> BTreeMap<String, Sampled> {
    let Ok(observation) = &attempt.result else { return BTreeMap::new() };
    let fields = fields(check);
    let mut found = BTreeMap::new();
    for (name, metric) in &observation.metrics {
        let named = fields.iter().filter_map(|field| field.strip_prefix(name.as_str()));
        let named: Vec<&str> =
            named.filter(|rest| rest.is_empty() || rest.starts_with('.')).collect();
        if !named.is_empty() {
            let summaries: Vec<&str> = named.iter().filter_map(|r| r.strip_prefix('.')).collect();
            found.insert(name.clone(), sampled(metric, &summaries));
        }
    }
    for (name, fact) in compared_facts(check, observation) {
        found.insert(name, fact);
    }
    found
}

/// Names every field that a check judges or records.
pub(super) fn fields(check: &Check) -> Vec<&str> {
    let demands = check.expect.iter().chain(&check.advise).map(|e| e.field.as_str());
    demands.chain(check.record.iter().map(String::as_str)).collect()
}

fn compared_facts<'c>(
    check: &'c Check,
    observation: &'c Observation,
) -> impl Iterator<Item = (String, Sampled)> + 'c {
    let demands = check.expect.iter().chain(&check.advise);
    let compared = demands.filter(|e| e.matchers.iter().any(|m| matches!(m, Matcher::Within(_))));
    compared.filter_map(|expectation| {
        let field = &expectation.field;
        if observation.metric_at(field).is_some() {
            return None;
        }
        let Value::Quantity(quantity) = observation.resolve(field) else { return None };
        let fact = Sampled {
            unit: quantity.unit().symbol().to_owned(),
            direction: None,
            n: 1,
            quantiles: BTreeMap::from([("median".to_owned(), quantity.value())]),
            lag_1: None,
            trend: None,
            histogram: None,
        };
        Some((field.clone(), fact))
    })
}

fn sampled(metric: &Metric, summaries: &[&str]) -> Sampled {
    let samples = metric.samples();
    let mut names = vec!["median"];
    if samples.len() > 1 {
        names.extend(["min", "p25", "p75", "max"]);
    }
    names.extend(summaries);
    let quantiles = names
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), metric.summary(name)?.value())))
        .collect();
    Sampled {
        unit: metric.unit().symbol().to_owned(),
        direction: Some(metric.direction()),
        n: samples.len(),
        quantiles,
        lag_1: lag_1(samples),
        trend: trend(samples),
        histogram: Histogram::of(metric),
    }
}

/// Correlates successive samples; absent where there are few or all are equal.
fn lag_1(samples: &[f64]) -> Option<f64> {
    if samples.len() < LAG_SAMPLES {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "no attempt has 2^53 samples")]
    let mean = samples.iter().sum::<f64>() / samples.len() as f64;
    let square = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    let neighbours = samples.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean));
    Some(neighbours.sum::<f64>() / square).filter(|r| r.is_finite())
}

fn trend(samples: &[f64]) -> Option<f64> {
    if samples.len() < TREND_SAMPLES {
        return None;
    }
    let third = samples.len() / 3;
    let (first, last) = (&samples[..third], &samples[samples.len() - third..]);
    Some((quantile(last, 0.5) / quantile(first, 0.5)).ln()).filter(|trend| trend.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_samples_shows_in_lag_and_trend() {
        let rising: Vec<f64> = (1..=9).map(f64::from).collect();
        assert!(lag_1(&rising).unwrap() > 0.5);
        assert!((trend(&rising).unwrap() - 4_f64.ln()).abs() < 1e-12);
        let swinging = [1.0, 2.0, 1.0, 2.0, 1.0, 2.0];
        assert!(lag_1(&swinging).unwrap() < -0.5);
        assert!((trend(&swinging).unwrap()).abs() < 1e-12);
        assert_eq!((lag_1(&[5.0; 9]), trend(&[0.0; 9])), (None, None));
        assert_eq!((lag_1(&[1.0, 2.0]), trend(&[1.0, 2.0])), (None, None));
    }
}
