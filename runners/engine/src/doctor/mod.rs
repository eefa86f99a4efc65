//! What a node lacks to answer every check of its suites, what each lack costs, what to do about it.
//!
//! Three sources: capabilities that checks name, programs and files that their probes would use, and
//! the table of rights in `right`. Nothing is measured: programs are looked for and not started,
//! files are read that a check that only reads would read. What nothing can change, such as Linux
//! on a Mac, is no lack unless the node file promises it.

mod package;
mod remedy;
mod right;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use verify_model::{
    ask::Ask,
    check::Check,
    effect::Effect,
    evidence::{Captured, Evidence, FailureKind},
    node::{Facts, NodeFile},
    verdict::Answer,
};

use crate::{
    capability::UNKNOWN,
    gathered::Gathered,
    plan::{REACHABLE, Step},
    probe::With,
    probes,
};

use self::package::Manager;

/// Holds one thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Need {
    /// What is missing.
    pub what: String,
    /// How that was found out.
    pub why: String,
    /// Whether the node file says that the node has it.
    pub promised: bool,
    /// Whether it is known to be missing; false where nobody could look.
    pub known: bool,
    /// What to do.
    pub remedy: String,
    /// Ids of the checks that it costs, in the order of the suites.
    pub checks: Vec<String>,
}

/// Holds what was found out about one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Diagnosis {
    /// Why the node cannot be asked, and what to do; nothing else is known then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<(String, String)>,
    /// Ids of the checks for which everything is there.
    pub ready: Vec<String>,
    /// Ids of the checks that are for another kind of machine.
    pub elsewhere: Vec<String>,
    /// What is there of that which was looked for.
    pub there: Vec<String>,
    /// What is missing: the most checks first.
    pub needs: Vec<Need>,
}

/// Says what is looked at.
pub struct Patient<'a> {
    /// Node file.
    pub node: &'a NodeFile,
    /// What is known of the machine.
    pub facts: &'a Facts,
    /// Planned with every permission, so that only lacks leave a check out.
    pub steps: &'a [Step],
    /// Whether it is another machine, to which nothing that measures could be sent.
    pub needs_own: bool,
}

impl Patient<'_> {
    fn asked(&self) -> impl Iterator<Item = &Check> {
        self.steps.iter().filter(|step| step.left_out.is_none()).map(|step| &step.check)
    }

    /// Returns what the probe of a check would ask; nothing where its parameters cannot be used.
    fn would_ask(&self, check: &Check) -> Vec<Ask> {
        let probe = probes::find(&check.probe);
        probe.and_then(|p| p.asks(With(&check.with), self.facts).ok()).unwrap_or_default()
    }

    /// Lists the programs that a check needs, alternatives together.
    fn programs(&self, check: &Check) -> Vec<Vec<String>> {
        if remedy::ANSWERS_WITHOUT.contains(&check.probe.as_str()) {
            return Vec::new();
        }
        let mut found = BTreeSet::new();
        let mut of_instruments = Vec::new();
        for ask in self.would_ask(check) {
            match ask {
                Ask::Exec { argv, .. } => found.extend(argv.into_iter().next()),
                Ask::Between { .. } => {
                    found.insert("iperf3".to_owned());
                    if self.facts.capabilities.contains("linux") {
                        found.insert("ip".to_owned());
                    }
                }
                Ask::Script { interpreter, .. } if !interpreter.is_empty() => {
                    found.insert(interpreter);
                }
                Ask::Instrument { .. } => {
                    let own = self.needs_own.then_some("verify");
                    let tools = remedy::of_instrument(&check.probe, With(&check.with));
                    let names = own.into_iter().chain(tools);
                    of_instruments.extend(names.map(|name| vec![name.to_owned()]));
                }
                _ => {}
            }
        }
        let mut groups: Vec<Vec<String>> = Vec::new();
        for any in remedy::ANY_OF {
            let (those, rest): (BTreeSet<String>, BTreeSet<String>) =
                found.into_iter().partition(|name| any.contains(&name.as_str()));
            groups.extend((!those.is_empty()).then(|| those.into_iter().collect()));
            found = rest;
        }
        groups.extend(found.into_iter().map(|name| vec![name]));
        groups.extend(of_instruments);
        groups
    }
}

