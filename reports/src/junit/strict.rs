//! The strict dialect: what the xunit step of Jenkins, which validates, accepts.
//!
//! Written with `junit-report`. What the schema has no place for stands in `system-out`: outcome,
//! file and line, attempts, readings, facts of the node. The library writes no `skipped` count,
//! so one is added to each suite: a reader that trusts the counts must not take a skip for a pass.

use junit_report::{Duration, OffsetDateTime, Report, TestCase, TestResult, TestSuite};
use quick_xml::{
    Reader, Writer,
    events::{BytesStart, Event},
};
use time::format_description::well_known::Rfc3339;
use verify_model::{exit::Element, run::Run};

use super::{
    case::{Case, text_of},
    suite::{Suite, about_text, suites},
};
use crate::{Format, FormatSpec, RenderError, detail::Line};

/// Bounds how often a millisecond is added to a suite's time; two are enough below 4000 s.
const MOST_STEPS: usize = 8;

/// Writes strict JUnit XML.
pub(crate) struct JunitStrict;

impl Format for JunitStrict {
    fn spec(&self) -> &'static FormatSpec {
        &FormatSpec {
            name: "junit-strict",
            summary: "JUnit XML for readers that validate, such as the xunit step of Jenkins",
            extension: "xml",
        }
    }

    fn render(&self, run: &Run) -> Result<Vec<u8>, RenderError> {
        let suites: Vec<TestSuite> = suites(run).iter().map(|s| suite_of(run, s)).collect();
        let skipped: Vec<usize> = suites.iter().map(TestSuite::skipped).collect();
        let mut report = Report::new();
        report.add_testsuites(suites);
        let mut out = Vec::new();
        report.write_xml(&mut out)?;
        Ok(count_skipped(&out, &skipped)?)
    }
}

fn suite_of(run: &Run, suite: &Suite<'_>) -> TestSuite {
    // Every field, so that no default of the library (now, `localhost`) gets in.
    let mut out = TestSuite {
        name: suite.name.clone(),
        package: suite.name.clone(),
        timestamp: started_at(run),
        hostname: suite.hostname.clone().unwrap_or_else(|| "unknown".to_owned()),
        testcases: suite.cases.iter().map(case_of).collect(),
        system_out: Some(cdata(&about_text(suite))),
        system_err: None,
    };
    settle_time(&mut out);
    out
}

