//! Runs that are large: many checks on several nodes, and one line of many megabytes.

use verify_model::{
    finding::FindingCode, metric::Direction, outcome::Outcome, run::Run, value::Value,
};

use crate::corpus::build::{Builder, blocked, expect, fact, failed, metric, need_absent};

/// Builds a run of so many checks on four nodes: most pass, some of each other outcome.
pub(crate) fn run(checks: usize) -> Run {
    let mut run = Builder::new();
    let said = "a line that a program wrote, with 64 characters to the newline.\n".repeat(8);
    for at in 0..checks {
        if at > 0 && at.is_multiple_of(checks.div_ceil(4)) {
            run.node(&format!("node-{}", at / checks.div_ceil(4)), "host.example");
        }
        let group = if at % 3 == 0 { "lat" } else { "net" };
        let id = format!("{group}/check-{at:05}");
        let rate = vec![expect("throughput", "at-least", "9.4 Gbit/s")];
        let evidence = run.exec(&["measure", "--number", &at.to_string()], 0, &said);
        let answer = match at % 100 {
            7 => metric("throughput", "Gbit/s", Direction::HigherIsBetter, &[9.1, 9.05, 9.15]),
            13 => failed(FindingCode::TimedOut, "no answer within 10 s", evidence),
            21 | 22 => need_absent("bare-metal", "virtual machine (KVM)", false),
            34 => blocked("net/check-00007", Outcome::Fail),
            _ => metric("throughput", "Gbit/s", Direction::HigherIsBetter, &[9.41, 9.42, 9.4]),
        };
        run.check(&id, "The direct link carries 10GbE line rate", rate, answer);
    }
    run.finish()
}

/// Builds a run in which a node says ten megabytes in one line, wherever it can.
pub(crate) fn long_line() -> Run {
    let mut run = Builder::new();
    let long = "0123456789".repeat(1_000_000);
    let demand = || vec![expect("answer", "is", "fine")];
    run.check(
        "long/value",
        "The node answers briefly",
        demand(),
        fact("answer", Value::text(&long)),
    );
    let evidence = run.exec(&["cat", "/proc/kmsg"], 1, &long);
    let answer = failed(FindingCode::OutputUnreadable, &long, evidence);
    run.check("long/error", "The node answers briefly", demand(), answer);
    run.finish()
}