/// Returns what to look at: programs are looked for, and files read, of checks that would be asked.
pub fn asks(patient: &Patient<'_>) -> Vec<Ask> {
    let mut all: BTreeSet<Ask> = package::asks().into_iter().collect();
    for check in patient.asked() {
        all.extend(patient.programs(check).into_iter().flatten().map(|name| look_for(&name)));
        all.extend(right::asks(&check.probe));
        if check.effect == Effect::Reads {
            let is_file = |ask: &Ask| {
                matches!(ask, Ask::ReadFile { .. } | Ask::ReadFiles { .. } | Ask::List { .. })
            };
            all.extend(patient.would_ask(check).into_iter().filter(is_file));
        }
    }
    all.into_iter().collect()
}

fn look_for(name: &str) -> Ask {
    if name.contains('/') {
        Ask::Stat { path: name.to_owned() }
    } else {
        Ask::Which { tool: name.to_owned() }
    }
}

/// Says what is missing. Pure.
pub fn diagnose(patient: &Patient<'_>, evidence: &[Evidence]) -> Diagnosis {
    if let Some(unreachable) = patient.steps.iter().find_map(unreachable) {
        return Diagnosis { unreachable: Some(unreachable), ..Diagnosis::default() };
    }
    let pieces: Vec<&Evidence> = evidence.iter().collect();
    let node = Gathered(&pieces);
    let manager = Manager::of(node, patient.facts);
    let mut ledger = Ledger::default();
    let mut diagnosis = Diagnosis::default();
    for step in patient.steps {
        let id = step.check.id.clone();
        match &step.left_out {
            None => {
                let before = ledger.entries;
                of_asked(&mut ledger, patient, &step.check, node, manager);
                if ledger.entries == before {
                    diagnosis.ready.push(id);
                }
            }
            Some(Answer::NeedAbsent { .. }) => {
                let absent = absent(patient, &step.check);
                let given =
                    |need: &Absent<'_>| !need.promised && need.known && remedy::is_given(need.name);
                if absent.iter().any(given) {
                    diagnosis.elsewhere.push(id);
                    continue;
                }
                for need in absent {
                    let remedy = remedy::of_capability(need.name, patient.facts, manager);
                    ledger.add(&id, need.name, need.why, (need.promised, need.known), remedy);
                }
            }
            // What a scenario does not hold is no lack of a machine, here and below.
            Some(_) => diagnosis.elsewhere.push(id),
        }
    }
    let needed: BTreeSet<&String> = patient.steps.iter().flat_map(|s| &s.check.when).collect();
    diagnosis.there =
        patient.facts.capabilities.iter().filter(|name| needed.contains(name)).cloned().collect();
    diagnosis.there.extend(programs_there(patient, &pieces));
    diagnosis.there.sort();
    diagnosis.there.dedup();
    diagnosis.needs = ledger.sorted();
    diagnosis
}

fn unreachable(step: &Step) -> Option<(String, String)> {
    match &step.left_out {
        Some(Answer::Unreachable { code, message }) if step.check.id == REACHABLE => {
            Some((format!("{}: {message}", code.row().name), code.row().next.to_owned()))
        }
        _ => None,
    }
}

/// Holds a capability that a check needs and the node lacks.
struct Absent<'a> {
    name: &'a str,
    why: &'a str,
    promised: bool,
    known: bool,
}

/// Lists all that a check lacks; the plan names one of them.
fn absent<'a>(patient: &'a Patient<'_>, check: &'a Check) -> Vec<Absent<'a>> {
    let lacking = check.when.iter().filter(|need| !patient.facts.capabilities.contains(*need));
    lacking
        .map(|name| {
            let why =
                patient.facts.missing.get(name).map_or("nobody looked for it", String::as_str);
            Absent {
                name,
                why,
                promised: patient.node.has.contains(name),
                known: patient.facts.missing.contains_key(name) && !why.starts_with(UNKNOWN),
            }
        })
        .collect()
}

