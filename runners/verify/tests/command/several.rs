//! Several nodes in one run: who is meant, what is said of each, one record for all.

use crate::ground::{FAILS, Ground, PASSES, check, outcomes};

fn ground() -> Ground {
    let ground = Ground::empty();
    ground.node("red", "hostnames = [\"red\"]");
    ground.node("blue", "hostnames = [\"blue\"]");
    let suite = |nodes: &str, id: &str, lines: &str| {
        format!("[suite]\ntitle = \"t\"\nnodes = [{nodes}]\n\n{}", check(id, lines))
    };
    ground.suite_text("both", suite("\"red\", \"blue\", \"box\"", "a/one", PASSES));
    ground.suite_text("one", suite("\"red\"", "b/two", FAILS));
    ground
}

#[test]
fn several_nodes_are_one_record_in_the_order_in_which_they_were_named() {
    let ground = ground();
    let args = ["--node", "red", "--node", "blue", "--node", "red", "--via", "local"];
    let said = ground.say(&args).exits(1);
    let said = said.says(&["1 check failed on red", "a/one", "2 pass · 1 fail"]);
    said.complains(&["of 2 nodes: red: 1 pass · 1 fail", "of 2 nodes: blue: 1 pass"]);
    let judged: Vec<_> = outcomes(&ground.last()).into_iter().collect();
    let ids: Vec<&str> = judged.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    // The report of the record is the same bytes again.
    let again = |format: &str| ground.say(&["report", "last", "--format", format]).exits(0).out;
    assert_eq!(again("junit"), again("junit"));
    assert!(again("text").find("red").unwrap() < again("text").find("blue").unwrap());
}

#[test]
fn all_are_the_machines_that_have_a_node_file() {
    let ground = ground();
    // Neither `box`, which is whichever machine asks, nor the scenario that is shipped.
    let said = ground.say(&["plan", "--node", "all", "--via", "local", "--check", "a/*"]).exits(0);
    assert!(said.out.contains("node red:") && said.out.contains("node blue:"), "{}", said.out);
    assert!(!said.out.contains("node box:") && !said.out.contains("-sim"), "{}", said.out);
}

#[test]
fn all_leaves_out_aloud_of_what_nothing_is_wanted_and_never_means_nobody() {
    let ground = ground();
    let said = ground.say(&["--node", "all", "--via", "local", "--check", "b/two"]).exits(1);
    said.says(&["1 check failed on red"]).complains(&["node blue is left out"]);
    let empty = Ground::empty();
    let args = ["--node", "all", "--via", "local", "--check", "no/such"];
    empty.say(&args).exits(2).complains(&["means no node here"]);
}
