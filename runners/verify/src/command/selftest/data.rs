//! The same for programs: one JSON document. Every part says that it was injected.

use serde_json::{Value, json};
use verify_engine::fault::{Catalogue, DAMAGES, Fault, Found, Proof, Seen};

use super::Tried;

/// Names the form of the document.
const FORMAT: &str = "verify-selftest/1";

/// Writes the catalogue.
pub(super) fn list(catalogue: &Catalogue, wanted: &[&Fault]) -> anyhow::Result<String> {
    let faults: Vec<Value> = wanted.iter().map(|fault| described(catalogue, fault)).collect();
    let document = json!({ "format": FORMAT, "faults": faults });
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
    let damages: Vec<Value> = DAMAGES.iter().filter_map(|damage| {
        let own: Vec<_> = tried.struck.iter().filter(|one| one.damage.id == damage.id).collect();
        let passed: Vec<Value> = own.iter().filter(|one| !one.is_noticed()).map(|one| {
            let trouble = one.seen.as_ref().err();
            json!({ "node": one.node, "check": one.check, "known": one.known, "trouble": trouble })
        }).collect();
        let noticed = own.len() - passed.len();
        (!own.is_empty()).then(|| json!({
            "id": damage.id, "title": damage.title, "tried": own.len(), "noticed": noticed, "not-noticed": passed,
        }))
    }).collect();
    let document = json!({
        "format": FORMAT,
        "injected": true,
        "faults": faults,
        "controls": controls,
        "damages": damages,
        "exit": tried.exit(),
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
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
            "shown-by": fault.expect.shown_by,
        },
    })
}

fn fault(tried: &Tried<'_>, proof: &Proof<'_>) -> Value {
    let (result, found, trouble) = match &proof.found {
        Found::Noticed(found) => ("noticed", Some(found), None),
        Found::Otherwise(found) => ("not-noticed", Some(found), None),
        Found::NoControl(found) => ("no-control", Some(found), None),
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
