//! Answers one check from its attempts and baselines. Pure: same input, same verdict.
//!
//! Order of weight within a check: a missed demand (Fail) over an unread one (Error) over an
//! unjudged one. Repeats combine by the median run for metrics; a fact must hold in every repeat.
//! Nothing missing passes: an absent value fails, an unreadable one is an error, and a check that
//! read nothing cannot pass at all.

use crate::{
    baseline::Baseline,
    check::Check,
    comparison::exact,
    expectation::{self, Asked, Judged, Seen},
    finding::{Finding, FindingCode, Severity},
    number_of,
    observation::{Attempt, Observation},
    outcome::Outcome,
    settle,
    verdict::{Answer, CheckKey, Role, Verdict},
};

/// Judges one check on one node.
pub fn judge(node: &str, check: &Check, answer: &Answer, baselines: &[Baseline]) -> Verdict {
    let mut verdict = blank(node, check);
    match answer {
        Answer::Attempted(attempts) => judge_attempts(&mut verdict, check, attempts, baselines),
        Answer::NeedAbsent { capability, detail, expected, known } => {
            let (outcome, code) = match (expected, known) {
                (true, true) => (Outcome::Fail, FindingCode::ExpectedCapabilityMissing),
                (false, true) => (Outcome::Skip, FindingCode::NeedAbsent),
                (_, false) => (Outcome::Error, FindingCode::CapabilityUnknown),
            };
            let mut finding = Finding::new(code, format!("needs `{capability}`: {detail}"));
            if *expected {
                finding.expected =
                    Some(format!("`{capability}`, listed under `has` of node {node}"));
            }
            add_fix(&mut finding, check);
            verdict.findings.push(finding);
            verdict.outcome = outcome;
        }
        Answer::Blocked { by, outcome } => {
            verdict.outcome = Outcome::Blocked;
            verdict.blocked_by = Some(by.clone());
            let message = format!("waits for {by}, which gave {outcome}");
            verdict.findings.push(Finding::new(FindingCode::Blocked, message));
        }
        Answer::LeftOut { code, message } => {
            verdict.outcome = Outcome::Skip;
            verdict.findings.push(Finding::new(*code, message.clone()));
        }
        Answer::Unreachable { code, message } => error(&mut verdict, *code, message),
        Answer::Interrupted => {
            error(&mut verdict, FindingCode::Interrupted, "interrupted before it was answered");
        }
        Answer::NotReached => {
            error(&mut verdict, FindingCode::NotReached, "the record ends before it was answered");
        }
    }
    verdict.decided_by = decided_by(&verdict);
    // As if there were no others: a run decides again when it has everything.
    settle::decide(std::slice::from_mut(&mut verdict), settle::Looks::Once);
    verdict
}

/// Builds the verdict of a check that was not judged yet.
pub(crate) fn blank(node: &str, check: &Check) -> Verdict {
    Verdict {
        key: CheckKey::new(node, &check.id),
        outcome: Outcome::Error,
        decided_by: None,
        findings: Vec::new(),
        readings: Vec::new(),
        comparisons: Vec::new(),
        attempts: 0,
        elapsed_us: 0,
        blocked_by: None,
        waiver: None,
        recorded_only: check.only_records(),
    }
}

fn error(verdict: &mut Verdict, code: FindingCode, message: &str) {
    verdict.outcome = Outcome::Error;
    verdict.findings.push(Finding::new(code, message));
}

/// Finds the code that decided the outcome: the first of the severity that the outcome stands for.
pub(crate) fn decided_by(verdict: &Verdict) -> Option<FindingCode> {
    let severity = match verdict.outcome {
        Outcome::Pass => return None,
        Outcome::Fail => Severity::Failure,
        Outcome::Error => Severity::Error,
        Outcome::Unjudged => Severity::Unjudged,
        Outcome::Skip | Outcome::Blocked => Severity::Note,
    };
    // That there is no baseline yet is the least of what keeps an answer from being judged.
    let all = || verdict.findings.iter().filter(|f| f.severity == severity);
    all().find(|f| f.code != FindingCode::NoBaseline).or_else(|| all().next()).map(|f| f.code)
}

