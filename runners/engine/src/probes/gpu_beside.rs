//! What NVML says while another program is asked about the same cards: which are there, who computes.
//!
//! For probes over Python packages: a package's own count may lie, and what others compute on a card
//! makes its figures worth nothing. What NVML does not tell stays unknown, and is never "nobody".

use serde_json::Value as Json;
use verify_model::{evidence::Evidence, value::Value};

use super::nvml;
use crate::parse::instrument;

/// States by which the node says itself that there is no driver to ask.
const ABSENT: [&str; 4] = ["no-library", "not-a-library", "driver-not-loaded", "version-mismatch"];

/// Holds what NVML says; the errors say why it does not, as values.
pub(super) struct Beside {
    /// Identities of the cards that it could open.
    pub(super) cards: Result<Vec<String>, Value>,
    /// Processes that are not ours, each `card 0: name (pid)`.
    pub(super) others: Result<Vec<String>, Value>,
}

impl Beside {
    /// Reads the inventory among what was gathered; `own` are our processes.
    pub(super) fn of(evidence: &[&Evidence], own: &[i64]) -> Self {
        match opened(evidence) {
            Ok(opened) => {
                let said = |none: Option<Vec<String>>, what: &str| {
                    none.ok_or_else(|| Value::Unreadable(format!("NVML does not say {what}")))
                };
                let uuid = |(_, card): &(usize, Json)| {
                    Some(card.pointer("/uuid/value")?.as_str()?.to_owned())
                };
                let cards = said(opened.iter().map(uuid).collect(), "which card it is");
                let others = opened.iter().map(|(at, card)| others(*at, card, own));
                let others: Option<Vec<Vec<String>>> = others.collect();
                let others = said(others.map(|all| all.concat()), "who computes");
                Self { cards, others }
            }
            Err(none) => Self { cards: Err(none.clone()), others: Err(none) },
        }
    }

    /// Lists the processes, for a field.
    pub(super) fn listed(&self) -> Value {
        match &self.others {
            Ok(others) => Value::List(others.iter().map(Value::text).collect()),
            Err(none) => none.clone(),
        }
    }
}

/// Returns the cards that could be opened, with NVML's numbers.
fn opened(evidence: &[&Evidence]) -> Result<Vec<(usize, Json)>, Value> {
    let result = instrument::gathered(evidence, nvml::NAME)
        .map_err(|error| Value::Unreadable(error.message))?;
    let state = result.get("state").and_then(Json::as_str).unwrap_or("no state");
    if state != "ok" {
        let trouble = result.get("trouble").and_then(Json::as_str).unwrap_or("no reason given");
        let why = format!("NVML: {state}: {trouble}");
        return Err(if ABSENT.contains(&state) {
            Value::Absent(why)
        } else {
            Value::Unreadable(why)
        });
    }
    let cards = result.get("cards").and_then(Json::as_array);
    let cards = cards.ok_or_else(|| Value::Unreadable("NVML lists no cards".to_owned()))?;
    let open = |card: &Json| card.pointer("/opened/value") == Some(&Json::Bool(true));
    Ok(cards.iter().cloned().enumerate().filter(|(_, card)| open(card)).collect())
}

fn others(at: usize, card: &Json, own: &[i64]) -> Option<Vec<String>> {
    let processes = card.pointer("/compute-processes/value")?.as_array()?;
    let mut found = Vec::new();
    for process in processes {
        let pid = process.get("pid")?.as_i64()?;
        if !own.contains(&pid) {
            let name = process.pointer("/name/value").and_then(Json::as_str).unwrap_or("?");
            found.push(format!("card {at}: {name} ({pid})"));
        }
    }
    Some(found)
}
