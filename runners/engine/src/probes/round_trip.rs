//! Answers how long a word takes to a node and back, and how far its clock is from that of the machine
//! that asks.
//!
//! Words go through the open connection one after the other, so no login is in a time; ssh's own
//! cryptography and two processes that wake up are. The node's answer was given at some moment of a
//! round, so the offset is known to half of the quickest round (RFC 5905, 8: the delay bounds the
//! error). Asked of the machine itself, there is no way between, and nothing to say.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence, Round},
    field::FieldKind::{Metric as Measure, Quantity as Amount},
    finding::FindingCode,
    fingerprint::Depends,
    metric::{Direction, Metric},
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    unit::Unit,
    value::Value,
};

use crate::probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, gather_error};

pub(super) struct RoundTrip;

/// Rounds, unless given.
const ROUNDS: i64 = 100;
/// More tell nothing that these do not, and each is a sample of the record.
const ROUNDS_MOST: i64 = 2_000;
/// Rounds that find the way: the first ones wake up what sleeps.
const WARM: usize = 2;
/// Time for all rounds. *Units*: ms.
const LIMIT_MS: u64 = 60_000;

const ECHO: &str = "lines over ssh, answered by bash, zsh, perl or date";

static SPEC: ProbeSpec = ProbeSpec {
    name: "round-trip",
    summary: "How long a word takes to a node and back over ssh, and how far its clock is off.",
    effect: Effect::Reads,
    depends: &[Depends::cause("cpu"), Depends::cause("nic"), Depends::cause("kernel")],
    params: &[ParamSpec {
        name: "rounds",
        kind: ParamKind::Integer,
        required: false,
        doc: "How many words are sent; 100 unless given, at least 10.",
    }],
    fields: &[
        field(
            "round-trip",
            || Measure("ms", Direction::LowerIsBetter),
            ECHO,
            "Time of each round, ssh's own work included.",
        ),
        field(
            "clock-offset",
            || Amount("ms"),
            ECHO,
            "Clock of the node less that of the machine that asks; best estimate, signed.",
        ),
        field("clock-bound", || Amount("ms"), ECHO, "How far the estimate may be wrong."),
        field(
            "clock-off-at-least",
            || Amount("ms"),
            ECHO,
            "How far the clocks are surely apart: the estimate's size less its bound, or 0.",
        ),
        field(
            "clock-off-at-most",
            || Amount("ms"),
            ECHO,
            "How far they may be apart: the estimate's size and its bound.",
        ),
    ],
    example: r#"expect = { "clock-off-at-least" = { at-most = "128 ms" } }
record = ["round-trip"]"#,
};

impl Probe for RoundTrip {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let rounds = with.integer("rounds").unwrap_or(ROUNDS);
        let rounds = u32::try_from(rounds).ok().filter(|_| (10..=ROUNDS_MOST).contains(&rounds));
        let rounds = rounds.ok_or(format!("`rounds` is from 10 to {ROUNDS_MOST}"))?;
        Ok(vec![Ask::Echo { rounds, limit_ms: LIMIT_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let Some(piece) = evidence.first() else {
            return Err(failed(FindingCode::NotRecorded, "no word was sent"));
        };
        let rounds = match &piece.captured {
            Captured::Rounds(rounds) => rounds,
            Captured::Failed(failure) => return Err(gather_error(piece, failure)),
            _ => return Err(unreadable(piece, "no rounds")),
        };
        let asked = if let Ask::Echo { rounds, .. } = &piece.ask { *rounds as usize } else { 0 };
        if rounds.len() != asked || rounds.len() <= WARM {
            let message = format!("{} of {asked} words came back", rounds.len());
            return Err(unreadable(piece, &message));
        }
        let counted = &rounds[WARM..];
        let times = counted.iter().map(|round| ms(round.elapsed_ns)).collect();
        let unit = Unit::parse("ms").ok_or_else(|| unreadable(piece, "no unit"))?;
        let metric = Metric::new(unit, Direction::LowerIsBetter, times);
        let metric = metric.map_err(|error| unreadable(piece, &error.to_string()))?;
        let Some(best) = counted.iter().min_by_key(|round| round.elapsed_ns) else {
            return Err(unreadable(piece, "no rounds"));
        };
        let (offset, bound) = (offset_ms(best), ms(best.elapsed_ns) / 2.0);
        Ok(Observation::default()
            .metric("round-trip", metric)
            .fact("clock-offset", amount(offset))
            .fact("clock-bound", amount(bound))
            .fact("clock-off-at-least", amount((offset.abs() - bound).max(0.0)))
            .fact("clock-off-at-most", amount(offset.abs() + bound)))
    }
}

fn unreadable(piece: &Evidence, why: &str) -> AttemptError {
    failed(FindingCode::OutputUnreadable, format!("{}: {why}", piece.ask))
}

fn amount(ms: f64) -> Value {
    Quantity::of(ms, "ms")
        .map_or_else(|error| Value::Unreadable(error.to_string()), Value::Quantity)
}

#[expect(clippy::cast_precision_loss, reason = "a round lasts minutes at most")]
fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// Estimates the offset of the node's clock: its time against the middle of the round.
#[expect(clippy::cast_precision_loss, reason = "an offset of centuries need not be exact")]
fn offset_ms(round: &Round) -> f64 {
    let apart = i128::from(round.said_us) - i128::from(round.sent_us);
    apart as f64 / 1e3 - ms(round.elapsed_ns) / 2.0
}
