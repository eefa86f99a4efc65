//! Whether a secret that a node shows reaches record, report or terminal: it does not.

use std::fs;

use crate::ground::{Ground, shell};

#[test]
fn a_token_that_a_program_prints_is_nowhere() {
    // Put together here, so that no scanner takes this file for a leak.
    let secret = format!("ghp{}{}", '_', "aB3".repeat(12));
    let line = format!("echo token is {secret}; echo db_password={secret} >&2");
    let line =
        line.replace(&secret, "$(printf 'ghp_'; printf 'aB3%.0s' 1 2 3 4 5 6 7 8 9 10 11 12)");
    let rest = "expect = { stdout = \"token is [redacted: github-token]\" }\nrecord = [\"stderr\"]";
    let ground = Ground::with(&[("a/shows", &shell(&line, rest))]);
    let said = ground.run(&["-v", "--report", "junit=out.xml"]).exits(0);
    let record = fs::read_to_string(ground.records().pop().unwrap()).unwrap();
    let report = fs::read_to_string(ground.path("out.xml")).unwrap();
    for text in [&said.out, &said.err, &record, &report] {
        assert!(!text.contains(&secret), "{text}");
    }
    assert!(
        record.contains("[redacted: github-token]") && record.contains("\"redacted\":1"),
        "{record}"
    );
    ground.say(&["judge", "last"]).exits(0);
}
