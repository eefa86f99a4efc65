//! Several runs in one accept, and units taken out again.

use verify_engine::baseline::{Acceptance, Proposal, accept, change};
use verify_model::run::Run;

use crate::{
    Ground, disk,
    run::{CHECK, accepted, at, because, everything, id},
};

fn together(runs: &[Run]) -> Proposal {
    let mut all = Proposal::default();
    for run in runs {
        all.add(everything(run));
    }
    all
}

#[test]
fn runs_that_are_accepted_together_are_what_they_are_one_by_one() {
    let (one, other) = (Ground::new(), Ground::new());
    let runs = [at(1, 2.0), at(2, 2.01), at(3, 2.02)];
    for run in &runs {
        accepted(&one.shelf, run);
    }
    let all = accept(&other.shelf, &together(&runs), &because("it is so")).unwrap();
    assert_eq!((all.taken[0].new, all.taken[0].begins, all.refused.len()), (3, true, 0));
    for file in ["disk.toml", "disk.runs.jsonl"] {
        assert_eq!(one.read(file), other.read(file));
    }
}

#[test]
fn runs_of_two_machines_or_definitions_are_refused_together_and_nothing_is_written() {
    let ground = Ground::new();
    let mut elsewhere = at(2, 2.0);
    elsewhere.nodes[0].facts.hostname = "laptop".into();
    let mut redefined = at(2, 2.0);
    redefined.checks[0].planned.check.probe = "another".into();
    for (other, words) in [
        (elsewhere, "are of two machines, `tower` and `laptop`; accept one"),
        (redefined, "its probe or parameters changed between runs"),
    ] {
        for new_epoch in [false, true] {
            let words_of = Acceptance { new_epoch, ..because("x") };
            let refused =
                change(&ground.shelf, &together(&[at(1, 2.0), other.clone()]), &words_of).unwrap();
            assert!(refused.taken.is_empty() && refused.ledgers.is_empty());
            assert!(refused.refused[0].why.contains(words), "{refused:?}");
        }
    }
}

#[test]
fn what_is_dropped_is_gone_and_the_rest_stays() {
    let ground = Ground::new();
    for number in 1..=3 {
        accepted(&ground.shelf, &at(number, 2.0));
    }
    let mut ledger = ground.shelf.read(&disk()).unwrap();
    assert_eq!(ledger.runs(CHECK).collect::<Vec<_>>(), [id(1), id(2), id(3)]);
    assert_eq!(ledger.remove(CHECK, Some(&id(2))).len(), 1);
    assert_eq!(ledger.runs(CHECK).collect::<Vec<_>>(), [id(1), id(3)]);
    assert!(ledger.remove(CHECK, Some(&id(9))).is_empty());
    assert!(ledger.remove("disk/write", None).is_empty());
    let lock = ground.shelf.lock().unwrap();
    ground.shelf.write(&lock, &[(disk(), ledger.clone())]).unwrap();
    assert_eq!(ground.shelf.read_locked(&lock, &disk()).unwrap(), ledger);
    assert_eq!(ledger.remove(CHECK, None).len(), 2);
    ground.shelf.write(&lock, &[(disk(), ledger)]).unwrap();
    drop(lock);
    let empty = ground.shelf.read(&disk()).unwrap();
    assert!(empty.is_empty() && empty.history(CHECK).is_none());
    accepted(&ground.shelf, &at(4, 2.0));
    assert_eq!(ground.names(), ["disk.runs.jsonl", "disk.toml"]);
}
