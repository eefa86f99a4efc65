//! Answers how a network interface is set and what it counted, by its name or by where it leads.
//!
//! With `peer` the kernel is asked for its route; no packet is sent, and the peer need not exist.
//! `ip` and /proc speak for the network namespace that they are asked in, sysfs for the one that
//! mounted it: where their numbers differ, sysfs is about other interfaces and is not believed. A
//! speed that a driver does not know is absent, never -1. What a virtual interface says of its speed
//! proves no rate. Asked by name, `ip` tells of that one only: addresses of others are no concern.

mod link;
mod sysfs;

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence},
    field::FieldKind::{Bool, Integer, Quantity as Amount, Text},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

use self::{
    link::{LINK_FACTS, listed, text},
    sysfs::{DEVICES, DUPLEXES, INDICES, PCIE, SPEEDS, SYSFS_FACTS, is_of_another_namespace},
};
use crate::{
    gathered::Gathered,
    parse::{
        interface, ip_address,
        route::{self, Route},
    },
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, text_of, texts},
};

pub(super) struct NetInterface;

/// Lists all interfaces of the process that reads it, without their addresses.
const NAMES: &str = "/proc/net/dev";

const LINKS: &str = "ip -j -s -s -d address show";
const ROUTE: &str = "ip -j route get PEER";

static SPEC: ProbeSpec = ProbeSpec {
    name: "net-interface",
    summary: "How a network interface is set and what it counted, by name or by where it leads.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "name",
            kind: ParamKind::Text,
            required: false,
            doc: "Name of the interface; unless given, the one that leads to `peer`.",
        },
        ParamSpec {
            name: "peer",
            kind: ParamKind::Text,
            required: false,
            doc: "Address whose route is asked for; nothing is sent to it.",
        },
    ],
    fields: &[
        field("exists", || Bool, LINKS, "Whether there is such an interface."),
        field("name", || Text, LINKS, "Name of the interface."),
        field("interfaces", texts, NAMES, "Names of all interfaces."),
        field("state", || Text, LINKS, "Operational state: `up`, `down`, `lowerlayerdown`, ..."),
        field("carrier", || Bool, LINKS, "Whether a signal arrives; absent while it is set down."),
        field("mtu", || Integer, LINKS, "Largest packet in bytes."),
        field("mac", || Text, LINKS, "Hardware address."),
        field("addresses", texts, LINKS, "Addresses with their prefix, such as `10.0.0.1/24`."),
        field("rx.errors", || Integer, LINKS, "Received with an error since the driver started."),
        field("rx.dropped", || Integer, LINKS, "Received and dropped."),
        field("rx.crc", || Integer, LINKS, "Received with a wrong checksum."),
        field("tx.errors", || Integer, LINKS, "Not sent because of an error."),
        field("tx.dropped", || Integer, LINKS, "Dropped before they were sent."),
        field("carrier-changes", || Integer, LINKS, "How often the signal came or went."),
        field("speed", || Amount("Mbit/s"), SPEEDS, "Negotiated speed, as the driver says it."),
        field("duplex", || Text, DUPLEXES, "`full` or `half`."),
        field("driver", || Text, DEVICES, "Driver of its device; absent where it has none."),
        field(
            "kind",
            || Text,
            DEVICES,
            "`physical` with a device of its own (a virtual machine's too), else `virtual`.",
        ),
        field("pcie.speed", || Amount("GT/s"), PCIE, "Speed of a lane of its slot now."),
        field("pcie.width", || Integer, PCIE, "Lanes that it has now."),
        field("pcie.max-speed", || Amount("GT/s"), PCIE, "Speed of a lane that it could have."),
        field("pcie.max-width", || Integer, PCIE, "Lanes that it could have."),
        field("route.direct", || Bool, ROUTE, "Whether the peer is reached without a gateway."),
        field(
            "route.kind",
            || Text,
            ROUTE,
            "`direct`, `gateway`, `local` (the node itself), `none`, `blackhole`, `prohibited`.",
        ),
        field("route.device", || Text, ROUTE, "Interface by which the peer is reached."),
        field("route.source", || Text, ROUTE, "Own address that the peer would see."),
        field("route.gateway", || Text, ROUTE, "Gateway, where there is one."),
    ],
    example: r#"with = { peer = "10.0.0.2" }
expect = { speed = { at-least = "10 Gbit/s" }, duplex = "full", "route.direct" = true }"#,
};

