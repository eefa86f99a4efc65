//! One run on given answers: the real plan, the real probe, the real judge, the real settling.
//!
//! In memory alone: nothing is recorded, no machine is asked or claimed. The day is always the same, so
//! that a waiver which has expired stays expired.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use verify_model::{
    check::Check,
    effect::Effect,
    event::{Event, Fold, FoldError},
    evidence::Evidence,
    node::NodeFile,
    run::{Header, RUN_FORMAT, Run},
    verdict::CheckKey,
};

use crate::{
    baseline::{Accepted, Unit},
    execute::{Context, Observer},
    load::catalog::Catalog,
    plan::{Permissions, Selection},
    session::{self, Request},
    transport::{Cancel, Replay},
};

/// Names what answers in the place of a machine.
pub(super) const NAME: &str = "selftest";
/// When every such run starts.
pub(super) const DAY: &str = "2026-06-01T00:00:00Z";
/// Id of every such run.
const ID: &str = "01JZ0000000000000000000000";

/// Holds what one run is made of.
pub(super) struct Play<'a> {
    pub(super) file: NodeFile,
    pub(super) checks: Vec<Check>,
    pub(super) evidence: &'a [Evidence],
    pub(super) remote: bool,
    /// What was accepted as normal.
    pub(super) units: &'a [Unit],
    /// Checks that are wanted; all of them where there is none.
    pub(super) wanted: Option<&'a str>,
}

impl Play<'_> {
    /// Runs it.
    ///
    /// *Errors*: it cannot be planned, or its events make no run; in one sentence.
    pub(super) fn run(self) -> Result<Run, String> {
        let node = self.file.name.clone();
        let replay = Replay::new(NAME, &node, self.evidence).of_remote(self.remote);
        let selection = Selection {
            checks: self.wanted.map(str::to_owned).into_iter().collect(),
            ..Selection::default()
        };
        let permissions = Permissions { quick: false, mutation: true, load: [node.clone()].into() };
        let catalog = Catalog {
            nodes: BTreeMap::from([(node.clone(), self.file)]),
            checks: BTreeMap::from([(node.clone(), self.checks)]),
            ..Catalog::default()
        };
        let request = Request {
            nodes: vec![(node, Arc::new(replay))],
            peers: None,
            selection,
            permissions,
            repeat: None,
            until_decided: false,
            earlier: Vec::new(),
            shelf: None,
        };
        let mut chosen = session::choose(&catalog, &request).map_err(|why| why.to_string())?;
        for node in &mut chosen.nodes {
            let accepted = Self::accepted(&node.file.name, &node.checks, self.units);
            node.accept(accepted);
        }
        let context =
            Context { started_at: DAY.to_owned(), ..Context::new(now(), Cancel::default(), false) };
        let mut observer = Folding(Ok(Fold::default()));
        session::run(header(), &chosen, &context, &mut observer);
        observer.0.and_then(Fold::finish).map_err(|why| why.to_string())
    }

    fn accepted(node: &str, checks: &[Check], units: &[Unit]) -> Vec<Accepted> {
        let of = |check: &Check| {
            let own = units.iter().filter(|unit| unit.check == check.id).cloned();
            Accepted::of_units(node, check, own)
        };
        checks.iter().flat_map(of).collect()
    }
}

/// Folds what happens into a run.
struct Folding(Result<Fold, FoldError>);

impl Observer for Folding {
    fn event(&mut self, event: Event) {
        if let Ok(fold) = &mut self.0
            && let Err(error) = fold.take(event)
        {
            self.0 = Err(error);
        }
    }

    fn asking(&mut self, _key: &CheckKey, _effect: Effect) {}
}

fn header() -> Header {
    Header {
        format: RUN_FORMAT.to_owned(),
        id: ID.to_owned(),
        started_at: DAY.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        root: NAME.to_owned(),
        command: vec![NAME.to_owned()],
        require_baseline: false,
        until_decided: false,
        orchestrator: NAME.to_owned(),
    }
}

#[allow(clippy::disallowed_methods, reason = "a run counts its own time")]
fn now() -> Instant {
    Instant::now()
}
