//! What of a run becomes normal, and what is refused with which words.

use verify_engine::baseline::{Acceptance, accept, change, propose};
use verify_model::{
    check::Check,
    node::{Facts, Via},
    observation::{Attempt, Observation},
    run::Run,
    verdict::Answer,
};

use crate::{
    Ground, disk,
    run::{CHECK, NODE, accepted, at, attempt, because, check, error, everything, id, read, run},
};

#[track_caller]
fn refuses(run: &Run, words: &str) {
    let proposal = everything(run);
    assert!(proposal.units.is_empty(), "{:?}", proposal.units);
    let [refused] = &proposal.refused[..] else { panic!("{:?}", proposal.refused) };
    assert!(refused.why.contains(words), "{}", refused.why);
    assert_eq!(refused.key.check, CHECK);
}

#[test]
fn an_attempt_that_errored_was_disturbed_simulated_or_replayed_is_no_measure_of_normal() {
    refuses(&run(1, vec![error(1)]), "it gave an error: the disk was busy");
    let disturbed = Attempt { disturbed: Some("load 9".into()), ..attempt(1, read(2.0)) };
    refuses(&run(1, vec![disturbed]), "it was disturbed: load 9");
    let simulated = Observation { simulated: Some("disk-sim".into()), ..read(2.0) };
    refuses(&run(1, vec![attempt(1, simulated)]), "it was simulated by disk-sim");
    let mut replay = at(1, 2.0);
    replay.nodes[0].via = Via::Replay("01K".into());
    refuses(&replay, "a replay of 01K");
    let mut nameless = at(1, 2.0);
    nameless.nodes[0].facts.hostname.clear();
    refuses(&nameless, "did not say its host name");
}

#[test]
fn a_check_that_was_not_answered_is_named_unless_it_was_left_out_on_purpose() {
    let mut missing = at(1, 2.0);
    let outcome = verify_model::outcome::Outcome::Fail;
    for (answer, words) in [
        (Answer::Interrupted, "interrupted before it was answered"),
        (Answer::NotReached, "interrupted before it was answered"),
        (Answer::Blocked { by: "disk/there".into(), outcome }, "it waited for disk/there: fail"),
    ] {
        missing.checks[0].answer = answer;
        refuses(&missing, words);
    }
    let (code, message) = (verify_model::finding::FindingCode::QuickLeftOut, String::new());
    missing.checks[0].answer = Answer::LeftOut { code, message };
    assert!(everything(&missing).refused.is_empty());
}

#[test]
fn a_run_whose_id_sorts_nowhere_is_refused() {
    let mut forged = at(1, 2.0);
    for id in ["", "../x", "zzzzzzzzzzzzzzzzzzzzzzzzzz", "01K\u{1b}[31m"] {
        forged.header.id = id.into();
        refuses(&forged, "no id that verify gives");
    }
}

#[test]
fn a_run_of_before_an_epoch_never_counts_in_it() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(5, 2.0));
    // Nothing is known to have changed before the first epoch.
    accepted(&ground.shelf, &at(4, 2.0));
    let anew = Acceptance { new_epoch: true, ..because("new cable") };
    accept(&ground.shelf, &everything(&at(8, 2.0)), &anew).unwrap();
    let refused = change(&ground.shelf, &everything(&at(7, 2.0)), &because("late")).unwrap();
    assert!(refused.taken.is_empty() && refused.ledgers.is_empty());
    assert!(refused.refused[0].why.contains("is older than the epoch"), "{refused:?}");
    let known = change(&ground.shelf, &everything(&at(5, 2.0)), &because("again")).unwrap();
    assert_eq!((known.taken[0].new, known.taken[0].known), (0, 1));
}

#[test]
fn a_metric_of_another_kind_never_stands_beside_the_old_one() {
    use verify_model::metric::Direction::{HigherIsBetter, LowerIsBetter};

    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    let sampled = |unit: &str, direction| {
        let unit = verify_model::unit::Unit::parse(unit).unwrap();
        let metric = verify_model::metric::Metric::new(unit, direction, vec![90.0]).unwrap();
        run(2, vec![attempt(1, read(2.0).metric("latency", metric))])
    };
    for (unit, direction, words) in [
        ("B", LowerIsBetter, "its `latency` is in `B` and its baseline in `us`; --new-epoch"),
        ("us", HigherIsBetter, "another way is better than of its baseline; --new-epoch"),
    ] {
        let other = everything(&sampled(unit, direction));
        let refused = change(&ground.shelf, &other, &because("x")).unwrap().refused;
        assert!(refused[0].why.contains(words), "{}", refused[0].why);
    }
    accepted(&ground.shelf, &sampled("ms", LowerIsBetter));
}

