//! What is said of each card and of each pair of cards.

use serde_json::Value as Json;
use verify_model::value::Value;

use super::said::{Answers, amount, text};

type Cards<'a> = Result<Vec<&'a Json>, Value>;

/// Reasons for a card's clocks. *Source*: `nvml.h`, `nvmlClocksEventReason*`.
const REASONS: [(u64, &str); 9] = [
    (0x1, "idle"),
    (0x2, "application-clocks"),
    (0x4, "power-cap"),
    (0x8, "hardware-slowdown"),
    (0x10, "sync-boost"),
    (0x20, "software-thermal"),
    (0x40, "hardware-thermal"),
    (0x80, "power-brake"),
    (0x100, "display-clocks"),
];
/// *Source*: `nvml.h`, `nvmlComputeMode_t`.
const COMPUTE_MODES: [(u64, &str); 4] =
    [(0, "default"), (1, "exclusive-thread"), (2, "prohibited"), (3, "exclusive-process")];
/// *Source*: `nvml.h`, `nvmlGpuTopologyLevel_t`.
const LEVELS: [(u64, &str); 6] = [
    (0, "internal"),
    (10, "single-switch"),
    (20, "multiple-switches"),
    (30, "host-bridge"),
    (40, "node"),
    (50, "system"),
];
/// *Source*: `nvml.h`, `nvmlGpuP2PStatus_t`.
const PEER: [(u64, &str); 7] = [
    (0, "ok"),
    (1, "chipset-not-supported"),
    (2, "gpu-not-supported"),
    (3, "topology-not-supported"),
    (4, "disabled-by-regkey"),
    (5, "not-supported"),
    (6, "unknown"),
];
/// Versions of a link. *Source*: `nvml.h`, `nvmlNvlinkVersion_t`: a number of its own, not the version.
const VERSIONS: [(u64, &str); 7] =
    [(1, "1.0"), (2, "2.0"), (3, "2.2"), (4, "3.0"), (5, "3.1"), (6, "4.0"), (7, "5.0")];

/// Tells how many cards can be opened, and which cannot.
pub(super) fn opened(answers: &Answers<'_>, cards: &Cards<'_>) -> (Value, Value) {
    let cards = match cards {
        Ok(cards) => cards,
        Err(none) => return (none.clone(), none.clone()),
    };
    let lost = cards.iter().enumerate().filter(|(_, card)| !is_open(card)).map(|(index, card)| {
        let why = answers.switch_text(card.get("opened"));
        Value::text(format!("card {index}: {why}"))
    });
    let lost: Vec<Value> = lost.collect();
    let open = i64::try_from(cards.len() - lost.len()).unwrap_or(i64::MAX);
    (Value::Integer(open), Value::List(lost))
}

impl Answers<'_> {
    /// Says why a card could not be opened.
    fn switch_text(&self, part: Option<&Json>) -> String {
        match self.said(part, |_| None) {
            Value::Unreadable(why) | Value::Absent(why) => why,
            other => other.to_string(),
        }
    }
}

fn is_open(card: &Json) -> bool {
    card.pointer("/opened/value") == Some(&Json::Bool(true))
}

/// Lists the cards that can be opened, with their numbers.
fn open<'a>(cards: &Cards<'a>) -> Result<Vec<(usize, &'a Json)>, Value> {
    let cards = cards.clone()?;
    Ok(cards.into_iter().enumerate().filter(|(_, card)| is_open(card)).collect())
}

/// Lists who computes, on which card.
pub(super) fn busy(answers: &Answers<'_>, cards: &Cards<'_>) -> Value {
    let open = match open(cards) {
        Ok(open) => open,
        Err(none) => return none,
    };
    let mut busy = Vec::new();
    for (index, card) in open {
        let listed = answers.said(card.get("compute-processes"), |value| {
            let process = |process: &Json| {
                let pid = process.get("pid")?.as_u64()?;
                let name = process.pointer("/name/value").and_then(Json::as_str).unwrap_or("?");
                Some(Value::text(format!("card {index}: {name} ({pid})")))
            };
            value.as_array()?.iter().map(process).collect::<Option<Vec<_>>>().map(Value::List)
        });
        match listed {
            Value::List(listed) => busy.extend(listed),
            none => return none,
        }
    }
    Value::List(busy)
}

