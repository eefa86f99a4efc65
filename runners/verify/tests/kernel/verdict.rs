//! What a record says of each check, and whether that is what a fixture demands.
//!
//! The record is read here as JSON and not by our own reader, as anybody else would.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use crate::machine::Sent;

/// Demands of one check what is no pass: id, outcome, and words of one of its findings. A check may
/// stand more than once, each time with other words.
pub(crate) type Demand = (&'static str, &'static str, &'static str);

/// Demands that nothing was asked, and why.
///
/// *Errors*: another exit code, a record, or other words.
pub(crate) fn refused(sent: &Sent, exit: i32, words: &str) -> Result<(), String> {
    if sent.exit == exit && sent.record.is_empty() && sent.printed.contains(words) {
        return Ok(());
    }
    let given = sent.exit;
    Err(format!("exit {exit} and `{words}` demanded, {given} given\n--- printed\n{}", sent.printed))
}

/// Compares all that a machine sent with what is demanded; what is not named must be a pass.
///
/// *Errors*: every difference, and the page that `verify` printed.
pub(crate) fn compare(sent: &Sent, checks: &[&str], demands: &[Demand]) -> Result<(), String> {
    let wrong = differences(sent, checks, demands);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("{}\n--- printed\n{}", wrong.join("\n"), sent.printed))
}

fn differences(sent: &Sent, checks: &[&str], demands: &[Demand]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut verdicts = BTreeMap::new();
    let mut finished = None;
    for line in sent.record.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            wrong.push(format!("no JSON: {line}"));
            continue;
        };
        match event["event"].as_str() {
            Some("verdict") => {
                let check = event["key"]["check"].as_str().unwrap_or_default().to_owned();
                if verdicts.insert(check.clone(), event).is_some() {
                    wrong.push(format!("{check} has two verdicts"));
                }
            }
            Some("finished") => finished = event["exit"].as_i64(),
            _ => {}
        }
    }
    let red = |outcome: &str| demands.iter().any(|(_, demanded, _)| *demanded == outcome);
    // Only what a baseline is missing for leaves 0 unjudged.
    let unjudged =
        |(_, outcome, words): &Demand| *outcome == "unjudged" && !words.contains("no baseline");
    let error = red("error") || demands.iter().any(unjudged);
    let exit = if red("fail") { 1 } else { 3 * i32::from(error) };
    if sent.exit != exit || finished != Some(i64::from(exit)) {
        let (said, recorded) = (sent.exit, finished);
        wrong.push(format!("exit {exit} demanded, {said} given, {recorded:?} recorded"));
    }
    for check in checks {
        let mut demands: Vec<_> = demands.iter().filter(|(id, ..)| id == check).copied().collect();
        if demands.is_empty() {
            demands.push((check, "pass", ""));
        }
        let Some(verdict) = verdicts.remove(*check) else {
            wrong.push(format!("{check} has no verdict"));
            continue;
        };
        let findings = findings(&verdict);
        for (_, outcome, words) in demands {
            let said = words.is_empty() || findings.iter().any(|finding| finding.contains(words));
            if verdict["outcome"].as_str() != Some(outcome) || !said {
                let mut line = format!("{check}: {outcome} with `{words}` demanded, it is ");
                let _ = write!(line, "{} with {findings:#?}", verdict["outcome"]);
                wrong.push(line);
            }
        }
    }
    wrong.extend(verdicts.keys().map(|check| format!("{check} was not chosen and has a verdict")));
    let unknown = demands.iter().filter(|(id, ..)| !checks.contains(id));
    wrong.extend(unknown.map(|(id, ..)| format!("{id} is demanded and not chosen")));
    wrong
}

/// Gives each finding as its sentence and what was observed.
fn findings(verdict: &Value) -> Vec<String> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let all = verdict["findings"].as_array().into_iter().flatten();
    all.map(|one| format!("{}; observed {}", text(one, "message"), text(one, "observed"))).collect()
}

/// Shows that each difference is found.
///
/// *Errors*: one is not.
pub(crate) fn find_each_difference() -> Result<(), String> {
    const FAILED: &str = concat!(
        r#"{"event":"verdict","key":{"check":"a/b"},"outcome":"fail","#,
        r#""findings":[{"message":"`c` is 1","observed":"1"}]}"#,
        "\n"
    );
    let sent = |exit: i32, verdicts: &str| Sent {
        exit,
        up_s: 1.0,
        record: format!("{verdicts}{{\"event\":\"finished\",\"exit\":{exit}}}"),
        printed: String::new(),
    };
    let demand = [("a/b", "fail", "`c` is 1")];
    compare(&sent(1, FAILED), &["a/b"], &demand)?;
    let wrong = [
        ("a fail where a pass is demanded", compare(&sent(1, FAILED), &["a/b"], &[])),
        ("another reason", compare(&sent(1, FAILED), &["a/b"], &[("a/b", "fail", "`d` is 1")])),
        ("another outcome", compare(&sent(1, FAILED), &["a/b"], &[("a/b", "error", "`c` is 1")])),
        ("another exit code", compare(&sent(0, FAILED), &["a/b"], &demand)),
        ("no verdict", compare(&sent(1, ""), &["a/b"], &demand)),
        ("two verdicts", compare(&sent(1, &FAILED.repeat(2)), &["a/b"], &demand)),
        ("a check that nobody chose", compare(&sent(1, FAILED), &[], &[])),
        ("a demand on what nobody chose", compare(&sent(1, ""), &[], &demand)),
        ("a line that is cut", compare(&sent(1, &format!("{FAILED}{{\n")), &["a/b"], &demand)),
    ];
    let missed = wrong.into_iter().find(|(_, result)| result.is_ok());
    missed.map_or(Ok(()), |(what, _)| Err(format!("{what} is not found")))
}
