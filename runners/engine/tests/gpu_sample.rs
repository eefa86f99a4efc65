//! Whether real outputs of GPU tools are read: captures of other people's machines, by `VERIFY_SAMPLES`.
//!
//! They may not be committed, so that the tests point at them and say so where they are not there.
//! What a capture lacks beside it (the other tools of the same machine) is taken from our own cases.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "the test reads captures that stand beside the checkout"
)]

use std::{fs, io::Write, path::PathBuf};

use verify_engine::{
    probe::{Probe, With},
    probes,
};
use verify_model::{
    check::Params,
    evidence::{Captured, Evidence, Stream},
    node::Facts,
    observation::{AttemptError, Observation},
    value::Value,
};

/// Reads a capture; says so where there are none.
fn sample(name: &str) -> Option<String> {
    let Some(root) = std::env::var_os("VERIFY_SAMPLES") else {
        // Not `eprintln!`: what a passing test prints is swallowed. In one piece, for tests run at once.
        let line = format!("skipped: needs {name} (set VERIFY_SAMPLES)\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    };
    let path = PathBuf::from(root).join("gpu").join(name);
    Some(fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

fn printed(stdout: &str, exit: i32) -> Captured {
    Captured::Exec {
        exit: Some(exit),
        signal: None,
        stdout: Stream::whole(stdout.as_bytes()),
        stderr: Stream::default(),
    }
}

/// Returns what our own case of two cards has for each of the five questions.
fn own() -> Vec<Captured> {
    #[derive(serde::Deserialize)]
    struct Case {
        captured: Vec<Captured>,
    }
    let path = "tests/evidence/nvidia-smi/ok-driver-570/case.json";
    let text = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    serde_json::from_str::<Case>(&text).unwrap().captured
}

fn own_document() -> String {
    match &own()[0] {
        Captured::Exec { stdout, .. } => stdout.text.clone(),
        other => panic!("{other:?}"),
    }
}

fn read(probe: &str, captured: Vec<Captured>) -> Result<Observation, AttemptError> {
    let (probe, with): (&dyn Probe, _) = (probes::find(probe).unwrap(), Params::new());
    let asks = probe.asks(With(&with), &Facts::default()).unwrap();
    assert_eq!(asks.len(), captured.len());
    let evidence: Vec<Evidence> = asks
        .into_iter()
        .zip(captured)
        .map(|(ask, captured)| Evidence {
            id: 0,
            node: "node".to_owned(),
            ask,
            at_ms: 0,
            elapsed_us: 0,
            captured,
        })
        .collect();
    probe.read(With(&with), &evidence.iter().collect::<Vec<_>>())
}

/// Reads our own case with other answers to some of the five questions.
fn with(changes: &[(usize, Captured)]) -> Observation {
    let mut captured = own();
    for (at, other) in changes {
        captured[*at] = other.clone();
    }
    read("nvidia-smi", captured).unwrap()
}

fn demand(seen: &Observation, wanted: &[(&str, &str)]) {
    for (path, wanted) in wanted {
        assert_eq!(seen.resolve(path).to_string(), *wanted, "{path}");
    }
}

#[test]
fn the_document_of_driver_525_is_read_by_its_old_names() {
    let Some(text) = sample("telegraf_rtx-3090-v12.xml") else { return };
    let seen = with(&[(0, printed(&text, 0))]);
    demand(
        &seen,
        &[
            ("state", "ok"),
            ("driver.version", "525.147.05"),
            ("cuda.version", "12.0"),
            ("count", "1"),
            ("opened", "1"),
            ("gpus.name", "NVIDIA GeForce RTX 3090"),
            ("gpus.bus-id", "0000:00:10.0"),
            ("gpus.memory", "24576 MiB"),
            ("gpus.bar1", "32768 MiB"),
            ("gpus.pcie.generation", "1"),
            ("gpus.pcie.width", "16"),
            ("gpus.power.limit", "200 W"),
            ("gpus.power.limit-default", "350 W"),
            ("gpus.power.draw", "27.23 W"),
            ("gpus.throttle", "idle"),
            ("gpus.slowed", "no"),
            ("gpus.temperature.slowdown", "95 °C"),
            ("gpus.memory-health", "not-offered"),
            ("gpus.performance-state", "8"),
        ],
    );
    // It prints this clock as 0 MHz, which no card has.
    assert!(seen.resolve("gpus.clock.sm").unreadable().is_some());
    assert!(seen.resolve("gpus.mig").has_absent());
}

#[test]
fn the_document_of_driver_590_is_read_by_its_new_names() {
    let Some(text) = sample("telegraf_3090-v13_EXCERPT.xml") else { return };
    let seen = with(&[(0, printed(&text, 0))]);
    demand(
        &seen,
        &[
            ("state", "ok"),
            ("driver.version", "590.44.01"),
            ("cuda.version", "13.1"),
            ("gpus.bar1", "256 MiB"),
            ("gpus.power.draw", "35.06 W"),
            ("gpus.power.limit", "350 W"),
            ("gpus.throttle", "power-cap"),
            ("gpus.slowed", "no"),
            ("gpus.temperature.now", "32 °C"),
        ],
    );
    assert!(seen.resolve("gpus.temperature.memory").has_absent());
}

#[test]
fn every_cut_of_a_real_document_is_refused() {
    let Some(text) = sample("telegraf_3090-v13_EXCERPT.xml") else { return };
    for at in (0..text.trim_end().len()).step_by(97) {
        let mut captured = own();
        captured[0] = printed(&text[..at], 0);
        assert!(read("nvidia-smi", captured).is_err(), "{at}");
    }
}

#[test]
fn matrices_with_tabs_and_with_spaces_say_what_lies_between_cards() {
    for (name, link) in
        [("dual3090_topo_m_NV4_driver610.txt", "NV4"), ("dual3090_topo_m_PHB_tabs.txt", "PHB")]
    {
        let Some(text) = sample(name) else { return };
        let seen = with(&[(1, printed(&text, 0))]);
        let both = format!("{link} x2");
        demand(&seen, &[("pairs.cards", "0-1, 1-0"), ("pairs.link", &both)]);
    }
}

#[test]
fn peer_access_is_read_and_is_no_matrix_of_links() {
    let Some(text) = sample("dual3090_topo_p2p_rw_OK_driver610.txt") else { return };
    let same = || printed(&text, 0);
    let seen = with(&[(1, same()), (2, same()), (3, same())]);
    demand(&seen, &[("pairs.read", "ok x2"), ("pairs.write", "ok x2")]);
    assert!(seen.resolve("pairs.link").unreadable().is_some());
}

/// Puts the identities of a capture into our own document.
fn document_of(links: &str) -> String {
    let uuids = links.lines().filter_map(|line| line.split_once("UUID: ")?.1.strip_suffix(')'));
    uuids.enumerate().fold(own_document(), |text, (index, uuid)| {
        text.replace(&format!("GPU-00000000-0000-4000-8000-00000000000{index}"), uuid)
    })
}

#[test]
fn links_are_counted_for_the_card_with_their_identity() {
    let Some(text) = sample("dual3090_nvlink_status_driver610.txt") else { return };
    let seen = with(&[(0, printed(&document_of(&text), 0)), (4, printed(&text, 0))]);
    demand(
        &seen,
        &[
            ("gpus.links-active", "4 x2"),
            ("gpus.links-inactive", "none x2"),
            ("gpus.link-speed", "14.06 GB/s x2"),
        ],
    );
    let strange = with(&[(4, printed(&text, 0))]);
    assert!(strange.resolve("gpus.links-active").unreadable().is_some(), "of other cards");
}

#[test]
fn all_links_inactive_is_none_active_for_that_card_alone() {
    let Some(text) = sample("nvlink_status_all_inactive_B200.txt") else { return };
    let seen = with(&[(0, printed(&document_of(&text), 0)), (4, printed(&text, 0))]);
    let Value::List(active) = seen.resolve("gpus.links-active") else { panic!("{seen:?}") };
    assert_eq!(active[0], Value::Integer(0));
    assert!(active[1].unreadable().is_some(), "{active:?}");
}

#[test]
fn without_a_driver_the_real_tool_is_understood() {
    let Some(text) = sample("nvidia-smi_no_driver_535.261.03.txt") else { return };
    let seen = read("nvidia-smi", vec![printed(&text, 9); 5]).unwrap();
    demand(&seen, &[("state", "driver-not-loaded")]);
    assert!(matches!(seen.resolve("count"), Value::Absent(_)));
}

#[test]
fn every_xid_of_real_logs_has_a_meaning() {
    let Some(text) = sample("kmsg_xid_lines.txt") else { return };
    let mut log = "[    0.000000] Linux version 6.1.0 (builder@example.org) #1 SMP\n".to_owned();
    let mut lines = 0;
    for line in text.lines() {
        let line = line.strip_prefix("kernel: ").unwrap_or(line);
        // Lines that go on from the one before are indented, as the reader of the ring has them.
        if line.starts_with([' ', '[']) {
            log.push_str(line);
        } else {
            log.push_str("[  100.000000] ");
            log.push_str(line);
        }
        log.push('\n');
        lines += 1;
    }
    assert!(lines > 5, "{lines}");
    let captured = vec![printed(&log, 0), printed("", 0)];
    let seen = read("journal", captured).unwrap();
    demand(
        &seen,
        &[
            ("xids", "45, 79, 94, 145, 149"),
            ("kinds", "gpu-lost, nvidia-failure, xid"),
            // Two lost cards; four lines of Xid and a probe that failed.
            ("critical", "2"),
            ("errors", "5"),
        ],
    );
    let problems = seen.resolve("problems").to_string();
    assert!(!problems.contains("see NVIDIA's list"), "{problems}");
}

/// Reads what a trtexec of that version, our options given, said in a capture.
fn trtexec(version: &str, output: &str, times: &str) -> Result<Observation, AttemptError> {
    let echoed: String = ["Data transfers", "ExposeDMA", "Spin-wait", "CUDA Graph"]
        .map(|option| format!("[10/03/2024-10:47:50] [I] {option}: Enabled\n"))
        .concat();
    let document = serde_json::json!({
        "protocol": "verify-instrument/1",
        "instrument": "tensorrt",
        "result": {
            "queries": 100,
            "version": version,
            "options": [],
            "run": { "exit": 0, "signal": null, "output": echoed + output, "stderr": "" },
            "times": times,
            "times-left-out": 0,
        },
    });
    read("tensorrt", vec![printed(&document.to_string(), 0)])
}

#[test]
fn a_summary_of_trtexec_10_is_the_witness_of_the_exported_times() {
    let Some(text) = sample("trtexec_summary_10.x_TensorRT-issue-4177.txt") else { return };
    let ended = "\n&&&& PASSED TensorRT.trtexec [TensorRT v100000] # trtexec\n";
    let output = format!("[x] [I] Timing trace has 100 queries over 0.77 s\n{text}{ended}");
    // Least, greatest and p99 of GPU compute time and latency are those of the capture.
    let query = |compute: &str, latency: &str| {
        format!(
            "{{ \"h2dMs\" : 0.0122212, \"computeMs\" : {compute}, \"d2hMs\" : 0.0100141, \"latencyMs\" : {latency} }}"
        )
    };
    let mut queries = vec![query("7.14139", "7.16092"); 98];
    queries.push(query("5.34595", "5.38672"));
    let of = |last: &str, latency: &str| {
        let all = [queries.as_slice(), &[query(last, latency)]].concat();
        trtexec("10.0.0", &output, &format!("[\n{}\n]\n", all.join("\n, ")))
    };
    // Of a hundred, p99 is the greatest; in the capture of 391 it is another one.
    let error = of("13.3388", "13.3664").unwrap_err();
    let said = "p99 of GPU Compute Time is 13.3388 ms by the exported times and 12.9485 ms";
    assert!(error.message.contains(said), "{}", error.message);
    let error = of("12.9485", "12.9675").unwrap_err();
    assert!(error.message.contains("max of GPU Compute Time is 12.9485 ms"), "{}", error.message);
}

#[test]
fn a_run_of_trtexec_in_2021_with_no_query_is_no_answer() {
    let Some(text) = sample("superbench_tensorrt_inference.1.log") else { return };
    let error = trtexec("8.0.1", &text, "[\n]\n").unwrap_err();
    assert!(error.message.contains("timed 0 queries and exported 0"), "{}", error.message);
    // Its own text says that it did not spin and that the graph was off.
    let error = trtexec("8.0.1", &text.replace("Precision: FP32+INT8", "Precision: FP32"), "");
    assert!(error.unwrap_err().message.contains("exported no times"));
}