/// Reads every card that can be opened.
pub(super) fn gpus(answers: &Answers<'_>, cards: &Cards<'_>) -> Value {
    let open = match open(cards) {
        Ok(open) => open,
        Err(none) => return none,
    };
    let peers: Vec<&str> = open.iter().filter_map(|(_, card)| bus_id(card)).collect();
    Value::List(open.iter().map(|(index, card)| gpu(answers, *index, card, &peers)).collect())
}

fn bus_id(card: &Json) -> Option<&str> {
    card.pointer("/bus-id/value")?.as_str()
}

fn gpu(answers: &Answers<'_>, index: usize, card: &Json, peers: &[&str]) -> Value {
    let of = Some(card);
    let identity = [
        ("uuid", "uuid"),
        ("name", "name"),
        ("serial", "serial"),
        ("vbios", "vbios"),
        ("board", "board-part"),
        ("bus-id", "bus-id"),
    ]
    .map(|(field, key)| (field.to_owned(), answers.text(of, key)));
    let bytes = |key: &str, part: &'static str| {
        answers.said(card.get(key), |value| amount(value.get(part)?, 1.0, "B"))
    };
    let mut record: std::collections::BTreeMap<String, Value> = identity.into();
    let rest = [
        ("index", Value::Integer(i64::try_from(index).unwrap_or(i64::MAX))),
        ("memory", bytes("memory", "total-bytes")),
        ("memory-free", bytes("memory", "free-bytes")),
        ("bar1", bytes("bar1", "total-bytes")),
        ("pcie", pcie(answers, card)),
        ("power", power(answers, card)),
        ("temperature", temperature(answers, card)),
        ("throttle", answers.said(card.get("throttle-mask"), |mask| Some(reasons(mask.as_u64()?)))),
        (
            "throttle-mask",
            answers.said(card.get("throttle-mask"), |mask| {
                Some(Value::text(format!("{:#x}", mask.as_u64()?)))
            }),
        ),
        ("slowed", answers.said(card.get("throttle-mask"), |mask| Some(slowed(mask.as_u64()?)))),
        ("performance-state", answers.number(of, "performance-state")),
        (
            "clock",
            Value::record([
                ("sm", answers.quantity(of, "clock-sm-mhz", 1.0, "MHz")),
                ("memory", answers.quantity(of, "clock-memory-mhz", 1.0, "MHz")),
            ]),
        ),
        ("memory-health", memory_health(answers, card)),
        (
            "remapped",
            answers.said(card.get("remapped-rows"), |rows| {
                let rows = |key: &str| rows.get(key)?.as_i64();
                Some(Value::Integer(rows("corrected")?.saturating_add(rows("uncorrected")?)))
            }),
        ),
        ("persistence", answers.switch(of, "persistence")),
        ("compute-mode", answers.word(of, "compute-mode", &COMPUTE_MODES)),
        (
            "mig",
            answers.said(card.get("mig-mode"), |mode| {
                Some(Value::Bool(mode.get("current")?.as_u64()? != 0))
            }),
        ),
        ("display", answers.switch(of, "display-active")),
    ];
    record.extend(rest.map(|(key, value)| (key.to_owned(), value)));
    record.extend(links(answers, card, peers).map(|(key, value)| (key.to_owned(), value)));
    Value::Record(record)
}

fn pcie(answers: &Answers<'_>, card: &Json) -> Value {
    let of = Some(card);
    let lanes = |of: &str| {
        answers.said(card.pointer(&format!("/kernel-link/{of}/max-width")), |value| {
            value.as_str()?.parse().ok().map(Value::Integer)
        })
    };
    let (own, slot) = (lanes("card"), lanes("slot"));
    let both = match (&own, &slot) {
        (Value::Integer(own), Value::Integer(slot)) => Value::Integer(*own.min(slot)),
        (Value::Integer(_), none) | (none, _) => none.clone(),
    };
    let replays = answers.number(of, "pcie-replays");
    let later = card.get("later").map(|later| answers.number(Some(later), "pcie-replays"));
    Value::record([
        ("generation", answers.number(of, "pcie-generation")),
        ("generation-max", answers.number(of, "pcie-generation-max")),
        ("width", answers.number(of, "pcie-width")),
        ("width-card", own),
        ("width-slot", slot),
        ("width-max", both),
        ("replay-rise", rise(&replays, later)),
        ("replays", replays),
    ])
}

