//! The figures: from the exported times, with the printed summary as their witness.

use serde_json::Value as Json;
use verify_model::{
    field::FieldKind,
    metric::{Direction, Metric},
    observation::Observation,
    unit::Unit,
    value::Value,
};

use super::{SAME, field::FIELDS};
use crate::{
    gathered::count,
    parse::trtexec::{
        log::{Log, Row},
        percentile,
        times::Times,
    },
};

/// Fewest queries of which a 99th percentile is one.
const LEAST: usize = 100;
/// How far an exported and a printed time may differ: both have six significant digits.
const TOLERANCE: f64 = 2e-5;
/// How far the mean of the host may be below that of the card. *Source*: rounding, and the first
/// and last query, which the wall time holds in part.
const SLACK: f64 = 0.98;

/// Holds what was measured. *Units*: ms.
pub(super) struct Measured {
    times: Times,
    gpu_p99: f64,
    latency_p99: f64,
    enqueue: Row,
    throughput: Option<f64>,
}

impl Measured {
    /// Takes the times, once they and the summary agree; `warm_up`: those of it are exported, too.
    ///
    /// *Errors*: there are too few, or other ones than the summary is about, in one sentence.
    pub(super) fn of(
        mut times: Times,
        log: &Log,
        asked: u64,
        warm_up: bool,
    ) -> Result<Self, String> {
        let exported = times.compute.len();
        let counted = log.queries.ok_or("trtexec does not say how many queries it timed")?;
        let counted = usize::try_from(counted).unwrap_or(usize::MAX);
        if counted == 0 || exported == 0 {
            return Err(format!("trtexec timed {counted} queries and exported {exported}"));
        }
        if counted > exported {
            return Err(format!("trtexec timed {counted} queries, and exported only {exported}"));
        }
        if counted < exported && !warm_up {
            return Err(format!("trtexec timed {counted} queries, and exported {exported}"));
        }
        // The warm-up comes first.
        for list in [&mut times.compute, &mut times.latency, &mut times.to_device] {
            list.drain(..exported - counted);
        }
        let enough = usize::try_from(asked).unwrap_or(usize::MAX).max(LEAST);
        if counted < enough - enough / 50 {
            return Err(format!("trtexec timed {counted} queries where {enough} were asked for"));
        }
        if times.to_device.iter().all(|time| *time == 0.0) {
            return Err("every transfer to the card took 0 ms: there was none".to_owned());
        }
        let gpu_p99 = witnessed("GPU Compute Time", &times.compute, log)?;
        let latency_p99 = witnessed("Latency", &times.latency, log)?;
        let enqueue = log.rows.get("Enqueue Time").cloned().unwrap_or_default();
        Ok(Self { times, gpu_p99, latency_p99, enqueue, throughput: log.throughput })
    }

    /// Returns the answer.
    pub(super) fn observation(&self, version: &str, log: &Log, options: &[Json]) -> Observation {
        let said = |key: &str| match log.options.get(key).filter(|text| !text.is_empty()) {
            Some(text) => Value::text(text),
            None => Value::Unreadable(format!("trtexec does not say `{key}`")),
        };
        let list = |texts: Vec<String>| Value::List(texts.into_iter().map(Value::Text).collect());
        let conditions = SAME.map(|(key, wanted)| format!("{key}: {wanted}"));
        let options = options.iter().filter_map(|text| text.as_str().map(str::to_owned));
        let seen = Observation::default()
            .fact("version", Value::text(version))
            .fact("device", said("Selected Device"))
            .fact("precision", said("Precision"))
            .fact("options", list(options.collect()))
            .fact("conditions", list(conditions.to_vec()))
            .fact("queries", count(self.times.compute.len()))
            .fact("warnings", list(log.warnings.clone()));
        let all = |times: &[f64]| times.iter().map(|ms| micro(*ms)).collect::<Vec<_>>();
        let one = |ms: Result<f64, Value>| ms.map(|ms| vec![micro(ms)]);
        let figures = [
            ("gpu", Ok(all(&self.times.compute))),
            ("latency", Ok(all(&self.times.latency))),
            ("gpu-p99", one(Ok(self.gpu_p99))),
            ("latency-p99", one(Ok(self.latency_p99))),
            ("enqueue-p99", one(submitting("p99", self.enqueue.p99))),
            ("host-mean", one(self.host_mean())),
            ("host-p99", one(self.host_p99())),
            ("throughput", self.throughput().map(|rate| vec![rate])),
            ("resolution", one(self.resolution())),
            ("spread", Ok(vec![self.spread()])),
        ];
        figures.into_iter().fold(seen, |seen, (name, samples)| {
            let metric = samples.and_then(|samples| {
                metric(name, samples).ok_or_else(|| Value::Unreadable("no number".to_owned()))
            });
            match metric {
                Ok(metric) => seen.metric(name, metric),
                Err(why) => seen.fact(name, why),
            }
        })
    }

