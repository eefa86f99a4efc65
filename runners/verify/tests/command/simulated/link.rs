//! What faults of the cable to the second node give on the simulated workstation.

use super::{asked, outcome};

/// What one scenario gives: each check that is not a pass without a word, and its findings.
type Row = (&'static str, &'static [(&'static str, &'static str, &'static [&'static str])]);

const STATE: &str = "net/link-state";
const THROUGHPUT: &str = "net/throughput";
/// In both directions, and in one alone.
const SLOW: &[&str] = &["expectation-missed outbound", "expectation-missed inbound"];
const ONE_WAY: &[&str] = &["expectation-missed inbound"];

static TABLE: &[Row] = &[
    ("pair", &[]),
    (
        "link-fallback-1g",
        &[(STATE, "fail", &["expectation-missed speed"]), (THROUGHPUT, "blocked", &[])],
    ),
    (
        "link-detour",
        &[(STATE, "fail", &["expectation-missed route.direct"]), (THROUGHPUT, "blocked", &[])],
    ),
    ("link-lossy", &[(THROUGHPUT, "fail", SLOW)]),
    ("link-one-way", &[(THROUGHPUT, "fail", ONE_WAY)]),
];

#[test]
fn each_fault_of_the_cable_is_found_and_named() {
    for (scenario, found) in TABLE {
        let (said, lines) = asked(scenario, &["--suite", "network"]);
        let seen = outcome::seen(&lines);
        assert_eq!(seen.len(), 2, "{scenario}: {seen:?}");
        for (id, (outcome, findings)) in &seen {
            let row = found.iter().find(|(known, ..)| known == id);
            let (wanted, expected) = row.map_or(("pass", &[][..]), |(_, o, f)| (*o, *f));
            assert_eq!(
                (outcome.as_str(), findings.as_slice()),
                (wanted, &expected.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>()[..]),
                "{scenario}: {id}: {}",
                said.out
            );
        }
        if *scenario == "link-one-way" {
            let slower = lines.iter().find_map(|line| {
                line["attempt"]["result"]["Ok"]["facts"]["slower"]["text"].as_str()
            });
            assert_eq!(slower, Some("inbound"), "{}", said.out);
        }
    }
}