#[test]
fn a_metric_that_misses_a_fixed_limit_is_refused_in_all_repeats_and_the_others_are_taken() {
    let ground = Ground::new();
    let mixed = run(1, vec![attempt(1, read(2.0)), attempt(2, read(0.5)), error(3)]);
    let change = accept(&ground.shelf, &everything(&mixed), &because("as built")).unwrap();
    let refused: Vec<(Option<u32>, Option<&str>, &str)> =
        change.refused.iter().map(|r| (r.repeat, r.metric.as_deref(), r.why.as_str())).collect();
    assert_eq!(
        refused,
        [
            (
                None,
                Some("rate"),
                "it misses a fixed limit: `rate` is 500 MB/s in repeat 2; no repeat of this run is taken"
            ),
            (Some(3), None, "it gave an error: the disk was busy"),
        ]
    );
    let ledger = ground.shelf.read(&disk()).unwrap();
    let history = ledger.history(CHECK).unwrap();
    // Of the rate, that of the repeat that held would be picked.
    assert_eq!(history.current.len(), 2);
    for unit in history.current {
        assert_eq!(unit.metrics.keys().collect::<Vec<_>>(), ["latency"]);
        assert_eq!(
            (unit.withheld.as_slice(), unit.reason.as_str()),
            (&["rate".into()][..], "as built")
        );
    }
}

#[test]
fn a_fact_that_misses_a_fixed_limit_refuses_all_that_was_measured_beside_it() {
    let mut narrow =
        run(1, vec![attempt(1, read(2.0).fact("width", verify_model::value::Value::Integer(8)))]);
    let check = &mut narrow.checks[0].planned.check;
    let matchers =
        vec![verify_model::matcher::Matcher::Is(verify_model::matcher::Literal::Integer(16))];
    let width = verify_model::check::Expectation {
        field: "width".into(),
        matchers,
        ..check.expect[0].clone()
    };
    check.expect.push(width);
    refuses(&narrow, "it misses a fixed limit: `width` is 8");
}

#[test]
fn of_several_tries_the_last_one_counts() {
    let tried = vec![error(1), Attempt { r#try: 2, ..attempt(1, read(2.0)) }];
    let proposal = everything(&run(1, tried));
    assert_eq!((proposal.units[&disk()].len(), proposal.refused.len()), (1, 0));
}

#[test]
fn a_check_that_only_reads_state_is_not_worth_a_word() {
    let mut state = at(1, 2.0);
    let planned = &mut state.checks[0].planned.check;
    planned.effect = verify_model::effect::Effect::Reads;
    planned.expect.clear();
    planned.record = vec!["name".into()];
    let proposal = everything(&state);
    assert!(proposal.units.is_empty() && proposal.refused.is_empty());
    state.checks[0].answer = Answer::Interrupted;
    assert!(everything(&state).refused.is_empty());
}

#[test]
fn only_what_the_check_judges_or_records_is_kept() {
    let proposal = everything(&at(1, 2.0));
    let unit = &proposal.units[&disk()][0];
    let mut remote = at(1, 2.0);
    remote.nodes[0].via = Via::Ssh("a-host".into());
    let far = everything(&remote).units[&disk()][0].via.clone();
    assert_eq!(far.as_deref(), Some("ssh"));
    let ruler = (unit.measured_by.as_deref(), unit.via.as_deref());
    assert_eq!(ruler, (Some("0.1.0"), Some("local")));
    assert_eq!(unit.boot.as_deref(), Some("boot-0"));
    assert_eq!(unit.metrics.keys().collect::<Vec<_>>(), ["latency", "rate"]);
    assert_eq!(unit.value("rate").unwrap().to_string(), "2 GB/s");
    assert_eq!(unit.value("latency").unwrap().to_string(), "105 us");
    assert_eq!(unit.value("latency.p99").unwrap().to_string(), "391.3 us");
    // Nobody asked for it then: the histogram still knows, to three digits.
    let p50 = unit.value("latency.p50").unwrap().value();
    assert!((p50 - 100.0).abs() < 0.2, "{p50}");
    assert_eq!(unit.value("nothing"), None);
}

#[test]
fn a_filter_takes_only_the_checks_that_it_names() {
    assert!(propose(&at(1, 2.0), |id| id == "other/check", false).units.is_empty());
}

#[test]
fn accepting_twice_changes_nothing() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    let before = (ground.read("disk.toml"), ground.read("disk.runs.jsonl"));
    let again = accept(&ground.shelf, &everything(&at(1, 2.0)), &because("other words")).unwrap();
    assert_eq!((again.taken[0].new, again.taken[0].known), (0, 1));
    assert!(again.ledgers.is_empty());
    assert_eq!((ground.read("disk.toml"), ground.read("disk.runs.jsonl")), before);
    assert_eq!(ground.names(), ["disk.runs.jsonl", "disk.toml"]);
}

#[test]
fn nothing_is_mixed_across_machines_or_definitions_unless_an_epoch_begins() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    let mut elsewhere = at(2, 3.0);
    elsewhere.nodes[0].facts.hostname = "laptop".into();
    let mut redefined = at(3, 3.0);
    let literal = verify_model::matcher::Literal::Integer(4);
    redefined.checks[0].planned.check.with.insert("threads".into(), literal);
    for (run, words) in [(&elsewhere, "of machine `tower`"), (&redefined, "parameters changed")] {
        let refused = change(&ground.shelf, &everything(run), &because("x")).unwrap().refused;
        assert!(refused[0].why.contains(words), "{}", refused[0].why);
        assert!(refused[0].why.contains("--new-epoch"), "{}", refused[0].why);
    }
    let anew = Acceptance { new_epoch: true, ..because("moved to the laptop") };
    let change = accept(&ground.shelf, &everything(&elsewhere), &anew).unwrap();
    assert!(change.taken[0].begins && change.refused.is_empty());
    let ledger = ground.shelf.read(&disk()).unwrap();
    let history = ledger.history(CHECK).unwrap();
    assert_eq!(history.current.len(), 1);
    assert_eq!(history.current[0].epoch, id(2));
    // What was measured elsewhere is no anchor for this machine.
    assert_eq!(history.anchor, history.current);
}

