//! The JSON document of one of our own instruments.

use serde_json::Value as Json;
use verify_model::{
    ask::Ask, evidence::Evidence, finding::FindingCode, observation::AttemptError, value::Value,
};

use crate::probe::{failed, text_of};

/// Form of the document that this version reads.
pub(crate) const PROTOCOL: &str = "verify-instrument/1";

/// Returns the result of an instrument.
///
/// *Errors*: it was not gathered, was cut, or another instrument or version speaks.
pub(crate) fn result(evidence: &Evidence, name: &str) -> Result<Json, AttemptError> {
    let text = text_of(evidence)?;
    let unreadable = |why: String| failed(FindingCode::OutputUnreadable, why);
    let document: Json = serde_json::from_str(text)
        .map_err(|error| unreadable(format!("{}: not JSON: {error}", evidence.ask)))?;
    let said = |key: &str| document.get(key).and_then(Json::as_str).unwrap_or("nothing").to_owned();
    if said("protocol") != PROTOCOL {
        let other = said("protocol");
        let why = format!("{}: it speaks {other}, expected {PROTOCOL}", evidence.ask);
        return Err(unreadable(why));
    }
    if said("instrument") != name {
        let other = said("instrument");
        return Err(unreadable(format!("{}: {other} answered, not {name}", evidence.ask)));
    }
    let missing = || unreadable(format!("{}: it gave no result", evidence.ask));
    document.get("result").filter(|result| result.is_object()).cloned().ok_or_else(missing)
}

/// Finds an instrument among what was gathered and returns its result.
///
/// *Errors*: as [`result`], or it was not asked for.
pub(crate) fn gathered(evidence: &[&Evidence], name: &str) -> Result<Json, AttemptError> {
    let wanted = |ask: &Ask| matches!(ask, Ask::Instrument { argv, .. } if argv.first().is_some_and(|n| n == name));
    match evidence.iter().find(|piece| wanted(&piece.ask)) {
        Some(piece) => result(piece, name),
        None => Err(failed(FindingCode::NotRecorded, format!("{name} was not gathered"))),
    }
}

/// Reads one part of a result: the refusal as a text, else what `read` makes of it.
pub(crate) fn part(part: &Json, read: impl FnOnce(&Json) -> Value) -> Value {
    if let Some(why) = refusal(part) {
        return Value::Text(format!("refused: {why}"));
    }
    match part.get("broken").and_then(Json::as_str) {
        Some(how) => Value::Unreadable(format!("the instrument broke: {how}")),
        None => read(part),
    }
}

/// Says what the kernel refused, where a part of the result is a refusal.
pub(crate) fn refusal(part: &Json) -> Option<String> {
    let refused = part.get("refused")?;
    let text = |key: &str| refused.get(key).and_then(Json::as_str).unwrap_or_default();
    Some(format!("{}: {} ({}): {}", text("call"), text("errno"), text("message"), text("why")))
}
