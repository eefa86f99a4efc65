//! What is said of the links of each card and of each pair, by tools that may fail on their own.

use verify_model::{
    evidence::{Captured, Evidence},
    quantity::Quantity,
    value::Value,
};

use super::{READS, TOPOLOGY, WRITES};
use crate::{
    gathered::{Gathered, count},
    parse::nvidia_smi::{
        nvlink::{self, Card, Links},
        topology::{self, Known, Matrix, PEER},
        trouble,
    },
    probe::text_of,
};

/// Returns what a tool printed, or why that says nothing of any card.
fn answer<'a>(asked: Gathered<'a>, argv: &[&str]) -> Result<&'a str, Value> {
    let piece: &Evidence = asked.program(argv).map_err(|error| Value::Unreadable(error.message))?;
    if let Captured::Exec { exit: Some(exit), stdout, stderr, .. } = &piece.captured
        && *exit != 0
    {
        let messages = trouble::messages(&stdout.text, stderr);
        if let Some(found) = trouble::found(*exit, &messages) {
            let why = trouble::sentence(found, *exit, &messages);
            let nothing = found.nothing || found.state == "unavailable";
            return Err(if nothing { Value::Absent(why) } else { Value::Unreadable(why) });
        }
    }
    text_of(piece).map_err(|error| Value::Unreadable(error.message))
}

/// Holds the links of every card, or why nothing is known of any.
pub(super) struct Active(Result<Vec<Card>, Value>);

/// Reads the links of every card.
pub(super) fn active(asked: Gathered<'_>, argv: &[&str]) -> Active {
    Active(answer(asked, argv).and_then(|text| nvlink::read(text).map_err(Value::Unreadable)))
}

impl Active {
    /// Returns the fields of one card, found by its identity.
    pub(super) fn of(&self, uuid: &Value) -> [(&'static str, Value); 3] {
        const FIELDS: [&str; 3] = ["links-active", "links-inactive", "link-speed"];
        match self.links(uuid) {
            Err(none) => FIELDS.map(|field| (field, none.clone())),
            Ok(links) => {
                let [active, inactive, speed] = FIELDS;
                [(active, count(links.active())), (inactive, down(links)), (speed, slowest(links))]
            }
        }
    }

    fn links(&self, uuid: &Value) -> Result<&Links, Value> {
        let cards = self.0.as_ref().map_err(Value::clone)?;
        if cards.is_empty() {
            return Err(Value::Absent("nvidia-smi nvlink -s lists no card".to_owned()));
        }
        let Value::Text(uuid) = uuid else { return Err(uuid.clone()) };
        let mut own = cards.iter().filter(|card| card.uuid == *uuid);
        let (Some(card), None) = (own.next(), own.next()) else {
            let why = format!("nvidia-smi nvlink -s does not list {uuid} once");
            return Err(Value::Unreadable(why));
        };
        match &card.links {
            Ok(Links::Each(links)) if links.is_empty() => {
                Err(Value::Absent("nvidia-smi nvlink -s lists no link of this card".to_owned()))
            }
            Ok(links) => Ok(links),
            Err(why) => Err(Value::Unreadable(why.clone())),
        }
    }
}

fn down(links: &Links) -> Value {
    match links {
        Links::AllInactive => Value::List(vec![Value::text("all")]),
        Links::Each(links) => {
            let down = links.iter().filter(|(_, speed)| speed.is_none());
            Value::List(down.map(|(number, _)| Value::Text(format!("link {number}"))).collect())
        }
    }
}

fn slowest(links: &Links) -> Value {
    let speed = match links {
        Links::AllInactive => None,
        Links::Each(links) => links.iter().filter_map(|(_, speed)| *speed).min_by(f64::total_cmp),
    };
    speed.map_or_else(
        || Value::Absent("no link is active".to_owned()),
        |speed| {
            Quantity::of(speed, "GB/s")
                .map_or_else(|why| Value::Unreadable(why.to_string()), Value::Quantity)
        },
    )
}

/// Lists every pair of cards, both ways.
pub(super) fn pairs(asked: Gathered<'_>, open: usize, lost: &[String]) -> Value {
    if !lost.is_empty() {
        return Value::Unreadable("a card is lost, so that the matrix is not known".to_owned());
    }
    if open < 2 {
        return Value::Absent("there are no two cards".to_owned());
    }
    let link = matrix(asked, TOPOLOGY, topology::is_link, open);
    let read = matrix(asked, READS, topology::is_peer, open);
    let write = matrix(asked, WRITES, topology::is_peer, open);
    let at = |matrix: &Result<Matrix, Value>, from: usize, to: usize| match matrix {
        Err(none) => none.clone(),
        Ok(matrix) => matrix.cells.get(from).and_then(|row| row.get(to)).map_or_else(
            || Value::Unreadable("the matrix is short".to_owned()),
            |word| Value::text(peer(word)),
        ),
    };
    let both = (0..open).flat_map(|from| (0..open).map(move |to| (from, to)));
    let pair = |(from, to): (usize, usize)| {
        Value::record([
            ("cards", Value::Text(format!("{from}-{to}"))),
            ("link", at(&link, from, to)),
            ("read", at(&read, from, to)),
            ("write", at(&write, from, to)),
        ])
    };
    Value::List(both.filter(|(from, to)| from != to).map(pair).collect())
}

/// Returns the word that the probe `nvml` has for it; links have none and stay.
fn peer(word: &str) -> &str {
    PEER.iter().find(|(known, _)| *known == word).map_or(word, |(_, name)| *name)
}

fn matrix(asked: Gathered<'_>, argv: &[&str], known: Known, open: usize) -> Result<Matrix, Value> {
    let unreadable = |why: String| Value::Unreadable(format!("{}: {why}", argv.join(" ")));
    let matrix = topology::read(answer(asked, argv)?, known).map_err(unreadable)?;
    if matrix.cells.len() != open {
        let why = format!("it has {} cards, {open} answer", matrix.cells.len());
        return Err(unreadable(why));
    }
    Ok(matrix)
}
