//! What of the instrument's document becomes which field.

use serde_json::Value as Json;
use verify_model::{
    finding::FindingCode,
    metric::{Direction, Metric},
    observation::{AttemptError, Observation},
    quantity::Quantity,
    unit::Unit,
    value::Value,
};

use super::field::{FIELDS, LEVELS, ROWS};
use crate::probe::failed;

/// Reads the whole document.
///
/// *Errors*: nothing was measured, for a reason that is not the server's.
pub(super) fn all(result: &Json) -> Result<Observation, AttemptError> {
    if let Some(why) = result.get("taken").and_then(Json::as_str) {
        return Err(failed(FindingCode::ConditionsNotHeld, format!("{why}; nothing was started")));
    }
    if let Some(others) = others(result) {
        return Err(failed(FindingCode::ConditionsNotHeld, others));
    }
    if let Some(why) = result.get("unstarted").filter(|why| !why.is_null()) {
        let missing = result.get("missing").and_then(Json::as_bool) == Some(true);
        let code = if missing { FindingCode::ToolMissing } else { FindingCode::GatherFailed };
        let program = result.pointer("/argv/0").and_then(Json::as_str).unwrap_or("the server");
        let why = why.as_str().unwrap_or("nobody knows why");
        return Err(failed(code, format!("{program} cannot be started: {why}")));
    }
    let seen = Observation::default()
        .fact("command", command(result))
        .fact("trouble", trouble(result))
        .fact("ready", ready(result));
    let seen = ended(seen, result);
    if result.get("ready").is_none_or(Json::is_null) {
        return Ok(filled(seen, "it never became ready"));
    }
    let seen = served(seen, result);
    let seen = completions(seen, result);
    let seen = gpus(seen, result);
    Ok(filled(levels(seen, result), "it was not asked for"))
}

/// Says who was in the way, in which case nothing was started or the figures are worth nothing.
fn others(result: &Json) -> Option<String> {
    let number = |json: &Json, key: &str| json.get(key).map_or("?".to_owned(), Json::to_string);
    let before = result.get("others").and_then(Json::as_array).filter(|all| !all.is_empty());
    if let Some(all) = before {
        let name = |one: &Json| {
            let name = one.get("name").and_then(Json::as_str).unwrap_or("a process");
            format!("{name} ({}) computes on card {}", number(one, "pid"), number(one, "card"))
        };
        let names: Vec<String> = all.iter().map(name).collect();
        return Some(format!("{}; nothing was started beside it", names.join(", ")));
    }
    let cards = result.pointer("/gpus/cards").and_then(Json::as_array).into_iter().flatten();
    let mut foreign = cards.filter(|card| unsigned(card, "others").is_some_and(|count| count > 0));
    if let Some(card) = foreign.next() {
        let (count, index) = (number(card, "others"), number(card, "index"));
        let computing = if count == "1" { "process computes" } else { "processes compute" };
        return Some(format!("{count} {computing} on card {index} beside the server"));
    }
    let running = result.pointer("/counted-before/running").and_then(Json::as_f64)?;
    (running > 0.0).then(|| format!("requests of somebody else were under way: {running}"))
}

fn command(result: &Json) -> Value {
    let words = result.get("argv").and_then(Json::as_array);
    let words = words.map(|all| all.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" "));
    let found = result.get("address").and_then(Json::as_str).map(|at| format!("found at {at}"));
    words.or(found).map_or_else(|| unreadable("it does not say which server"), Value::Text)
}

fn ready(result: &Json) -> Value {
    match (result.get("ready"), result.get("not-ready")) {
        (Some(ready), _) if ready.is_object() => Value::Bool(true),
        (_, Some(not)) if not.is_object() => Value::Bool(false),
        _ => unreadable("it does not say whether the server became ready"),
    }
}

