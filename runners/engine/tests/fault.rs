//! The published catalogue of faults: that it is whole, and that a fault which slips through is told.
//!
//! That all of it is noticed is tried through the command (`runners/verify/tests/command/selftest.rs`).
#![cfg(feature = "faults")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that reads its lists")]

use std::{collections::BTreeSet, fs, path::Path};

use verify_engine::{
    fault::{Catalogue, DAMAGES, Fault, Found, Ground, Hit, Machine},
    load::{
        catalog::{self, Catalog},
        root::Root,
    },
};
use verify_model::{finding::FindingCode, outcome::Outcome};

/// Nodes whose checks are in no list of requirements, and why. It may only become shorter.
const NOT_REQUIRED: [(&str, &str); 2] = [
    ("local", "it is any machine: nobody ordered what it must be"),
    ("nvidia-sim", "it is nvidia, asked from a scenario: the same checks under the same names"),
];

type Pairs = BTreeSet<(String, String)>;

fn shipped() -> Catalog {
    catalog::load(&Root { dir: None, home: None }).unwrap()
}

fn ground<'c>(catalog: &'c Catalog, node: &str) -> Ground<'c> {
    let mut machines = Machine::shipped().unwrap();
    machines.retain(|machine| machine.node == node);
    Ground::new(catalog, &machines).unwrap()
}

fn fault(id: &str) -> Fault {
    Catalogue::shipped().unwrap().faults().find(|fault| fault.id == id).unwrap().clone()
}

fn found(catalog: &Catalog, fault: &Fault) -> Found {
    ground(catalog, &fault.node).prove_all(&[fault]).remove(0).found
}

fn pairs(catalog: &Catalog, wanted: impl Fn(&str) -> bool) -> Pairs {
    let nodes = catalog.checks.iter().filter(|(node, _)| wanted(node));
    let of = |(node, checks): (&String, &Vec<verify_model::check::Check>)| {
        checks.iter().map(|check| (node.clone(), check.id.clone())).collect::<Vec<_>>()
    };
    nodes.flat_map(of).collect()
}

#[test]
fn what_is_required_shipped_explained_and_put_to_the_test_is_the_same() {
    let catalog = shipped();
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites/required-ids.txt");
    let list = fs::read_to_string(list).unwrap();
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pair = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap())
    };
    let required: Pairs = lines.map(pair).collect();
    let is_required = |node: &str| NOT_REQUIRED.iter().all(|(name, _)| *name != node);
    assert_eq!(required, pairs(&catalog, is_required), "required and shipped");

    let explained = |node: &str| {
        let whole = |check: &verify_model::check::Check| {
            !check.why.is_empty() && !check.source.is_empty() && !check.fix.is_empty()
        };
        catalog.checks[node].iter().all(whole)
    };
    assert!(catalog.checks.keys().all(|node| explained(node)), "shipped and explained");

    let faulted: Pairs = Catalogue::shipped()
        .unwrap()
        .faults()
        .map(|fault| (fault.node.clone(), fault.check.clone()))
        .collect();
    assert_eq!(faulted, pairs(&catalog, |node| node != "nvidia-sim"), "shipped and faulted");
    let ids = |node: &str| pairs(&catalog, |known| known == node).into_iter().map(|(_, id)| id);
    let simulated: BTreeSet<String> = ids("nvidia-sim").collect();
    let real: BTreeSet<String> = ids("nvidia").collect();
    assert!(simulated.is_subset(&real), "{:?}", simulated.difference(&real));
}

#[test]
fn every_fault_says_what_happens_and_what_must_be_found_to_the_field() {
    let catalogue = Catalogue::shipped().unwrap();
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    for fault in catalogue.faults() {
        assert!(!fault.id.is_empty() && fault.id.chars().all(kebab), "{}", fault.id);
        assert!(fault.happens.ends_with('.') && !fault.title.ends_with('.'), "{}", fault.id);
        let expect = &fault.expect;
        let of_a_field = [
            FindingCode::ExpectationMissed,
            FindingCode::ValueAbsent,
            FindingCode::OffBaseline,
            FindingCode::AdviceMissed,
            FindingCode::ValueUnreadable,
        ];
        assert!(!of_a_field.contains(&expect.finding) || expect.field.is_some(), "{}", fault.id);
        let advised = expect.outcome == Outcome::Pass;
        let severity = format!("{:?}", expect.finding.row().severity);
        assert_eq!(advised, severity == "Advice", "{}", fault.id);
    }
    for damage in DAMAGES {
        assert!(damage.id.chars().all(kebab), "{}", damage.id);
        assert!(catalogue.faults().all(|fault| fault.id != damage.id), "{} twice", damage.id);
    }
}

