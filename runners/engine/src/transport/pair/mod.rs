//! Answers what two nodes must answer together: one transport that knows those of the others.
//!
//! All other asks go to the node itself. A peer that the run asks anyway is asked by its own
//! transport; another one by a transport that is built when it is first needed. A recorded or
//! simulated node answers for both ends: nothing reaches a machine.

mod measure;
mod step;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::{Captured, Failure, FailureKind},
    link::End,
    node::Via,
};

use self::measure::Measurement;
use super::{Cancel, Transport};

/// Builds the transport of a node that the run does not ask.
///
/// *Errors*: why it cannot be asked, in one sentence.
pub type Factory = dyn Fn(&str) -> Result<Arc<dyn Transport>, String> + Send + Sync;

/// Knows how every node of a run and its peers are asked.
pub struct Peers {
    known: BTreeMap<String, Arc<dyn Transport>>,
    factory: Option<Arc<Factory>>,
    built: Mutex<BTreeMap<String, Arc<dyn Transport>>>,
}

impl Peers {
    /// Builds it from the nodes of a run.
    pub fn new(nodes: &[(String, Arc<dyn Transport>)], factory: Option<Arc<Factory>>) -> Arc<Self> {
        let known = nodes.iter().cloned().collect();
        Arc::new(Self { known, factory, built: Mutex::default() })
    }

    fn find(&self, name: &str) -> Result<Arc<dyn Transport>, String> {
        if let Some(transport) = self.known.get(name) {
            return Ok(Arc::clone(transport));
        }
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(transport) = built.get(name) {
            return Ok(Arc::clone(transport));
        }
        let factory = self.factory.as_ref().ok_or("it is none of the nodes that are asked")?;
        let transport = factory(name)?;
        built.insert(name.to_owned(), Arc::clone(&transport));
        Ok(transport)
    }

    /// Ends what may have been left behind on peers; call it at the end of a run.
    pub fn sweep(&self) {
        // A link may have been cut when its other end was through already.
        let end = |transport: &Arc<dyn Transport>| {
            // What breaks one of them must not keep the others.
            let _ = catch_unwind(AssertUnwindSafe(|| transport.sweep()));
        };
        self.known.values().for_each(end);
        let built = std::mem::take(&mut *self.built.lock().unwrap_or_else(PoisonError::into_inner));
        built.values().for_each(end);
    }
}

/// Answers asks on one node, and with others what needs two.
pub struct Paired {
    node: String,
    own: Arc<dyn Transport>,
    peers: Arc<Peers>,
}

impl Paired {
    /// Builds the transport of a node.
    pub fn new(node: &str, own: Arc<dyn Transport>, peers: Arc<Peers>) -> Self {
        Self { node: node.to_owned(), own, peers }
    }

    fn answers_for_both(&self) -> bool {
        matches!(self.own.via(), Via::Replay(_) | Via::Sim(_))
    }

    fn transport(&self, end: &End) -> Result<Arc<dyn Transport>, Captured> {
        if end.node.is_empty() || end.node == self.node {
            return Ok(Arc::clone(&self.own));
        }
        let found = self.peers.find(&end.node).and_then(|transport| match transport.via() {
            Via::Replay(_) | Via::Sim(_) => Err("it is no machine in this run".to_owned()),
            _ => Ok(transport),
        });
        found.map_err(|why| {
            let message = format!("{}: {why}", end.node);
            Captured::Failed(Failure::new(FailureKind::Unsupported, message))
        })
    }

    fn between(&self, ask: &Ask, cancel: &Cancel) -> Captured {
        let Ask::Between { ends, transfers, seconds, omit_s, limit_ms } = ask else {
            return self.own.gather(ask, cancel);
        };
        let [one, other] = ends;
        let transports = match (self.transport(one), self.transport(other)) {
            (Ok(one), Ok(other)) => [one, other],
            (Err(failed), _) | (_, Err(failed)) => return failed,
        };
        let measurement = Measurement {
            ends,
            transports,
            seconds: *seconds,
            omit_s: *omit_s,
            limit: Duration::from_millis(*limit_ms),
            cancel,
        };
        measurement.run(transfers)
    }
}

impl Transport for Paired {
    fn via(&self) -> Via {
        self.own.via()
    }

    fn simulated(&self) -> Option<String> {
        self.own.simulated()
    }

    fn is_remote(&self) -> bool {
        self.own.is_remote()
    }

    fn gather(&self, ask: &Ask, cancel: &Cancel) -> Captured {
        if self.answers_for_both() {
            self.own.gather(ask, cancel)
        } else {
            self.between(ask, cancel)
        }
    }

    fn is_batched(&self) -> bool {
        self.own.is_batched()
    }

    fn is_costly(&self) -> bool {
        self.own.is_costly()
    }

    fn unavailable(&self) -> Option<String> {
        self.own.unavailable()
    }

    fn make_room(&self, effect: Effect) {
        self.own.make_room(effect);
    }

    fn is_waiting(&self) -> bool {
        self.own.is_waiting()
    }

    fn machine_of(&self, node: &str) -> String {
        if self.answers_for_both() {
            return self.via().machine(&self.node);
        }
        // One that the run does not ask may be a machine that it does, under another name.
        let found = self.peers.find(node);
        found.map_or_else(|_| format!("node {node}"), |transport| transport.via().machine(node))
    }

    fn gather_all(
        &self,
        asks: &[Ask],
        cancel: &Cancel,
        hear: &mut dyn FnMut(usize, Captured, Duration),
    ) {
        let of_two = |ask: &Ask| matches!(ask, Ask::Between { .. }) && !self.answers_for_both();
        let places: Vec<usize> = (0..asks.len()).filter(|at| !of_two(&asks[*at])).collect();
        let own: Vec<Ask> = places.iter().map(|at| asks[*at].clone()).collect();
        if !own.is_empty() {
            let mut at_its_place = |at: usize, captured: Captured, elapsed: Duration| {
                if let Some(at) = places.get(at) {
                    hear(*at, captured, elapsed);
                }
            };
            self.own.gather_all(&own, cancel, &mut at_its_place);
        }
        for (at, ask) in asks.iter().enumerate().filter(|(_, ask)| of_two(ask)) {
            let begun = now();
            let captured = self.between(ask, cancel);
            hear(at, captured, begun.elapsed());
        }
    }

    fn sweep(&self) -> Vec<String> {
        self.own.sweep()
    }
}

#[allow(clippy::disallowed_methods, reason = "limits are kept by the clock of the transport")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
