//! A small server that answers as a model server does, in one of the known ways.
//!
//! A completion has as many tokens as are asked for, of which the stream sends two in one chunk and
//! one with no text: chunks are never tokens here.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use serde_json::{Value, json};

use crate::way::{Sending, Way, named};

/// Counts what is counted.
#[derive(Default)]
pub(crate) struct Count {
    completions: AtomicUsize,
    tokens: AtomicUsize,
}

/// Serves on a free port, in threads that end with the test; returns the URL.
pub(crate) fn listen(way: &str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let way = named(way);
    thread::spawn(move || serve(&listener, way));
    format!("http://127.0.0.1:{port}")
}

/// Serves for ever.
pub(crate) fn serve(listener: &TcpListener, way: Way) {
    let count = Arc::new(Count::default());
    while let Ok((stream, _)) = listener.accept() {
        let count = Arc::clone(&count);
        thread::spawn(move || answer(stream, way, &count));
    }
}

fn answer(mut stream: TcpStream, way: Way, count: &Count) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let (line, body) = request(&stream)?;
    match line.split(' ').nth(1)? {
        "/health" if way.health.0 == 0 => {
            // Reads until the client gives up.
            let _ = stream.read(&mut [0; 64]);
        }
        "/health" => plain(&mut stream, way.health.0, way.health.1),
        "/v1/models" => {
            let list: Vec<Value> = match way.model {
                "" => Vec::new(),
                model => vec![json!({ "id": model, "object": "model" })],
            };
            plain(&mut stream, 200, &json!({ "object": "list", "data": list }).to_string());
        }
        "/metrics" if way.metrics => {
            let tokens = count.tokens.load(Relaxed);
            let text = format!(
                "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{{engine=\"0\"}} 0.0\nvllm:num_preemptions_total{{engine=\"0\"}} 0.0\nvllm:generation_tokens_total{{engine=\"0\"}} {tokens}.0\n"
            );
            plain(&mut stream, 200, &text);
        }
        "/v1/completions" => completion(&mut stream, way, count, &body)?,
        _ => plain(&mut stream, 404, "{\"detail\":\"Not Found\"}"),
    }
    Some(())
}

fn request(stream: &TcpStream) -> Option<(String, Value)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

fn plain(stream: &mut TcpStream, status: u16, body: &str) {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(head.as_bytes());
}

fn completion(stream: &mut TcpStream, way: Way, count: &Count, asked: &Value) -> Option<()> {
    let number = count.completions.fetch_add(1, Relaxed);
    if way.strict && asked.get("ignore_eos").is_some() {
        plain(stream, 422, "{\"detail\":\"Unexpected keys in the request: {'ignore_eos'}\"}");
        return Some(());
    }
    // The first ones decide about readiness.
    if way.fails > 0 && number > 6 && number.is_multiple_of(way.fails) {
        plain(stream, 500, "{\"error\":{\"message\":\"EngineCore encountered an issue.\"}}");
        return Some(());
    }
    match way.status {
        200 => {}
        204 => {
            plain(stream, 200, "");
            return Some(());
        }
        status => {
            plain(stream, status, "{\"error\":{\"message\":\"The model `x` does not exist.\"}}");
            return Some(());
        }
    }
    let mut tokens = usize::try_from(asked["max_tokens"].as_u64()?).ok()?;
    // The first ones are of four tokens.
    if way.hangs && tokens == 8 {
        let _ = stream.read(&mut [0; 64]);
        return Some(());
    }
    tokens -= if tokens == 4 { 0 } else { way.short };
    count.tokens.fetch_add(tokens, Relaxed);
    let mut text: Vec<String> =
        (0..tokens).map(|at| if way.mute { String::new() } else { format!("é{at} ") }).collect();
    if way.wavers {
        text[0] = format!("{number} ");
    }
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": tokens });
    if asked["stream"] == true {
        streamed(stream, way, &text, &usage, asked["stream_options"]["include_usage"] == true);
    } else {
        let text = way.whole.map_or_else(|| text.concat(), str::to_owned);
        let finish = if way.whole.is_some() { "stop" } else { way.finish };
        let finish = if finish.is_empty() { "length" } else { finish };
        let choice = json!({ "index": 0, "text": text, "finish_reason": finish });
        plain(stream, 200, &json!({ "choices": [choice], "usage": usage }).to_string());
    }
    Some(())
}

fn streamed(stream: &mut TcpStream, way: Way, text: &[String], usage: &Value, wanted: bool) {
    let chunk = |text: &str, end: bool| {
        let finish = (end && !way.finish.is_empty()).then_some(way.finish);
        let usage = way.each.then_some(usage);
        json!({ "choices": [{ "index": 0, "text": text, "finish_reason": finish }], "usage": usage })
    };
    // Two tokens share a chunk, and one chunk has none.
    let (first, rest) = text.split_at(text.len().min(2));
    let mut chunks = vec![chunk(&first.concat(), rest.is_empty()), chunk("", false)];
    chunks.extend(rest.iter().enumerate().map(|(at, text)| chunk(text, at + 1 == rest.len())));
    match way.sending {
        Sending::Error => {
            chunks.truncate(2);
            chunks.push(json!({ "error": { "message": "out of cache", "code": 500 } }));
        }
        Sending::Empty => chunks = vec![json!({ "choices": [] })],
        _ => {}
    }
    let mut events: Vec<String> = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    if way.usage && (wanted || way.strict) {
        events.push(format!("data: {}\n\n", json!({ "choices": [], "usage": usage })));
    }
    if way.sending == Sending::NaN {
        events.push(
            "data: {\"choices\": [], \"usage\": {\"completion_tokens\": NaN}}\n\n".to_owned(),
        );
    }
    if way.done {
        events.push("data: [DONE]\n\n".to_owned());
    }
    let mut out = Out(stream);
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    out.raw(head.as_bytes());
    match way.sending {
        Sending::Merged => out.chunk(events.concat().as_bytes()),
        Sending::Split => {
            for byte in events.concat().as_bytes() {
                out.chunk(&[*byte]);
            }
        }
        Sending::Pings => {
            for event in events {
                out.chunk(b": ping\r\n\r\n");
                out.chunk(event.replace('\n', "\r\n").as_bytes());
            }
        }
        // The first ones decide about readiness, and are shorter.
        Sending::Flood(flood) if text.len() == 8 => {
            let piece = flood.repeat(2000);
            while out.raw(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()) {}
            return;
        }
        Sending::Cut => return out.chunk(events[0].as_bytes()),
        _ => events.iter().for_each(|event| out.chunk(event.as_bytes())),
    }
    out.raw(b"0\r\n\r\n");
}

/// Writes chunks of HTTP.
struct Out<'a>(&'a mut TcpStream);

impl Out<'_> {
    /// Tells whether somebody takes it.
    fn raw(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    fn chunk(&mut self, bytes: &[u8]) {
        let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        self.raw(&framed);
    }
}
