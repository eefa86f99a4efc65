//! When a server is ready: its process lives, `/health` says so, and it really completes something.
//!
//! A port that is open, or a list of models, proves nothing: some answer both before they have a
//! model. Health that is not offered is tolerated and said. What was last seen is kept, so that a
//! server that never becomes ready is told with its reason.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    completion::{DIALECTS, Endpoint, Trouble, shown},
    http::{Request, ask, now},
};

/// Time between two looks.
const TICK: Duration = Duration::from_millis(200);
/// Time for one look at `/health` or `/v1/models`.
const LOOK: Duration = Duration::from_secs(5);
/// How often a server may refuse a completion, or say that it is dead once it was well, until it is
/// believed.
const PATIENCE: u32 = 5;
/// How long a server that was never well, and whose process is not known, may say nothing but that.
const DEAD: Duration = Duration::from_mins(1);
/// Tokens of the first completion.
const TOKENS: u64 = 4;
const PROMPT: &str = "The capital of France is";

/// Says why a server is not ready.
#[derive(Debug, PartialEq)]
pub(super) struct NotReady {
    /// `exited`, `refused`, `dead` or `time`.
    pub(super) how: &'static str,
    pub(super) why: String,
    /// How the process ended, where it did.
    pub(super) ended: Option<Value>,
}

/// Holds what is known once a server is ready.
#[derive(Debug)]
pub(super) struct Ready {
    /// What `/health` said.
    pub(super) health: String,
    /// *Units*: ms.
    pub(super) after_ms: u64,
}

/// Waits for a server. What its keeper says comes over the channel.
///
/// *Errors*: it ended, refuses, or is not ready in time.
pub(super) fn wait(
    endpoint: &mut Endpoint,
    keeper: Option<&Receiver<Value>>,
    limit: Duration,
) -> Result<Ready, NotReady> {
    let begun = now();
    let mut seen = Seen::default();
    loop {
        if let Some(keeper) = keeper {
            ended(keeper, TICK)?;
        } else if seen.looks > 0 {
            let moment = rustix::thread::Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
            let _ = rustix::thread::nanosleep(&moment);
        }
        seen.looks += 1;
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() {
            let why =
                format!("not ready after {} s; last seen: {}", limit.as_secs_f64(), seen.last);
            return Err(NotReady { how: "time", why, ended: None });
        }
        if let Some(health) = seen.health(endpoint, keeper.is_some())?
            && seen.completes(endpoint, keeper, begun + limit)?
        {
            let after_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            return Ok(Ready { health, after_ms });
        }
    }
}

/// Waits a moment for the end of the server.
///
/// *Errors*: it has ended, or its keeper has.
fn ended(keeper: &Receiver<Value>, moment: Duration) -> Result<(), NotReady> {
    let gone = |why: String, ended| Err(NotReady { how: "exited", why, ended });
    match keeper.recv_timeout(moment) {
        Err(RecvTimeoutError::Timeout) => Ok(()),
        Err(RecvTimeoutError::Disconnected) => gone("its keeper is gone".to_owned(), None),
        Ok(said) => match said.get("exited") {
            None => Ok(()),
            Some(how) => gone(format!("the server ended: {}", in_words(how)), Some(how.clone())),
        },
    }
}

/// Says how a process ended.
pub(super) fn in_words(how: &Value) -> String {
    match (how["exit"].as_i64(), how["signal"].as_i64()) {
        (Some(status), _) => format!("exit status {status}"),
        (_, Some(signal)) => format!("signal {signal}"),
        _ => "nobody knows how".to_owned(),
    }
}

/// Remembers what a server last said.
struct Seen {
    looks: u32,
    last: String,
    refusal: Dead,
    refused: u32,
}

impl Default for Seen {
    fn default() -> Self {
        Self { looks: 0, last: "nothing".to_owned(), refusal: Dead::default(), refused: 0 }
    }
}

/// Counts how often a server says 503. vLLM says it once its engine is dead, others while they
/// load, some with a word and some without.
#[derive(Default)]
struct Dead {
    /// Whether it ever was well.
    well: bool,
    times: u32,
    since: Option<Instant>,
}

impl Dead {
    /// Takes in that it said something else.
    fn other(&mut self, well: bool) {
        *self = Self { well: self.well || well, ..Self::default() };
    }

    /// Takes in one more; tells whether it is believed. Where its process lives, only one that was
    /// well before is: for the others the limit for all is there.
    fn believed(&mut self, at: Instant, lives: bool) -> bool {
        self.times += 1;
        let since = *self.since.get_or_insert(at);
        let long = at.duration_since(since) >= DEAD;
        self.times >= PATIENCE && (self.well || (long && !lives))
    }
}