/// Adds what a check lacks that nothing but the way to ask it leaves to find out.
fn of_asked(
    ledger: &mut Ledger,
    patient: &Patient<'_>,
    check: &Check,
    node: Gathered<'_>,
    manager: Manager,
) {
    for group in patient.programs(check) {
        let states: Vec<Look> = group.iter().map(|name| look(node, name)).collect();
        if states.iter().any(|state| matches!(state, Look::There)) {
            continue;
        }
        let known = states.iter().all(|state| matches!(state, Look::Absent));
        if !known && patient.facts.simulated.is_some() {
            continue;
        }
        let what = group.join(" or ");
        let why = if known { "not in PATH and the usual folders" } else { "nobody could look" };
        let remedy = remedy::of_program(&group, patient.needs_own, manager);
        ledger.add(&check.id, &what, why, (false, known), remedy);
    }
    for lack in right::lacks(&check.probe, node, patient.facts) {
        ledger.add(&check.id, &lack.what, &lack.why, (false, lack.known), lack.remedy);
    }
    if check.effect != Effect::Reads {
        return;
    }
    for ask in patient.would_ask(check) {
        let piece = node.0.iter().find(|piece| piece.ask == ask);
        let denied = piece.and_then(|piece| denied(piece));
        if let Some((path, why)) = denied {
            let what = format!("the right to read {path}");
            ledger.add(&check.id, &what, &why, (false, true), remedy::OF_FILE.to_owned());
        }
    }
}

/// Returns the path that may not be read; of several files, of which the rest can be, none.
fn denied(piece: &Evidence) -> Option<(String, String)> {
    let path = match &piece.ask {
        Ask::ReadFile { path, .. } | Ask::List { path } => path,
        Ask::ReadFiles { pattern, .. } => pattern,
        _ => return None,
    };
    let failure = match &piece.captured {
        Captured::Failed(failure) => failure,
        Captured::Files(files) if files.iter().all(|(_, text)| text.is_err()) => {
            files.first()?.1.as_ref().err()?
        }
        _ => return None,
    };
    (failure.kind == FailureKind::PermissionDenied).then(|| (path.clone(), failure.message.clone()))
}

enum Look {
    There,
    Absent,
    Unknown,
}

fn look(node: Gathered<'_>, name: &str) -> Look {
    let ask = look_for(name);
    let piece = node.0.iter().find(|piece| piece.ask == ask);
    match piece.map(|piece| &piece.captured) {
        Some(Captured::Found(_) | Captured::Stat { .. }) => Look::There,
        Some(Captured::Failed(failure)) if failure.kind == FailureKind::NotFound => Look::Absent,
        _ => Look::Unknown,
    }
}

fn programs_there(patient: &Patient<'_>, pieces: &[&Evidence]) -> Vec<String> {
    let all: BTreeSet<String> =
        patient.asked().flat_map(|check| patient.programs(check)).flatten().collect();
    let node = Gathered(pieces);
    all.into_iter().filter(|name| matches!(look(node, name), Look::There)).collect()
}

/// Collects lacks by what is missing.
#[derive(Default)]
struct Ledger {
    found: BTreeMap<String, Need>,
    entries: usize,
}

impl Ledger {
    fn add(
        &mut self,
        check: &str,
        what: &str,
        why: &str,
        (promised, known): (bool, bool),
        remedy: String,
    ) {
        self.entries += 1;
        let need = self.found.entry(what.to_owned()).or_insert_with(|| Need {
            what: what.to_owned(),
            why: why.to_owned(),
            promised,
            known,
            remedy,
            checks: Vec::new(),
        });
        if !need.checks.iter().any(|known| known == check) {
            need.checks.push(check.to_owned());
        }
    }

    /// Returns what is promised first, then what costs the most checks.
    fn sorted(self) -> Vec<Need> {
        let mut all: Vec<Need> = self.found.into_values().collect();
        all.sort_by(|a, b| {
            (b.promised, b.checks.len(), &a.what).cmp(&(a.promised, a.checks.len(), &b.what))
        });
        all
    }
}