    fn throughput(&self) -> Result<f64, Value> {
        let rate = self.throughput.filter(|rate| *rate > 0.0);
        rate.ok_or_else(|| Value::Unreadable("trtexec gives no throughput above 0".to_owned()))
    }

    /// Returns the mean time from one query's submission to the next one's.
    fn host_mean(&self) -> Result<f64, Value> {
        let (host, latency) = (1e3 / self.throughput()?, mean(&self.times.latency));
        if host < latency * SLACK {
            return Err(Value::Unreadable(format!(
                "by its throughput a query takes {host:.6} ms, less than its mean latency of {latency:.6} ms: queries overlapped, and the host waited for none"
            )));
        }
        Ok(host)
    }

    /// Estimates what 99 % of the queries took, seen from the host.
    fn host_p99(&self) -> Result<f64, Value> {
        let omitted = (self.host_mean()? - mean(&self.times.latency)).max(0.0);
        let p99 = submitting("p99", self.enqueue.p99)?;
        let spread = p99 - submitting("mean", self.enqueue.mean)?;
        Ok(self.latency_p99 + omitted + spread.max(0.0))
    }

    /// Returns the least step between different times.
    fn resolution(&self) -> Result<f64, Value> {
        let sorted = sorted(&self.times.compute);
        let steps = sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0);
        let why = || Value::Absent("every query took the same time".to_owned());
        steps.min_by(f64::total_cmp).ok_or_else(why)
    }

    /// Returns the coefficient of variance. *Units*: %.
    fn spread(&self) -> f64 {
        let times = &self.times.compute;
        let middle = mean(times);
        let squares: Vec<f64> = times.iter().map(|time| (time - middle).powi(2)).collect();
        mean(&squares).sqrt() / middle * 100.0
    }
}

/// Returns a number of the time to submit a query, which only the summary has.
fn submitting(what: &str, number: Option<f64>) -> Result<f64, Value> {
    let why = || format!("trtexec gives no {what} of its enqueue time (8.4 or newer does)");
    number.ok_or_else(|| Value::Unreadable(why()))
}

/// Returns the 99th percentile, where the summary has the same.
///
/// *Errors*: the summary lacks it, or has another.
fn witnessed(name: &str, times: &[f64], log: &Log) -> Result<f64, String> {
    let sorted = sorted(times);
    let own = [
        ("min", percentile::of(&sorted, 0.0), log.rows.get(name).and_then(|row| row.min)),
        ("max", percentile::of(&sorted, 100.0), log.rows.get(name).and_then(|row| row.max)),
        ("p99", percentile::of(&sorted, 99.0), log.rows.get(name).and_then(|row| row.p99)),
    ];
    for (what, exported, printed) in own {
        let exported = exported.ok_or_else(|| format!("there is no {what} of {name}"))?;
        let printed =
            printed.ok_or_else(|| format!("the summary of trtexec has no {what} of {name}"))?;
        if (exported - printed).abs() > TOLERANCE * exported.max(printed) {
            return Err(format!(
                "{what} of {name} is {exported} ms by the exported times and {printed} ms by the summary of trtexec"
            ));
        }
    }
    percentile::of(&sorted, 99.0).ok_or_else(|| format!("there is no p99 of {name}"))
}

fn sorted(times: &[f64]) -> Vec<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[expect(clippy::cast_precision_loss, reason = "nobody times 2^53 queries")]
fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

/// Turns ms into us, without digits that only the conversion would add.
fn micro(ms: f64) -> f64 {
    (ms * 1e9).round() / 1e6
}

/// Builds a metric as its field declares it.
fn metric(name: &str, samples: Vec<f64>) -> Option<Metric> {
    let field = FIELDS.iter().find(|field| field.path == name)?;
    let (symbol, direction): (&str, Direction) = match (field.kind)() {
        FieldKind::Metric(symbol, direction) => (symbol, direction),
        _ => return None,
    };
    Metric::new(Unit::parse(symbol)?, direction, samples).ok()
}
