//! Whether the words about exit codes and the table that computes them say the same.

use std::collections::BTreeSet;

use verify_model::exit::{BAD_USAGE, INTERRUPTED, MEANINGS, Situation};

#[test]
fn every_row_is_listed_once() {
    let names: BTreeSet<String> = Situation::ALL.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(names.len(), Situation::ALL.len());
    // A new row does not compile here until it is counted.
    let place = |row: Situation| match row {
        Situation::Pass => 0,
        Situation::Fail => 1,
        Situation::Waived => 2,
        Situation::Error => 3,
        Situation::Unjudged => 4,
        Situation::NoBaseline => 5,
        Situation::BaselineRequired => 6,
        Situation::Skip => 7,
        Situation::Blocked => 8,
        Situation::NothingAnswered => 9,
    };
    let places: Vec<usize> = Situation::ALL.into_iter().map(place).collect();
    assert_eq!(places, (0..Situation::ALL.len()).collect::<Vec<_>>());
}

#[test]
fn every_exit_code_of_the_table_has_a_meaning_and_no_other_has() {
    let rows = Situation::ALL.into_iter().map(Situation::exit);
    let codes: BTreeSet<u8> = rows.chain([BAD_USAGE, INTERRUPTED]).collect();
    let meant: Vec<u8> = MEANINGS.iter().map(|(code, _)| *code).collect();
    assert_eq!(meant, codes.into_iter().collect::<Vec<_>>(), "each once, in ascending order");
    assert!(MEANINGS.iter().all(|(_, words)| !words.is_empty()));
}
