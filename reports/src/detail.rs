//! What is said about one check, as labelled lines: the words that all formats for people share.
//!
//! Texts may be raw here; the format that prints them cleans them. Where own words follow text of a
//! node in one line, that text is clean: a sequence that it leaves open would swallow the words.

use verify_model::{
    check::Location,
    comparison::Comparison,
    evidence::{Captured, Evidence, Stream},
    exit::Situation,
    finding::{Finding, FindingCode, Severity},
    outcome::Outcome,
    run::{Run, RunCheck},
    verdict::{Reading, Role, Verdict},
};

use crate::{clean::clean, sentence::situation_of};

/// Bounds how many pieces of evidence are named for one check.
const EVIDENCE_SHOWN: usize = 3;

/// Holds one labelled line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What it says, one word.
    pub(crate) label: &'static str,
    /// The text, not yet cleaned.
    pub(crate) text: String,
}

impl Line {
    fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into() }
    }
}

/// Says in one line why a check has its outcome.
pub(crate) fn headline(run: &Run, check: &RunCheck) -> String {
    let verdict = &check.verdict;
    if situation_of(run, check) == Situation::Waived {
        let waived = verdict.findings.iter().find(|f| f.code == FindingCode::Waived);
        return waived.map_or_else(|| "waived".to_owned(), |f| f.message.clone());
    }
    glance(verdict)
}

/// Says in one line what decided a verdict, whether or not it is waived.
pub(crate) fn glance(verdict: &Verdict) -> String {
    verdict.main_finding().map_or_else(
        || verdict.outcome.name().to_owned(),
        |finding| match (&finding.expected, &finding.observed) {
            (Some(expected), Some(observed)) if is_plain(finding) => {
                let (expected, observed) = (clean(expected), clean(observed));
                format!("{}: {expected} expected, {observed} observed", field_of(finding))
            }
            _ => finding.message.clone(),
        },
    )
}

/// Says how the metrics of a check stand to their baselines: word, interval, evidence, what would have
/// been seen.
pub(crate) fn compared(check: &RunCheck) -> Vec<Line> {
    let comparisons = check.verdict.comparisons.iter();
    let lines = comparisons.flat_map(Comparison::lines);
    lines.map(|(label, text)| Line { label, text: clean(&text) }).collect()
}

/// Says everything about a check that did not simply pass: demand, answer, why, what next.
pub(crate) fn lines(run: &Run, check: &RunCheck) -> Vec<Line> {
    let grave = |f: &&Finding| f.severity <= Severity::Unjudged;
    let mut lines = Vec::new();
    for finding in check.verdict.findings.iter().filter(grave) {
        describe(&mut lines, finding);
    }
    if lines.is_empty() {
        return lines;
    }
    // Why it matters is no help where nothing is known to be wrong.
    let failed = check.verdict.outcome == Outcome::Fail
        && check.verdict.decided_by != Some(FindingCode::WaiverUnneeded);
    if failed && !check.planned.check.why.is_empty() {
        lines.push(Line::new("why", &check.planned.check.why));
    }
    for finding in check.verdict.findings.iter().filter(grave) {
        once(&mut lines, "next", next_of(run, check, finding));
    }
    for finding in check.verdict.findings.iter().filter(grave) {
        once(&mut lines, "source", finding.source.clone().unwrap_or_default());
    }
    let mut places: Vec<&Location> =
        check.verdict.findings.iter().filter(grave).filter_map(|f| f.location.as_ref()).collect();
    if places.is_empty() {
        places.push(&check.planned.check.location);
    }
    lines.push(Line::new("where", places_in_words(&places)));
    lines
}

/// Says what to do about a check, by its main finding; `None` where nothing is to be done.
pub(crate) fn next(run: &Run, check: &RunCheck) -> Option<String> {
    let main = check.verdict.main_finding()?;
    Some(next_of(run, check, main)).filter(|next| !next.is_empty())
}

