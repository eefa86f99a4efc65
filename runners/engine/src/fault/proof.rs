//! Fault beside control: the check is red with the fault for the stated reason, and green without it.
//!
//! The control is the same run without the fault. One that is not green says nothing, whatever the
//! fault brings. What could not be injected is broken, and never counts as found.

use std::{collections::BTreeMap, sync::OnceLock};

use verify_model::{
    check::Check,
    evidence::Evidence,
    finding::FindingCode,
    matcher::Literal,
    node::{Facts, Via},
    outcome::Outcome,
    run::Run,
    verdict::Verdict,
    waiver::Waiver,
};

use super::{
    catalogue::{Before, Excuse, Expected, Fault},
    crew,
    healthy::{Machine, lay},
    play::Play,
};
use crate::{
    baseline::{Unit, propose},
    load::catalog::Catalog,
    probes,
};

/// Units that a healthy machine has accepted of each metric, each in a session of its own.
const ACCEPTED: u32 = 12;
/// Spread of these units, as a share. *Source*: ours: quieter than any real machine.
const SPREAD: f64 = 0.002;

/// Holds what was found of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Outcome.
    pub outcome: Outcome,
    /// Finding that decides it, or the gravest one.
    pub finding: Option<FindingCode>,
    /// Field that it is about.
    pub field: Option<String>,
    /// What it says.
    pub message: String,
}

/// Says how a fault came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Noticed, as expected.
    Noticed(Seen),
    /// Not noticed, or something else was said.
    Otherwise(Seen),
    /// The check is not green on a healthy machine, so that a red says nothing.
    NoControl(Seen),
    /// There is no such check here: a root has other suites than those that ship.
    NotHere(String),
    /// It could not be injected; in one sentence.
    Broken(String),
}

/// Holds one fault with how it came out.
#[derive(Clone, Debug)]
pub struct Proof<'f> {
    /// The fault.
    pub fault: &'f Fault,
    /// How it came out.
    pub found: Found,
}

/// Holds the machines that lack nothing, with what they answer and how they are judged.
pub struct Ground<'c> {
    catalog: &'c Catalog,
    machines: BTreeMap<String, Stand>,
}

/// Holds one machine.
pub(super) struct Stand {
    pub(super) evidence: Vec<Evidence>,
    pub(super) remote: bool,
    pub(super) units: Vec<Unit>,
    /// The whole node, with nothing wrong.
    pub(super) control: Run,
    /// Each check as its faults are tried, with nothing wrong; made where it is needed.
    controls: BTreeMap<String, OnceLock<Result<Seen, String>>>,
}

impl<'c> Ground<'c> {
    /// Asks every machine all of its checks, with nothing wrong: the controls.
    ///
    /// *Errors*: a machine cannot be built or planned; a defect of verify, or of the suites of a root.
    pub fn new(catalog: &'c Catalog, machines: &[Machine]) -> Result<Self, String> {
        let mut ground = Self { catalog, machines: BTreeMap::new() };
        for machine in machines {
            let stand = ground.stand(machine)?;
            ground.machines.insert(machine.node.clone(), stand);
        }
        Ok(ground)
    }

    fn stand(&self, machine: &Machine) -> Result<Stand, String> {
        let checks = self.checks(&machine.node)?;
        let file = self.catalog.nodes.get(&machine.node);
        let file = file.ok_or_else(|| format!("there is no node {}", machine.node))?;
        let (evidence, _) = machine.evidence(file, checks)?;
        let remote = machine.remote;
        let play = |units| self.play(&machine.node, &evidence, remote, units, None);
        let compares = |id: &str| checks.iter().any(|check| check.id == id && check.compares());
        let units = units(play(&[])?.run()?, &compares);
        let control = play(&units)?.run()?;
        let controls = checks.iter().map(|check| (check.id.clone(), OnceLock::new())).collect();
        Ok(Stand { evidence, remote, units, control, controls })
    }

