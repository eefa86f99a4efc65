//! A cable between two nodes, as the node files of both ends declare it.
//!
//! Suites name a link; the loader puts in what the files say of it, so that a check holds all it
//! needs, and a baseline is of the link that was measured. Addresses are no names: nothing is
//! looked up. What the link does is measured, never taken from here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{matcher::Literal, quantity::Quantity};

/// Holds one end of a link.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct End {
    /// Name of the node; empty for the one that is asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// Its IP address on the link.
    pub address: String,
    /// Its interface, where only one is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
}

/// Holds a link as one of its two node files declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Link {
    /// Name, the same in both files.
    pub name: String,
    /// The two ends; the first is that of the file, or of the node that a check is for.
    pub ends: [End; 2],
    /// What it should run at.
    pub speed: Quantity,
    /// Largest packet on both ends. *Units*: B.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

impl Link {
    /// Returns the link as seen from the other end.
    #[must_use]
    pub fn turned(&self) -> Self {
        let [one, other] = self.ends.clone();
        Self { ends: [other, one], ..self.clone() }
    }

    /// Tells whether a node is one of the ends.
    pub fn is_of(&self, node: &str) -> bool {
        self.ends.iter().any(|end| end.node == node)
    }

    /// Writes it as a parameter: texts in a fixed order.
    pub fn literal(&self) -> Literal {
        let [one, other] = &self.ends;
        let end = |end: &End| {
            [end.node.clone(), end.address.clone(), end.interface.clone().unwrap_or_default()]
        };
        let mtu = self.mtu.map_or_else(String::new, |mtu| mtu.to_string());
        let head = std::iter::once(self.name.clone());
        let texts = head.chain(end(one)).chain(end(other)).chain([self.speed.to_string(), mtu]);
        Literal::List(texts.map(Literal::Text).collect())
    }

    /// Reads what [`Link::literal`] wrote.
    pub fn of(literal: &Literal) -> Option<Self> {
        let Literal::List(items) = literal else { return None };
        let texts: Vec<&str> = items
            .iter()
            .map(|item| if let Literal::Text(text) = item { Some(text.as_str()) } else { None })
            .collect::<Option<_>>()?;
        let [name, a, a_address, a_port, b, b_address, b_port, speed, mtu] = texts[..] else {
            return None;
        };
        let end = |node: &str, address: &str, port: &str| End {
            node: node.to_owned(),
            address: address.to_owned(),
            interface: Some(port.to_owned()).filter(|port| !port.is_empty()),
        };
        let mtu = if mtu.is_empty() { None } else { Some(mtu.parse().ok()?) };
        Some(Self {
            name: name.to_owned(),
            ends: [end(a, a_address, a_port), end(b, b_address, b_port)],
            speed: speed.parse().ok()?,
            mtu,
        })
    }
}

/// Holds one transfer over a link.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct Transfer {
    /// Connections side by side.
    pub streams: u32,
    /// Whether the first end receives.
    pub inbound: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        let end = |node: &str, address: &str, port: Option<&str>| End {
            node: node.into(),
            address: address.into(),
            interface: port.map(str::to_owned),
        };
        Link {
            name: "one-two".into(),
            ends: [end("one", "10.0.0.1", Some("enp5s0")), end("two", "10.0.0.2", None)],
            speed: "10 Gbit/s".parse().unwrap_or_else(|e| panic!("{e}")),
            mtu: Some(1500),
        }
    }

    #[test]
    fn a_link_reads_back_from_its_parameter() {
        let link = link();
        assert_eq!(Link::of(&link.literal()), Some(link.clone()));
        let turned = Link { mtu: None, ..link.turned() };
        assert_eq!(Link::of(&turned.literal()), Some(turned));
        assert_eq!(Link::of(&Literal::Text("one-two".into())), None);
    }
}
