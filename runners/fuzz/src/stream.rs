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

/// The steps in which a stream arrives change nothing, and nothing is known without a good end.
pub(crate) fn frames(bytes: &[u8]) {
    let (head, stream) = headed(bytes);
    let step: usize = std::str::from_utf8(head).ok().and_then(|t| t.parse().ok()).unwrap_or(5);
    let whole = outside::pieces(NONCE, stream, usize::MAX);
    assert_eq!(outside::pieces(NONCE, stream, step.clamp(1, 70_000)), whole, "in steps of {step}");
    // The last end counts.
    let end = whole.0.iter().rfind(|piece| piece.starts_with("End("));
    let is_good = end.is_some_and(|end| end.ends_with(", \"0\")"));
    for ask in asks() {
        let captured = outside::answered(NONCE, &ask, stream);
        let failed = matches!(captured, Captured::Failed(_));
        assert!(is_good || failed, "{ask:?} after {end:?} is {captured:?}");
        if let Captured::File(content) = &captured {
            assert!(content.lossy || content.text.len() <= stream.len(), "{content:?}");
        }
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
            demand_counts(&String::from_utf8_lossy(stream));
        }
        _ => {
            let whole = instrument::events(stream, usize::MAX);
            assert_eq!(instrument::events(stream, step), whole, "in steps of {step}");
            if let Ok(events) = whole {
                demand_whole(events);
            }
        }
    }
}

/// Every count is a number, and a text that says all twice says each twice.
fn demand_counts(text: &str) {
    let once = instrument::metrics(text);
    let twice = instrument::metrics(&format!("{text}\n{text}"));
    let counts = once.as_object().expect("counts are an object");
    assert!(counts.is_empty() || text.contains("vllm:"), "{once} of {text:?}");
    for (name, count) in counts {
        let count = count.as_f64().unwrap_or_else(|| panic!("{name} is no number: {count}"));
        assert!(count.is_finite() && count >= 0.0, "{name}: {count}");
        // A sum beyond every number is left out.
        let double =
            twice.get(name).map_or(f64::INFINITY, |both| both.as_f64().unwrap_or(f64::NAN));
        let off = (double - 2.0 * count).abs() > 1e-9 * count;
        assert!(!off && !double.is_nan(), "{name}: {count}, then {double}");
    }
}

/// A whole completion has a chunk, and neither an error nor anything else that is none beside it.
fn demand_whole(mut events: Vec<String>) {
    if !instrument::completion(&events) {
        return;
    }
    assert!(
        events.iter().any(|data| data.contains("\"choices\"") || data.contains('\\')),
        "{events:?}"
    );
    for wrong in ["{\"error\":{\"message\":\"out of memory\"}}", "<html>"] {
        events.push(wrong.to_owned());
        assert!(!instrument::completion(&events), "whole in spite of {wrong}: {events:?}");
        events.pop();
    }
}