/// Says what went wrong, with what is known of the cause and the server's last words.
fn trouble(result: &Json) -> Value {
    let text = |at: &str| result.pointer(at).and_then(Json::as_str);
    let cause = text("/cause").map_or_else(String::new, |cause| format!(" ({cause})"));
    let exited = result.get("exited").filter(|how| how.is_object());
    let why = match (text("/not-ready/why"), exited) {
        (Some(why), _) => format!("{why}{cause}"),
        (None, Some(how)) => format!("it ended under load{cause}: {how}"),
        (None, None) if result.get("ready").is_some_and(Json::is_object) => {
            return Value::text("none");
        }
        (None, None) => return unreadable("it does not say why it is not ready"),
    };
    let lines = result.get("last-lines").and_then(Json::as_array);
    let lines = lines.map(|all| all.iter().filter_map(Json::as_str).collect::<Vec<_>>());
    Value::Text(match lines.as_deref() {
        None | Some([]) => why,
        Some(lines) => format!("{why}; it wrote last: {}", lines.join(" | ")),
    })
}

/// Reads how the server was ended.
fn ended(seen: Observation, result: &Json) -> Observation {
    if result.get("mode").and_then(Json::as_str) == Some("attached") {
        let not_ours = || Value::Absent("it ran already, and is not ended".to_owned());
        return ["torn-down", "ended-by", "left"]
            .into_iter()
            .fold(seen, |seen, name| seen.fact(name, not_ours()));
    }
    let teardown = result.get("teardown");
    let left = teardown.and_then(|ended| ended.get("left")).and_then(Json::as_array);
    let free = teardown.and_then(|ended| ended.get("port-free")).and_then(Json::as_bool);
    let (torn_down, list) = if let (Some(left), Some(free)) = (left, free) {
        let names = left.iter().filter_map(Json::as_str).map(Value::text).collect();
        (Value::Bool(left.is_empty() && free), Value::List(names))
    } else {
        let why = || unreadable("it does not say how the server ended");
        (why(), why())
    };
    let by = teardown.and_then(|ended| ended.get("by")).and_then(Json::as_str);
    let by = by.map_or_else(|| unreadable("it does not say how the server ended"), Value::text);
    seen.fact("torn-down", torn_down).fact("left", list).fact("ended-by", by)
}

/// Reads what the server says of itself.
fn served(seen: Observation, result: &Json) -> Observation {
    let health = result.pointer("/ready/health").and_then(Json::as_str);
    let health = health.map_or_else(|| unreadable("its health is not told"), Value::text);
    let after = result.pointer("/ready/after-ms").and_then(Json::as_f64);
    let asked = result.get("model").and_then(Json::as_str).unwrap_or_default();
    let model = match result.get("listed") {
        Some(Json::Array(all)) => {
            let names: Vec<&str> = all.iter().filter_map(Json::as_str).collect();
            let own = names.iter().find(|name| **name == asked).or(names.first());
            own.map_or_else(
                || Value::Absent("it lists no model".to_owned()),
                |name| Value::text(*name),
            )
        }
        Some(other) => Value::Absent(absent(other, "it does not list its models")),
        None => unreadable("it is not told which models it lists"),
    };
    let greedy = |key: &str| match (result.pointer(&format!("/greedy/{key}")), trouble_of(result)) {
        (Some(Json::String(text)), _) => Value::text(text.clone()),
        (Some(Json::Bool(flag)), _) => Value::Bool(*flag),
        (_, Some(why)) => Value::Absent(why),
        (Some(Json::Null) | None, None) if key == "as-reference" => {
            Value::Absent("the suite gives no reference".to_owned())
        }
        _ => unreadable("the greedy completion is not told"),
    };
    seen.fact("health", health)
        .fact("ready-after", amount(after.map(|ms| ms / 1e3), "s", "it is not told when"))
        .fact("model", model)
        .fact("greedy", greedy("text"))
        .fact("deterministic", greedy("same-twice"))
        .fact("as-reference", greedy("as-reference"))
}