#[test]
fn a_run_that_was_changed_since_it_was_accepted_is_not_known() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(1, 2.0));
    let mut forged = at(1, 9.0);
    forged.header.started_at = "2027-01-01T00:00:00Z".into();
    for new_epoch in [false, true] {
        let words = Acceptance { new_epoch, ..because("x") };
        let refused = change(&ground.shelf, &everything(&forged), &words).unwrap();
        assert!(refused.taken.is_empty());
        assert!(refused.refused[0].why.contains("with another content"), "{refused:?}");
    }
}

#[test]
fn an_epoch_never_begins_before_the_one_that_counts() {
    let ground = Ground::new();
    accepted(&ground.shelf, &at(5, 2.0));
    let anew = Acceptance { new_epoch: true, ..because("older") };
    let refused = change(&ground.shelf, &everything(&at(4, 2.0)), &anew).unwrap().refused;
    assert!(refused[0].why.contains("is older than the epoch"), "{}", refused[0].why);
    // The same run may begin one after it was accepted as more of the same.
    accepted(&ground.shelf, &at(6, 3.0));
    let change = accept(&ground.shelf, &everything(&at(6, 3.0)), &anew).unwrap();
    assert_eq!((change.taken[0].new, change.taken[0].begins), (1, true));
    assert_eq!(ground.shelf.read(&disk()).unwrap().history(CHECK).unwrap().current.len(), 1);
}

#[test]
fn what_is_compared_says_where_it_comes_from_and_when_it_cannot_be() {
    let ground = Ground::new();
    for (number, rate) in [(1, 2.0), (2, 4.0), (3, 3.0)] {
        accepted(&ground.shelf, &at(number, rate));
    }
    let facts = at(1, 2.0).nodes[0].facts.clone();
    let read = |facts: &Facts, check: &Check| {
        let known =
            verify_engine::baseline::accepted(&ground.shelf, NODE, std::slice::from_ref(check))
                .unwrap();
        known.iter().map(|one| one.on(facts, "")).collect::<Vec<_>>()
    };
    let found = read(&facts, &check());
    let fields: Vec<&str> = found.iter().map(|b| b.field.as_str()).collect();
    assert_eq!(fields, ["latency.p99", "rate"]);
    let rate = &found[1];
    assert_eq!((rate.centre.to_string().as_str(), rate.units), ("3 GB/s", 3));
    assert_eq!(rate.spread.unwrap().to_string(), "1 GB/s");
    assert_eq!((rate.epoch.as_str(), &rate.mismatch), (id(1).as_str(), &None));
    let elsewhere = Facts { hostname: "laptop".into(), ..facts.clone() };
    let why = read(&elsewhere, &check())[1].mismatch.clone().unwrap();
    assert!(why.contains("`tower`") && why.contains("`laptop`"), "{why}");
    let other = Check { probe: "another".into(), ..check() };
    assert!(read(&facts, &other)[1].mismatch.as_ref().unwrap().contains("another probe"));
    let unknown = Check { id: "disk/write".into(), ..check() };
    assert!(read(&facts, &unknown).is_empty());
}
