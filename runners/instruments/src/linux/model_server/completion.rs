//! One completion: streamed and stamped, or whole.
//!
//! A chunk is not a token: several tokens come in one chunk and some chunks hold none, so tokens are
//! what the server's own `usage` says, or unknown. A stream counts only where the server says that
//! it is over, by `[DONE]`, a reason to finish or its usage at the end. A reason that is not the
//! usual one, such as `abort`, is a failure, and so is less than was asked for and promised.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    event::Events,
    http::{Answer, Request, ask, now},
};

const PATH: &str = "/v1/completions";
/// How much of an answer that is refused is shown. *Units*: characters.
const SHOWN: usize = 300;

/// Reasons to finish of a completion that is whole. *Source*: `OpenAI`; TGI says `eos_token`.
const REASONS: [&str; 3] = ["stop", "length", "eos_token"];
/// Most chunks of a stream: some for each token, of which no more than 4096 are asked for.
const CHUNKS: usize = 32 << 10;

/// Says which parts of a request a server takes; some refuse what they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// `ignore_eos`: as many tokens as are asked for.
    pub(super) whole_length: bool,
    /// `stream_options`: usage at the end of a stream.
    pub(super) usage_at_end: bool,
}

/// Dialects in the order in which they are tried.
pub(super) const DIALECTS: [Dialect; 3] = [
    Dialect { whole_length: true, usage_at_end: true },
    Dialect { whole_length: false, usage_at_end: true },
    Dialect { whole_length: false, usage_at_end: false },
];

/// Holds where completions are asked for, and how.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    pub(super) model: String,
    pub(super) dialect: Dialect,
    /// Time for one completion.
    pub(super) limit: Duration,
}

/// Holds what the server counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) prompt: Option<u64>,
    pub(super) completion: u64,
}

/// Holds a whole completion.
#[derive(Debug, PartialEq)]
pub(super) struct Whole {
    pub(super) text: String,
    pub(super) usage: Option<Usage>,
    /// Whether it ended because it has as many tokens as were asked for.
    pub(super) full: bool,
}

/// Says why there is no completion.
#[derive(Debug, PartialEq)]
pub(super) enum Trouble {
    /// The server answered so, with another status than 200.
    Refused(u16, String),
    /// It has fewer tokens than were asked for, and took `ignore_eos`; in one sentence.
    Short(String),
    /// Something else, in one sentence.
    Broken(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(status, said) => write!(f, "status {status}: {said}"),
            Self::Short(why) | Self::Broken(why) => f.write_str(why),
        }
    }
}

/// Holds a streamed completion, with its times.
#[derive(Debug)]
pub(super) struct Streamed {
    /// From sending to the first chunk with choices. *Units*: ms.
    pub(super) first_ms: f64,
    /// Between later ones. *Units*: ms.
    pub(super) gaps_ms: Vec<f64>,
    /// From sending to the last one. *Units*: ms.
    pub(super) whole_ms: f64,
    pub(super) usage: Option<Usage>,
    pub(super) text: String,
    /// Whether it ended because it has as many tokens as were asked for.
    pub(super) full: bool,
    /// Whether `[DONE]` came.
    pub(super) done: bool,
}

impl Endpoint {
    fn body(&self, prompt: &str, tokens: u64, stream: bool) -> String {
        let mut body = json!({
            "model": self.model,
            "prompt": prompt,
            "max_tokens": tokens,
            "temperature": 0,
            "stream": stream,
        });
        if self.dialect.whole_length {
            body["ignore_eos"] = json!(true);
        }
        if stream && self.dialect.usage_at_end {
            body["stream_options"] = json!({ "include_usage": true });
        }
        body.to_string()
    }

    fn send(&self, body: &str) -> Result<Answer, Trouble> {
        let request = Request { method: "POST", path: PATH, body: Some(body), limit: self.limit };
        let answer = ask(self.address, &request).map_err(Trouble::Broken)?;
        if answer.status == 200 {
            return Ok(answer);
        }
        let status = answer.status;
        Err(Trouble::Refused(status, shown(&answer.text().unwrap_or_else(|why| why))))
    }

    /// Asks for a completion in one piece.
    ///
    /// *Errors*: none came.
    pub(super) fn whole(&self, prompt: &str, tokens: u64) -> Result<Whole, Trouble> {
        let text = self.send(&self.body(prompt, tokens, false))?.text().map_err(Trouble::Broken)?;
        let broken = |why: String| Trouble::Broken(format!("status 200, {why}: {}", shown(&text)));
        let json: Value = serde_json::from_str(&text)
            .map_err(|error| broken(format!("and what it says is no JSON ({error})")))?;
        if let Some(why) = refusal(&json) {
            return Err(Trouble::Broken(format!("status 200, and an error: {why}")));
        }
        let said = json.pointer("/choices/0/text").and_then(Value::as_str);
        let said = said.ok_or_else(|| broken("and no completion".to_owned()))?;
        let reason = json.pointer("/choices/0").map_or(Ok(None), reason)?;
        let reason = reason.ok_or_else(|| broken("and no reason to finish".to_owned()))?;
        let usage = usage(&json);
        if said.is_empty() && usage.is_none_or(|usage| usage.completion == 0) {
            return Err(broken("and a completion of nothing".to_owned()));
        }
        self.enough(usage, tokens)?;
        Ok(Whole { text: said.to_owned(), usage, full: reason == "length" })
    }

