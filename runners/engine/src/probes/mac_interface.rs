//! Answers how a network interface of a Mac is set and what it counted, by name or by its route.
//!
//! With `peer` the kernel is asked for its route; no packet is sent, and the peer need not exist.
//! Counters stand once for each address in `netstat`; only the row of the link itself is read, from
//! the right, for it has no address where the interface has none. Written from documents: it was
//! never run on a Mac.

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence},
    field::FieldKind::{Bool, Integer, Quantity as Amount, Text},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::Gathered,
    parse::{
        ifconfig::{self, Interface, Speed},
        ip_address, netstat,
    },
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, text_of, texts},
};

pub(super) struct MacInterface;

const LINKS: [&str; 2] = ["ifconfig", "-a"];
const COUNTERS: [&str; 2] = ["netstat", "-ibdn"];
const ROUTE: &str = "route -n get PEER";

static SPEC: ProbeSpec = ProbeSpec {
    name: "mac-interface",
    summary: "How a network interface of a Mac is set and what it counted, by name or by route.",
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
        field("exists", || Bool, "ifconfig", "Whether there is such an interface."),
        field("name", || Text, "ifconfig", "Name of the interface."),
        field("interfaces", texts, "ifconfig", "Names of all interfaces."),
        field("status", || Text, "ifconfig, status", "`active` where a signal arrives."),
        field("media", || Text, "ifconfig, media", "Setting and medium, as the driver says them."),
        field("speed", || Amount("Mbit/s"), "ifconfig, media", "Negotiated speed."),
        field("duplex", || Text, "ifconfig, media", "`full` or `half`."),
        field("mtu", || Integer, "ifconfig", "Largest packet in bytes."),
        field("addresses", texts, "ifconfig", "Addresses without their prefix."),
        field("rx.errors", || Integer, "netstat, Ierrs", "Received with an error since the start."),
        field("tx.errors", || Integer, "netstat, Oerrs", "Not sent because of an error."),
        field("tx.dropped", || Integer, "netstat, Drop", "Dropped before they were sent."),
        field("collisions", || Integer, "netstat, Coll", "Collisions."),
        field("route.direct", || Bool, ROUTE, "Whether the peer is reached without a gateway."),
        field(
            "route.kind",
            || Text,
            ROUTE,
            "`direct`, `gateway`, `local` (the node itself), `none`.",
        ),
        field("route.device", || Text, ROUTE, "Interface by which the peer is reached."),
        field("route.gateway", || Text, ROUTE, "Gateway, where there is one."),
    ],
    example: r#"with = { peer = "10.0.0.1" }
expect = { speed = { at-least = "10 Gbit/s" }, duplex = "full", "route.direct" = true }"#,
};

impl Probe for MacInterface {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        if with.text("name").is_none() && with.text("peer").is_none() {
            return Err("one of `name` and `peer` must say which interface is meant".to_owned());
        }
        let plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric());
        if let Some(name) = with.text("name").filter(|name| name.is_empty() || !plain(name)) {
            return Err(format!("`{name}` cannot be the name of an interface"));
        }
        if let Some(peer) = with.text("peer").filter(|peer| !ip_address::is_one(peer)) {
            return Err(format!("`{peer}` is not an IP address; names are not looked up"));
        }
        let route = with.text("peer").map(|peer| Ask::exec(route_to(peer)));
        Ok([Ask::exec(LINKS), Ask::exec(COUNTERS)].into_iter().chain(route).collect())
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let text = text_of(gathered.program(&LINKS)?)?;
        let all = ifconfig::parse(text).ok_or_else(|| {
            failed(FindingCode::OutputUnreadable, "ifconfig -a: no list of interfaces")
        })?;
        let route = with.text("peer").map(|peer| Route::read(gathered, peer)).transpose()?;
        let names = all.iter().map(|one| Value::text(one.name)).collect();
        let seen = Observation::default()
            .fact("interfaces", Value::List(names))
            .fact("route", shown(route.as_ref()));
        let device = route.as_ref().and_then(|route| route.device);
        let Some(name) = with.text("name").or(device) else {
            return Ok(missing(seen, "no interface leads to the peer"));
        };
        let Some(link) = all.iter().find(|one| one.name == name) else {
            return Ok(missing(seen, &format!("there is no interface {name}")));
        };
        let counted = text_of(gathered.program(&COUNTERS)?).map_err(|error| error.message);
        let counted = counted.and_then(|text| netstat::counters(text, Some(name)));
        let number = |key: &str| match &counted {
            Ok(found) => found.iter().find(|(name, _)| *name == key).map_or_else(
                || Value::Absent(format!("netstat has no column {key}")),
                |(_, text)| integer(text, key),
            ),
            Err(why) => Value::Unreadable(why.clone()),
        };
        let seen = of_link(seen, link);
        Ok(seen
            .fact("rx", Value::record([("errors", number("Ierrs"))]))
            .fact("tx", Value::record([("errors", number("Oerrs")), ("dropped", number("Drop"))]))
            .fact("collisions", number("Coll")))
    }
}