fn trouble_of(result: &Json) -> Option<String> {
    result.pointer("/greedy/trouble").and_then(Json::as_str).map(str::to_owned)
}

/// Adds up what was asked for, and what came.
fn completions(seen: Observation, result: &Json) -> Observation {
    let loads = loads(result);
    let sum = |key: &str, why: &str| {
        let all: Option<Vec<u64>> = loads.iter().map(|load| unsigned(load, key)).collect();
        let sum = all.filter(|all| !all.is_empty()).map(|all| all.iter().sum::<u64>());
        sum.and_then(|sum| i64::try_from(sum).ok()).map_or_else(|| unreadable(why), Value::Integer)
    };
    let failures = loads.iter().filter_map(|load| load.get("failures")?.as_array()).flatten();
    let failures = failures.filter_map(Json::as_str).map(Value::text).collect();
    let uncounted = loads.iter().any(|load| load.get("output-tokens").is_some_and(Json::is_null));
    let tokens = if uncounted {
        Value::Absent("the server did not count the tokens of some completions".to_owned())
    } else {
        sum("output-tokens", "tokens are not told")
    };
    let rise = |key: &str| {
        let at = |when: &str| result.get(when).and_then(|all| all.get(key)).and_then(Json::as_f64);
        match (at("counted-before"), at("counted-after")) {
            #[expect(clippy::cast_possible_truncation, reason = "floats saturate")]
            (Some(before), Some(after)) if after >= before => {
                Value::Integer((after - before).round() as i64)
            }
            (Some(_), Some(_)) => unreadable("a counter of the server went back"),
            _ => {
                let said = result.get("counted-before").unwrap_or(&Json::Null);
                Value::Absent(absent(said, "the server does not count it"))
            }
        }
    };
    seen.fact("requests", sum("requests", "it is not told how many were asked for"))
        .fact("completed", sum("completed", "it is not told how many came"))
        .fact("failed", sum("failed", "it is not told how many failed"))
        .fact("failures", Value::List(failures))
        .fact("tokens", tokens)
        .fact("counted", rise("generated"))
        .fact("preemptions", rise("preemptions"))
}

