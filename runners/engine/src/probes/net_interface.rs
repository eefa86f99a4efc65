//! Answers how a network interface is set and what it counted, by its name or by where it leads.
//!
//! With `peer` the kernel is asked for its route; no packet is sent, and the peer need not exist.
//! `ip` and /proc speak for the network namespace that they are asked in, sysfs for the one that
//! mounted it: where their numbers differ, sysfs is about other interfaces and is not believed. A
//! speed that a driver does not know is absent, never -1. What a virtual interface says of its speed
//! proves no rate. Asked by name, `ip` tells of that one only: addresses of others are no concern.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Evidence},
    field::FieldKind::{self, Bool, Integer, List, Quantity as Amount, Text},
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::Gathered,
    parse::ip_address,
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed, field, text_of},
};

pub(super) struct NetInterface;

const NET: &str = "/sys/class/net";
/// Lists all interfaces of the process that reads it, without their addresses.
const NAMES: &str = "/proc/net/dev";
const INDICES: &str = "/sys/class/net/*/ifindex";
const SPEEDS: &str = "/sys/class/net/*/speed";
const DUPLEXES: &str = "/sys/class/net/*/duplex";
const DEVICES: &str = "/sys/class/net/*/device/uevent";

const LINKS: &str = "ip -j -s -s -d address show";
const ROUTE: &str = "ip -j route get PEER";

/// How `ip` says that there is no route; `Invalid argument` is a blackhole, `Permission denied` a
/// prohibition.
const NO_ROUTE: [&str; 4] =
    ["Network is unreachable", "No route to host", "Invalid argument", "Permission denied"];

