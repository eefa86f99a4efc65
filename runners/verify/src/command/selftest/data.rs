//! The same for programs: one JSON document. Every part says that it was injected.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use verify_engine::fault::{Catalogue, DAMAGES, Damage, Fault, Found, Hit, Proof, Seen, Struck};

use super::{Tried, chosen::Chosen};

/// Names the form of the document.
const FORMAT: &str = "verify-selftest/1";

/// Writes the catalogue.
pub(super) fn list(catalogue: &Catalogue, chosen: &Chosen<'_>) -> anyhow::Result<String> {
    let faults = chosen.faults.iter().map(|fault| described(catalogue, fault));
    let damages =
        chosen.damages.iter().map(|damage| json!({ "id": damage.id, "title": damage.title }));
    let document = json!({
        "format": FORMAT,
        "faults": faults.collect::<Vec<_>>(),
        "damages": damages.collect::<Vec<_>>(),
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Writes what was tried.
pub(super) fn document(tried: &Tried<'_>) -> anyhow::Result<String> {
    let faults: Vec<Value> = tried.proofs.iter().map(|proof| fault(tried, proof)).collect();
    let controls: Vec<Value> = tried
        .controls
        .iter()
        .map(|(node, check, found)| json!({ "node": node, "check": check, "found": seen(found) }))
        .collect();
    let damages: Vec<Value> = DAMAGES.iter().filter_map(|damage| one(tried, damage)).collect();
    let document = json!({
        "format": FORMAT,
        "injected": true,
        "root": tried.root,
        "faults": faults,
        "controls": controls,
        "damages": damages,
        "exit": tried.exit(),
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Describes what one damage did: how often each outcome came, and every check that did not notice.
fn one(tried: &Tried<'_>, damage: &Damage) -> Option<Value> {
    let own: Vec<&Struck<'_>> =
        tried.struck.iter().filter(|struck| struck.damage.id == damage.id).collect();
    let mut outcomes = BTreeMap::<&str, usize>::new();
    let (mut slipped, mut beside, mut broken) = (Vec::new(), Vec::new(), Vec::new());
    for struck in &own {
        let place =
            |more: Value| json!({ "node": struck.node, "check": struck.check, "said": more });
        match &struck.hit {
            Hit::Noticed(seen) => *outcomes.entry(seen.outcome.name()).or_default() += 1,
            Hit::Passed(found) | Hit::Misjudged(found) => slipped.push(place(seen(found))),
            Hit::NotApplied(_, why) => beside.push(place(json!(why))),
            Hit::NothingToDamage => {
                beside.push(place(json!("none of its answers can be damaged so")));
            }
            Hit::Broken(why) => broken.push(place(json!(why))),
        }
    }
    (!own.is_empty()).then(|| {
        json!({
            "id": damage.id,
            "title": damage.title,
            "tried": own.len() - beside.len(),
            "noticed": outcomes.values().sum::<usize>(),
            "outcomes": outcomes,
            "not-noticed": slipped,
            "does-not-apply": beside,
            "broken": broken,
        })
    })
}

fn described(catalogue: &Catalogue, fault: &Fault) -> Value {
    let is_it = |other: &Fault| other.id == fault.id;
    let topic = catalogue.groups.iter().find(|group| group.faults.iter().any(is_it));
    json!({
        "id": fault.id,
        "topic": topic.map(|group| &group.title),
        "title": fault.title,
        "happens": fault.happens,
        "node": fault.node,
        "check": fault.check,
        "expected": {
            "outcome": fault.expect.outcome,
            "finding": fault.expect.finding,
            "field": fault.expect.field,
            "also": fault.expect.also,
            "shown-by": fault.expect.shown_by,
        },
    })
}

fn fault(tried: &Tried<'_>, proof: &Proof<'_>) -> Value {
    let (result, found, trouble) = match &proof.found {
        Found::Noticed(found) => ("noticed", Some(found), None),
        Found::Otherwise(found) => ("not-noticed", Some(found), None),
        Found::NoControl(found) => ("no-control", Some(found), None),
        Found::NotHere(why) => ("not-in-this-root", None, Some(why)),
        Found::Broken(why) => ("broken", None, Some(why)),
    };
    let mut value = described(tried.catalogue, proof.fault);
    value["result"] = json!(result);
    value["found"] = json!(found.map(seen));
    value["trouble"] = json!(trouble);
    value
}

fn seen(found: &Seen) -> Value {
    json!({
        "outcome": found.outcome,
        "finding": found.finding,
        "field": found.field,
        "message": found.message,
    })
}