    pub(super) fn checks(&self, node: &str) -> Result<&'c [Check], String> {
        let checks = self.catalog.checks.get(node).map(Vec::as_slice);
        checks.ok_or_else(|| format!("there is no node {node}"))
    }

    pub(super) fn play<'p>(
        &self,
        node: &str,
        evidence: &'p [Evidence],
        remote: bool,
        units: &'p [Unit],
        wanted: Option<&'p str>,
    ) -> Result<Play<'p>, String> {
        let file = self.catalog.nodes.get(node).cloned();
        let file = file.ok_or_else(|| format!("there is no node {node}"))?;
        let checks = self.checks(node)?.to_vec();
        Ok(Play { file, checks, evidence, remote, units, wanted })
    }

    /// Walks the machines by the name of their node.
    pub(super) fn machines(&self) -> impl Iterator<Item = (&str, &Stand)> {
        self.machines.iter().map(|(name, stand)| (name.as_str(), stand))
    }

    /// Lists every check of every machine with how it is judged where nothing is wrong.
    pub fn controls(&self) -> Vec<(&str, &str, Seen)> {
        let of = |(node, stand)| {
            let verdicts = Stand::verdicts(stand);
            verdicts.map(move |verdict| (node, verdict.key.check.as_str(), seen(verdict, None)))
        };
        self.machines().flat_map(of).collect()
    }

    /// Injects each fault by itself, and looks what is found.
    pub fn prove_all<'f>(&self, faults: &[&'f Fault]) -> Vec<Proof<'f>> {
        crew::each(faults, |fault| self.prove(fault))
    }

    fn prove<'f>(&self, fault: &'f Fault) -> Proof<'f> {
        let found = self.look(fault).unwrap_or_else(Found::Broken);
        Proof { fault, found }
    }

    fn look(&self, fault: &Fault) -> Result<Found, String> {
        let stand = self.machines.get(&fault.node);
        let known = self.catalog.checks.get(&fault.node);
        let check = known.and_then(|all| all.iter().find(|check| check.id == fault.check));
        let (Some(stand), Some(check)) = (stand, check) else {
            return Ok(Found::NotHere(format!("{} has no check {}", fault.node, fault.check)));
        };
        let control = self.control(&fault.node, stand, &fault.check)?;
        if control.outcome != Outcome::Pass {
            return Ok(Found::NoControl(control.clone()));
        }
        let mut evidence = stand.evidence.clone();
        if let Some(case) = &fault.answers {
            lay(&mut evidence, check, stand.facts(), &fault.node, case)?;
        }
        for edit in &fault.edits {
            edit.apply(&mut evidence)?;
        }
        let mut units = stand.units.clone();
        if let Some(before) = &fault.baseline {
            change_units(&mut units, &fault.check, before)?;
        }
        let mut play =
            self.play(&fault.node, &evidence, stand.remote, &units, Some(&fault.check))?;
        if let Some(asked) = play.checks.iter_mut().find(|check| check.id == fault.check) {
            ask_otherwise(asked, &fault.with)?;
        }
        play.file.waivers.extend(fault.waiver.as_ref().map(|excuse| waiver(fault, excuse)));
        let run = play.run()?;
        let shown = fault.expect.shown_by.as_deref().unwrap_or(&fault.check);
        let verdict = run.verdicts().find(|verdict| verdict.key.check == shown);
        let verdict = verdict.ok_or_else(|| format!("{shown} stands in no run"))?;
        let seen = seen(verdict, Some(&fault.expect));
        Ok(if fault.expect.is_met_by(verdict) {
            Found::Noticed(seen)
        } else {
            Found::Otherwise(seen)
        })
    }

    /// Returns what the run of a check finds where nothing is wrong: the very run of its faults, once.
    fn control<'s>(&self, node: &str, stand: &'s Stand, check: &str) -> Result<&'s Seen, String> {
        let kept = stand.controls.get(check).ok_or_else(|| format!("{check} was not planned"))?;
        let found = kept.get_or_init(|| {
            let units = &stand.units;
            let run = self.play(node, &stand.evidence, stand.remote, units, Some(check))?.run()?;
            let verdict = run.verdicts().find(|verdict| verdict.key.check == check);
            Ok(seen(verdict.ok_or_else(|| format!("{check} stands in no run"))?, None))
        });
        found.as_ref().map_err(Clone::clone)
    }
}