fn texts() -> FieldKind {
    List(Box::new(Text))
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "net-interface",
    summary: "How a network interface is set and what it counted, by name or by where it leads.",
    effect: Effect::Reads,
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
        field("route.direct", || Bool, ROUTE, "Whether the peer is reached without a gateway."),
        field(
            "route.kind",
            || Text,
            ROUTE,
            "`direct`, `gateway`, `local` (the node itself), `none`.",
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
        if let Some(name) = with.text("name").filter(|name| !is_name(name)) {
            return Err(format!("`{name}` cannot be the name of an interface"));
        }
        if let Some(peer) = with.text("peer").filter(|peer| !ip_address::is_one(peer)) {
            return Err(format!("`{peer}` is not an IP address; names are not looked up"));
        }
        // A machine with many containers has thousands of interfaces.
        let cap = 16 * 1024 * 1024;
        let argv = links_of(with).into_iter().map(str::to_owned).collect();
        let links = Ask::Exec { argv, env: Vec::new(), limit_ms: 10_000, cap };
        let files = [INDICES, SPEEDS, DUPLEXES, DEVICES].map(Ask::files);
        let route = with.text("peer").map(|peer| Ask::exec(route_to(peer)));
        Ok([links, Ask::file(NAMES)].into_iter().chain(files).chain(route).collect())
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let route = with.text("peer").map(|peer| Route::read(gathered, peer)).transpose()?;
        let links = links(gathered, with);
        let listed = names(gathered);
        let name = with.text("name").or_else(|| route.as_ref()?.text("dev"));
        let seen = Observation::default()
            .fact("route", shown(route.as_ref()))
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

type FromLink = fn(&Json) -> Value;
type FromSysfs = fn(Gathered<'_>, &str) -> Value;

const LINK_FACTS: [(&str, FromLink); 8] = [
    ("state", |link| said(link, "operstate", |state| Value::Text(state.to_lowercase()))),
    ("carrier", carrier),
    ("mtu", |link| number(link, "/mtu")),
    ("mac", mac),
    ("addresses", addresses),
    ("rx", |link| {
        counters(link, "rx", &[("errors", "errors"), ("dropped", "dropped"), ("crc", "crc_errors")])
    }),
    ("tx", |link| counters(link, "tx", &[("errors", "errors"), ("dropped", "dropped")])),
    ("carrier-changes", |link| number(link, "/stats64/tx/carrier_changes")),
];

const SYSFS_FACTS: [(&str, FromSysfs); 4] = [
    ("speed", |sysfs, name| file(sysfs, SPEEDS, name, speed)),
    ("duplex", |sysfs, name| file(sysfs, DUPLEXES, name, duplex)),
    ("driver", |sysfs, name| file(sysfs, DEVICES, name, driver)),
    ("kind", |sysfs, name| match file(sysfs, DEVICES, name, |_| Ok(Value::text("physical"))) {
        Value::Absent(_) => Value::text("virtual"),
        kind => kind,
    }),
];

fn route_to(peer: &str) -> Vec<&str> {
    ROUTE.split(' ').map(|word| if word == "PEER" { peer } else { word }).collect()
}

fn links_of(with: With<'_>) -> Vec<&str> {
    let one = with.text("name").map(|name| ["dev", name]);
    LINKS.split(' ').chain(one.into_iter().flatten()).collect()
}

/// Tells whether the kernel would take a text as a name. *Source*: `dev_valid_name`, `IFNAMSIZ`.
fn is_name(name: &str) -> bool {
    (1..16).contains(&name.len())
        && !matches!(name, "." | "..")
        && !name
            .contains(|c: char| matches!(c, '/' | ':' | '*') || c.is_whitespace() || c.is_control())
}

/// Reads what `ip` lists; old versions put empty objects between the interfaces.
fn listed(evidence: &Evidence) -> Result<Vec<Json>, AttemptError> {
    let text = text_of(evidence)?;
    let json: Result<Vec<Json>, _> = serde_json::from_str(text);
    let listed = json.map_err(|error| {
        let message = format!("{}: not a JSON list: {error}", evidence.ask);
        failed(FindingCode::OutputUnreadable, message)
    })?;
    Ok(listed.into_iter().filter(|item| item.as_object().is_some_and(|o| !o.is_empty())).collect())
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

/// Says why sysfs cannot be believed about an interface, if it cannot.
fn is_of_another_namespace(
    gathered: Gathered<'_>,
    name: &str,
    index: Option<i64>,
) -> Option<String> {
    let shown = file(gathered, INDICES, name, |text| {
        text.parse().map(Value::Integer).map_err(|_| format!("not a number: `{text}`"))
    });
    match (index, shown) {
        // Without `ip` there is nothing to compare with.
        (None, _) => None,
        (Some(index), Value::Integer(shown)) if index == shown => None,
        (Some(_), Value::Unreadable(why)) => Some(why),
        (Some(_), _) => Some(format!("{NET} shows another network namespace, without this {name}")),
    }
}

struct Route(Result<Json, String>);

impl Route {
    /// Reads the kernel's answer; that there is no route is one.
    fn read(gathered: Gathered<'_>, peer: &str) -> Result<Self, AttemptError> {
        let evidence = gathered.program(&route_to(peer))?;
        if let Captured::Exec { exit: Some(2), stderr, .. } = &evidence.captured
            && let Some(answer) = stderr.text.trim().strip_prefix("RTNETLINK answers: ")
            && NO_ROUTE.contains(&answer)
        {
            return Ok(Self(Err(format!("there is no route to {peer}: {answer}"))));
        }
        let route = listed(evidence)?.into_iter().next();
        let route = route.filter(|route| text(route, "dev").is_some()).ok_or_else(|| {
            let message = format!("{}: a route without a device", evidence.ask);
            failed(FindingCode::OutputUnreadable, message)
        })?;
        Ok(Self(Ok(route)))
    }

    fn text(&self, key: &str) -> Option<&str> {
        text(self.0.as_ref().ok()?, key)
    }

    fn kind(&self) -> &'static str {
        let Ok(route) = &self.0 else { return "none" };
        match text(route, "type") {
            Some("local") => "local",
            // Broadcast and multicast addresses are no peers.
            Some(other) if other != "unicast" => "none",
            _ if route.get("gateway").is_some() || route.get("via").is_some() => "gateway",
            _ => "direct",
        }
    }
}

fn shown(route: Option<&Route>) -> Value {
    let Some(route) = route else {
        return Value::Absent("no `peer` is given, so no route was asked for".to_owned());
    };
    let say = |key: &str, what: &str| {
        let why = route.0.as_ref().err().cloned().unwrap_or_else(|| what.to_owned());
        route.text(key).map_or(Value::Absent(why), Value::text)
    };
    let via = route.0.as_ref().ok().and_then(|route| route.pointer("/via/host")?.as_str());
    Value::record([
        ("kind", Value::text(route.kind())),
        ("direct", Value::Bool(route.kind() == "direct")),
        ("device", say("dev", "the route has no device")),
        ("source", say("prefsrc", "the route names no source address")),
        ("gateway", via.map_or_else(|| say("gateway", "there is no gateway"), Value::text)),
    ])
}

/// Fills what is said of an interface where there is none.
fn missing(seen: Observation, why: &str) -> Observation {
    let seen = seen.fact("exists", Value::Bool(false));
    let facts = LINK_FACTS.iter().map(|(fact, _)| fact);
    let facts = facts.chain(SYSFS_FACTS.iter().map(|(fact, _)| fact)).chain(&["name"]);
    facts.fold(seen, |seen, fact| seen.fact(fact, Value::Absent(why.to_owned())))
}

fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key)?.as_str()
}

fn said(link: &Json, key: &str, show: impl FnOnce(&str) -> Value) -> Value {
    text(link, key).map_or_else(|| Value::Unreadable(format!("ip gives no `{key}`")), show)
}

fn number(link: &Json, pointer: &str) -> Value {
    let Some(found) = link.pointer(pointer) else {
        return Value::Absent(format!("ip gives no `{pointer}`"));
    };
    let number = found.as_i64().filter(|number| *number >= 0);
    number.map_or_else(
        || Value::Unreadable(format!("expected a number at `{pointer}`, found `{found}`")),
        Value::Integer,
    )
}

fn counters(link: &Json, way: &str, names: &[(&str, &str)]) -> Value {
    let counter = |key: &str| number(link, &format!("/stats64/{way}/{key}"));
    Value::Record(names.iter().map(|(name, key)| ((*name).to_owned(), counter(key))).collect())
}

fn carrier(link: &Json) -> Value {
    let Some(flags) = link.get("flags").and_then(Json::as_array) else {
        return Value::Unreadable("ip gives no `flags`".to_owned());
    };
    let has = |flag: &str| flags.iter().any(|found| found.as_str() == Some(flag));
    if !has("UP") {
        return Value::Absent("the interface is set down, so nobody looks for a signal".to_owned());
    }
    Value::Bool(has("LOWER_UP"))
}

fn mac(link: &Json) -> Value {
    match (text(link, "link_type"), text(link, "address")) {
        (Some("ether"), Some(address)) => Value::text(address),
        (Some(kind), _) => Value::Absent(format!("an interface of type {kind} has none")),
        (None, _) => Value::Unreadable("ip gives no `link_type`".to_owned()),
    }
}

fn addresses(link: &Json) -> Value {
    let Some(found) = link.get("addr_info").and_then(Json::as_array) else {
        return Value::Unreadable("ip gives no `addr_info`".to_owned());
    };
    let address = |found: &Json| {
        let prefix = found.get("prefixlen")?.as_u64()?;
        Some(Value::Text(format!("{}/{prefix}", text(found, "local")?)))
    };
    let all = found.iter().filter(|found| found.as_object().is_some_and(|o| !o.is_empty()));
    let all: Option<Vec<Value>> = all.map(address).collect();
    all.map_or_else(|| Value::Unreadable("ip gives an address without prefix".into()), Value::List)
}

/// Reads one file of sysfs about an interface; what a driver refuses to say is absent.
fn file(
    gathered: Gathered<'_>,
    pattern: &str,
    name: &str,
    parse: fn(&str) -> Result<Value, String>,
) -> Value {
    let files = match gathered.files(pattern) {
        Ok(files) => files,
        Err(why) => return why,
    };
    let path = pattern.replace('*', name);
    match files.into_iter().find(|(found, _)| *found == path) {
        Some((_, Ok(text))) => parse(text).unwrap_or_else(Value::Unreadable),
        // EINVAL: the interface is down, or it is of a kind that has no such thing.
        Some((_, Err(why))) if why.contains("Invalid argument") => Value::Absent(why),
        Some((_, Err(why))) => Value::Unreadable(why),
        None => Value::Absent(format!("there is no {path}")),
    }
}

/// Reads a speed in Mbit/s. *Source*: `SPEED_UNKNOWN` in the kernel's `ethtool.h`, -1.
fn speed(text: &str) -> Result<Value, String> {
    match text.parse::<i64>() {
        Ok(-1 | 0 | 0xffff_ffff) => {
            Ok(Value::Absent(format!("the driver does not know: it says {text}")))
        }
        Ok(number @ 1..=100_000_000) => {
            #[expect(clippy::cast_precision_loss, reason = "within 1..=1e8")]
            let speed = Quantity::of(number as f64, "Mbit/s");
            speed.map(Value::Quantity).map_err(|error| error.to_string())
        }
        _ => Err(format!("expected a speed in Mbit/s, found `{text}`")),
    }
}

fn duplex(text: &str) -> Result<Value, String> {
    match text {
        "full" | "half" => Ok(Value::text(text)),
        "unknown" => Ok(Value::Absent("the driver does not know".to_owned())),
        _ => Err(format!("expected full or half, found `{text}`")),
    }
}

fn driver(text: &str) -> Result<Value, String> {
    match text.lines().find_map(|line| line.strip_prefix("DRIVER=")) {
        Some("") => Err("the driver has no name".to_owned()),
        Some(driver) => Ok(Value::text(driver)),
        None => Ok(Value::Absent("its device has no driver".to_owned())),
    }
}