#[test]
fn a_demand_that_was_taken_out_lets_its_fault_through() {
    let fault = fault("tool-broken");
    let mut catalog = shipped();
    assert!(matches!(found(&catalog, &fault), Found::Noticed(_)));
    let checks = catalog.checks.get_mut(&fault.node).unwrap();
    let check = checks.iter_mut().find(|check| check.id == fault.check).unwrap();
    check.expect.retain(|expectation| expectation.field != "broken");
    let Found::Otherwise(seen) = found(&catalog, &fault) else { panic!("it slips through unseen") };
    assert_eq!(seen.outcome, Outcome::Pass);
}

#[test]
fn a_red_for_another_reason_is_not_noticed() {
    let mut fault = fault("tool-broken");
    fault.expect.field = Some("missing".to_owned());
    assert!(matches!(found(&shipped(), &fault), Found::Otherwise(_)));
}

#[test]
fn a_check_that_is_always_red_proves_nothing() {
    let fault = fault("tool-broken");
    let mut catalog = shipped();
    let checks = catalog.checks.get_mut(&fault.node).unwrap();
    let check = checks.iter_mut().find(|check| check.id == fault.check).unwrap();
    check.expect.retain(|expectation| expectation.field == "broken");
    check.expect[0].field = "there".to_owned();
    assert!(matches!(found(&catalog, &fault), Found::NoControl(_)));
}

#[test]
fn what_cannot_be_injected_is_broken_and_never_noticed() {
    let known = fault("tool-broken");
    for (edit, why) in [
        ("of = \"no such question\"\ntext = \"\"", "nothing healthy is asked as"),
        ("of = \"*\"\nreplace = { no-such-text = \"\" }", "holds the text"),
    ] {
        let fault =
            Fault { answers: None, edits: vec![toml::from_str(edit).unwrap()], ..known.clone() };
        let Found::Broken(said) = found(&shipped(), &fault) else { panic!("{edit}") };
        assert!(said.contains(why), "{said}");
    }
    let fault = Fault { answers: Some("programs/no-such".to_owned()), ..known.clone() };
    assert!(matches!(found(&shipped(), &fault), Found::Broken(_)));
    let with = [("no-such".to_owned(), "1".to_owned())].into();
    let Found::Broken(said) = found(&shipped(), &Fault { with, ..known.clone() }) else {
        panic!("a parameter that the probe does not have")
    };
    assert!(said.contains("has no parameter `no-such`"), "{said}");
    let fault = Fault { check: "cluster/no-such".to_owned(), ..known };
    assert!(matches!(found(&shipped(), &fault), Found::NotHere(_)));
}

#[test]
fn what_does_not_decide_is_not_the_reason() {
    let mut fault = fault("production-disk-full");
    assert!(matches!(found(&shipped(), &fault), Found::Noticed(_)));
    fault.expect.finding = FindingCode::AdviceMissed;
    assert!(matches!(found(&shipped(), &fault), Found::Otherwise(_)), "advice beside a failure");
}

#[test]
fn every_field_that_must_be_found_must_be_there() {
    let mut fault = fault("compiler-without-headers");
    fault.expect.also = vec!["compiled".to_owned()];
    assert!(matches!(found(&shipped(), &fault), Found::Noticed(_)));
    fault.expect.also.push("features-of-tomorrow".to_owned());
    assert!(matches!(found(&shipped(), &fault), Found::Otherwise(_)));
}

#[test]
fn what_is_known_of_a_damage_is_what_happens() {
    let catalog = shipped();
    let damages: Vec<_> = DAMAGES.iter().collect();
    let (mut beside, mut slipped) = (Vec::new(), Vec::new());
    for (node, checks) in [
        ("local", &["gpu/driver", "net/loopback", "os/release", "system/spawn"][..]),
        ("local", &["os/certificates"]),
        ("macbook", &["cluster/ssh", "cluster/tools"]),
    ] {
        let ground = ground(&catalog, node);
        let checks: Vec<(&str, &str)> = checks.iter().map(|check| (node, *check)).collect();
        for struck in ground.strike_all(&checks, &damages) {
            let place = format!("{node} {} {}", struck.check, struck.damage.id);
            match struck.hit {
                Hit::NotApplied(..) => beside.push(place),
                Hit::Noticed(_) | Hit::NothingToDamage => {}
                Hit::Passed(_) | Hit::Misjudged(_) | Hit::Broken(_) => slipped.push(place),
            }
        }
    }
    assert_eq!(slipped, [""; 0]);
    assert_eq!(beside.len(), 9, "it may only become less: {beside:#?}");
}
