//! The rules of published schemas as tables: which element may carry and hold what.
//!
//! *Source* of `STRICT`: `junit-10.xsd` of the Jenkins xunit plugin, tag xunit-3.1.6, which its
//! JUnit input validates; left out are what only newer versions allow (`version`, more decimals) and
//! the rerun elements. *Source* of `RICH`: the attributes and elements that "Common JUnit XML
//! Format" (testmoapp/junitxml) lists, plus `hostname` from Ant's schema and `type` on `skipped`
//! from junit-10. Stricter than both: result before output, at most one of each, every suite counts its
//! skipped cases, and counts are right.

use std::sync::LazyLock;

use regex::Regex;

use crate::tree::Element;

/// Says what an attribute may hold.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    /// Text, perhaps empty, that may not be missing.
    Required,
    /// A count that may not be missing.
    Count,
    /// A count.
    MayCount,
    /// Seconds with at most three decimals.
    Seconds,
    /// Date and time.
    Stamp,
}

use Kind::{Count, MayCount, Required, Seconds, Stamp, Text};

/// Holds the rule of one element.
pub(crate) struct Rule {
    element: &'static str,
    attributes: &'static [(&'static str, Kind)],
    /// Names that may stand below it; a later group never before an earlier one.
    children: &'static [&'static [&'static str]],
    /// Whether each group holds one element at most.
    once: bool,
    text: bool,
}