/// Returns by how much a counter rose; a counter that fell was reset and says nothing.
fn rise(before: &Value, after: Option<Value>) -> Value {
    match (before, after) {
        (_, None) => Value::Absent("no `window` is given, so it was read once".to_owned()),
        (Value::Integer(before), Some(Value::Integer(after))) if after >= *before => {
            Value::Integer(after - before)
        }
        (Value::Integer(before), Some(Value::Integer(after))) => {
            Value::Unreadable(format!("the counter fell from {before} to {after}"))
        }
        (Value::Integer(_), Some(none)) => none,
        (none, _) => none.clone(),
    }
}

fn power(answers: &Answers<'_>, card: &Json) -> Value {
    let watts = |key: &str| answers.quantity(Some(card), key, 1e-3, "W");
    Value::record([
        ("draw", watts("power-mw")),
        ("limit", watts("power-limit-enforced-mw")),
        ("limit-default", watts("power-limit-default-mw")),
    ])
}

fn temperature(answers: &Answers<'_>, card: &Json) -> Value {
    let degrees = |key: &str| answers.quantity(Some(card), key, 1.0, "°C");
    let (now, slowdown) = (degrees("temperature-c"), degrees("temperature-slowdown-c"));
    let below = match (&now, &slowdown) {
        (Value::Quantity(now), Value::Quantity(slowdown)) => {
            Value::Bool(now.base() < slowdown.base())
        }
        (Value::Quantity(_), none) | (none, _) => none.clone(),
    };
    Value::record([
        ("now", now),
        ("slowdown", slowdown),
        ("below-slowdown", below),
        ("memory", degrees("memory-temperature-c")),
    ])
}

/// Names the bits of a mask; one without a name is kept as it is.
fn reasons(mask: u64) -> Value {
    let known =
        REASONS.iter().filter(|(bit, _)| mask & bit != 0).map(|(_, word)| Value::text(*word));
    let named = REASONS.iter().fold(0, |all, (bit, _)| all | bit);
    let unknown =
        (mask & !named != 0).then(|| Value::text(format!("unknown-{:#x}", mask & !named)));
    Value::List(known.chain(unknown).collect())
}

/// Tells whether the hardware slows the card down; a bit without a name may say so, too.
fn slowed(mask: u64) -> Value {
    const HARDWARE: u64 = 0x8 | 0x40 | 0x80;
    let unknown = mask & !REASONS.iter().fold(0, |all, (bit, _)| all | bit);
    if mask & HARDWARE != 0 {
        Value::Bool(true)
    } else if unknown != 0 {
        Value::Unreadable(format!("a reason without a name: bits {unknown:#x}"))
    } else {
        Value::Bool(false)
    }
}

/// Says how the memory does; a card that offers neither ECC nor remapping says so.
fn memory_health(answers: &Answers<'_>, card: &Json) -> Value {
    let rows = answers.said(card.get("remapped-rows"), |rows| {
        let word = match (rows.get("failed")?.as_bool()?, rows.get("pending")?.as_bool()?) {
            (true, _) => "remap-failed",
            (_, true) => "remap-pending",
            _ => "ok",
        };
        Some(Value::text(word))
    });
    let errors = answers.said(card.get("ecc-uncorrected"), |errors| {
        Some(Value::text(if errors.as_u64()? == 0 { "ok" } else { "uncorrected-errors" }))
    });
    let ok = Value::text("ok");
    match (rows, errors) {
        (Value::Absent(_), Value::Absent(_)) => Value::text("not-offered"),
        (Value::Unreadable(why), _) | (_, Value::Unreadable(why)) => Value::Unreadable(why),
        (Value::Absent(_), errors) => errors,
        (rows, Value::Absent(_)) => rows,
        (rows, errors) => {
            if rows == ok {
                errors
            } else {
                rows
            }
        }
    }
}

