//! Which machines a run loads, and that no other run loads them at the same time.

use std::borrow::Cow;

use verify_model::{effect::Effect, finding::FindingCode, node::Via, verdict::Answer};

use super::PreparedNode;
use crate::{execute::Context, plan::Step, probe::With, probes};

/// Claims every machine that a plan loads; what another run loads already is not asked.
pub(super) fn claimed<'n>(node: &'n PreparedNode, context: &Context) -> Cow<'n, [Step]> {
    let loads = |step: &Step| step.left_out.is_none() && step.check.effect != Effect::Reads;
    let via = &node.node.via;
    // Where no machine answers, none is loaded.
    if matches!(via, Via::Replay(_) | Via::Sim(_)) || !node.steps.iter().any(loads) {
        return Cow::Borrowed(&node.steps);
    }
    let mut steps = node.steps.clone();
    for step in steps.iter_mut().filter(|step| loads(step)) {
        let check = &step.check;
        let asks = probes::find(&check.probe)
            .and_then(|probe| probe.asks(With(&check.with), &node.node.facts).ok());
        let asks = asks.unwrap_or_default();
        let peers =
            asks.iter().flat_map(|ask| ask.nodes()).map(|name| node.transport.machine_of(name));
        let machines = std::iter::once(via.machine(&node.node.file.name)).chain(peers);
        let mut claimed = machines.map(|machine| {
            let shown = if machine == Via::Local.to_string() { "this machine" } else { &machine };
            let by = |who| format!("{shown} is loaded by another run of verify: {who}");
            context.claims.claim(&machine).map_err(by)
        });
        if let Some(message) = claimed.find_map(Result::err) {
            step.left_out = Some(Answer::Unreachable { code: FindingCode::NodeBusy, message });
        }
    }
    Cow::Owned(steps)
}