/// Names places, several lines of one file together.
fn places_in_words(places: &[&Location]) -> String {
    let mut files: Vec<(&str, Vec<String>)> = Vec::new();
    for place in places {
        let line = place.line.to_string();
        match files.iter_mut().find(|(file, _)| *file == place.file) {
            Some((_, lines)) if lines.contains(&line) => {}
            Some((_, lines)) => lines.push(line),
            None => files.push((&place.file, vec![line])),
        }
    }
    let texts: Vec<String> =
        files.iter().map(|(file, lines)| format!("{file}:{}", lines.join(","))).collect();
    texts.join(", ")
}

/// Says what is advised, and how a waiver bears on the check.
pub(crate) fn remarks(run: &Run, check: &RunCheck) -> Vec<Line> {
    let mut lines = Vec::new();
    // Where the check itself gave no answer, its cause is said already.
    let mut unread: Vec<String> = Vec::new();
    let mut unrecorded: Vec<String> = Vec::new();
    let recorded = |field: &str| {
        check.verdict.readings.iter().any(|r| r.role == Role::Record && r.field == field)
    };
    let cause_said = check.verdict.outcome == Outcome::Error;
    for finding in &check.verdict.findings {
        let label = match (finding.code, finding.severity) {
            (FindingCode::AdviceUnanswered, _) if cause_said && finding.field.is_some() => {
                unread.extend(finding.field.iter().map(|field| format!("`{field}`")));
                continue;
            }
            (FindingCode::AdviceUnanswered, _)
                if finding.field.as_deref().is_some_and(recorded) =>
            {
                unrecorded.push(clean(&finding.message).replacen("to record is", "is", 1));
                continue;
            }
            (FindingCode::Waived, _) => "waived",
            (FindingCode::Flaky, _) => "flaky",
            (_, Severity::Advice) => "advice",
            _ => continue,
        };
        let message = &finding.message;
        let mut text = clean(message.strip_prefix("waived ").unwrap_or(message));
        if let Some(expected) = &finding.expected {
            text = format!("{text}; better: {}", clean(expected));
        }
        if finding.code != FindingCode::Waived {
            text = format!("{text}. {}", next_of(run, check, finding));
        }
        lines.push(Line::new(label, text));
    }
    if !unrecorded.is_empty() {
        lines.push(Line::new("advice", format!("not recorded: {}", unrecorded.join("; "))));
    }
    if !unread.is_empty() {
        lines.push(Line::new("advice", format!("nor could be read: {}", unread.join(", "))));
    }
    lines
}

/// Names the evidence of a check: what was asked and what came back, in a line each.
pub(crate) fn evidence(run: &Run, check: &RunCheck) -> Vec<Line> {
    let mut ids: Vec<u32> = Vec::new();
    for id in check.verdict.findings.iter().flat_map(|f| f.evidence.iter()) {
        if !ids.contains(id) {
            ids.push(*id);
        }
    }
    let found = ids.iter().filter_map(|id| run.evidence(*id)).take(EVIDENCE_SHOWN);
    found.map(|e| Line::new("evidence", captured(e))).collect()
}

/// Says one reading: `throughput 9.41 Gbit/s, expected at least 9.4 Gbit/s`.
pub(crate) fn reading(reading: &Reading) -> String {
    let mut text = format!("{} {}", clean(&reading.field), clean(&reading.observed));
    if let Some(expected) = reading.expected.as_deref().map(clean) {
        text = match reading.role {
            Role::Advise => format!("{text}, advised {expected}"),
            _ => format!("{text}, expected {expected}"),
        };
    }
    if let Some(baseline) = &reading.baseline {
        let named = text.ends_with("the baseline");
        text = if named {
            format!("{text} {baseline}")
        } else {
            format!("{text} (baseline {baseline})")
        };
    }
    if reading.samples > 1 {
        text = format!("{text}, {} samples", reading.samples);
    }
    text
}

