//! What is found out about a server that runs already.

use serde_json::{Value, json};

use crate::{measured, stub::listen};

pub(crate) type Test = (&'static str, fn());

pub(crate) const TESTS: &[Test] = &[
    ("a_server_as_vllm_is_measured_and_its_counters_agree", vllm),
    ("a_server_without_an_end_mark_that_refuses_unknown_fields_is_measured", transformers),
    ("a_server_without_usage_is_asked_once_more_for_the_count", llama),
    ("chunks_are_not_tokens_however_they_are_sent", sendings),
    ("without_usage_tokens_are_unknown_and_never_guessed", uncounted),
    ("a_stream_that_breaks_off_is_no_completion", broken_streams),
    ("what_fails_under_load_is_counted_and_told", fails),
    ("a_greedy_completion_that_changes_is_told", wavers),
    ("a_greedy_completion_is_compared_with_a_reference", reference),
    ("a_server_that_is_never_ready_is_told_with_what_was_last_seen", never),
    ("nobody_listening_is_told", nobody),
    ("a_stream_without_an_end_is_given_up_in_time", floods),
    ("other_reasons_to_finish_are_whole_too", eos),
    ("a_blank_greedy_completion_is_told", blank),
    ("fewer_tokens_than_asked_for_are_a_failure_where_all_were_promised", short),
    ("after_three_time_outs_in_a_row_nobody_waits_for_more", hangs),
];

/// Measures a server that answers in one way.
fn of(way: &str, more: &[&str]) -> Value {
    let url = listen(way);
    measured(&[&["--url", &url, "--model", "tiny"], more].concat())
}

fn loads(said: &Value) -> &Vec<Value> {
    said["loads"].as_array().unwrap_or_else(|| panic!("{said}"))
}

fn vllm() {
    let said = of("vllm", &[]);
    assert_eq!((&said["mode"], &said["ready"]["health"]), (&json!("attached"), &json!("200")));
    assert_eq!((&said["listed"], &said["model"]), (&json!(["tiny"]), &json!("tiny")));
    assert_eq!(said["dialect"], json!({ "ignore-eos": true, "usage-at-end": true }));
    let loads = loads(&said);
    assert_eq!(loads.len(), 2);
    for (load, concurrency) in loads.iter().zip([1, 3]) {
        assert_eq!(load["concurrency"], concurrency);
        assert_eq!((&load["completed"], &load["failed"]), (&json!(4), &json!(0)));
        assert_eq!((&load["output-tokens"], &load["done"]), (&json!(32), &json!(4)));
        assert_eq!(load["prompt-tokens"], 28);
        // Eight tokens come in eight chunks, two of them in the first and none in the second.
        assert_eq!(load["gap-ms"].as_array().unwrap().len(), 4 * 7);
        assert_eq!(load["token-ms"].as_array().unwrap().len(), 4);
        let speed = load["output-tokens"].as_f64().unwrap() / load["seconds"].as_f64().unwrap();
        let said = load["tokens-per-second"].as_f64().unwrap();
        assert!((speed / said - 1.0).abs() < 0.5, "{speed} {said}");
    }
    let counted = |key: &str| said[key]["generated"].as_f64().unwrap();
    assert!((counted("counted-after") - counted("counted-before") - 64.0).abs() < 0.5);
    assert_eq!(said["greedy"]["same-twice"], true);
    assert_eq!(said["teardown"], Value::Null);
    assert!(said["gpus"]["absent"].as_str().unwrap().starts_with("NVML: no-library"));
}

fn transformers() {
    let said = of("transformers", &[]);
    assert_eq!(said["dialect"], json!({ "ignore-eos": false, "usage-at-end": true }));
    assert_eq!(said["listed"], json!([]));
    assert_eq!(
        (&loads(&said)[0]["output-tokens"], &loads(&said)[0]["done"]),
        (&json!(32), &json!(0))
    );
    assert!(said["counted-before"]["absent"].as_str().unwrap().contains("404"));
}

fn llama() {
    let said = of("llama", &[]);
    assert_eq!(said["ready"]["health"], "404: it has no /health");
    assert_eq!(loads(&said)[1]["output-tokens"], 32);
    assert_eq!(said["listed"], json!(["models/tiny.gguf"]));
}

fn sendings() {
    for way in ["merged", "split", "pings"] {
        let said = of(way, &[]);
        let load = &loads(&said)[0];
        assert_eq!((&load["completed"], &load["output-tokens"]), (&json!(4), &json!(32)), "{way}");
        assert_eq!(load["gap-ms"].as_array().unwrap().len(), 4 * 7, "{way}");
    }
}

fn uncounted() {
    let said = of("uncounted", &[]);
    let load = &loads(&said)[0];
    assert_eq!((&load["completed"], &load["failed"]), (&json!(4), &json!(0)));
    assert_eq!((&load["output-tokens"], &load["tokens-per-second"]), (&Value::Null, &Value::Null));
    assert_eq!(load["token-ms"], json!([]));
    assert_eq!(load["first-ms"].as_array().unwrap().len(), 4);
}

fn broken_streams() {
    for (way, words) in [
        ("cut", "closed in the middle of the stream"),
        ("error", "an error in the stream: out of cache"),
        ("empty", "without a single chunk that has choices"),
        ("each", "without [DONE], a reason to finish or its usage"),
        ("abort", "it ended for the reason \"abort\""),
        ("mute", "a stream of nothing, without usage"),
        ("endless", "without [DONE], a reason to finish or its usage"),
        ("nan", "a chunk of the stream is no JSON"),
    ] {
        // Even the first completion streams: such a server is never ready.
        let said = of(way, &["--ready", "1s"]);
        let why = said["not-ready"]["why"].as_str().unwrap_or_else(|| panic!("{way}: {said}"));
        assert!(why.contains(words), "{way}: {why}");
        assert_eq!(said["loads"], Value::Null);
    }
}

fn fails() {
    let said = of("fails", &[]);
    let failed: u64 = loads(&said).iter().map(|load| load["failed"].as_u64().unwrap()).sum();
    let completed: u64 = loads(&said).iter().map(|load| load["completed"].as_u64().unwrap()).sum();
    assert!(failed > 0 && completed > 0 && failed + completed == 8, "{said}");
    let told = loads(&said).iter().find_map(|load| load["failures"][0].as_str()).unwrap();
    assert!(told.contains("status 500") && told.contains("EngineCore"), "{told}");
}

fn wavers() {
    assert_eq!(of("wavers", &[])["greedy"]["same-twice"], false);
}

fn reference() {
    let text = of("vllm", &[])["greedy"]["text"].as_str().unwrap().to_owned();
    assert_eq!(of("vllm", &["--reference", &text])["greedy"]["as-reference"], true);
    assert_eq!(of("vllm", &["--reference", "42"])["greedy"]["as-reference"], false);
}

fn never() {
    for (way, how, words) in [
        ("dead", "time", "GET /health: 503: nothing"),
        ("loading", "time", "GET /health: 503: {\"error\":{\"message\":\"Loading model\"}}"),
        ("silent", "time", "no answer within"),
        ("refuses", "refused", "status 404"),
        ("broken", "time", "status 500"),
        ("nothing", "time", "status 200, and what it says is no JSON"),
    ] {
        let said = of(way, &["--ready", "3s"]);
        let not = &said["not-ready"];
        assert_eq!(not["how"], how, "{way}: {said}");
        let why = not["why"].as_str().unwrap();
        assert!(why.contains(words), "{way}: {why}");
    }
}

fn nobody() {
    // Taken and given back: nobody listens there now.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let said = measured(&["--url", &url, "--model", "tiny", "--ready", "1s"]);
    assert!(said["not-ready"]["why"].as_str().unwrap().contains("no connection"), "{said}");
    let said = measured(&["--url", &url, "--ready", "1s"]);
    assert!(said["not-ready"]["why"].as_str().unwrap().contains("no model is named"), "{said}");
}

fn eos() {
    let said = of("eos", &[]);
    assert_eq!((&loads(&said)[0]["completed"], &loads(&said)[0]["failed"]), (&json!(4), &json!(0)));
}

fn blank() {
    let greedy = &of("blank", &[])["greedy"];
    assert_eq!(greedy, &json!({ "trouble": "the greedy completion is blank" }));
}

fn short() {
    let said = of("short", &[]);
    let load = &loads(&said)[0];
    assert_eq!((&load["completed"], &load["failed"]), (&json!(0), &json!(4)));
    assert_eq!(load["failures"][0], "its usage says 7 of 8 tokens, though it took ignore_eos");
}

fn hangs() {
    let said = of("hangs", &["--limit", "300ms", "--requests", "8"]);
    let load = &loads(&said)[0];
    assert_eq!((&load["requests"], &load["failed"]), (&json!(8), &json!(8)));
    let told = |at: usize| load["failures"][at].as_str().unwrap().to_owned();
    assert_eq!(told(2), "no answer within 0.3 s");
    assert_eq!(told(3), "not asked for: 3 in a row were not there in time");
}

fn floods() {
    for (way, words) in [
        ("flood", "its body has more than 16777216 bytes"),
        ("chunks", "the stream has more than 32768 chunks"),
        ("line", "a line of the stream has more than 1048576 bytes"),
    ] {
        let said =
            of(way, &["--limit", "60s", "--concurrency", "1", "--requests", "1", "--ready", "60s"]);
        let why = loads(&said)[0]["failures"][0].as_str().unwrap();
        assert!(why.contains(words), "{way}: {why}");
    }
}
