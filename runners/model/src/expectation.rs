//! Judges one expectation on the observations of all repeats.

use crate::{
    baseline::Baseline,
    check::Expectation,
    comparison::{
        Comparison,
        build::{Built, build},
        exact::{self, Compared},
    },
    finding::{Finding, FindingCode, Severity},
    matcher::{self, MatchError, Matcher},
    metric::quantile,
    observation::Observation,
    quantity::Quantity,
    value::Value,
    verdict::{CheckKey, Reading, Role},
};

/// Holds what was found out about one field.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// What is said about it.
    pub(crate) findings: Vec<Finding>,
    /// What was read; one element, or none.
    pub(crate) readings: Vec<Reading>,
    /// What is compared; one element, or none.
    pub(crate) comparisons: Vec<Comparison>,
}

/// Holds what was asked: of which check, what is normal, and what the attempts that count saw.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) key: &'a CheckKey,
    pub(crate) baselines: &'a [Baseline],
    pub(crate) seen: Seen<'a>,
}

/// Holds what the repeats of a check saw.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// Those whose measurements count.
    pub(crate) counting: &'a [&'a Observation],
    /// Those that were disturbed, too: a fact must hold in every repeat.
    pub(crate) all: &'a [&'a Observation],
}

impl<'a> Seen<'a> {
    /// Returns what a field is read from.
    pub(crate) fn of(self, field: &str) -> &'a [&'a Observation] {
        let is_metric = self.all.iter().any(|o| o.metric_at(field).is_some());
        if is_metric { self.counting } else { self.all }
    }
}

/// Says how one demand came out.
enum Met {
    Yes,
    No,
    Unread(String, FindingCode),
    Off(Quantity),
    NoBaseline,
    Not(FindingCode, String),
}

/// Judges an expectation: every matcher on the combined value, and facts in every repeat.
///
/// How a metric stands to its baseline is decided later, with all others.
pub(crate) fn judge_field(expectation: &Expectation, role: Role, asked: Asked<'_>) -> Judged {
    let Asked { key, baselines, seen } = asked;
    let field = expectation.field.as_str();
    let seen = seen.of(field);
    let mut combined = combine(field, seen);
    let is_metric = seen.iter().any(|o| o.metric_at(field).is_some());
    let values = if is_metric {
        vec![combined.clone()]
    } else {
        seen.iter().map(|o| o.resolve(field)).collect()
    };
    let baseline = baselines.iter().find(|b| b.key == *key && b.field == field);
    let demand = matcher::phrase(&expectation.matchers);
    let tolerance = expectation.matchers.iter().find_map(|matcher| match matcher {
        Matcher::Within(tolerance) => Some(*tolerance),
        _ => None,
    });
    let built = tolerance
        .zip(baseline)
        .filter(|_| is_metric)
        .map(|(tolerance, baseline)| build(expectation, role, seen, baseline, tolerance));

    let mut judged = Judged::default();
    let mut worst: Option<(FindingCode, String, &Value)> = None;
    for (index, value) in values.iter().enumerate() {
        let same_attempt = if is_metric { seen } else { &seen[index..=index] };
        let against = Against { baseline, built: built.as_ref(), is_metric };
        let fault = fault(expectation, value, same_attempt, (against, &demand));
        let Some((code, message)) = fault else { continue };
        let graver = |(known, _, _): &(FindingCode, String, &Value)| {
            code.row().severity < known.row().severity
        };
        if worst.as_ref().is_none_or(graver) {
            worst = Some((code, message, value));
        }
    }
    let mut missed = false;
    let mut unanswered = false;
    if let Some((code, message, value)) = worst {
        missed = code.row().severity == Severity::Failure;
        unanswered = !missed;
        combined = value.clone();
        let mut finding = finding_for(expectation, role, code, message, &demand, value);
        if let Some(centre) =
            exact::comparable(baseline).filter(|_| code == FindingCode::OffBaseline)
        {
            finding.expected = Some(format!("{demand} {centre}"));
        }
        judged.findings.push(finding);
    }
    if let Some(Built::Compared(mut comparison)) = built {
        if let Some(sides) = &mut comparison.sides {
            sides.about.demand.clone_from(&demand);
        }
        judged.comparisons.push(*comparison);
    }
    let mut reading = reading(field, role, Some(demand), &combined, seen);
    reading.baseline = exact::comparable(baseline);
    reading.held = if unanswered { None } else { Some(!missed) };
    judged.readings.push(reading);
    judged
}

