//! What a node is made of, as far as what is planned depends on it.
//!
//! Looked at before anything planned is asked, so never beside a load. Where an exchange is felt, all
//! of it went along with the facts. What a check asks for anyway is asked once, in the words of the
//! check; the rest is recorded as the facts are, so that a replay finds it.

use std::collections::{BTreeMap, BTreeSet};

use verify_model::{
    ask::Ask,
    check::Check,
    effect::Effect,
    evidence::Evidence,
    node::{Facts, Via},
};

use super::{ChosenNode, PreparedNode};
use crate::{
    execute::Context,
    fingerprint::{self, Wanted, Way, question},
    probe::With,
    probes,
    transport::Transport,
};

/// Says by what way a node is looked at.
fn way(transport: &dyn Transport) -> Way {
    match transport.via() {
        Via::Replay(_) => Way::Recorded,
        _ if transport.is_costly() => Way::Far,
        _ => Way::Near,
    }
}

/// Returns what goes along with the facts, beside what goes anyway.
pub(super) fn along(chosen: &ChosenNode, guess: &Facts, asked: &[Ask]) -> Vec<Ask> {
    let may_be = |check: &&Check| check.effect == Effect::Reads || !chosen.permissions.quick;
    let wanted = Wanted::of(chosen.checks.iter().filter(may_be), &chosen.file);
    let asked: BTreeSet<Ask> = asked.iter().map(question).collect();
    let asks = fingerprint::asks(&wanted, guess, way(chosen.transport.as_ref()));
    asks.into_iter().filter(|ask| !asked.contains(&question(ask))).collect()
}

impl PreparedNode {
    /// Looks at what the plan depends on, beyond what is known already.
    pub(super) fn look(&mut self, context: &Context) {
        if !self.is_reached || context.cancel.requested() {
            return;
        }
        let planned = || self.steps.iter().filter(|s| s.left_out.is_none()).map(|s| &s.check);
        let wanted = Wanted::of(planned(), &self.node.file);
        let state = state(planned(), &self.node.facts);
        let way = way(self.transport.as_ref());
        let asks = fingerprint::asks(&wanted, &self.node.facts, way);
        if way != Way::Far {
            let known = self.evidence.iter().chain(&self.ahead).map(|p| question(&p.ask));
            let known: BTreeSet<Ask> = known.collect();
            let missing = asks.iter().map(|ask| (question(ask), ask));
            let missing = missing.filter(|(question, _)| !known.contains(question));
            let missing =
                missing.map(|(question, ask)| state.get(&question).unwrap_or(ask).clone());
            let missing: Vec<Ask> = missing.collect();
            // Nobody measures a machine while it is asked what it is.
            let machine = self.node.via.machine(&self.node.file.name);
            let _own = context.floor.take(&[machine], &context.cancel);
            let found = self.gatherer(context).gather(&missing, |_| {});
            self.ahead.extend(found);
        }
        let all: Vec<&Evidence> = self.evidence.iter().chain(&self.ahead).collect();
        self.node.fingerprint = fingerprint::read(&wanted, &self.node.facts, &all);
        for baseline in &mut self.baselines {
            let own = self.accepted.iter().find(|accepted| accepted.is_behind(baseline));
            if let Some(own) = own {
                own.tell_changes(baseline, &self.node.fingerprint);
            }
        }
        let looked: BTreeSet<Ask> = asks.iter().map(question).collect();
        let is_own = |piece: &Evidence| {
            let question = question(&piece.ask);
            looked.contains(&question) && state.get(&question) != Some(&piece.ask)
        };
        let ahead = std::mem::take(&mut self.ahead);
        let (own, ahead): (Vec<_>, Vec<_>) = ahead.into_iter().partition(is_own);
        self.ahead = ahead;
        self.evidence.extend(own);
    }
}

/// Returns what planned checks ask of the node's state, by the question.
fn state<'c>(planned: impl Iterator<Item = &'c Check>, facts: &Facts) -> BTreeMap<Ask, Ask> {
    let reads = planned.filter(|check| check.effect == Effect::Reads);
    let asks = reads.flat_map(|check| {
        let asks = probes::find(&check.probe).and_then(|p| p.asks(With(&check.with), facts).ok());
        asks.unwrap_or_default().into_iter().map(|ask| ask.limited_to(check.limit_ms))
    });
    asks.map(|ask| (question(&ask), ask)).collect()
}
