//! Text that nobody thought of, and a run that holds it wherever a node can put text.

use proptest::prelude::*;
use verify_model::{finding::FindingCode, run::Run, value::Value};

use super::{
    HOSTILE,
    build::{Builder, expect, fact, failed, need_absent},
};

/// Draws text in which control sequences, markup and invalid characters are likely.
pub(crate) fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned),
        prop::sample::select(vec![
            "\u{1b}", "\u{1b}[", "\u{9b}", "\u{1b}]", "]]>", "]]", ">", "<", "&", "\0", "\u{fffe}",
            "\r\n", "\t"
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Builds a run of a node that says these things.
pub(crate) fn run_of(observed: &str, message: &str, title: &str) -> Run {
    let mut run = Builder::new();
    run.hostile_node(observed);
    let demand = vec![expect("answer", "is", "fine")];
    run.check("a/fact", title, demand.clone(), fact("answer", Value::text(observed)));
    let evidence = run.exec(&["cat", message], 1, observed);
    run.check("a/error", title, demand, failed(FindingCode::GatherFailed, message, evidence));
    run.check("a/skip", title, vec![], need_absent(observed, message, false));
    run.check(&format!("a/{message}"), title, vec![], need_absent(observed, message, true));
    run.finish()
}
