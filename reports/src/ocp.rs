//! The run as OCP Test & Validation output, version 2.0: one JSON artifact a line.
//!
//! A check is a step: what was read is measurements, what came out is a diagnosis, an error or a log.
//! Its three diagnoses and three states cannot hold six outcomes, so the outcome is always in words,
//! too; what is waived or was not judged is UNKNOWN, never PASS. The pair of status and result at the
//! end is one that the specification allows. Time stamps come from the record.

mod step;
mod validator;

use serde_json::{Value, json, to_writer};
use verify_model::run::{Run, RunNode};

use crate::{
    Format, FormatSpec, RenderError, brief, clean::one_line, digest::digest, names::names,
    own::own, sentence::sentence, times::after,
};

/// Bounds a text. *Units*: characters.
const LONGEST: usize = 1_000;

/// Writes OCP artifacts.
pub(crate) struct Ocp;

impl Format for Ocp {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "ocp",
            summary: "OCP Test & Validation 2.0, one JSON artifact a line",
            extension: "jsonl",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        let mut all =
            Artifacts { start: run.header.started_at.clone(), latest_us: 0, lines: Vec::new() };
        all.add(0, "schemaVersion", &json!({"major": 2, "minor": 0}));
        all.add(0, "testRunArtifact", &json!({"testRunStart": start(run)}));
        for said in brief::simulations(run) {
            all.log(0, "WARNING", &said);
        }
        for (at, (check, name)) in run.checks.iter().zip(names(run)).enumerate() {
            step::add(&mut all, run, check, at, &name);
        }
        // The record of a run that was cut short does not say when it ended.
        let end_us = run.elapsed_ms.saturating_mul(1000).max(all.latest_us);
        for (_, name) in own(run) {
            let error = json!({"symptom": name, "message": shown(&sentence(run))});
            all.add(end_us, "testRunArtifact", &json!({"error": error}));
        }
        all.log(end_us, "INFO", &format!("{} Exit code {}.", sentence(run), run.exit_code()));
        all.log(end_us, "INFO", &brief::counts(&run.checks.iter()));
        let (status, result) = end(run);
        let end = json!({"testRunEnd": {"status": status, "result": result}});
        all.add(end_us, "testRunArtifact", &end);
        let mut out = Vec::new();
        for line in &all.lines {
            to_writer(&mut out, line)?;
            out.push(b'\n');
        }
        Ok(out)
    }
}

/// Holds artifacts, numbered as they come.
struct Artifacts {
    start: String,
    /// Latest time so far, since the run's start. *Units*: us.
    latest_us: u64,
    lines: Vec<Value>,
}

impl Artifacts {
    fn add(&mut self, elapsed_us: u64, kind: &str, artifact: &Value) {
        self.latest_us = self.latest_us.max(elapsed_us);
        let number = self.lines.len();
        let time = after(&self.start, elapsed_us);
        self.lines.push(json!({kind: artifact, "sequenceNumber": number, "timestamp": time}));
    }

    fn log(&mut self, elapsed_us: u64, severity: &str, message: &str) {
        let log = json!({"log": {"severity": severity, "message": shown(message)}});
        self.add(elapsed_us, "testRunArtifact", &log);
    }
}

fn shown(text: &str) -> String {
    one_line(text, LONGEST)
}

/// Chooses a pair that the specification allows; what is not known to be good is no PASS.
///
/// *Source*: `ocp-diag-core`, "Valid Test Result and Test Status Combinations".
fn end(run: &Run) -> (&'static str, &'static str) {
    match run.exit_code() {
        // What failed before the run was cut short has failed.
        _ if brief::fails(run) => ("COMPLETE", "FAIL"),
        _ if !run.complete || run.interrupted => ("ERROR", "NOT_APPLICABLE"),
        // Nothing failed, and nothing was seen to be right.
        0 if run.counts().pass == 0 => ("SKIP", "NOT_APPLICABLE"),
        0 => ("COMPLETE", "PASS"),
        1 => ("COMPLETE", "FAIL"),
        3 => ("ERROR", "NOT_APPLICABLE"),
        // Nothing to test.
        _ => ("SKIP", "NOT_APPLICABLE"),
    }
}

fn start(run: &Run) -> Value {
    let header = &run.header;
    let names: Vec<String> = run.nodes.iter().map(|node| shown(&node.file.name)).collect();
    let platforms: Vec<Value> =
        run.nodes.iter().map(|node| json!({"info": platform(node)})).collect();
    let software = run.nodes.iter().enumerate().flat_map(|(at, node)| software(at, node));
    let about: Vec<Value> = run.nodes.iter().map(about).collect();
    json!({
        "name": "verify",
        "version": shown(&header.version),
        "commandLine": shown(&header.command.join(" ")),
        "parameters": {
            "run": shown(&header.id),
            "root": shown(&header.root),
            "requireBaseline": header.require_baseline,
        },
        "dutInfo": {
            "dutInfoId": "0",
            "name": names.join(", "),
            "platformInfos": platforms,
            "softwareInfos": software.collect::<Vec<Value>>(),
            "metadata": {"nodes": about},
        },
    })
}

fn platform(node: &RunNode) -> String {
    let facts = &node.facts;
    let known = [&node.file.name, &facts.hostname, &facts.cpu, &facts.arch, &facts.virtualization];
    let known: Vec<&str> =
        known.into_iter().map(String::as_str).filter(|s| !s.is_empty()).collect();
    shown(&known.join(", "))
}

fn software(at: usize, node: &RunNode) -> Vec<Value> {
    let facts = &node.facts;
    let known = [("os", "Operating system", &facts.os), ("kernel", "Kernel", &facts.kernel)];
    let known = known.into_iter().filter(|(_, _, version)| !version.is_empty());
    let one = |(id, name, version): (&str, &str, &String)| {
        json!({
            "softwareInfoId": format!("{at}-{id}"), "name": name, "version": shown(version),
            "softwareType": "SYSTEM", "computerSystem": shown(&node.file.name),
        })
    };
    known.map(one).collect()
}

fn about(node: &RunNode) -> Value {
    json!({
        "node": shown(&node.file.name),
        "host": shown(&node.facts.hostname),
        "via": shown(&node.via.to_string()),
        "fingerprint": digest(&node.fingerprint),
        "simulated": node.facts.simulated.as_deref().map(shown),
    })
}
