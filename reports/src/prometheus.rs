//! The last run as metrics, for the textfile collector of the node exporter.
//!
//! Values are in base units, which the names say; a value, its baseline and its limits are families of
//! their own, so that a rule can compare them. A check has one series with its outcome: one that is gone
//! is never taken for one that passed. Families of the run name the nodes, for two files of two nodes
//! stand in one folder. No time stamps: the collector refuses them, so the start is a metric.

mod family;
mod value;

use verify_model::{
    outcome::Outcome,
    run::{Run, RunCheck},
};

use self::family::{Families, Labels};
use crate::{
    Format, FormatSpec, RenderError, brief,
    digest::{digest, of_text},
    names::names,
    sentence::situation_of,
    times::unix,
};

/// Longest list of nodes in a label. *Units*: bytes.
const LONGEST_NODES: usize = 300;

/// Writes the text format of Prometheus.
pub(crate) struct Prometheus;

impl Format for Prometheus {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "prometheus",
            summary: "outcomes, values, baselines and limits for the textfile collector",
            extension: "prom",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        let mut all = Families::default();
        of_run(&mut all, run);
        of_nodes(&mut all, run);
        let names = names(run);
        for (check, name) in run.checks.iter().zip(&names) {
            of_check(&mut all, run, check, name);
        }
        for (check, name) in run.checks.iter().zip(&names) {
            value::of_readings(&mut all, check, &about(check, name));
        }
        Ok(all.text().into_bytes())
    }
}

fn of_run(all: &mut Families, run: &Run) {
    let own = Labels::default().with("nodes", &nodes(run));
    let header = &run.header;
    let info = own.clone().with("run", &header.id).with("version", &header.version);
    all.add("verify_run_info", "Which run this is of, and which version ran it.", &info, 1.0);
    if let Some(started) = unix(&header.started_at) {
        let help = "When the run started, in seconds since the epoch.";
        all.add("verify_run_timestamp_seconds", help, &own, started);
    }
    let exit = f64::from(run.exit_code());
    all.add("verify_run_exit_code", "Exit code of the run; only 0 is a success.", &own, exit);
    for (name, help, is) in [
        ("verify_run_complete", "Whether the record has its end.", run.complete),
        ("verify_run_interrupted", "Whether the run was interrupted.", run.interrupted),
    ] {
        all.add(name, help, &own, f64::from(u8::from(is)));
    }
    if run.complete {
        let elapsed_s = std::time::Duration::from_millis(run.elapsed_ms).as_secs_f64();
        all.add("verify_run_duration_seconds", "How long the run took.", &own, elapsed_s);
    }
}

/// Names the nodes of a run; many are told from as many others by a digest.
fn nodes(run: &Run) -> String {
    let names: Vec<&str> = run.nodes.iter().map(|node| node.file.name.as_str()).collect();
    let all = names.join(",");
    if all.len() <= LONGEST_NODES {
        return all;
    }
    format!("{} nodes, {:.16}", names.len(), of_text(&all))
}

fn of_nodes(all: &mut Families, run: &Run) {
    for node in &run.nodes {
        let own = Labels::default().with("node", &node.file.name);
        let facts = &node.facts;
        let info = own
            .clone()
            .with("host", &facts.hostname)
            .with("kernel", &facts.kernel)
            .with("fingerprint", &digest(&node.fingerprint).unwrap_or_default())
            .with("simulated", facts.simulated.as_deref().unwrap_or_default());
        all.add("verify_node_info", "What answered for the node.", &info, 1.0);
        let simulated = f64::from(u8::from(facts.simulated.is_some()));
        let help = "Whether a stand-in answered instead of a machine.";
        all.add("verify_node_simulated", help, &own, simulated);
        let of_node = |c: &&RunCheck| c.planned.node == node.file.name;
        let checks = run.checks.iter().filter(of_node);
        for outcome in Outcome::ALL {
            let number = checks.clone().filter(|c| c.verdict.outcome == outcome).count();
            let labels = own.clone().with("outcome", outcome.name());
            all.add("verify_checks", "Number of checks by outcome.", &labels, count(number));
        }
        let waived = checks.filter(|c| c.verdict.is_waived()).count();
        let help = "Number of failed checks that a waiver excuses.";
        all.add("verify_checks_waived", help, &own, count(waived));
    }
}

fn about(check: &RunCheck, name: &str) -> Labels {
    Labels::default()
        .with("node", &check.planned.node)
        .with("suite", &check.planned.check.suite)
        .with("check", name)
}

fn of_check(all: &mut Families, run: &Run, check: &RunCheck, name: &str) {
    let own = about(check, name);
    let verdict = &check.verdict;
    let finding = verdict.decided_by.map_or("", |code| code.row().name);
    let waived = if verdict.is_waived() { "true" } else { "false" };
    let outcome = own
        .clone()
        .with("outcome", verdict.outcome.name())
        .with("finding", finding)
        .with("waived", waived);
    let help = "Outcome of the check, as a label; what was not asked has a series, too.";
    all.add("verify_check_outcome", help, &outcome, 1.0);
    let exit = f64::from(situation_of(run, check).exit());
    let help =
        "Exit code that the check asks for by itself: 0, 1 (failed) or 3 (no answer, not judged).";
    all.add("verify_check_exit_code", help, &own, exit);
    if verdict.attempts > 0 {
        let elapsed_s = std::time::Duration::from_micros(verdict.elapsed_us).as_secs_f64();
        all.add("verify_check_duration_seconds", "How long the check took.", &own, elapsed_s);
    }
    if brief::simulated_by(run, check).is_some() {
        let help = "There where a stand-in answered the check instead of a machine.";
        all.add("verify_check_simulated", help, &own, 1.0);
    }
}

#[expect(clippy::cast_precision_loss, reason = "no run has 2^53 checks")]
fn count(number: usize) -> f64 {
    number as f64
}
