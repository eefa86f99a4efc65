//! Which GPUs work for a server: whose processes compute on them, and whether their links carry.
//!
//! The driver is asked before and while a completion is under way. A flag proves nothing: a GPU
//! counts where a process of the server's family holds memory on it. Who may not see whose
//! processes they are says so.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{super::nvml, family::descendants};

/// Asks the driver for its cards.
pub(super) fn ask(library: Option<&str>) -> Value {
    nvml::beside(library)
}

/// Says why the driver has no answer, where it has none.
fn silent(state: &Value) -> Option<String> {
    let word = state["state"].as_str().unwrap_or("no state");
    let why = state["trouble"].as_str().unwrap_or("it does not say why");
    (word != "ok").then(|| format!("NVML: {word}: {why}"))
}

/// Lists who computes on any card.
pub(super) fn busy(state: &Value) -> Vec<Value> {
    let cards = state["cards"].as_array().into_iter().flatten().enumerate();
    cards
        .flat_map(|(index, card)| {
            let all = card["compute-processes"]["value"].as_array().into_iter().flatten();
            all.map(move |one| json!({ "card": index, "pid": one["pid"], "name": one["name"]["value"] }))
        })
        .collect()
}

/// Compares the cards before with those while a completion was under way.
pub(super) fn used(before: &Value, during: &Value, server: Option<u32>) -> Value {
    if let Some(why) = silent(during) {
        // Without the library there is nobody to ask; a driver that does not answer is another thing.
        let key = if during["state"] == "no-library" { "absent" } else { "unknown" };
        return json!({ key: why });
    }
    let Some(server) = server else {
        return json!({ "unknown": "nobody says which process serves: it is another user's" });
    };
    let mut family: BTreeSet<u64> = descendants(server).into_iter().map(u64::from).collect();
    family.insert(u64::from(server));
    let cards = during["cards"].as_array().cloned().unwrap_or_default();
    let one = |(index, card): (usize, &Value)| {
        let earlier = &before["cards"][index];
        let all = card["compute-processes"]["value"].as_array();
        let own =
            |process: &&Value| process["pid"].as_u64().is_some_and(|pid| family.contains(&pid));
        let owned = all.map(|all| all.iter().filter(own).collect::<Vec<_>>());
        let held = owned.as_ref().map(|own| {
            own.iter().filter_map(|process| process["used-bytes"].as_u64()).sum::<u64>()
        });
        json!({
            "index": index,
            "uuid": card["uuid"]["value"],
            "processes": owned.as_ref().map(Vec::len),
            "others": all.map(|all| all.len() - owned.as_ref().map_or(0, Vec::len)),
            "held-bytes": held,
            "sent-kib": rise(earlier, card, "links-sent-kib"),
            "received-kib": rise(earlier, card, "links-received-kib"),
            "power-mw": card["power-mw"]["value"],
        })
    };
    let all: Vec<Value> = cards.iter().enumerate().map(one).collect();
    // In a container, the driver may number processes as the host does.
    let own = all.iter().any(|card| card["processes"].as_u64().is_some_and(|count| count > 0));
    let here = |one: &Value| std::fs::metadata(format!("/proc/{}", one["pid"])).is_ok();
    let others = busy(during);
    if !own && !others.is_empty() && !others.iter().any(here) {
        return json!({ "unknown": "NVML: the processes that it lists are not seen from here" });
    }
    json!({ "simulated": during["simulated"], "cards": all })
}

/// Says by how much a counter has risen; nothing where the card does not count.
fn rise(before: &Value, after: &Value, key: &str) -> Option<u64> {
    after[key]["value"].as_u64()?.checked_sub(before[key]["value"].as_u64()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(pid: u32, sent: u64) -> Value {
        let process = json!({ "pid": pid, "name": { "value": "python3" }, "used-bytes": 100 });
        let card = |processes: Vec<Value>| {
            json!({
                "uuid": { "value": "GPU-0" },
                "compute-processes": { "value": processes },
                "links-sent-kib": { "value": sent },
            })
        };
        json!({ "state": "ok", "cards": [card(vec![process]), card(vec![])] })
    }

    #[test]
    fn a_card_counts_where_the_servers_family_holds_memory() {
        let own = std::process::id();
        let said = used(&state(own, 5), &state(own, 47), Some(own));
        assert_eq!(said["cards"][0]["held-bytes"], 100);
        assert_eq!(said["cards"][0]["sent-kib"], 42);
        assert_eq!(
            (&said["cards"][1]["processes"], &said["cards"][1]["held-bytes"]),
            (&json!(0), &json!(0))
        );
        assert_eq!(said["cards"][0]["received-kib"], Value::Null);
        let other = used(&state(own, 5), &state(1, 47), Some(own));
        assert_eq!(
            (&other["cards"][0]["processes"], &other["cards"][0]["others"]),
            (&json!(0), &json!(1))
        );
        assert_eq!(busy(&state(1, 0)).len(), 1);
    }

    #[test]
    fn without_a_driver_or_a_process_the_reason_is_said() {
        let none = json!({ "state": "no-library", "trouble": "not found" });
        assert_eq!(used(&none, &none, Some(1))["absent"], "NVML: no-library: not found");
        assert!(used(&none, &state(1, 0), None)["unknown"].is_string());
    }
}
