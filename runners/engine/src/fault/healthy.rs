//! The answers of machines that lack nothing: what a fault is put into, and what its control is.
//!
//! A machine is a recorded run, laid over with answers that probes brought as evidence and with edits.
//! Texts are recorded from a simulator, captured, or written from documents, as each case says of
//! itself: that no check finds fault with them says nothing of hardware.

use std::collections::BTreeMap;

use serde::Deserialize;
use verify_model::{
    check::Check,
    evidence::{Captured, Evidence},
    node::{Facts, NodeFile},
};

use super::{
    edit::{Edit, each},
    embedded,
};
use crate::{load, probe::With, probes};

/// Stands for the digest of the suites of this build.
const SUITES: &str = "{suites}";

/// Holds one healthy machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Machine {
    /// Node that it is.
    pub node: String,
    /// Recordings that it answers from, by name.
    recorded: Vec<String>,
    /// Whether it is another machine than the one that asks.
    #[serde(default)]
    pub remote: bool,
    /// What it answers to a check, `probe/case`, in the place of the recording.
    #[serde(default)]
    answers: BTreeMap<String, String>,
    /// What is changed in all that.
    #[serde(default, rename = "edit")]
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Machines {
    machine: Vec<Machine>,
}

#[derive(Deserialize)]
struct Case {
    captured: Vec<Captured>,
}

impl Machine {
    /// Reads the machines that are part of the program.
    ///
    /// *Errors*: the file is none; a defect of verify.
    pub fn shipped() -> Result<Vec<Self>, String> {
        let read: Machines =
            toml::from_str(embedded::MACHINES).map_err(|why| format!("healthy.toml: {why}"))?;
        Ok(read.machine)
    }

    /// Returns what it answers to some checks, and what does not fit what they ask: in a root whose suites
    /// ask something else it is left out, and the control of that check says so.
    ///
    /// *Errors*: a recording is not there or cannot be read; a defect of verify.
    pub(super) fn evidence(
        &self,
        file: &NodeFile,
        checks: &[Check],
    ) -> Result<(Vec<Evidence>, Vec<String>), String> {
        let (mut evidence, mut unfit) = (Vec::new(), Vec::new());
        for name in &self.recorded {
            let recorded = embedded::RECORDED.iter().find(|(known, _)| known == name);
            let (_, text) = recorded.ok_or_else(|| format!("nothing is recorded as {name}"))?;
            for line in text.lines() {
                let piece = serde_json::from_str::<Evidence>(line);
                let piece = piece.map_err(|why| format!("healthy/{name}.jsonl: {why}"))?;
                evidence.push(Evidence { node: self.node.clone(), ..piece });
            }
        }
        let python = file.python.clone().unwrap_or_default();
        let facts = Facts { python, ..Facts::default() };
        for (id, case) in &self.answers {
            let check = checks.iter().find(|check| check.id == *id);
            let check = check.ok_or_else(|| format!("{} has no check {id}", self.node));
            let laid = check.and_then(|check| lay(&mut evidence, check, &facts, &self.node, case));
            unfit.extend(laid.err());
        }
        for edit in &self.edits {
            unfit.extend(edit.apply(&mut evidence).err());
        }
        // Another program of the same suites names them as this one does.
        let suites = load::embedded::digest();
        for piece in &mut evidence {
            each(&mut piece.captured, &mut |stream| {
                if stream.text.contains(SUITES) {
                    stream.text = stream.text.replace(SUITES, &suites);
                }
            });
        }
        Ok((evidence, unfit))
    }
}

/// Lays the answers of a case over what is there.
///
/// *Errors*: the case is not part of the program, or answers another number of questions.
pub(super) fn lay(
    evidence: &mut Vec<Evidence>,
    check: &Check,
    facts: &Facts,
    node: &str,
    case: &str,
) -> Result<(), String> {
    let known = embedded::CASES.iter().find(|(name, _)| *name == case);
    let (_, text) = known.ok_or_else(|| format!("there is no case {case}"))?;
    let case_read: Case =
        serde_json::from_str(text).map_err(|why| format!("case {case}: {why}"))?;
    let probe = probes::find(&check.probe).ok_or_else(|| format!("no probe {}", check.probe))?;
    let asks = probe.asks(With(&check.with), facts)?;
    if asks.len() != case_read.captured.len() {
        let (there, wanted) = (case_read.captured.len(), asks.len());
        return Err(format!("case {case} holds {there} answers, and {} asks {wanted}", check.id));
    }
    for (ask, captured) in asks.into_iter().zip(case_read.captured) {
        let question = ask.clone().limited_to(0);
        evidence.retain(|piece| piece.ask.clone().limited_to(0) != question);
        let node = node.to_owned();
        evidence.push(Evidence { id: 0, node, ask, at_ms: 0, elapsed_us: 1000, captured });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{catalog, root::Root};

    #[test]
    fn every_healthy_answer_and_edit_fits_the_suites_that_ship() {
        let catalog = catalog::load(&Root { dir: None, home: None }).unwrap();
        for machine in Machine::shipped().unwrap() {
            let (file, checks) = (&catalog.nodes[&machine.node], &catalog.checks[&machine.node]);
            let (evidence, unfit) = machine.evidence(file, checks).unwrap();
            assert!(!evidence.is_empty() && unfit.is_empty(), "{}: {unfit:?}", machine.node);
        }
    }
}