/// Reads the start of the run; the epoch where the record does not hold a time.
fn started_at(run: &Run) -> OffsetDateTime {
    OffsetDateTime::parse(&run.header.started_at, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn case_of(case: &Case<'_>) -> TestCase {
    let (type_, message) = (case.kind.clone(), case.message.clone());
    let detail = Some(cdata(&case.detail));
    let result = match case.element {
        Element::None => TestResult::Success,
        Element::Failure => TestResult::Failure { type_, message, cause: detail },
        Element::Error => TestResult::Error { type_, message, cause: detail },
        Element::Skipped => TestResult::SkippedWithCause { type_, message, cause: detail },
    };
    let output = output(case);
    TestCase {
        name: case.name.clone(),
        time: Duration::milliseconds(i64::try_from(case.elapsed_ms).unwrap_or(i64::MAX)),
        result,
        classname: Some(case.class.clone()),
        filepath: None,
        system_out: (!output.is_empty()).then(|| cdata(&output)),
        system_err: None,
    }
}

/// Says what the rich dialect says in attributes and properties, then what was read.
fn output(case: &Case<'_>) -> String {
    let Some(check) = case.check else { return case.output.clone() };
    let location = &check.planned.check.location;
    let mut lines = vec![
        Line { label: "outcome", text: check.verdict.outcome.name().to_owned() },
        Line { label: "where", text: format!("{}:{}", location.file, location.line) },
    ];
    if check.verdict.attempts > 1 {
        lines.push(Line { label: "attempts", text: check.verdict.attempts.to_string() });
    }
    text_of(&lines) + &case.output
}

/// Splits what would end a CDATA section: the library writes text as it comes.
fn cdata(text: &str) -> String {
    text.replace("]]>", "]]]]><![CDATA[>")
}

/// Makes a suite's time print with at most three decimals, which is all that the schema allows.
///
/// The library prints the sum of the cases as a binary fraction, so 1118 ms would appear as
/// `1.1179999999999999`. The longest case bears the added millisecond.
fn settle_time(suite: &mut TestSuite) {
    for _ in 0..MOST_STEPS {
        if decimals(suite.time()) <= 3 {
            return;
        }
        if let Some(longest) = suite.testcases.iter_mut().max_by_key(|case| case.time) {
            longest.time += Duration::MILLISECOND;
        }
    }
}

/// Counts the decimals with which the library prints a time.
fn decimals(time: Duration) -> usize {
    let printed = time.as_seconds_f64().to_string();
    printed.split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// Adds the count of skipped cases to each suite, and line breaks between elements.
fn count_skipped(xml: &[u8], skipped: &[usize]) -> Result<Vec<u8>, quick_xml::Error> {
    let mut reader = Reader::from_reader(xml);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 4);
    let mut counts = skipped.iter();
    let mut counted = |mut tag: BytesStart<'static>| {
        if tag.name().as_ref() == b"testsuite" {
            let count = counts.next().copied().unwrap_or_default();
            tag.push_attribute(("skipped", count.to_string().as_str()));
        }
        tag
    };
    loop {
        match reader.read_event()? {
            Event::Eof => break,
            Event::Start(tag) => writer.write_event(Event::Start(counted(tag.into_owned())))?,
            Event::Empty(tag) => writer.write_event(Event::Empty(counted(tag.into_owned())))?,
            event => writer.write_event(event)?,
        }
    }
    let mut out = writer.into_inner();
    out.push(b'\n');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasting(times_ms: &[i64]) -> TestSuite {
        let mut suite = TestSuite::new("a.b");
        for ms in times_ms {
            suite.add_testcase(TestCase::success("x", Duration::milliseconds(*ms)));
        }
        suite
    }

    /// Returns by how much the suite's time grew. *Units*: ms.
    fn grown(times_ms: &[i64]) -> i128 {
        let mut suite = lasting(times_ms);
        let before = suite.time();
        settle_time(&mut suite);
        assert!(decimals(suite.time()) <= 3, "{times_ms:?} print as {}", suite.time());
        (suite.time() - before).whole_milliseconds()
    }

    #[test]
    fn every_time_of_a_suite_prints_with_at_most_three_decimals() {
        assert_eq!(decimals(lasting(&[1118]).time()), 16, "the trap is still there");
        assert_eq!(grown(&[1118]), 1);
        assert_eq!(grown(&[1000]), 0);
        for ms in 0..40_000 {
            assert!(grown(&[ms]) <= 2, "{ms}");
        }
        for ms in (40_000..4_000_000).step_by(997) {
            assert!(grown(&[ms, 1, 117]) <= 2, "{ms}");
        }
        for power in 12..53 {
            assert!(grown(&[(1 << power) - 1, 118]) <= 2, "{power}");
        }
    }

    #[test]
    fn the_longest_case_bears_the_added_time() {
        let mut suite = lasting(&[100, 1000, 18]);
        settle_time(&mut suite);
        let times: Vec<i128> =
            suite.testcases.iter().map(|c| c.time.whole_milliseconds()).collect();
        assert_eq!(times, [100, 1001, 18]);
    }

    #[test]
    fn what_would_end_a_section_is_split_and_reads_as_it_was() {
        assert_eq!(cdata("a ]]> b"), "a ]]]]><![CDATA[> b");
        for text in ["]]>", "]]]>", "]]>]]>", "]]", ">", "a ]]> <b> &amp; ]]"] {
            let xml = format!("<out><![CDATA[{}]]></out>", cdata(text));
            let mut reader = Reader::from_str(&xml);
            let mut read = String::new();
            loop {
                match reader.read_event().unwrap() {
                    Event::Eof => break,
                    Event::CData(part) => read.push_str(&part.decode().unwrap()),
                    Event::Start(_) | Event::End(_) => {}
                    other => panic!("{text}: {other:?}"),
                }
            }
            assert_eq!(read, text);
        }
    }

    #[test]
    fn skipped_cases_are_counted_in_elements_and_not_in_text() {
        let xml = br#"<testsuites><testsuite name="a"><system-out><![CDATA[<testsuite name="b">]]>
</system-out></testsuite><testsuite name="c"/></testsuites>"#;
        let counted = String::from_utf8(count_skipped(xml, &[3, 0]).unwrap()).unwrap();
        assert!(counted.contains(r#"<testsuite name="a" skipped="3">"#), "{counted}");
        assert!(counted.contains(r#"<![CDATA[<testsuite name="b">]]>"#), "{counted}");
        assert!(counted.contains(r#"<testsuite name="c" skipped="0"/>"#), "{counted}");
        assert_eq!(counted.matches("skipped=").count(), 2, "{counted}");
    }
}