fn judge_attempts(
    verdict: &mut Verdict,
    check: &Check,
    attempts: &[Attempt],
    baselines: &[Baseline],
) {
    verdict.attempts = attempts.len();
    verdict.elapsed_us = attempts.iter().fold(0, |sum: u64, a| sum.saturating_add(a.elapsed_us));
    let (finals, left_out) = that_count(final_attempts(attempts));
    if finals.is_empty() {
        return error(verdict, FindingCode::NotReached, "no attempt was recorded");
    }
    // What is a fact is one in a disturbed repeat, too.
    let disturbed: Vec<_> = left_out.iter().filter_map(|a| a.result.as_ref().ok()).collect();
    let observations = observed(verdict, check, &finals);
    let answered = observations.len() == finals.len();
    if !observations.is_empty() {
        let all: Vec<&Observation> = observations.iter().copied().chain(disturbed).collect();
        let seen = Seen { counting: &observations, all: &all };
        read_fields(verdict, check, seen, baselines);
    }
    for attempt in &finals {
        if let Some(why) = &attempt.disturbed {
            verdict.findings.push(Finding::new(FindingCode::ConditionsNotHeld, why.clone()));
        }
    }
    if let Some(by) = observations.iter().find_map(|o| o.simulated.as_deref()) {
        let message = format!("answered by {by}");
        verdict.findings.push(Finding::new(FindingCode::Simulated, message));
    }
    if let Some(why) = left_out.iter().find_map(|attempt| spoilt(attempt)) {
        let message = format!(
            "{} of {} repeats do not count: {why}",
            left_out.len(),
            left_out.len() + finals.len()
        );
        verdict.findings.push(Finding::new(FindingCode::RepeatsLeftOut, message));
    }
    for comparison in &mut verdict.comparisons {
        comparison.gated = left_out.len();
    }
    let tried_again = attempts.iter().filter(|a| a.result.is_err()).count();
    if answered && tried_again > 0 {
        let message = format!("answered after {}", number_of(tried_again, "failed attempt"));
        verdict.findings.push(Finding::new(FindingCode::Flaky, message));
    }
    let evidence: Vec<_> = finals.iter().flat_map(|a| a.evidence.iter().copied()).collect();
    for finding in &mut verdict.findings {
        if finding.evidence.is_empty() && finding.severity <= Severity::Unjudged {
            finding.evidence.clone_from(&evidence);
        }
    }
    for sides in verdict.comparisons.iter_mut().filter_map(|c| c.sides.as_mut()) {
        sides.about.evidence.clone_from(&evidence);
    }
    verdict.findings.sort_by_key(|f| f.severity);
    verdict.outcome = settle_outcome(verdict, &finals);
    if !answered || finals.iter().any(|attempt| attempt.disturbed.is_some()) {
        verdict.comparisons.clear();
    }
}

/// Returns what attempts saw, and says why the others saw nothing; what several say is said once.
fn observed<'a>(
    verdict: &mut Verdict,
    check: &Check,
    finals: &[&'a Attempt],
) -> Vec<&'a Observation> {
    let mut observations = Vec::new();
    for attempt in finals {
        let failed = match &attempt.result {
            Ok(observation) => {
                observations.push(observation);
                continue;
            }
            Err(failed) => failed,
        };
        let same = |f: &&mut Finding| f.code == failed.code && f.message == failed.message;
        if let Some(known) = verdict.findings.iter_mut().find(same) {
            known.evidence.extend(&attempt.evidence);
            continue;
        }
        let mut finding = Finding::new(failed.code, failed.message.clone());
        finding.evidence.clone_from(&attempt.evidence);
        if failed.code.row().severity == Severity::Failure {
            add_fix(&mut finding, check);
        }
        verdict.findings.push(finding);
    }
    observations
}

/// Returns the attempts that count, and those that do not: up to a third may have been disturbed.
///
/// *Source*: beyond a third of a side nothing is concluded (`runners/model/STATISTICS.md`).
fn that_count(finals: Vec<&Attempt>) -> (Vec<&Attempt>, Vec<&Attempt>) {
    let disturbed = finals.iter().filter(|attempt| spoilt(attempt).is_some()).count();
    if disturbed * 3 > finals.len() {
        return (finals, Vec::new());
    }
    finals.into_iter().partition(|attempt| spoilt(attempt).is_none())
}

/// Says why the conditions of an attempt did not hold, whoever noticed; one that gave an error gave one,
/// whatever else ran.
fn spoilt(attempt: &Attempt) -> Option<&str> {
    match &attempt.result {
        Ok(_) => attempt.disturbed.as_deref(),
        Err(error) if error.code == FindingCode::ConditionsNotHeld => Some(error.message.as_str()),
        Err(_) => None,
    }
}

