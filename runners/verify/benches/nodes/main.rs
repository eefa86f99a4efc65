//! How fast are nodes that are asked by ssh? One node with a hundred checks, a hundred nodes with twenty.
//!
//! A server on loopback stands for all of them, so both ends share one machine, here and in the
//! yardsticks: a script written by hand for the same checks, and clush, which starts `true` on each
//! node. Needs sshd with `libnss_wrapper`, and clush (clustershell) for the second group. Targets are
//! printed, never asserted. `just bench-nodes` measures both, `just bench-nodes one` one of them.
#![allow(clippy::print_stdout, reason = "the table is what this program is for")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and starts processes")]
#![allow(clippy::unwrap_used, reason = "a bench that does not work ends")]

mod checks;
mod lab;
#[path = "../../../engine/tests/ssh/server.rs"]
#[allow(dead_code, reason = "what the tests of the transport need, and more")]
mod server;
#[path = "../speed/table.rs"]
#[allow(dead_code, reason = "what the bench of the harness needs, and more")]
mod table;

use lab::Lab;
use table::{Figure, Table, Target, in_turns};

/// Repeats of a figure that takes a tenth of a second.
const MANY: usize = 15;
/// Repeats of a figure that takes seconds.
const FEW: usize = 3;
/// Nodes of the second group.
const NODES: usize = 100;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing is measured without `--bench`: use `just bench-nodes`");
        return;
    }
    let names: Vec<String> = std::env::args().skip(1).filter(|name| name != "--bench").collect();
    let wanted = |group: &str| names.is_empty() || names.iter().any(|name| name == group);
    let Some(lab) = Lab::new() else { return };
    let mut table = Table::default();
    if wanted("one") {
        one_node(&lab, &mut table);
    }
    if wanted("many") {
        many_nodes(&lab, &mut table);
    }
    table.print();
}

/// Measures one node: with a login, and through a connection that is there.
fn one_node(lab: &Lab, table: &mut Table) {
    let checks = checks::mixed(&lab.folder());
    let script = checks.script();
    let root = lab.root("one", &checks.suite(&["n0"]), &["n0"]);
    let open = lab.open(&root);
    let [cold_script, verify, warm_script, asked] = in_turns(
        MANY,
        [
            &mut || lab.ssh("n0", &[], &script),
            &mut || lab.verify(&root, &["--node", "n0"]),
            &mut || lab.ssh("n0", &lab.muxed(), &script),
            &mut || open.ask(),
        ],
    );
    table.note(format!("one: {} checks on one node by ssh", checks.count()));
    table.push(&Figure::new("script by hand, with a login", cold_script.clone()));
    let whole = Figure::new("verify, with a login", verify).against(cold_script);
    table.push(&whole.target(Target::Ratio(1.5)));
    table.push(&Figure::new("script by hand, open connection", warm_script.clone()));
    let asked = Figure::new("facts, checks and sweep, open connection", asked).against(warm_script);
    table.push(&asked.target(Target::Ratio(1.5)));
}

/// Measures many nodes against clush with as many logins at once.
fn many_nodes(lab: &Lab, table: &mut Table) {
    if !lab::is_there("clush") {
        println!("skipped: many nodes need clush (Debian package clustershell)");
        return;
    }
    let nodes: Vec<String> = (0..NODES).map(|number| format!("n{number}")).collect();
    let names: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let checks = checks::few(&lab.folder());
    let root = lab.root("many", &checks.suite(&names), &names);
    let logins = lab.logins();
    let peak = lab.peak_memory(&root, &["--node", "all", "--via", "ssh"]);
    let logins = lab.logins() - logins;
    let [clush, verify] =
        in_turns(FEW, [&mut || lab.clush(NODES), &mut || lab.verify(&root, &["--node", "all"])]);
    table.note(format!(
        "many: {NODES} nodes, {} checks each; {logins} logins, peak memory of verify {} MiB (target 200 MB)",
        checks.count(),
        peak / 1024
    ));
    table.push(&Figure::new("clush: `true` on each, 8 at once", clush.clone()));
    let verify = Figure::new("verify", verify).against(clush);
    table.push(&verify.target(Target::Ratio(1.5)));
}
