//! Says in findings how comparisons came out, and what that makes of the outcome.
//!
//! A comparison changes an outcome only where the check was answered: it makes a pass of a check a
//! failure or unjudged, never an error or a disturbed answer anything else.

use crate::{
    comparison::{Comparison, Standing},
    finding::{Finding, FindingCode, Severity},
    judge::decided_by,
    outcome::Outcome,
    verdict::{Role, Verdict},
};

/// Writes what is said of every comparison of a verdict; what was said before is taken back.
pub(super) fn write(verdict: &mut Verdict) {
    if verdict.comparisons.is_empty() {
        return;
    }
    let comparisons = std::mem::take(&mut verdict.comparisons);
    verdict.findings.retain(|finding| !finding.compares);
    for comparison in &comparisons {
        verdict.findings.extend(findings(comparison));
        let role = if comparison.demanded { Role::Expect } else { Role::Advise };
        let own = |r: &&mut crate::verdict::Reading| r.role == role && r.field == comparison.field;
        if let Some(reading) = verdict.readings.iter_mut().find(own)
            && !missed_otherwise(&verdict.findings, &comparison.field)
        {
            reading.held = match comparison.standing {
                Standing::Same | Standing::Improved => Some(true),
                Standing::Regressed => Some(false),
                Standing::Possible | Standing::Inconclusive => None,
            };
        }
    }
    verdict.comparisons = comparisons;
    verdict.findings.sort_by_key(|f| f.severity);
    if matches!(verdict.outcome, Outcome::Pass | Outcome::Fail | Outcome::Error | Outcome::Unjudged)
    {
        verdict.outcome = outcome(&verdict.findings);
        verdict.decided_by = decided_by(verdict);
    }
}

fn missed_otherwise(findings: &[Finding], field: &str) -> bool {
    let grave = |f: &&Finding| f.severity <= Severity::Advice && !f.compares;
    findings.iter().filter(grave).any(|f| f.field.as_deref() == Some(field))
}

/// Decides an outcome that comparisons have a part in, from the findings alone.
fn outcome(findings: &[Finding]) -> Outcome {
    let has = |severity| findings.iter().any(|f| f.severity == severity);
    if has(Severity::Failure) {
        Outcome::Fail
    } else if has(Severity::Error) {
        Outcome::Error
    } else if has(Severity::Unjudged) {
        Outcome::Unjudged
    } else {
        Outcome::Pass
    }
}

fn findings(comparison: &Comparison) -> Vec<Finding> {
    let code = match comparison.standing {
        Standing::Same => None,
        Standing::Improved => Some(FindingCode::Improved),
        Standing::Regressed => Some(FindingCode::OffBaseline),
        Standing::Possible => Some(FindingCode::PossibleRegression),
        Standing::Inconclusive => Some(FindingCode::Inconclusive),
    };
    let code = code.map(|code| match (comparison.demanded, code.row().severity) {
        (false, Severity::Failure) => FindingCode::AdviceMissed,
        (false, Severity::Unjudged) => FindingCode::AdviceUnanswered,
        _ => code,
    });
    let mut found: Vec<Finding> =
        code.map(|code| finding(comparison, code, comparison.sentence())).into_iter().collect();
    let is_harmless = matches!(comparison.standing, Standing::Same | Standing::Improved);
    if is_harmless && !comparison.changed.is_empty() {
        let message = format!("no loss of `{}` by it: {}", comparison.field, comparison.causes());
        found.push(finding(comparison, FindingCode::MachineChanged, message));
    }
    found
}

fn finding(comparison: &Comparison, code: FindingCode, message: String) -> Finding {
    let mut finding = Finding::new(code, message);
    finding.compares = true;
    finding.field = Some(comparison.field.clone());
    let Some(about) = comparison.about() else { return finding };
    finding.location = Some(about.location.clone());
    finding.source.clone_from(&about.source);
    finding.evidence.clone_from(&about.evidence);
    if finding.severity <= Severity::Unjudged {
        finding.expected = Some(match comparison.then {
            Some(then) => format!("{} {then}", about.demand),
            None => about.demand.clone(),
        });
        finding.observed = comparison.now.map(|now| now.to_string());
    }
    if code == FindingCode::OffBaseline && !about.fix.is_empty() {
        finding.next = format!("{} {}", about.fix, code.row().next);
    }
    finding
}
