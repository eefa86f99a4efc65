//! Applies waivers: a known failure is excused until a day, and never longer.

use crate::{
    finding::{Finding, FindingCode},
    outcome::Outcome,
    verdict::{Verdict, WaiverNote},
    waiver::Waiver,
};

/// Applies waivers to verdicts; `today` is the day of the run's start, as `YYYY-MM-DD`.
pub(super) fn excuse(verdicts: &mut [Verdict], waivers: &[Waiver], today: &str) {
    for verdict in verdicts {
        let found =
            waivers.iter().find(|w| w.node == verdict.key.node && w.check == verdict.key.check);
        if let Some(waiver) = found {
            apply(verdict, waiver, today);
        }
    }
}

fn apply(verdict: &mut Verdict, waiver: &Waiver, today: &str) {
    // Days as `YYYY-MM-DD` compare as texts; the loader accepts no other spelling.
    let valid = waiver.expires.as_str() >= today;
    verdict.waiver = Some(WaiverNote {
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        expires: waiver.expires.clone(),
        valid,
    });
    match verdict.outcome {
        Outcome::Fail if valid => {
            let message =
                format!("waived by {} until {}: {}", waiver.owner, waiver.expires, waiver.reason);
            verdict.findings.push(Finding::new(FindingCode::Waived, message));
        }
        Outcome::Fail => {
            let message = format!(
                "the waiver of {} expired on {}: {}",
                waiver.owner, waiver.expires, waiver.reason
            );
            verdict.findings.push(Finding::new(FindingCode::WaiverExpired, message));
        }
        Outcome::Pass if waiver.strict => {
            let message =
                format!("passes although the strict waiver of {} says that it fails", waiver.owner);
            verdict.findings.insert(0, Finding::new(FindingCode::WaiverUnneeded, message));
            verdict.outcome = Outcome::Fail;
            verdict.decided_by = Some(FindingCode::WaiverUnneeded);
            // A strict waiver never excuses the failure that it causes.
            if let Some(note) = &mut verdict.waiver {
                note.valid = false;
            }
        }
        Outcome::Pass => {
            let message = format!("passes again: the waiver of {} is not needed", waiver.owner);
            verdict.findings.push(Finding::new(FindingCode::RemoveWaiver, message));
        }
        Outcome::Error | Outcome::Skip | Outcome::Unjudged | Outcome::Blocked => {}
    }
}
