//! What the NVIDIA driver says of its cards, over its own library, in a child process.
//!
//! Every field is a value, `not-supported`, or an error with NVML's name. How it can go wrong before
//! a card is asked has a word each, under `state`. A call that never returns is named under `hung`,
//! with all that was read before it. Nothing is judged, and no load is made.

mod call;
mod file;
mod inventory;
mod library;
mod link;
mod progress;
mod watch;

use std::{sync::Arc, thread, time::Duration};

use serde_json::{Value, json};

use self::progress::Progress;
use crate::{Arguments, Instrument};

pub(crate) const INSTRUMENT: Instrument = Instrument {
    name: "nvml",
    summary: "Takes stock of NVIDIA's cards over the driver's library.",
    arguments: "\
--library PATH      library to load; libnvidia-ml.so.1 as the loader finds it unless given
--window-ms N       counters are read again after this time, up to 60000; 0 unless given
--call-limit-ms N   a call that lasts longer is given up, 100 to 60000; 4000 unless given",
    run,
};

/// Longest that all calls together may last. *Units*: ms.
const LIMIT_MS: u64 = 120_000;

/// Holds what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    library: String,
    window_ms: u64,
    call_limit_ms: u64,
}

fn run(given: &Arguments<'_>) -> Result<Value, String> {
    let asked = Asked::read(given)?;
    let limit_ms = i64::try_from(LIMIT_MS + asked.window_ms).unwrap_or(i64::MAX);
    let mut document = watch::run(limit_ms, || watched(&asked))
        .unwrap_or_else(|refusal| json!({ "state": "not-asked", "trouble": refusal.to_json() }));
    document["library"] = json!(asked.library);
    document["window-ms"] = json!(asked.window_ms);
    if let Some(call) = document["hung"].as_str() {
        let limit_ms = asked.call_limit_ms;
        document["trouble"] = json!(format!("{call} did not return within {limit_ms} ms"));
        document["state"] = json!("hung-call");
    }
    Ok(document)
}

/// Takes stock while something else runs in this process, which must end soon: what hangs stays.
pub(super) fn beside(library: Option<&str>) -> Value {
    let library = library.unwrap_or(library::NAME).to_owned();
    watched(&Asked { library, window_ms: 0, call_limit_ms: 4000 })
}

/// States in which there is no driver to ask, and nothing can compute by it.
const NOBODY: [&str; 3] = ["no-library", "not-a-library", "driver-not-loaded"];

/// Lists who computes on a card; asked before this process or one that it starts uses CUDA, and would
/// be one of them. Who cannot be told is `unknown` with its reason, and is not nobody; what a card
/// does not support telling is left out.
pub(super) fn computing(library: Option<&str>) -> Value {
    let state = beside(library);
    let said = state["state"].as_str().unwrap_or("no state");
    if NOBODY.contains(&said) {
        return json!([]);
    }
    if said != "ok" {
        let trouble = state["trouble"].as_str().unwrap_or("no reason given");
        return json!({ "unknown": format!("NVML: {said}: {trouble}") });
    }
    let mut all = Vec::new();
    let cards = state["cards"].as_array().into_iter().flatten().enumerate();
    for (index, card) in cards.filter(|(_, card)| card["opened"]["value"] == true) {
        let list = &card["compute-processes"];
        let Some(processes) = list["value"].as_array() else {
            if list.get("not-supported").is_some() {
                continue;
            }
            return json!({ "unknown": format!("card {index}: {list}") });
        };
        all.extend(processes.iter().map(|process| {
            json!({
                "card": index,
                "uuid": card["uuid"]["value"],
                "pid": process["pid"],
                "name": process["name"]["value"],
            })
        }));
    }
    json!(all)
}

/// Asks on a thread of its own and watches over it.
fn watched(asked: &Asked) -> Value {
    let progress = Arc::new(Progress::default());
    let shared = Arc::clone(&progress);
    let (library, window_ms) = (asked.library.clone(), asked.window_ms);
    let asking = thread::Builder::new().spawn(move || {
        let _ending = Ending(&shared);
        library::ask(&library, Duration::from_millis(window_ms), &shared);
    });
    match asking {
        Ok(_) => progress.watch(Duration::from_millis(asked.call_limit_ms)),
        Err(error) => json!({ "state": "not-asked", "trouble": format!("no thread: {error}") }),
    }
}

/// Says that nothing more will come, however the thread ends.
struct Ending<'a>(&'a Progress);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Asked {
    fn read(given: &Arguments<'_>) -> Result<Self, String> {
        Ok(Self {
            library: given.text("--library").unwrap_or(library::NAME).to_owned(),
            window_ms: given.number("--window-ms", 0..=60_000)?.unwrap_or(0),
            // A hung call is given up after less than twice the limit: sooner than a check is, at 10 s.
            call_limit_ms: given.number("--call-limit-ms", 100..=60_000)?.unwrap_or(4000),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn arguments_have_defaults_and_limits() {
        let parse = |text: &str| {
            let words = words(text);
            Asked::read(&Arguments::parse(INSTRUMENT.arguments, &words)?)
        };
        assert_eq!(parse("").unwrap().library, "libnvidia-ml.so.1");
        assert_eq!(parse("--library ./a.so --window-ms 500").unwrap().window_ms, 500);
        for bad in ["--library", "--window-ms 60001", "--call-limit-ms 99", "--window-ms x", "--x"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_call_that_never_returns_is_named_with_all_that_was_read_before_it() {
        let progress = Progress::default();
        progress.put("before", json!(1));
        progress.calling("nvmlSlow");
        let document = progress.watch(Duration::from_millis(1));
        assert_eq!(document, json!({ "before": 1, "hung": "nvmlSlow" }));
    }

    #[test]
    fn a_child_that_crashes_or_stays_silent_is_told_apart() {
        // SAFETY: takes a number only, and hits the child alone.
        let crashed = watch::run(5000, || json!(unsafe { libc::raise(libc::SIGKILL) })).unwrap();
        assert_eq!(crashed["state"], "crashed");
        let silent = watch::run(50, || {
            loop {
                thread::park();
            }
        });
        assert_eq!(silent.unwrap()["state"], "hung-call");
    }
}