fn loads(result: &Json) -> &[Json] {
    result.get("loads").and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// Reads which GPUs worked.
fn gpus(seen: Observation, result: &Json) -> Observation {
    let part = result.get("gpus").unwrap_or(&Json::Null);
    let Some(cards) = part.get("cards").and_then(Json::as_array) else {
        let unknown = part.get("unknown").and_then(Json::as_str);
        let why = || match unknown {
            Some(why) => unreadable(why),
            None => Value::Absent(absent(part, "the driver was not asked")),
        };
        return ["gpus-used", "gpu-balance", "link-traffic"]
            .into_iter()
            .fold(seen, |seen, name| seen.fact(name, why()));
    };
    if cards.iter().any(|card| unsigned(card, "processes").is_none()) {
        let why = "NVML does not list the processes of a card";
        return ["gpus-used", "gpu-balance", "link-traffic"]
            .into_iter()
            .fold(seen, |seen, name| seen.fact(name, unreadable(why)));
    }
    let used: Vec<&Json> =
        cards.iter().filter(|card| unsigned(card, "processes").is_some_and(|n| n > 0)).collect();
    let name = |card: &&Json| {
        let uuid = card.get("uuid").and_then(Json::as_str).unwrap_or("a card without a name");
        Value::text(uuid)
    };
    let names = used.iter().map(name).collect();
    let least_most = |numbers: Option<Vec<f64>>| {
        let numbers = numbers.filter(|numbers| !numbers.is_empty())?;
        let most = numbers.iter().copied().fold(0.0, f64::max);
        Some((numbers.iter().copied().fold(f64::INFINITY, f64::min), most))
    };
    let float = |card: &&Json, key: &str| card.get(key).and_then(Json::as_f64);
    let held = least_most(used.iter().map(|card| float(card, "held-bytes")).collect());
    let balance = held.filter(|(_, most)| *most > 0.0).map(|(least, most)| least / most);
    let carried = |card: &&Json| Some(float(card, "sent-kib")? + float(card, "received-kib")?);
    let traffic = least_most(used.iter().map(carried).collect()).map(|(least, _)| least / 1024.0);
    let or_absent = |value: Option<f64>, unit: &str, why: &str| match value {
        None => Value::Absent(why.to_owned()),
        value => amount(value, unit, why),
    };
    seen.fact("gpus-used", Value::List(names))
        .fact(
            "gpu-balance",
            or_absent(balance, "x", "NVML does not tell how much memory each process holds"),
        )
        .fact("link-traffic", or_absent(traffic, "MiB", "NVML does not count what the links carry"))
}

/// Adds the metrics of each concurrency.
fn levels(mut seen: Observation, result: &Json) -> Observation {
    for load in loads(result) {
        let Some(level) = unsigned(load, "concurrency") else { continue };
        if !LEVELS.iter().any(|known| *known as u64 == level) {
            continue;
        }
        let mut missing = std::collections::BTreeMap::new();
        for (name, key, unit) in ROWS {
            match metric(load, key, unit) {
                Ok(metric) => seen = seen.metric(&format!("at-{level}.{name}"), metric),
                Err(value) => drop(missing.insert(name.to_owned(), value)),
            }
        }
        seen = seen.fact(&format!("at-{level}"), Value::Record(missing));
    }
    seen
}

fn metric(load: &Json, key: &str, unit: &str) -> Result<Metric, Value> {
    let malformed = || unreadable("the instrument tells it, and not in numbers");
    let samples: Vec<f64> = match load.get(key) {
        Some(Json::Array(all)) => {
            all.iter().map(sound).collect::<Option<_>>().ok_or_else(malformed)?
        }
        Some(Json::Null) => Vec::new(),
        Some(one) => vec![sound(one).ok_or_else(malformed)?],
        None => return Err(unreadable("the instrument does not tell it")),
    };
    if samples.is_empty() {
        let some = unsigned(load, "completed").is_some_and(|count| count > 0);
        let why = if some { "the server did not count tokens, or made one" } else { "none came" };
        return Err(Value::Absent(why.to_owned()));
    }
    let rate = unit == "token/s";
    let direction = if rate { Direction::HigherIsBetter } else { Direction::LowerIsBetter };
    let unit = Unit::parse(unit).ok_or_else(|| unreadable("an unknown unit"))?;
    Metric::new(unit, direction, samples).map_err(|error| unreadable(&error.to_string()))
}

/// Reads a sample, which is not below zero: chunks that came together have no time between them.
fn sound(value: &Json) -> Option<f64> {
    value.as_f64().filter(|number| *number >= 0.0)
}

fn unsigned(json: &Json, key: &str) -> Option<u64> {
    json.get(key).and_then(Json::as_u64)
}

fn amount(value: Option<f64>, unit: &str, why: &str) -> Value {
    let quantity = value.and_then(|value| Quantity::of(value, unit).ok());
    quantity.map_or_else(|| unreadable(why), Value::Quantity)
}

/// Returns why a part is absent, where it says so.
fn absent(part: &Json, otherwise: &str) -> String {
    part.get("absent").and_then(Json::as_str).unwrap_or(otherwise).to_owned()
}

fn unreadable(why: &str) -> Value {
    Value::Unreadable(why.to_owned())
}

/// Gives every field that is still missing its reason.
fn filled(mut seen: Observation, why: &str) -> Observation {
    for field in FIELDS {
        let name = field.path.split('.').next().unwrap_or(field.path);
        let there = seen.facts.contains_key(name) || seen.metrics.contains_key(field.path);
        if !there {
            seen = seen.fact(name, Value::Absent(why.to_owned()));
        }
    }
    seen
}
