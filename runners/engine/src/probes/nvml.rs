//! Answers what the NVIDIA driver says of its cards, over our instrument on the driver's library.
//!
//! `gpus` holds the cards that can be opened; a lost one is counted and stands under `lost`, so that
//! it is one failure and not an error in every field. What a card does not offer is absent. Why
//! nothing could be asked has a word under `state`. It asks for no load: what an idle card says of
//! its link's generation or its power cap is no fault.

mod card;
mod field;
mod said;

use serde_json::Value as Json;
use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    finding::FindingCode,
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use self::said::Answers;
use crate::{
    parse::instrument,
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, failed},
};

pub(super) struct Nvml;

pub(super) const NAME: &str = "nvml";
/// Longer than the instrument's own limit, which then says what hung. *Units*: ms.
const LIMIT_MS: u64 = 150_000;
/// Longest window of the instrument. *Units*: ms.
const WINDOW_MS: f64 = 60_000.0;

static SPEC: ProbeSpec = ProbeSpec {
    name: NAME,
    summary: "What the NVIDIA driver says of its cards, their links and their health.",
    effect: Effect::Reads,
    depends: &[],
    params: &[
        ParamSpec {
            name: "window",
            kind: ParamKind::Quantity("ms"),
            required: false,
            doc: "Counters of errors are read again after this time, at most 60 s; not unless given.",
        },
        ParamSpec {
            name: "supply",
            kind: ParamKind::Quantity("W"),
            required: false,
            doc: "What the power supply gives; needed for `power.share`.",
        },
        ParamSpec {
            name: "beside",
            kind: ParamKind::Quantity("W"),
            required: false,
            doc: "What processor and the rest may take; none unless given.",
        },
    ],
    fields: field::FIELDS,
    example: r#"with = { window = "1 s" }
expect = { state = "ok", opened = 2, "gpus.links-active" = { every = { is = 4 } } }"#,
};

impl Probe for Nvml {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let mut argv = vec![NAME.to_owned()];
        if let Some(window) = with.quantity("window") {
            let ms = window.base() * 1e3;
            if !(1.0..=WINDOW_MS).contains(&ms) {
                return Err(format!("`window` is {window}, 1 ms to 60 s expected"));
            }
            argv.extend(["--window-ms".to_owned(), format!("{ms:.0}")]);
        }
        Ok(vec![Ask::Instrument { argv, limit_ms: LIMIT_MS }])
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let [piece] = evidence else {
            return Err(failed(FindingCode::NotRecorded, "the instrument was not gathered"));
        };
        let result = instrument::result(piece, NAME)?;
        let answers = Answers::of(&result).map_err(|why| {
            failed(FindingCode::OutputUnreadable, format!("{}: {why}", piece.ask))
        })?;
        let cards = answers.list("cards");
        let system = result.get("system");
        let count = answers.number(system, "count");
        let mut seen = Observation::default()
            .fact("state", Value::text(answers.state))
            .fact("trouble", answers.trouble())
            .fact(
                "module",
                Value::record([("version", answers.text(Some(&result), "module-version"))]),
            )
            .fact("count", count)
            .fact("busy", card::busy(&answers, &cards))
            .fact("gpus", card::gpus(&answers, &cards))
            .fact("pairs", card::pairs(&answers, &cards))
            .fact("power", power(with, &answers, &cards));
        seen = versions(seen, &answers, system);
        let (opened, lost) = card::opened(&answers, &cards);
        seen = seen.fact("opened", opened).fact("lost", lost);
        seen.simulated = result.get("simulated").and_then(Json::as_str).map(str::to_owned);
        Ok(seen)
    }
}

/// Asks for the inventory, as every check without a window does.
pub(super) fn inventory() -> Ask {
    Ask::Instrument { argv: vec![NAME.to_owned()], limit_ms: LIMIT_MS }
}

/// Reads the cards of a document that another instrument took in.
pub(super) fn cards_of(result: &Json) -> Value {
    match Answers::of(result) {
        Ok(answers) => card::gpus(&answers, &answers.list("cards")),
        Err(why) => Value::Unreadable(why),
    }
}

/// Reads the newest CUDA that the driver knows, from an inventory among what was gathered.
pub(super) fn ceiling(evidence: &[&Evidence]) -> Value {
    let result = match instrument::gathered(evidence, NAME) {
        Ok(result) => result,
        Err(error) => return Value::Unreadable(error.message),
    };
    match Answers::of(&result) {
        Ok(answers) => cuda_version(&answers, result.get("system")).0,
        Err(why) => Value::Unreadable(why),
    }
}

/// Reads the version of CUDA, and its series.
fn cuda_version(answers: &Answers<'_>, system: Option<&Json>) -> (Value, Value) {
    match answers.number(system, "cuda-version") {
        Value::Integer(n) => {
            (Value::text(format!("{}.{}", n / 1000, n % 1000 / 10)), Value::Integer(n / 1000))
        }
        none => (none.clone(), none),
    }
}

fn versions(seen: Observation, answers: &Answers<'_>, system: Option<&Json>) -> Observation {
    let whole = answers.text(system, "library-version");
    // "12.570.124.06" is the library of driver 570.124.06, of the CUDA 12 series.
    let (major, rest) = match &whole {
        Value::Text(version) => match version.split_once('.') {
            Some((major, rest)) if major.len() <= 2 => {
                let major = major.parse().map_or_else(
                    |_| Value::Unreadable(format!("not a version: {version}")),
                    Value::Integer,
                );
                (major, Value::text(rest))
            }
            _ => {
                let why = format!("not a version of the library: {version}");
                (Value::Unreadable(why.clone()), Value::Unreadable(why))
            }
        },
        none => (none.clone(), none.clone()),
    };
    let (shown, series) = cuda_version(answers, system);
    let driver = Value::record([
        ("version", answers.text(system, "driver-version")),
        ("branch", answers.text(system, "driver-branch")),
    ]);
    seen.fact("driver", driver)
        .fact("library", Value::record([("version", rest), ("cuda-major", major)]))
        .fact("cuda", Value::record([("version", shown), ("major", series)]))
}

/// Adds the limits of all cards up; where one is not known, the sum is not.
fn power(with: With<'_>, answers: &Answers<'_>, cards: &Result<Vec<&Json>, Value>) -> Value {
    let sum = || -> Result<f64, Value> {
        let cards = cards.clone()?;
        if cards.is_empty() {
            return Err(Value::Absent("there is no card".to_owned()));
        }
        if let (_, Value::List(lost)) = card::opened(answers, &Ok(cards.clone()))
            && let Some(lost) = lost.first()
        {
            return Err(Value::Unreadable(format!("its limit is not known: {lost}")));
        }
        cards.iter().try_fold(0.0, |sum, card| {
            match answers.quantity(Some(card), "power-limit-enforced-mw", 1e-3, "W") {
                Value::Quantity(limit) => Ok(sum + limit.base()),
                none => Err(none),
            }
        })
    };
    let amount = |value, unit| {
        Quantity::of(value, unit).map_or_else(|e| Value::Unreadable(e.to_string()), Value::Quantity)
    };
    let sum = sum();
    let share = match (&sum, with.quantity("supply")) {
        (Err(none), _) => none.clone(),
        (Ok(_), None) => Value::Absent("no `supply` is given".to_owned()),
        (Ok(sum), Some(supply)) => {
            let beside = with.quantity("beside").map_or(0.0, Quantity::base);
            amount((sum + beside) / supply.base() * 100.0, "%")
        }
    };
    let limits = sum.map_or_else(|none| none, |sum| amount(sum, "W"));
    Value::record([("limits", limits), ("share", share)])
}
