//! Planned checks as libtest sees them: names, and which are ignored before anything is asked.
//!
//! nextest lists first and takes whatever is ignored only while it runs for a pass. So all that
//! facts, files and permissions say before the run is said by the flag, not by the answer.

pub(crate) mod answer;
pub(crate) mod asking;
pub(crate) mod page;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use verify_engine::{
    plan::Step,
    session::{Prepared, PreparedNode},
};
use verify_model::{
    effect::Effect,
    judge::judge,
    outcome::Outcome,
    settle::excuse_of,
    verdict::{Answer, CheckKey},
};

/// Begins the names of checks that load or change a node, so that nextest can run them alone.
const LOAD: &str = "load::";

/// Holds one planned check as libtest sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Name of the trial.
    pub(crate) name: String,
    /// The check.
    pub(crate) key: CheckKey,
    /// Why it is ignored from the start.
    pub(crate) ignored: Option<String>,
}

/// Lists a trial for each planned check, in the order of the plan; `excused` is the day of the run
/// where what a valid waiver excuses is ignored, too.
///
/// *Errors*: two checks of the same name, which runners would take for one.
pub(crate) fn plan(prepared: &Prepared, excused: Option<&str>) -> anyhow::Result<Vec<Planned>> {
    let several = prepared.nodes.len() > 1;
    let mut planned = Vec::new();
    let mut names = BTreeSet::new();
    for node in &prepared.nodes {
        let ignored = ignored(node, excused);
        for step in &node.steps {
            let key = CheckKey::new(&node.node.file.name, &step.check.id);
            let name = name(&key, step.check.effect, several);
            if !names.insert(name.clone()) {
                bail!("two checks are called `{name}`; rename one of them");
            }
            let ignored = ignored.get(step.check.id.as_str()).cloned();
            planned.push(Planned { name, key, ignored });
        }
    }
    Ok(planned)
}

fn name(key: &CheckKey, effect: Effect, several: bool) -> String {
    let load = if effect == Effect::Reads { "" } else { LOAD };
    let node = if several { format!("{}::", key.node) } else { String::new() };
    format!("{load}{node}{}", key.check)
}

/// Says why checks of a node are ignored from the start.
fn ignored<'n>(node: &'n PreparedNode, excused: Option<&str>) -> BTreeMap<&'n str, String> {
    let mut ignored: BTreeMap<&str, String> = BTreeMap::new();
    let mut unasked: BTreeSet<&str> = BTreeSet::new();
    let waived = |step: &Step, today: &str| {
        excuse_of(&node.node, &step.check.id, today)
            .map(|w| format!("waived: excused by {} until {}: {}", w.owner, w.expires, w.reason))
    };
    // A check stands behind what it is after, so one pass sees whole chains.
    for step in &node.steps {
        let id = step.check.id.as_str();
        let above = step.check.after.iter().find(|above| unasked.contains(above.as_str()));
        let skip = match (&step.left_out, above) {
            (Some(answer), _) => {
                let verdict = judge(&node.node.file.name, &step.check, answer, &[]);
                let why = || verdict.findings.first().map(|f| f.message.clone());
                (verdict.outcome == Outcome::Skip).then(|| why().unwrap_or_default())
            }
            (None, Some(above)) => Some(format!("waits for {above}, which is not asked")),
            (None, None) => None,
        };
        if let Some(why) = skip {
            unasked.insert(id);
            ignored.insert(id, format!("{}: {why}", Outcome::Skip));
        } else if let Some(why) = excused.and_then(|today| waived(step, today)) {
            ignored.insert(id, why);
        }
    }
    ignored
}

/// Tells whether the answer depends on what the check is after: not where it is left out, except for
/// a broken promise, which stands behind the failure that explains it.
fn waits(step: &Step) -> bool {
    matches!(&step.left_out, None | Some(Answer::NeedAbsent { expected: true, .. }))
}

/// Keeps the steps that are wanted, and what they are after.
pub(crate) fn narrow(prepared: &mut Prepared, wanted: &BTreeSet<CheckKey>) {
    for node in &mut prepared.nodes {
        let mut kept: BTreeSet<String> = BTreeSet::new();
        for step in node.steps.iter().rev() {
            let key = CheckKey::new(&node.node.file.name, &step.check.id);
            if kept.contains(&step.check.id) || wanted.contains(&key) {
                kept.insert(step.check.id.clone());
                if waits(step) {
                    kept.extend(step.check.after.iter().cloned());
                }
            }
        }
        node.steps.retain(|step| kept.contains(&step.check.id));
    }
    prepared.nodes.retain(|node| !node.steps.is_empty());
    let nodes = &prepared.nodes;
    let used = |name: &str| nodes.iter().any(|n| n.steps.iter().any(|s| s.check.suite == name));
    prepared.suites.retain(|suite| used(&suite.name));
}