const fn leaf(element: &'static str, attributes: &'static [(&'static str, Kind)]) -> Rule {
    Rule { element, attributes, children: &[], once: false, text: true }
}

const RESULT: &[(&str, Kind)] = &[("type", Text), ("message", Text)];
const PROPERTY: Rule = Rule {
    element: "property",
    attributes: &[("name", Required), ("value", Required)],
    children: &[],
    once: false,
    text: false,
};
const PROPERTIES: Rule = Rule {
    element: "properties",
    attributes: &[],
    children: &[&["property"]],
    once: false,
    text: false,
};

/// What the Jenkins xunit step accepts.
pub(crate) const STRICT: &[Rule] = &[
    Rule {
        element: "testsuites",
        attributes: &[
            ("name", Text),
            ("time", Seconds),
            ("tests", MayCount),
            ("failures", MayCount),
            ("errors", MayCount),
        ],
        children: &[&["testsuite"]],
        once: false,
        text: false,
    },
    Rule {
        element: "testsuite",
        attributes: &[
            ("name", Required),
            ("tests", Count),
            ("failures", Count),
            ("errors", Count),
            ("group", Text),
            ("time", Seconds),
            ("skipped", Count),
            ("timestamp", Stamp),
            ("hostname", Text),
            ("id", Text),
            ("package", Text),
            ("file", Text),
            ("log", Text),
            ("url", Text),
        ],
        children: &[&["testsuite", "properties", "testcase", "system-out", "system-err"]],
        once: false,
        text: false,
    },
    Rule {
        element: "testcase",
        attributes: &[("name", Required), ("time", Text), ("classname", Text), ("group", Text)],
        children: &[&["skipped", "error", "failure"], &["system-out"], &["system-err"]],
        once: true,
        text: false,
    },
    leaf("failure", RESULT),
    leaf("error", RESULT),
    leaf("skipped", RESULT),
    leaf("system-out", &[]),
    leaf("system-err", &[]),
    PROPERTIES,
    PROPERTY,
];

/// What common readers show.
pub(crate) const RICH: &[Rule] = &[
    Rule {
        element: "testsuites",
        attributes: &[
            ("name", Text),
            ("tests", Count),
            ("failures", Count),
            ("errors", Count),
            ("skipped", Count),
            ("assertions", MayCount),
            ("time", Seconds),
            ("timestamp", Stamp),
        ],
        children: &[&["testsuite"]],
        once: false,
        text: false,
    },
    Rule {
        element: "testsuite",
        attributes: &[
            ("name", Required),
            ("tests", Count),
            ("failures", Count),
            ("errors", Count),
            ("skipped", Count),
            ("assertions", MayCount),
            ("time", Seconds),
            ("timestamp", Stamp),
            ("file", Text),
            ("hostname", Text),
        ],
        children: &[&["properties"], &["testsuite", "testcase"], &["system-out"], &["system-err"]],
        once: false,
        text: false,
    },
    Rule {
        element: "testcase",
        attributes: &[
            ("name", Required),
            ("classname", Text),
            ("assertions", MayCount),
            ("time", Seconds),
            ("file", Text),
            ("line", MayCount),
        ],
        children: &[
            &["properties"],
            &["skipped", "error", "failure"],
            &["system-out"],
            &["system-err"],
        ],
        once: true,
        text: false,
    },
    leaf("failure", RESULT),
    leaf("error", RESULT),
    leaf("skipped", RESULT),
    leaf("system-out", &[]),
    leaf("system-err", &[]),
    PROPERTIES,
    PROPERTY,
];

/// Lists what a document breaks.
pub(crate) fn broken(rules: &[Rule], root: &Element) -> Vec<String> {
    let mut said = Vec::new();
    if root.name != "testsuites" {
        said.push(format!("the root is <{}>", root.name));
    }
    visit(rules, root, &mut said);
    let cases = root.cases();
    let suites: Vec<&Element> = root.named("testsuite").collect();
    for suite in suites {
        count(suite, &suite.named("testcase").collect::<Vec<_>>(), &mut said);
    }
    count(root, &cases, &mut said);
    said
}

fn visit(rules: &[Rule], element: &Element, said: &mut Vec<String>) {
    let name = &element.name;
    let Some(rule) = rules.iter().find(|rule| rule.element == name) else {
        said.push(format!("<{name}> is unknown"));
        return;
    };
    attributes(rule, element, said);
    if !rule.text && !element.text.trim().is_empty() {
        said.push(format!("<{name}> holds text"));
    }
    let mut reached = 0;
    let mut found = vec![0; rule.children.len()];
    for child in &element.children {
        match rule.children.iter().position(|group| group.contains(&child.name.as_str())) {
            None => said.push(format!("<{}> may not stand in <{name}>", child.name)),
            Some(group) if group < reached => {
                said.push(format!("<{}> stands too late in <{name}>", child.name));
            }
            Some(group) => {
                reached = group;
                found[group] += 1;
                if rule.once && found[group] > 1 {
                    said.push(format!("<{}> is one too many in <{name}>", child.name));
                }
            }
        }
        visit(rules, child, said);
    }
}

fn attributes(rule: &Rule, element: &Element, said: &mut Vec<String>) {
    let name = &element.name;
    for (attribute, value) in &element.attributes {
        match rule.attributes.iter().find(|(known, _)| known == attribute) {
            None => said.push(format!("<{name}> may not carry `{attribute}`")),
            Some((_, kind)) if !fits(*kind, value) => {
                said.push(format!("<{name}> may not carry `{attribute}` of {value:?}"));
            }
            Some(_) => {}
        }
    }
    for (attribute, kind) in rule.attributes {
        if matches!(kind, Required | Count) && element.attribute(attribute).is_none() {
            said.push(format!("<{name}> lacks `{attribute}`"));
        }
    }
}

/// As junit-10 writes it.
static SECONDS: LazyLock<Regex> =
    LazyLock::new(|| whole(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?"));
static STAMP: LazyLock<Regex> =
    LazyLock::new(|| whole(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?"));

fn whole(pattern: &str) -> Regex {
    Regex::new(&format!("^(?:{pattern})$")).unwrap()
}

fn fits(kind: Kind, value: &str) -> bool {
    match kind {
        Text | Required => true,
        Count | MayCount => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
        // The pattern allows no digits at all, which is of no use.
        Seconds => !value.is_empty() && SECONDS.is_match(value),
        Stamp => STAMP.is_match(value),
    }
}

/// Compares the counts that an element carries with its cases.
fn count(element: &Element, cases: &[&Element], said: &mut Vec<String>) {
    let of = |kind: &str| {
        let is = |case: &&&Element| case.result().is_some_and(|result| result.name == kind);
        cases.iter().filter(is).count()
    };
    for (attribute, counted) in [
        ("tests", cases.len()),
        ("failures", of("failure")),
        ("errors", of("error")),
        ("skipped", of("skipped")),
    ] {
        let stated = element.attribute(attribute);
        if stated.is_some_and(|stated| stated != counted.to_string()) {
            said.push(format!("<{}> counts {attribute} wrong", element.name));
        }
    }
}