/// Names of the fields that only an interface that exists has.
const OF_LINK: [&str; 10] =
    ["name", "status", "media", "speed", "duplex", "mtu", "addresses", "rx", "tx", "collisions"];

fn missing(seen: Observation, why: &str) -> Observation {
    let seen = seen.fact("exists", Value::Bool(false));
    OF_LINK.iter().fold(seen, |seen, name| seen.fact(name, Value::Absent(why.to_owned())))
}

fn of_link(seen: Observation, link: &Interface<'_>) -> Observation {
    let or_absent = |found: Option<&str>, what: &str| {
        found.map_or_else(
            || Value::Absent(format!("ifconfig tells no {what} of {}", link.name)),
            Value::text,
        )
    };
    let speed = match link.speed() {
        Speed::Mbits(speed) => Quantity::of(speed, "Mbit/s")
            .map_or_else(|error| Value::Unreadable(error.to_string()), Value::Quantity),
        Speed::None => Value::Absent(format!("ifconfig tells no speed of {}", link.name)),
        Speed::Strange(media) => Value::Unreadable(format!("no speed is known for `{media}`")),
    };
    let mtu = link.mtu().map_or_else(
        || Value::Unreadable(format!("ifconfig tells no mtu of {}", link.name)),
        Value::Integer,
    );
    let addresses = link.addresses().into_iter().map(Value::text).collect();
    seen.fact("exists", Value::Bool(true))
        .fact("name", Value::text(link.name))
        .fact("status", or_absent(link.status(), "status"))
        .fact("media", or_absent(link.media(), "medium"))
        .fact("speed", speed)
        .fact("duplex", or_absent(link.duplex(), "duplex"))
        .fact("mtu", mtu)
        .fact("addresses", Value::List(addresses))
}

fn integer(text: &str, key: &str) -> Value {
    text.parse().map_or_else(
        |_| Value::Unreadable(format!("netstat: {key} is `{text}`, expected a number")),
        Value::Integer,
    )
}

fn route_to(peer: &str) -> Vec<&str> {
    let family = if peer.contains(':') { "-inet6" } else { "-inet" };
    vec!["route", "-n", "get", family, peer]
}

/// Holds what the kernel says of the way to the peer.
struct Route<'t> {
    kind: &'static str,
    device: Option<&'t str>,
    gateway: Option<&'t str>,
}

impl<'t> Route<'t> {
    /// Reads the route. *Source*: route(8) of macOS; Apple's `network_cmds`, `print_getmsg`.
    fn read(gathered: Gathered<'t>, peer: &str) -> Result<Self, AttemptError> {
        let evidence = gathered.program(&route_to(peer))?;
        // Where there is no route, some versions end with 0 and some with 1.
        let (stdout, stderr) = match &evidence.captured {
            Captured::Exec { stdout, stderr, .. } if stdout.truncated == 0 => (stdout, stderr),
            _ => return Err(text_of(evidence).err().unwrap_or_else(|| strange(evidence))),
        };
        let line = |key: &str| {
            let lines = stdout.text.lines().map(str::trim);
            lines.filter_map(|line| line.strip_prefix(key)).map(str::trim).next()
        };
        let (device, flags) = (line("interface:"), line("flags:").unwrap_or_default());
        let none = ["not in table", "Network is unreachable", "No route to host"];
        if device.is_none() && none.iter().any(|words| stderr.text.contains(words)) {
            return Ok(Self { kind: "none", device: None, gateway: None });
        }
        if device.is_none() || flags.is_empty() {
            return Err(text_of(evidence).err().unwrap_or_else(|| strange(evidence)));
        }
        let has = |flag: &str| flags.trim_matches(['<', '>']).split(',').any(|word| word == flag);
        let kind = match device {
            Some("lo0") => "local",
            _ if has("REJECT") || has("BLACKHOLE") => "none",
            _ if has("GATEWAY") || line("gateway:").is_some() => "gateway",
            _ => "direct",
        };
        Ok(Self { kind, device, gateway: line("gateway:") })
    }
}

fn strange(evidence: &Evidence) -> AttemptError {
    failed(FindingCode::OutputUnreadable, format!("{}: it tells no interface", evidence.ask))
}

fn shown(route: Option<&Route<'_>>) -> Value {
    let Some(route) = route else {
        return Value::Absent("no `peer` was given".to_owned());
    };
    let text = |found: Option<&str>, what: &str| {
        found.map_or_else(|| Value::Absent(format!("the route has no {what}")), Value::text)
    };
    Value::record([
        ("direct", Value::Bool(route.kind == "direct")),
        ("kind", Value::text(route.kind)),
        ("device", text(route.device, "interface")),
        ("gateway", text(route.gateway, "gateway")),
    ])
}