impl Seen {
    /// Asks for the health; nothing where the server is not well yet.
    fn health(&mut self, endpoint: &Endpoint, lives: bool) -> Result<Option<String>, NotReady> {
        let request = Request { method: "GET", path: "/health", body: None, limit: LOOK };
        let answer = match ask(endpoint.address, &request) {
            Ok(answer) => answer,
            Err(why) => {
                self.last = why;
                self.refusal.other(false);
                return Ok(None);
            }
        };
        let status = answer.status;
        let said = shown(&answer.text().unwrap_or_else(|why| why));
        self.last = format!("GET /health: {status}: {said}");
        let ill = status == 503 && !said.to_lowercase().contains("load");
        if !ill {
            self.refusal.other(status == 200);
        }
        match status {
            200 => Ok(Some("200".to_owned())),
            404 | 405 => Ok(Some(format!("{status}: it has no /health"))),
            _ if ill && self.refusal.believed(now(), lives) => {
                let why = format!("the engine is dead: {}", self.last);
                Err(NotReady { how: "dead", why, ended: None })
            }
            _ => Ok(None),
        }
    }

    /// Tries a completion in each dialect; the first that is taken stays.
    fn completes(
        &mut self,
        endpoint: &mut Endpoint,
        keeper: Option<&Receiver<Value>>,
        until: Instant,
    ) -> Result<bool, NotReady> {
        // The first completion may load the model; who loads may still end.
        let patience = until.saturating_duration_since(now()).max(Duration::from_millis(100));
        for dialect in DIALECTS {
            let trial = Endpoint { dialect, limit: patience, ..endpoint.clone() };
            let tried = first(&trial);
            if let Some(keeper) = keeper {
                ended(keeper, Duration::ZERO)?;
            }
            match tried {
                Ok(()) => {
                    endpoint.dialect = dialect;
                    return Ok(true);
                }
                Err(trouble) => {
                    self.last = format!("POST /v1/completions: {trouble}");
                    // These say that a field is not known, or pass it over; all else is no matter of
                    // dialect.
                    if !matches!(trouble, Trouble::Refused(400 | 422, _) | Trouble::Short(_)) {
                        return self.patient(&trouble);
                    }
                }
            }
        }
        self.refused += 1;
        self.given_up()
    }

    fn patient(&mut self, trouble: &Trouble) -> Result<bool, NotReady> {
        if matches!(trouble, Trouble::Refused(400..=499, _)) {
            self.refused += 1;
        }
        self.given_up()
    }

    fn given_up(&self) -> Result<bool, NotReady> {
        if self.refused < PATIENCE {
            return Ok(false);
        }
        let why = format!("it answers and refuses: {}", self.last);
        Err(NotReady { how: "refused", why, ended: None })
    }
}

/// Asks for one completion, as a stream and in one piece: both must be taken in this dialect.
fn first(endpoint: &Endpoint) -> Result<(), Trouble> {
    endpoint.whole(PROMPT, TOKENS)?;
    endpoint.streamed(PROMPT, TOKENS).map(|_| ())
}

/// Lists the models that a server says it has.
///
/// *Errors*: it does not say, in one sentence.
pub(super) fn models(endpoint: &Endpoint) -> Result<Vec<String>, String> {
    let request = Request { method: "GET", path: "/v1/models", body: None, limit: LOOK };
    let answer = ask(endpoint.address, &request)?;
    let status = answer.status;
    let text = answer.text()?;
    if status != 200 {
        return Err(format!("GET /v1/models: {status}: {}", shown(&text)));
    }
    let json: Value = serde_json::from_str(&text)
        .map_err(|error| format!("GET /v1/models: not JSON: {error}"))?;
    let list = json.get("data").and_then(Value::as_array);
    let list = list.ok_or_else(|| format!("GET /v1/models: no list: {}", shown(&text)))?;
    Ok(list.iter().filter_map(|one| Some(one.get("id")?.as_str()?.to_owned())).collect())
}

/// Reads what the server counts of itself; says why, where it does not.
pub(super) fn counted(endpoint: &Endpoint) -> Value {
    let request = Request { method: "GET", path: "/metrics", body: None, limit: LOOK };
    let text = ask(endpoint.address, &request).and_then(|answer| match answer.status {
        200 => answer.text(),
        status => Err(format!("GET /metrics: {status}")),
    });
    match text {
        Err(why) => json!({ "absent": why }),
        Ok(text) => match super::prometheus::read(&text) {
            Value::Object(found) if found.is_empty() => {
                json!({ "absent": "GET /metrics: nothing of vllm" })
            }
            found => found,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says 503 so often, a second apart; tells at which it is believed.
    fn at(dead: &mut Dead, lives: bool) -> Option<u64> {
        let begun = now();
        (0..100).find(|second| dead.believed(begun + Duration::from_secs(*second), lives))
    }

    #[test]
    fn a_503_is_the_end_of_a_server_that_was_well_and_the_beginning_of_others() {
        assert_eq!(at(&mut Dead::default(), true), None);
        assert_eq!(at(&mut Dead::default(), false), Some(60));
        let mut well = Dead::default();
        well.other(true);
        assert_eq!(at(&mut well, true), Some(4));
        well.other(true);
        assert_eq!(at(&mut well, false), Some(4));
        let mut started_again = Dead::default();
        assert!(!started_again.believed(now(), false));
        started_again.other(false);
        assert_eq!(at(&mut started_again, false), Some(60));
    }
}
