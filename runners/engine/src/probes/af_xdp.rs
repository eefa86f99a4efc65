//! Answers whether a program can have an `AF_XDP` socket, and which interfaces can do XDP.
//!
//! An instrument makes the socket with its rings and binds it to loopback in copy mode. A
//! zero-copy bind resets a queue of the card, so what drivers can do is taken from what they say.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::Text,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use crate::{
    parse::instrument,
    probe::{Probe, ProbeSpec, With, field, texts},
};

pub(super) struct AfXdp;

const NAME: &str = "af-xdp";
const SAID: &str = "generic netlink, netdev dev-get, xdp-features";
/// Limit of the instrument, which takes milliseconds. *Units*: ms.
const LIMIT_MS: u64 = 10_000;

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "Whether a program can have an AF_XDP socket, and which interfaces can do XDP.",
    effect: Effect::Reads,
    depends: &[],
    params: &[],
    fields: &[
        field(
            "socket",
            || Text,
            "verify instrument af-xdp",
            "`bound` in copy mode to loopback, or what refused the socket, its rings or that.",
        ),
        field("interfaces", texts, SAID, "Each interface and what its driver can do with XDP."),
        field(
            "native",
            texts,
            SAID,
            "Interfaces of a device whose driver runs XDP programs and redirects to sockets.",
        ),
        field("zero-copy", texts, SAID, "Interfaces of a device whose driver needs no copy."),
    ],
    example: r#"expect = { socket = "bound", native = { count = { at-least = 1 } } }"#,
};

impl Probe for AfXdp {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, _with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        Ok(vec![Ask::Instrument { argv: vec![NAME.to_owned()], limit_ms: LIMIT_MS }])
    }

    fn read(&self, _with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let result = instrument::gathered(evidence, NAME)?;
        let socket = match result.get("socket") {
            Some(part) => instrument::part(part, bound),
            None => Value::Unreadable("the instrument says nothing of the socket".to_owned()),
        };
        let interfaces = interfaces(&result);
        let lines = match &interfaces {
            Ok(all) => texts_of(all.iter().map(Interface::line)),
            Err(why) => Value::Unreadable(why.clone()),
        };
        Ok(Observation::default()
            .fact("socket", socket)
            .fact("interfaces", lines)
            .fact("native", able(&interfaces, &["basic", "redirect"]))
            .fact("zero-copy", able(&interfaces, &["basic", "redirect", "xsk-zerocopy"])))
    }
}

fn texts_of(texts: impl Iterator<Item = String>) -> Value {
    Value::List(texts.map(Value::Text).collect())
}

/// Lists the interfaces of a device whose driver can do all of some things.
fn able(interfaces: &Result<Vec<Interface<'_>>, String>, words: &[&str]) -> Value {
    let all = match interfaces {
        Ok(all) => all,
        Err(why) => return Value::Unreadable(why.clone()),
    };
    let can = |one: &&Interface<'_>| words.iter().all(|word| one.features.contains(word));
    if let Some(one) = all.iter().filter(can).find(|one| one.physical.is_none()) {
        let why = "nobody can tell whether a device stands behind it";
        return Value::Unreadable(format!("{}: {why}: sysfs does not show it", one.name));
    }
    let physical = all.iter().filter(can).filter(|one| one.physical == Some(true));
    texts_of(physical.map(|one| one.name.to_owned()))
}

fn bound(socket: &Json) -> Value {
    let Some(bound) = socket.get("bound") else {
        return Value::Unreadable("the instrument does not say whether it was bound".to_owned());
    };
    match (instrument::refusal(bound), bound.as_str()) {
        (Some(why), _) => Value::Text(format!("made with its rings, but refused: {why}")),
        (None, Some(_)) => Value::text("bound"),
        (None, None) => Value::Unreadable("the instrument does not say where it was bound".into()),
    }
}

/// One interface as the instrument tells it.
struct Interface<'a> {
    name: &'a str,
    /// None where nobody could look.
    physical: Option<bool>,
    features: Vec<&'a str>,
}

impl Interface<'_> {
    fn line(&self) -> String {
        let features = self.features.join(" ");
        let features = if features.is_empty() { "nothing" } else { &features };
        let kind = match self.physical {
            Some(true) => "",
            Some(false) => " (virtual)",
            None => " (sysfs shows another network namespace)",
        };
        format!("{}{kind}: {features}", self.name)
    }
}

/// Reads what was said of every interface; one that cannot be read makes all unreadable.
fn interfaces(result: &Json) -> Result<Vec<Interface<'_>>, String> {
    let part = result.get("interfaces").unwrap_or(&Json::Null);
    if let Some(why) = instrument::refusal(part) {
        return Err(why);
    }
    let list = part.get("list").and_then(Json::as_array);
    let list = list.ok_or("the instrument says nothing of interfaces")?;
    let read = |one| interface(one).ok_or_else(|| format!("an interface is told as {one}"));
    list.iter().map(read).collect()
}

fn interface(one: &Json) -> Option<Interface<'_>> {
    let features = one.get("features")?.as_array()?.iter().map(Json::as_str);
    Some(Interface {
        name: one.get("name")?.as_str()?,
        physical: one.get("physical")?.as_bool(),
        features: features.collect::<Option<_>>()?,
    })
}
