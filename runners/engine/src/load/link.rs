//! Decodes `[[link]]` of node files, and holds the two ends of a link against each other.
//!
//! A link is declared in the file of one end or of both; where both do, they must say the same. A
//! check names a link and gets what the files say of it, seen from its own node. Addresses are
//! taken as written: a name would have to be looked up, and could lead elsewhere.

use std::{collections::BTreeMap, net::IpAddr, ops::Range, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use verify_model::{
    check::Params,
    link::{End, Link},
    matcher::Literal,
    node::NodeFile,
    quantity::Quantity,
    unit::Dimension,
};

use super::{
    diagnostic::{Diagnostic, Source, did_you_mean},
    keys, literal,
    reader::{Raw, Reader},
};
use crate::{parse::interface, probe::ParamKind};

/// Holds every link of all node files.
#[derive(Debug, Default)]
pub struct Inventory {
    /// By name, as the first file that declares it does.
    cables: BTreeMap<String, Link>,
    /// Those of simulated nodes, by node and name: their other end is no node.
    simulated: BTreeMap<(String, String), Link>,
}

/// Smallest and largest packets that a link may be declared with. *Units*: B. *Source*: RFC 791 and
/// the largest length of an IPv4 packet.
const MTU: std::ops::RangeInclusive<u32> = 68..=65_535;

/// Reads the links of a node file, each with the place of its name.
pub(super) fn links(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    node: &str,
) -> Vec<(Link, Range<usize>)> {
    let Some(value) = table.get("link") else { return Vec::new() };
    let Some(items) = value.get_ref().as_array() else {
        reader.wrong_type(value, "tables `[[link]]`");
        return Vec::new();
    };
    let mut links: Vec<(Link, Range<usize>)> = Vec::new();
    for item in items {
        let DeValue::Table(table) = item.get_ref() else {
            reader.wrong_type(item, "a table `[[link]]`");
            continue;
        };
        let Some(link) = one(reader, table, item.span(), node) else { continue };
        let span = place(table, "name");
        if links.iter().any(|(known, _)| known.name == link.name) {
            let title = format!("there are two links `{}`", link.name);
            reader.error(span, title, "second one", Some("give it another name".to_owned()));
            continue;
        }
        links.push((link, span));
    }
    links
}

fn place(table: &DeTable<'_>, key: &str) -> Range<usize> {
    table.get(key).map_or(0..0, Spanned::span)
}

fn one(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    span: Range<usize>,
    node: &str,
) -> Option<Link> {
    reader.check_keys(table, keys::LINK, "[[link]]", span);
    let name = reader.text(table, "name");
    if let Some(name) = name.as_deref().filter(|name| !is_name(name)) {
        let title = format!("`{name}` is not the name of a link");
        reader.error(place(table, "name"), title, "expected a kebab-case name", None);
    }
    let peer = reader.text(table, "peer");
    if peer.as_deref() == Some(node) {
        let help = "a link leads to another node; a check without `link` measures the loopback";
        let title = format!("a link of {node} to itself");
        reader.error(place(table, "peer"), title, "the node itself", Some(help.to_owned()));
        return None;
    }
    let address = address(reader, table, "address");
    let peer_address = self::address(reader, table, "peer-address");
    if let (Some(one), Some(other)) = (&address, &peer_address) {
        let family = |ip: &IpAddr| if ip.is_ipv4() { "IPv4" } else { "IPv6" };
        let span = place(table, "peer-address");
        if one == other {
            let title = format!("both ends have the address {one}");
            reader.error(span, title, "the same as `address`", None);
            return None;
        } else if one.is_ipv4() != other.is_ipv4() {
            let title = format!("one end is {}, the other {}", family(one), family(other));
            reader.error(span, title, "of another family than `address`", None);
            return None;
        }
    }
    let speed = speed(reader, table);
    let mtu = reader.number(table, "mtu", MTU);
    let port = reader.text(table, "interface");
    if let Some(port) = port.as_deref().filter(|port| !interface::is_name(port)) {
        let title = format!("`{port}` cannot be the name of an interface");
        reader.error(place(table, "interface"), title, "no name of an interface", None);
    }
    let one = End { node: node.to_owned(), address: address?.to_string(), interface: port };
    let other = End { node: peer?, address: peer_address?.to_string(), interface: None };
    Some(Link { name: name?, ends: [one, other], speed: speed?, mtu })
}

fn is_name(name: &str) -> bool {
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && !name.starts_with('-') && name.chars().all(kebab)
}

fn address(reader: &mut Reader<'_>, table: &DeTable<'_>, key: &str) -> Option<IpAddr> {
    let text = reader.text(table, key)?;
    let parsed: Option<IpAddr> = text.parse().ok();
    let usable =
        parsed.filter(|ip| !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast());
    if usable.is_none() {
        let help = "write the IP address of that end, such as 10.0.0.1: names are not looked up, since they could lead over another way";
        let title = format!("`{text}` is no address of one machine");
        reader.error(place(table, key), title, "expected an IP address", Some(help.to_owned()));
    }
    usable
}

fn speed(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<Quantity> {
    let value = table.get("speed")?;
    let raw = reader.raw(value);
    match literal::quantity(Some(Dimension::DataRate), &raw) {
        Ok(speed) if speed.base() > 0.0 => Some(speed),
        Ok(_) => {
            reader.error(value.span(), "`speed` is not above 0", "expected a speed", None);
            None
        }
        Err(expected) => {
            reader.error(value.span(), "`speed` is not usable", expected, None);
            None
        }
    }
}

/// Adds what suites may say of a node's links: `${NAME.peer-address}` and its like.
pub(super) fn variables(links: &[(Link, Range<usize>)], variables: &mut Params) {
    for (link, _) in links {
        let [own, peer] = &link.ends;
        let texts = [
            ("peer", peer.node.clone()),
            ("address", own.address.clone()),
            ("peer-address", peer.address.clone()),
            ("speed", link.speed.to_string()),
        ];
        for (key, text) in texts {
            variables.insert(format!("{}.{key}", link.name), Literal::Text(text));
        }
        if let Some(mtu) = link.mtu {
            variables.insert(format!("{}.mtu", link.name), Literal::Integer(i64::from(mtu)));
        }
    }
}

/// Holds a link as one file declares it, with its place.
pub(super) struct Declared<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) link: Link,
    pub(super) span: Range<usize>,
}

