//! Both JUnit dialects by the rules of published schemas, whatever a node sends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod rules;
mod tree;

use proptest::prelude::*;
use rules::{RICH, Rule, STRICT, broken};
use tree::{Element, parse};
use verify_model::run::Run;
use verify_reports::find;

const DIALECTS: [(&str, &[Rule]); 2] = [("junit", RICH), ("junit-strict", STRICT)];

fn document(format: &str, run: &Run) -> Result<Element, String> {
    parse(std::str::from_utf8(&find(format).unwrap().render(run).unwrap()).unwrap())
}

#[test]
fn every_run_of_the_corpus_obeys_the_rules_of_each_dialect() {
    for (format, rules) in DIALECTS {
        for (name, run) in corpus::all() {
            let said = broken(rules, &document(format, &run).unwrap());
            assert!(said.is_empty(), "{name} as {format}: {said:?}");
        }
    }
}

#[test]
fn a_time_that_has_no_short_binary_fraction_obeys_the_rules_of_each_dialect() {
    for elapsed_us in [1_118_000, 1_117_600, 2_236_400, 31_999_999] {
        let mut run = corpus::all_pass();
        run.checks.truncate(1);
        run.checks[0].verdict.elapsed_us = elapsed_us;
        for (format, rules) in DIALECTS {
            let said = broken(rules, &document(format, &run).unwrap());
            assert!(said.is_empty(), "{elapsed_us} us as {format}: {said:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_node_sends_obeys_the_rules_of_each_dialect(
        observed in corpus::hostile::hostile_text(),
        message in corpus::hostile::hostile_text(),
        title in corpus::hostile::hostile_text(),
        elapsed_us in any::<u64>(),
    ) {
        let mut run = corpus::hostile::run_of(&observed, &message, &title);
        run.checks[0].verdict.elapsed_us = elapsed_us;
        run.checks[1].verdict.elapsed_us = elapsed_us % 40_000_000;
        for (format, rules) in DIALECTS {
            let document = document(format, &run);
            prop_assert!(document.is_ok(), "{}: {:?}", format, document.err());
            let document = document.unwrap();
            let said = broken(rules, &document);
            prop_assert!(said.is_empty(), "{}: {:?}", format, said);
            for result in document.cases().into_iter().filter_map(Element::result) {
                prop_assert!(result.attribute("message").is_some_and(|m| !m.is_empty()));
            }
        }
    }
}

/// A document that both rule books accept.
const SOUND: &str = r#"<testsuites name="verify" tests="2" failures="1" errors="0">
<testsuite name="a.b" tests="2" failures="1" errors="0" skipped="0" time="1.118">
<testcase name="x" classname="a.b" time="1.118"><failure type="fail" message="no">text</failure>
<system-out>out</system-out></testcase>
<testcase name="y" classname="a.b" time="0"/></testsuite></testsuites>"#;

fn said_of(rules: &[Rule], xml: &str) -> String {
    parse(xml).map_or_else(|error| error, |root| broken(rules, &root).join("; "))
}

#[test]
fn the_strict_rules_refuse_what_the_schema_forbids() {
    assert_eq!(said_of(STRICT, SOUND), "");
    for (from, to, complaint) in [
        (
            "<testsuites name",
            "<testsuites skipped=\"0\" name",
            "<testsuites> may not carry `skipped`",
        ),
        ("<testsuites name", "<testsuites timestamp=\"\" name", "may not carry `timestamp`"),
        ("name=\"x\"", "name=\"x\" file=\"f\"", "<testcase> may not carry `file`"),
        ("name=\"x\"", "name=\"x\" line=\"1\"", "<testcase> may not carry `line`"),
        ("name=\"x\"", "name=\"x\" assertions=\"1\"", "may not carry `assertions`"),
        ("name=\"x\"", "name=\"x\" timestamp=\"\"", "<testcase> may not carry `timestamp`"),
        ("name=\"x\" ", "", "<testcase> lacks `name`"),
        ("<failure", "<properties/><failure", "<properties> may not stand in <testcase>"),
        ("time=\"1.118\">\n", "time=\"1.1179999999999999\">\n", "`time` of \"1.1179999999999999\""),
        ("time=\"1.118\">\n", "time=\"1e3\">\n", "`time` of \"1e3\""),
        ("errors=\"0\" skipped", "skipped", "<testsuite> lacks `errors`"),
        (" skipped=\"0\"", "", "<testsuite> lacks `skipped`"),
        (
            "tests=\"2\" failures=\"1\" errors=\"0\">",
            "tests=\"3\">",
            "<testsuites> counts tests wrong",
        ),
        ("skipped=\"0\"", "skipped=\"1\"", "<testsuite> counts skipped wrong"),
        ("<system-out>out</system-out>", "<system-out/><system-out/>", "one too many"),
        ("<failure type", "<system-out/><failure type", "<failure> stands too late"),
        ("classname=\"a.b\" time=\"0\"/>", "time=\"0\">text</testcase>", "<testcase> holds text"),
        ("<system-out>out", "<system-out><b/>", "<b> may not stand in <system-out>"),
        ("testsuites", "report", "the root is <report>"),
    ] {
        let said = said_of(STRICT, &SOUND.replace(from, to));
        assert!(said.contains(complaint), "{to}: {said}");
    }
}

#[test]
fn the_rich_rules_refuse_what_readers_do_not_know() {
    let sound = SOUND.replace("<testsuites name", "<testsuites skipped=\"0\" name");
    assert_eq!(said_of(RICH, &sound), "");
    assert!(said_of(RICH, SOUND).contains("<testsuites> lacks `skipped`"));
    for (from, to, complaint) in [
        ("name=\"x\"", "name=\"x\" group=\"g\"", "<testcase> may not carry `group`"),
        ("name=\"x\"", "name=\"x\" line=\"one\"", "`line` of \"one\""),
        ("<failure", "<error/><failure", "<failure> is one too many"),
        ("<system-out>", "<properties/><system-out>", "<properties> stands too late"),
        ("name=\"a.b\"", "name=\"a.b\" timestamp=\"now\"", "`timestamp` of \"now\""),
    ] {
        let said = said_of(RICH, &sound.replace(from, to));
        assert!(said.contains(complaint), "{to}: {said}");
    }
}

#[test]
fn a_document_that_is_not_well_formed_is_refused() {
    for (from, to) in [
        ("</testsuites>", ""),
        (">out<", ">a ]]> b<"),
        (">out<", ">&unknown;<"),
        (">out<", "><!-- comment --><"),
        ("message=\"no\"", "message=\"a < b\""),
        ("message=\"no\"", "message=\"no\" message=\"no\""),
        ("message=\"no\"", "message=\"a\nb\""),
        ("</testsuites>", "</testsuites><testsuites/>"),
        ("</testsuites>", "</testsuites> text"),
    ] {
        assert!(parse(&SOUND.replace(from, to)).is_err(), "{to}");
    }
}

#[test]
fn time_and_host_come_from_the_record_and_never_from_this_machine() {
    let mut run = corpus::all_pass();
    run.nodes[0].facts.hostname = String::new();
    for (started_at, rich, strict) in [
        ("2026-01-15T12:34:56Z", Some("2026-01-15T12:34:56.000+00:00"), "2026-01-15T12:34:56Z"),
        (
            "9999-12-31T23:59:59-23:59",
            Some("9999-12-31T23:59:59.000-23:59"),
            "9999-12-31T23:59:59-23:59",
        ),
        // Without a time, no time; where the writer demands one, none that could be mistaken.
        ("yesterday", None, "1970-01-01T00:00:00Z"),
        ("", None, "1970-01-01T00:00:00Z"),
    ] {
        run.header.started_at = started_at.into();
        let read = |format| document(format, &run).unwrap().children[0].clone();
        let (richly, strictly) = (read("junit"), read("junit-strict"));
        assert_eq!(richly.attribute("timestamp"), rich, "{started_at}");
        assert_eq!(richly.attribute("hostname"), None);
        assert_eq!(strictly.attribute("timestamp"), Some(strict), "{started_at}");
        assert_eq!(strictly.attribute("hostname"), Some("unknown"));
    }
}

#[test]
fn what_the_strict_schema_has_no_place_for_stands_in_the_output() {
    let strict = document("junit-strict", &corpus::every_outcome()).unwrap();
    let output = |name| {
        let cases = strict.cases();
        cases.iter().find(|c| c.attribute("name") == Some(name)).unwrap().output()
    };
    let low = output("net/throughput");
    assert!(
        low.contains("throughput 9.1 Gbit/s, expected at least 9.4 Gbit/s, 3 samples"),
        "{low}"
    );
    assert!(low.contains("where:    suites/machine.toml:12"), "{low}");
    assert!(output("gpu/ecc").contains("attempts: 2"));
    assert!(output("cpu/isolation").contains("outcome:  skip"));
    assert!(strict.children[0].output().contains("kernel:         6.8.0-45-generic"));
    let known = document("junit-strict", &corpus::baseline_required()).unwrap();
    assert!(known.cases()[1].output().contains("of the baseline 50 us"), "{:?}", known.cases()[1]);
}

#[test]
fn the_strict_rules_refuse_the_rich_dialect() {
    let said = broken(STRICT, &document("junit", &corpus::all_pass()).unwrap());
    assert!(said.iter().any(|said| said == "<testcase> may not carry `file`"), "{said:?}");
}