/// Writes a duration as people say it.
pub(crate) fn duration(elapsed_us: u64) -> String {
    let (ms, tenths) = (elapsed_us / 1000, elapsed_us / 100_000);
    match ms {
        0 => format!("{elapsed_us} us"),
        1..=999 => format!("{ms} ms"),
        1000..=59_999 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} min {} s", ms / 60_000, ms / 1000 % 60),
    }
}

fn describe(lines: &mut Vec<Line>, finding: &Finding) {
    let label = match finding.severity {
        Severity::Failure => "failure",
        Severity::Error => "error",
        _ => "unjudged",
    };
    match (&finding.expected, &finding.observed) {
        (Some(expected), Some(observed)) if is_plain(finding) => {
            lines.push(Line::new("expected", format!("{}: {expected}", field_of(finding))));
            lines.push(Line::new("observed", observed));
        }
        (expected, observed) => {
            lines.push(Line::new(label, &finding.message));
            lines.extend(expected.as_ref().map(|text| Line::new("expected", text)));
            // A message that could not read the value has already said so.
            let said = |text: &&String| !finding.message.contains(text.as_str());
            if finding.severity == Severity::Failure {
                lines.extend(observed.as_ref().filter(said).map(|t| Line::new("observed", t)));
            }
        }
    }
}

/// Tells whether the message says no more than field and value.
fn is_plain(finding: &Finding) -> bool {
    match (&finding.field, &finding.observed) {
        (Some(field), Some(observed)) => finding.message == format!("`{field}` is {observed}"),
        _ => false,
    }
}

fn field_of(finding: &Finding) -> &str {
    finding.field.as_deref().unwrap_or_default()
}

/// Fills the placeholders of the catalogue's advice; a suite's own words stay as they are.
fn next_of(run: &Run, check: &RunCheck, finding: &Finding) -> String {
    let advice = finding.code.row().next;
    // A suite's own words may stand before those of the catalogue.
    let Some(own) = finding.next.strip_suffix(advice) else { return finding.next.clone() };
    let filled = advice
        .replace("explain CHECK", &format!("explain {}", check.planned.check.id))
        .replace("--check CHECK", &format!("--check {}", check.planned.check.id))
        .replace("--allow-load NODE", &format!("--allow-load {}", check.planned.node))
        .replace("accept RUN ", &format!("accept {} ", run.header.id))
        .replace("--with RUN", &format!("--with {}", run.header.id));
    format!("{own}{filled}")
}

fn once(lines: &mut Vec<Line>, label: &'static str, text: String) {
    let line = Line { label, text };
    if !line.text.is_empty() && !lines.contains(&line) {
        lines.push(line);
    }
}

fn captured(evidence: &Evidence) -> String {
    let came = match &evidence.captured {
        Captured::Exec { exit, signal, stdout, stderr } => {
            let end = match (exit, signal) {
                (Some(code), _) => format!("exit {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => "no exit status".to_owned(),
            };
            let words = if stderr.text.trim().is_empty() { stdout } else { stderr };
            format!("{end}; {}", last_line(words))
        }
        Captured::File(stream) => last_line(stream),
        Captured::Files(files) => format!("{} files", files.len()),
        Captured::Listing(names) => format!("{} names", names.len()),
        Captured::Stat { kind, mode, uid, size } => {
            format!("{kind}, mode {mode:o}, uid {uid}, {size} B")
        }
        Captured::Found(path) => path.clone(),
        Captured::Connected => "connected".to_owned(),
        Captured::Rounds(rounds) => format!("{} rounds", rounds.len()),
        Captured::Failed(failure) => failure.message.clone(),
    };
    format!("#{} {}: {came}", evidence.id, evidence.ask)
}

fn last_line(stream: &Stream) -> String {
    let last = stream.text.lines().rev().find(|line| !line.trim().is_empty());
    last.map_or_else(|| "no output".to_owned(), |line| line.trim().to_owned())
}
