//! What reads bytes of a model server and has no other way in: for the fuzz targets of `verify-fuzz`.
//!
//! No part of the interface; each is one call of what the instrument itself calls.

use serde_json::Value;

use super::{
    completion,
    event::Events,
    framing::{Framing, Part},
    http, prometheus,
};

/// Names of headers in lower case, with their values.
pub type Headers = Vec<(String, String)>;

/// Returns the data of the events of a stream that arrives in steps of so many bytes.
///
/// *Errors*: those of the stream.
pub fn events(stream: &[u8], step: usize) -> Result<Vec<String>, String> {
    let (mut events, mut found) = (Events::default(), Vec::new());
    for piece in stream.chunks(step.max(1)) {
        found.extend(events.push(piece)?);
    }
    found.extend(events.ended());
    Ok(found)
}

/// Reads events as a completion; tells whether they are a whole one.
pub fn completion(events: &[String]) -> bool {
    completion::is_whole(events)
}

/// Returns the body of an answer that arrives in steps, and why it is not whole.
///
/// *Errors*: it is not framed as it says.
pub fn body(
    chunked: bool,
    stream: &[u8],
    step: usize,
) -> Result<(Vec<u8>, Option<&'static str>), String> {
    let mut framing = if chunked { Framing::Chunked(Part::Size) } else { Framing::Close };
    let (mut arrived, mut body) = (Vec::new(), Vec::new());
    for piece in stream.chunks(step.max(1)) {
        arrived.extend_from_slice(piece);
        body.extend(framing.take(&mut arrived)?);
    }
    Ok((body, framing.broken()))
}

/// Reads the head of an answer.
///
/// *Errors*: it is none, or says a length that is none.
pub fn head(text: &str) -> Result<(u16, Headers), String> {
    let (status, headers) = http::parsed(text)?;
    Framing::of(&headers)?;
    Ok((status, headers))
}

/// Reads what a server counts of itself.
pub fn metrics(text: &str) -> Value {
    prometheus::read(text)
}
