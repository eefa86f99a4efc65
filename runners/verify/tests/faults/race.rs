//! Several runs at once for one node.

use std::process::Stdio;

use crate::ground::{Ground, lines, shell};

#[test]
fn of_many_runs_for_one_node_no_two_load_it_at_once() {
    let ground = Ground::empty();
    // A folder can be made once: whoever finds it there was not alone.
    let line = format!("mkdir {0} || exit 1; sleep 0.05; rmdir {0}", ground.text("alone"));
    let check = shell(&line, "expect = { exit-code = 0 }\nlimit = \"60 s\"");
    let check = check.replace("] }", "], effect = \"loads\" }");
    ground.suite("things", &[("a/one", &check)]);
    let start = |_| {
        let mut command = ground.command(&["--node", "box", "--quiet"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    for _ in 0..3 {
        let runs: Vec<_> = (0..6).map(start).collect();
        let codes: Vec<_> = runs.into_iter().map(|mut run| run.wait().unwrap().code()).collect();
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 3))), "{codes:?}");
        assert!(codes.contains(&Some(0)), "{codes:?}");
    }
    assert_eq!(ground.records().len(), 18);
    for record in ground.records() {
        let lines = lines(&record);
        let verdict = lines.iter().find(|line| line["event"] == "verdict").unwrap();
        let is_busy = verdict.to_string().contains("node-busy");
        assert!(verdict["outcome"] == "pass" || is_busy, "{verdict}");
    }
}