impl Probe for NetInterface {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        if with.text("name").is_none() && with.text("peer").is_none() {
            return Err("one of `name` and `peer` must say which interface is meant".to_owned());
        }
        if let Some(name) = with.text("name").filter(|name| !interface::is_name(name)) {
            return Err(format!("`{name}` cannot be the name of an interface"));
        }
        if let Some(peer) = with.text("peer").filter(|peer| !ip_address::is_one(peer)) {
            return Err(format!("`{peer}` is not an IP address; names are not looked up"));
        }
        // A machine with many containers has thousands of interfaces.
        let cap = 16 * 1024 * 1024;
        let argv = links_of(with).into_iter().map(str::to_owned).collect();
        let links = Ask::Exec { argv, env: Vec::new(), limit_ms: 10_000, cap };
        let files = [INDICES, SPEEDS, DUPLEXES, DEVICES, PCIE].map(Ask::files);
        let route = with.text("peer").map(|peer| Ask::exec(route_to(peer)));
        Ok([links, Ask::file(NAMES)].into_iter().chain(files).chain(route).collect())
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let route = with.text("peer").map(|peer| route_of(gathered, peer)).transpose()?;
        let links = links(gathered, with);
        let listed = names(gathered);
        let name = with.text("name").or_else(|| route.as_ref()?.device.as_deref());
        let seen = Observation::default()
            .fact("route", shown(with.text("peer"), route.as_ref()))
            .fact("interfaces", listed.clone().map_or_else(Value::Unreadable, texts_of));
        let Some(name) = name else {
            return Ok(missing(seen, "no interface leads to the peer"));
        };
        let found = match &links {
            Ok(links) => links.iter().find(|link| text(link, "ifname") == Some(name)).ok_or(None),
            Err(why) => Err(Some(why)),
        };
        let there = match (&found, &listed) {
            (Ok(_), _) => true,
            (Err(None), _) => false,
            (Err(Some(_)), Ok(names)) => names.contains(&name),
            (Err(Some(why)), Err(_)) => return Err((*why).clone()),
        };
        if !there {
            return Ok(missing(seen, &format!("there is no interface {name}")));
        }
        let link = found.map_err(|why| why.map_or_else(String::new, |why| why.message.clone()));
        let seen = seen.fact("exists", Value::Bool(true)).fact("name", Value::text(name));
        let seen = LINK_FACTS.iter().fold(seen, |seen, (fact, read)| {
            let value =
                link.as_ref().map_or_else(|why| Value::Unreadable(why.clone()), |l| read(l));
            seen.fact(fact, value)
        });
        let index = link.as_ref().ok().and_then(|link| link.get("ifindex")?.as_i64());
        let other = is_of_another_namespace(gathered, name, index);
        Ok(SYSFS_FACTS.iter().fold(seen, |seen, (fact, read)| {
            let value = other.clone().map_or_else(|| read(gathered, name), Value::Unreadable);
            seen.fact(fact, value)
        }))
    }
}

fn route_to(peer: &str) -> Vec<&str> {
    ROUTE.split(' ').map(|word| if word == "PEER" { peer } else { word }).collect()
}

fn links_of(with: With<'_>) -> Vec<&str> {
    let one = with.text("name").map(|name| ["dev", name]);
    LINKS.split(' ').chain(one.into_iter().flatten()).collect()
}

fn links(gathered: Gathered<'_>, with: With<'_>) -> Result<Vec<Json>, AttemptError> {
    let evidence = gathered.program(&links_of(with))?;
    let links = listed(evidence)?;
    if links.is_empty() || links.iter().any(|link| text(link, "ifname").is_none()) {
        let message = format!("{}: an interface without a name, or none at all", evidence.ask);
        return Err(failed(FindingCode::OutputUnreadable, message));
    }
    Ok(links)
}

/// Lists all interfaces. *Source*: `proc_pid_net(5)`, `dev`: two lines of header, then `NAME: ...`.
///
/// *Errors*: the file cannot be read or is not of that form.
fn names(gathered: Gathered<'_>) -> Result<Vec<&str>, String> {
    let text = gathered.text(NAMES).map_err(|error| error.message)?;
    if !text.lines().nth(1).is_some_and(|header| header.trim_start().starts_with("face |")) {
        return Err(format!("{NAMES}: its header is not as expected"));
    }
    let name = |line| -> Option<&str> { Some(str::split_once(line, ':')?.0.trim()) };
    let mut names: Vec<&str> = text
        .lines()
        .skip(2)
        .map(|line| name(line).ok_or_else(|| format!("{NAMES}: no interface in `{line}`")))
        .collect::<Result<_, _>>()?;
    if names.is_empty() {
        return Err(format!("{NAMES}: no interface, not even lo"));
    }
    names.sort_unstable();
    Ok(names)
}

fn texts_of(names: Vec<&str>) -> Value {
    Value::List(names.into_iter().map(Value::text).collect())
}

/// Reads the kernel's answer; that there is no route is one.
fn route_of(gathered: Gathered<'_>, peer: &str) -> Result<Route, AttemptError> {
    let evidence = gathered.program(&route_to(peer))?;
    let Captured::Exec { exit: Some(exit), stdout, stderr, .. } = &evidence.captured else {
        return Err(text_of(evidence).err().unwrap_or_else(|| {
            failed(FindingCode::OutputUnreadable, format!("{}: no route", evidence.ask))
        }));
    };
    if *exit == 0 {
        text_of(evidence)?;
    }
    let code = match exit {
        0 => FindingCode::OutputUnreadable,
        _ => FindingCode::ProgramFailed,
    };
    route::linux(*exit, &stdout.text, &stderr.text)
        .map_err(|why| failed(code, format!("{}: {why}", evidence.ask)))
}

fn shown(peer: Option<&str>, route: Option<&Route>) -> Value {
    let (Some(peer), Some(route)) = (peer, route) else {
        return Value::Absent("no `peer` is given, so no route was asked for".to_owned());
    };
    let none = route.said.as_ref().map(|said| format!("there is no route to {peer}: {said}"));
    let say = |text: &Option<String>, what: &str| {
        let why = none.clone().unwrap_or_else(|| what.to_owned());
        text.as_deref().map_or(Value::Absent(why), Value::text)
    };
    Value::record([
        ("kind", Value::text(route.kind)),
        ("direct", Value::Bool(route.kind == "direct")),
        ("device", say(&route.device, "the route has no device")),
        ("source", say(&route.source, "the route names no source address")),
        ("gateway", say(&route.gateway, "there is no gateway")),
    ])
}

/// Fills what is said of an interface where there is none.
fn missing(seen: Observation, why: &str) -> Observation {
    let seen = seen.fact("exists", Value::Bool(false));
    let facts = LINK_FACTS.iter().map(|(fact, _)| fact);
    let facts = facts.chain(SYSFS_FACTS.iter().map(|(fact, _)| fact)).chain(&["name"]);
    facts.fold(seen, |seen, fact| seen.fact(fact, Value::Absent(why.to_owned())))
}