/// Holds what a value is compared with.
#[derive(Clone, Copy)]
struct Against<'a> {
    baseline: Option<&'a Baseline>,
    /// The comparison of a metric, or why there is none.
    built: Option<&'a Built>,
    is_metric: bool,
}

/// Says what keeps one value from being acceptable.
fn fault(
    expectation: &Expectation,
    value: &Value,
    seen: &[&Observation],
    (against, demand): (Against<'_>, &str),
) -> Option<(FindingCode, String)> {
    let field = expectation.field.as_str();
    match value {
        Value::Unreadable(why) => {
            Some((FindingCode::ValueUnreadable, format!("`{field}` could not be read: {why}")))
        }
        Value::Absent(how) => {
            Some((FindingCode::ValueAbsent, format!("`{field}` is absent: {how}")))
        }
        present => {
            let (code, text) = meet_all(expectation, present, seen, against)?;
            let missed = || format!("`{field}` is {}", present.shown_against(demand));
            Some((code, if text.is_empty() { missed() } else { text }))
        }
    }
}

fn finding_for(
    expectation: &Expectation,
    role: Role,
    code: FindingCode,
    message: String,
    demand: &str,
    value: &Value,
) -> Finding {
    let code = match (role, code) {
        (Role::Advise, code) if code.row().severity == Severity::Failure => {
            FindingCode::AdviceMissed
        }
        (Role::Advise, _) => FindingCode::AdviceUnanswered,
        (_, code) => code,
    };
    let mut finding = Finding::new(code, message);
    finding.field = Some(expectation.field.clone());
    finding.expected = Some(demand.to_owned());
    finding.observed = Some(value.shown_against(demand));
    finding.source.clone_from(&expectation.source);
    finding.location = Some(expectation.location.clone());
    finding
}

/// Returns the first thing that keeps the demands from being met, gravest first.
fn meet_all(
    expectation: &Expectation,
    value: &Value,
    seen: &[&Observation],
    against: Against<'_>,
) -> Option<(FindingCode, String)> {
    let mut worst: Option<(FindingCode, String)> = None;
    for matcher in &expectation.matchers {
        let found = match meet(matcher, value, seen, against) {
            Met::Yes => continue,
            Met::No => return Some((FindingCode::ExpectationMissed, String::new())),
            Met::Off(baseline) => (
                FindingCode::OffBaseline,
                format!(
                    "`{}` is {}, and its baseline {baseline}",
                    expectation.field,
                    value.shown()
                ),
            ),
            Met::Unread(why, code) => (code, why),
            Met::NoBaseline => (
                FindingCode::NoBaseline,
                format!(
                    "`{}` is {}, and no baseline is accepted for it",
                    expectation.field,
                    value.shown()
                ),
            ),
            Met::Not(code, why) => {
                (code, format!("`{}` is {}, and {why}", expectation.field, value.shown()))
            }
        };
        let graver =
            |(known, _): &(FindingCode, String)| found.0.row().severity < known.row().severity;
        if worst.as_ref().is_none_or(graver) {
            worst = Some(found);
        }
    }
    if expectation.matchers.is_empty() {
        return Some((FindingCode::NotCaptured, format!("`{}` has no demand", expectation.field)));
    }
    worst
}

fn meet(matcher: &Matcher, value: &Value, seen: &[&Observation], against: Against<'_>) -> Met {
    let answer = match matcher {
        Matcher::AgreesWith(other) => agree(value, &combine(other, seen)),
        Matcher::Within(tolerance) => return within(value, *tolerance, against),
        _ => matcher.meet(value),
    };
    match answer {
        Ok(true) => Met::Yes,
        Ok(false) => Met::No,
        Err(MatchError::Unreadable(why)) => Met::Unread(why, FindingCode::ValueUnreadable),
        Err(error @ MatchError::Kind { .. }) => {
            Met::Unread(error.to_string(), FindingCode::KindMismatch)
        }
    }
}

fn within(value: &Value, tolerance: Quantity, against: Against<'_>) -> Met {
    if against.is_metric {
        return match against.built {
            None => Met::NoBaseline,
            Some(Built::Compared(_) | Built::Equal) => Met::Yes,
            Some(Built::Not(code, why)) => Met::Not(*code, why.clone()),
        };
    }
    match exact::within(value, tolerance, against.baseline) {
        Compared::Within => Met::Yes,
        Compared::Off(centre) => Met::Off(centre),
        Compared::NoBaseline => Met::NoBaseline,
        Compared::NotComparable(why) => Met::Not(FindingCode::NotComparable, why),
        Compared::NoQuantity => {
            Met::Unread(format!("{value} is not a quantity"), FindingCode::KindMismatch)
        }
    }
}

fn agree(value: &Value, other: &Value) -> Result<bool, MatchError> {
    if let Some(why) = value.unreadable().or(other.unreadable()) {
        return Err(MatchError::Unreadable(why.to_owned()));
    }
    if let Value::Quantity(b) = other {
        let same = match value {
            Value::Quantity(a) => a.compare(*b).map(std::cmp::Ordering::is_eq),
            _ => None,
        };
        let kind = || MatchError::Kind { value: value.to_string(), matcher: other.to_string() };
        return same.ok_or_else(kind);
    }
    // Two absences do not agree: nothing missing passes.
    Ok(value == other && !other.has_absent())
}

/// Combines a field over repeats: the median of metrics, else the first fact.
pub(crate) fn combine(field: &str, seen: &[&Observation]) -> Value {
    let metrics: Vec<_> = seen.iter().filter_map(|o| o.metric_at(field)).collect();
    if metrics.is_empty() {
        let values: Vec<Value> = seen.iter().map(|o| o.resolve(field)).collect();
        let missing = values.iter().find(|v| !v.is_present());
        return missing
            .or(values.first())
            .cloned()
            .unwrap_or_else(|| Value::Unreadable("nothing was observed".into()));
    }
    let values: Vec<Value> = seen.iter().map(|o| o.resolve(field)).collect();
    // The spread of a metric has a unit of its own.
    let unit = match values.first() {
        Some(Value::Quantity(first)) => first.unit(),
        _ => metrics[0].unit(),
    };
    let mut numbers = Vec::with_capacity(values.len());
    for value in &values {
        match value {
            Value::Quantity(quantity) => match quantity.to(unit) {
                Some(same) => numbers.push(same.value()),
                None => {
                    return Value::Unreadable(format!(
                        "repeats differ in unit: {quantity} and {unit}"
                    ));
                }
            },
            other => return other.clone(),
        }
    }
    Quantity::new(quantile(&numbers, 0.5), unit)
        .map_or_else(|e| Value::Unreadable(e.to_string()), Value::Quantity)
}

/// Builds the reading of a field.
pub(crate) fn reading(
    field: &str,
    role: Role,
    expected: Option<String>,
    value: &Value,
    seen: &[&Observation],
) -> Reading {
    Reading {
        field: field.to_owned(),
        role,
        expected,
        observed: value.shown(),
        quantity: match value {
            Value::Quantity(quantity) => Some(*quantity),
            _ => None,
        },
        samples: seen.iter().filter_map(|o| o.metric_at(field)).map(|m| m.samples().len()).sum(),
        baseline: None,
        held: None,
    }
}