/// Reads the links of a card: a list of what each says.
fn links(answers: &Answers<'_>, card: &Json, peers: &[&str]) -> [(&'static str, Value); 6] {
    const FIELDS: [&str; 6] = [
        "links-active",
        "links-version",
        "links-lead",
        "links-remote",
        "link-errors",
        "link-error-rise",
    ];
    let whole =
        answers.said(card.get("links"), |links| links.is_array().then_some(Value::Bool(true)));
    let Some(links) = card.pointer("/links/value").and_then(Json::as_array) else {
        return FIELDS.map(|field| (field, whole.clone()));
    };
    let states: Vec<Value> = links.iter().map(|link| answers.switch(Some(link), "state")).collect();
    if let Some(none) = states.iter().find(|state| !matches!(state, Value::Bool(_))) {
        return FIELDS.map(|field| (field, none.clone()));
    }
    let active: Vec<&Json> = links
        .iter()
        .zip(&states)
        .filter(|(_, state)| **state == Value::Bool(true))
        .map(|(link, _)| link)
        .collect();
    let remote: Vec<Value> = active.iter().map(|link| answers.text(Some(link), "remote")).collect();
    let own = bus_id(card);
    let lead = if let Some(none) = remote.iter().find(|remote| !matches!(remote, Value::Text(_))) {
        none.clone()
    } else if active.is_empty() {
        Value::text("nowhere")
    } else {
        let to_peer = |remote: &Value| matches!(remote, Value::Text(id) if peers.contains(&id.as_str()) && Some(id.as_str()) != own);
        Value::text(if remote.iter().all(to_peer) { "to-peers" } else { "elsewhere" })
    };
    let versions =
        active.iter().map(|link| answers.word(Some(link), "version", &VERSIONS)).collect();
    let before = errors(answers, &links.iter().map(|link| &link["errors"]).collect::<Vec<_>>());
    let after = card.pointer("/later/link-errors").map(|later| match later.as_array() {
        Some(later) if later.len() == links.len() => {
            errors(answers, &later.iter().collect::<Vec<_>>())
        }
        _ => Value::Unreadable("the links were others after the window".to_owned()),
    });
    let count = i64::try_from(active.len()).unwrap_or(i64::MAX);
    let rise = rise(&before, after);
    let values =
        [Value::Integer(count), Value::List(versions), lead, Value::List(remote), before, rise];
    let mut values = values.into_iter();
    FIELDS.map(|field| (field, values.next().unwrap_or_else(|| whole.clone())))
}

/// Adds the counters of all links up.
fn errors(answers: &Answers<'_>, links: &[&Json]) -> Value {
    let mut sum = 0_i64;
    for link in links {
        for counter in ["replay", "recovery", "crc-flit", "crc-data"] {
            match answers.number(Some(link), counter) {
                Value::Integer(count) => sum = sum.saturating_add(count),
                // Some drivers count fewer kinds.
                Value::Absent(_) => {}
                none => return none,
            }
        }
    }
    Value::Integer(sum)
}

/// Reads every ordered pair of cards.
pub(super) fn pairs(answers: &Answers<'_>, cards: &Cards<'_>) -> Value {
    let (pairs, cards) = match (answers.list("pairs"), cards) {
        (Ok(pairs), Ok(cards)) => (pairs, cards),
        (Err(none), _) => return none,
        (_, Err(none)) => return none.clone(),
    };
    let pair = |pair: &&Json| {
        let end = |key: &str| usize::try_from(pair.get(key)?.as_u64()?).ok();
        let ends = end("from").zip(end("to"));
        let Some((from, to)) =
            ends.and_then(|(a, b)| Some(((a, cards.get(a)?), (b, cards.get(b)?))))
        else {
            return Value::Unreadable(format!("not a pair of cards: {pair}"));
        };
        let peer = |key: &str| answers.word(Some(pair), key, &PEER);
        Value::record([
            ("cards", Value::text(format!("{}-{}", from.0, to.0))),
            ("ancestor", answers.word(Some(pair), "ancestor", &LEVELS)),
            ("linked", linked(answers, from.1, to.1)),
            ("read", peer("read")),
            ("write", peer("write")),
            ("nvlink", peer("nvlink")),
            ("atomics", peer("atomics")),
            ("prop", peer("prop")),
        ])
    };
    Value::List(pairs.iter().map(pair).collect())
}

/// Tells whether an active link of a card leads to another.
fn linked(answers: &Answers<'_>, from: &Json, to: &Json) -> Value {
    let Some(to) = bus_id(to) else { return answers.text(Some(to), "bus-id") };
    answers.said(from.get("links"), |links| {
        let active = |link: &&Json| link.pointer("/state/value") == Some(&Json::from(1));
        let leads =
            |link: &Json| link.pointer("/remote/value").and_then(text) == Some(Value::text(to));
        Some(Value::Bool(links.as_array()?.iter().filter(active).any(leads)))
    })
}
