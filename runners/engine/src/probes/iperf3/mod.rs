//! Answers how much a link carries, by iperf3 with a server on one end and a client on the other.
//!
//! A way over a gateway is an answer before anything is sent; the rest is then absent. What is not
//! a whole result is none, whatever iperf3 ended with. Where a machine had other work, the figures
//! are left unjudged. Each direction is measured on its own, since a fault may be in one alone. How
//! the numbers come about and mislead stands in METHOD.md.

mod field;
mod measured;
mod observed;

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    finding::FindingCode,
    fingerprint::Depends,
    link::{End, Link, Transfer},
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
};

use self::field::FIELDS;
pub(super) use self::measured::Measured;
use crate::probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed};

pub(super) struct Iperf3;

/// How long is measured and omitted unless a suite says so. *Units*: s.
const SECONDS: i64 = 10;
const OMIT_S: i64 = 2;
/// Connections side by side: one alone gave false alarms. *Source*: METHOD.md.
const STREAMS: i64 = 4;
/// Share of a machine that must be idle before. *Source*: METHOD.md.
const IDLE: f64 = 0.97;
/// What a node has to itself.
const LOOPBACK: &str = "127.0.0.1";
/// Bounds all transfers unless a check says so. *Units*: ms.
const LIMIT_MS: u64 = 120_000;

const fn param(name: &'static str, kind: ParamKind, doc: &'static str) -> ParamSpec {
    ParamSpec { name, kind, required: false, doc }
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "iperf3",
    summary: "How much a link between two nodes carries, each direction on its own, by iperf3.",
    effect: Effect::Loads,
    depends: &[
        Depends::ruler("tool.iperf3"),
        Depends::cause("nic"),
        Depends::cause("cpu"),
        Depends::cause("bios"),
        Depends::cause("kernel"),
    ],
    params: &[
        param("link", ParamKind::Link, "Link of this node; the node's own loopback unless given."),
        param("seconds", ParamKind::Integer, "Seconds of a transfer, 1 to 300; 10 unless given."),
        param("omit", ParamKind::Integer, "Seconds before those, 0 to 60; 2 unless given."),
        param("streams", ParamKind::Integer, "Connections side by side, 1 to 128; 4 unless given."),
        param("single", ParamKind::Bool, "Measures one connection alone, too; not unless given."),
        param(
            "idle",
            ParamKind::Quantity("%"),
            "Share of both machines that must be idle before; 97 % unless given.",
        ),
        param(
            "threads",
            ParamKind::Choice(&["shared", "per-stream"]),
            "What iperf3 must be on both ends: up to 3.15 all streams share one thread. A baseline is of one of them only where this is given.",
        ),
    ],
    fields: FIELDS,
    example: r#"with = { link = "nvidia-macmini", single = true }
expect = { throughput = { at-least = "9.4 Gbit/s" }, "route.direct" = true }"#,
};

/// Holds how a link is measured.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    seconds: u32,
    omit_s: u32,
    streams: u32,
    single: bool,
    idle: f64,
}

impl Manner {
    /// Reads the parameters.
    ///
    /// *Errors*: one is out of range, in one sentence.
    pub(super) fn of(with: With<'_>) -> Result<Self, String> {
        let number = |name: &str, usual: i64, range: std::ops::RangeInclusive<i64>| {
            let number = with.integer(name).unwrap_or(usual);
            let fits =
                Some(number).filter(|n| range.contains(n)).and_then(|n| u32::try_from(n).ok());
            let (low, high) = range.into_inner();
            fits.ok_or_else(|| format!("`{name}` is {number}; {low} to {high} can be measured"))
        };
        let idle = with.quantity("idle").map_or(IDLE, Quantity::base);
        if !(0.0..=1.0).contains(&idle) {
            return Err("`idle` is from 0 % to 100 %".to_owned());
        }
        Ok(Self {
            seconds: number("seconds", SECONDS, 1..=300)?,
            omit_s: number("omit", OMIT_S, 0..=60)?,
            streams: number("streams", STREAMS, 1..=128)?,
            single: with.flag("single"),
            idle,
        })
    }

    /// Returns the ask for one link.
    pub(super) fn ask(self, link: Option<&Link>) -> Ask {
        let loopback = End { address: LOOPBACK.to_owned(), ..End::default() };
        let ends = match link {
            Some(link) => link.ends.clone(),
            None => [loopback.clone(), loopback],
        };
        Ask::Between {
            ends,
            transfers: self.transfers(),
            seconds: self.seconds,
            omit_s: self.omit_s,
            limit_ms: LIMIT_MS,
        }
    }

    fn transfers(self) -> Vec<Transfer> {
        let both = |streams| [false, true].map(|inbound| Transfer { streams, inbound });
        let mut transfers = both(self.streams).to_vec();
        if self.single && self.streams > 1 {
            transfers.extend(both(1));
        }
        transfers
    }
}

impl Probe for Iperf3 {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Manner::of(with)?.ask(with.link("link").as_ref())])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [piece] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "the link was not measured"));
        };
        let manner = Manner::of(with).map_err(|why| failed(FindingCode::BadParameter, why))?;
        let link = with.link("link");
        let measured = Measured::read(piece, link.as_ref(), manner)?;
        if let Some(wanted) = with.text("threads") {
            measured.demand_threads(wanted)?;
        }
        Ok(measured.observation(link.as_ref()))
    }
}