/// Puts the links of all files together, and says what does not fit.
pub(super) fn inventory(
    declared: &[Declared<'_>],
    nodes: &BTreeMap<String, NodeFile>,
) -> (Inventory, Vec<Diagnostic>) {
    let mut inventory = Inventory::default();
    let mut errors = Vec::new();
    let mut seen: BTreeMap<&str, &Declared<'_>> = BTreeMap::new();
    for one in declared {
        let error = |title: String, label: &str, help: String| Diagnostic {
            source: Arc::clone(one.source),
            span: one.span.clone(),
            title,
            label: label.to_owned(),
            help: Some(help),
        };
        let [own, peer] = [0, 1].map(|at| &one.link.ends[at].node);
        if nodes.get(own).is_some_and(|node| node.scenario.is_some()) {
            let key = (own.clone(), one.link.name.clone());
            inventory.simulated.insert(key, one.link.clone());
            continue;
        }
        if !nodes.contains_key(peer) {
            let known = || nodes.keys().map(String::as_str);
            let help = did_you_mean(peer, known()).map_or_else(
                || format!("nodes are: {}", known().collect::<Vec<_>>().join(", ")),
                |close| format!("did you mean `{close}`?"),
            );
            errors.push(error(format!("no node is named `{peer}`"), "leads to no node", help));
            continue;
        }
        if let Some(other) = seen.get(one.link.name.as_str()) {
            if let Some((title, help)) = disagreement(&other.link, &one.link, &other.source.file) {
                errors.push(error(title, "of this link", help));
            }
            // An interface is known to the file of its own node alone.
            if let Some(known) = inventory.cables.get_mut(&one.link.name) {
                known.ends[1].interface.clone_from(&one.link.ends[0].interface);
            }
            continue;
        }
        seen.insert(&one.link.name, one);
        inventory.cables.insert(one.link.name.clone(), one.link.clone());
    }
    (inventory, errors)
}

/// Says in what two files differ about one link, and what to do.
fn disagreement(one: &Link, other: &Link, file: &str) -> Option<(String, String)> {
    let [a, b] = &one.ends;
    let [b_again, a_again] = &other.ends;
    let name = &one.name;
    if (&a.node, &b.node) != (&a_again.node, &b_again.node) {
        let title = format!("link `{name}` leads from {} to {}, too", a.node, b.node);
        return Some((title, format!("give this one another name than {file} does")));
    }
    let mtu = |link: &Link| link.mtu.map_or_else(|| "none".to_owned(), |mtu| mtu.to_string());
    let pairs = [
        (format!("address of {}", a.node), a.address.clone(), a_again.address.clone()),
        (format!("address of {}", b.node), b.address.clone(), b_again.address.clone()),
        ("speed".to_owned(), one.speed.to_string(), other.speed.to_string()),
        ("mtu".to_owned(), mtu(one), mtu(other)),
    ];
    let (what, there, here) = pairs.into_iter().find(|(_, there, here)| there != here)?;
    let title =
        format!("the two ends of link `{name}` disagree: {what} is {here} here, {there} in {file}");
    Some((title, "say the same in both files, or declare the link in one of them only".to_owned()))
}

/// Types a parameter that names links.
///
/// *Errors*: there is no such link, in one phrase.
pub(super) fn parameter(
    kind: ParamKind,
    raw: &Raw,
    node: &str,
    inventory: &Inventory,
) -> Result<Literal, String> {
    let Raw::Text(text) = raw else {
        return Err(format!("expected the name of a link, found {}", raw.shown()));
    };
    if kind == ParamKind::Links {
        let glob = globset::Glob::new(text).map_err(|_| format!("`{text}` is not a pattern"))?;
        let glob = glob.compile_matcher();
        let found = inventory.cables.values().filter(|link| glob.is_match(&link.name));
        let found: Vec<Literal> = found.map(Link::literal).collect();
        if found.is_empty() {
            return Err(format!("no node file declares a link `{text}`"));
        }
        return Ok(Literal::List(found));
    }
    if let Some(link) = inventory.simulated.get(&(node.to_owned(), text.clone())) {
        return Ok(link.literal());
    }
    let of_node = |link: &&Link| link.is_of(node);
    if let Some(link) = inventory.cables.get(text).filter(of_node) {
        let own_first = link.ends[0].node == node;
        return Ok(if own_first { link.literal() } else { link.turned().literal() });
    }
    let names: Vec<&str> =
        inventory.cables.values().filter(of_node).map(|link| link.name.as_str()).collect();
    Err(match names.as_slice() {
        [] => format!("node {node} has no link; declare it as [[link]] in its file"),
        names => format!("node {node} has no link `{text}`, but: {}", names.join(", ")),
    })
}
