//! Whether a machine can become slower without anybody saying so, and what is kept of who did.

use verify_engine::baseline::{Acceptance, Change, Ledger, Rebase, accept, change};
use verify_model::{matcher::Matcher, metric::Direction, run::Run};

use crate::{
    Ground, disk,
    run::{CHECK, accepted, at, attempt, because, everything, id, read, run},
};

fn named(pattern: &str) -> Acceptance {
    let globs = verify_engine::plan::globs(&[pattern.to_owned()]).unwrap();
    Acceptance { rebase: Rebase::These(globs), ..because("the old switch") }
}

fn take(ground: &Ground, run: &Run, words: &Acceptance) -> Change {
    accept(&ground.shelf, &everything(run), words).unwrap()
}

#[track_caller]
fn why(change: &Change) -> &str {
    let [only] = change.refused.as_slice() else { panic!("{:?}", change.refused) };
    assert_eq!((only.metric.as_deref(), only.key.check.as_str()), (Some("rate"), CHECK));
    &only.why
}

fn history_of(ground: &Ground) -> Ledger {
    ground.shelf.read(&disk()).unwrap()
}

#[test]
fn a_metric_that_is_worse_than_at_first_is_refused_and_the_others_are_taken() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 4.0));
    let refused = take(&ground, &at(2, 3.0), &because("hm"));
    assert_eq!(
        why(&refused),
        "it is 25 % worse than its baseline at first, 4 GB/s (1 unit): 3 GB/s now, 10 % tolerated; if this is the new normal, name the check in --rebase-anchor"
    );
    assert_eq!(refused.taken[0].new, 1);
    let kept = history_of(&ground);
    let newest = kept.history(CHECK).unwrap().newest().unwrap().clone();
    assert_eq!(newest.metrics.keys().collect::<Vec<_>>(), ["latency"]);
    assert_eq!(newest.withheld, ["rate"]);
    // What was refused of the newest unit has its baseline still, for people, too.
    assert!(ground.read("disk.toml").contains("centre = \"4 GB/s\""));
    let again = change(&ground.shelf, &everything(&at(2, 3.0)), &because("again")).unwrap();
    assert_eq!((again.taken[0].known, again.ledgers.len()), (1, 0));
    why(&again);
}

#[test]
fn where_somebody_names_the_check_the_anchor_begins_anew_and_says_so() {
    let ground = Ground::new();
    for number in 1..=12 {
        accepted(&ground.shelf, &at(number, 4.0));
    }
    assert_eq!(take(&ground, &at(13, 3.0), &named("net/*")).refused.len(), 1);
    let change = take(&ground, &at(13, 3.0), &named("disk/*"));
    assert!(change.refused.is_empty() && change.taken[0].rebased && change.taken[0].begins);
    let kept = history_of(&ground);
    let history = kept.history(CHECK).unwrap();
    assert_eq!((history.anchor.len(), history.current.len()), (1, 1));
    let newest = history.newest().unwrap();
    assert_eq!(newest.anchor, Some(id(13)));
    assert_eq!(
        (newest.epoch.as_str(), newest.reason.as_str()),
        (id(13).as_str(), "the old switch")
    );
    let said = format!("anchor-epoch = \"{}\"", id(13));
    assert!(ground.read("disk.toml").contains(&said));
    // What follows belongs to the same anchor.
    accepted(&ground.shelf, &at(14, 3.0));
    let kept = history_of(&ground);
    let history = kept.history(CHECK).unwrap();
    assert_eq!((history.anchor.len(), history.newest().unwrap().anchor.clone()), (2, Some(id(13))));
    why(&take(&ground, &at(15, 2.0), &because("hm")));
}

#[test]
fn without_a_pattern_only_what_would_be_refused_begins_anew() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 4.0));
    let words = Acceptance { rebase: Rebase::WhereWorse, ..because("x") };
    let fine = take(&ground, &at(2, 4.0), &words);
    assert!(!fine.taken[0].rebased && !fine.taken[0].begins);
    assert!(take(&ground, &at(3, 3.0), &words).taken[0].rebased);
}

#[test]
fn a_creep_is_seen_against_the_anchor_long_before_it_matters() {
    let ground = Ground::new();
    let mut rate = 4.0;
    for number in 1..60 {
        let change = take(&ground, &at(number, rate), &because("monthly"));
        if !change.refused.is_empty() {
            assert!(why(&change).contains("worse than its baseline at first"));
            // One percent a step, ten are tolerated; the anchor itself crept for its first ten units.
            assert!((11..=20).contains(&number), "{number}");
            return;
        }
        rate *= 0.99;
    }
    panic!("it became {rate} GB/s unseen");
}

#[test]
fn what_got_better_and_worse_again_is_worse_than_what_counts_now() {
    let ground = Ground::new();
    for number in 1..=10 {
        accepted(&ground.shelf, &at(number, 2.0));
    }
    let anew = Acceptance { new_epoch: true, ..because("a faster disk") };
    take(&ground, &run(11, (1..=10).map(|n| attempt(n, read(8.0))).collect()), &anew);
    let slow = run(12, (1..=10).map(|n| attempt(n, read(4.0))).collect());
    let refused = take(&ground, &slow, &because("hm"));
    assert!(why(&refused).starts_with("it is 50 % worse than its baseline, 8 GB/s (10 units)"));
}