/// Decides the outcome from the findings alone.
///
/// A disturbed measurement is not judged, even where a limit was missed or held: the number says
/// nothing about the node.
fn settle_outcome(verdict: &mut Verdict, finals: &[&Attempt]) -> Outcome {
    let has = |severity| verdict.findings.iter().any(|f| f.severity == severity);
    let disturbed = finals.iter().any(|a| a.disturbed.is_some());
    let outcome = if has(Severity::Error) && finals.iter().any(|a| a.result.is_err()) {
        Outcome::Error
    } else if disturbed {
        Outcome::Unjudged
    } else if has(Severity::Failure) {
        Outcome::Fail
    } else if has(Severity::Error) {
        Outcome::Error
    } else if has(Severity::Unjudged) {
        Outcome::Unjudged
    } else if finals.iter().all(|a| a.result.is_ok())
        && verdict.readings.iter().any(|r| r.role != Role::Advise)
    {
        Outcome::Pass
    } else {
        Outcome::Error
    };
    if outcome == Outcome::Error && !has(Severity::Error) {
        verdict.findings.push(Finding::new(FindingCode::NotCaptured, "the check read no field"));
    }
    if outcome == Outcome::Unjudged && disturbed {
        // The readings stay, but no limit was judged by them.
        for reading in &mut verdict.readings {
            reading.held = None;
        }
        verdict.findings.retain(|f| f.severity != Severity::Failure);
        verdict.findings.sort_by_key(|f| f.code != FindingCode::ConditionsNotHeld);
    }
    outcome
}

/// Returns the last try of each repeat, in the order of repeats.
pub fn final_attempts(attempts: &[Attempt]) -> Vec<&Attempt> {
    let mut finals: Vec<&Attempt> = Vec::new();
    for attempt in attempts {
        match finals.iter_mut().find(|a| a.repeat == attempt.repeat) {
            Some(last) if last.r#try <= attempt.r#try => *last = attempt,
            Some(_) => {}
            None => finals.push(attempt),
        }
    }
    finals.sort_by_key(|a| a.repeat);
    finals
}

fn read_fields(verdict: &mut Verdict, check: &Check, seen: Seen<'_>, baselines: &[Baseline]) {
    let key = verdict.key.clone();
    let roles = [(Role::Expect, &check.expect), (Role::Advise, &check.advise)];
    for (role, expectations) in roles {
        for expectation in expectations {
            let asked = Asked { key: &key, baselines, seen };
            let judged = expectation::judge_field(expectation, role, asked);
            absorb(verdict, check, judged);
        }
    }
    for field in &check.record {
        let baseline = baselines.iter().find(|b| b.key == key && b.field == *field);
        let mut judged = record_field(field, check.only_records(), seen.of(field));
        for reading in &mut judged.readings {
            reading.baseline = exact::comparable(baseline);
        }
        absorb(verdict, check, judged);
    }
}

fn absorb(verdict: &mut Verdict, check: &Check, judged: Judged) {
    for mut finding in judged.findings {
        if finding.severity == Severity::Failure {
            add_fix(&mut finding, check);
        }
        if finding.source.is_none()
            && finding.severity <= Severity::Advice
            && !check.source.is_empty()
        {
            finding.source = Some(check.source.clone());
        }
        verdict.findings.push(finding);
    }
    verdict.readings.extend(judged.readings);
    for mut comparison in judged.comparisons {
        if let Some(sides) = &mut comparison.sides {
            sides.about.fix.clone_from(&check.fix);
            let source = || Some(check.source.clone()).filter(|source| !source.is_empty());
            sides.about.source = sides.about.source.take().or_else(source);
        }
        verdict.comparisons.push(comparison);
    }
}

/// Lets the check's own advice replace the catalogue's where the node is at fault.
fn add_fix(finding: &mut Finding, check: &Check) {
    let Some(fix) = Some(&check.fix).filter(|fix| !fix.is_empty()) else { return };
    match finding.code {
        FindingCode::ExpectationMissed | FindingCode::ValueAbsent => finding.next.clone_from(fix),
        FindingCode::OffBaseline => finding.next = format!("{fix} {}", finding.code.row().next),
        // Both stand: the check knows its own cause, and the node file may promise too much.
        FindingCode::ExpectedCapabilityMissing => {
            finding.next = format!(
                "{fix} If the node need not have it, take it out of `has` in the node file."
            );
        }
        _ => {}
    }
}

fn record_field(field: &str, alone: bool, seen: &[&Observation]) -> Judged {
    let value = expectation::combine(field, seen);
    let mut judged = Judged::default();
    if !value.is_present() || value.unreadable().is_some() {
        let code = if alone { FindingCode::NotCaptured } else { FindingCode::AdviceUnanswered };
        let mut finding = Finding::new(code, format!("`{field}` to record is {value}"));
        finding.field = Some(field.to_owned());
        judged.findings.push(finding);
    }
    judged.readings.push(expectation::reading(field, Role::Record, None, &value, seen));
    judged
}
