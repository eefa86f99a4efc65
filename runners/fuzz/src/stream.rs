//! What must hold of streams that arrive in pieces: answers of a node's shell, and of a model server.
//!
//! Wherever a stream is cut, the same is read of it. A first line of an input says in which steps.

use verify_engine::outside;
use verify_instruments::outside as instrument;
use verify_model::{ask::Ask, evidence::Captured};

use crate::headed;

/// What marks begin with in the seeds.
const NONCE: &str = "nonce";

fn owned(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(crate) fn frame_seeds() -> Vec<Vec<u8>> {
    let long = format!("100\nnonce b 0\na\nnonce f {}\nnonce e 0 0\n", "x".repeat(9000));
    owned(&[
        &long,
        "1\nmotd\n\nnonce b 0\nout\n\nnonce e 0 0\n\nnonce z\n",
        "7\nnonce b 0\n\nnonce f /etc/hosts\nx\n\nnonce e 0 0\n",
        "3\nnonce b 0\nregular file|644|0|12\nnonce e 0 0\n",
        "9\nnonce b 0\nout\nnonce e 0 137\nnonce b 1\nnonce e 1 absent\n",
    ])
}

/// Asks of each kind that a shell answers.
fn asks() -> Vec<Ask> {
    let path = "/etc/hosts".to_owned();
    vec![
        Ask::file("/etc/hosts"),
        Ask::Stat { path: path.clone() },
        Ask::List { path },
        Ask::Which { tool: "fio".to_owned() },
    ]
}

/// The steps in which a stream arrives change nothing, and every ask has an answer in the end.
pub(crate) fn frames(bytes: &[u8]) {
    let (head, stream) = headed(bytes);
    let step: usize = std::str::from_utf8(head).ok().and_then(|t| t.parse().ok()).unwrap_or(5);
    let whole = outside::pieces(NONCE, stream, usize::MAX);
    assert_eq!(outside::pieces(NONCE, stream, step.clamp(1, 70_000)), whole, "in steps of {step}");
    for ask in asks() {
        let captured = outside::answered(NONCE, &ask, stream);
        let json = serde_json::to_string(&captured).expect("what was captured has a JSON form");
        let read: Captured = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{json}: {e}"));
        assert_eq!(read, captured);
    }
}

pub(crate) fn event_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "1\n: ping\r\n\r\ndata: {\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n",
        "5\ndata:b\r\rid: 7\nevent: x\ndata: {\"usage\":{\"completion_tokens\":3}}",
        "chunked 3\n4\r\ndata\r\n3;x=y\r\n: a\r\n0\r\nTrailer: 1\r\n\r\n",
        "head 1\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "metrics 1\n# HELP a b\nvllm:num_requests_running{model=\"x\"} 1e3\n",
    ])
}

/// The same for the streams of a model server: events, chunks, heads, metrics.
pub(crate) fn events(bytes: &[u8]) {
    let (head, stream) = headed(bytes);
    let head = String::from_utf8_lossy(head);
    let (kind, step) = head.split_once(' ').unwrap_or(("", &head));
    let step = step.parse().unwrap_or(3).clamp(1, 70_000);
    match kind {
        "chunked" => {
            let whole = instrument::body(true, stream, usize::MAX);
            assert_eq!(instrument::body(true, stream, step), whole, "in steps of {step}");
        }
        "head" => {
            let text = String::from_utf8_lossy(stream);
            if let Ok((_, headers)) = instrument::head(&text) {
                assert!(headers.iter().all(|(name, _)| *name == name.to_lowercase()));
            }
        }
        "metrics" => {
            let document = instrument::metrics(&String::from_utf8_lossy(stream));
            assert!(serde_json::to_string(&document).is_ok());
        }
        _ => {
            let whole = instrument::events(stream, usize::MAX);
            assert_eq!(instrument::events(stream, step), whole, "in steps of {step}");
            if let Ok(events) = whole {
                instrument::completion(&events);
            }
        }
    }
}