/// Gives a check other parameters.
///
/// *Errors*: its probe has no such parameter, or it is the same already.
fn ask_otherwise(check: &mut Check, with: &BTreeMap<String, String>) -> Result<(), String> {
    let probe = probes::find(&check.probe).ok_or_else(|| format!("no probe {}", check.probe))?;
    for (key, value) in with {
        if !probe.spec().params.iter().any(|param| param.name == key) {
            return Err(format!("{} has no parameter `{key}`", check.probe));
        }
        let value = Literal::Text(value.clone());
        if check.with.insert(key.clone(), value.clone()) == Some(value) {
            return Err(format!("`{key}` of {} is that already", check.id));
        }
    }
    Ok(())
}

impl Stand {
    pub(super) fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.control.verdicts()
    }

    pub(super) fn facts(&self) -> &Facts {
        static NOTHING: std::sync::LazyLock<Facts> = std::sync::LazyLock::new(Facts::default);
        self.control.nodes.first().map_or(&NOTHING, |node| &node.facts)
    }
}

/// Says what a verdict says, by the finding that was expected where it is there.
pub(super) fn seen(verdict: &Verdict, expected: Option<&Expected>) -> Seen {
    let meant = expected
        .and_then(|expected| verdict.findings.iter().find(|finding| expected.is_about(finding)));
    let finding = meant.or(verdict.main_finding()).or(verdict.findings.first());
    Seen {
        outcome: verdict.outcome,
        finding: finding.map(|finding| finding.code).or(verdict.decided_by),
        field: finding.and_then(|finding| finding.field.clone()),
        message: finding.map(|finding| finding.message.clone()).unwrap_or_default(),
    }
}

fn waiver(fault: &Fault, excuse: &Excuse) -> Waiver {
    Waiver {
        node: fault.node.clone(),
        check: fault.check.clone(),
        reason: "a waiver of the catalogue of faults".to_owned(),
        owner: "selftest".to_owned(),
        expires: excuse.expires.clone(),
        strict: excuse.strict,
        only: BTreeMap::new(),
        location: None,
    }
}

/// Makes from one run what a machine has accepted after a dozen of them, of the checks that compare.
fn units(mut run: Run, compares: &dyn Fn(&str) -> bool) -> Vec<Unit> {
    // Nothing may be accepted from a replay; what is accepted here is kept nowhere.
    run.nodes.iter_mut().for_each(|node| node.via = Via::Local);
    let proposal = propose(&run, compares, true);
    let first = proposal.units.into_values().flatten().filter(|unit| unit.repeat == 1);
    let mut units = Vec::new();
    for unit in first {
        for number in 0..ACCEPTED {
            let mut unit = unit.clone();
            unit.run = format!("01J{number:023}");
            unit.epoch = format!("01J{:023}", 0);
            unit.boot = Some(format!("boot-{number}"));
            unit.started_at = format!("2026-05-{:02}T00:00:00Z", number + 1);
            "the healthy machine".clone_into(&mut unit.reason);
            scale(&mut unit, 1.0 + SPREAD * (f64::from(number % 5) - 2.0) / 2.0);
            units.push(unit);
        }
    }
    units
}

fn scale(unit: &mut Unit, factor: f64) {
    for sampled in unit.metrics.values_mut() {
        sampled.histogram = None;
        sampled.quantiles.values_mut().for_each(|value| *value *= factor);
    }
}

/// Changes what was accepted before.
///
/// *Errors*: nothing was ever accepted of the check.
fn change_units(units: &mut Vec<Unit>, check: &str, before: &Before) -> Result<(), String> {
    let mut own = units.iter_mut().filter(|unit| unit.check == check).peekable();
    if own.peek().is_none() {
        return Err(format!("{check} compares nothing with a baseline"));
    }
    for unit in own {
        scale(unit, before.factor.unwrap_or(1.0));
        unit.machine = before.machine.clone().unwrap_or_else(|| unit.machine.clone());
        unit.definition = before.definition.clone().unwrap_or_else(|| unit.definition.clone());
    }
    units.retain(|unit| !(before.none && unit.check == check));
    Ok(())
}