#[test]
fn what_was_refused_once_is_added_when_somebody_names_it() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 4.0));
    take(&ground, &at(2, 3.0), &because("hm"));
    let change = take(&ground, &at(2, 3.0), &named("*"));
    assert_eq!((change.taken[0].new, change.taken[0].rebased), (1, true));
    let kept = history_of(&ground);
    let newest = kept.history(CHECK).unwrap().newest().unwrap().clone();
    assert_eq!(newest.metrics.keys().collect::<Vec<_>>(), ["latency", "rate"]);
    assert!(newest.withheld.is_empty() && newest.anchor == Some(id(2)));
}

#[test]
fn a_check_without_a_tolerance_and_a_machine_that_is_another_one_are_not_compared() {
    let ground = Ground::new();
    let free = |number, rate| {
        let mut run = at(number, rate);
        run.checks[0].planned.check.expect[0].matchers.truncate(1);
        run
    };
    accepted(&ground.shelf, &free(1, 4.0));
    accepted(&ground.shelf, &free(2, 2.0));
    let mut elsewhere = at(3, 1.5);
    elsewhere.nodes[0].facts.hostname = "laptop".into();
    let anew = Acceptance { new_epoch: true, ..because("moved") };
    assert!(take(&ground, &elsewhere, &anew).refused.is_empty());
}

#[test]
fn values_that_have_no_logarithm_are_compared_by_their_medians() {
    let errors = |number, count: f64| {
        let unit = verify_model::unit::Unit::parse("").unwrap();
        let metric =
            verify_model::metric::Metric::new(unit, Direction::LowerIsBetter, vec![count]).unwrap();
        let mut run = run(
            number,
            vec![attempt(
                1,
                verify_model::observation::Observation::default().metric("rate", metric),
            )],
        );
        let check = &mut run.checks[0].planned.check;
        check.expect[0].matchers = vec![Matcher::Within("10 %".parse().unwrap())];
        check.record.clear();
        run
    };
    let ground = Ground::new();
    accepted(&ground.shelf, &errors(1, 0.0));
    accepted(&ground.shelf, &errors(2, 0.0));
    let refused = take(&ground, &errors(3, 2.0), &because("hm"));
    assert!(
        why(&refused).starts_with("it is worse than its baseline at first, 0 (2 units): 2 now")
    );
}

#[test]
fn of_one_run_that_two_people_accepted_differently_a_merge_keeps_what_either_took() {
    let (one, other) = (Ground::new(), Ground::new());
    accepted(&one.shelf, &at(1, 4.0));
    take(&one, &at(2, 3.0), &because("without the rate"));
    accepted(&other.shelf, &at(1, 4.0));
    take(&other, &at(2, 3.0), &named("*"));
    let (mine, yours) = (history_of(&one), history_of(&other));
    let (mut ab, mut ba) = (mine.clone(), yours.clone());
    ab.union(&yours).unwrap();
    ba.union(&mine).unwrap();
    assert_eq!(ab.render(), ba.render());
    let newest = ab.history(CHECK).unwrap().newest().unwrap().clone();
    assert_eq!(
        (newest.metrics.len(), newest.anchor, newest.reason.as_str()),
        (2, Some(id(2)), "the old switch")
    );
    // A unit that merely lacks a metric is still a contradiction.
    let mut forged = yours.history(CHECK).unwrap().newest().unwrap().clone();
    forged.metrics.remove("latency");
    assert!(ab.insert(forged).is_err());
}

/// Builds a run of a probe that exists, on a machine with such a BIOS, cpu and curl.
fn on(number: u32, rate: f64, fields: &[(&str, &str)]) -> Run {
    let mut run = at(number, rate);
    run.checks[0].planned.check.probe = "http".into();
    let fields = fields.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned())));
    run.nodes[0].fingerprint.0.extend(fields);
    run
}

#[test]
fn what_changed_in_the_machine_begins_an_epoch_and_is_never_mixed_into_one() {
    let ground = Ground::new();
    let of = |number, curl: &str| on(number, 4.0, &[("tool.curl", curl)]);
    accepted(&ground.shelf, &of(1, "8.5"));
    let refused = take(&ground, &of(2, "8.6"), &because("an update"));
    let [only] = refused.refused.as_slice() else { panic!("{:?}", refused.refused) };
    assert!(only.why.contains("8.5 -> 8.6; --new-epoch begins anew"), "{}", only.why);
    let anew = Acceptance { new_epoch: true, ..because("an update") };
    assert_eq!(take(&ground, &of(2, "8.6"), &anew).taken[0].new, 1);
    // What was not gathered is no change.
    assert_eq!(take(&ground, &on(3, 4.0, &[]), &because("more")).taken[0].new, 1);
}

#[test]
fn a_tolerance_in_the_unit_of_the_field_is_no_share() {
    let ground = Ground::new();
    let within = |number, rate: f64, tolerance: &str| {
        let mut run = at(number, rate);
        let matchers = vec![Matcher::Within(tolerance.parse().unwrap())];
        run.checks[0].planned.check.expect[0].matchers = matchers;
        run
    };
    accepted(&ground.shelf, &within(1, 4.0, "1 GB/s"));
    assert!(take(&ground, &within(2, 3.5, "1 GB/s"), &because("more")).refused.is_empty());
    let refused = take(&ground, &within(3, 2.5, "1 GB/s"), &because("less"));
    assert!(
        why(&refused).starts_with("it is 1.25 GB/s worse than its baseline at first"),
        "{}",
        why(&refused)
    );
}
