//! Answers asks from a recorded run: nothing reaches any machine.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use verify_model::{
    ask::Ask,
    evidence::{Captured, Evidence, Failure, FailureKind},
    node::Via,
};

use super::{Cancel, Transport};

/// Answers from the evidence of one node of a recorded run.
#[derive(Debug)]
pub struct Replay {
    run: String,
    simulated: Option<String>,
    remote: bool,
    /// Answers in the order in which they were gathered; the last one stays for further repeats.
    answers: Mutex<BTreeMap<Ask, VecDeque<Captured>>>,
}

impl Replay {
    /// Builds the transport from the evidence of a run.
    pub fn new(run: impl Into<String>, node: &str, evidence: &[Evidence]) -> Self {
        let mut answers: BTreeMap<Ask, VecDeque<Captured>> = BTreeMap::new();
        for piece in evidence.iter().filter(|piece| piece.node == node) {
            answers.entry(without_limit(&piece.ask)).or_default().push_back(piece.captured.clone());
        }
        Self { run: run.into(), simulated: None, remote: false, answers: Mutex::new(answers) }
    }

    /// Names the scenario that the recorded node was.
    #[must_use]
    pub fn of_scenario(mut self, scenario: Option<String>) -> Self {
        self.simulated = scenario;
        self
    }

    /// Says whether the recorded node was another machine than the one that asked.
    #[must_use]
    pub fn of_remote(mut self, remote: bool) -> Self {
        self.remote = remote;
        self
    }
}

/// Drops the time limit: it bounds the gathering and is no part of the question.
fn without_limit(ask: &Ask) -> Ask {
    ask.clone().limited_to(0)
}

impl Transport for Replay {
    fn via(&self) -> Via {
        Via::Replay(self.run.clone())
    }

    fn simulated(&self) -> Option<String> {
        self.simulated.clone()
    }

    fn is_remote(&self) -> bool {
        self.remote
    }

    fn gather(&self, ask: &Ask, _cancel: &Cancel) -> Captured {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded = answers.get_mut(&without_limit(ask)).and_then(|queue| {
            if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
        });
        recorded.unwrap_or_else(|| {
            let message = format!("run {} holds no answer to: {ask}", self.run);
            Captured::Failed(Failure::new(FailureKind::NotRecorded, message))
        })
    }

    fn sweep(&self) -> Vec<String> {
        Vec::new()
    }
}
