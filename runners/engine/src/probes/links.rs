//! Answers what every link that the node files declare carries, whoever its ends are.
//!
//! The node that is asked need be no end: it is the one from which all are reached. One link after
//! the other, since two that share a node would take each other's cpus. A link that gives no answer
//! is unreadable by itself; the others are answered. Each is measured as `iperf3` does it.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Bool, List, Quantity as Amount},
    finding::FindingCode,
    link::Link,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use super::iperf3::{Manner, Measured};
use crate::probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, texts};

pub(super) struct Links;

const DECLARED: &str = "[[link]] of the node files";
const ROUTE: &str = "ip -j route get PEER on both ends";
const CLIENT: &str = "iperf3 between both ends";

fn flags() -> FieldKind {
    List(Box::new(Bool))
}

fn rates() -> FieldKind {
    List(Box::new(Amount("Gbit/s")))
}

fn shares() -> FieldKind {
    List(Box::new(Amount("%")))
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "links",
    summary: "What every declared link carries, in the slower of both directions.",
    effect: Effect::Loads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "links",
            kind: ParamKind::Links,
            required: true,
            doc: "Names of links; `*` stands for any part of a name.",
        },
        ParamSpec {
            name: "seconds",
            kind: ParamKind::Integer,
            required: false,
            doc: "Seconds of a transfer, 1 to 300; 10 unless given.",
        },
    ],
    fields: &[
        field("links.name", texts, DECLARED, "Name of each link."),
        field("links.ends", texts, DECLARED, "Its two nodes."),
        field("links.direct", flags, ROUTE, "Whether both ends reach each other directly."),
        field("links.outbound", rates, CLIENT, "What arrived at the second end."),
        field("links.inbound", rates, CLIENT, "What arrived at the first end."),
        field("links.slower", texts, CLIENT, "`outbound` or `inbound`."),
        field(
            "links.share",
            shares,
            CLIENT,
            "The slower direction, as a share of what declared speed and MTU leave for data.",
        ),
    ],
    example: r#"with = { links = "*" }
expect = { "links.share" = { every = { at-least = "99.8 %" } } }"#,
};

impl Probe for Links {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let manner = Manner::of(with)?;
        let links = with.links("links");
        if links.is_empty() {
            return Err("there is no link to measure".to_owned());
        }
        Ok(links.iter().map(|link| manner.ask(Some(link))).collect())
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let manner = Manner::of(with).map_err(|why| failed(FindingCode::BadParameter, why))?;
        let links = with.links("links");
        if links.is_empty() || links.len() != evidence.len() {
            return Err(failed(FindingCode::NotRecorded, "a link was not measured"));
        }
        let mut found = Vec::new();
        let mut errors = Vec::new();
        for (link, piece) in links.iter().zip(evidence) {
            let measured = Measured::read(piece, Some(link), manner);
            let measured = measured.map_err(|error| {
                let message = format!("{}: {}", link.name, error.message);
                errors.push(failed(error.code, message.clone()));
                message
            });
            found.push(shown(link, &measured));
        }
        // What was measured under other conditions is no measure for the whole.
        let unheld = errors.iter().find(|error| error.code == FindingCode::ConditionsNotHeld);
        let none = (errors.len() == links.len()).then(|| errors.first()).flatten();
        match unheld.or(none) {
            Some(error) => Err(error.clone()),
            None => Ok(Observation::default().fact("links", Value::List(found))),
        }
    }
}

fn shown(link: &Link, measured: &Result<Measured, String>) -> Value {
    let [one, other] = &link.ends;
    let quantity = |value: f64, unit: &str| {
        Quantity::of(value, unit)
            .map_or_else(|error| Value::Unreadable(error.to_string()), Value::Quantity)
    };
    let read = |value: &dyn Fn(&Measured) -> Value| match measured {
        Ok(measured) => value(measured),
        Err(why) => Value::Unreadable(why.clone()),
    };
    let rate = |at: usize| {
        read(&|measured| match measured.rates() {
            Some(rates) => quantity(rates[at] / 1e9, "Gbit/s"),
            None => measured.unsent(),
        })
    };
    Value::record([
        ("name", Value::text(&link.name)),
        ("ends", Value::Text(format!("{}, {}", one.node, other.node))),
        ("direct", read(&|measured| Value::Bool(measured.is_direct()))),
        ("outbound", rate(0)),
        ("inbound", rate(1)),
        (
            "slower",
            read(&|measured| match measured.slower() {
                Some((_, which)) => Value::text(which),
                None => measured.unsent(),
            }),
        ),
        (
            "share",
            read(&|measured| match (measured.slower(), measured.share(link)) {
                (None, _) => measured.unsent(),
                (Some(_), Ok(share)) => quantity(share * 100.0, "%"),
                (Some(_), Err(why)) => Value::Unreadable(why),
            }),
        ),
    ])
}
