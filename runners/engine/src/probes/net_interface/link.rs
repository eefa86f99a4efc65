//! What iproute2 says of one interface, as a table of facts.

use serde_json::Value as Json;
use verify_model::{
    evidence::Evidence, finding::FindingCode, observation::AttemptError, value::Value,
};

use crate::probe::{failed, text_of};

pub(super) type FromLink = fn(&Json) -> Value;

pub(super) const LINK_FACTS: [(&str, FromLink); 8] = [
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

/// Reads what `ip` lists; old versions put empty objects between the interfaces.
pub(super) fn listed(evidence: &Evidence) -> Result<Vec<Json>, AttemptError> {
    let text = text_of(evidence)?;
    let json: Result<Vec<Json>, _> = serde_json::from_str(text);
    let listed = json.map_err(|error| {
        let message = format!("{}: not a JSON list: {error}", evidence.ask);
        failed(FindingCode::OutputUnreadable, message)
    })?;
    Ok(listed.into_iter().filter(|item| item.as_object().is_some_and(|o| !o.is_empty())).collect())
}

pub(super) fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
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
