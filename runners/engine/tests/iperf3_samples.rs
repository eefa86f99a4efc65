//! Reads real outputs of iperf3, good and bad, of every version that was kept beside the checkout.
//!
//! A result that counts gets past the first transfer, and then the second is missing; what does not
//! count says why. The exit status takes no part: in the samples it misleads.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "the test reads samples and cases"
)]

use std::{collections::BTreeMap, fs, io::Write as _, path::PathBuf};

use serde_json::{Value as Json, json};
use verify_engine::{probe::With, probes};
use verify_model::{
    check::Params,
    evidence::{Captured, Evidence, Stream},
    matcher::Literal,
    node::Facts,
};

const GOOD: [&str; 6] =
    ["tcp", "tcp-P4", "tcp-omit", "tcp-v6", "server-oneoff-client", "after-interrupts"];
const BAD: [&str; 20] = [
    "bad-option",
    "busy",
    "json-stream",
    "json-stream-full",
    "n1",
    "n100M",
    "noroute",
    "refused",
    "server-INT-client",
    "server-KILL-client",
    "server-TERM-client",
    "sigint",
    "sigkill",
    "sigterm",
    "tcp-bidir",
    "tcp-reverse",
    "udp-100M",
    "udp-reverse",
    "udp-unlimited",
    "unresolvable",
];

/// Reads one output as that of the first transfer; returns why there is no answer.
fn read(output: &str) -> String {
    let case = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/evidence/iperf3/empty");
    let case: Json =
        serde_json::from_str(&fs::read_to_string(case.join("case.json")).unwrap()).unwrap();
    let text = case["captured"][0]["exec"]["stdout"]["text"].as_str().unwrap();
    let mut document: Json = serde_json::from_str(text).unwrap();
    let said: Json = serde_json::from_str(output).unwrap_or_default();
    let start =
        |key: &str| said.pointer(&format!("/start/test_start/{key}")).and_then(Json::as_i64);
    let (seconds, streams) = (start("duration").unwrap_or(1), start("num_streams").unwrap_or(1));
    let mut with: Params = serde_json::from_value(case["with"].clone()).unwrap();
    with.insert("seconds".into(), Literal::Integer(seconds.max(1)));
    with.insert("streams".into(), Literal::Integer(streams));
    document["moved"][0]["transfer"]["streams"] = json!(streams);
    let tried = &mut document["moved"][0]["tries"][0];
    tried["client"]["exec"]["stdout"]["text"] = json!(output);
    tried["server"]["exec"]["stdout"]["text"] = json!("");
    let probe = probes::find("iperf3").unwrap();
    let ask = probe.asks(With(&with), &Facts::default()).unwrap().remove(0);
    let stdout = Stream::whole(document.to_string().as_bytes());
    let piece = Evidence {
        id: 0,
        node: "a".into(),
        ask,
        at_ms: 0,
        elapsed_us: 1,
        captured: Captured::Exec { exit: Some(0), signal: None, stdout, stderr: Stream::default() },
    };
    probe.read(With(&with), &[&piece]).expect_err("one transfer is no answer").message
}

#[test]
fn every_version_is_read_and_nothing_that_is_not_whole_counts() {
    let Some(samples) = std::env::var_os("VERIFY_SAMPLES") else {
        writeln!(std::io::stderr(), "skipped: needs VERIFY_SAMPLES").unwrap();
        return;
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let root = PathBuf::from(samples).join("iperf3");
    for version in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(&version).into_iter().flatten().map(|file| file.unwrap().path()) {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let (good, bad) = (GOOD.contains(&name.as_str()), BAD.contains(&name.as_str()));
            if !good && !bad || file.extension().is_some_and(|ext| ext == "stderr") {
                continue;
            }
            let why = read(&fs::read_to_string(&file).unwrap());
            assert_eq!(why.contains("a transfer is missing"), good, "{}: {why}", file.display());
            *seen.entry(name).or_default() += 1;
        }
    }
    assert!(GOOD.iter().all(|name| seen.get(*name).is_some_and(|n| *n >= 3)), "{seen:?}");
    assert!(seen.len() >= 20, "{seen:?}");
}