    /// Asks for a completion as a stream.
    ///
    /// *Errors*: none came, or it broke off.
    pub(super) fn streamed(&self, prompt: &str, tokens: u64) -> Result<Streamed, Trouble> {
        let mut answer = self.send(&self.body(prompt, tokens, true))?;
        let mut heard = Heard::default();
        let mut events = Events::default();
        while let Some((at, piece)) = answer.next().map_err(Trouble::Broken)? {
            for data in events.push(&piece).map_err(Trouble::Broken)? {
                heard.take(&data, at)?;
            }
        }
        if let Some(data) = events.ended() {
            heard.take(&data, now())?;
        }
        let streamed = heard.streamed(answer.sent)?;
        self.enough(streamed.usage, tokens)?;
        Ok(streamed)
    }

    /// Compares what came with what was asked for, where the server took it to be so long.
    ///
    /// *Errors*: it is shorter.
    fn enough(&self, usage: Option<Usage>, tokens: u64) -> Result<(), Trouble> {
        match usage {
            Some(Usage { completion, .. }) if self.dialect.whole_length && completion < tokens => {
                Err(Trouble::Short(format!(
                    "its usage says {completion} of {tokens} tokens, though it took ignore_eos"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Collects what a stream says.
#[derive(Default)]
struct Heard {
    chunks: Vec<Instant>,
    text: String,
    usage: Option<Usage>,
    done: bool,
    /// Whether a reason to finish came, or usage where only the end has it.
    finished: bool,
    full: bool,
}

impl Heard {
    fn take(&mut self, data: &str, at: Instant) -> Result<(), Trouble> {
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let json: Value = serde_json::from_str(data).map_err(|error| {
            Trouble::Broken(format!("a chunk of the stream is no JSON ({error}): {}", shown(data)))
        })?;
        if let Some(why) = refusal(&json) {
            return Err(Trouble::Broken(format!("an error in the stream: {why}")));
        }
        let usage = usage(&json);
        self.usage = usage.or(self.usage);
        let Some(choice) = json.pointer("/choices/0") else {
            self.finished |= usage.is_some();
            return Ok(());
        };
        if self.chunks.len() == CHUNKS {
            return Err(Trouble::Broken(format!("the stream has more than {CHUNKS} chunks")));
        }
        self.chunks.push(at);
        self.text.push_str(choice.get("text").and_then(Value::as_str).unwrap_or_default());
        if let Some(reason) = reason(choice)? {
            self.finished = true;
            self.full |= reason == "length";
        }
        Ok(())
    }

    fn streamed(self, sent: Instant) -> Result<Streamed, Trouble> {
        let broken = |why: &str| Err(Trouble::Broken(why.to_owned()));
        let (Some(first), Some(last)) = (self.chunks.first(), self.chunks.last()) else {
            return broken("status 200, and a stream without a single chunk that has choices");
        };
        if !(self.done || self.finished) {
            return broken("the stream ended without [DONE], a reason to finish or its usage");
        }
        if self.usage.is_some_and(|usage| usage.completion == 0) {
            return broken("its usage says that it made no token");
        }
        if self.text.is_empty() && self.usage.is_none() {
            return broken("status 200, and a stream of nothing, without usage");
        }
        let ms = |from: &Instant, to: &Instant| to.duration_since(*from).as_secs_f64() * 1e3;
        Ok(Streamed {
            first_ms: ms(&sent, first),
            gaps_ms: self.chunks.windows(2).map(|pair| ms(&pair[0], &pair[1])).collect(),
            whole_ms: ms(&sent, last),
            usage: self.usage,
            text: self.text,
            full: self.full,
            done: self.done,
        })
    }
}

/// Tells whether events that all came at once are a whole completion: for the fuzz targets.
pub(super) fn is_whole(events: &[String]) -> bool {
    let (mut heard, at) = (Heard::default(), now());
    events.iter().all(|data| heard.take(data, at).is_ok()) && heard.streamed(at).is_ok()
}

/// Reads why a completion ended, where it has.
///
/// *Errors*: for a reason for which none ends that is whole.
fn reason(choice: &Value) -> Result<Option<&'static str>, Trouble> {
    let Some(said) = choice.get("finish_reason").filter(|said| !said.is_null()) else {
        return Ok(None);
    };
    let known = REASONS.into_iter().find(|known| said.as_str() == Some(known));
    let odd = || Trouble::Broken(format!("it ended for the reason {}", shown(&said.to_string())));
    known.map(Some).ok_or_else(odd)
}

/// Reads what the server counted; a count that is none is not there.
fn usage(json: &Value) -> Option<Usage> {
    let usage = json.get("usage")?;
    let completion = usage.get("completion_tokens")?.as_u64()?;
    Some(Usage { prompt: usage.get("prompt_tokens").and_then(Value::as_u64), completion })
}

/// Says what went wrong, where an answer is an error: as `OpenAI` says it, or as vLLM once did.
fn refusal(json: &Value) -> Option<String> {
    let error = json.get("error").filter(|error| !error.is_null());
    let old = (json.get("object").and_then(Value::as_str) == Some("error")).then_some(json);
    let error = error.or(old)?;
    let message = error.get("message").and_then(Value::as_str).or_else(|| error.as_str());
    Some(message.map_or_else(|| shown(&error.to_string()), shown))
}

/// Cuts a text that is only shown, and puts it on one line.
pub(super) fn shown(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None if words.is_empty() => "nothing".to_owned(),
        None => words,
    }
}
