//! Applies waivers: a known failure is excused until a day, on the hardware that was meant, and never
//! longer. Nothing but a failure is excused: what was not answered is not known.

use crate::{
    finding::{Finding, FindingCode},
    outcome::Outcome,
    run::RunNode,
    verdict::{Verdict, WaiverNote},
    waiver::Waiver,
};

/// Returns the waiver that would excuse a failure of a check on a day.
pub fn excuse_of<'n>(node: &'n RunNode, check: &str, today: &str) -> Option<&'n Waiver> {
    here(node, check).filter(|waiver| waiver.holds_on(today))
}

/// Returns the waiver of a check that is about this machine; of several, the one that holds longest.
fn here<'n>(node: &'n RunNode, check: &str) -> Option<&'n Waiver> {
    let met = of(node, check).filter(|waiver| waiver.meets(&node.fingerprint).is_ok());
    met.max_by(|one, other| one.expires.cmp(&other.expires))
}

fn of<'n>(node: &'n RunNode, check: &str) -> impl Iterator<Item = &'n Waiver> {
    node.file.waivers.iter().filter(move |waiver| waiver.check == check)
}

/// Applies waivers to verdicts; `today` is the day of the run's start, as `YYYY-MM-DD`.
pub(super) fn excuse(verdicts: &mut [Verdict], nodes: &[RunNode], today: &str) {
    for verdict in verdicts {
        let Some(node) = nodes.iter().find(|node| node.file.name == verdict.key.node) else {
            continue;
        };
        match here(node, &verdict.key.check) {
            Some(waiver) => apply(verdict, waiver, today),
            None if verdict.outcome == Outcome::Fail => {
                let check = verdict.key.check.clone();
                for waiver in of(node, &check) {
                    withhold(verdict, node, waiver, today);
                }
            }
            None => {}
        }
    }
}

fn apply(verdict: &mut Verdict, waiver: &Waiver, today: &str) {
    let valid = waiver.holds_on(today);
    verdict.waiver = Some(note(waiver, today, valid));
    let Waiver { owner, expires, reason, .. } = waiver;
    match verdict.outcome {
        Outcome::Fail if valid => {
            let scope = waiver.scope().map(|scope| format!(", where {scope}")).unwrap_or_default();
            let left = left(waiver, today);
            let message = format!("waived by {owner} until {expires}{left}{scope}: {reason}");
            verdict.findings.push(finding(FindingCode::Waived, waiver, message));
        }
        Outcome::Fail => {
            let message = format!("the waiver of {owner} expired on {expires}: {reason}");
            verdict.findings.push(finding(FindingCode::WaiverExpired, waiver, message));
        }
        Outcome::Pass if waiver.strict => {
            let message =
                format!("passes although the strict waiver of {owner} says that it fails");
            verdict.findings.insert(0, finding(FindingCode::WaiverUnneeded, waiver, message));
            verdict.outcome = Outcome::Fail;
            verdict.decided_by = Some(FindingCode::WaiverUnneeded);
            // A strict waiver never excuses the failure that it causes.
            if let Some(note) = &mut verdict.waiver {
                note.valid = false;
            }
        }
        Outcome::Pass => {
            let message =
                format!("passes again: the waiver of {owner}{} is not needed", place(waiver));
            verdict.findings.push(finding(FindingCode::RemoveWaiver, waiver, message));
        }
        Outcome::Error | Outcome::Skip | Outcome::Unjudged | Outcome::Blocked => {}
    }
}

/// Says why a waiver does not excuse a failure: it is about other hardware.
fn withhold(verdict: &mut Verdict, node: &RunNode, waiver: &Waiver, today: &str) {
    let Err(why) = waiver.meets(&node.fingerprint) else { return };
    let (owner, place) = (&waiver.owner, place(waiver));
    let message = format!("the waiver of {owner}{place} does not apply: {why}");
    let said = WaiverNote { misses: Some(why), ..note(waiver, today, false) };
    verdict.waiver.get_or_insert(said);
    verdict.findings.push(finding(FindingCode::WaiverElsewhere, waiver, message));
}

fn note(waiver: &Waiver, today: &str, valid: bool) -> WaiverNote {
    WaiverNote {
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        expires: waiver.expires.clone(),
        days_left: waiver.days_left(today),
        only: waiver.only.clone(),
        valid,
        misses: None,
        location: waiver.location.clone(),
    }
}

fn finding(code: FindingCode, waiver: &Waiver, message: String) -> Finding {
    Finding { location: waiver.location.clone(), ..Finding::new(code, message) }
}

fn left(waiver: &Waiver, today: &str) -> String {
    match waiver.days_left(today) {
        Some(0) => ", its last day".to_owned(),
        Some(1) => ", 1 day left".to_owned(),
        Some(days) => format!(", {days} days left"),
        None => String::new(),
    }
}

fn place(waiver: &Waiver) -> String {
    let location = waiver.location.as_ref();
    location.map(|at| format!(" ({}:{})", at.file, at.line)).unwrap_or_default()
}
